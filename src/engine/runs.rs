//! Runs of the past, and how far each one came.

use super::journal::{Entry, Frozen, Journal, JournalError, Record};
use super::{Engine, EngineError};
use crate::platform::op::Op;
use crate::platform::{Doing, Outcome, Process};
use crate::step::{History, Kept, Source};
use crate::winpath::WinPath;
use std::collections::BTreeMap;

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
    /// The steps that have begun, as their last attempt left them.
    pub(super) steps: BTreeMap<String, StepProgress>,
    /// The product codes whose uninstall has begun.
    pub(super) uninstalled: Vec<String>,
    /// True where an installer asked for a restart.
    pub(super) reboot: bool,
    /// A program that was given up on, with its step.
    pub(super) given_up: Option<(String, Process)>,
    /// What steps need to know.
    pub(super) history: History,
    restart_asked: bool,
    backing_up: Option<Kept>,
}

/// How far one step came.
#[derive(Debug, Clone, Default)]
pub(super) struct StepProgress {
    /// True once it is over.
    pub(super) over: bool,
    /// How many of its operations are done.
    pub(super) ops: usize,
    /// True where the next operation had begun.
    pub(super) in_doubt: bool,
}

impl Progress {
    pub(super) fn of(records: &[Record]) -> Self {
        let mut progress = Self::default();
        records.iter().for_each(|record| progress.take(&record.entry));
        progress
    }

    /// True where a step is over.
    pub(super) fn is_over(&self, step: &str) -> bool {
        self.steps.get(step).is_some_and(|step| step.over)
    }

    /// Takes one more record into account.
    pub(super) fn take(&mut self, entry: &Entry) {
        if self.restart_asked
            && matches!(entry, Entry::StepStarted { .. } | Entry::OpStarted { .. } | Entry::StepDone { .. })
        {
            // Nothing goes on before that restart.
            (self.reboot, self.restart_asked) = (false, false);
        }
        match entry {
            Entry::StepStarted { step } => {
                self.steps.insert(step.clone(), StepProgress::default());
                *self.history.attempts.entry(step.clone()).or_default() += 1;
            }
            Entry::OpStarted { step, op, .. } => self.op_started(step, op),
            Entry::OpDone { step, outcome, .. } => self.op_done(step, outcome),
            Entry::Failed { changed_nothing: true, .. } => drop(self.uninstalled.pop()),
            Entry::OutcomeUnknown { step, process, .. } => self.given_up = Some((step.clone(), process.clone())),
            Entry::RestartNeeded { .. } => self.restart_asked = true,
            Entry::RollbackStarted { .. } | Entry::RollbackContinued | Entry::Undone { .. } => self.given_up = None,
            Entry::StepDone { step, .. } => self.steps.entry(step.clone()).or_default().over = true,
            Entry::Reset { steps } => {
                self.steps.retain(|step, _| !steps.contains(step));
                // What was backed up may have been written to since.
                self.history.backups.retain(|kept| !steps.contains(&kept.step));
            }
            _ => {}
        }
    }

    fn op_started(&mut self, step: &str, op: &Op) {
        self.steps.entry(step.to_owned()).or_default().in_doubt = true;
        self.given_up = None;
        if let Op::Uninstall { code, .. } = op {
            self.uninstalled.push(code.clone());
        }
        self.backing_up = match op {
            Op::BackUp { from, to, .. } => Some((Source::Path(from.clone()), to)),
            Op::ExportKey { key, to, .. } => Some((Source::Key(key.clone()), to)),
            _ => None,
        }
        .map(|(what, to)| Kept { step: step.to_owned(), what, to: to.clone(), sha256: None });
    }

    fn op_done(&mut self, step: &str, outcome: &Outcome) {
        self.reboot |= outcome.reboot;
        self.given_up = None;
        let kept = self.backing_up.take().map(|kept| Kept { sha256: outcome.sha256.clone(), ..kept });
        self.history.backups.extend(kept);
        let step = self.steps.entry(step.to_owned()).or_default();
        step.in_doubt = false;
        step.ops += 1;
    }
}
