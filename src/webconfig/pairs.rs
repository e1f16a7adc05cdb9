//! Elements of several files that mean the same: matched by name and by what names them in their parent.

use super::document::{elements, text_of};
use crate::secret::{holds_secret, is_secret};
use roxmltree::{Attribute, Node};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet, hash_map::Entry},
    fmt,
    hash::{Hash, Hasher},
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
    fn all(self) -> [Option<Node<'t, 't>>; 3] {
        [self.old, self.base, self.new]
    }
}

/// The children of an element.
pub(super) struct Children<'t> {
    /// Those that the old file or the file as shipped has, in the old file's order, each with its counterparts.
    pub(super) triples: Vec<(Step<'t>, Triple<'t>)>,
    /// What became of the order of those that all files have; `None` where it is as it was shipped.
    pub(super) order: Option<Order>,
}

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

/// What a child is called in its parent: `tag`, or `tag[what names it]`, and a number for those called alike. Names
/// compare without case, as nearly all collections of ASP.NET and IIS do.
#[derive(Clone)]
pub(super) struct Step<'t> {
    tag: &'t str,
    name: Option<Cow<'t, str>>,
    /// From 1; the second and later ones of the same name are told apart by their place only.
    number: usize,
}

impl PartialEq for Step<'_> {
    fn eq(&self, other: &Self) -> bool {
        let is_same_name = match (&self.name, &other.name) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            (one, other) => one.is_none() && other.is_none(),
        };
        is_same_name && (self.tag, self.number) == (other.tag, other.number)
    }
}

impl Eq for Step<'_> {}

impl Hash for Step<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.tag, self.number, self.name.is_some()).hash(state);
        self.name.iter().flat_map(|name| name.bytes()).for_each(|byte| state.write_u8(byte.to_ascii_lowercase()));
    }
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag)?;
        self.name.iter().try_for_each(|name| write!(f, "[{name}]"))?;
        if self.number > 1 { write!(f, "#{}", self.number) } else { Ok(()) }
    }
}

/// The children of one file: what they are called, in order, and where each is.
#[derive(Default)]
struct Side<'t> {
    all: Vec<(Step<'t>, Node<'t, 't>)>,
    places: HashMap<Step<'t>, usize>,
    /// How many are called alike, where that is more than one, by the first of them.
    counts: HashMap<Step<'t>, usize>,
}

/// Matches the children. Elements called one of `skip` are left out.
pub(super) fn children<'t>(parent: Triple<'t>, skip: &[&str]) -> Children<'t> {
    let mut tags = Tags::of(parent, skip);
    let mut sides = parent.all().map(|node| Side::of(node, skip, &tags));
    if sides.iter().any(|side| !side.counts.is_empty()) {
        tags.shared = sides.iter().flat_map(|side| side.counts.keys().cloned()).collect();
        sides = parent.all().map(|node| Side::of(node, skip, &tags));
    }
    let [mut old, base, mut new] = sides;
    adopt(&mut old, &base, &mut new);
    let doubtful = doubtful(&old, &base, &new);
    let (mut near_base, mut near_new) = (0, 0);
    let of_old = old.all.iter().map(|(step, node)| (step, Some(*node), base.place(step, &mut near_base)));
    let places: Vec<_> = of_old.map(|(step, node, at)| (step, node, at, new.place(step, &mut near_new))).collect();
    let mut is_in_old = vec![false; base.all.len()];
    places.iter().filter_map(|(_, _, at, _)| *at).for_each(|at| is_in_old[at] = true);
    let order = order(&places.iter().map(|(_, _, base, new)| (*base, *new)).collect::<Vec<_>>());
    let gone = base.all.iter().enumerate().filter(|(at, _)| !is_in_old[*at]);
    let gone = gone.map(|(at, (step, _))| (step, None, Some(at), new.places.get(step).copied()));
    let triple = |(step, old, of_base, of_new): (&Step<'t>, _, Option<usize>, Option<usize>)| {
        let is_doubtful = !doubtful.is_empty() && doubtful.contains(&step.first());
        let (base, new) = (of_base.map(|at| base.all[at].1), of_new.map(|at| new.all[at].1));
        (step.clone(), Triple { old, base, new, is_unique: parent.is_unique && !is_doubtful })
    };
    Children { triples: places.iter().copied().chain(gone).map(triple).collect(), order }
}

