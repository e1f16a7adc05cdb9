//! How a command ended, and what is said about it.

use super::console::Console;
use super::fault::CommandError;
use super::machine::Machine;
use super::options::{AfterReboot, Global};
use crate::engine::{End, EngineError};
use crate::exit::Exit;
use crate::journal::{RunState, Standing, Way};
use crate::platform::own::AtStart;
use crate::report::summary::Summary;
use crate::report::text;
use crate::step::Folders;
use anstyle::Style;
use serde::Serialize;

/// The end of a command that did what it could.
pub(super) struct Ending {
    pub(super) exit: Exit,
    pub(super) next: String,
    /// What can be done instead.
    pub(super) or: String,
}

impl Ending {
    pub(super) fn new(exit: Exit) -> Self {
        Self { exit, next: String::new(), or: String::new() }
    }

    pub(super) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }
}

/// What to do next at the end of a run whose installers want a restart.
pub(super) const RESTART_AT_END: &str = "restart Windows; an installer asked for it";

/// What to do next where a restart comes first.
pub(super) fn after_restart(command: &str) -> String {
    format!("restart Windows, then {command}")
}

/// What to do next after a failure: first what its advice says.
pub(super) fn then(advice: &str, command: &str) -> String {
    if advice.is_empty() { command.to_owned() } else { format!("{advice}; then {command}") }
}

/// A command at work on a machine.
#[derive(Clone, Copy)]
pub(super) struct CommandContext<'a> {
    pub(super) global: &'a Global,
    pub(super) talk: &'a Console,
    pub(super) machine: &'a Machine,
}

/// What a command is at work on.
pub(super) struct Job<'a> {
    /// The command that goes on with it.
    pub(super) verb: &'static str,
    pub(super) folders: &'a Folders,
    after_reboot: AfterReboot,
}

impl<'a> Job<'a> {
    pub(super) fn resume(folders: &'a Folders, after_reboot: AfterReboot) -> Self {
        Self { verb: "resume", folders, after_reboot }
    }

    pub(super) fn rollback(folders: &'a Folders, after_reboot: AfterReboot) -> Self {
        Self { verb: "rollback", folders, after_reboot }
    }

    /// What it is, in words that come before the run's id.
    pub(super) fn what(&self) -> &'static str {
        if self.verb == "rollback" { "rollback of the run" } else { "run" }
    }
}

