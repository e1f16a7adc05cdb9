//! Whether the merged file means what its account says.
//!
//! The merge goes by the text; this goes by the meaning. It reads all four files the way ASP.NET and IIS do, lists with
//! their keys, defaults, `remove` and `clear`, and asks of each attribute, item and order: is it the new version's where
//! the administrator changed nothing, and the administrator's where he did, or is it told that it is not? A place for
//! which that is not so is left to the administrator as a whole.

use crate::webconfig::merge::by_hand::{ByHand, Place, Told, step};
use crate::webconfig::merge::{Merged, Sources};
use crate::webconfig::schema::collections::{List, clears, default_of, is_in_list, is_item, is_named, takes_back};
use crate::webconfig::schema::of_version;
use crate::webconfig::text::{children, elements, markup, same, text, value};
use roxmltree::Node;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The same thing in the old file, the file as shipped, the new file and the merged one.
type Four<T> = [Option<T>; 4];

/// The places where the merged file breaks that rule. Without the file as shipped there are none, and the value sections
/// and sections in other files (`configSource`) are not looked at.
pub(crate) fn wrong(sources: &Sources<'_>, merged: &Merged, by_hand: &ByHand) -> Vec<Place> {
    let Some(base) = sources.base else { return Vec::new() };
    let mut proof =
        Proof { told: Told::of(&merged.changes), by_hand, place: Vec::new(), in_item: false, wrong: Vec::new() };
    let files = [sources.old, base, sources.new, &merged.document];
    proof.parts(files.map(|file| Some(file.tree().root_element())));
    proof.wrong
}

struct Proof<'p> {
    told: Told,
    by_hand: &'p ByHand,
    place: Place,
    /// What is looked at is an item of a list, or in one: what both sides added must be the same.
    in_item: bool,
    wrong: Vec<Place>,
}

impl<'t> Proof<'_> {
    fn element(&mut self, four: Four<Node<'t, 't>>) {
        let [old, base, new, result] = four;
        let is = |one: Option<Node<'t, 't>>, other: Option<Node<'t, 't>>| alike(one.as_slice(), other.as_slice());
        // An added or removed element that contains parts of the new version is reported part by part.
        let is_partly_own = |node: &Node<'t, 't>| of_version::own_parts(*node).first().is_some_and(|part| part != node);
        let is_own = || (old.is_none() || new.is_none()) && four.iter().flatten().any(is_partly_own);
        let has_source = |node: &Option<Node<'t, 't>>| node.is_some_and(|node| node.has_attribute("configSource"));
        let is_left = self.by_hand.holds(&self.place) && self.told.has(&self.place) && is(result, new);
        let is_unanimous = is(old, new) && is(result, new);
        if is_unanimous || is_left || is_own() || four.iter().any(has_source) {
            return;
        }
        match four {
            _ if is(old, base) => self.expect(is(result, new)),
            [Some(_), _, Some(_), Some(_)] => self.parts(four),
            _ if is(result, old) && !is_only_default(old, base) => {}
            _ => {
                let is_told = self.told.has(&self.place);
                self.expect(is_told && is(result, new));
            }
        }
    }

    /// The place is wrong where this does not hold.
    fn expect(&mut self, holds: bool) {
        if !holds {
            self.wrong.push(self.place.clone());
        }
    }

    /// Looks at all that an element says which the old file, the new one and the result have.
    fn parts(&mut self, four: Four<Node<'t, 't>>) {
        let names: BTreeSet<&str> = four.iter().flatten().flat_map(Node::attributes).map(|it| it.name()).collect();
        for name in names {
            self.value(&format!("@{name}"), four, four.map(|node| said(node?, name)));
        }
        self.value("text()", four, four.map(|node| node.map(|node| Cow::Owned(text(node)))));
        let mut tags: Vec<&str> =
            four.iter().flatten().flat_map(|node| elements(*node)).map(|node| node.tag_name().name()).collect();
        tags.sort_unstable();
        tags.dedup();
        let (mut lists, mut others): (Vec<(List, Vec<&str>)>, Vec<&str>) = (Vec::new(), Vec::new());
        for tag in tags {
            let is_values = self.place.is_empty() && matches!(tag, "appSettings" | "applicationSettings");
            match four.iter().flatten().find_map(|node| List::of(*node, tag)) {
                _ if is_values => {}
                Some(list) => match lists.iter_mut().find(|(known, _)| *known == list) {
                    Some((_, tags)) => tags.push(tag),
                    None => lists.push((list, vec![tag])),
                },
                None => others.push(tag),
            }
        }
        lists.into_iter().for_each(|(list, tags)| self.list(list, &tags, four));
        others.into_iter().for_each(|tag| self.child(tag, four));
    }

