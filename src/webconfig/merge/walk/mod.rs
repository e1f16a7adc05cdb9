//! The walk through all three files at once, element by element of the same meaning: what the administrator changed is
//! carried where the new version left it as it was.

mod loose_comments;
pub(crate) mod order;

use crate::webconfig::{
    merge::{
        change::{Change, Fate, carried, reported},
        comments,
        draft::Draft,
        insert,
        matching::{self, Children, Texts},
        placement::{Around, Siblings},
        rules::{OtherChanges, ThemeRule},
        scene::{Scene, Triple},
        transplant,
    },
    redact::mask,
    schema::{collections, of_version},
    secret::Shown,
    text::{
        edit::{self, escape_text, set_attribute},
        node::{self, elements, markup, text_of},
    },
};
use roxmltree::{Attribute, Node};
use std::cell::LazyCell;

pub(crate) const NO_PLACE: &str = "the new file has no such element; add it by hand if it is still wanted";

pub(crate) const DOUBT: &str = "it cannot be told which element of the new file this is; look at it by hand";

pub(crate) const OUTSIDE: &str =
    "values of the old file lie in this other file; merge them by hand, or copy it and refer to it";
pub(crate) const KEPT_OUTSIDE: &str = "the new file keeps this section in another file (configSource); set it there";

const SOURCE: &str = "configSource";

pub(crate) const OF_NEW: &str = "this belongs to the new version and is never copied";

pub(crate) struct Walk<'s, 't> {
    pub(crate) scene: &'s Scene<'t>,
    pub(crate) draft: &'s mut Draft<'t>,
    pub(crate) path: Vec<String>,
    /// The element around has all it holds from the old file: nothing in it needs to be written any more.
    pub(crate) is_replaced: bool,
    /// The section around lies in another file in the new version, and may hold nothing itself.
    is_outside: bool,
}

impl<'s, 't> Walk<'s, 't> {
    pub(crate) fn new(scene: &'s Scene<'t>, draft: &'s mut Draft<'t>) -> Self {
        Self { scene, draft, path: Vec::new(), is_replaced: false, is_outside: false }
    }

    /// Accounts for an element's attributes, its text and all below it.
    pub(crate) fn element(&mut self, element: Triple<'t>) {
        if is_as_shipped(element) {
            return;
        }
        let before = self.draft.changes().len();
        if self.is_moved_out(element) {
            return self.moved_out(element);
        }
        let was_outside = self.is_outside;
        self.is_outside |= element.new.is_some_and(|new| new.has_attribute(SOURCE));
        for attribute in attributes(element) {
            self.attribute(element, attribute);
        }
        let (children, texts) = (matching::children(element, self.values()), matching::texts(element));
        let was_replaced = self.is_replaced;
        self.is_replaced = was_replaced || self.replace(element, &children, &texts);
        let is_new_text = self.text(element, texts);
        self.comments(element, before);
        self.children(element, &children);
        if !self.is_replaced && !is_new_text {
            self.notes(element);
        }
        (self.is_replaced, self.is_outside) = (was_replaced, was_outside);
    }

    /// Whether the administrator has put the values of a section into another file, or taken them back from there.
    fn is_moved_out(&self, section: Triple<'t>) -> bool {
        let source = |node: Option<Node<'t, 't>>| node.and_then(|node| node.attribute(SOURCE));
        source(section.old) != source(section.base) && section.old.is_some()
    }

