//! Elements of several files that mean the same: matched by name and by what names them in their parent.

use crate::webconfig::merge::Triple;
use crate::webconfig::merge::naming::Tags;
use crate::webconfig::redact::mask;
use crate::webconfig::schema::collections::{Key, Step, by_attributes, step, without_version};
use crate::webconfig::text::{elements, same, text};
use roxmltree::{Attribute, Node};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

/// What an element says itself in the old file, in the file as shipped and in the new one, where that is anything.
pub(crate) type Texts = [Option<String>; 3];

/// What an element says itself in each of the files.
pub(crate) fn texts(element: Triple<'_>) -> Texts {
    element.all().map(|node| node.map(text).filter(|text| !text.is_empty()))
}

/// The children of an element.
pub(crate) struct Children<'t> {
    /// Those that the old file or the file as shipped has, in the old file's order, each with its counterparts.
    pub(crate) triples: Vec<Triple<'t>>,
    /// What became of the order of those that all files have; `None` where it is as it was shipped.
    pub(crate) order: Option<Order>,
    called: Vec<Id>,
    names: Names<'t>,
}

impl<'t> Children<'t> {
    /// What the child of `triples` at this place is called.
    pub(crate) fn step(&self, at: usize) -> String {
        self.names.all[self.called[at]].to_string()
    }
}

/// A name, by its place in [`Names`].
type Id = usize;

/// Everything that the children of any of the files are called, each once.
#[derive(Default)]
struct Names<'t> {
    all: Vec<Step<'t>>,
    ids: HashMap<Key<'t>, Id>,
}

impl<'t> Names<'t> {
    /// A name that may be new.
    fn id(&mut self, step: Step<'t>) -> Id {
        let id = *self.ids.entry(step.key()).or_insert(self.all.len());
        if id == self.all.len() {
            self.all.push(step);
        }
        id
    }

    /// The name that has this number among those that are called like `id`.
    fn numbered(&self, id: Id, number: usize) -> Option<Id> {
        self.ids.get(&Step { number, ..self.all[id].clone() }.key()).copied()
    }
}

/// The children of one file: what they are called, in order, and where each is.
#[derive(Default)]
struct Side<'t> {
    all: Vec<(Id, Node<'t, 't>)>,
    /// By name.
    places: HashMap<Id, usize>,
    /// How many are called alike, where that is more than one, by the first of them.
    counts: HashMap<Id, usize>,
}

/// Matches the children. Elements called one of `skip` are left out.
pub(crate) fn children<'t>(parent: Triple<'t>, skip: &[&str]) -> Children<'t> {
    let mut tags = Tags::of(parent, skip);
    let (mut names, mut sides) = sides(parent, skip, &tags);
    if sides.iter().any(|side| !side.counts.is_empty()) {
        let shared = sides.iter().flat_map(|side| side.counts.keys());
        tags.shared = shared.map(|id| names.all[*id].key()).collect();
        tags.is_secret = parent.all().into_iter().flatten().any(|side| side.ancestors().any(mask::is_secrets));
        (names, sides) = self::sides(parent, skip, &tags);
    }
    let [mut old, base, mut new] = sides;
    adopt(&names, &tags, &mut old, &base, &mut new);
    let doubtful = doubtful(&names, &old, &base, &new);
    let is_doubtful =
        |id: Id| !doubtful.is_empty() && names.numbered(id, 1).is_some_and(|first| doubtful.contains(&first));
    let places: Vec<_> = old.all.iter().map(|(id, _)| (base.place(*id), new.place(*id))).collect();
    let order = order(&places);
    let in_old: HashSet<usize> = places.iter().filter_map(|(at, _)| *at).collect();
    let (mut triples, mut called) = (Vec::new(), Vec::new());
    let mut add = |id: Id, old: Option<Node<'t, 't>>, of_base: Option<usize>, of_new: Option<usize>| {
        let (base, new) = (of_base.map(|at| base.all[at].1), of_new.map(|at| new.all[at].1));
        triples.push(Triple { old, base, new, is_unique: parent.is_unique && !is_doubtful(id) });
        called.push(id);
    };
    for ((id, node), (of_base, of_new)) in old.all.iter().zip(places) {
        add(*id, Some(*node), of_base, of_new);
    }
    for (at, (id, _)) in base.all.iter().enumerate().filter(|(at, _)| !in_old.contains(at)) {
        add(*id, None, Some(at), new.place(*id));
    }
    Children { triples, order, called, names }
}

/// The children of all three files.
fn sides<'t>(parent: Triple<'t>, skip: &[&str], tags: &Tags<'t>) -> (Names<'t>, [Side<'t>; 3]) {
    let mut names = Names::default();
    // A name that all files have is told as the file as shipped has it.
    let [base, old, new] = [parent.base, parent.old, parent.new].map(|parent| Side::of(parent, skip, tags, &mut names));
    (names, [old, base, new])
}

/// Children of which something was changed get the name that they have in the file as shipped. What both files have
/// alike is the same in both, or it is something else.
fn adopt<'t>(names: &Names<'t>, tags: &Tags<'t>, old: &mut Side<'t>, base: &Side<'t>, new: &mut Side<'t>) {
    let (of_old, of_new) = (old.changed(base, names, tags), new.changed(base, names, tags));
    let agreed = |side: &Side<'t>, of_side: &[(usize, Id)], other: &Side<'t>, of_other: &[(usize, Id)]| {
        let is_agreed = |(at, to): &&(usize, Id)| {
            let id = side.all[*at].0;
            let is_same = |(at, other_to): &(usize, Id)| other.all[*at].0 == id && other_to == to;
            other.place(id).is_none() || of_other.iter().any(is_same)
        };
        of_side.iter().filter(is_agreed).copied().collect::<Vec<_>>()
    };
    let (for_old, for_new) = (agreed(old, &of_old, new, &of_new), agreed(new, &of_new, old, &of_old));
    for_old.into_iter().for_each(|(at, id)| old.rename(at, id));
    for_new.into_iter().for_each(|(at, id)| new.rename(at, id));
}

