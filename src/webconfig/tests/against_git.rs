//! The merge against `git merge-file`: where edits of different lines merge cleanly, both say the same.

use super::{model::*, reference::*};
use proptest::prelude::*;
use std::{collections::HashSet, fs, process::Command};

/// What git makes of three files; `None` where it finds a conflict.
fn by_lines(old: &[u8], base: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("old", old), ("base", base), ("new", new)] {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let mut git = Command::new("git");
    git.args(["merge-file", "--stdout", "--quiet", "new", "base", "old"]).current_dir(folder.path());
    let output = git.output().expect("git is on the machine");
    output.status.success().then_some(output.stdout)
}

/// Whether an element is there twice, as it is where both sides add it at different lines.
fn has_doubles(element: &Element) -> bool {
    let mut seen = HashSet::new();
    element.children.iter().any(|child| !seen.insert(child.step()) || has_doubles(child))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_git_merges_by_lines_means_the_same(old in edits(4), new in edits(4)) {
        let (old, base, new) = (edited_by(&old), Element::shipped(), edited_by(&new));
        let files = [old.write(PLAIN), base.write(PLAIN), new.write(PLAIN)];
        let Some(by_lines) = by_lines(&files[0], &files[1], &files[2]) else { return Ok(()) };
        let Ok(text) = String::from_utf8(by_lines.clone()) else { return Ok(()) };
        if roxmltree::Document::parse(&text).is_err() {
            return Ok(());
        }
        let by_lines = Element::read(&by_lines);
        if has_doubles(&by_lines) {
            return Ok(());
        }
        let merged = merge_of(&files[0], &files[1], &files[2])?;
        // Lines know no meaning.
        prop_assume!(!merged.changes.iter().any(is_left_for_its_meaning));
        let own = |element: Element| without_own(&element, "").unwrap().sorted();
        let difference = difference(&own(Element::read(merged.document.bytes())), &own(by_lines));
        prop_assert!(difference.is_empty(), "{difference}{:#?}", merged.changes);
    }
}
