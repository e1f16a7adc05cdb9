//! The order of an element's children: who changed it, and what is shown of it.

use super::pairs::{Children, Triple};
use roxmltree::Node;
use std::collections::HashSet;

/// Who changed an order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The old file, and the new one has what was shipped.
    ByOld,
    /// The old file and the new one alike.
    Alike,
    /// Both, each its own way.
    ByBoth,
}

/// Who changed the order, by the places that the children of the old file have in the file as shipped and in the new
/// one.
pub(super) fn order(places: &[(Option<usize>, Option<usize>)]) -> Option<Order> {
    if places.iter().filter_map(|(base, _)| *base).is_sorted() {
        return None;
    }
    let mut common: Vec<(usize, usize)> = places.iter().filter_map(|(base, new)| Some(((*base)?, (*new)?))).collect();
    if common.iter().map(|(_, new)| *new).is_sorted() {
        return Some(Order::Alike);
    }
    common.sort_unstable();
    Some(if common.iter().map(|(_, new)| *new).is_sorted() { Order::ByOld } else { Order::ByBoth })
}

impl<'t> Children<'t> {
    /// Those children that both files have of which the place is not the same in all three, in the orders of the old
    /// file and the new one.
    pub(super) fn orders(&self) -> [String; 2] {
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