    /// A section with `configSource` may hold nothing else, so it is taken as it is or not at all; and it leads to
    /// nothing where the other file is.
    fn moved_out(&mut self, section: Triple<'t>) {
        let source = |node: Option<Node<'t, 't>>| node.and_then(|node| node.attribute(SOURCE));
        let (old, new) = (source(section.old), source(section.new));
        let path = self.here(&format!("/@{SOURCE}"));
        let is_as_shipped = || match (section.base, section.new) {
            (Some(base), Some(new)) => node::same(base, new, &|_, _| false),
            _ => false,
        };
        let fate = match (section.new, self.hands_off()) {
            _ if old == new => Fate::AlreadySo,
            _ if self.is_replaced => carried(old, new),
            (_, Some(fate)) => fate,
            _ if old.is_some() => reported(OUTSIDE),
            (None, _) => reported(NO_PLACE),
            _ if !section.is_unique => reported(DOUBT),
            _ if self.is_settings() && section.old.is_some_and(|old| elements(old).next().is_some()) => {
                reported("its values are merged one by one; decide by hand where they are to be")
            }
            _ if is_as_shipped() => carried(old, new),
            _ => self.scene.rules.conflict(&path),
        };
        if let (true, Some(old), Some(new), false) = (fate.carries(), section.old, section.new, self.is_replaced) {
            transplant::replacement(self.scene, old, new).into_iter().for_each(|splice| self.draft.splice(splice));
        }
        let shown = |value: Option<&str>| value.map_or(Shown::Absent, |value| Shown::Plain(value.to_owned()));
        let result = shown(if fate.carries() { old } else { new });
        self.draft.change(Change { path, old: shown(old), new: shown(new), result, fate });
    }

    /// The administrator's comments stay beside what they speak of.
    fn comments(&mut self, element: Triple<'t>, before: usize) {
        let is_kept = |change: &Change| change.fate.carries() || change.fate == Fate::AlreadySo;
        let is_carried = self.draft.changes()[before..].iter().any(is_kept);
        if let (Some(old), Some(new), true, false) = (element.old, element.new, is_carried, self.is_replaced) {
            comments::carry(self.scene, self.draft, old, element.base, new);
        }
    }

    /// Compares the children of an element that the old file or the file as shipped has.
    fn children(&mut self, parent: Triple<'t>, children: &Children<'t>) {
        let triples = &children.triples;
        let siblings = LazyCell::new(|| Siblings::of(parent, triples));
        for (at, child) in triples.iter().copied().enumerate().filter(|(_, child)| !is_as_shipped(*child)) {
            self.path.push(children.step(at));
            match (child.old, child.base) {
                (Some(_), None) if child.new.is_none() && !self.is_told_apart() => {
                    let around = siblings.around(at, self.is_ordered());
                    self.added(parent, child, around);
                }
                (None, Some(base)) if !self.is_told_apart() => self.removed(parent, child, base),
                _ => self.both(child),
            }
            self.path.pop();
        }
        // The order of sections and of named values means nothing.
        if let Some(order) = children.order.filter(|_| self.path.len() >= 2 && !self.is_settings()) {
            self.order(order, parent, children, &siblings.taking);
        }
    }

    /// An element that is compared part by part. Where it is new or gone and has nothing else to tell of, it is told
    /// itself.
    fn both(&mut self, child: Triple<'t>) {
        let before = self.draft.changes().len();
        self.element(child);
        let is_shell = self.is_settings() && self.path.len() <= 2;
        if child.old.is_some() != child.base.is_some() && self.draft.changes().len() == before && !is_shell {
            let fate = if child.old.is_some() == child.new.is_some() { Fate::AlreadySo } else { reported(NO_PLACE) };
            let path = self.here("");
            self.whole(path, child, fate);
        }
    }

    /// Whether the element at the path is in a list of which the first item that fits decides.
    fn is_ordered(&self) -> bool {
        let [.., list, item] = &self.path[..] else { return false };
        is_rules(list) && matches!(collections::tag(item), "allow" | "deny" | "rule" | "remove" | "clear")
    }