    /// A value of an element, such as an attribute or its text.
    fn value(&mut self, name: &str, four: Four<Node<'t, 't>>, [old, base, new, result]: Four<Cow<'_, str>>) {
        let both_added = four[1].is_none() && self.in_item;
        let is_fine = match () {
            () if old == base && !both_added => result == new,
            // What both sides added is not changed by either.
            () if four[1].is_none() && !both_added && old.is_none() => result == new,
            () if result == old => true,
            () => {
                self.place.push(name.to_lowercase());
                let is_told = self.told.has(&self.place);
                self.place.pop();
                is_told && result == new
            }
        };
        self.expect(is_fine);
    }

    /// Children that are in no list of the table: told apart by name, or several of which nothing tells which is which.
    fn child(&mut self, tag: &str, four: Four<Node<'t, 't>>) {
        let all = four.map(|node| node.map_or_else(Vec::new, |node| children(node, tag).collect()));
        let by_step =
            all.each_ref().map(|all| all.iter().map(|child| (step(*child), *child)).collect::<HashMap<_, _>>());
        let is_clear = |(all, by_step): (&Vec<_>, &HashMap<_, _>)| {
            all.len() == by_step.len() && all.iter().all(|child| !is_item(tag) || is_named(*child))
        };
        if !all.iter().zip(&by_step).all(is_clear) {
            let [old, base, new, result] = &all;
            return self.expect(!alike(old, base) || alike(result, new));
        }
        for name in by_step.iter().flat_map(HashMap::keys).collect::<BTreeSet<_>>() {
            let [old, base, new, result] = &by_step;
            self.below(name.clone(), [old, base, new, result].map(|all| all.get(name).copied()));
        }
    }

    fn below(&mut self, step: String, four: Four<Node<'t, 't>>) {
        let was_in_item = self.in_item;
        self.in_item |= four.iter().flatten().next().is_some_and(|node| is_in_list(*node));
        self.place.push(step);
        self.element(four);
        self.place.pop();
        self.in_item = was_in_item;
    }

    fn list(&mut self, list: List, tags: &[&str], four: Four<Node<'t, 't>>) {
        let sides = four.map(|node| Effective::of(list, tags, node));
        let [old, base, new, result] = &sides;
        if sides.iter().any(|side| side.is_unclear) {
            return self.expect(false);
        }
        let is_told = self.told.has(&self.place);
        let three = |old: bool, base: bool, new: bool, result: bool| match old == base {
            true => result == new,
            false => result == old || (is_told && result == new),
        };
        let removed: BTreeSet<&String> = sides.iter().flat_map(|side| &side.removed).collect();
        let is_removed = |side: &Effective<'_>, key: &String| side.is_cleared || side.removed.contains(key);
        let is_fine = three(old.is_cleared, base.is_cleared, new.is_cleared, result.is_cleared)
            && removed.into_iter().all(|key| {
                three(is_removed(old, key), is_removed(base, key), is_removed(new, key), is_removed(result, key))
            });
        let is_in_order = !list.is_ordered() || is_told || in_order(&sides);
        self.expect(is_fine && is_in_order);
        let keys: BTreeSet<&String> = sides.iter().flat_map(|side| side.items.keys()).collect();
        for key in keys {
            let items = [old, base, new, result].map(|side| side.items.get(key).map(|(_, node)| *node));
            if let Some(item) = items.iter().flatten().next() {
                self.below(step(*item), items);
            }
        }
    }
}

/// Whether two rows of elements say the same.
pub(crate) fn alike<'t>(one: &[Node<'t, 't>], other: &[Node<'t, 't>]) -> bool {
    let is = |(one, other): (&Node<'t, 't>, &Node<'t, 't>)| {
        markup(*one) == markup(*other) || same(*one, *other, &|_, _| false)
    };
    one.len() == other.len() && one.iter().zip(other).all(is)
}

