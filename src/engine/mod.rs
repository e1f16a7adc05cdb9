//! The engine: carries a frozen procedure out, and takes it back.
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

/// The tool's own folder, unless another one is named.
pub const USUAL_STATE: &str = r"%ProgramData%\pfupgrade";

/// How work on a run ended, apart from faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// All steps are done. `reboot`: Windows wants a restart.
    Done {
        /// Whether an installer asked for a restart.
        reboot: bool,
    },
    /// Windows has to be restarted before the next step: these files are replaced then; `resume` goes on.
    Restart {
        /// The files.
        files: Vec<String>,
    },
    /// A person has to do something first; `resume` goes on.
    Waiting(Gate),
    /// The operator stopped it: between two operations, or between two blocks of one that can be repeated. `resume`
    /// goes on, or `rollback` where that had begun.
    Stopped,
    /// Everything is as it was before the run.
    RolledBack,
}

/// Why work on a run could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another process works on this machine.
    #[error("another pfupgrade works on this machine ({}): it holds {lock}", said(owner.as_ref()))]
    Locked {
        /// The lock.
        lock: WinPath,
        /// Who holds it, where that has been told.
        owner: Option<Owner>,
    },
    /// A step failed; the machine is as the journal says.
    #[error("{step}: {failure}")]
    Step {
        /// The step.
        step: StepId,
        /// Why.
        failure: Failure,
        /// True where nothing had been uninstalled, and the services have been started again.
        nothing_lost: bool,
    },
    /// What was uninstalled cannot come back, so a rollback would only take the new version away.
    #[error("there is no way back: {0} has been uninstalled and cannot be installed again")]
    NoWayBack(String),
    /// The run has come too far, or not far enough, for what was asked.
    #[error("the run {run} {why}")]
    NotNow {
        /// Its id.
        run: String,
        /// Why not.
        why: &'static str,
    },
    /// What was to be decided is no conflict.
    #[error("the run has no conflict `{path}` to decide")]
    NoConflict {
        /// What was named.
        path: String,
        /// The conflicts that there are.
        known: Vec<String>,
    },
    /// The rollback could not finish.
    #[error("rollback, {done} of {of} done: {failure}")]
    Rollback {
        /// Why.
        failure: Failure,
        /// How many of its operations are done.
        done: usize,
        /// How many there are.
        of: usize,
    },
    /// The tool's own folder cannot be used; nothing was touched.
    #[error(transparent)]
    State(Failure),
    /// The journal is damaged.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The machine could not be asked, or the tool's own folder not be used.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Works on one machine.
pub struct Engine<'a> {
    /// The machine.
    pub platform: &'a dyn Platform,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The tool's own folder on the machine.
    pub state: WinPath,
}

fn said(owner: Option<&Owner>) -> String {
    owner.map_or_else(|| "it has not said which".to_owned(), Owner::to_string)
}