    /// An element that the administrator added and the new file has not. Its place is contested where the new version
    /// has put something else there.
    fn added(&mut self, parent: Triple<'t>, child: Triple<'t>, around: Around<'_, 't>) {
        let Some(old) = child.old else { return };
        let own = of_version::own_parts(old);
        let is_all_own = own.first() == Some(&old);
        let path = self.here("");
        let fate = match self.hands_off() {
            _ if self.is_replaced => Fate::Added,
            Some(fate) => {
                comments::freed(self.draft, old, [parent.base, parent.new]);
                fate
            }
            None if old.has_attribute(SOURCE) => reported(OUTSIDE),
            None => {
                let fate = if around.is_contested { self.scene.rules.conflict(&path) } else { Fate::Added };
                let inserted = || insert::insert(self.scene, self.draft, (parent, child), around, &own);
                if fate.carries() { inserted().map_or_else(reported, |()| fate) } else { fate }
            }
        };
        let is_carried = fate.carries();
        if !is_carried {
            self.draft.leave_out(old);
        }
        self.whole(path, child, fate);
        if is_carried && !is_all_own && !self.is_replaced {
            for part in own {
                let path = self.here(&format!("/{}", collections::step(part)));
                let part = Triple { old: Some(part), base: None, new: None, is_unique: true };
                self.whole(path, part, reported(OF_NEW));
            }
        }
    }

    /// An element that the administrator removed.
    fn removed(&mut self, parent: Triple<'t>, child: Triple<'t>, base: Node<'t, 't>) {
        if let Some(new) = child.new.filter(|new| of_version::own_parts(*new).first().is_some_and(|part| part != new)) {
            // What belongs to the new version stays; all else goes, piece by piece. What guards it is for nobody to take
            // away unasked.
            let is_guard = |node: Node<'_, '_>| matches!(node.tag_name().name(), "authorization" | "security");
            let is_guarded = new.tag_name().name() == "location" && new.descendants().any(is_guard);
            if is_guarded && !self.is_replaced && self.hands_off().is_none() {
                let path = self.here("");
                let fate = self.scene.rules.conflict(&path);
                let is_carried = fate.carries();
                self.whole(path, child, fate);
                if !is_carried {
                    return;
                }
            }
            return self.both(child);
        }
        let path = self.here("");
        let fate = match (child.new, self.hands_off()) {
            (None, _) => Fate::AlreadySo,
            _ if self.is_replaced => Fate::Removed,
            (_, Some(fate)) => fate,
            (Some(_), _) if !child.is_unique => reported(DOUBT),
            (Some(new), _) if node::same(base, new, &|_, _| false) => Fate::Removed,
            _ => self.scene.rules.conflict(&path),
        };
        let is_there = child.new.is_some() && !self.is_replaced;
        let comment = is_there.then(|| comments::instead_of(self.draft, parent.old, base)).flatten();
        if let (true, Some(new), false) = (fate.carries(), child.new, self.is_replaced) {
            comments::take_out(self.scene, self.draft, (parent.old, base), new, comment);
        }
        self.whole(path, child, fate);
    }

    /// Where children cannot be told apart, but the new version has left their parent as it was, it gets all that the
    /// old file's holds. True where it does.
    fn replace(&mut self, parent: Triple<'t>, children: &Children<'t>, [text, shipped, _]: &Texts) -> bool {
        let Triple { old: Some(old), base: Some(base), new: Some(new), is_unique: true } = parent else { return false };
        // What holds values, or everything, is merged piece by piece.
        if self.path.is_empty() || (self.is_settings() && self.path.len() <= 2) {
            return false;
        }
        let has_children = || [old, base].into_iter().any(|node| elements(node).next().is_some());
        let is_mixed = || text != shipped && has_children();
        let is_doubtful = || children.triples.iter().any(|child| !child.is_unique);
        if self.hands_off().is_some()
            || !(is_mixed() || is_doubtful())
            || !node::same(base, new, &|_, _| false)
            || !of_version::own_parts(old).is_empty()
            || node::same(old, new, &|_, _| false)
        {
            return false;
        }
        match transplant::content(self.scene, old, new) {
            Some(splice) => self.draft.splice(splice),
            None => return false,
        }
        true
    }

    /// Why nothing is changed here, whatever the difference.
    pub(crate) fn hands_off(&self) -> Option<Fate> {
        match () {
            () if of_version::is_own(self.path.iter().map(String::as_str)) => Some(reported(OF_NEW)),
            () if self.is_outside => Some(reported(KEPT_OUTSIDE)),
            // Without the file as shipped it is not known whether the administrator or the old version had it so.
            () if self.is_settings() && self.scene.base.is_none() => {
                Some(reported("this is no value that can be carried; look at it by hand"))
            }
            () if self.scene.rules.other_changes == OtherChanges::Report && !self.is_settings() => {
                Some(reported("the plan has such changes reported only"))
            }
            () => None,
        }
    }

