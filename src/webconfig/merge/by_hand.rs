//! Places that the administrator merges manually, as a whole, because a merge line by line would change their meaning.
//!
//! A file may contain anything, and nobody could read a merge that models everything. So one gate replaces a rule for
//! each rare shape: a place behind it keeps the content of the new version, and it is reported and counted.

use crate::webconfig::Document;
use crate::webconfig::merge::proof::alike;
use crate::webconfig::merge::walk::Walk;
use crate::webconfig::merge::{Change, Fate, Triple, reported};
use crate::webconfig::schema::{collections, sections, wrapper};
use crate::webconfig::text::elements;
use roxmltree::Node;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The place of an element: its steps from the root, in lowercase.
pub(crate) type Place = Vec<String>;

const PARTS: &str = "one of the files has it in several parts; merge it manually";
const SPLIT: &str = "one of the files has all or part of it inside <location path=\".\">; merge it manually";
const LOCKED: &str = "IIS locks this section by default, and the files differ; set it manually";
const OTHER: &str = "merging it line by line would change its meaning; merge it manually";

/// The places that are left to the administrator, and why.
#[derive(Clone, Default, Debug)]
pub(crate) struct ByHand(BTreeMap<Place, &'static str>);

impl ByHand {
    /// What can be told from the files alone: sections and locations in several parts.
    pub(crate) fn of(files: &[&Document]) -> Self {
        let mut own = Self::default();
        for file in files {
            let root = file.tree().root_element();
            own.parts(root, &[]);
            for location in elements(root).filter(|node| node.tag_name().name() == "location") {
                own.parts(location, &[step(location)]);
            }
        }
        own
    }

    fn parts(&mut self, parent: Node<'_, '_>, around: &[String]) {
        let mut seen = HashSet::new();
        // The merge of values knows all parts of these.
        let is_value = |tag: &str| around.is_empty() && matches!(tag, "appSettings" | "applicationSettings");
        for step in elements(parent).filter(|node| !is_value(node.tag_name().name())).map(step) {
            if !seen.insert(step.clone()) {
                self.0.insert([around, &[step]].concat(), PARTS);
            }
        }
    }

    /// Sections that stand in a `location` for the whole application in one place, and outside of one in another.
    pub(crate) fn split(&mut self, files: &[Document]) {
        let (mut inside, mut outside) = (HashSet::new(), HashSet::new());
        for root in files.iter().map(|file| file.tree().root_element()) {
            for node in elements(root) {
                match wrapper::is_of_root(node) {
                    true => inside.extend(elements(node).flat_map(sections_of).map(|section| (step(node), section))),
                    false => outside.extend(sections_of(node)),
                }
            }
        }
        for (location, section) in inside.into_iter().filter(|(_, section)| outside.contains(section)) {
            let group = section.into_iter().next().unwrap_or_default();
            self.0.insert(vec![location, group.clone()], SPLIT);
            self.0.insert(vec![group], SPLIT);
        }
    }

    /// Leaves a place to the administrator that the merge would change in meaning, or what is around it where that is
    /// not enough. Returns false at the root.
    pub(crate) fn leave(&mut self, mut place: Place) -> bool {
        while self.0.contains_key(&place) {
            place.pop();
        }
        !place.is_empty() && self.0.insert(place, OTHER).is_none()
    }

    /// Whether a place, or one around it, is left to the administrator. Locked sections are not among these.
    pub(crate) fn holds(&self, place: &[String]) -> bool {
        (1..=place.len()).any(|length| self.0.contains_key(&place[..length]))
    }
}

/// The sections of a group; itself, where it holds none.
fn sections_of(group: Node<'_, '_>) -> Vec<Place> {
    let all: Vec<Place> = elements(group).map(|section| vec![step(group), step(section)]).collect();
    if all.is_empty() { vec![vec![step(group)]] } else { all }
}

/// The section that a path of the account is in.
pub(crate) fn section_of(path: &str) -> Option<Place> {
    let (location, rest) = match path.strip_prefix("location[") {
        Some(rest) => rest.split_once("]/").map(|(name, rest)| (Some(format!("location[{name}]")), rest))?,
        None => (None, path),
    };
    let mut steps = rest.split('/').map(place_step);
    let (group, section) = (steps.next()?, steps.next());
    Some(location.into_iter().chain([group]).chain(section).collect())
}

/// What an element is called in a place.
pub(crate) fn step(node: Node<'_, '_>) -> String {
    place_step(&collections::Step::of(node, node.parent_element()).to_string())
}

/// A step without the number of those that are called alike.
fn place_step(step: &str) -> String {
    without_number(step, '#').to_lowercase()
}

fn without_number(text: &str, mark: char) -> &str {
    let number = text.rsplit_once(mark).filter(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
    number.map_or(text, |(text, _)| text)
}

impl<'t> Walk<'_, 't> {
    /// Tells of a child that is left to the administrator. Returns whether it is.
    pub(crate) fn is_by_hand(&mut self, parent: Triple<'t>, child: Triple<'t>) -> bool {
        let place: Place = self.path.iter().map(|step| place_step(step)).collect();
        let is_locked = || child.old.is_some() && child.new.is_some() && sections::is_locked(&self.path);
        let why = match self.scene.by_hand.0.get(&place) {
            Some(why) => *why,
            None if is_locked() => LOCKED,
            None => return false,
        };
        if !self.draft.leave_by_hand(place.clone()) {
            return true;
        }
        let last = place.last().map(String::as_str);
        let parts = |parent: Option<Node<'t, 't>>| -> Vec<Node<'t, 't>> {
            parent.into_iter().flat_map(elements).filter(|node| Some(step(*node).as_str()) == last).collect()
        };
        let [old, base, new] = parent.all().map(parts);
        if !alike(&old, &base) {
            let fate = if alike(&old, &new) { Fate::AlreadySo } else { reported(why) };
            let mut steps: Vec<&str> = self.path.iter().map(String::as_str).collect();
            if let Some(last) = steps.last_mut() {
                *last = without_number(last, '#');
            }
            let path = self.draft.path(steps.join("/"));
            let change = Change::of_element(path, old.first().copied(), new.first().copied(), fate);
            self.draft.change(change);
        }
        true
    }
}

/// Places with something reported that is not in the result: each in lowercase, without numbers.
pub(crate) struct Told(BTreeSet<String>);

impl Told {
    pub(crate) fn of(changes: &[Change]) -> Self {
        let is_left = |change: &&Change| !change.fate.carries() && change.fate != Fate::AlreadySo;
        let place = |change: &Change| without_number(change.path.trim_start_matches('/'), '~').to_lowercase();
        Self(changes.iter().filter(is_left).map(place).collect())
    }

    /// Whether a change is reported for a place, for an element around it, or for anything in it.
    pub(crate) fn has(&self, place: &[String]) -> bool {
        let path = place.join("/");
        let below = format!("{path}/");
        (1..=place.len()).any(|length| self.0.contains(&place[..length].join("/")))
            || self.0.range(below.clone()..).next().is_some_and(|next| next.starts_with(&below))
    }
}
