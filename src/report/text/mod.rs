//! Text for people. It is always styled; the caller strips the styles if they are not wanted.

mod merge;
mod package;
mod page;
mod preview;
mod status;
mod summary;

pub use package::{Signed, package};
pub use page::columns;
pub use preview::preview;
pub use status::{all_runs, moment, status};
pub use summary::summary;

use crate::platform::op::Gate;
use crate::step::MergePreview;
use anstyle::Style;
use page::{BOLD, PLAIN, Page};
use std::time::Duration;

/// A gate with its instructions.
pub fn gate(gate: &Gate, width: usize) -> String {
    let mut page = Page::new(width);
    page.line(0, &format!("manual step {}: ", gate.id), BOLD, &gate.title, PLAIN);
    instructions(&mut page, 2, &gate.instructions);
    page.into_text()
}

/// A merge of two files.
pub fn merge(preview: &MergePreview, width: usize) -> String {
    let mut page = Page::new(width);
    merge::merge(&mut page, preview);
    page.into_text()
}

/// Text beside a label, with a hanging indent.
pub fn hanging(label: &str, style: Style, words: &str, width: usize) -> String {
    let mut page = Page::new(width);
    page.line(0, label, style, words, PLAIN);
    page.into_text()
}

/// Why Windows must be restarted now, in sentences. Without `files`, an installer wants it.
pub fn why_restart(files: &[String]) -> String {
    match files {
        [] => "An installer has started a restart of Windows, or requires one. Nothing else is begun before it."
            .to_owned(),
        files => {
            let files = files.join(", ");
            format!("The next restart of Windows replaces files in folders that later steps write to: {files}.")
        }
    }
}

fn instructions(page: &mut Page, indent: usize, instructions: &[String]) {
    for (number, instruction) in instructions.iter().enumerate() {
        page.line(indent, &format!("{}) ", number + 1), PLAIN, instruction, PLAIN);
    }
}

/// A number of bytes in words: `12 bytes`, `3.4 GiB`.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut tenths = u128::from(number) * 10;
    let mut unit = "bytes";
    for next in UNITS {
        // 1024.0 is shown as 1.0 of the next unit.
        if tenths < 10240 - if unit == "bytes" { 0 } else { 5 } {
            break;
        }
        (tenths, unit) = ((tenths + 512) / 1024, next);
    }
    match unit {
        "bytes" => format!("{} bytes", tenths / 10),
        unit => format!("{}.{} {unit}", tenths / 10, tenths % 10),
    }
}

/// A duration in words: `42 s`, `3 min 07 s`, `1 h 02 min`.
pub fn elapsed(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Truncates a text to a number of columns, with `...` at the end.
pub fn cut(text: &str, room: usize) -> String {
    if columns(text) <= room {
        return text.to_owned();
    }
    let mut begin = String::new();
    for c in text.chars() {
        begin.push(c);
        if columns(&begin) > room.saturating_sub(3) {
            begin.pop();
            break;
        }
    }
    format!("{}...", begin.trim_end())
}

/// How a step ended, from the word that the journal has for it.
pub fn outcome(how: &str) -> &str {
    if how == "already so" { "no change needed" } else { how }
}

/// `1 step`, `3 steps`.
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
