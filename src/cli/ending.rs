//! How a command ended, and what is said about it.

use super::fault::Fault;
use super::machine::Machine;
use super::options::Global;
use super::talk::Talk;
use crate::engine::{End, EngineError};
use crate::exit::Exit;
use crate::report::summary::Summary;
use crate::report::text;
use serde::Serialize;

/// The end of a command that did what it could.
pub(super) struct Ending {
    pub(super) exit: Exit,
    pub(super) next: String,
}

impl Ending {
    pub(super) fn new(exit: Exit) -> Self {
        Self { exit, next: String::new() }
    }

    pub(super) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }
}

/// A command at work on a machine.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) global: &'a Global,
    pub(super) talk: &'a Talk,
    pub(super) machine: &'a Machine,
}

impl Scene<'_> {
    /// The command line that goes on with this machine.
    pub(super) fn command(&self, rest: &str) -> String {
        self.global.command(self.machine.folder.as_deref(), rest)
    }

    /// Says how work on a run ended.
    pub(super) fn conclude(&self, result: Result<End, EngineError>) -> Result<Ending, Fault> {
        let end = result.map_err(|error| self.fault(error))?;
        let ending = Ending::new(Exit::from(&end));
        Ok(match end {
            End::Done { reboot } => {
                self.summary()?;
                if reboot { ending.next("restart Windows; an installer asked for it") } else { ending }
            }
            End::Waiting(gate) => {
                self.talk.say(&format!(
                    "\nWaiting for somebody to do this:\n{}",
                    text::gate(&gate, self.talk.error_width())
                ));
                ending.next(format!("when it is done: {}", self.command(&format!("resume --confirm {}", gate.id))))
            }
            End::Stopped => {
                self.talk.say("\nStopped, as asked. What has been done so far is in the journal.");
                ending.next(format!("{}, or {}", self.command("resume"), self.command("rollback")))
            }
            End::RolledBack => {
                if !self.talk.json {
                    self.talk.result("Rolled back: the machine is as it was before the run.\n");
                }
                ending
            }
        })
    }

    fn summary(&self) -> Result<(), Fault> {
        let Some(found) = self.machine.engine().last_run()? else { return Ok(()) };
        let summary = Summary::of(&found, self.machine.engine().platform.inspect())?;
        if self.talk.json {
            #[derive(Serialize)]
            struct Event<'a> {
                event: &'static str,
                #[serde(flatten)]
                summary: &'a Summary,
            }
            self.talk.event(&Event { event: "summary", summary: &summary });
        } else {
            let way_back = self.command("rollback");
            self.talk.result(&format!("\n{}", text::summary(&summary, &way_back, self.talk.width())));
        }
        Ok(())
    }

    /// A fault, with the commands that go on from it.
    fn fault(&self, error: EngineError) -> Fault {
        let ways = match &error {
            EngineError::Step { .. } => format!("{}, or {}", self.command("resume"), self.command("rollback")),
            EngineError::Rollback { .. } => self.command("rollback"),
            _ => String::new(),
        };
        let fault = Fault::from(error);
        let next = match (fault.next.is_empty(), ways.is_empty()) {
            (true, _) => ways,
            (false, true) => fault.next.clone(),
            (false, false) => format!("{}; then {ways}", fault.next),
        };
        fault.next(next)
    }
}
