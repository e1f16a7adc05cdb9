//! What large elements hold, matched ahead of the walk through them: on another thread, while the values are merged.

use super::{
    document::LARGE,
    pairs::{self, Children, Known, Triple},
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
    pub(super) fn of(element: Triple<'t>, skip: &[&str], known: Option<Known<'t>>) -> Self {
        let children = pairs::children_of(element, skip, known);
        let mut texts = Texts::default();
        for ((text, node), is_bare) in texts.iter_mut().zip(element.all()).zip(children.bare) {
            *text = node.filter(|_| !is_bare).map(pairs::text).filter(|text| !text.is_empty());
        }
        Self { children, texts }
    }
}

/// What has been matched already, and what of it can be used with the next new file.
#[derive(Default)]
pub(super) struct Ahead<'t> {
    content: HashMap<(Ids<3>, bool), Content<'t>>,
    known: Matched<'t>,
}

/// What is known of elements of the old file and the file as shipped.
pub(super) type Matched<'t> = HashMap<Ids<2>, Known<'t>>;

/// An element in some of the files.
type Ids<const FILES: usize> = [Option<NodeId>; FILES];

fn ids<const FILES: usize>(nodes: [Option<Node<'_, '_>>; FILES]) -> Ids<FILES> {
    nodes.map(|node| node.map(|node| node.id()))
}

fn key(element: Triple<'_>) -> (Ids<3>, bool) {
    (ids(element.all()), element.is_unique)
}

/// True where each of the files has much of it.
fn is_large(element: Triple<'_>) -> bool {
    element.all().into_iter().all(|node| node.is_some_and(|node| node.range().len() >= LARGE))
}

impl<'t> Ahead<'t> {
    /// Looks into the large elements that all files have and the administrator has changed, but for the sections of
    /// values.
    pub(super) fn of(root: Triple<'t>, known: Matched<'t>) -> Self {
        let mut ahead = Self { known, ..Self::default() };
        ahead.look_into(root);
        ahead
    }

    fn look_into(&mut self, element: Triple<'t>) {
        if !is_large(element) || is_as_shipped(element) {
            return;
        }
        let known = self.known.remove(&ids([element.old, element.base]));
        let content = Content::of(element, &[], known);
        let holds_values = |node: Node<'_, '_>| matches!(node.tag_name().name(), "appSettings" | "applicationSettings");
        let others = content.children.triples.iter().filter(|child| !child.old.is_some_and(holds_values));
        others.for_each(|child| self.look_into(*child));
        self.content.insert(key(element), content);
    }

    pub(super) fn take(&mut self, element: Triple<'_>) -> Option<Content<'t>> {
        self.content.remove(&key(element))
    }

    /// Keeps what can be used with the next new file of a large element's children.
    pub(super) fn keep(&mut self, element: Triple<'_>, children: Children<'t>) {
        let known = children.into_known().filter(|_| is_large(element));
        self.known.extend(known.map(|known| (ids([element.old, element.base]), known)));
    }

    pub(super) fn into_known(self) -> Matched<'t> {
        self.known
    }
}