    /// The account of a whole element.
    pub(crate) fn whole(&mut self, path: String, element: Triple<'t>, fate: Fate) {
        let shown = |node: Option<Node<'t, 't>>| node.map_or(Shown::Absent, mask::shown_element);
        let (old, new) = (shown(element.old), shown(element.new));
        let result = if fate.carries() { old.clone() } else { new.clone() };
        self.draft.change(Change { path, old, new, result, fate });
    }

    /// The path of a difference of the element that is being compared.
    pub(crate) fn here(&mut self, part: &str) -> String {
        self.draft.path(format!("{}{part}", self.path.join("/")))
    }

    pub(crate) fn attribute(&mut self, element: Triple<'t>, attribute: Attribute<'t, 't>) {
        let name = attribute.name();
        if self.is_accounted_for(name) {
            return;
        }
        let value = |node: Option<Node<'t, 't>>| {
            let mut all = node?.attributes();
            all.find(|other| (other.name(), other.namespace()) == (name, attribute.namespace())).map(|it| it.value())
        };
        let (old, base, new) = (value(element.old), value(element.base), value(element.new));
        // What both sides added alike is told with the element.
        if old == base || (element.base.is_none() && old == new) {
            return;
        }
        let path = self.here(&format!("/@{name}"));
        let is_theme = self.scene.base.is_some() && path == THEME && !self.scene.rules.strict;
        let fate = match (old, element.new, self.hands_off()) {
            _ if old == new => Fate::AlreadySo,
            _ if self.is_replaced => carried(old, new),
            (_, _, Some(fate)) => fate,
            (None, None, _) => Fate::AlreadySo,
            // What stays of a removed place for the new version's own parts must not be meant for another place.
            (None, Some(new), _) if element.old.is_none() && new.tag_name().name() == "location" => reported(OF_NEW),
            (Some(_), ..) if name == "file" && self.path.as_slice() == ["appSettings"] => reported(OUTSIDE),
            (_, None, _) => reported(NO_PLACE),
            _ if !element.is_unique => reported(DOUBT),
            (Some(old), ..) if base.is_some_and(|base| of_version::differ_in_version(old, base)) => reported(OF_NEW),
            _ if new != base && !is_theme => self.scene.rules.conflict(&path),
            _ => carried(old, new),
        };
        let fate = self.write_attribute(element, attribute, old, fate);
        let any = element.old.or(element.base);
        let shown = |value: Option<&str>| match (value, any) {
            (Some(value), Some(node)) => mask::shown_attribute(node, name, value),
            _ => Shown::Absent,
        };
        let result = if fate.carries() { old } else { new };
        self.draft.change(Change { path, old: shown(old), new: shown(new), result: shown(result), fate });
    }

    /// Writes an attribute that is to be carried; otherwise, or where it cannot be, the fate says so.
    fn write_attribute(
        &mut self,
        element: Triple<'t>,
        attribute: Attribute<'t, 't>,
        old: Option<&str>,
        fate: Fate,
    ) -> Fate {
        let Some(node) = element.new.filter(|_| fate.carries() && !self.is_replaced) else { return fate };
        let document = self.scene.sources.new;
        let splice = match old {
            Some(old) => set_attribute(document, node, (attribute.namespace(), attribute.name()), old),
            None => edit::remove_attribute(document, node, (attribute.namespace(), attribute.name())),
        };
        match splice {
            Some(splice) => self.draft.splice(splice),
            None => return reported("the new file does not declare its namespace; set it by hand"),
        }
        fate
    }

