//! The journal of a run: one record a line, readable by people, each with a checksum chained over all before it.
//!
//! A record is on disk before what it announces happens. A last line that was cut short is dropped; any other damage is
//! an error, since nothing may be decided on a history that is not whole.

use super::seal::{seal, unseal};
use crate::finding::Finding;
use crate::plan::{Component, Plan};
use crate::platform::disk::{self, Disk, ReadDisk, WriteFile};
use crate::platform::facts::{Application, ServiceState};
use crate::platform::op::{Gate, Op};
use crate::platform::{Doing, Failure, Outcome, Process};
use crate::step::{Account, Folders, FollowUp, Step, Work};
use crate::survey::Survey;
use crate::webconfig::Side;
use crate::winpath::WinPath;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, io};

/// Version of the journal's format.
pub const FORMAT: u32 = 1;
const LIMIT: u64 = 256 << 20;

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
        step: String,
    },
    /// An operation is about to be done.
    OpStarted {
        /// The step it belongs to.
        step: String,
        /// Its number within the step, from 0.
        index: usize,
        /// The operation.
        op: Op,
        /// What is there before it.
        before: Before,
    },
    /// An operation is done.
    OpDone {
        /// The step it belongs to.
        step: String,
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
        step: String,
        /// What became of every old setting. No value in it is a secret.
        account: Box<Account>,
    },
    /// An operation or the look at its result failed. The step is `rollback` where that has failed.
    Failed {
        /// The step.
        step: String,
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
    /// A program has not ended in its time and runs on: what it does is not known.
    OutcomeUnknown {
        /// The step, or `rollback`.
        step: String,
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
        step: String,
        /// `done`, `already so`, or why it was skipped.
        how: String,
    },
    /// The outage was called off before anything was uninstalled: these steps have to be done anew.
    Reset {
        /// The steps.
        steps: Vec<String>,
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
    pub fn agent(&self) -> Option<&str> {
        self.steps.iter().find_map(|step| match &step.work {
            Work::Uninstall(uninstall) if uninstall.component == Component::Server => Some(uninstall.code.as_str()),
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
        was: Vec<String>,
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

/// The journal cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Something in the middle of it is not what was written.
    #[error("the journal {path} is damaged in line {line}: {why}")]
    Damaged {
        /// The journal.
        path: WinPath,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// It is of a newer program.
    #[error("the journal {path} has format {format}, and this program reads format {FORMAT}: use the newer pfupgrade")]
    Newer {
        /// The journal.
        path: WinPath,
        /// Its format.
        format: u32,
    },
    /// It is not what a journal is, or not there any more.
    #[error("the journal {path} is lost or damaged: {why}")]
    Lost {
        /// The journal.
        path: WinPath,
        /// What is wrong.
        why: String,
    },
    /// It cannot be read or written.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// An open journal.
pub struct Journal {
    file: Box<dyn WriteFile>,
    path: WinPath,
    sum: String,
    records: Vec<Record>,
    /// Set where a record could not be written: what is on the disk of it would damage the ones behind it.
    torn: bool,
}

impl Journal {
    /// Begins a journal with its first record, whole or not at all; its folder must exist.
    pub fn begin(disk: &dyn Disk, path: &WinPath, time: Timestamp, entry: Entry) -> Result<Self, JournalError> {
        let doing = format!("create the journal {path}");
        if disk::exists(disk.as_read(), path).doing(format!("look for {path}"))? {
            return Err(Failure::new(doing, "there is one already").into());
        }
        let record = Record { seq: 0, time, entry };
        let (line, sum) = seal("", &record).doing(&doing)?;
        disk::replace(disk, path, line.as_bytes()).doing(&doing)?;
        let file = disk.append(path).doing(&doing)?;
        Ok(Self { file, path: path.clone(), sum, records: vec![record], torn: false })
    }

    /// Opens a journal to go on with it. A last line that was cut short is cut off, and its name is safe from now on: who
    /// began it may have been cut off before it was.
    pub fn open(disk: &dyn Disk, path: &WinPath) -> Result<Self, JournalError> {
        let doing = format!("open the journal {path}");
        let content = content(disk.as_read(), path, &doing)?;
        let (records, sum, whole) = parse(path, &content)?;
        if whole < content.len() {
            disk::replace(disk, path, &content[..whole]).doing(&doing)?;
        }
        // An earlier attempt may have been cut off while it did that, and a power cut have taken the torn line away.
        disk::remove(disk, &disk::beside(path)).doing(&doing)?;
        disk::sync_parent(disk, path).doing(&doing)?;
        Ok(Self { file: disk.append(path).doing(&doing)?, path: path.clone(), sum, records, torn: false })
    }

    /// Reads a journal without opening it.
    pub fn read(disk: &dyn ReadDisk, path: &WinPath) -> Result<Vec<Record>, JournalError> {
        let content = content(disk, path, &format!("read the journal {path}"))?;
        parse(path, &content).map(|(records, ..)| records)
    }

    /// Writes a record and has it survive a power cut before it returns.
    pub fn write(&mut self, time: Timestamp, entry: Entry) -> Result<(), JournalError> {
        let record = Record { seq: self.records.len() as u64, time, entry };
        let doing = format!("write the journal {}", self.path);
        if self.torn {
            return Err(Failure::new(doing, "an earlier record could not be written whole").into());
        }
        let (line, sum) = seal(&self.sum, &record).doing(&doing)?;
        self.torn = true;
        let next = "see that the drive has room and can be written to";
        let failed = |error| Failure::new(&doing, error).next(next);
        self.file.write_all(line.as_bytes()).map_err(failed)?;
        self.file.sync().map_err(failed)?;
        self.torn = false;
        self.sum = sum;
        self.records.push(record);
        Ok(())
    }

    /// Every record so far.
    pub fn records(&self) -> &[Record] {
        &self.records
    }
}

/// What no journal can be is told from one that cannot be read just now.
fn content(disk: &dyn ReadDisk, path: &WinPath, doing: &str) -> Result<Vec<u8>, JournalError> {
    disk::read(disk, path, LIMIT).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory => {
            JournalError::Lost { path: path.clone(), why: error.to_string() }
        }
        _ => Failure::new(doing, error).next("see that the file is there and that you may read it").into(),
    })
}

/// The records, the last checksum, and how many bytes of the content are whole lines.
fn parse(path: &WinPath, content: &[u8]) -> Result<(Vec<Record>, String, usize), JournalError> {
    let mut records: Vec<Record> = Vec::new();
    let (mut sum, mut whole) = (String::new(), 0);
    while let Some(length) = content[whole..].iter().position(|byte| *byte == b'\n') {
        let number = records.len() + 1;
        let damaged = |why: String| JournalError::Damaged { path: path.clone(), line: number, why };
        let line = std::str::from_utf8(&content[whole..whole + length]).map_err(|error| damaged(error.to_string()))?;
        let (record, found) = unseal(&sum, line).map_err(|why| damaged(why.to_owned()))?;
        check_format(path, number, &record)?;
        let parsed: Record = serde_json::from_str(&record).map_err(|error| damaged(error.to_string()))?;
        if parsed.seq != records.len() as u64 {
            return Err(damaged(format!("it has number {}", parsed.seq)));
        }
        records.push(parsed);
        sum = found.to_owned();
        whole += length + 1;
    }
    Ok((records, sum, whole))
}

/// The format stands in the first record; a newer one is told apart from damage.
fn check_format(path: &WinPath, number: usize, record: &str) -> Result<(), JournalError> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    if number > 1 {
        return Ok(());
    }
    match serde_json::from_str::<Head>(record) {
        Ok(head) if head.format > FORMAT => Err(JournalError::Newer { path: path.clone(), format: head.format }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
