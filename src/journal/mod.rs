//! The journal of a run: written before anything happens, and interpreted in one place.
//!
#![doc = include_str!("../guide/journal.md")]

mod facts;
mod outage;
mod questions;
mod record;
mod run;
pub(crate) mod seal;
mod state;

pub use facts::{
    Answered, Asked, Checks, Failed, Finished, Next, Operation, OperationEnd, Part, Passed, Rollback, Session, Span,
    Standing, Stands, StepState, Way, milliseconds,
};
pub use record::{Before, DataFile, Entry, Frozen, Record, Undo, UsedInstaller};
pub use run::{OpenRun, RecordedRun};
pub use state::RunState;

use crate::platform::disk::{self, Disk, ReadDisk, WriteFile};
use crate::platform::{Context, Failure};
use crate::winpath::WinPath;
use jiff::Timestamp;
use seal::{seal, unseal};
use serde::Deserialize;
use std::io;

/// Version of the journal's format. Format 2 adds [`Entry::CalledOff`], [`Entry::ChangedNothing`], [`Entry::Checked`]
/// and facts for the report; if a journal of format 1 lacks one, it is unknown.
pub const FORMAT: u32 = 2;
const LIMIT: u64 = 256 << 20;

/// The journal cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// A record in the middle is damaged.
    #[error("the journal {path} is damaged in line {line}: {why}")]
    Damaged {
        /// The journal.
        path: WinPath,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// A newer version wrote it.
    #[error("the journal {path} has format {format}, but this pfupgrade reads format {FORMAT}: use the newer one")]
    Newer {
        /// The journal.
        path: WinPath,
        /// Its format.
        format: u32,
    },
    /// It is not a journal, or is missing.
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
    /// Set if a record could not be written completely: later records would be damaged.
    torn: bool,
}

impl Journal {
    /// Creates a journal with its first record, atomically; its folder must exist.
    pub fn begin(disk: &dyn Disk, path: &WinPath, time: Timestamp, entry: Entry) -> Result<Self, JournalError> {
        let doing = format!("create the journal {path}");
        if disk::exists(disk.as_read(), path).context(format!("look for {path}"))? {
            return Err(Failure::new(doing, "it already exists").into());
        }
        let record = Record { seq: 0, time, entry };
        let (line, sum) = seal("", &record).context(&doing)?;
        disk::replace(disk, path, line.as_bytes()).context(&doing)?;
        let file = disk.append(path).context(&doing)?;
        Ok(Self { file, path: path.clone(), sum, records: vec![record], torn: false })
    }

    /// Opens a journal to append to it. An incomplete last line is removed, and its name is synced, because its
    /// creation may have been interrupted before that.
    pub fn open(disk: &dyn Disk, path: &WinPath) -> Result<Self, JournalError> {
        let doing = format!("open the journal {path}");
        let content = content(disk.as_read(), path, &doing)?;
        let (records, sum, whole) = parse(path, &content)?;
        if whole < content.len() {
            disk::replace(disk, path, &content[..whole]).context(&doing)?;
        }
        // An earlier attempt may have been interrupted here, and a power cut may have removed the incomplete line.
        disk::remove(disk, &disk::beside(path)).context(&doing)?;
        disk::sync_parent(disk, path).context(&doing)?;
        Ok(Self { file: disk.append(path).context(&doing)?, path: path.clone(), sum, records, torn: false })
    }

    /// Reads a journal without opening it.
    pub fn read(disk: &dyn ReadDisk, path: &WinPath) -> Result<Vec<Record>, JournalError> {
        let content = content(disk, path, &format!("read the journal {path}"))?;
        parse(path, &content).map(|(records, ..)| records)
    }

    /// Writes a record durably before it returns.
    pub fn write(&mut self, time: Timestamp, entry: Entry) -> Result<&Record, JournalError> {
        let record = Record { seq: self.records.len() as u64, time, entry };
        let doing = format!("write the journal {}", self.path);
        if self.torn {
            return Err(Failure::new(doing, "an earlier record could not be written completely").into());
        }
        let (line, sum) = seal(&self.sum, &record).context(&doing)?;
        self.torn = true;
        let next = "check that the drive has free space and is writable";
        let failed = |error| Failure::new(&doing, error).next(next);
        self.file.write_all(line.as_bytes()).map_err(failed)?;
        self.file.sync().map_err(failed)?;
        self.torn = false;
        self.sum = sum;
        self.records.push(record);
        Ok(&self.records[self.records.len() - 1])
    }

    /// Every record so far.
    pub fn records(&self) -> &[Record] {
        &self.records
    }
}

/// Distinguishes an invalid journal from one that cannot be read at the moment.
fn content(disk: &dyn ReadDisk, path: &WinPath, doing: &str) -> Result<Vec<u8>, JournalError> {
    disk::read(disk, path, LIMIT).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory => {
            JournalError::Lost { path: path.clone(), why: error.to_string() }
        }
        _ => Failure::new(doing, error).next("check that the file exists and that you can read it").into(),
    })
}

/// Returns the records, the last checksum, and the length of all complete lines in bytes.
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
            return Err(damaged(format!("its number is {}", parsed.seq)));
        }
        records.push(parsed);
        sum = found.to_owned();
        whole += length + 1;
    }
    Ok((records, sum, whole))
}

/// Checks the format in the first record; a newer one is not damage.
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
