//! Elements of several files that mean the same: matched by name and by what names them in their parent.

use super::{
    document::{elements, markup, text_of},
    mask,
    order::{Order, order},
    step::{Step, Tags, by_attributes, holds_sections, is_item, name_of, without_version},
};
use indexmap::IndexSet;
use roxmltree::{Attribute, Node};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

/// The same element in the old file, the file as shipped and the new file.
#[derive(Clone, Copy)]
pub(super) struct Triple<'t> {
    pub(super) old: Option<Node<'t, 't>>,
    pub(super) base: Option<Node<'t, 't>>,
    pub(super) new: Option<Node<'t, 't>>,
    /// It is beyond doubt that these are the same.
    pub(super) is_unique: bool,
}

impl<'t> Triple<'t> {
    pub(super) fn all(self) -> [Option<Node<'t, 't>>; 3] {
        [self.old, self.base, self.new]
    }
}

/// The children of an element.
#[derive(Default)]
pub(super) struct Children<'t> {
    /// Those that the old file or the file as shipped has, in the old file's order, each with its counterparts.
    pub(super) triples: Vec<Triple<'t>>,
    /// The places of those among them that may be otherwise than they were shipped.
    pub(super) changed: Vec<usize>,
    /// What became of the order of those that all files have; `None` where it is as it was shipped.
    pub(super) order: Option<Order>,
    /// Which of the files have children there and nothing but blanks between them.
    pub(super) bare: [bool; 3],
    called: Vec<Id>,
    known: Known<'t>,
    is_known_again: bool,
}

/// What the children of the old file and those of the file as shipped are called among themselves. With another new
/// file they are called the same.
#[derive(Default)]
pub(super) struct Known<'t> {
    names: Names<'t>,
    old: Side<'t>,
    base: Side<'t>,
}

impl<'t> Children<'t> {
    /// What the child of `triples` at this place is called.
    pub(super) fn step(&self, at: usize) -> String {
        self.known.names.0[self.called[at]].to_string()
    }

    /// What can be used again with another new file; `None` where the new file had a say in it.
    pub(super) fn into_known(self) -> Option<Known<'t>> {
        self.is_known_again.then_some(self.known)
    }
}

/// A name, by its place in [`Names`].
type Id = usize;

/// Everything that the children of any of the files are called, each once.
#[derive(Default)]
struct Names<'t>(IndexSet<Step<'t>, foldhash::fast::RandomState>);

impl<'t> Names<'t> {
    /// A name that may be new.
    fn id(&mut self, step: Step<'t>) -> Id {
        self.0.insert_full(step).0
    }

    /// The name that has this number among those that are called like `id`.
    fn numbered(&self, id: Id, number: usize) -> Option<Id> {
        self.0.get_index_of(&Step { number, ..self.0[id].clone() })
    }
}

/// The children of one file: what they are called, in order, and where each is.
#[derive(Default)]
struct Side<'t> {
    all: Vec<(Id, Node<'t, 't>)>,
    /// The places of those that are not letter by letter in the file that it was compared with.
    own: Vec<usize>,
    /// By name; [`NOWHERE`], or nothing, where none is called so.
    places: Vec<usize>,
    /// How many are called alike, where that is more than one, by the first of them.
    counts: HashMap<Id, usize>,
    has_children: bool,
    /// There is more than blanks between the children.
    has_text: bool,
    /// Not all children are items.
    has_others: bool,
}

const NOWHERE: usize = usize::MAX;

/// Matches the children. Elements called one of `skip` are left out.
pub(super) fn children<'t>(parent: Triple<'t>, skip: &[&str]) -> Children<'t> {
    children_of(parent, skip, None)
}

