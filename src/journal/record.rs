//! The records of a journal.

use crate::finding::Finding;
use crate::names::ProductCode;
use crate::plan::{Component, Plan};
use crate::platform::facts::{Application, ServiceState, Signature};
use crate::platform::op::{Gate, Op};
use crate::platform::{Outcome, Process};
use crate::step::{Checked, Folders, FollowUp, SettingsReport, Step, StepId, Work};
use crate::survey::Survey;
use crate::survey::answers::Baseline;
use crate::webconfig::Side;
use crate::winpath::WinPath;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A record without its checksum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Number of the record, from 0.
    pub seq: u64,
    /// When it was written.
    pub time: Timestamp,
    /// Its content.
    #[serde(flatten)]
    pub entry: Entry,
}

/// The content of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case")]
pub enum Entry {
    /// The run starts: its frozen input.
    Opened(Box<Frozen>),
    /// A step starts, or is repeated.
    StepStarted {
        /// Its id.
        step: StepId,
    },
    /// An operation is about to start.
    OpStarted {
        /// The step it belongs to.
        step: StepId,
        /// Its number within the step, from 0.
        index: usize,
        /// The operation.
        op: Op,
        /// The state before it.
        before: Before,
        /// The installer that it runs, or that its gate names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        installer: Option<Box<UsedInstaller>>,
    },
    /// An operation is done.
    OpDone {
        /// The step it belongs to.
        step: StepId,
        /// Its number within the step.
        index: usize,
        /// Its outcome.
        outcome: Outcome,
    },
    /// A command starts to work on the run.
    Session {
        /// `run`, `resume` or `rollback`.
        command: String,
        /// The account that ran it, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
        /// The server's UTC offset when the command started, in seconds east of UTC.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        utc_offset: Option<i32>,
    },
    /// Work pauses: a gate must be completed.
    Waiting {
        /// Its title.
        gate: Gate,
    },
    /// Work pauses: the operator stopped it.
    Stopped,
    /// A web.config has been written.
    Merged {
        /// The step.
        step: StepId,
        /// What became of every old setting, without secrets.
        account: Box<SettingsReport>,
    },
    /// An operation or its verification failed. The step is `rollback` for a failed rollback.
    Failed {
        /// The step.
        step: StepId,
        /// Why.
        why: String,
        /// What to do next; empty if unknown.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        next: String,
        /// The key lines of an installer's log.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        log: Vec<String>,
        /// Whether an installer ended before it changed anything.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        changed_nothing: bool,
        /// Whether Windows must be restarted before anything else is begun.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        restart: bool,
    },
    /// The operation that had started was stopped before it changed anything.
    ChangedNothing {
        /// The step it belongs to.
        step: StepId,
    },
    /// A program timed out and is still running, with an unknown outcome.
    OutcomeUnknown {
        /// The step, or `rollback`.
        step: StepId,
        /// The program.
        process: Process,
        /// The operation.
        why: String,
        /// What to do next.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        next: String,
    },
    /// Windows must be restarted before the next step.
    RestartNeeded {
        /// The files that the restart replaces; none if an installer has started it, or cannot do without it.
        files: Vec<String>,
    },
    /// A gate was completed.
    Answered {
        /// The gate.
        gate: String,
        /// Who confirmed it.
        by: String,
    },
    /// The operator decided a conflict.
    Decided {
        /// The conflict.
        path: String,
        /// The side that wins.
        take: Side,
    },
    /// A step has ended.
    StepDone {
        /// Its id.
        step: StepId,
        /// `done`, `already so`, or why it was skipped.
        how: String,
        /// Name and version of the new product, if the step installs one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<String>,
    },
    /// A step has checked the machine.
    Checked {
        /// The step.
        step: StepId,
        /// Every check, passed or not.
        checks: Vec<Checked>,
    },
    /// Steps must be repeated after an interruption.
    Reset {
        /// The steps.
        steps: Vec<StepId>,
    },
    /// Nothing was uninstalled, and the stopped services were started again: the outage is over unless some could not
    /// be started.
    CalledOff {
        /// Why services could not be started; empty if all are running.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        failed: Vec<String>,
    },
    /// The whole procedure is done.
    Finished {
        /// The data file at the end of the run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<DataFile>,
        /// What is left to do by hand, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by_hand: Option<Vec<FollowUp>>,
    },
    /// A rollback starts.
    RollbackStarted {
        /// Its parts, in order.
        undos: Vec<Undo>,
    },
    /// An interrupted rollback resumes.
    RollbackContinued,
    /// One part of the rollback is done.
    Undone {
        /// Its number, from 0.
        index: usize,
    },
    /// The state before the run is restored.
    RolledBack {
        /// What was not restored.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        not_restored: Vec<String>,
    },
}

/// The file of an installer, right before it was run or shown to the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedInstaller {
    /// The file.
    pub file: WinPath,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// Its signer, if Windows could verify it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// Name and version of its product, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
}

/// The state of the agent's data file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Its size in bytes.
    pub len: u64,
    /// When it was last modified.
    pub modified: Timestamp,
}

/// The input of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// Version of the journal's format.
    pub format: u32,
    /// Version of the program that wrote it.
    pub program: String,
    /// The plan. It cannot contain credentials.
    pub plan: Plan,
    /// The machine before the run.
    pub survey: Survey,
    /// The folders of the run.
    pub folders: Folders,
    /// The procedure.
    pub steps: Vec<Step>,
    /// The saved preview that the run carries out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<String>,
    /// The ticket of the change that the run belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The findings of the preflight checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What the URLs of the components responded before the run; unknown in older journals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baseline: Vec<Baseline>,
}

impl Frozen {
    /// The product code of the agent, if the run uninstalls it.
    pub fn agent(&self) -> Option<&ProductCode> {
        self.steps.iter().find_map(|step| match &step.work {
            Work::Uninstall(uninstall) if uninstall.component == Component::Server => Some(&uninstall.code),
            _ => None,
        })
    }
}

/// The state before an operation, which together with the operation defines how to undo it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "was", rename_all = "kebab-case")]
pub enum Before {
    /// The operation alone is enough.
    Nothing,
    /// This backup has the path that it changes, present or not.
    Saved {
        /// The backup.
        at: WinPath,
        /// The topmost folder that the operation creates.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        missing: Option<WinPath>,
    },
    /// What it writes to this folder of the run must not be kept.
    Private {
        /// The folder.
        folder: WinPath,
    },
    /// The folder was missing; this is the topmost missing one, `None` if none was.
    Folder {
        /// The topmost folder that the operation creates.
        missing: Option<WinPath>,
    },
    /// The service's state.
    Service {
        /// Its state; `None` if it did not exist.
        state: Option<ServiceState>,
    },
    /// The application's pool and settings.
    Application {
        /// The application; `None` if it did not exist.
        application: Option<Application>,
    },
}

/// One part of a rollback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "undo", rename_all = "kebab-case")]
pub enum Undo {
    /// Carry out an operation.
    Do {
        /// The operation.
        op: Op,
    },
    /// Complete an interrupted operation, if possible: the following parts undo it in any case.
    Complete {
        /// The operation.
        op: Op,
    },
    /// Uninstall every product of the component that was not installed before the run.
    RemoveNew {
        /// The component.
        component: Component,
        /// The codes of its products before the run.
        was: Vec<ProductCode>,
    },
}

impl fmt::Display for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Undo::Do { op } => op.fmt(f),
            Undo::Complete { op } => write!(f, "complete the interrupted operation: {op}"),
            Undo::RemoveNew { component, .. } => {
                write!(f, "uninstall the new {} if it is installed", component.title())
            }
        }
    }
}
