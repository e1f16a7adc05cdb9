#![allow(clippy::unwrap_used)]

mod against_git;
mod collections;
mod decisions;
mod in_the_wild;
mod lists;
mod masking;
mod meaning;
mod merging;
mod model;
mod outside;
mod outside_values;
mod properties;
mod reading;
mod reference;
mod samples;
mod wraps;

use super::*;
use std::collections::BTreeMap;

fn parsed(bytes: impl Into<Vec<u8>>) -> Document {
    Document::parse(bytes.into(), "web.config").unwrap()
}

fn keep() -> Rules {
    Rules::default()
}

fn renaming() -> Rules {
    let (old, new) = ("PhoneFactorWebServiceSdk".to_owned(), "MultiFactorAuthWebServiceSdk".to_owned());
    Rules { sdk_url: SdkUrlRule::ReplaceDirectory { old, new }, ..keep() }
}

fn merged(old: &str, base: Option<&str>, new: &str, rules: &Rules) -> (String, Vec<Change>) {
    let (old, base, new) = (parsed(old), base.map(parsed), parsed(new));
    let merged = merge(&Sources { old: &old, base: base.as_ref(), new: &new }, rules).unwrap();
    (String::from_utf8(merged.document.bytes().to_vec()).unwrap(), merged.changes)
}

fn fate<'a>(changes: &'a [Change], path: &str) -> &'a Fate {
    let mut found = changes.iter().filter(|change| change.path == path);
    let fate = &found.next().unwrap_or_else(|| unreachable!("no change at {path} in {changes:#?}")).fate;
    assert!(found.next().is_none(), "{path} is told twice");
    fate
}

fn is_reported(changes: &[Change], path: &str) -> bool {
    matches!(fate(changes, path), Fate::Reported { .. })
}

fn is_superseded(changes: &[Change], path: &str) -> bool {
    matches!(fate(changes, path), Fate::Superseded { .. })
}

/// A configuration around `inner`.
fn configuration(inner: &str) -> String {
    format!("<configuration>\n{inner}\n</configuration>\n")
}
