//! What the state of a run consists of.

use super::record::{Before, DataFile, Undo, UsedInstaller};
use crate::platform::op::Op;
use crate::platform::{Outcome, Process};
use crate::step::{Checked, FollowUp, StepId};
use jiff::Timestamp;
use serde::Serialize;

/// Where a run stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Stands {
    /// All steps are done.
    Finished {
        /// An installer wants a restart of Windows.
        reboot: bool,
    },
    /// Everything is as it was before it.
    RolledBack,
    /// Windows has to be restarted first.
    Restart {
        /// The files that wait for that.
        files: Vec<String>,
    },
    /// A person has to do what a gate asks.
    Waiting {
        /// What is asked.
        gate: Asked,
    },
    /// The operator has stopped it.
    Stopped,
    /// A step, or its rollback, has failed.
    Failed {
        /// The step, or `rollback`.
        step: StepId,
        /// Why.
        why: String,
        /// What to do next; empty where nothing more is known.
        advice: String,
        /// A program that runs on, whose outcome is not known.
        process: Option<Process>,
    },
    /// It was interrupted, or is at work.
    #[default]
    Interrupted,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Steps are left to do.
    Unfinished,
    /// All steps are done.
    Finished,
    /// A rollback has begun and is not over.
    RollingBack,
    /// A rollback is over.
    RolledBack,
}

/// What comes next for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// What the failure that it stands at advises to do first; empty where nothing is known.
    pub advice: String,
    /// Whether Windows has to be restarted first.
    pub restart: bool,
    /// How it goes on.
    pub way: Way,
}

/// How a run goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// It is over.
    Over,
    /// `resume`.
    Resume,
    /// `resume`, once what the gate asks for is done.
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
    /// What is asked.
    pub title: String,
    /// How it is done.
    pub instructions: Vec<String>,
}

/// A command that has worked on a run.
#[derive(Debug, Clone, Serialize)]
pub struct Session {
    /// When it began.
    pub time: Timestamp,
    /// `run`, `resume` or `rollback`.
    pub command: String,
    /// Who gave it, where that is known.
    pub user: Option<String>,
    /// The offset of the server's own time when it began, where that is known: seconds east of UTC.
    pub utc_offset: Option<i32>,
}

/// What a step has checked.
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
    /// The checks that did not pass.
    pub fn faults(&self) -> usize {
        self.all.iter().filter(|check| check.fault.is_some()).count()
    }
}

/// From one time to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// When it began.
    pub begun: Timestamp,
    /// When it was over; `None` where it is not.
    pub ended: Option<Timestamp>,
}

/// A step, with what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct StepState {
    /// Its id.
    pub id: StepId,
    /// Its title.
    pub title: String,
    /// True while users cannot sign in.
    pub outage: bool,
    /// How it ended: `done`, `already so`, or why it was skipped; `None` where it is not over.
    pub how: Option<String>,
    /// When it was at work, each attempt by itself.
    pub spans: Vec<Span>,
    /// Whether the attempt that counts has begun.
    #[serde(skip)]
    pub is_begun: bool,
    /// How many operations of that attempt are done.
    #[serde(skip)]
    pub done: usize,
    /// Whether its next operation had begun.
    #[serde(skip)]
    pub in_doubt: bool,
    /// Name and version of the product that it installs, as found when it was over.
    #[serde(skip)]
    pub product: Option<String>,
}

/// An operation that has begun.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The step it belongs to.
    pub step: StepId,
    /// Its number within the step, from 0.
    pub index: usize,
    /// What it does.
    pub op: Op,
    /// What was there before it.
    pub before: Before,
    /// The installer that it runs, or that its gate names, where that was noted.
    pub installer: Option<UsedInstaller>,
    /// When it began.
    pub begun: Timestamp,
    /// How it ended.
    pub end: OperationEnd,
}

/// How an operation ended.
#[derive(Debug, Clone)]
pub enum OperationEnd {
    /// Nothing says that it did.
    InDoubt,
    /// It is done.
    Done {
        /// When.
        time: Timestamp,
        /// What it brought to light.
        outcome: Outcome,
    },
    /// Its step failed, or it was stopped before it changed anything.
    Failed {
        /// When.
        time: Timestamp,
        /// The lines of an installer's log that matter.
        log: Vec<String>,
    },
}

/// A gate that was passed.
#[derive(Debug, Clone, Serialize)]
pub struct Answered {
    /// When.
    pub time: Timestamp,
    /// The gate.
    pub gate: String,
    /// Who says so: `operator`, `simulated operator`, `seen on the machine`, or the plan with its reason.
    pub by: String,
    /// The account of whoever gave the command at work, where that is known.
    pub user: Option<String>,
}

/// How a gate was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed<'a> {
    /// Nobody was asked: the machine showed that it is done.
    Seen,
    /// The plan skips it, for this reason.
    Skipped(&'a str),
    /// Somebody confirmed it.
    Confirmed(&'a str),
}

impl Answered {
    /// What stands for a gate at which nobody was asked.
    pub(crate) const SEEN: &'static str = "seen on the machine";
    /// What stands before the plan's reason.
    pub(crate) const PLAN: &'static str = "plan: ";

    /// How the gate was passed.
    pub fn passed(&self) -> Passed<'_> {
        match self.by.strip_prefix(Self::PLAN) {
            Some(reason) => Passed::Skipped(reason),
            None if self.by == Self::SEEN => Passed::Seen,
            None => Passed::Confirmed(&self.by),
        }
    }
}

/// Something that went wrong.
#[derive(Debug, Clone, Serialize)]
pub struct Failed {
    /// When.
    pub time: Timestamp,
    /// The step, or `rollback`.
    pub step: StepId,
    /// Why.
    pub why: String,
    /// What to do next; empty where nothing more is known.
    pub advice: String,
    /// The lines of an installer's log that matter.
    pub log: Vec<String>,
}

/// A rollback.
#[derive(Debug, Clone, Serialize)]
pub struct Rollback {
    /// When it was at work.
    #[serde(flatten)]
    pub span: Span,
    /// Its parts, in order, each with when it was done.
    pub parts: Vec<Part>,
    /// What it does not put back, and what is not as it was.
    pub not_restored: Vec<String>,
    /// The parts as they are done.
    #[serde(skip)]
    pub undos: Vec<Undo>,
}

/// A part of a rollback.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// What it is.
    pub what: String,
    /// When it was done.
    pub done: Option<Timestamp>,
}

/// What the last record of a finished run holds.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The data file as the run left it, where that is known.
    pub data: Option<DataFile>,
    /// What is left to do by hand, where that has been noted.
    pub follow_ups: Option<Vec<FollowUp>>,
}

impl Rollback {
    /// How many of its parts are done.
    pub fn done(&self) -> usize {
        self.parts.iter().filter(|part| part.done.is_some()).count()
    }
}

impl Operation {
    /// Whether nothing says how it ended.
    pub fn is_in_doubt(&self) -> bool {
        matches!(self.end, OperationEnd::InDoubt)
    }

    /// The lines of an installer's log that matter, with the time at which they were read.
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
