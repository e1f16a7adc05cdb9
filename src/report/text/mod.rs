//! Text for people. It is always styled; whoever prints it takes the styles out where they are not wanted.

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

/// What a gate asks, with how it is done.
pub fn gate(gate: &Gate, width: usize) -> String {
    let mut page = Page::new(width);
    page.line(0, &format!("gate {}: ", gate.id), BOLD, &gate.title, PLAIN);
    instructions(&mut page, 2, &gate.instructions);
    page.into_text()
}

/// A merge of two files on their own.
pub fn merge(preview: &MergePreview, width: usize) -> String {
    let mut page = Page::new(width);
    merge::merge(&mut page, preview);
    page.into_text()
}

/// Words behind a label, below which nothing is written.
pub fn hanging(label: &str, style: Style, words: &str, width: usize) -> String {
    let mut page = Page::new(width);
    page.line(0, label, style, words, PLAIN);
    page.into_text()
}

fn instructions(page: &mut Page, indent: usize, instructions: &[String]) {
    for (number, instruction) in instructions.iter().enumerate() {
        page.line(indent, &format!("{}) ", number + 1), PLAIN, instruction, PLAIN);
    }
}

/// A number of bytes as people say it: `12 bytes`, `3.4 GiB`.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut tenths = u128::from(number) * 10;
    let mut unit = "bytes";
    for next in UNITS {
        // What would be shown as 1024.0 is shown as 1.0 of the next unit.
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

/// A time as people say it, in seconds: `42 s`, `3 min 07 s`, `1 h 02 min`.
pub fn elapsed(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The beginning of a text that takes at most so many columns, with `...` where something is left out.
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

/// `1 step`, `3 steps`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
