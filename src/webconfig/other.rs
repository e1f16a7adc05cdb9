//! Everything outside the two value sections: what is beyond doubt is carried, the rest is reported.

use super::{
    Shown,
    document::{children, elements},
    edit::{self, escape_attribute, escape_text, set_attribute},
    mask,
    merge::{Change, Draft, Fate, OtherChanges, Scene, ThemeRule},
    pairs::{self, Triple},
    values::elsewhere,
    whole,
};
use roxmltree::{Attribute, Node};

/// Sections that say how the new version runs. They belong to the new file; nothing in them is ever copied.
const OWN: [&str; 12] = [
    "configSections",
    "system.codedom",
    "codedom",
    "compilation",
    "handlers",
    "httpHandlers",
    "modules",
    "httpModules",
    "assemblies",
    "runtime",
    "assemblyBinding",
    "startup",
];

/// Attributes of elements below `system.web` that are carried even without the file as shipped.
const KNOWN: [(&str, &str); 2] = [("pages", "theme"), ("customErrors", "mode")];

const NO_PLACE: &str = "the new file has no such element; add it by hand if it is still wanted";
const NO_BASE: &str = "the file as shipped could not be had, so it is not known who changed this; compare by hand";

fn reported(why: &str) -> Fate {
    Fate::Reported { why: why.to_owned() }
}

fn superseded(why: &str) -> Fate {
    Fate::Superseded { why: why.to_owned() }
}

/// Values in other files: the merge does not see them, so it says where they are.
pub(super) fn outside(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    let (_, new) = elsewhere(scene.new);
    for old in elsewhere(scene.old).1.into_iter().filter(|old| !new.contains(old)) {
        let of_new = new.iter().find(|new| (&new.section, &new.attribute) == (&old.section, &old.attribute));
        let new = of_new.map_or(Shown::Absent, |new| Shown::Plain(new.file.clone()));
        let path = draft.path(format!("{}/@{}", old.section, old.attribute));
        draft.change(Change {
            path,
            old: Shown::Plain(old.file),
            result: new.clone(),
            new,
            fate: reported(
                "values of the old file lie in this other file; merge them by hand, or copy it and refer to it",
            ),
        });
    }
}

/// Accounts for every other difference.
pub(super) fn changes<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>) {
    for (element, attribute) in KNOWN {
        known(scene, draft, element, attribute);
    }
    let mut walk = Walk { scene, draft, path: Vec::new() };
    let root = Triple { old: Some(scene.old), base: scene.base, new: Some(scene.new), is_unique: true };
    match scene.base {
        Some(_) => walk.element(root),
        None => walk.without_base(root),
    }
}

