//! The parts of a run's state.

use super::record::{Before, DataFile, Undo, UsedInstaller};
use crate::platform::op::Op;
use crate::platform::{Outcome, Process};
use crate::step::{Checked, FollowUp, StepId};
use jiff::Timestamp;
use serde::Serialize;

/// The state of a run after its last record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Stands {
    /// All steps are done.
    Finished {
        /// Whether an installer requested a restart of Windows.
        reboot: bool,
    },
    /// It was rolled back.
    RolledBack,
    /// Windows must be restarted first.
    Restart {
        /// The files that the restart replaces; none if an installer has started it, or cannot do without it.
        files: Vec<String>,
    },
    /// A gate must be completed.
    Waiting {
        /// Its title.
        gate: Asked,
    },
    /// The operator stopped it.
    Stopped,
    /// A step, or its rollback, failed.
    Failed {
        /// The step, or `rollback`.
        step: StepId,
        /// Why.
        why: String,
        /// What to do next; empty if unknown.
        advice: String,
        /// A program that is still running, with an unknown outcome.
        process: Option<Process>,
    },
    /// It was interrupted, or is running.
    #[default]
    Interrupted,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Steps are left.
    Unfinished,
    /// All steps are done.
    Finished,
    /// A rollback has started and is not finished.
    RollingBack,
    /// A rollback is finished.
    RolledBack,
}

/// The next action for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// The advice of the failure; empty if there is none.
    pub advice: String,
    /// Whether Windows must be restarted first.
    pub restart: bool,
    /// How to continue.
    pub way: Way,
}

/// How to continue a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// It is over.
    Over,
    /// `resume`.
    Resume,
    /// `resume --confirm`, once the gate is complete.
    Confirm {
        /// The gate's id.
        gate: String,
    },
    /// `rollback`.
    Rollback,
}

/// A gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The instructions.
    pub instructions: Vec<String>,
}

/// A command that worked on a run.
#[derive(Debug, Clone, Serialize)]
pub struct Session {
    /// When it started.
    pub time: Timestamp,
    /// `run`, `resume` or `rollback`.
    pub command: String,
    /// The account that ran it, if known.
    pub user: Option<String>,
    /// The server's UTC offset when it started, in seconds east of UTC, if known.
    pub utc_offset: Option<i32>,
}

/// The checks of a step.
#[derive(Debug, Clone)]
pub struct Checks {
    /// When.
    pub time: Timestamp,
    /// The step.
    pub step: StepId,
    /// Every check.
    pub all: Vec<Checked>,
}

impl Checks {
    /// The number of failed checks.
    pub fn faults(&self) -> usize {
        self.all.iter().filter(|check| check.fault.is_some()).count()
    }
}

/// From one time to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// When it started.
    pub begun: Timestamp,
    /// When it ended; `None` if it has not.
    pub ended: Option<Timestamp>,
}

/// A step and its state.
#[derive(Debug, Clone, Serialize)]
pub struct StepState {
    /// Its id.
    pub id: StepId,
    /// Its title.
    pub title: String,
    /// Whether users cannot sign in during this step.
    pub outage: bool,
    /// How it ended: `done`, `already so`, or why it was skipped; `None` if it has not ended.
    pub how: Option<String>,
    /// The time of each attempt.
    pub spans: Vec<Span>,
    /// Whether the current attempt has started.
    #[serde(skip)]
    pub is_begun: bool,
    /// How many operations of the current attempt are done.
    #[serde(skip)]
    pub done: usize,
    /// Whether its next operation had started.
    #[serde(skip)]
    pub in_doubt: bool,
    /// Name and version of the product that it installed.
    #[serde(skip)]
    pub product: Option<String>,
}

/// An operation that has started.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The step it belongs to.
    pub step: StepId,
    /// Its number within the step, from 0.
    pub index: usize,
    /// What it does.
    pub op: Op,
    /// The state before it.
    pub before: Before,
    /// The installer that it runs, or that its gate names, if recorded.
    pub installer: Option<UsedInstaller>,
    /// When it started.
    pub begun: Timestamp,
    /// How it ended.
    pub end: OperationEnd,
}

