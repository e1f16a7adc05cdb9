//! Runs of the past, and how far each one came.

use super::journal::{Entry, Frozen, Journal, JournalError, Record};
use super::{Engine, EngineError};
use crate::platform::op::Op;
use crate::platform::{Doing, Outcome};
use crate::step::{History, Kept};
use crate::winpath::WinPath;

pub(super) const JOURNAL: &str = "journal.jsonl";

/// Where a run stands.
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

/// A run that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its journal.
    pub journal: WinPath,
    /// What it was decided on.
    pub frozen: Box<Frozen>,
    /// Everything that happened.
    pub records: Vec<Record>,
    /// Where it stands.
    pub standing: Standing,
}

impl Found {
    /// What the run has done so far, as its steps see it.
    pub fn history(&self) -> History {
        Progress::of(&self.records).history
    }
}

impl Engine<'_> {
    /// The latest run; `None` where there has never been one. A run that was killed before its first record counts as
    /// never begun.
    pub fn last_run(&self) -> Result<Option<Found>, EngineError> {
        let runs = self.state.child("runs");
        let files = self.platform.files();
        let doing = format!("list the runs in {runs}");
        if files.entry(&runs).doing(&doing)?.is_none() {
            return Ok(None);
        }
        for folder in files.list(&runs).doing(&doing)?.iter().rev() {
            let journal = folder.path.child(JOURNAL);
            if files.entry(&journal).doing(&doing)?.is_none() {
                continue;
            }
            let records = Journal::read(files, &journal)?;
            if let Some(found) = found(journal, records)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

fn found(journal: WinPath, records: Vec<Record>) -> Result<Option<Found>, JournalError> {
    let frozen = match records.first().map(|record| &record.entry) {
        None => return Ok(None),
        Some(Entry::Opened(frozen)) => frozen.clone(),
        Some(_) => {
            let why = "it does not begin with what the run was decided on".to_owned();
            return Err(JournalError::Damaged { path: journal, line: 1, why });
        }
    };
    let standing = records.iter().fold(Standing::Unfinished, |standing, record| match &record.entry {
        Entry::Finished => Standing::Finished,
        Entry::RollbackStarted { .. } => Standing::RollingBack,
        Entry::RolledBack => Standing::RolledBack,
        _ => standing,
    });
    Ok(Some(Found { journal, frozen, records, standing }))
}

/// How far a run came, told from its records.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Steps that are over.
    pub(super) done: Vec<String>,
    /// The step that has begun and is not over, with the number of its operations that are done.
    pub(super) current: Option<(String, usize)>,
    /// True where that step's next operation had begun.
    pub(super) in_doubt: bool,
    /// Steps of the outage that have begun since the last reset.
    pub(super) begun: Vec<String>,
    /// True once anything has been uninstalled, or that has begun.
    pub(super) uninstalling: bool,
    /// True where an installer asked for a restart.
    pub(super) reboot: bool,
    /// What steps need to know.
    pub(super) history: History,
    backing_up: Option<Kept>,
}

impl Progress {
    pub(super) fn of(records: &[Record]) -> Self {
        let mut progress = Self::default();
        records.iter().for_each(|record| progress.take(&record.entry));
        progress
    }

    /// Takes one more record into account.
    pub(super) fn take(&mut self, entry: &Entry) {
        match entry {
            Entry::StepStarted { step } => {
                self.current = Some((step.clone(), 0));
                self.in_doubt = false;
                self.begun.push(step.clone());
                *self.history.attempts.entry(step.clone()).or_default() += 1;
            }
            Entry::OpStarted { step, op, .. } => self.op_started(step, op),
            Entry::OpDone { outcome, .. } => self.op_done(outcome),
            Entry::StepDone { step, .. } => {
                self.current = None;
                self.done.push(step.clone());
            }
            Entry::Reset { steps } => {
                self.done.retain(|done| !steps.contains(done));
                self.begun.retain(|begun| !steps.contains(begun));
                // What was backed up may have been written to since.
                self.history.backups.retain(|kept| !steps.contains(&kept.step));
                if self.current.as_ref().is_some_and(|(current, _)| steps.contains(current)) {
                    self.current = None;
                }
            }
            _ => {}
        }
    }

    fn op_started(&mut self, step: &str, op: &Op) {
        self.in_doubt = true;
        self.uninstalling |= matches!(op, Op::Uninstall { .. });
        self.backing_up = match op {
            Op::BackUp { from, to, .. } => Some(Kept { step: step.to_owned(), from: from.clone(), to: to.clone() }),
            _ => None,
        };
    }

    fn op_done(&mut self, outcome: &Outcome) {
        self.in_doubt = false;
        self.reboot |= outcome.reboot;
        self.history.backups.extend(self.backing_up.take());
        if let Some((_, done)) = &mut self.current {
            *done += 1;
        }
    }
}
