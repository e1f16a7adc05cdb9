//! Two web.configs side by side, with nothing in it that must not be seen.

use crate::webconfig::Document;
use std::time::Duration;

/// One line of a diff.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DiffLine {
    /// Whose line it is.
    pub kind: LineKind,
    /// The line without its end; empty for a gap.
    pub text: String,
}

/// Whose line a [`DiffLine`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// In both files.
    Context,
    /// In the old file only.
    Removed,
    /// In the new file only.
    Added,
    /// Lines of both files are left out here.
    Gap,
}

/// The differences of two files line by line, with `context` equal lines around each. Line ends do not count.
/// Secrets are masked before the lines are compared; one that differs shows as a difference all the same.
pub fn masked_diff(old: &Document, new: &Document, context: usize) -> Vec<DiffLine> {
    let (old, new) = super::mask::masked(old, new);
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let line = |kind, text: &str| DiffLine { kind, text: text.to_owned() };
    let mut lines = Vec::new();
    let (mut shown, total) = (0, old.len());
    // Files of thousands of lines with nothing in common would take minutes. When time is up the diff is longer than it
    // need be, never wrong.
    let diff = similar::TextDiff::configure().timeout(Duration::from_secs(5)).diff_slices(&old, &new);
    for group in diff.grouped_ops(context) {
        for op in group {
            let (tag, before, after) = op.as_tag_tuple();
            if before.start > shown {
                lines.push(line(LineKind::Gap, ""));
            }
            shown = before.end;
            if tag == similar::DiffTag::Equal {
                lines.extend(old[before].iter().map(|text| line(LineKind::Context, text)));
            } else {
                lines.extend(old[before].iter().map(|text| line(LineKind::Removed, text)));
                lines.extend(new[after].iter().map(|text| line(LineKind::Added, text)));
            }
        }
    }
    if shown < total && !lines.is_empty() {
        lines.push(line(LineKind::Gap, ""));
    }
    lines
}
