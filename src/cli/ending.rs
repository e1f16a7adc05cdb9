//! How a command ended, and what is printed about it.

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

/// How a command ended, unless it failed.
pub(super) struct Ending {
    pub(super) exit: Exit,
    pub(super) next: String,
    /// The alternative.
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

/// The next step after a run whose installers requested a restart.
pub(super) const RESTART_AT_END: &str = "restart Windows, as an installer requested";

/// The next step if a restart comes first.
pub(super) fn after_restart(command: &str) -> String {
    format!("restart Windows, then run: {command}")
}

/// The next step after a failure: its advice, then the command.
pub(super) fn then(advice: &str, command: &str) -> String {
    if advice.is_empty() { command.to_owned() } else { format!("{advice}, then run: {command}") }
}

/// A command that is working on a machine.
#[derive(Clone, Copy)]
pub(super) struct CommandContext<'a> {
    pub(super) global: &'a Global,
    pub(super) talk: &'a Console,
    pub(super) machine: &'a Machine,
}

/// What a command is working on.
pub(super) struct Job<'a> {
    /// The command that continues it.
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

    /// Its name, as a prefix of the run's id.
    pub(super) fn what(&self) -> &'static str {
        if self.verb == "rollback" { "Rollback of run" } else { "Run" }
    }
}