/// Whether two elements differ in nothing but whether they write a default down.
fn is_only_default<'t>(one: Option<Node<'t, 't>>, other: Option<Node<'t, 't>>) -> bool {
    let is_default = |node: Node<'_, '_>, name: &str| {
        default_of(node, name).is_some_and(|default| node.attribute(name) == Some(default))
    };
    one.zip(other).is_some_and(|(one, other)| same(one, other, &is_default))
}

/// What an element says in an attribute, its default included.
fn said<'a>(node: Node<'a, '_>, name: &str) -> Option<Cow<'a, str>> {
    let default = || default_of(node, name).map(Cow::Borrowed);
    node.attributes().find(|it| it.name() == name).map(|it| value(node, it)).or_else(default)
}

/// A list's effective contents.
#[derive(Default)]
struct Effective<'t> {
    /// It takes back all that files further up say.
    is_cleared: bool,
    /// The keys of what it takes back besides.
    removed: HashSet<String>,
    /// Its items by their keys, with their places.
    items: HashMap<String, (usize, Node<'t, 't>)>,
    /// It has a key twice, or the readers of the .NET Framework ignore a part of it: behind a `<clear></clear>` with an
    /// end tag they skip the rest of the list.
    is_unclear: bool,
}

impl<'t> Effective<'t> {
    fn of(list: List, tags: &[&str], element: Option<Node<'t, 't>>) -> Self {
        let mut own = Self::default();
        let mut counts: HashMap<String, usize> = HashMap::new();
        for (at, node) in element.into_iter().flat_map(elements).enumerate() {
            let tag = node.tag_name().name();
            if clears(tag) {
                let is_unclear = own.is_unclear || !markup(node).ends_with("/>");
                own = Self { is_cleared: true, is_unclear, ..Self::default() };
            } else if takes_back(tag) {
                let key = list.key(node);
                own.items.remove(&key);
                own.removed.insert(key);
            } else if tags.contains(&tag) && list.has_key() {
                own.is_unclear |= own.items.insert(list.key(node), (at, node)).is_some();
            } else if tags.contains(&tag) {
                let said: BTreeSet<_> = node.attributes().map(|it| (it.name(), value(node, it))).collect();
                let count = counts.entry(format!("{tag} {said:?}")).or_default();
                *count += 1;
                own.items.insert(format!("{tag} {said:?} {count}"), (at, node));
            }
        }
        own
    }

    /// The keys for which this holds, in order.
    fn order(&self, is_meant: impl Fn(&str) -> bool) -> Vec<&str> {
        let mut all: Vec<_> = self.items.iter().filter(|(key, _)| is_meant(key)).collect();
        all.sort_unstable_by_key(|(_, (at, _))| *at);
        all.into_iter().map(|(key, _)| key.as_str()).collect()
    }

    fn has(&self, key: &str) -> bool {
        self.items.contains_key(key)
    }
}

/// Whether the result has each item where it belongs in a list of which the first item that fits decides.
fn in_order([old, base, new, result]: &[Effective<'_>; 4]) -> bool {
    let sides = [old, base, new, result];
    let [of_old, of_base, of_new, of_result] =
        sides.map(|side| side.order(|key| sides.iter().all(|side| side.has(key))));
    let is_changed = of_old != of_base;
    let is_common_fine = match is_changed {
        false => of_result == of_new,
        true => of_result == of_old,
    };
    // What the administrator added stays before and behind all that it stood before and behind.
    let is_own = |key: &str| old.has(key) && !base.has(key);
    let places: Vec<(bool, usize)> =
        old.order(|key| result.has(key)).into_iter().map(|key| (is_own(key), result.items[key].0)).collect();
    let mut last = None;
    let mut is_behind = |(is_own, at): &(bool, usize)| {
        let holds = !is_own || last.is_none_or(|last| last < *at);
        last = last.max(Some(*at));
        holds
    };
    let mut next = usize::MAX;
    let mut is_before = |(is_own, at): &(bool, usize)| {
        let holds = !is_own || *at < next;
        next = next.min(*at);
        holds
    };
    let is_own_fine = places.iter().all(&mut is_behind) && places.iter().rev().all(&mut is_before);
    // So does what the new version has, unless the administrator has put its items into another order.
    let is_new_fine = is_changed
        || new.order(|key| result.has(key) && !is_own(key)) == result.order(|key| new.has(key) && !is_own(key));
    is_common_fine && is_own_fine && is_new_fine
}
