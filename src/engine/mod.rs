//! The engine: executes a frozen procedure, and rolls it back.
//!
//! [`Engine::run`], [`Engine::resume`] and [`Engine::rollback`] work from the journal, in which every operation stands
//! with what was there before, on disk before the machine is touched. Because operations are goals, resuming after a
//! kill needs no more than that.

mod compare;
mod decide;
mod event;
mod forecast;
mod gate;
mod lock;
mod operator;
mod perform;
mod recording;
mod redo;
mod restart;
mod rollback;
mod run;
mod runs;
mod undo;
mod upgrade_checks;
mod verify;

pub use event::{Event, Silent, Watcher};
pub use forecast::Forecast;
pub use lock::{LockGuard, Owner, PreviousOwner};
pub use operator::{Answer, Operator};
pub use runs::EachRun;
pub use verify::Check;

use crate::journal::JournalError;
use crate::platform::clock::Clock;
use crate::platform::op::Gate;
use crate::platform::{Failure, Platform};
use crate::step::StepId;
use crate::winpath::WinPath;

/// The default state folder.
pub const USUAL_STATE: &str = r"%ProgramData%\pfupgrade";

/// How work on a run ended, unless it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// All steps are done.
    Done {
        /// Whether an installer asked for a restart.
        reboot: bool,
    },
    /// The new version does not work as it should: the outage goes on. `resume` verifies again, `rollback` is possible.
    Faults {
        /// What is wrong.
        faults: Vec<String>,
    },
    /// Windows must be restarted first; `resume` continues.
    Restart {
        /// The files that the restart replaces, if that is why.
        files: Vec<String>,
    },
    /// A manual step must be completed first; `resume` continues.
    Waiting(Gate),
    /// The operator stopped it between two operations, or between two blocks of a repeatable one. `resume` continues,
    /// or `rollback` if that had started.
    Stopped,
    /// The state before the run is restored.
    RolledBack,
}

/// Why work on a run failed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another process is working on this machine.
    #[error("another instance is running on this machine: {}; it holds the lock {lock}", said(owner.as_ref()))]
    Locked {
        /// The lock.
        lock: WinPath,
        /// The process that holds it, if known.
        owner: Option<Owner>,
    },
    /// A step failed; the machine is as the journal says.
    #[error("{step}: {failure}")]
    Step {
        /// The step.
        step: StepId,
        /// Why.
        failure: Failure,
        /// Whether nothing had been uninstalled and the services have been restarted.
        nothing_lost: bool,
    },
    /// The old version cannot be reinstalled, so a rollback would only remove the new one.
    #[error("rollback is impossible: {0} has been uninstalled and cannot be reinstalled")]
    NoWayBack(String),
    /// The run is not in a state that allows the command.
    #[error("run {run} {why}")]
    NotNow {
        /// Its id.
        run: String,
        /// Why not.
        why: &'static str,
    },
    /// The path of a decision names no conflict.
    #[error("the run has no conflict `{path}` to decide")]
    NoConflict {
        /// The path.
        path: String,
        /// The conflicts of the run.
        known: Vec<String>,
    },
    /// The rollback failed.
    #[error("rollback failed at {done}/{of}: {failure}")]
    Rollback {
        /// Why.
        failure: Failure,
        /// How many of its operations are done.
        done: usize,
        /// How many there are.
        of: usize,
    },
    /// The state folder cannot be used; nothing was changed.
    #[error(transparent)]
    State(Failure),
    /// The journal is damaged.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The machine could not be queried, or the state folder not be used.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Works on one machine.
pub struct Engine<'a> {
    /// The machine.
    pub platform: &'a dyn Platform,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The state folder on the machine.
    pub state: WinPath,
}

fn said(owner: Option<&Owner>) -> String {
    owner.map_or_else(|| "pfupgrade (PID unknown)".to_owned(), Owner::to_string)
}
