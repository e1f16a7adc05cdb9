//! The merge of a web.config: what becomes of every old value, and a diff of the new file.

use super::page::{CYAN, DIM, GREEN, PLAIN, Page, RED, YELLOW};
use crate::step::MergePreview;
use crate::webconfig::{Change, Fate, LineKind, Shown, Side};

pub(super) fn merge(page: &mut Page, merge: &MergePreview) {
    page.line(5, "merges ", CYAN, &merge.file, PLAIN);
    if merge.changes.is_empty() {
        page.words(7, "No customizations found.");
    }
    for change in &merge.changes {
        one_change(page, change);
    }
    if merge.diff.is_empty() {
        return;
    }
    let heading = match merge.estimate {
        true => "expected, based on the old file as shipped (-) with the same values migrated (+):",
        false => "the new file as shipped (-) and after the merge (+):",
    };
    page.line(5, "", PLAIN, heading, CYAN);
    for line in &merge.diff {
        match line.kind {
            LineKind::Context => page.verbatim(5, "  ", &line.text, DIM),
            LineKind::Removed => page.verbatim(5, "- ", &line.text, RED),
            LineKind::Added => page.verbatim(5, "+ ", &line.text, GREEN),
            LineKind::Gap => page.verbatim(5, "  ", "...", DIM),
        }
    }
}

fn one_change(page: &mut Page, change: &Change) {
    let (old, new, result) = (value(&change.old), value(&change.new), value(&change.result));
    let (word, style, outcome) = match &change.fate {
        Fate::Carried if change.result == Shown::Masked => ("migrated", GREEN, "the old value (not shown)".to_owned()),
        Fate::Carried => ("migrated", GREEN, format!("{result}, instead of {new}")),
        Fate::Added => ("added", GREEN, result),
        Fate::Removed => ("removed", GREEN, format!("{new}, as in the old file")),
        Fate::Conflict { taken: None } => (
            "conflict",
            RED,
            format!("{old} in the old file, {new} in the new one, which is kept: decide which one to use"),
        ),
        Fate::Conflict { taken: Some(side) } => {
            let which = if *side == Side::Old { "old" } else { "new" };
            ("conflict", YELLOW, format!("{old} in the old file, {new} in the new one: the {which} one is kept"))
        }
        Fate::AlreadySo => ("no change", GREEN, result),
        Fate::Rewritten { why } => ("rewritten", GREEN, format!("{old} becomes {result}: {why}")),
        Fate::Superseded { why } => ("superseded", DIM, format!("{old} is replaced by {new}: {why}")),
        Fate::Reported { why } => ("not migrated", YELLOW, format!("{old}, {new} is kept: {why}")),
    };
    page.line(7, &format!("{word:<14}"), style, &change.path, PLAIN);
    page.line(21, "", PLAIN, &outcome, PLAIN);
}

fn value(shown: &Shown) -> String {
    match shown {
        Shown::Plain(text) => format!("\"{text}\""),
        Shown::Absent | Shown::Masked => shown.to_string(),
    }
}