/// Children of which something was changed get the name that they have in the file as shipped. What both files have
/// alike is the same in both, or it is something else.
fn adopt<'t>(old: &mut Side<'t>, base: &Side<'t>, new: &mut Side<'t>) {
    let (of_old, of_new) = (old.changed(base), new.changed(base));
    let is_agreed = |step: &Step<'t>, to: &Step<'t>, other: &Side<'t>, of_other: &[(usize, Step<'t>)]| {
        let is_same = |(at, other_to): &(usize, Step<'t>)| other.all[*at].0 == *step && other_to == to;
        !other.places.contains_key(step) || of_other.iter().any(is_same)
    };
    let agreed = |side: &Side<'t>, of_side: &[(usize, Step<'t>)], other: &Side<'t>, of_other: &[(usize, Step<'t>)]| {
        let is_it = |(at, to): &&(usize, Step<'t>)| is_agreed(&side.all[*at].0, to, other, of_other);
        of_side.iter().filter(is_it).cloned().collect::<Vec<_>>()
    };
    let (for_old, for_new) = (agreed(old, &of_old, new, &of_new), agreed(new, &of_new, old, &of_old));
    for_old.into_iter().for_each(|(at, step)| old.rename(at, step));
    for_new.into_iter().for_each(|(at, step)| new.rename(at, step));
}

impl<'t> Step<'t> {
    /// What a child of an element that `holds_sections`, or not, is called by itself.
    fn of(node: Node<'t, '_>, holds_sections: bool) -> Self {
        let tag = node.tag_name().name();
        let sub_status = || node.attribute("subStatusCode").filter(|code| *code != "-1");
        let name = match name_of(node, holds_sections) {
            Some(name) if tag == "error" => {
                sub_status().map(|sub| Cow::Owned(format!("{name}.{sub}"))).or(Some(name.into()))
            }
            Some(name) => Some(Cow::Borrowed(name)),
            None if is_item(tag) => by_attributes(node).map(Cow::Owned),
            None => None,
        };
        Self { tag, name, number: 1 }
    }

    /// The first of those that are called alike.
    fn first(&self) -> Self {
        Self { number: 1, ..self.clone() }
    }
}

impl<'t> Side<'t> {
    fn of(parent: Option<Node<'t, 't>>, skip: &[&str], tags: &Tags<'t>) -> Self {
        let count = parent.into_iter().flat_map(elements).count();
        let places = HashMap::with_capacity(count);
        let mut side = Self { all: Vec::with_capacity(count), places, counts: HashMap::new() };
        let sections = parent.is_some_and(holds_sections);
        for node in parent.into_iter().flat_map(elements).filter(|node| !skip.contains(&node.tag_name().name())) {
            let mut step = Step::of(node, sections);
            if step.name.is_none() && tags.repeated.contains(step.tag) {
                step.name = by_attributes(node).map(Cow::Owned);
            } else if tags.single.contains(step.tag) {
                step.name = None;
            }
            if !tags.shared.is_empty() && tags.shared.contains(&step) {
                step.name = in_full(node).map(Cow::Owned).or(step.name);
            }
            match side.places.entry(step.clone()) {
                Entry::Vacant(place) => drop(place.insert(side.all.len())),
                Entry::Occupied(_) => {
                    let count = side.counts.entry(step.clone()).or_insert(1);
                    *count += 1;
                    step.number = *count;
                    side.places.insert(step.clone(), side.all.len());
                }
            }
            side.all.push((step, node));
        }
        side
    }