/// One of the attributes that are known to be an administrator's.
fn known<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>, element: &str, attribute: &str) {
    let find = |root: Node<'t, 't>| {
        let web = || children(root, "system.web");
        web().flat_map(elements).find(|node| node.tag_name().name() == element).or_else(|| web().next())
    };
    let place = find(scene.new);
    let value = |node: Option<Node<'t, 't>>| {
        node.filter(|node| node.tag_name().name() == element).and_then(|node| node.attribute(attribute))
    };
    let (old, new, base) = (value(find(scene.old)), value(place), scene.base.map(|base| value(find(base))));
    let shown = |value: Option<&str>| value.map_or(Shown::Absent, |value| Shown::Plain(value.to_owned()));
    let is_theme = attribute == "theme";
    let carry =
        if is_theme { scene.rules.theme == ThemeRule::Carry } else { scene.rules.other_changes == OtherChanges::Apply };
    match (old, base) {
        (_, None) if old == new => return,
        (None, None) => return,
        (_, Some(base)) if old == base && (old == new || old.is_none()) => return,
        _ => {}
    }
    let path = draft.path(format!("system.web/{element}/@{attribute}"));
    let fate = match (old, base) {
        (_, Some(base)) if old == base => superseded("the old file has it as it was shipped"),
        _ if old == new => Fate::AlreadySo,
        (None, Some(_)) => reported("it was removed from the old file; remove it by hand if that still holds"),
        _ if !carry && is_theme => superseded("the plan keeps the theme of the new file"),
        _ if !carry => reported("the plan has such changes reported only"),
        (_, Some(base)) if !is_theme && new != base && place.is_some() => scene.rules.conflict(&path),
        _ if place.is_none() => reported("the new file has no system.web; set it by hand"),
        _ if new.is_none() => Fate::Added,
        _ => Fate::Carried,
    };
    let is_carried = fate.carries();
    if let (true, Some(node), Some(old)) = (is_carried, place, old) {
        let document = scene.sources.new;
        if node.tag_name().name() == element {
            draft.splice(set_attribute(document, node, attribute, old));
        } else {
            let line = format!(r#"<{element} {attribute}="{}" />"#, escape_attribute(document, old, '"'));
            draft.append(node, [(0, line)]);
        }
    }
    let result = shown(if is_carried { old } else { new });
    draft.change(Change { path, old: shown(old), new: shown(new), result, fate });
}

/// The walk through all files at once, element by element of the same meaning.
struct Walk<'s, 't> {
    scene: &'s Scene<'t>,
    draft: &'s mut Draft<'t>,
    path: Vec<String>,
}

impl<'t> Walk<'_, 't> {
    /// Compares the children of an element that the old file and the file as shipped may both have.
    fn children(&mut self, parent: Triple<'t>) {
        let (children, is_reordered) = pairs::children(parent, self.values());
        let triples: Vec<Triple<'t>> = children.iter().map(|(_, child)| *child).collect();
        for (at, (step, child)) in children.into_iter().enumerate() {
            self.path.push(step);
            match (child.old, child.base) {
                (Some(_), None) if !self.is_known() && child.new.is_none() => {
                    self.added(parent, child, (&triples[..at], &triples[at + 1..]));
                }
                (None, Some(base)) if !self.is_known() => self.removed(child, base),
                _ => self.both(child),
            }
            self.path.pop();
        }
        // The order of sections and of named values means nothing.
        if is_reordered && self.path.len() >= 2 && !self.is_settings() {
            let order = || Shown::Plain("(order)".to_owned());
            let why = "its elements stand in another order in the old file than as shipped; look whether that matters";
            let path = self.here("/(order)");
            self.draft.change(Change { path, old: order(), new: order(), result: order(), fate: reported(why) });
        }
    }

    /// An element that is compared part by part. Where it is new or gone and has nothing else to tell of, it is told itself.
    fn both(&mut self, child: Triple<'t>) {
        let before = self.draft.changes().len();
        self.element(child);
        if child.old.is_some() != child.base.is_some() && self.draft.changes().len() == before && !self.is_known() {
            let fate = if child.old.is_some() == child.new.is_some() { Fate::AlreadySo } else { reported(NO_PLACE) };
            let path = self.here("");
            self.whole(path, child, fate);
        }
    }

    /// An element that the administrator added and the new file has not.
    fn added(&mut self, parent: Triple<'t>, child: Triple<'t>, around: (&[Triple<'t>], &[Triple<'t>])) {
        let path = self.here("");
        let fate = match self.hands_off() {
            Some(fate) => fate,
            None => {
                let documents = (self.scene.sources.old, self.scene.sources.new);
                whole::insert(self.draft, documents, (parent, child), around).map_or_else(reported, |()| Fate::Added)
            }
        };
        self.whole(path, child, fate);
    }

    /// An element that the administrator removed.
    fn removed(&mut self, child: Triple<'t>, base: Node<'t, 't>) {
        let path = self.here("");
        let fate = match (child.new, self.hands_off()) {
            (None, _) => Fate::AlreadySo,
            (_, Some(fate)) => fate,
            (Some(_), _) if !child.is_unique => {
                reported("it cannot be told which element of the new file this is; look at it by hand")
            }
            (Some(new), _) if pairs::same(base, new, &|_, _| false) => Fate::Removed,
            _ => self.scene.rules.conflict(&path),
        };
        if let (true, Some(new)) = (fate.carries(), child.new) {
            self.draft.splice(edit::take_out(self.scene.sources.new, new));
        }
        self.whole(path, child, fate);
    }

    /// The path of a difference of the element that is being compared.
    fn here(&mut self, part: &str) -> String {
        self.draft.path(format!("{}{part}", self.path.join("/")))
    }

    /// Why nothing is changed here, whatever the difference.
    fn hands_off(&self) -> Option<Fate> {
        match () {
            () if self.is_own() => Some(reported("this belongs to the new version and is never copied")),
            () if self.is_settings() => Some(reported("this is no value that can be carried; look at it by hand")),
            () if self.scene.rules.other_changes == OtherChanges::Report => {
                Some(reported("the plan has such changes reported only"))
            }
            () => None,
        }
    }

    /// The account of a whole element.
    fn whole(&mut self, path: String, element: Triple<'t>, fate: Fate) {
        let shown = |there: bool| if there { Shown::Plain("(element)".to_owned()) } else { Shown::Absent };
        let (old, new) = (shown(element.old.is_some()), shown(element.new.is_some()));
        let result = if fate.carries() { old.clone() } else { new.clone() };
        self.draft.change(Change { path, old, new, result, fate });
    }

    fn element(&mut self, element: Triple<'t>) {
        // Most of a file is as it was shipped, byte for byte.
        let markup = |node: Option<Node<'t, 't>>| node.map(|node| &node.document().input_text()[node.range()]);
        if markup(element.old) == markup(element.base) {
            return;
        }
        let both = element.old.is_some() && element.base.is_some();
        let names = element.old.iter().chain(&element.base).flat_map(Node::attributes);
        let mut seen: Vec<Attribute<'t, 't>> = Vec::new();
        for attribute in names {
            let is_same = |other: &Attribute<'_, '_>| {
                (other.name(), other.namespace()) == (attribute.name(), attribute.namespace())
            };
            if !seen.iter().any(is_same) {
                seen.push(attribute);
                if both || !pairs::is_identity(attribute.name()) {
                    self.attribute(element, attribute);
                }
            }
        }
        self.text(element);
        self.children(element);
    }

    fn attribute(&mut self, element: Triple<'t>, attribute: Attribute<'t, 't>) {
        let name = attribute.name();
        if self.is_accounted_for(name) {
            return;
        }
        let value = |node: Option<Node<'t, 't>>| {
            let mut all = node?.attributes();
            all.find(|other| (other.name(), other.namespace()) == (name, attribute.namespace())).map(|it| it.value())
        };
        let (old, base, new) = (value(element.old), value(element.base), value(element.new));
        if old == base {
            return;
        }
        let path = self.here(&format!("/@{name}"));
        let fate = match (old, element.new, self.hands_off()) {
            _ if old == new => Fate::AlreadySo,
            (_, _, Some(fate)) => fate,
            (None, None, _) => Fate::AlreadySo,
            (_, None, _) => reported(NO_PLACE),
            _ if !element.is_unique || attribute.namespace().is_some() => {
                reported("it cannot be told which element of the new file this is; look at it by hand")
            }
            _ if new != base => self.scene.rules.conflict(&path),
            (None, ..) => Fate::Removed,
            _ if new.is_none() => Fate::Added,
            _ => Fate::Carried,
        };
        let is_carried = fate.carries();
        if let (true, Some(node)) = (is_carried, element.new) {
            let document = self.scene.sources.new;
            match old {
                Some(old) => self.draft.splice(set_attribute(document, node, name, old)),
                None => edit::remove_attribute(document, node, name).into_iter().for_each(|it| self.draft.splice(it)),
            }
        }
        let any = element.old.or(element.base);
        let shown = |value: Option<&str>| match (value, any) {
            (Some(value), Some(node)) => mask::shown_attribute(node, name, value),
            _ => Shown::Absent,
        };
        let result = if is_carried { old } else { new };
        self.draft.change(Change { path, old: shown(old), new: shown(new), result: shown(result), fate });
    }

    fn text(&mut self, element: Triple<'t>) {
        let text = |node: Option<Node<'t, 't>>| node.map(pairs::text).filter(|text| !text.is_empty());
        let (old, base, new) = (text(element.old), text(element.base), text(element.new));
        if old == base {
            return;
        }
        let has_children = |node: Option<Node<'t, 't>>| node.is_some_and(|node| elements(node).next().is_some());
        let path = self.here("/text()");
        let fate = match (element.new, self.hands_off()) {
            _ if old == new => Fate::AlreadySo,
            (_, Some(fate)) => fate,
            (None, _) => reported(NO_PLACE),
            _ if !element.is_unique || has_children(element.new) || has_children(element.old) => {
                reported("text between elements is not carried; set it by hand")
            }
            _ if new != base => self.scene.rules.conflict(&path),
            _ if old.is_none() => Fate::Removed,
            _ if new.is_none() => Fate::Added,
            _ => Fate::Carried,
        };
        let is_carried = fate.carries();
        if let (true, Some(node)) = (is_carried, element.new) {
            let document = self.scene.sources.new;
            let text = escape_text(document, old.as_deref().unwrap_or_default());
            self.draft.splice(edit::set_content(document, node, &text));
        }
        let any = element.old.or(element.base);
        let shown = |value: Option<String>| match (value, any) {
            (Some(value), Some(node)) => mask::shown_text(node, &value),
            _ => Shown::Absent,
        };
        let (old, new) = (shown(old), shown(new));
        let result = if is_carried { old.clone() } else { new.clone() };
        self.draft.change(Change { path, old, new, result, fate });
    }

    /// Without the file as shipped nobody knows who changed what: one line a section.
    fn without_base(&mut self, root: Triple<'t>) {
        let against_new = Triple { base: root.new, ..root };
        for (step, child) in pairs::children(against_new, None).0 {
            let Some(old) = child.old else { continue };
            let name = old.tag_name().name();
            self.path.push(step);
            if name == "appSettings" || name == "applicationSettings" {
                self.element_without_base(child);
            } else if !child.new.is_some_and(|new| pairs::same(old, new, &is_known)) {
                let section = || Shown::Plain("(section)".to_owned());
                let new = if child.new.is_some() { section() } else { Shown::Absent };
                let why = if self.is_own() { "this belongs to the new version and is never copied" } else { NO_BASE };
                let path = self.here("");
                self.draft.change(Change { path, old: section(), result: new.clone(), new, fate: reported(why) });
            }
            self.path.pop();
        }
    }

    /// In the value sections the new file stands in for the file as shipped: what only it has is no difference.
    fn element_without_base(&mut self, element: Triple<'t>) {
        if element.old.is_some() {
            let before = self.draft.changes().len();
            for attribute in element.old.iter().flat_map(Node::attributes) {
                if element.new.is_some() || !pairs::is_identity(attribute.name()) {
                    self.attribute(element, attribute);
                }
            }
            for (step, child) in pairs::children(Triple { base: element.new, ..element }, self.values()).0 {
                self.path.push(step);
                self.element_without_base(child);
                self.path.pop();
            }
            if element.new.is_none() && self.path.len() > 1 && self.draft.changes().len() == before {
                let path = self.here("");
                self.whole(path, element, reported(NO_PLACE));
            }
        }
    }

    /// The children here that the merge of values accounts for.
    fn values(&self) -> Option<&'static str> {
        match self.path.as_slice() {
            [section] if section == "appSettings" => Some("add"),
            [group, _] if group == "applicationSettings" => Some("setting"),
            _ => None,
        }
    }

    /// One of the elements whose attribute is carried in any case.
    fn is_known(&self) -> bool {
        KNOWN.iter().any(|(element, _)| self.path.as_slice() == ["system.web", *element])
    }

    fn is_settings(&self) -> bool {
        self.path.first().is_some_and(|step| matches!(pairs::tag(step), "appSettings" | "applicationSettings"))
    }

    /// Attributes that have been looked at before.
    fn is_accounted_for(&self, name: &str) -> bool {
        let is_known = match self.path.as_slice() {
            [web, element] => web == "system.web" && KNOWN.contains(&(element.as_str(), name)),
            _ => false,
        };
        is_known || name == "configSource" || (name == "file" && self.path.as_slice() == ["appSettings"])
    }

    fn is_own(&self) -> bool {
        self.path.iter().any(|step| OWN.contains(&pairs::tag(step)))
    }
}

fn is_known(node: Node<'_, '_>, attribute: &str) -> bool {
    let is_web = node.parent_element().is_some_and(|parent| parent.tag_name().name() == "system.web");
    is_web && KNOWN.contains(&(node.tag_name().name(), attribute))
}
