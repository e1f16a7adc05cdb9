//! The status of runs, as text.

use super::page::{BOLD, DIM, GREEN, PLAIN, Page, RED, YELLOW};
use super::{elapsed, instructions};
use crate::report::status::{Happened, RunStatus, Status};
use anstyle::Style;
use jiff::Timestamp;
use std::time::Duration;

/// One run in detail.
pub fn status(status: &Status, width: usize) -> String {
    let mut page = Page::new(width);
    for run in &status.runs {
        one(&mut page, run, status);
    }
    page.into_text()
}

/// All runs, a few lines each.
pub fn all_runs(status: &Status, width: usize) -> String {
    let mut page = Page::new(width);
    for run in &status.runs {
        page.line(0, &format!("{}  ", run.run), BOLD, &run.says, style(run.state));
        let facts = [
            run.ticket.as_ref().map(|ticket| format!("ticket {ticket}")),
            run.user.as_ref().map(|user| format!("by {user}")),
            (run.steps > 0).then(|| format!("{} of {} steps", run.done, run.steps)),
            run.latest.map(|latest| format!("last record {}", moment(latest))),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        if !facts.is_empty() {
            page.line(2, "", PLAIN, &facts.join(", "), DIM);
        }
    }
    page.into_text()
}

fn one(page: &mut Page, run: &RunStatus, status: &Status) {
    let machine = run.machine.iter().map(|machine| format!(" on {machine}")).collect::<String>();
    page.line(0, &format!("Run {}{machine}: ", run.run), BOLD, &run.says, style(run.state));
    page.blank();
    let by = run.user.iter().map(|user| format!(", by {user}")).collect::<String>();
    let outage = match (run.outage_begun, run.outage_ms) {
        (Some(_), Some(taken)) => Some(elapsed(Duration::from_millis(taken.unsigned_abs()))),
        (Some(begun), None) => Some(format!("since {}, ongoing", moment(begun))),
        _ => None,
    };
    // After a rollback, the number of steps done says nothing.
    let steps = (run.state != "rolled-back").then(|| format!("{} of {} done", run.done, run.steps));
    let facts = [
        ("process ", status.at_work.as_ref().map(ToString::to_string)),
        ("plan    ", run.plan.clone()),
        ("ticket  ", run.ticket.clone()),
        ("started ", run.begun.map(|begun| format!("{}{by}", moment(begun)))),
        ("steps   ", steps),
        ("outage  ", outage),
        ("backups ", run.backup.clone()),
        ("journal ", run.journal.clone()),
    ];
    for (label, fact) in facts {
        if let Some(fact) = fact {
            page.line(2, label, DIM, &fact, PLAIN);
        }
    }
    page.heading("What happened");
    happened(page, &run.happened);
    if let Some(gate) = &run.gate {
        page.blank();
        page.line(0, &format!("manual step {}: ", gate.id), BOLD, &gate.title, PLAIN);
        instructions(page, 2, &gate.instructions);
    }
}

fn happened(page: &mut Page, all: &[Happened]) {
    let mut day = String::new();
    for happened in all {
        let (on, at) = (happened.time.strftime("%Y-%m-%d").to_string(), happened.time.strftime("%H:%M:%S"));
        if on != day {
            page.line(2, "", PLAIN, &format!("{on} (UTC)"), DIM);
            day = on;
        }
        let style = if happened.matters { YELLOW } else { PLAIN };
        page.line(2, &format!("{at}  "), DIM, &happened.text, style);
    }
}

/// A time in words.
pub fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn style(state: &str) -> Style {
    match state {
        "finished" | "rolled-back" => GREEN,
        "failed" | "damaged" => RED,
        "at-work" => PLAIN,
        _ => YELLOW,
    }
}