impl CommandContext<'_> {
    /// A command line for this machine.
    pub(super) fn command(&self, rest: &str) -> String {
        self.global.command(self.machine.folder.as_deref(), rest)
    }

    /// The command line that confirms a gate.
    pub(super) fn passes(&self, gate: &str) -> String {
        self.command(&format!("resume --confirm {gate}"))
    }

    /// Whether gates ask: always on a real machine.
    pub(super) fn asks(&self) -> bool {
        self.global.ask || self.machine.as_simulated().is_none()
    }

    /// Reports how work on a run ended.
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
                // The run is done, whether or not its summary can be shown.
                if let Err(fault) = self.summary() {
                    self.talk.insist(&format!("The run is finished. Its summary cannot be shown: {}", fault.message));
                }
                if reboot { ending.next(RESTART_AT_END) } else { ending }
            }
            End::Faults { faults } => {
                self.insist(&format!(
                    "\nThe new version is installed, but {} failed:",
                    text::count(faults.len(), "check")
                ));
                faults.iter().for_each(|fault| self.insist(&format!("- {fault}")));
                self.insist(
                    "Users may not be able to sign in. The outage goes on until all checks pass, or you roll back.",
                );
                let Some(found) = self.machine.engine().last_run()? else { return Ok(ending) };
                let (next, or) = self.goes_on(&found.state);
                Ending { or, ..ending.next(next) }
            }
            End::Restart { files } => {
                self.insist(&format!("\n{}", text::why_restart(&files)));
                let again = self.command(job.verb);
                match goes_on {
                    true => Ending { or: again, ..ending.next("restart Windows; the run then resumes automatically") },
                    false => ending.next(after_restart(&again)),
                }
            }
            End::Waiting(gate) => {
                // An interactive user has already read it.
                let read = self.asks() && self.talk.is_with_person();
                let asked = if read { String::new() } else { text::gate(&gate, self.talk.error_width()) };
                self.talk.insist(&format!("\n{asked}"));
                self.insist(&format!("Waiting for a manual step ({}). {}", gate.id, self.state()));
                self.insist("When it is done, run:");
                Ending { or: self.command("rollback"), ..ending.next(self.passes(&gate.id)) }
            }
            End::Stopped => {
                self.insist(&format!("Stopped. {}", self.state()));
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

    /// Schedules the automatic resume after the next start of Windows, if requested. Returns whether it is scheduled.
    fn goes_on_by_itself(&self, job: &Job<'_>) -> bool {
        if job.after_reboot == AfterReboot::Tell {
            return false;
        }
        let words = [job.verb, "--after-reboot", "resume", "--state", self.machine.state.as_str()];
        let arguments = words.map(str::to_owned).to_vec();
        let command = AtStart { arguments, folder: job.folders.run.clone() };
        let registered = self.machine.engine().platform.at_start(Some(&command));
        registered
            .inspect_err(|failure| self.insist(&format!("Automatic resume could not be scheduled: {failure}")))
            .is_ok()
    }

    /// Cancels the automatic resume.
    pub(super) fn forget_restart(&self) {
        if let Err(failure) = self.machine.engine().platform.at_start(None) {
            self.insist(&failure.to_string());
        }
    }

    /// The next command for a run, and the alternative; the same for every caller.
    pub(super) fn goes_on(&self, state: &RunState) -> (String, String) {
        let next = state.next(self.was_restarted(state));
        let back = self.command("rollback");
        match (next.way, next.restart) {
            (Way::Over, true) => (RESTART_AT_END.to_owned(), back),
            (Way::Over, false) if state.standing() == Standing::RolledBack => {
                ("start a new run: pfupgrade run".to_owned(), String::new())
            }
            (Way::Over, false) => (String::new(), back),
            (Way::Resume, true) if !next.advice.is_empty() => (then(&next.advice, &self.command("resume")), back),
            (Way::Resume, true) => (after_restart(&self.command("resume")), String::new()),
            (Way::Resume, false) => (then(&next.advice, &self.command("resume")), back),
            (Way::Confirm { gate }, _) => (self.passes(&gate), back),
            (Way::Rollback, true) if !next.advice.is_empty() => (then(&next.advice, &back), String::new()),
            (Way::Rollback, true) => (after_restart(&back), String::new()),
            (Way::Rollback, false) => (then(&next.advice, &back), String::new()),
        }
    }

    /// Whether Windows has been restarted since the run's last record.
    fn was_restarted(&self, state: &RunState) -> bool {
        let started = self.machine.engine().platform.booted();
        started.zip(state.latest).is_some_and(|(started, latest)| started > latest)
    }

    /// The state in which an interrupted run leaves the machine, in a sentence.
    fn state(&self) -> String {
        let Ok(Some(found)) = self.machine.engine().last_run() else { return String::new() };
        if let (true, Some(rollback)) = (found.state.goes_back(), &found.state.rollback) {
            let users = if found.state.is_outage() { "cannot sign in until you finish it" } else { "can sign in" };
            return format!("Rollback stopped at {}/{}. Users {users}.", rollback.done(), rollback.parts.len());
        }
        let sentence = match (found.standing(), found.state.is_outage()) {
            (Standing::Finished | Standing::RolledBack | Standing::RollingBack, _) => "",
            (Standing::Unfinished, true) if found.state.has_uninstalled() => {
                "The old version is partly removed. Users cannot sign in until you resume or roll back."
            }
            (Standing::Unfinished, true) if !found.state.uninstalled.is_empty() => {
                "The old version may be partly removed. Users cannot sign in until you resume or roll back."
            }
            (Standing::Unfinished, true) => {
                "Nothing has been uninstalled, but not all stopped services are running again. Users cannot sign in \
                 until you resume or roll back."
            }
            (Standing::Unfinished, false) if !found.state.uninstalled.is_empty() => {
                "The outage is over, but the run is not finished."
            }
            (Standing::Unfinished, false) => {
                "Nothing has been uninstalled, and the stopped services have been started again."
            }
        };
        sentence.to_owned()
    }

    /// Prints a message even with `--quiet`, wrapped for the terminal.
    fn insist(&self, text: &str) {
        self.talk.insist(&text::hanging("", Style::new(), text.trim_end(), self.talk.line_width()));
    }

    /// Prints where the rollback saved what it replaced.
    fn kept(&self) -> Result<(), CommandError> {
        let Some(found) = self.machine.engine().last_run()? else { return Ok(()) };
        let kept = found.frozen.folders.backup.child("before-rollback");
        self.talk.result(&format!("The upgraded data and web folders were saved to\n  {kept}\n"));
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

    /// An error, with the commands that continue from it.
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
