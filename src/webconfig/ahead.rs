//! What large elements hold, matched ahead of the walk through them: on another thread, while the values are merged.

use super::{
    document::LARGE,
    pairs::{self, Children, Triple},
    walk::is_as_shipped,
};
use roxmltree::{Node, NodeId};
use std::collections::HashMap;

/// What an element holds.
#[derive(Default)]
pub(super) struct Content<'t> {
    pub(super) children: Children<'t>,
    pub(super) texts: Texts,
}

/// What an element says itself in the old file, in the file as shipped and in the new one, where that is anything.
pub(super) type Texts = [Option<String>; 3];

impl<'t> Content<'t> {
    /// Children called one of `skip` are left out.
    pub(super) fn of(element: Triple<'t>, skip: &[&str]) -> Self {
        let children = pairs::children(element, skip);
        let mut texts = Texts::default();
        for ((text, node), is_bare) in texts.iter_mut().zip(element.all()).zip(children.bare) {
            *text = node.filter(|_| !is_bare).map(pairs::text).filter(|text| !text.is_empty());
        }
        Self { children, texts }
    }
}

/// What is known already.
#[derive(Default)]
pub(super) struct Ahead<'t>(HashMap<Key, Content<'t>>);

type Key = ([Option<NodeId>; 3], bool);

fn key(element: Triple<'_>) -> Key {
    (element.all().map(|node| node.map(|node| node.id())), element.is_unique)
}

impl<'t> Ahead<'t> {
    /// Looks into the large elements that all files have and the administrator has changed, but for the sections of
    /// values.
    pub(super) fn of(root: Triple<'t>) -> Self {
        let mut ahead = Self::default();
        ahead.look_into(root);
        ahead
    }

    fn look_into(&mut self, element: Triple<'t>) {
        let is_large = |node: Option<Node<'_, '_>>| node.is_some_and(|node| node.range().len() >= LARGE);
        if !element.all().into_iter().all(is_large) || is_as_shipped(element) {
            return;
        }
        let content = Content::of(element, &[]);
        let holds_values = |node: Node<'_, '_>| matches!(node.tag_name().name(), "appSettings" | "applicationSettings");
        let others = content.children.triples.iter().filter(|child| !child.old.is_some_and(holds_values));
        others.for_each(|child| self.look_into(*child));
        self.0.insert(key(element), content);
    }

    pub(super) fn take(&mut self, element: Triple<'_>) -> Option<Content<'t>> {
        self.0.remove(&key(element))
    }
}
