//! The order of an element's children: who changed it, and what is shown of it.

use crate::webconfig::Shown;
use crate::webconfig::merge::matching::{Children, Order};
use crate::webconfig::merge::placement::Taking;
use crate::webconfig::merge::reasons::DOUBT;
use crate::webconfig::merge::walk::Walk;
use crate::webconfig::merge::{Change, Fate, Triple, refused};
use crate::webconfig::schema::collections;
use crate::webconfig::text::{beside, elements};
use roxmltree::{Node, NodeId};
use std::collections::HashSet;

impl<'t> Children<'t> {
    /// Those children that both files have of which the place is not the same in all three, in the orders of the old
    /// file and the new one.
    pub(crate) fn orders(&self) -> [String; 2] {
        type Side<'t> = fn(&Triple<'t>) -> Option<Node<'t, 't>>;
        let order = |of: Side<'t>, with: Side<'t>| {
            let there = self.triples.iter().enumerate().filter(|(_, child)| with(child).is_some());
            let mut all: Vec<_> = there.filter_map(|(at, child)| Some((of(child)?.range().start, at))).collect();
            all.sort_unstable();
            all.into_iter().map(|(_, at)| at).collect::<Vec<_>>()
        };
        let moved = |other: Side<'t>| {
            let places = order(|child| child.old, other).into_iter().zip(order(other, other));
            places.filter(|(old, other)| old != other).flat_map(|(old, other)| [old, other]).collect::<HashSet<_>>()
        };
        let (of_new, of_base): (Side<'t>, Side<'t>) =
            (|child| child.old.and(child.new), |child| child.old.and(child.new).and(child.base));
        let both = &moved(of_new) | &moved(of_base);
        let [old, new] = match both.is_empty() {
            false => [order(|child| child.old, of_new), order(of_new, of_new)],
            // The new file has not enough of them to have an order.
            true => [(); 2].map(|()| order(|child| child.old, |child| child.old.and(child.base))),
        };
        let [old, new] = [old, new].map(|mut all| {
            all.retain(|at| both.is_empty() || both.contains(at));
            all
        });
        // What both begin with tells nothing, and there may be too many to show all.
        let alike = if old == new { 0 } else { old.iter().zip(&new).take_while(|(old, new)| old == new).count() };
        [old, new].map(|places| {
            const MANY: usize = 10;
            let mut names: Vec<_> = places.iter().skip(alike).take(MANY).map(|at| self.step(*at)).collect();
            names.extend((places.len() > alike + MANY).then(|| "...".to_owned()));
            names.join(", ")
        })
    }
}

const TAKEN_BACK: &str = "the new version removes items of this list (remove or clear); put them in order manually";

impl<'t> Walk<'_, 't> {
    /// Children that stand in another order than they were shipped in.
    pub(crate) fn order(&mut self, order: Order, parent: Triple<'t>, children: &Children<'t>, taking: &Taking<'t>) {
        let triples = &children.triples;
        let path = self.here("/(order)");
        let is_doubtful = || triples.iter().any(|child| child.old.is_some() && child.new.is_some() && !child.is_unique);
        // What is moved must not come before what the new version takes it back with.
        let is_taken_back =
            || triples.iter().any(|child| child.new.and(child.old).is_some_and(|old| taking.last(old).is_some()));
        // Nor may it come to the other side of a rule of the new version's unasked.
        let is_contested = || {
            triples.iter().filter_map(|child| child.old).any(collections::is_ordered)
                && has_more_between(parent, triples)
        };
        let is_by_both = order == Order::ByBoth || (order == Order::ByOld && is_contested());
        let new = if order == Order::Alike { "old" } else { "new" };
        let base = if is_by_both { "base" } else { "new" };
        let fate = self.decide([Some("old"), Some(base), Some(new)], &path, || {
            refused(&[(is_doubtful(), DOUBT), (is_taken_back(), TAKEN_BACK)])
        });
        let has_order = triples.iter().filter(|child| child.old.and(child.new).is_some()).nth(1).is_some();
        let fate = match fate {
            Fate::AlreadySo if !has_order => {
                Fate::Superseded { why: "the new version no longer has what was put in order".to_owned() }
            }
            fate => fate,
        };
        if fate.carries() && !self.is_replaced {
            self.reorder(triples);
        }
        let [old, new] = children.orders().map(Shown::Plain);
        self.draft.change(Change::of(path, old, new, fate));
    }

    /// The elements that both files have change places: the places stay, and so does all between them.
    fn reorder(&mut self, triples: &[Triple<'t>]) {
        for (place, node) in moves(triples) {
            self.draft.moved(beside::extent(place), beside::extent(node));
        }
    }
}

/// The places in the new file that get another element, and which.
fn moves<'t>(triples: &[Triple<'t>]) -> Vec<(Node<'t, 't>, Node<'t, 't>)> {
    let wanted: Vec<Node<'t, 't>> = triples.iter().filter_map(|child| child.old.and(child.new)).collect();
    let mut places = wanted.clone();
    places.sort_by_key(|node| node.range().start);
    places.into_iter().zip(wanted).filter(|(place, node)| place != node).collect()
}

/// Whether the new version has something that the others have not between what is moved.
fn has_more_between<'t>(parent: Triple<'t>, triples: &[Triple<'t>]) -> bool {
    let known: HashSet<NodeId> = triples.iter().filter_map(|child| Some(child.new?.id())).collect();
    let moves = moves(triples);
    let (Some((first, _)), Some((last, _)), Some(new)) = (moves.first(), moves.last(), parent.new) else {
        return false;
    };
    let between = first.range().end..last.range().start;
    elements(new).any(|node| between.contains(&node.range().start) && !known.contains(&node.id()))
}
