//! `report`: the evidence of a run. Reads its journal, and takes no lock.

use super::console::Console;
use super::ending::Ending;
use super::fault::CommandError;
use super::machine::{Machine, Purpose};
use super::options::{Form, Global, ReportArgs};
use crate::exit::Exit;
use crate::journal::RecordedRun;
use crate::report::evidence::Evidence;
use crate::report::json;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

pub(super) fn report(args: &ReportArgs, global: &Global, talk: &Console) -> Result<Ending, CommandError> {
    let machine = Machine::open(global, Purpose::Earlier, talk)?;
    let found = find(&machine, args.run.as_deref())?;
    let evidence = Evidence::of(&found, machine.as_simulated().is_some());
    let form = if talk.json { Form::Json } else { args.format };
    let text = match form {
        Form::Html => evidence.html(),
        Form::Markdown => evidence.markdown(),
        Form::Json => json::line(&evidence).map_err(anyhow::Error::from)? + "\n",
    };
    // Where the report goes into a file of its own, stdout stays free of it.
    if !talk.json || args.output.is_none() {
        talk.document(&evidence);
    }
    match &args.output {
        None if talk.json => {}
        None => talk.result(&text),
        Some(file) => {
            save(file, &text)?;
            talk.say(&format!("The report of the run {} is in {}", evidence.run, file.display()));
        }
    }
    Ok(Ending::new(Exit::Done))
}

/// The run of an id, or the last one.
fn find(machine: &Machine, id: Option<&str>) -> Result<RecordedRun, CommandError> {
    let engine = machine.engine();
    let none = || CommandError::usage("there is no run to report").next("`pfupgrade run` with the plan begins one");
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

/// Writes a report to a file that must not be there yet: evidence is not overwritten.
fn save(path: &Path, text: &str) -> Result<(), CommandError> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all())).map_err(|error| {
        CommandError::usage(format!("could not write the report to {}: {error}", path.display()))
            .next("name a file that does not exist yet, in a folder that does")
    })
}