    /// Children that are called by all they say, and are called otherwise than in `base` because something of it was
    /// changed, each with its name there.
    fn changed(&self, base: &Self) -> Vec<(usize, Step<'t>)> {
        // Each is compared with each.
        const MOST: usize = 64;
        let is_described = |(step, node): &(Step<'t>, Node<'t, 't>)| {
            step.name.is_some() && step.name == by_attributes(*node).map(Cow::Owned)
        };
        let left = |one: &Self, other: &Self| -> Vec<usize> {
            let is_there = |at: usize, step: &Step<'t>| {
                other.all.get(at).is_some_and(|(beside, _)| beside == step) || other.places.contains_key(step)
            };
            let is_left = |at: &usize| !is_there(*at, &one.all[*at].0) && is_described(&one.all[*at]);
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
            Some((at, base.all[of_base].0.clone()))
        };
        come.iter().filter_map(|at| pair(*at, alike).or_else(|| pair(*at, namesakes))).collect()
    }

    fn rename(&mut self, at: usize, step: Step<'t>) {
        self.places.remove(&self.all[at].0);
        self.places.insert(step.clone(), at);
        self.all[at].0 = step;
    }

    /// Where a child is, which is probably at `near`; that becomes the place behind it.
    fn place(&self, step: &Step<'t>, near: &mut usize) -> Option<usize> {
        let is_there = self.all.get(*near).is_some_and(|(other, _)| other == step);
        let at = if is_there { *near } else { *self.places.get(step)? };
        *near = at + 1;
        Some(at)
    }
}

/// Tags of children that are called otherwise than they would be by themselves.
#[derive(Default)]
struct Tags<'t> {
    /// Without a name, and one of the files has more than one: what they hold is their name.
    repeated: HashSet<&'t str>,
    /// Nothing but the tag has to tell which they are: each file has one at most, and its name has changed.
    single: HashSet<&'t str>,
    /// One of the files has several that are called so: what else they say is part of their name.
    shared: HashSet<Step<'t>>,
}

impl<'t> Tags<'t> {
    fn of(parent: Triple<'t>, skip: &[&str]) -> Self {
        let mut tags = Self::default();
        let mut names: HashMap<&str, Vec<Option<&str>>> = HashMap::new();
        let mut several: HashSet<&str> = HashSet::new();
        for side in parent.all().into_iter().flatten() {
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
                names.entry(tag).or_default().push(name);
            }
        }
        let has = |side: Option<Node<'_, '_>>, tag: &str| {
            side.is_some_and(|side| elements(side).any(|node| node.tag_name().name() == tag))
        };
        for (tag, names) in names {
            if several.contains(tag) {
                tags.repeated.insert(tag);
            } else if names.iter().any(|name| *name != names[0]) && has(parent.old, tag) && has(parent.base, tag) {
                tags.single.insert(tag);
            }
        }
        tags
    }
}

/// Steps that several children have, of which it cannot be told which is which. Where the new version has left all of
/// them as they were, and nobody has added or removed any, their places tell.
fn doubtful<'t>(old: &Side<'t>, base: &Side<'t>, new: &Side<'t>) -> HashSet<Step<'t>> {
    let several = [old, base, new].into_iter().flat_map(|side| side.counts.keys());
    let is_doubtful = |step: &&Step<'t>| {
        let count = |side: &Side<'t>| match side.counts.get(*step) {
            Some(count) => *count,
            None => usize::from(side.places.contains_key(*step)),
        };
        if count(old) != count(base) || count(base) != count(new) {
            return true;
        }
        !(1..=count(base)).all(|number| {
            let step = Step { number, ..(*step).clone() };
            let node = |side: &Side<'t>| side.places.get(&step).map(|at| side.all[*at].1);
            matches!((node(base), node(new)), (Some(base), Some(new)) if same(base, new, &|_, _| false))
        })
    };
    several.filter(is_doubtful).cloned().collect()
}

/// Who changed the order, by the places that the children of the old file have in the file as shipped and in the new
/// one.
fn order(places: &[(Option<usize>, Option<usize>)]) -> Option<Order> {
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

/// What an element would be called among the children of `parent`.
pub(super) fn step_in(element: Node<'_, '_>, parent: Node<'_, '_>) -> String {
    Step::of(element, holds_sections(parent)).to_string()
}

/// `name`, or `name[what names it]`.
pub(super) fn step<'t>(node: Node<'t, 't>) -> String {
    Step::of(node, node.parent_element().is_some_and(holds_sections)).to_string()
}

/// True for elements that are items of a collection, whatever it is.
pub(super) fn is_item(tag: &str) -> bool {
    matches!(tag, "add" | "remove" | "allow" | "deny")
}