/// How an operation ended.
#[derive(Debug, Clone)]
pub enum OperationEnd {
    /// Its end is not recorded.
    InDoubt,
    /// It is done.
    Done {
        /// When.
        time: Timestamp,
        /// Its outcome.
        outcome: Outcome,
    },
    /// Its step failed, or it was stopped before it changed anything.
    Failed {
        /// When.
        time: Timestamp,
        /// The key lines of an installer's log.
        log: Vec<String>,
    },
}

/// A gate that was completed.
#[derive(Debug, Clone, Serialize)]
pub struct Answered {
    /// When.
    pub time: Timestamp,
    /// The gate.
    pub gate: String,
    /// Who confirmed it: `operator`, `simulated operator`, `seen on the machine`, or the plan with its reason.
    pub by: String,
    /// The account that ran the command, if known.
    pub user: Option<String>,
}

/// How a gate was completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed<'a> {
    /// The program detected that it was complete.
    Seen,
    /// The plan skips it, for this reason.
    Skipped(&'a str),
    /// The operator confirmed it.
    Confirmed(&'a str),
}

impl Answered {
    /// The recorded value for a gate that the program detected as complete.
    pub(crate) const SEEN: &'static str = "seen on the machine";
    /// The recorded prefix of the plan's reason.
    pub(crate) const PLAN: &'static str = "plan: ";

    /// How the gate was passed, in words; `operator` is the account of the command, if known.
    pub fn text(&self) -> String {
        match (self.passed(), &self.user) {
            (Passed::Seen, _) => format!("{} detected on this server", self.gate),
            (Passed::Skipped(reason), _) => format!("{} skipped by the plan: {reason}", self.gate),
            (Passed::Confirmed("operator"), Some(user)) => format!("{} confirmed by {user}", self.gate),
            (Passed::Confirmed(by), _) => format!("{} confirmed by the {by}", self.gate),
        }
    }

    /// The same with its time.
    pub fn with_time(&self) -> String {
        format!("{} at {}", self.text(), self.time.strftime("%H:%M UTC"))
    }

    /// How the gate was completed.
    pub fn passed(&self) -> Passed<'_> {
        match self.by.strip_prefix(Self::PLAN) {
            Some(reason) => Passed::Skipped(reason),
            None if self.by == Self::SEEN => Passed::Seen,
            None => Passed::Confirmed(&self.by),
        }
    }
}

/// A failure.
#[derive(Debug, Clone, Serialize)]
pub struct Failed {
    /// When.
    pub time: Timestamp,
    /// The step, or `rollback`.
    pub step: StepId,
    /// Why.
    pub why: String,
    /// What to do next; empty if unknown.
    pub advice: String,
    /// The key lines of an installer's log.
    pub log: Vec<String>,
}

/// A rollback.
#[derive(Debug, Clone, Serialize)]
pub struct Rollback {
    /// Its time.
    #[serde(flatten)]
    pub span: Span,
    /// Its parts, in order, each with its time.
    pub parts: Vec<Part>,
    /// What it did not restore.
    pub not_restored: Vec<String>,
    /// The parts, as data.
    #[serde(skip)]
    pub undos: Vec<Undo>,
}

/// A part of a rollback.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// What was checked.
    pub what: String,
    /// When it was done.
    pub done: Option<Timestamp>,
}

/// The content of a finished run's last record.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The data file at the end of the run, if known.
    pub data: Option<DataFile>,
    /// What is left to do by hand, if recorded.
    pub follow_ups: Option<Vec<FollowUp>>,
}

impl Rollback {
    /// How many of its parts are done.
    pub fn done(&self) -> usize {
        self.parts.iter().filter(|part| part.done.is_some()).count()
    }
}

impl Operation {
    /// Whether its end is unknown.
    pub fn is_in_doubt(&self) -> bool {
        matches!(self.end, OperationEnd::InDoubt)
    }

    /// The key lines of an installer's log, with the time they were read.
    pub fn log(&self) -> Option<(Timestamp, &[String])> {
        match &self.end {
            OperationEnd::InDoubt => None,
            OperationEnd::Done { time, outcome } => Some((*time, &outcome.log)),
            OperationEnd::Failed { time, log } => Some((*time, log)),
        }
    }
}

/// From one time to another, in milliseconds.
pub fn milliseconds(from: Timestamp, to: Timestamp) -> i64 {
    i64::try_from(to.duration_since(from).as_millis()).unwrap_or_default()
}
