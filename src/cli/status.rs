//! `status`: shows the last run, or all runs. It reads only files and never takes the lock.

use super::console::Console;
use super::ending::{CommandContext, Ending};
use super::fault::CommandError;
use super::machine::{Machine, Purpose};
use super::options::{Global, StatusArgs};
use crate::engine::EngineError;
use crate::exit::Exit;
use crate::journal::RecordedRun;
use crate::report::status::{RunStatus, Status};
use crate::report::text;

pub(super) fn status(args: &StatusArgs, global: &Global, talk: &Console) -> Result<Ending, CommandError> {
    let machine = Machine::open(global, Purpose::Earlier, talk)?;
    let scene = CommandContext { global, talk, machine: &machine };
    let engine = machine.engine();
    let at_work = engine.at_work();
    let mut runs = engine.each_run()?.into_iter().enumerate();
    let mut shown = Vec::new();
    let mut ending = Ending::new(Exit::Done);
    while let Some((number, (id, found))) = runs.next().filter(|(number, _)| args.all || *number == 0) {
        // Only the last run can be continued.
        let is_last = number == 0;
        let run = match found {
            Ok(found) => scene.stands(&found, is_last, is_last && at_work.is_some()),
            Err(error) if !args.all => return Err(error.into()),
            Err(error) => {
                ending.exit = Exit::Damaged;
                damaged(id, error)
            }
        };
        if is_last || run.state == "damaged" {
            (ending.next, ending.or) = (run.next.clone(), run.or.clone());
        }
        shown.push(run);
    }
    if shown.is_empty() {
        let none = CommandError::usage("there is no run on this server").next("start one: pfupgrade run");
        return Err(match &at_work {
            Some(owner) => CommandError::usage(format!("there is no run on this server yet; {owner} is running"))
                .next("wait until it has started"),
            None => none,
        });
    }
    let status = Status { format: 1, kind: "status", at_work, runs: shown };
    talk.document(&status);
    match (talk.json, args.all) {
        (true, _) => {}
        (false, false) => talk.result(&text::status(&status, talk.width())),
        (false, true) => talk.result(&text::all_runs(&status, talk.width())),
    }
    Ok(ending)
}

fn damaged(id: String, error: EngineError) -> RunStatus {
    let run = RunStatus::damaged(id, &error);
    RunStatus { next: CommandError::from(error).next, ..run }
}

impl CommandContext<'_> {
    /// The status of a run, with the commands that continue it.
    pub(super) fn stands(&self, found: &RecordedRun, is_last: bool, at_work: bool) -> RunStatus {
        let run = RunStatus::of(found, at_work);
        let (next, or) = match (is_last, at_work) {
            (false, _) => return run,
            (true, true) => ("wait until that process has ended".to_owned(), String::new()),
            (true, false) => self.goes_on(&found.state),
        };
        RunStatus { next, or, ..run }
    }
}