/// What names an element among its siblings.
fn name_of<'a>(node: Node<'a, '_>, holds_sections: bool) -> Option<&'a str> {
    // A section is there once: a name in it does not tell which it is.
    if holds_sections && !is_item(node.tag_name().name()) && node.tag_name().name() != "location" {
        return None;
    }
    // A provider of databases goes by this, whatever its display name.
    let named = ["invariant", "key", "name"].iter().find_map(|name| node.attribute(*name));
    let own = match node.tag_name().name() {
        "add" => return named.or_else(|| KEYS.iter().find_map(|key| node.attribute(*key))),
        "location" => "path",
        "provider" => "invariantName",
        "mimeMap" => "fileExtension",
        "error" => "statusCode",
        "dependentAssembly" => {
            let identity = elements(node).find(|child| child.tag_name().name() == "assemblyIdentity");
            return named.or_else(|| identity?.attribute("name"));
        }
        _ => "id",
    };
    named.or_else(|| node.attribute(own))
}

/// What names an item of collections that have keys of their own: a second one with the same is refused.
const KEYS: [&str; 14] = [
    "fileExtension",
    "extension",
    "segment",
    "sequence",
    "header",
    "mimeType",
    "mimetype",
    "url",
    "relativeAddress",
    "baseAddress",
    "tagType",
    "directoryName",
    "expressionPrefix",
    "alias",
];

/// What a child is called that shares its name with others.
fn in_full(node: Node<'_, '_>) -> Option<String> {
    if node.tag_name().name() != "location" {
        return by_attributes(node);
    }
    let section = elements(node).next()?.tag_name().name();
    Some(format!("{}: {section}", node.attribute("path").unwrap_or_default()))
}

/// True for elements that have more in common than not, versions aside.
fn alike(one: Node<'_, '_>, other: Node<'_, '_>) -> bool {
    let is_same = |one: Attribute<'_, '_>, other: Attribute<'_, '_>| {
        let name = |it: &Attribute<'_, '_>| it.namespace() == one.namespace() && it.name() == one.name();
        name(&other) && without_version(one.value()) == without_version(other.value())
    };
    let same = one.attributes().filter(|it| other.attributes().any(|other| is_same(*it, other))).count();
    one.tag_name() == other.tag_name() && same * 2 > one.attributes().len().max(other.attributes().len())
}

/// The name of an assembly without what follows it.
fn without_version(value: &str) -> &str {
    value.split(", Version=").next().unwrap_or_default()
}

/// True for elements of one name.
fn namesakes(one: Node<'_, '_>, other: Node<'_, '_>) -> bool {
    let name = name_of(one, false);
    one.tag_name() == other.tag_name() && name.is_some() && name == name_of(other, false)
}

/// Whether the children of an element are sections.
pub(super) fn holds_sections(parent: Node<'_, '_>) -> bool {
    parent.parent_element().is_none() || parent.tag_name().name() == "system.web"
}

/// Collections without a key: what they hold is their name, versions and secrets aside.
fn by_attributes(node: Node<'_, '_>) -> Option<String> {
    let is_shown = |attribute: &Attribute<'_, '_>| !is_secret(attribute.name()) && !holds_secret(attribute.value());
    let said = |attribute: Attribute<'_, '_>| format!("{}={}", attribute.name(), without_version(attribute.value()));
    let is_value = |attribute: &Attribute<'_, '_>| attribute.name() == "value";
    let mut all: Vec<String> = node.attributes().filter(|it| !is_value(it) && is_shown(it)).map(said).collect();
    if all.is_empty() && !node.parent_element().is_some_and(|parent| is_secret(parent.tag_name().name())) {
        all = node.attributes().filter(|it| is_value(it) && is_shown(it)).map(said).collect();
    }
    all.sort();
    (!all.is_empty()).then(|| all.join(","))
}

/// The element's name in a step.
pub(super) fn tag(step: &str) -> &str {
    step.split(['[', '#']).next().unwrap_or(step)
}

/// An element's own text: exact where it is a setting's value, otherwise without the space around it.
pub(super) fn text(node: Node<'_, '_>) -> String {
    let text = text_of(node);
    if node.tag_name().name() == "value" && elements(node).next().is_none() { text } else { text.trim().to_owned() }
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
