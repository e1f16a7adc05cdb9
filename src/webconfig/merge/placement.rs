//! Where in the new file something belongs that the administrator added: in the place of what was removed from there,
//! behind what it stands behind in the old file, or before what it stands before.

use crate::webconfig::merge::{Rules, Triple};
use crate::webconfig::schema::{collections, sections, validation, wrapper};
use crate::webconfig::text::{children, elements};
use roxmltree::{Attribute, Node, NodeId};
use std::{
    cell::OnceCell,
    collections::{BTreeSet, HashMap, HashSet},
};

/// The same element in the old file and in the new one.
type Pair<'t> = (Node<'t, 't>, Node<'t, 't>);

/// The children of an element, among which others come: what is asked of each of those is looked up once for all.
pub(crate) struct Siblings<'t> {
    parent: Triple<'t>,
    /// By the place of each child: the nearest ones before and behind it that the old file and the new one have.
    previous: Vec<Option<Pair<'t>>>,
    next: Vec<Option<Pair<'t>>>,
    /// By the place of each child: the last one up to there that was shipped and that the administrator has not removed.
    stayed: Vec<Option<NodeId>>,
    /// The first place in the new file of what the administrator removed behind each of those.
    vacated: HashMap<Option<NodeId>, Node<'t, 't>>,
    /// The places of those that the old file and the new one have, by the new one's elements.
    both: HashMap<NodeId, usize>,
    /// The items that the new file alone has, in its order.
    of_new: Vec<Node<'t, 't>>,
    /// The new file's children by each of their attributes.
    said: HashMap<Said<'t>, Vec<Node<'t, 't>>>,
    /// What the new file's children are called.
    tags: HashSet<&'t str>,
    pub(crate) taking: Taking<'t>,
    /// The sections that the new file declares and those that it has.
    given: OnceCell<(HashSet<&'t str>, BTreeSet<String>)>,
    /// The sections that the old file and the new one declare for this parent.
    declared: OnceCell<[HashSet<&'t str>; 2]>,
}

/// An attribute's name, and its value in small letters.
type Said<'t> = (&'t str, String);

fn said<'t>(attribute: Attribute<'t, 't>) -> Said<'t> {
    (attribute.name(), attribute.value().to_ascii_lowercase())
}

impl<'t> Siblings<'t> {
    pub(crate) fn of(parent: Triple<'t>, triples: &[Triple<'t>]) -> Self {
        let pair = |child: &Triple<'t>| child.old.zip(child.new);
        let nearest = |nearest: &mut Option<_>, child| Some(std::mem::replace(nearest, pair(child).or(*nearest)));
        let previous = triples.iter().scan(None, nearest).collect();
        let mut next: Vec<_> = triples.iter().rev().scan(None, nearest).collect();
        next.reverse();
        let last = |last: &mut Option<NodeId>, child: &Triple<'t>| {
            *last = child.old.and(child.base).map(|base| base.id()).or(*last);
            Some(*last)
        };
        let both = |(at, child): (usize, &Triple<'t>)| Some((child.old.and(child.new)?.id(), at));
        let known: HashSet<NodeId> = triples.iter().filter_map(|child| Some(child.new?.id())).collect();
        let mut siblings = Self {
            parent,
            previous,
            next,
            stayed: triples.iter().scan(None, last).collect(),
            vacated: vacated(triples),
            both: triples.iter().enumerate().filter_map(both).collect(),
            of_new: Vec::new(),
            said: HashMap::new(),
            tags: HashSet::new(),
            taking: Taking::default(),
            given: OnceCell::new(),
            declared: OnceCell::new(),
        };
        for node in parent.new.into_iter().flat_map(elements) {
            siblings.tags.insert(node.tag_name().name());
            let is_of_new = !known.contains(&node.id()) && !collections::takes_back(node.tag_name().name());
            siblings.of_new.extend(is_of_new.then_some(node));
            // Those that the old file has as well are where its administrator wants them.
            if !siblings.both.contains_key(&node.id()) {
                siblings.taking.put(node);
            }
            node.attributes().for_each(|it| siblings.said.entry(said(it)).or_default().push(node));
        }
        siblings
    }

    /// Where the child at this place belongs. Where the first item that fits decides, it may be contested.
    pub(crate) fn around(&self, at: usize, is_ordered: bool) -> Around<'_, 't> {
        let (previous, next) = (self.previous[at], self.next[at]);
        let mut around = Around { siblings: self, at, previous, next, vacated: None, is_contested: false };
        around.vacated = self.vacated.get(&self.stayed[at]).copied().filter(|place| around.holds(*place));
        if is_ordered && let Some(place) = around.contested() {
            around.vacated = around.vacated.or(Some(place));
            around.is_contested = true;
        }
        around
    }

    /// Whether the new file has a child of that tag.
    pub(crate) fn has(&self, tag: &str) -> bool {
        self.tags.contains(tag)
    }

    /// Whether the new file has one of the sections in a `location` of the old one that is no place of its own.
    pub(crate) fn is_given(&self, location: Node<'t, 't>) -> bool {
        let Some(root) = self.parent.new.filter(|_| wrapper::is_of_root(location)) else { return false };
        let (declared, given) = self.given.get_or_init(|| {
            let declared = validation::declared(root);
            let given = validation::places_of_root(root).flat_map(|place| validation::sections_in(place, &declared));
            let given = given.collect();
            (declared, given)
        });
        !validation::sections_in(location, declared).is_disjoint(given)
    }

    /// Whether the new file is without the declaration of a section: the old one has it, or nobody is known to have.
    pub(crate) fn is_undeclared(&self, section: &str, rules: &Rules) -> bool {
        let declared = || [self.parent.old, self.parent.new].map(|place| place.map(declared_for).unwrap_or_default());
        let [old, new] = self.declared.get_or_init(declared);
        let around = self.parent.new.map(groups_around).unwrap_or_default();
        let path = around.iter().map(|group| group.tag_name().name()).chain([section]).collect::<Vec<_>>().join("/");
        !new.contains(section)
            && !rules.declared_above.contains(&path)
            && (old.contains(section) || !sections::may_be_known(&path))
    }
}