impl<'t> Side<'t> {
    fn of(parent: Option<Node<'t, 't>>, skip: &[&str], tags: &Tags<'t>, names: &mut Names<'t>) -> Self {
        let mut side = Self::default();
        let Some(parent) = parent else { return side };
        for node in elements(parent).filter(|node| !skip.contains(&node.tag_name().name())) {
            let step = tags.step(node, parent);
            let mut id = names.id(step.clone());
            if side.place(id).is_some() {
                let number = side.counts.entry(id).or_insert(1);
                *number += 1;
                id = names.id(Step { number: *number, ..step });
            }
            side.places.insert(id, side.all.len());
            side.all.push((id, node));
        }
        side
    }

    /// Children that are called by all they say, and are called otherwise than in `base` because something of it was
    /// changed, each with its name there.
    fn changed(&self, base: &Self, names: &Names<'t>, tags: &Tags<'t>) -> Vec<(usize, Id)> {
        // Each is compared with each.
        const MOST: usize = 64;
        let is_described = |(id, node): &(Id, Node<'t, 't>)| {
            let name = &names.all[*id].name;
            let is_it = |said: Option<String>| *name == said.map(Cow::Owned);
            name.is_some() && (is_it(by_attributes(*node)) || is_it(tags.by_all(*node)))
        };
        let left = |one: &Self, other: &Self| -> Vec<usize> {
            let is_left = |at: &usize| other.place(one.all[*at].0).is_none() && is_described(&one.all[*at]);
            (0..one.all.len()).filter(is_left).take(MOST + 1).collect()
        };
        let gone = left(base, self);
        let come = if gone.is_empty() || gone.len() > MOST { Vec::new() } else { left(self, base) };
        if come.len() > MOST {
            return Vec::new();
        }
        let only = |of: &mut dyn Iterator<Item = usize>| of.next().filter(|_| of.next().is_none());
        let pair = |at: usize, is_it: fn(Node<'t, 't>, Node<'t, 't>) -> bool| {
            let is_it = |at: usize, of_base: usize| is_it(self.all[at].1, base.all[of_base].1);
            let of_base = only(&mut gone.iter().copied().filter(|of_base| is_it(at, *of_base)))?;
            only(&mut come.iter().copied().filter(|at| is_it(*at, of_base)))?;
            Some((at, base.all[of_base].0))
        };
        come.iter().filter_map(|at| pair(*at, alike).or_else(|| pair(*at, namesakes))).collect()
    }

    fn rename(&mut self, at: usize, id: Id) {
        self.places.remove(&self.all[at].0);
        self.all[at].0 = id;
        self.places.insert(id, at);
    }

    /// Where a child is.
    fn place(&self, id: Id) -> Option<usize> {
        self.places.get(&id).copied()
    }
}

/// Names that several children have, of which it cannot be told which is which. Where the new version has left all of
/// them as they were, and nobody has added or removed any, their places tell.
fn doubtful<'t>(names: &Names<'t>, old: &Side<'t>, base: &Side<'t>, new: &Side<'t>) -> HashSet<Id> {
    let several = [old, base, new].into_iter().flat_map(|side| side.counts.keys().copied());
    let is_doubtful = |id: &Id| {
        let count = |side: &Side<'t>| match side.counts.get(id) {
            Some(count) => *count,
            None => usize::from(side.place(*id).is_some()),
        };
        if count(old) != count(base) || count(base) != count(new) {
            return true;
        }
        !(1..=count(base)).all(|number| {
            let numbered = names.numbered(*id, number);
            let node = |side: &Side<'t>| numbered.and_then(|id| side.place(id)).map(|at| side.all[at].1);
            matches!((node(base), node(new)), (Some(base), Some(new)) if same(base, new, &|_, _| false))
        })
    };
    several.filter(is_doubtful).collect()
}

/// Who changed an order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The old file, and the new one has what was shipped.
    ByOld,
    /// The old file and the new one alike.
    Alike,
    /// Both, each its own way.
    ByBoth,
}

/// Who changed the order, by the places that the children of the old file have in the file as shipped and in the new
/// one.
pub(crate) fn order(places: &[(Option<usize>, Option<usize>)]) -> Option<Order> {
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

/// Whether two elements have more in common than not, versions aside.
fn alike(one: Node<'_, '_>, other: Node<'_, '_>) -> bool {
    let is_same = |one: Attribute<'_, '_>, other: Attribute<'_, '_>| {
        let name = |it: &Attribute<'_, '_>| it.namespace() == one.namespace() && it.name() == one.name();
        name(&other) && without_version(one.value()) == without_version(other.value())
    };
    let same = one.attributes().filter(|it| other.attributes().any(|other| is_same(*it, other))).count();
    let (text, other_text) = (text(one), text(other));
    let has_text = usize::from(!text.is_empty() || !other_text.is_empty());
    let same = same + if text == other_text { has_text } else { 0 };
    one.tag_name() == other.tag_name() && same * 2 > one.attributes().len().max(other.attributes().len()) + has_text
}

/// Whether two elements have one name.
fn namesakes(one: Node<'_, '_>, other: Node<'_, '_>) -> bool {
    let name = step(one);
    one.tag_name() == other.tag_name() && name != one.tag_name().name() && name == step(other)
}
