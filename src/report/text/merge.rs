//! The merge of a web.config: what became of every old value, and the difference it makes to the new file.

use super::page::{CYAN, DIM, GREEN, PLAIN, Page, RED, YELLOW};
use crate::step::MergePreview;
use crate::webconfig::{Change, Fate, LineKind, Shown, Side};

pub(super) fn merge(page: &mut Page, merge: &MergePreview) {
    page.line(5, "merges ", CYAN, &merge.file, PLAIN);
    if merge.changes.is_empty() {
        page.words(7, "The old file differs in nothing from the one that was shipped.");
    }
    for change in &merge.changes {
        one_change(page, change);
    }
    if merge.diff.is_empty() {
        return;
    }
    let heading = match merge.estimate {
        true => "estimated on the old file as shipped (-), with the same values carried into it (+):",
        false => "the new file as shipped (-) and as it will be (+):",
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
    let (word, style, account) = match &change.fate {
        Fate::Carried if change.result == Shown::Masked => {
            ("carried", GREEN, "the old value, which is not shown".to_owned())
        }
        Fate::Carried => ("carried", GREEN, format!("{result} in place of {new}")),
        Fate::Added => ("added", GREEN, result),
        Fate::Removed => ("removed", GREEN, format!("{new}, as in the old file")),
        Fate::Conflict { taken: None } => {
            ("conflict", RED, format!("{old} in the old file, {new} in the new one, which stays: decide which holds"))
        }
        Fate::Conflict { taken: Some(side) } => {
            let which = if *side == Side::Old { "old" } else { "new" };
            ("conflict", YELLOW, format!("{old} in the old file, {new} in the new one: the {which} one is kept"))
        }
        Fate::AlreadySo => ("already so", GREEN, result),
        Fate::Rewritten { why } => ("rewritten", GREEN, format!("{old} becomes {result}: {why}")),
        Fate::Superseded { why } => ("superseded", DIM, format!("{old} gives way to {new}: {why}")),
        Fate::Reported { why } => ("by hand", YELLOW, format!("{old} is not carried over, {new} stays: {why}")),
    };
    page.line(7, &format!("{word:<12}"), style, &change.path, PLAIN);
    page.line(19, "", PLAIN, &account, PLAIN);
}

fn value(shown: &Shown) -> String {
    match shown {
        Shown::Plain(text) => format!("\"{text}\""),
        Shown::Absent | Shown::Masked => shown.to_string(),
    }
}
