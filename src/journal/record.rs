//! What is written into a journal.

use crate::finding::Finding;
use crate::names::ProductCode;
use crate::plan::{Component, Plan};
use crate::platform::facts::{Application, ServiceState, Signature};
use crate::platform::op::{Gate, Op};
use crate::platform::{Outcome, Process};
use crate::step::{Account, Checked, Folders, FollowUp, Step, StepId, Work};
use crate::survey::Survey;
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
    /// What it says.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case")]
pub enum Entry {
    /// The run begins: everything it was decided on, frozen.
    Opened(Box<Frozen>),
    /// A step begins, or begins anew.
    StepStarted {
        /// Its id.
        step: StepId,
    },
    /// An operation is about to be done.
    OpStarted {
        /// The step it belongs to.
        step: StepId,
        /// Its number within the step, from 0.
        index: usize,
        /// The operation.
        op: Op,
        /// What is there before it.
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
        /// What it brought to light.
        outcome: Outcome,
    },
    /// A command of this program begins to work on the run.
    Session {
        /// `run`, `resume` or `rollback`.
        command: String,
        /// The account of whoever gave it, where that can be told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
        /// The offset of the server's own time when the command began: seconds east of UTC.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        utc_offset: Option<i32>,
    },
    /// Work ends here for now: a person has to do what a gate asks.
    Waiting {
        /// What is asked.
        gate: Gate,
    },
    /// Work ends here for now: the operator has stopped it.
    Stopped,
    /// A web.config has been written.
    Merged {
        /// The step.
        step: StepId,
        /// What became of every old setting. No value in it is a secret.
        account: Box<Account>,
    },
    /// An operation or the look at its result failed. The step is `rollback` where that has failed.
    Failed {
        /// The step.
        step: StepId,
        /// Why.
        why: String,
        /// What to do next; empty where nothing more is known.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        next: String,
        /// The lines of an installer's log that matter.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        log: Vec<String>,
        /// True where an installer ended before it changed anything.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        changed_nothing: bool,
    },
    /// The operation that had begun was stopped before it changed anything.
    ChangedNothing {
        /// The step it belongs to.
        step: StepId,
    },
    /// A program has not ended in its time and runs on: what it does is not known.
    OutcomeUnknown {
        /// The step, or `rollback`.
        step: StepId,
        /// The program.
        process: Process,
        /// What was being done.
        why: String,
        /// What to do next.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        next: String,
    },
    /// Windows has to be restarted before the next step.
    RestartNeeded {
        /// The files that wait for it.
        files: Vec<String>,
    },
    /// A person did what a gate asks.
    Answered {
        /// The gate.
        gate: String,
        /// Who says so.
        by: String,
    },
    /// The operator decided a conflict.
    Decided {
        /// The conflict.
        path: String,
        /// Whose value holds.
        take: Side,
    },
    /// A step is over.
    StepDone {
        /// Its id.
        step: StepId,
        /// `done`, `already so`, or why it was skipped.
        how: String,
        /// Name and version of the new product that was found then, where the step installs one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<String>,
    },
    /// A step has looked at the machine, and this is what it found.
    Checked {
        /// The step.
        step: StepId,
        /// Every check, passed or not.
        checks: Vec<Checked>,
    },
    /// The outage was called off before anything was uninstalled: these steps have to be done anew.
    Reset {
        /// The steps.
        steps: Vec<StepId>,
    },
    /// Nothing had been uninstalled, and the services that had been stopped were started again: the outage is over
    /// unless some could not be.
    CalledOff {
        /// Why services do not run again; empty where all do.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        failed: Vec<String>,
    },
    /// The whole procedure is done.
    Finished {
        /// The data file as the run left it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<DataFile>,
        /// What is left to do by hand, where that could be told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by_hand: Option<Vec<FollowUp>>,
    },
    /// A rollback begins; this puts everything back.
    RollbackStarted {
        /// What is done, in order.
        undos: Vec<Undo>,
    },
    /// A rollback that was interrupted goes on.
    RollbackContinued,
    /// One part of the rollback is done.
    Undone {
        /// Its number, from 0.
        index: usize,
    },
    /// Everything is as it was before the run.
    RolledBack {
        /// What a rollback does not put back, and what is not as it was.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        not_restored: Vec<String>,
    },
}

/// The file of an installer, right before it was run or named to the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedInstaller {
    /// The file.
    pub file: WinPath,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// Who signed it, where Windows could tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// Name and version of its product, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
}

/// The agent's data file at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Its size in bytes.
    pub len: u64,
    /// When it was last changed.
    pub modified: Timestamp,
}

/// What a run was decided on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// Version of the journal's format.
    pub format: u32,
    /// Version of the program that wrote it.
    pub program: String,
    /// The plan. Credential-like values cannot occur in it.
    pub plan: Plan,
    /// The machine as it was.
    pub survey: Survey,
    /// The folders of the run.
    pub folders: Folders,
    /// The procedure.
    pub steps: Vec<Step>,
    /// The approved preview that the run carries out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<String>,
    /// The ticket of the change that the run belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// What preflight had to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

impl Frozen {
    /// The product code of the agent, where the run uninstalls it.
    pub fn agent(&self) -> Option<&ProductCode> {
        self.steps.iter().find_map(|step| match &step.work {
            Work::Uninstall(uninstall) if uninstall.component == Component::Server => Some(&uninstall.code),
            _ => None,
        })
    }
}

/// What was there before an operation: with the operation it tells how to undo it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "was", rename_all = "kebab-case")]
pub enum Before {
    /// The operation says it all.
    Nothing,
    /// The path it changes is kept in this backup, present or not.
    Saved {
        /// The backup.
        at: WinPath,
        /// The topmost folder that the operation creates.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        missing: Option<WinPath>,
    },
    /// What it puts into this folder of the run must not outlast it.
    Private {
        /// The folder.
        folder: WinPath,
    },
    /// The folder was missing; this is the first missing one on the way to it, `None` where all were there.
    Folder {
        /// The topmost folder that the operation creates.
        missing: Option<WinPath>,
    },
    /// The service's state.
    Service {
        /// Its state; `None` where there was no such service.
        state: Option<ServiceState>,
    },
    /// The application's pool and settings.
    Application {
        /// The application; `None` where there was none.
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
    /// Complete an operation that was cut off, if that can be done: what follows puts it back either way.
    Complete {
        /// The operation.
        op: Op,
    },
    /// Uninstall whatever the component has now that it did not have before the run.
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
            Undo::Complete { op } => write!(f, "complete what was cut off: {op}"),
            Undo::RemoveNew { component, .. } => write!(f, "uninstall the new {}, if it is there", component.title()),
        }
    }
}
