//! A run: as read from its journal, and as it is written.

use super::{Entry, Frozen, Journal, JournalError, Record, RunState, Standing};
use crate::platform::disk::{Disk, ReadDisk};
use crate::winpath::WinPath;
use jiff::Timestamp;

/// A run from its journal.
#[derive(Debug, Clone)]
pub struct RecordedRun {
    /// Its journal.
    pub journal: WinPath,
    /// What it was decided on.
    pub frozen: Box<Frozen>,
    /// Everything that happened.
    pub records: Vec<Record>,
    /// Its state.
    pub state: RunState,
}

impl RecordedRun {
    /// Reads the run of a journal.
    pub fn read(disk: &dyn ReadDisk, journal: WinPath) -> Result<Self, JournalError> {
        let records = Journal::read(disk, &journal)?;
        Self::of(journal, records)
    }

    /// A journal is created atomically.
    fn of(journal: WinPath, records: Vec<Record>) -> Result<Self, JournalError> {
        let frozen = match records.first().map(|record| &record.entry) {
            Some(Entry::Opened(frozen)) => frozen.clone(),
            _ => {
                let why = "its first record does not have the input of the run".to_owned();
                return Err(JournalError::Damaged { path: journal, line: 1, why });
            }
        };
        let state = RunState::of(&frozen, &records);
        Ok(Self { journal, frozen, records, state })
    }

    /// How far it is.
    pub fn standing(&self) -> Standing {
        self.state.standing()
    }

    /// Whether it has come to its verify step, so that the upgraded machine can be checked.
    pub fn is_checkable(&self) -> bool {
        match self.standing() {
            Standing::Finished => true,
            Standing::Unfinished => self.state.checks.is_some(),
            Standing::RollingBack | Standing::RolledBack => false,
        }
    }
}

/// A run with an open journal: every record is on disk before it takes effect.
pub struct OpenRun {
    journal: Journal,
    /// The state from the records so far.
    pub state: RunState,
}

impl OpenRun {
    /// Begins the journal of a run.
    pub fn begin(disk: &dyn Disk, path: &WinPath, time: Timestamp, frozen: &Frozen) -> Result<Self, JournalError> {
        let journal = Journal::begin(disk, path, time, Entry::Opened(Box::new(frozen.clone())))?;
        let state = RunState::of(frozen, journal.records());
        Ok(Self { journal, state })
    }

    /// Opens the journal of a run to append to it.
    pub fn open(disk: &dyn Disk, run: &RecordedRun) -> Result<Self, JournalError> {
        let journal = Journal::open(disk, &run.journal)?;
        let state = RunState::of(&run.frozen, journal.records());
        Ok(Self { journal, state })
    }

    /// Writes a record durably before it returns.
    pub fn write(&mut self, time: Timestamp, entry: Entry) -> Result<(), JournalError> {
        self.state.take(self.journal.write(time, entry)?);
        Ok(())
    }

    /// How many records there are.
    pub fn records(&self) -> usize {
        self.journal.records().len()
    }
}
