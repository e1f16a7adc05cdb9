//! The walk through all three files at once, element by element of the same meaning: what the administrator changed is
//! carried where the new version left it as it was.

mod added;
mod attribute;
mod loose_comments;
mod moved_out;
mod order;
mod removed;
mod text;

pub(crate) use attribute::attributes;

use crate::webconfig::merge::matching::{Children, Texts};
use crate::webconfig::merge::placement::Siblings;
use crate::webconfig::merge::reasons::{KEPT_OUTSIDE, NO_PLACE, OF_NEW, ONLY_REPORTED};
use crate::webconfig::merge::{
    Change, Draft, Fate, OtherChanges, Scene, ThemeRule, Triple, carried, decide, matching, reported, transplant,
};
use crate::webconfig::schema::{collections, of_version};
use crate::webconfig::text::{elements, markup, node};
use std::cell::LazyCell;
use std::collections::BTreeSet;

const SOURCE: &str = "configSource";

pub(crate) struct Walk<'s, 't> {
    pub(crate) scene: &'s Scene<'t>,
    pub(crate) draft: &'s mut Draft<'t>,
    pub(crate) path: Vec<String>,
    /// The element around has all it holds from the old file: nothing in it needs to be written any more.
    pub(crate) is_replaced: bool,
    /// The section around lies in another file in the new version, and may hold nothing itself.
    is_outside: bool,
    /// What is compared is an item of a list, or in one.
    in_item: bool,
}

impl<'s, 't> Walk<'s, 't> {
    pub(crate) fn new(scene: &'s Scene<'t>, draft: &'s mut Draft<'t>) -> Self {
        Self { scene, draft, path: Vec::new(), is_replaced: false, is_outside: false, in_item: false }
    }

    /// Accounts for an element's attributes, its text and all below it.
    pub(crate) fn element(&mut self, element: Triple<'t>) {
        if is_as_shipped(element) {
            return;
        }
        if self.is_moved_out(element) {
            return self.moved_out(element);
        }
        let (was_outside, was_in_item) = (self.is_outside, self.in_item);
        self.in_item |= element.all().into_iter().flatten().next().is_some_and(collections::is_in_list);
        self.is_outside |= element.new.is_some_and(|new| new.has_attribute(SOURCE));
        for attribute in attributes(element, self.in_item) {
            self.attribute(element, attribute);
        }
        let (children, texts) = (matching::children(element, self.values()), matching::texts(element));
        let was_replaced = self.is_replaced;
        self.is_replaced = was_replaced || self.replace(element, &children, &texts);
        let is_new_text = self.text(element, texts);
        self.children(element, &children);
        if !self.is_replaced && !is_new_text {
            self.notes(element);
        }
        (self.is_replaced, self.is_outside, self.in_item) = (was_replaced, was_outside, was_in_item);
    }

    /// Compares the children of an element that the old file or the file as shipped has.
    fn children(&mut self, parent: Triple<'t>, children: &Children<'t>) {
        let triples = &children.triples;
        let siblings = LazyCell::new(|| Siblings::of(parent, triples));
        for (at, child) in triples.iter().copied().enumerate().filter(|(_, child)| !is_as_shipped(*child)) {
            self.path.push(children.step(at));
            match (child.old, child.base) {
                _ if self.is_by_hand(parent, child) => {}
                (Some(_), None) if child.new.is_none() && !self.is_told_apart() => {
                    let around = siblings.around(at, child.old.is_some_and(collections::is_ordered));
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
        if self.mixture(child) {
            return;
        }
        let before = self.draft.changes().len();
        self.element(child);
        let is_shell = self.is_settings() && self.path.len() <= 2;
        if child.old.is_some() != child.base.is_some() && self.draft.changes().len() == before && !is_shell {
            let path = self.here("");
            let fate = Self::untold(child);
            self.whole(path, child, fate);
        }
    }

    /// What becomes of an element that is new or gone, and of which no part is a difference by itself.
    fn untold(child: Triple<'t>) -> Fate {
        match (child.old, child.new) {
            (Some(old), Some(new)) if !node::same(old, new, &|_, _| false) => {
                Fate::Superseded { why: "the new version has this and more".to_owned() }
            }
            (old, new) if old.is_some() == new.is_some() => Fate::AlreadySo,
            _ => reported(NO_PLACE),
        }
    }

    /// An item that both sides added is one or the other where they hold different parts: nobody meant a mixture. Returns
    /// whether it is such a one.
    fn mixture(&mut self, child: Triple<'t>) -> bool {
        let Triple { old: Some(old), base: None, new: Some(new), .. } = child else { return false };
        let parts = |node| elements(node).map(collections::step).collect::<BTreeSet<_>>();
        let is_item = self.in_item || collections::is_in_list(old);
        if !is_item || self.hands_off().is_some() || parts(old) == parts(new) {
            return false;
        }
        let path = self.here("");
        let fate = self.scene.rules.conflict(&path);
        let is_written = fate.carries() && !self.is_replaced;
        let splice = is_written.then(|| transplant::replacement(self.scene, old, new)).flatten();
        splice.into_iter().for_each(|splice| self.draft.splice(splice));
        self.whole(path, child, fate);
        true
    }

    /// Where children cannot be told apart, but the new version has left their parent as it was, it gets all that the
    /// old file's holds. Returns whether it does.
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

    /// What becomes of a difference here. `guard` says why it is not carried although it could be.
    pub(crate) fn decide<T: PartialEq>(
        &self,
        [old, base, new]: [Option<T>; 3],
        path: &str,
        guard: impl FnOnce() -> Option<Fate>,
    ) -> Fate {
        if self.is_replaced && old != new {
            return carried(&old, &new);
        }
        let guard = || self.hands_off().or_else(guard);
        decide([old, base, new], guard, || self.scene.rules.conflict(path))
    }

    /// Why nothing is changed here, whatever the difference.
    pub(crate) fn hands_off(&self) -> Option<Fate> {
        match () {
            () if of_version::is_own(self.path.iter().map(String::as_str)) => Some(reported(OF_NEW)),
            () if self.is_outside => Some(reported(KEPT_OUTSIDE)),
            // Without the file as shipped it is not known whether the administrator or the old version had it so.
            () if self.is_settings() && self.scene.base.is_none() => {
                Some(reported("this is not a value that can be migrated; check it manually"))
            }
            () if self.scene.rules.other_changes == OtherChanges::Report && !self.is_settings() => {
                Some(reported(ONLY_REPORTED))
            }
            () => None,
        }
    }

    /// The account of a whole element.
    pub(crate) fn whole(&mut self, path: String, element: Triple<'t>, fate: Fate) {
        self.draft.change(Change::of_element(path, element.old, element.new, fate));
    }

    /// The path of a difference of the element that is being compared.
    pub(crate) fn here(&mut self, part: &str) -> String {
        self.draft.path(format!("{}{part}", self.path.join("/")))
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
}

pub(crate) const THEME: &str = "system.web/pages/@theme";

/// Whether the theme is an attribute like others.
pub(crate) fn is_theme_usual(scene: &Scene<'_>) -> bool {
    scene.base.is_some() && scene.rules.theme == ThemeRule::Carry && scene.rules.other_changes == OtherChanges::Apply
}

/// Most of a file is as it was shipped, byte for byte.
pub(crate) fn is_as_shipped<'t>(element: Triple<'t>) -> bool {
    element.old.map(markup) == element.base.map(markup)
}
