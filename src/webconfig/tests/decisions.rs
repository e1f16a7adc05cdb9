//! Conflicts that somebody has decided, one by one.

use super::*;

const PATHS: [&str; 5] = [
    "appSettings/a",
    "system.web/pages/add[n]/@v",
    "system.web/customErrors/@mode",
    "system.web/trace",
    "system.web/note/text()",
];

/// A file with five values that can be in conflict; without `trace` where its value is empty.
fn five(values: [&str; 5]) -> String {
    let [key, attribute, mode, trace, text] = values;
    let trace = if trace.is_empty() { String::new() } else { format!("<trace enabled='{trace}'/>") };
    configuration(&format!(
        "<appSettings><add key='a' value='{key}'/></appSettings><system.web><pages><add name='n' v='{attribute}'/>\
         </pages><customErrors mode='{mode}'/>{trace}<note>{text}</note></system.web>"
    ))
}

fn strict(decisions: &[(&str, Side)]) -> Rules {
    let decisions = decisions.iter().map(|(path, side)| ((*path).to_owned(), *side)).collect();
    Rules { strict: true, decisions, ..keep() }
}

#[test]
fn each_conflict_is_decided_by_its_path_and_the_others_are_left() {
    let (base, old, new) = (five(["1"; 5]), ["2", "2", "2", "", "2"], ["3"; 5]);
    let (_, changes) = merged(&five(old), Some(&base), &five(new), &strict(&[]));
    assert_eq!(changes.iter().filter(|change| change.is_undecided()).count(), PATHS.len(), "{changes:#?}");
    for (at, path) in PATHS.into_iter().enumerate() {
        let rules = strict(&[(path, Side::Old)]);
        let (result, changes) = merged(&five(old), Some(&base), &five(new), &rules);
        let mut expected = new;
        expected[at] = old[at];
        assert_eq!(result, five(expected), "{path}");
        assert_eq!(fate(&changes, path), &Fate::Conflict { taken: Some(Side::Old) });
        assert_eq!(changes.iter().filter(|change| change.is_undecided()).count(), PATHS.len() - 1);
        let new_side = Rules { on_conflict: OnConflict::KeepOld, ..strict(&[(path, Side::New)]) };
        let mut expected = old;
        expected[at] = new[at];
        assert_eq!(merged(&five(old), Some(&base), &five(new), &new_side).0, five(expected), "{path}");
    }
}

#[test]
fn decisions_that_decide_nothing_are_named() {
    let (base, old, new) = (parsed(five(["1"; 5])), parsed(five(["2", "1", "1", "1", "1"])), parsed(five(["3"; 5])));
    let rules = strict(&[("appSettings/a", Side::Old), ("appSettings/b", Side::Old), (PATHS[1], Side::New)]);
    let merged = merge(&Sources { old: &old, base: Some(&base), new: &new }, &rules).unwrap();
    assert_eq!(merged.unused_decisions(&rules), ["appSettings/b", PATHS[1]]);
}

#[test]
fn no_two_differences_have_one_path() {
    let of = |one: &str, other: &str| {
        configuration(&format!(
            "<system.web><l><p:add xmlns:p='urn:p' name='n' v='{one}'/><add name='n' v='{other}' p:v='{one}' \
             xmlns:p='urn:p'/></l></system.web>"
        ))
    };
    let (_, changes) = merged(&of("2", "2"), Some(&of("1", "1")), &of("1", "1"), &keep());
    let mut paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths.len(), 3, "{paths:?}");
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), 3, "{paths:?}");
}

#[test]
fn rules_without_decisions_are_stored_as_before() {
    let json = serde_json::to_string(&keep()).unwrap();
    assert!(!json.contains("decisions"));
    assert_eq!(serde_json::from_str::<Rules>(&json).unwrap(), keep());
    let decided = strict(&[("a", Side::Old)]);
    let json = serde_json::to_string(&decided).unwrap();
    assert!(json.contains(r#""decisions":{"a":"old"}"#), "{json}");
    assert_eq!(serde_json::from_str::<Rules>(&json).unwrap(), decided);
}
