//! `status`: where the last run stands, or all of them. Looks at the machine's files only, and never takes the lock.

use super::ending::{Ending, RESTART_AT_END, Scene, after_restart, then};
use super::fault::Fault;
use super::machine::{Machine, Purpose};
use super::options::{Global, StatusArgs};
use super::talk::Talk;
use crate::engine::{EngineError, Found};
use crate::exit::Exit;
use crate::report::status::{RunStatus, Status};
use crate::report::story::{Stands, Story};
use crate::report::text;

pub(super) fn status(args: &StatusArgs, global: &Global, talk: &Talk) -> Result<Ending, Fault> {
    let machine = Machine::open(global, Purpose::Earlier, talk)?;
    let scene = Scene { global, talk, machine: &machine };
    let engine = machine.engine();
    let at_work = engine.at_work();
    let mut runs = engine.each_run()?.into_iter().enumerate();
    let mut shown = Vec::new();
    let mut ending = Ending::new(Exit::Done);
    while let Some((number, (id, found))) = runs.next().filter(|(number, _)| args.all || *number == 0) {
        // Only the last run can be worked on.
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
        let none = Fault::usage("there is no run on this machine").next("`pfupgrade run` with the plan begins one");
        return Err(match &at_work {
            Some(owner) => Fault::usage(format!("there is no run on this machine yet; at work is {owner}"))
                .next("wait until it has begun"),
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
    RunStatus { next: Fault::from(error).next, ..run }
}

impl Scene<'_> {
    /// Where a run stands, with the commands that go on with it.
    fn stands(&self, found: &Found, is_last: bool, at_work: bool) -> RunStatus {
        let story = Story::of(found);
        let run = RunStatus::of(found, &story, at_work);
        if !is_last {
            return run;
        }
        let (next, or) = match at_work {
            true => ("wait until that process has ended".to_owned(), String::new()),
            false => self.goes_on(&story),
        };
        RunStatus { next, or, ..run }
    }

    /// What to do next, and instead: the same words with which the run ended.
    fn goes_on(&self, story: &Story) -> (String, String) {
        let back = self.command("rollback");
        let (again, or) = match story.goes_back() {
            true => (back.clone(), String::new()),
            false => (self.command("resume"), back.clone()),
        };
        match &story.stands {
            Stands::Finished { reboot } => {
                let due = *reboot && !self.was_restarted(story);
                (if due { RESTART_AT_END.to_owned() } else { String::new() }, back)
            }
            Stands::RolledBack => ("`pfupgrade run` with the plan begins a new one".to_owned(), String::new()),
            Stands::Restart { .. } if !self.was_restarted(story) => (after_restart(&again), String::new()),
            Stands::Waiting { gate } => (self.passes(&gate.id), or),
            Stands::Failed { advice, .. } => (then(advice, &again), or),
            Stands::Restart { .. } | Stands::Stopped | Stands::Interrupted => (again, or),
        }
    }

    /// Whether Windows has been started anew since the run was last heard of.
    fn was_restarted(&self, story: &Story) -> bool {
        let started = self.machine.engine().platform.booted();
        started.zip(story.latest).is_some_and(|(started, latest)| started > latest)
    }
}