/// [`children`] of a parent of which something may be known from another new file.
pub(super) fn children_of<'t>(parent: Triple<'t>, skip: &[&str], known: Option<Known<'t>>) -> Children<'t> {
    // Items go by what they say themselves. Where all seem to be items, that is tried before more is looked at.
    let is_item_first =
        |node: Node<'_, '_>| elements(node).next().is_some_and(|child| is_item(child.tag_name().name()));
    let seem_items = parent.all().into_iter().flatten().all(is_item_first);
    let mut tags = if seem_items { Tags::default() } else { Tags::of(parent, skip) };
    let mut is_known_again = seem_items;
    let (mut names, mut sides) = sides(parent, skip, &tags, known.filter(|_| seem_items));
    if seem_items && sides.iter().any(|side| side.has_others) {
        tags = Tags::of(parent, skip);
        is_known_again = false;
        (names, sides) = self::sides(parent, skip, &tags, None);
    }
    if sides.iter().any(|side| !side.counts.is_empty()) {
        let shared = sides.iter().flat_map(|side| side.counts.keys());
        tags.shared = shared.map(|id| names.0[*id].clone()).collect();
        tags.is_secret = parent.all().into_iter().flatten().any(|side| side.ancestors().any(mask::is_secrets));
        is_known_again = false;
        (names, sides) = self::sides(parent, skip, &tags, None);
    }
    let [mut old, base, mut new] = sides;
    is_known_again &= !adopt(&names, &tags, &mut old, &base, &mut new);
    let doubtful = doubtful(&names, &old, &base, &new);
    let is_doubtful =
        |id: Id| !doubtful.is_empty() && names.numbered(id, 1).is_some_and(|first| doubtful.contains(&first));
    let places: Vec<_> = old.all.iter().map(|(id, _)| (base.place(*id), new.place(*id))).collect();
    let order = order(&places);
    let mut is_in_old = vec![false; base.all.len()];
    places.iter().filter_map(|(at, _)| *at).for_each(|at| is_in_old[at] = true);
    let count = places.len() + is_in_old.iter().filter(|is_in_old| !**is_in_old).count();
    let (mut triples, mut called) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut add = |id: Id, old: Option<Node<'t, 't>>, of_base: Option<usize>, of_new: Option<usize>| {
        let (base, new) = (of_base.map(|at| base.all[at].1), of_new.map(|at| new.all[at].1));
        triples.push(Triple { old, base, new, is_unique: parent.is_unique && !is_doubtful(id) });
        called.push(id);
    };
    for ((id, node), (of_base, of_new)) in old.all.iter().zip(places) {
        add(*id, Some(*node), of_base, of_new);
    }
    for (at, (id, _)) in base.all.iter().enumerate().filter(|(at, _)| !is_in_old[*at]) {
        add(*id, None, Some(at), new.place(*id));
    }
    let bare = [&old, &base, &new].map(|side| side.has_children && !side.has_text);
    let changed = old.own.iter().copied().chain(old.all.len()..triples.len()).collect();
    Children { triples, changed, order, bare, called, known: Known { names, old, base }, is_known_again }
}

/// The children of all three files. Most have the same name in each, in the same order.
fn sides<'t>(
    parent: Triple<'t>,
    skip: &[&str],
    tags: &Tags<'t>,
    known: Option<Known<'t>>,
) -> (Names<'t>, [Side<'t>; 3]) {
    let Known { mut names, old, base } = known.unwrap_or_else(|| {
        let first = parent.base.or(parent.old);
        let count = first.into_iter().flat_map(elements).count();
        let mut names = Names(IndexSet::with_capacity_and_hasher(count, Default::default()));
        let base = Side::of(parent.base, skip, tags, &mut names, &Side::default());
        let old = Side::of(parent.old, skip, tags, &mut names, &base);
        Known { names, old, base }
    });
    let new = Side::of(parent.new, skip, tags, &mut names, if parent.base.is_some() { &base } else { &old });
    (names, [old, base, new])
}

/// Children of which something was changed get the name that they have in the file as shipped. What both files have
/// alike is the same in both, or it is something else. True where that renames any of the old file's.
fn adopt<'t>(names: &Names<'t>, tags: &Tags<'t>, old: &mut Side<'t>, base: &Side<'t>, new: &mut Side<'t>) -> bool {
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
    let is_renamed = !for_old.is_empty();
    for_old.into_iter().for_each(|(at, id)| old.rename(at, id));
    for_new.into_iter().for_each(|(at, id)| new.rename(at, id));
    is_renamed
}

