//! What children of the three files are called among each other, where their own names do not tell them apart.

use crate::webconfig::Shown;
use crate::webconfig::merge::Triple;
use crate::webconfig::redact::mask;
use crate::webconfig::schema::collections::{Key, Step, by_attributes, holds_sections, is_item, name_of};
use crate::webconfig::text::{elements, text};
use roxmltree::Node;
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

/// Tags of children that are called otherwise than they would be by themselves.
#[derive(Default)]
pub(crate) struct Tags<'t> {
    /// Without a name, and one of the files has more than one: what they hold is their name.
    repeated: HashSet<&'t str>,
    /// Nothing but the tag has to tell which they are: each file has one at most, and the administrator, or both sides
    /// alike, gave it another name. One that has another name in the new file only is another one.
    single: HashSet<&'t str>,
    /// One of the files has several that are called so: what else they say is part of their name.
    pub(crate) shared: HashSet<Key<'t>>,
    /// What is around them has the name of a secret: the text in them may be one.
    pub(crate) is_secret: bool,
}

impl<'t> Tags<'t> {
    pub(crate) fn of(parent: Triple<'t>, skip: &[&str]) -> Self {
        let mut tags = Self::default();
        let mut names: HashMap<&str, [Option<Option<&str>>; 3]> = HashMap::new();
        let mut several: HashSet<&str> = HashSet::new();
        for (at, side) in parent.all().into_iter().enumerate().filter_map(|(at, side)| Some((at, side?))) {
            let mut seen: HashSet<&str> = HashSet::new();
            let sections = holds_sections(side);
            for node in elements(side) {
                let tag = node.tag_name().name();
                if is_item(tag) || tag == "location" || several.contains(tag) || skip.contains(&tag) {
                    continue;
                }
                let name = name_of(node, sections);
                if !seen.insert(tag) {
                    several.insert(tag);
                }
                names.entry(tag).or_default()[at] = Some(name);
            }
        }
        for (tag, names) in names {
            if several.contains(tag) {
                tags.repeated.insert(tag);
            } else if let [Some(old), Some(base), new] = names
                && (old != base || (new.is_some_and(|new| new != base) && is_there_once(tag)))
                && (new.is_none_or(|new| new == base || new == old) || is_there_once(tag))
            {
                tags.single.insert(tag);
            }
        }
        tags
    }

    /// What a child is called, but for its number.
    pub(crate) fn step(&self, node: Node<'t, 't>, holds_sections: bool) -> Step<'t> {
        let mut step = Step::of(node, holds_sections);
        if step.name.is_none() && self.repeated.contains(step.tag) {
            step.name = by_attributes(node).map(Cow::Owned);
        } else if self.single.contains(step.tag) {
            step.name = None;
        }
        if !self.shared.is_empty() && self.shared.contains(&step.key()) {
            step.name = self.in_full(node).map(Cow::Owned).or(step.name);
        }
        step
    }

    /// What a child is called that shares its name with others.
    fn in_full(&self, node: Node<'_, '_>) -> Option<String> {
        if node.tag_name().name() != "location" {
            return self.by_all(node);
        }
        let section = elements(node).next()?.tag_name().name();
        Some(format!("{}: {section}", node.attribute("path").unwrap_or_default()))
    }

    /// All that a child holds, but for elements and secrets.
    pub(crate) fn by_all(&self, node: Node<'_, '_>) -> Option<String> {
        let text = by_text(node).filter(|_| !self.is_secret);
        let all: Vec<String> = by_attributes(node).into_iter().chain(text).collect();
        (!all.is_empty()).then(|| all.join(","))
    }
}

/// What an element would be called among the children of `parent`.
pub(crate) fn step_in(element: Node<'_, '_>, parent: Node<'_, '_>) -> String {
    let step = Step::of(element, holds_sections(parent));
    Step { name: step.name.or_else(|| by_text(element).map(Cow::Owned)), ..step }.to_string()
}

/// Whether an element of this tag is no item of a collection, though it has a name.
fn is_there_once(tag: &str) -> bool {
    tag == "forms"
}

/// The text of an element that holds nothing else, however it is laid out; no secret.
fn by_text(node: Node<'_, '_>) -> Option<String> {
    let text = text(node);
    let is_it = !text.trim().is_empty() && elements(node).next().is_none();
    let is_it = is_it && mask::shown_text(node, &text) != Shown::Masked;
    is_it.then(|| text.split_whitespace().collect::<Vec<_>>().join(" "))
}