impl CommandContext<'_> {
    /// The command line that goes on with this machine.
    pub(super) fn command(&self, rest: &str) -> String {
        self.global.command(self.machine.folder.as_deref(), rest)
    }

    /// The command line that says that what a gate asks for has been done.
    pub(super) fn passes(&self, gate: &str) -> String {
        self.command(&format!("resume --confirm {gate}"))
    }

    /// True where a person is asked at gates: always on a real machine.
    pub(super) fn asks(&self) -> bool {
        self.global.ask || self.machine.as_simulated().is_none()
    }

    /// Says how work on a run ended.
    pub(super) fn conclude(&self, job: &Job<'_>, result: Result<End, EngineError>) -> Result<Ending, CommandError> {
        let goes_on = matches!(result, Ok(End::Restart { .. })) && self.goes_on_by_itself(job);
        if !goes_on {
            self.forget_restart();
        }
        let end = result.map_err(|error| self.fault(error))?;
        self.tell_end(job, &end, goes_on);
        let ending = Ending::new(Exit::from(&end));
        Ok(match end {
            End::Done { reboot } => {
                // The run is done, whether or not that can be told.
                if let Err(fault) = self.summary() {
                    self.talk.insist(&format!("The run is done; its summary cannot be shown: {}", fault.message));
                }
                if reboot { ending.next(RESTART_AT_END) } else { ending }
            }
            End::Restart { files } => {
                let files = text::hanging("", anstyle::Style::new(), &files.join(", "), self.talk.line_width());
                self.talk.insist(&format!(
                    "\nThe next restart of Windows replaces files where the next steps write: {files}"
                ));
                let again = self.command(job.verb);
                match goes_on {
                    true => Ending { or: again, ..ending.next("restart Windows; after that it goes on by itself") },
                    false => ending.next(after_restart(&again)),
                }
            }
            End::Waiting(gate) => {
                // Whoever was asked at a terminal has read it already.
                let read = self.asks() && self.talk.is_with_person();
                let asked = if read { String::new() } else { text::gate(&gate, self.talk.error_width()) };
                self.talk.insist(&format!("\n{asked}"));
                self.insist(&format!("Waiting for a manual step ({}). {}", gate.id, self.state()));
                self.insist("When it is done, run:");
                Ending { or: self.command("rollback"), ..ending.next(self.passes(&gate.id)) }
            }
            End::Stopped => {
                self.insist(&format!("Stopped, as asked. {}", self.state()));
                let Some(found) = self.machine.engine().last_run()? else { return Ok(ending) };
                let (next, or) = self.goes_on(&found.state);
                Ending { or, ..ending.next(next) }
            }
            End::RolledBack => {
                if !self.talk.json {
                    self.talk.result("Rolled back. Products, web applications, services and their folders are as they were before the run.\n");
                    self.kept()?;
                }
                ending
            }
        })
    }

    /// Has Windows go on at its next start, where that is wanted; true where it will.
    fn goes_on_by_itself(&self, job: &Job<'_>) -> bool {
        if job.after_reboot == AfterReboot::Tell {
            return false;
        }
        let words = [job.verb, "--after-reboot", "resume", "--state", self.machine.state.as_str()];
        let arguments = words.map(str::to_owned).to_vec();
        let command = AtStart { arguments, folder: job.folders.run.clone() };
        let registered = self.machine.engine().platform.at_start(Some(&command));
        registered.inspect_err(|failure| self.insist(&format!("It will not go on by itself: {failure}"))).is_ok()
    }

    /// Whatever Windows was to do at its next start is over.
    pub(super) fn forget_restart(&self) {
        if let Err(failure) = self.machine.engine().platform.at_start(None) {
            self.insist(&failure.to_string());
        }
    }

    /// What comes next for a run, and instead of it: the same words whoever says them.
    pub(super) fn goes_on(&self, state: &RunState) -> (String, String) {
        let next = state.next(self.was_restarted(state));
        let back = self.command("rollback");
        match (next.way, next.restart) {
            (Way::Over, true) => (RESTART_AT_END.to_owned(), back),
            (Way::Over, false) if state.standing() == Standing::RolledBack => {
                ("`pfupgrade run` with the plan begins a new one".to_owned(), String::new())
            }
            (Way::Over, false) => (String::new(), back),
            (Way::Resume, true) => (after_restart(&self.command("resume")), String::new()),
            (Way::Resume, false) => (then(&next.advice, &self.command("resume")), back),
            (Way::Confirm { gate }, _) => (self.passes(&gate), back),
            (Way::Rollback, true) => (after_restart(&back), String::new()),
            (Way::Rollback, false) => (then(&next.advice, &back), String::new()),
        }
    }

    /// Whether Windows has been started anew since the run was last heard of.
    fn was_restarted(&self, state: &RunState) -> bool {
        let started = self.machine.engine().platform.booted();
        started.zip(state.latest).is_some_and(|(started, latest)| started > latest)
    }

    /// What state an interrupted run leaves the machine in, in a sentence.
    fn state(&self) -> &'static str {
        let Ok(Some(found)) = self.machine.engine().last_run() else { return "" };
        match (found.standing(), found.state.is_outage()) {
            (Standing::Finished | Standing::RolledBack, _) => "",
            (Standing::RollingBack, true) => "The rollback has begun. Users cannot sign in until you finish it.",
            (Standing::RollingBack, false) => "The rollback has begun. Users can sign in.",
            (Standing::Unfinished, true) if found.state.has_uninstalled() => {
                "The old version is partly removed. Users cannot sign in until you resume or roll back."
            }
            (Standing::Unfinished, true) if !found.state.uninstalled.is_empty() => {
                "The old version may be partly removed. Users cannot sign in until you resume or roll back."
            }
            (Standing::Unfinished, true) => {
                "Nothing has been uninstalled, but services that were stopped do not all run again. Users cannot sign \
                 in until you resume or roll back."
            }
            (Standing::Unfinished, false) if !found.state.uninstalled.is_empty() => {
                "The outage is over, but the run is not finished."
            }
            (Standing::Unfinished, false) => {
                "Nothing has been uninstalled, and services that had been stopped have been started again."
            }
        }
    }

    /// Says something that must be said, in lines of the terminal.
    fn insist(&self, text: &str) {
        self.talk.insist(&text::hanging("", Style::new(), text.trim_end(), self.talk.line_width()));
    }

    /// Says where that is which the rollback replaced.
    fn kept(&self) -> Result<(), CommandError> {
        let Some(found) = self.machine.engine().last_run()? else { return Ok(()) };
        let kept = found.frozen.folders.backup.child("before-rollback");
        self.talk.result(&format!("Data and web folders as they were until then are in\n  {kept}\n"));
        Ok(())
    }

    fn summary(&self) -> Result<(), CommandError> {
        let Some(found) = self.machine.engine().last_run()? else { return Ok(()) };
        let summary = Summary::of(&found, self.machine.engine().platform.inspect())?;
        #[derive(Serialize)]
        struct Event<'a> {
            event: &'static str,
            #[serde(flatten)]
            summary: &'a Summary,
        }
        self.talk.event(&Event { event: "summary", summary: &summary });
        if !self.talk.json {
            let way_back = self.command("rollback");
            self.talk.result(&format!("\n{}", text::summary(&summary, &way_back, self.talk.width())));
        }
        Ok(())
    }

    /// A fault, with the commands that go on from it.
    fn fault(&self, error: EngineError) -> CommandError {
        let (again, or) = match &error {
            EngineError::Step { .. } => (self.command("resume"), self.command("rollback")),
            EngineError::Rollback { .. } => (self.command("rollback"), String::new()),
            _ => return error.into(),
        };
        let has_state = matches!(&error, EngineError::Step { nothing_lost: true, .. });
        let mut fault = CommandError::from(error);
        if !has_state {
            fault.message = format!("{}\n{}", fault.message, self.state()).trim_end().to_owned();
        }
        let next = then(&fault.next, &again);
        fault.next(next).or(or)
    }
}
