//! Where in the new file something belongs that the administrator added.

use crate::webconfig::{merge::scene::Triple, text::node::elements};
use roxmltree::{Attribute, Node, NodeId};
use std::collections::{HashMap, HashSet};

/// Where an element of the old file stands among its siblings there.
pub(crate) struct Around<'a, 't> {
    /// All before it, each with its counterparts.
    pub(crate) before: &'a [Triple<'t>],
    /// The nearest ones before and behind it that the new file has as well: in the old file and in the new one.
    pub(crate) previous: Option<(Node<'t, 't>, Node<'t, 't>)>,
    pub(crate) next: Option<(Node<'t, 't>, Node<'t, 't>)>,
    /// Where in the new file something stands that was removed from this place in the old one.
    pub(crate) vacated: Option<Node<'t, 't>>,
    /// What takes back items among its siblings to be.
    pub(crate) taking: &'a Taking<'t>,
}

impl<'t> Around<'_, 't> {
    /// Whether a place of the new file is between the neighbours.
    pub(crate) fn holds(&self, place: Node<'_, '_>) -> bool {
        let start = |(_, new): (Node<'_, '_>, Node<'_, '_>)| new.range().start;
        let place = place.range().start;
        self.previous.is_none_or(|previous| start(previous) < place) && self.next.is_none_or(|next| place < start(next))
    }

    /// What the new version has put there that is none of the `known` elements: it cannot be told what comes first.
    pub(crate) fn contested(&self, parent: Option<Node<'t, 't>>, known: &HashSet<NodeId>) -> Option<Node<'t, 't>> {
        let end = self.next.map(|(_, next)| next);
        // The new version has put the neighbours into another order.
        let is_behind = |next: &Node<'t, 't>| {
            self.previous.is_some_and(|(_, previous)| previous.range().start > next.range().start)
        };
        if let Some(next) = end.filter(is_behind) {
            return Some(next);
        }
        let first = match self.previous {
            Some((_, previous)) => previous.next_sibling_element(),
            None => parent.and_then(|parent| parent.first_element_child()),
        };
        let between = std::iter::successors(first, Node::next_sibling_element).take_while(|node| Some(*node) != end);
        between.filter(|_| self.vacated.is_none()).find(|node| !known.contains(&node.id()))
    }
}

/// The `remove` and `clear` that the new version has put among the children of an element, the last of each.
#[derive(Default)]
pub(crate) struct Taking<'t> {
    /// By the first attribute and its value in small letters.
    removing: HashMap<(&'t str, String), Node<'t, 't>>,
    clearing: Option<Node<'t, 't>>,
}

impl<'t> Taking<'t> {
    /// Those that the old file has as well are where its administrator wants them.
    pub(crate) fn of(parent: Option<Node<'t, 't>>, triples: &[Triple<'t>]) -> Self {
        let of_old: HashSet<NodeId> = triples.iter().filter_map(|child| Some(child.old.and(child.new)?.id())).collect();
        let mut taking = Self::default();
        for node in parent.into_iter().flat_map(elements).filter(|node| !of_old.contains(&node.id())) {
            match (node.tag_name().name(), node.attributes().next()) {
                ("clear", _) => taking.clearing = Some(node),
                ("remove", Some(first)) => {
                    taking.removing.insert((first.name(), first.value().to_ascii_lowercase()), node);
                }
                _ => {}
            }
        }
        taking
    }

    /// The last that takes back an element which stands before it.
    pub(crate) fn last(&self, element: Node<'t, 't>) -> Option<Node<'t, 't>> {
        if matches!(element.tag_name().name(), "remove" | "clear")
            || (self.removing.is_empty() && self.clearing.is_none())
        {
            return None;
        }
        let of = |attribute: Attribute<'t, 't>| {
            self.removing.get(&(attribute.name(), attribute.value().to_ascii_lowercase())).copied()
        };
        let removing = element.attributes().filter_map(of).filter(|remove| takes_back(*remove, element));
        removing.chain(self.clearing).max_by_key(|node| node.range().start)
    }
}

/// The places in the new file of what the administrator removed.
pub(crate) struct Vacated<'t>(HashMap<Option<NodeId>, Node<'t, 't>>);

impl<'t> Vacated<'t> {
    /// Those behind each child of the file as shipped that stayed, the first of each.
    pub(crate) fn of(triples: &[Triple<'t>]) -> Self {
        let mut shipped: Vec<_> = triples.iter().filter_map(|child| Some((child.base?, child))).collect();
        shipped.sort_by_key(|(base, _)| base.range().start);
        let (mut all, mut stayed) = (HashMap::new(), None);
        for (base, child) in shipped {
            match (child.old, child.new) {
                (Some(_), _) => stayed = Some(base.id()),
                (None, Some(new)) if child.is_unique => drop(all.entry(stayed).or_insert(new)),
                _ => {}
            }
        }
        Self(all)
    }

    /// Such a place behind what stayed: the last child of the old file that was shipped.
    pub(crate) fn behind(&self, stayed: Option<Node<'t, 't>>) -> Option<Node<'t, 't>> {
        self.0.get(&stayed.map(|base| base.id())).copied()
    }
}

/// Whether `remove` takes back the other element, if that stands before it.
pub(crate) fn takes_back(remove: Node<'_, '_>, other: Node<'_, '_>) -> bool {
    let is_same = |name: &str, value: &str| other.attribute(name).is_some_and(|it| it.eq_ignore_ascii_case(value));
    !matches!(other.tag_name().name(), "remove" | "clear")
        && remove.attributes().len() > 0
        && remove.attributes().all(|attribute| is_same(attribute.name(), attribute.value()))
}
