//! A run: as it is found, and as it is worked on.

use super::{Entry, Frozen, Journal, JournalError, Record, RunState, Standing};
use crate::platform::disk::{Disk, ReadDisk};
use crate::winpath::WinPath;
use jiff::Timestamp;

/// A run that was found.
#[derive(Debug, Clone)]
pub struct RecordedRun {
    /// Its journal.
    pub journal: WinPath,
    /// What it was decided on.
    pub frozen: Box<Frozen>,
    /// Everything that happened.
    pub records: Vec<Record>,
    /// What that comes to.
    pub state: RunState,
}

impl RecordedRun {
    /// Reads the run of a journal.
    pub fn read(disk: &dyn ReadDisk, journal: WinPath) -> Result<Self, JournalError> {
        let records = Journal::read(disk, &journal)?;
        Self::of(journal, records)
    }

    /// A journal begins whole or not at all.
    fn of(journal: WinPath, records: Vec<Record>) -> Result<Self, JournalError> {
        let frozen = match records.first().map(|record| &record.entry) {
            Some(Entry::Opened(frozen)) => frozen.clone(),
            _ => {
                let why = "it does not begin with what the run was decided on".to_owned();
                return Err(JournalError::Damaged { path: journal, line: 1, why });
            }
        };
        let state = RunState::of(&frozen, &records);
        Ok(Self { journal, frozen, records, state })
    }

    /// How far it has come.
    pub fn standing(&self) -> Standing {
        self.state.standing()
    }
}

/// A run that is worked on: every record is on the disk before it counts.
pub struct OpenRun {
    journal: Journal,
    /// What the records so far come to.
    pub state: RunState,
}

impl OpenRun {
    /// Begins the journal of a run.
    pub fn begin(disk: &dyn Disk, path: &WinPath, time: Timestamp, frozen: &Frozen) -> Result<Self, JournalError> {
        let journal = Journal::begin(disk, path, time, Entry::Opened(Box::new(frozen.clone())))?;
        let state = RunState::of(frozen, journal.records());
        Ok(Self { journal, state })
    }

    /// Opens the journal of a run to go on with it.
    pub fn open(disk: &dyn Disk, run: &RecordedRun) -> Result<Self, JournalError> {
        let journal = Journal::open(disk, &run.journal)?;
        let state = RunState::of(&run.frozen, journal.records());
        Ok(Self { journal, state })
    }

    /// Writes a record and has it survive a power cut before it returns.
    pub fn write(&mut self, time: Timestamp, entry: Entry) -> Result<(), JournalError> {
        self.state.take(self.journal.write(time, entry)?);
        Ok(())
    }

    /// How many records there are.
    pub fn records(&self) -> usize {
        self.journal.records().len()
    }
}
