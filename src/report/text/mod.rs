//! Text for people. It is always styled; whoever prints it takes the styles out where they are not wanted.

mod merge;
mod page;
mod preview;
mod summary;
#[cfg(test)]
mod tests;

pub use preview::preview;
pub use summary::summary;

use crate::platform::op::Gate;
use page::{BOLD, PLAIN, Page};

/// What a gate asks, with how it is done.
pub fn gate(gate: &Gate, width: usize) -> String {
    let mut page = Page::new(width);
    page.line(0, &format!("gate {}: ", gate.id), BOLD, &gate.title, PLAIN);
    instructions(&mut page, 2, &gate.instructions);
    page.into_text()
}

fn instructions(page: &mut Page, indent: usize, instructions: &[String]) {
    for (number, instruction) in instructions.iter().enumerate() {
        page.line(indent, &format!("{}) ", number + 1), PLAIN, instruction, PLAIN);
    }
}

/// `1 step`, `3 steps`.
fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