    /// True where the element gets, or has, the administrator's text in the place of all it held.
    fn text(&mut self, element: Triple<'t>, [old, base, new]: Texts) -> bool {
        if old == base || (element.base.is_none() && old == new) {
            return false;
        }
        let has_children = |node: Option<Node<'t, 't>>| node.is_some_and(|node| elements(node).next().is_some());
        let path = self.here("/text()");
        let fate = match (element.new, self.hands_off()) {
            _ if old == new => Fate::AlreadySo,
            _ if self.is_replaced => carried(old.as_ref(), new.as_ref()),
            (_, Some(fate)) => fate,
            (None, _) => reported(NO_PLACE),
            _ if [element.old, element.base, element.new].into_iter().any(has_children) => {
                reported("text between elements is not carried; set it by hand")
            }
            _ if !element.is_unique => reported(DOUBT),
            _ if new != base => self.scene.rules.conflict(&path),
            _ => carried(old.as_ref(), new.as_ref()),
        };
        let is_carried = fate.carries();
        if let (true, Some(node), false) = (is_carried, element.new, self.is_replaced) {
            let document = self.scene.sources.new;
            let text = escape_text(document, &element.old.map(text_of).unwrap_or_default());
            self.draft.splice(edit::set_content(document, node, &text));
        }
        let any = element.old.or(element.base);
        let shown = |value: Option<String>| match (value, any) {
            (Some(value), Some(node)) => mask::shown_text(node, &value),
            _ => Shown::Absent,
        };
        let (old, new) = (shown(old), shown(new));
        let result = if is_carried { old.clone() } else { new.clone() };
        let is_new = is_carried || fate == Fate::AlreadySo;
        self.draft.change(Change { path, old, new, result, fate });
        is_new
    }

    /// The children here that the merge of values accounts for.
    pub(crate) fn values(&self) -> &'static [&'static str] {
        match self.path.as_slice() {
            [section] if section == "appSettings" && self.scene.base.is_some() => &["add", "remove", "clear"],
            [section] if section == "appSettings" => &["add"],
            [group, _] if group == "applicationSettings" => &["setting"],
            _ => &[],
        }
    }

    pub(crate) fn is_settings(&self) -> bool {
        self.path.first().is_some_and(|step| matches!(collections::tag(step), "appSettings" | "applicationSettings"))
    }

    /// Elements that are never taken as a whole: the shells around values, and the theme where it has a rule of its
    /// own.
    fn is_told_apart(&self) -> bool {
        let is_pages = self.path.as_slice() == ["system.web", "pages"];
        let is_shell = match self.path.as_slice() {
            [section] => section == "appSettings" || section == "applicationSettings",
            [group, _] => group == "applicationSettings",
            _ => false,
        };
        is_shell || (is_pages && !is_theme_usual(self.scene))
    }

    /// Attributes that have been looked at before.
    fn is_accounted_for(&self, name: &str) -> bool {
        let is_outside = name == SOURCE || (name == "file" && self.path.as_slice() == ["appSettings"]);
        let is_theme = name == "theme" && self.path.as_slice() == ["system.web", "pages"];
        (is_outside && self.scene.base.is_none()) || (is_theme && !is_theme_usual(self.scene))
    }
}

pub(crate) const THEME: &str = "system.web/pages/@theme";

/// Whether the theme is an attribute like others.
pub(crate) fn is_theme_usual(scene: &Scene<'_>) -> bool {
    scene.base.is_some() && scene.rules.theme == ThemeRule::Carry && scene.rules.other_changes == OtherChanges::Apply
}

/// Whether an element is a list of which the first item that fits decides.
pub(crate) fn is_rules(list: &str) -> bool {
    matches!(collections::tag(list), "authorization" | "rules")
}

/// Most of a file is as it was shipped, byte for byte.
pub(crate) fn is_as_shipped<'t>(element: Triple<'t>) -> bool {
    element.old.map(markup) == element.base.map(markup)
}

/// All attributes that the old file or the file as shipped has, each once.
pub(crate) fn attributes<'t>(element: Triple<'t>) -> Vec<Attribute<'t, 't>> {
    let mut all: Vec<Attribute<'t, 't>> = Vec::new();
    for attribute in element.old.iter().chain(&element.base).flat_map(Node::attributes) {
        if !all.iter().any(|it| (it.name(), it.namespace()) == (attribute.name(), attribute.namespace())) {
            all.push(attribute);
        }
    }
    all
}
