//! The log file: every event as a line of JSON.

use super::fault::CommandError;
use super::options::Global;
use crate::engine::Event;
use anyhow::Context;
use std::fs::File;
use tracing::{debug, error, info, level_filters::LevelFilter};

/// Starts logging events to the file of `--log-file`.
pub(super) fn start(global: &Global) -> Result<(), CommandError> {
    let Some(path) = &global.log_file else { return Ok(()) };
    let file = File::options().create(true).append(true).open(path);
    let file = file.with_context(|| format!("could not open the log file {}", path.display()))?;
    let level = if global.verbose { LevelFilter::DEBUG } else { LevelFilter::INFO };
    let log = tracing_subscriber::fmt().json().flatten_event(true).with_max_level(level).with_writer(file).finish();
    tracing::subscriber::set_global_default(log).context("could not start the log")?;
    Ok(())
}

/// Logs how a command ended.
pub(super) fn ended(exit_code: i32, error: &str, next: &str) {
    match error {
        "" => info!(exit_code, next, "ended"),
        error => error!(exit_code, error, next, "ended"),
    }
}

/// Logs an event; operations and notes only with `-v`.
pub(super) fn event(event: &Event) {
    match event {
        Event::Started { run, steps, notes } => info!(run, steps, ?notes, "started"),
        Event::Step { number, step, title } => info!(number, step = step.as_str(), title, "step"),
        Event::Operation { step, text } => debug!(step = step.as_str(), text, "operation"),
        Event::Bytes { .. } | Event::Action { .. } => {}
        Event::Note { text } => debug!(text, "note"),
        Event::StepDone { step, how } => info!(step = step.as_str(), how, "step is over"),
        Event::Gate { gate } => info!(gate = gate.id, title = gate.title, "gate"),
        Event::Answered { gate, by, .. } => info!(gate, by, "answered"),
        Event::Undo { number, of, text } => info!(number, of, text, "undo"),
    }
}
