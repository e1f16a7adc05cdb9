//! The summary at the end of a run.

use super::page::{DIM, GREEN, PLAIN, Page, YELLOW};
use super::{count, elapsed, outcome};
use crate::report::summary::Summary;
use std::time::Duration;

/// What was done, what is left to do, where the backups are, and how to roll back: `rollback` is that command.
pub fn summary(summary: &Summary, rollback: &str, width: usize) -> String {
    let mut page = Page::new(width);
    let done = summary.steps.iter().filter(|step| step.how == "done").count();
    page.line(0, "", PLAIN, &format!("Run {} on {} is finished.", summary.run, summary.machine), GREEN.bold());
    if let Some(outage) = summary.outage_ms {
        page.words(0, &format!("The outage lasted {}.", elapsed(Duration::from_millis(outage.unsigned_abs()))));
    }
    page.heading(&format!("What was done: {}", count(done, "step")));
    for step in &summary.steps {
        match step.how.as_str() {
            "done" => page.line(2, "- ", DIM, &step.title, PLAIN),
            how => page.line(2, "- ", DIM, &format!("{} ({})", step.title, outcome(how)), PLAIN),
        }
    }
    if !summary.gates.is_empty() {
        page.heading("Manual steps");
        for gate in &summary.gates {
            page.line(2, "- ", DIM, &gate.text, PLAIN);
        }
    }
    page.heading("Left to do by hand");
    if summary.by_hand.is_empty() {
        page.words(2, "Nothing is known to be left.");
    }
    for left in &summary.by_hand {
        page.line(2, "- ", YELLOW, &left.title, PLAIN);
        for line in &left.lines {
            page.line(6, "", PLAIN, line, DIM);
        }
    }
    page.heading("Files");
    page.line(2, "backups   ", DIM, &summary.backup, PLAIN);
    if let Some(name) = &summary.web_server_backup {
        page.line(2, "IIS       ", DIM, &format!("configuration backup {name}, with all sites"), PLAIN);
    }
    page.line(2, "journal   ", DIM, &summary.journal, PLAIN);
    page.line(2, "roll back ", DIM, rollback, PLAIN);
    page.into_text()
}