/// The groups around the children of an element, from the outermost one.
fn groups_around<'t>(place: Node<'t, 't>) -> Vec<Node<'t, 't>> {
    let is_group = |node: &Node<'_, '_>| node.is_element() && node.tag_name().name() != "location";
    let mut around: Vec<_> = place.ancestors().filter(is_group).collect();
    around.pop();
    around.reverse();
    around
}

/// The sections that a file declares for the children of one of its elements.
fn declared_for<'t>(place: Node<'t, 't>) -> HashSet<&'t str> {
    let mut declarations: Vec<_> = children(place.document().root_element(), "configSections").collect();
    for group in groups_around(place) {
        let named = |node: &Node<'_, '_>| node.attribute("name") == Some(group.tag_name().name());
        declarations = declarations.into_iter().flat_map(elements).filter(named).collect();
    }
    declarations.into_iter().flat_map(elements).filter_map(|declared| declared.attribute("name")).collect()
}

/// The first place in the new file of what the administrator removed behind each child of the file as shipped that
/// stayed.
fn vacated<'t>(triples: &[Triple<'t>]) -> HashMap<Option<NodeId>, Node<'t, 't>> {
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
    all
}

/// Where an element of the old file stands among its siblings there.
pub(crate) struct Around<'a, 't> {
    pub(crate) siblings: &'a Siblings<'t>,
    at: usize,
    /// The nearest ones before and behind it that the new file has as well.
    pub(crate) previous: Option<Pair<'t>>,
    pub(crate) next: Option<Pair<'t>>,
    /// Where in the new file something stands that was removed from this place in the old one.
    pub(crate) vacated: Option<Node<'t, 't>>,
    /// The new version has put something else there.
    pub(crate) is_contested: bool,
}

impl<'t> Around<'_, 't> {
    /// Whether a place of the new file is between the neighbors.
    pub(crate) fn holds(&self, place: Node<'_, '_>) -> bool {
        let start = |(_, new): Pair<'_>| new.range().start;
        let place = place.range().start;
        self.previous.is_none_or(|previous| start(previous) < place) && self.next.is_none_or(|next| place < start(next))
    }

    /// What the new version has put there that none of the others has: it cannot be told what comes first.
    fn contested(&self) -> Option<Node<'t, 't>> {
        let start = |node: Node<'_, '_>| node.range().start;
        let (previous, end) = (self.previous.map(|(_, new)| new), self.next.map(|(_, new)| new));
        // The new version has put the neighbors into another order.
        if let Some(next) = end.filter(|next| previous.is_some_and(|previous| start(previous) > start(*next))) {
            return Some(next);
        }
        let behind = previous.map_or(0, |previous| previous.range().end);
        let first = self.siblings.of_new.partition_point(|node| start(*node) < behind);
        let first = self.siblings.of_new.get(first).copied().filter(|_| self.vacated.is_none());
        first.filter(|first| end.is_none_or(|end| start(*first) < start(end)))
    }

    /// Whether it is the first of the old file's children.
    pub(crate) fn is_first(&self) -> bool {
        self.at == 0
    }

    /// The first of the new file's items that a `remove` takes back and that does not stand before it in the old file.
    pub(crate) fn taken_back(&self, remove: Node<'t, 't>) -> Option<Node<'t, 't>> {
        let all = remove.attributes().map(|it| self.siblings.said.get(&said(it)).map_or(&[][..], Vec::as_slice));
        let first = all.min_by_key(|all| all.len())?.iter().find(|other| takes_back(remove, **other)).copied();
        first.filter(|first| self.siblings.both.get(&first.id()).is_none_or(|at| *at > self.at))
    }
}

/// The `remove` and `clear` that the new version has put among the children of an element, the last of each.
#[derive(Default)]
pub(crate) struct Taking<'t> {
    /// By the first attribute and its value in small letters.
    removing: HashMap<Said<'t>, Node<'t, 't>>,
    clearing: Option<Node<'t, 't>>,
}

impl<'t> Taking<'t> {
    fn put(&mut self, node: Node<'t, 't>) {
        match (node.tag_name().name(), node.attributes().next()) {
            ("clear", _) => self.clearing = Some(node),
            ("remove", Some(first)) => drop(self.removing.insert(said(first), node)),
            _ => {}
        }
    }

    /// The last that takes back an element which stands before it.
    pub(crate) fn last(&self, element: Node<'t, 't>) -> Option<Node<'t, 't>> {
        if matches!(element.tag_name().name(), "remove" | "clear")
            || (self.removing.is_empty() && self.clearing.is_none())
        {
            return None;
        }
        let of = |attribute: Attribute<'t, 't>| self.removing.get(&said(attribute)).copied();
        let removing = element.attributes().filter_map(of).filter(|remove| takes_back(*remove, element));
        removing.chain(self.clearing).max_by_key(|node| node.range().start)
    }
}

/// Whether `remove` takes back the other element, if that stands before it.
pub(crate) fn takes_back(remove: Node<'_, '_>, other: Node<'_, '_>) -> bool {
    let is_same = |name: &str, value: &str| other.attribute(name).is_some_and(|it| it.eq_ignore_ascii_case(value));
    !matches!(other.tag_name().name(), "remove" | "clear")
        && remove.attributes().len() > 0
        && remove.attributes().all(|attribute| is_same(attribute.name(), attribute.value()))
}
