//! What children of the three files are called among each other, where their own names do not tell them apart.

use crate::webconfig::Shown;
use crate::webconfig::merge::Triple;
use crate::webconfig::redact::mask;
use crate::webconfig::schema::collections::{Key, Step, by_attributes, is_item};
use crate::webconfig::text::beside::squeezed;
use crate::webconfig::text::{elements, text};
use roxmltree::Node;
use std::{borrow::Cow, collections::HashSet};

/// Tags of children that are called otherwise than they would be by themselves.
#[derive(Default)]
pub(crate) struct Tags<'t> {
    /// Without a name, and one of the files has more than one: what they hold is their name.
    repeated: HashSet<&'t str>,
    /// One of the files has several that are called so: what else they say is part of their name.
    pub(crate) shared: HashSet<Key<'t>>,
    /// What is around them has the name of a secret: the text in them may be one.
    pub(crate) is_secret: bool,
}

impl<'t> Tags<'t> {
    pub(crate) fn of(parent: Triple<'t>, skip: &[&str]) -> Self {
        let mut tags = Self::default();
        for side in parent.all().into_iter().flatten() {
            let mut seen: HashSet<&str> = HashSet::new();
            let others = elements(side).map(|node| node.tag_name().name()).filter(|tag| !skip.contains(tag));
            tags.repeated.extend(others.filter(|tag| !is_item(tag) && *tag != "location" && !seen.insert(tag)));
        }
        tags
    }

    /// What a child is called, but for its number.
    pub(crate) fn step(&self, node: Node<'t, 't>, parent: Node<'t, 't>) -> Step<'t> {
        let mut step = Step::of(node, Some(parent));
        if step.name.is_none() && self.repeated.contains(step.tag) {
            step.name = by_attributes(node).map(Cow::Owned);
        }
        if step.tag != "location" && !self.shared.is_empty() && self.shared.contains(&step.key()) {
            step.name = self.by_all(node).map(Cow::Owned).or(step.name);
        }
        step
    }

    /// All that a child holds, but for elements and secrets.
    pub(crate) fn by_all(&self, node: Node<'_, '_>) -> Option<String> {
        let text = by_text(node).filter(|_| !self.is_secret);
        let all: Vec<String> = by_attributes(node).into_iter().chain(text).collect();
        (!all.is_empty()).then(|| all.join(","))
    }
}

/// The text of an element that holds nothing else, however it is laid out; no secret.
fn by_text(node: Node<'_, '_>) -> Option<String> {
    let text = text(node);
    let is_it = !text.trim().is_empty() && elements(node).next().is_none();
    let is_it = is_it && mask::shown_text(node, &text) != Shown::Masked;
    is_it.then(|| squeezed(&text))
}