impl<'t> Side<'t> {
    /// Most of the children are those of `like`, letter by letter and in the same order.
    fn of(parent: Option<Node<'t, 't>>, skip: &[&str], tags: &Tags<'t>, names: &mut Names<'t>, like: &Self) -> Self {
        let count = parent.map_or(0, |_| names.0.capacity());
        let (mut side, mut near) = (Self { all: Vec::with_capacity(count), ..Self::default() }, 0);
        side.places.resize(names.0.len(), NOWHERE);
        let sections = parent.is_some_and(holds_sections);
        for node in parent.into_iter().flat_map(|parent| parent.children()) {
            side.has_text |= node.is_text() && !node.text().is_none_or(is_blank);
            if !node.is_element() {
                continue;
            }
            side.has_children = true;
            if !skip.is_empty() && skip.contains(&node.tag_name().name()) {
                continue;
            }
            let is_twin = |(id, twin): &&(Id, Node<'t, 't>)| markup(*twin) == markup(node) && names.0[*id].number == 1;
            let twin = like.all.get(near).filter(is_twin);
            let mut id = match twin {
                Some((id, _)) => *id,
                None => names.id(tags.step(node, sections)),
            };
            side.has_others |= twin.is_none() && !is_item(names.0[id].tag);
            let is_repeated = side.place(id).is_some();
            if is_repeated || twin.is_none() {
                side.own.push(side.all.len());
            }
            if is_repeated {
                let number = side.counts.entry(id).or_insert(1);
                *number += 1;
                id = names.id(Step { number: *number, ..tags.step(node, sections) });
            }
            near = like.place(id).map_or(near, |at| at + 1);
            side.put(id, side.all.len());
            side.all.push((id, node));
        }
        side
    }

    fn put(&mut self, id: Id, at: usize) {
        if id >= self.places.len() {
            self.places.resize(id + 1, NOWHERE);
        }
        self.places[id] = at;
    }

    /// Children that are called by all they say, and are called otherwise than in `base` because something of it was
    /// changed, each with its name there.
    fn changed(&self, base: &Self, names: &Names<'t>, tags: &Tags<'t>) -> Vec<(usize, Id)> {
        // Each is compared with each.
        const MOST: usize = 64;
        let is_described = |(id, node): &(Id, Node<'t, 't>)| {
            let name = &names.0[*id].name;
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
        self.places[self.all[at].0] = NOWHERE;
        self.all[at].0 = id;
        self.put(id, at);
    }

    /// Where a child is.
    fn place(&self, id: Id) -> Option<usize> {
        self.places.get(id).copied().filter(|at| *at != NOWHERE)
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

/// True for elements that have more in common than not, versions aside.
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

/// True for elements of one name.
fn namesakes(one: Node<'_, '_>, other: Node<'_, '_>) -> bool {
    let name = name_of(one, false);
    one.tag_name() == other.tag_name() && name.is_some() && name == name_of(other, false)
}

/// An element's own text: exact where it is a setting's value, otherwise without the space around it.
pub(super) fn text(node: Node<'_, '_>) -> String {
    if node.tag_name().name() == "value" && elements(node).next().is_none() {
        return text_of(node);
    }
    if node.children().filter(Node::is_text).all(|child| child.text().is_none_or(is_blank)) {
        String::new()
    } else {
        text_of(node).trim().to_owned()
    }
}

/// Most of the text of a file is what its elements are laid out with.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_whitespace()) || text.trim().is_empty()
}

/// True where two elements say the same, comments and space aside. Attributes for which `skip` holds do not count.
pub(super) fn same(one: Node<'_, '_>, other: Node<'_, '_>, skip: &impl Fn(Node<'_, '_>, &str) -> bool) -> bool {
    fn said<'a>(
        node: Node<'a, '_>,
        skip: &impl Fn(Node<'_, '_>, &str) -> bool,
    ) -> HashSet<(Option<&'a str>, &'a str, &'a str)> {
        let counted = node.attributes().filter(|attribute| !skip(node, attribute.name()));
        counted.map(|attribute| (attribute.namespace(), attribute.name(), attribute.value())).collect()
    }
    one.tag_name().name() == other.tag_name().name()
        && said(one, skip) == said(other, skip)
        && text(one) == text(other)
        && elements(one).count() == elements(other).count()
        && elements(one).zip(elements(other)).all(|(one, other)| same(one, other, skip))
}
