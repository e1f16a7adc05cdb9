//! `report`: the change report of a run. It reads the journal and takes no lock.

use super::console::Console;
use super::ending::Ending;
use super::fault::CommandError;
use super::machine::{Machine, Purpose};
use super::options::{Form, Global, ReportArgs};
use crate::exit::Exit;
use crate::journal::RecordedRun;
use crate::report::change::ChangeReport;
use crate::report::json;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

pub(super) fn report(args: &ReportArgs, global: &Global, talk: &Console) -> Result<Ending, CommandError> {
    let machine = Machine::open(global, Purpose::Earlier, talk)?;
    let found = find(&machine, args.run.as_deref())?;
    let report = ChangeReport::of(&found, machine.as_simulated().is_some());
    let form = if talk.json { Form::Json } else { args.format };
    let text = match form {
        Form::Html => report.html(),
        Form::Markdown => report.markdown(),
        Form::Json => json::line(&report).map_err(anyhow::Error::from)? + "\n",
    };
    // If the report goes to a file, it is not printed.
    if !talk.json || args.output.is_none() {
        talk.document(&report);
    }
    match &args.output {
        None if talk.json => {}
        None => talk.result(&text),
        Some(file) => {
            save(file, &text)?;
            talk.say(&format!("Wrote the report of run {} to {}", report.run, file.display()));
        }
    }
    Ok(Ending::new(Exit::Done))
}

/// The run with an ID, or the last one.
fn find(machine: &Machine, id: Option<&str>) -> Result<RecordedRun, CommandError> {
    let engine = machine.engine();
    let none = || CommandError::usage("there is no run to report").next("start one: pfupgrade run");
    let Some(id) = id else { return engine.last_run()?.ok_or_else(none) };
    let mut runs = engine.each_run()?;
    if runs.is_empty() {
        return Err(none());
    }
    match runs.iter().position(|(known, _)| known == id) {
        Some(at) => Ok(runs.swap_remove(at).1?),
        None => {
            let ids: Vec<&str> = runs.iter().map(|(id, _)| id.as_str()).collect();
            Err(CommandError::usage(format!("there is no run {id}")).next(format!("the runs are: {}", ids.join(", "))))
        }
    }
}

/// Writes a report to a new file: reports are never overwritten.
fn save(path: &Path, text: &str) -> Result<(), CommandError> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all())).map_err(|error| {
        CommandError::usage(format!("could not write the report to {}: {error}", path.display()))
            .next("specify a new file in an existing folder")
    })
}
