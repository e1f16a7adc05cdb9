//! The merge against a slow and obvious one, and against a slow and obvious comparison of two files.

use super::{model::*, *};
use proptest::prelude::*;
use std::collections::BTreeSet;

const OWN: [&str; 6] = [
    "configuration/configSections",
    "configuration/runtime/assemblyBinding",
    "configuration/system.web/compilation",
    "configuration/system.webServer/handlers",
    "configuration/system.webServer/modules",
    "configuration/startup",
];

fn below(path: &str, element: &Element) -> String {
    format!("{path}/{}", element.tag)
}

/// The tree without what belongs to the new version; `None` where nothing else is in it.
pub(super) fn without_own(element: &Element, path: &str) -> Option<Element> {
    let path = if path.is_empty() { element.tag.clone() } else { below(path, element) };
    if OWN.contains(&path.as_str()) {
        return None;
    }
    let children: Vec<Element> = element.children.iter().filter_map(|child| without_own(child, &path)).collect();
    let was_all = children.is_empty() && !element.children.is_empty() && element.attributes.is_empty();
    (!was_all).then(|| Element { children, ..element.clone() })
}

fn three(old: Option<&String>, base: Option<&String>, new: Option<&String>) -> Option<String> {
    if new == base { old.cloned() } else { new.cloned() }
}

/// What the merge has to say where conflicts keep the new version: an element's parts one by one.
fn reference(old: &Element, base: &Element, new: &Element, path: &str) -> Element {
    let mut result = Element { children: Vec::new(), ..new.clone() };
    result.attributes.clear();
    let names: BTreeSet<&String> = [old, base, new].into_iter().flat_map(|element| element.attributes.keys()).collect();
    for name in names {
        let [old, base, new] = [old, base, new].map(|element| element.attributes.get(name));
        result.attributes.extend(three(old, base, new).map(|value| (name.clone(), value)));
    }
    if base.text == new.text {
        result.text.clone_from(&old.text);
    }
    let nothing = |element: &Element| Element {
        tag: element.tag.clone(),
        attributes: BTreeMap::new(),
        text: String::new(),
        children: Vec::new(),
    };
    let steps: BTreeSet<String> =
        [old, base, new].into_iter().flat_map(|element| element.children.iter().map(Element::step)).collect();
    for step in steps {
        let sides = [old, base, new].map(|element| element.child(&step));
        let Some(any) = sides.into_iter().flatten().next() else { continue };
        let path = below(path, any);
        if OWN.contains(&path.as_str()) {
            result.children.extend(sides[2].cloned());
            continue;
        }
        match sides {
            [Some(old), Some(base), Some(new)] => result.children.push(reference(old, base, new, &path)),
            [Some(old), None, Some(new)] => result.children.push(reference(old, &nothing(old), new, &path)),
            [Some(old), None, None] => {
                let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
                result.children.extend(without_own(old, parent));
            }
            [None, Some(base), Some(new)] => {
                let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
                if without_own(new, parent).as_ref() != Some(new) {
                    result.children.push(reference(&nothing(new), base, new, &path));
                } else if base != new {
                    result.children.push(new.clone());
                }
            }
            [None, None, Some(new)] => result.children.push(new.clone()),
            // What the new version dropped is gone.
            [_, _, None] => {}
        }
    }
    result
}

/// Every difference of the old file: its path, and whether it may be told by what is below it.
fn differences(old: &Element, base: &Element, path: &str, found: &mut BTreeMap<String, bool>) {
    let at = |part: &str| if path.is_empty() { part.to_owned() } else { format!("{path}/{part}") };
    let names: BTreeSet<&String> = old.attributes.keys().chain(base.attributes.keys()).collect();
    for name in names.into_iter().filter(|name| old.attributes.get(*name) != base.attributes.get(*name)) {
        let is_value = name == "value" && path.starts_with("appSettings/");
        found.insert(if is_value { path.to_owned() } else { at(&format!("@{name}")) }, false);
    }
    if old.text != base.text {
        let value = path.strip_suffix("/value").filter(|_| path.starts_with("applicationSettings/"));
        found.insert(value.map_or_else(|| at("text()"), str::to_owned), false);
    }
    let name_of = |child: &Element| match path.split('/').next().unwrap_or_default() {
        "appSettings" if child.tag == "add" => child.attributes["key"].clone(),
        "applicationSettings" if child.tag == "setting" => child.attributes["name"].clone(),
        _ => child.step(),
    };
    for child in old.children.iter().chain(base.children.iter().filter(|child| old.child(&child.step()).is_none())) {
        let step = child.step();
        match (old.child(&step), base.child(&step)) {
            (Some(old), Some(base)) => differences(old, base, &at(&name_of(old)), found),
            _ => drop(found.insert(at(&name_of(child)), true)),
        }
    }
    let common = |one: &Element, other: &Element| -> Vec<String> {
        one.children.iter().map(Element::step).filter(|step| other.child(step).is_some()).collect()
    };
    let is_settings = path.starts_with("appSettings") || path.starts_with("applicationSettings");
    if path.contains('/') && !is_settings && common(old, base) != common(base, old) {
        found.insert(at("(order)"), false);
    }
}

