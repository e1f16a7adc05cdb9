//! Everything outside the two value sections: what is beyond doubt is carried, the rest is reported.

use super::{
    Shown,
    document::{children, elements},
    edit::{escape_attribute, set_attribute},
    mask,
    merge::{Change, Draft, Fate, OtherChanges, Scene, ThemeRule},
    pairs::{self, Triple},
    values::elsewhere,
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
        draft.change(Change {
            path: format!("{}/@{}", old.section, old.attribute),
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
    let fate = match (old, base) {
        (_, None) if old == new => return,
        (None, None) => return,
        (_, Some(base)) if old == base && (old == new || old.is_none()) => return,
        (_, Some(base)) if old == base => superseded("the old file has it as it was shipped"),
        _ if old == new => Fate::AlreadySo,
        (None, Some(_)) => reported("it was removed from the old file; remove it by hand if that still holds"),
        _ if !carry && is_theme => superseded("the plan keeps the theme of the new file"),
        _ if !carry => reported("the plan has such changes reported only"),
        (_, Some(base)) if !is_theme && new != base => {
            reported("the new version changed it too; decide which value holds")
        }
        _ if place.is_none() => reported("the new file has no system.web; set it by hand"),
        _ if new.is_none() => Fate::Added,
        _ => Fate::Carried,
    };
    let is_carried = matches!(fate, Fate::Added | Fate::Carried);
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
    let path = format!("system.web/{element}/@{attribute}");
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
        for (step, child) in children {
            self.path.push(step);
            let before = self.draft.changes().len();
            self.element(child);
            // An element that is new or gone and has nothing else to tell of.
            if child.old.is_some() != child.base.is_some() && self.draft.changes().len() == before {
                self.presence(child);
            }
            self.path.pop();
        }
        // The order of sections and of named values means nothing.
        if is_reordered && self.path.len() >= 2 && !self.is_settings() {
            let order = || Shown::Plain("(order)".to_owned());
            let why = "its elements stand in another order in the old file than as shipped; look whether that matters";
            let path = format!("{}/(order)", self.path.join("/"));
            self.draft.change(Change { path, old: order(), new: order(), result: order(), fate: reported(why) });
        }
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
        let fate = match (old, element.new) {
            _ if old == new => Fate::AlreadySo,
            _ if self.is_own() => reported("this belongs to the new version and is never copied"),
            _ if self.is_settings() => reported("this is no value that can be carried; look at it by hand"),
            (None, _) => reported("it was removed from the old file; remove it by hand if that still holds"),
            _ if self.scene.rules.other_changes == OtherChanges::Report => {
                reported("the plan has such changes reported only")
            }
            (_, None) => reported("the new file has no such element; add it by hand if it is still wanted"),
            _ if !element.is_unique || attribute.namespace().is_some() => {
                reported("it cannot be told which element of the new file this is; look at it by hand")
            }
            _ if new != base => reported("the new version changed it too; decide which value holds"),
            _ if new.is_none() => Fate::Added,
            _ => Fate::Carried,
        };
        let is_carried = matches!(fate, Fate::Added | Fate::Carried);
        if let (true, Some(node), Some(old)) = (is_carried, element.new, old) {
            self.draft.splice(set_attribute(self.scene.sources.new, node, name, old));
        }
        let any = element.old.or(element.base);
        let shown = |value: Option<&str>| match (value, any) {
            (Some(value), Some(node)) => mask::shown_attribute(node, name, value),
            _ => Shown::Absent,
        };
        let (path, result) = (format!("{}/@{name}", self.path.join("/")), if is_carried { old } else { new });
        self.draft.change(Change { path, old: shown(old), new: shown(new), result: shown(result), fate });
    }

    fn text(&mut self, element: Triple<'t>) {
        let text = |node: Option<Node<'t, 't>>| node.map(pairs::text).filter(|text| !text.is_empty());
        let (old, base, new) = (text(element.old), text(element.base), text(element.new));
        if old == base {
            return;
        }
        let fate = if old == new { Fate::AlreadySo } else { reported("text is not carried; set it by hand") };
        let any = element.old.or(element.base);
        let shown = |value: Option<String>| match (value, any) {
            (Some(value), Some(node)) => mask::shown_text(node, &value),
            _ => Shown::Absent,
        };
        let path = format!("{}/text()", self.path.join("/"));
        let new = shown(new);
        self.draft.change(Change { path, old: shown(old), result: new.clone(), new, fate });
    }

    /// An element that only one of the old file and the file as shipped has.
    fn presence(&mut self, element: Triple<'t>) {
        let is_known = KNOWN.iter().any(|(element, _)| self.path.as_slice() == ["system.web", *element]);
        if is_known {
            return;
        }
        let shown = |node: Option<Node<'t, 't>>| match node {
            Some(_) => Shown::Plain("(element)".to_owned()),
            None => Shown::Absent,
        };
        let fate = match (element.old, element.new) {
            (old, new) if old.is_some() == new.is_some() => Fate::AlreadySo,
            _ if self.is_own() => reported("this belongs to the new version and is never copied"),
            (Some(_), _) => reported("the old file has this element and the new one has not; add it if it is wanted"),
            (None, _) => reported("it was removed from the old file; remove it by hand if that still holds"),
        };
        let (path, new) = (self.path.join("/"), shown(element.new));
        self.draft.change(Change { path, old: shown(element.old), result: new.clone(), new, fate });
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
                let path = self.path.join("/");
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
                self.presence(element);
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