/// The lines in which two trees differ.
pub(super) fn difference(one: &Element, other: &Element) -> String {
    let [one, other] = [one, other].map(|element| String::from_utf8(element.write(PLAIN)).unwrap());
    let diff = similar::TextDiff::from_lines(&one, &other);
    let changed = diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal);
    changed.map(|change| format!("{}{}", change.tag(), change.value())).collect()
}

pub(super) fn edited_by(edits: &[Edit]) -> Element {
    let mut element = Element::shipped();
    edits.iter().for_each(|edit| element.edit(*edit));
    element
}

fn strict() -> Rules {
    Rules { strict: true, ..keep() }
}

pub(super) fn merge_of(old: &[u8], base: &[u8], new: &[u8]) -> Result<Merged, TestCaseError> {
    let [old, base, new] = [old, base, new].map(parsed);
    merge(&Sources { old: &old, base: Some(&base), new: &new }, &strict())
        .map_err(|error| TestCaseError::fail(error.to_string()))
}

/// Whether a place is left to the administrator because merging it would change its meaning.
pub(super) fn is_left_for_its_meaning(change: &Change) -> bool {
    matches!(&change.fate, Fate::Reported { why } if why.contains("would change its meaning"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_result_is_that_of_the_obvious_merge(
        old in edits(8), new in edits(8), styles in [style(), style(), style()]
    ) {
        let (old, base, new) = (edited_by(&old), Element::shipped(), edited_by(&new));
        let files = [old.write(styles[0]), base.write(styles[1]), new.write(styles[2])];
        let merged = merge_of(&files[0], &files[1], &files[2])?;
        // The reference knows no order, so it cannot tell that an item has no place.
        let has_no_place = |change: &Change| {
            let is_added = matches!((&change.old, &change.new), (Shown::Plain(_), Shown::Absent));
            is_added && matches!(change.fate, Fate::Conflict { .. }) && !change.path.contains("/@")
        };
        prop_assume!(!merged.changes.iter().any(|change| is_left_for_its_meaning(change) || has_no_place(change)));
        let expected = reference(&old, &base, &new, "configuration").sorted();
        let difference = difference(&Element::read(merged.document.bytes()).sorted(), &expected);
        prop_assert!(difference.is_empty(), "{difference}{:#?}", merged.changes);
        let again = merge_of(&files[0], &files[1], merged.document.bytes())?;
        prop_assert_eq!(again.document.bytes(), merged.document.bytes());
    }

    #[test]
    fn an_unchanged_file_gives_the_new_bytes(new in edits(8), styles in [style(), style(), style()]) {
        let (base, new) = (Element::shipped(), edited_by(&new));
        let new = new.write(styles[2]);
        // A comment that only one of them has would be a difference.
        let [old, base] = [styles[0], styles[1]].map(|style| base.write(style.without_comments()));
        let merged = merge_of(&old, &base, &new)?;
        prop_assert_eq!(merged.document.bytes(), new);
        let is_superseded = |change: &Change| matches!(change.fate, Fate::Superseded { .. });
        prop_assert!(merged.changes.iter().all(is_superseded), "{:#?}", merged.changes);
    }

    #[test]
    fn a_new_file_that_is_the_shipped_one_gives_the_old_meaning_and_order(
        old in edits(12), styles in [style(), style(), style()]
    ) {
        let (old, base) = (edited_by(&old), Element::shipped());
        let merged = merge_of(&old.write(styles[0]), &base.write(styles[1]), &base.write(styles[2]))?;
        let own = |element: &Element| without_own(element, "").unwrap();
        let result = Element::read(merged.document.bytes());
        // The order of sections, and of values that have a name, means nothing.
        let ordered = |element: Element| in_meant_order(own(&element), 0);
        let difference = difference(&ordered(result), &ordered(old));
        prop_assert!(difference.is_empty(), "{difference}{:#?}", merged.changes);
    }

    #[test]
    fn every_difference_is_told_once_and_nothing_else_is(
        old in edits(10), new in edits(6), styles in [style(), style(), style()]
    ) {
        let (old, base, new) = (edited_by(&old), Element::shipped(), edited_by(&new));
        let merged = merge_of(&old.write(styles[0]), &base.write(styles[1]), &new.write(styles[2]))?;
        let mut found = BTreeMap::new();
        differences(&old, &base, "", &mut found);
        // What only the new version changed is told of values, but it is no difference.
        // Comments are differences, but no tree has them.
        let is_meant = |change: &&Change| {
            let is_of_new = matches!(change.fate, Fate::Superseded { .. }) && !found.contains_key(&change.path);
            !is_of_new && !change.path.contains("comment()")
        };
        let changes = merged.changes.iter().filter(is_meant);
        let paths: Vec<&str> = changes.map(|change| change.path.as_str()).collect();
        let is_below = |path: &str, above: &str| path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'));
        for (difference, is_whole) in &found {
            let told = paths.iter().filter(|path| *path == difference).count();
            let parts = paths.iter().filter(|path| *is_whole && is_below(path, difference)).count();
            let is_left = |change: &Change| is_left_for_its_meaning(change) && is_below(difference, &change.path);
            let is_in_what_is_left = merged.changes.iter().any(is_left);
            let is_told = told == 1 || (told == 0 && (parts > 0 || is_in_what_is_left));
            prop_assert!(is_told, "{difference} is reported {told} times in {paths:#?}");
        }
        for path in &paths {
            let is_found = found.contains_key(*path)
                || (merged.changes.iter().any(|change| change.path == **path && is_left_for_its_meaning(change))
                    && found.keys().any(|difference| is_below(difference, path)))
                || found.iter().any(|(difference, is_whole)| *is_whole && is_below(path, difference));
            prop_assert!(is_found, "{path} is no difference: {found:#?}");
        }
    }

    #[test]
    fn changes_of_different_things_may_come_from_either_side(
        one in edits(5), other in edits(5), styles in [style(), style(), style()]
    ) {
        let (one, base, other) = (edited_by(&one), Element::shipped(), edited_by(&other));
        let files = [one.write(styles[0]), base.write(styles[1]), other.write(styles[2])];
        let [there, back] = [merge_of(&files[0], &files[1], &files[2])?, merge_of(&files[2], &files[1], &files[0])?];
        let is_made = |change: &Change| change.fate.carries() || change.fate == Fate::AlreadySo;
        let is_free = |merged: &Merged| merged.changes.iter().all(is_made);
        // What both add is one element in either.
        if is_free(&there) && is_free(&back) {
            let [there, back] = [there, back].map(|merged| Element::read(merged.document.bytes()).sorted());
            let difference = difference(&there, &back);
            prop_assert!(difference.is_empty(), "{difference}");
        }
    }

    #[test]
    fn lines_that_no_change_names_are_the_new_files(old in edits(6), new in edits(4), styles in [style(), style()]) {
        let (old, base, new) = (edited_by(&old), Element::shipped(), edited_by(&new));
        let new = new.write(styles[1]);
        let merged = merge_of(&old.write(styles[0]), &base.write(PLAIN), &new)?;
        let is_small = |change: &Change| change.fate != Fate::Removed && !change.path.contains("(order)");
        if merged.changes.iter().all(is_small) {
            let lines = |bytes: &[u8]| -> Vec<String> {
                parsed(bytes).text().split_inclusive('\n').map(str::to_owned).collect()
            };
            let (before, after) = (lines(&new), lines(merged.document.bytes()));
            let (before, after): (Vec<_>, Vec<_>) =
                (before.iter().map(String::as_str).collect(), after.iter().map(String::as_str).collect());
            let diff = similar::TextDiff::from_slices(&before, &after);
            let gone = diff.iter_all_changes().filter(|change| change.tag() == similar::ChangeTag::Delete).count();
            let carried = merged.changes.iter().filter(|change| change.fate.carries()).count();
            // An element that gets its first child, or a text of several lines, changes two lines of its own.
            prop_assert!(gone <= 2 * carried, "{gone} lines for {carried} changes");
        }
    }
}

/// The tree with the children sorted whose order means nothing.
fn in_meant_order(element: Element, depth: usize) -> Element {
    let is_settings = matches!(element.tag.as_str(), "appSettings" | "applicationSettings");
    if is_settings {
        return element.sorted();
    }
    let children = element.children.into_iter().map(|child| in_meant_order(child, depth + 1)).collect();
    let mut element = Element { children, ..element };
    if depth < 2 {
        element.children.sort_by_key(Element::step);
    }
    element
}
