//! Runs of the past, and how far each one came.

use super::journal::{DataFile, Entry, Frozen, Journal, JournalError, Record};
use super::{Engine, EngineError};
use crate::platform::disk::{self, Kind};
use crate::platform::op::Op;
use crate::platform::{Doing, Failure, Outcome, Process};
use crate::step::FollowUp;
use crate::step::{History, Kept, Source};
use crate::winpath::WinPath;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

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
    /// The data file as the finished run left it, where that is known.
    pub fn data_file(&self) -> Option<&DataFile> {
        self.records.iter().rev().find_map(|record| match &record.entry {
            Entry::Finished { data, .. } => data.as_ref(),
            _ => None,
        })
    }

    /// What the finished run has left to people, where that has been noted.
    pub fn by_hand(&self) -> Option<&[FollowUp]> {
        self.records.iter().rev().find_map(|record| match &record.entry {
            Entry::Finished { by_hand, .. } => by_hand.as_deref(),
            _ => None,
        })
    }

    /// What the run has done so far, as its steps see it.
    pub fn history(&self) -> History {
        Progress::of(&self.records).history
    }
}

/// A run by its id, or why it cannot be read.
pub type EachRun = (String, Result<Found, EngineError>);

impl Engine<'_> {
    /// The latest run; `None` where there has never been one. A run that was killed before its journal began counts as
    /// never begun: it has done nothing yet.
    pub fn last_run(&self) -> Result<Option<Found>, EngineError> {
        self.run_folders()?.iter().find_map(|folder| self.run_in(folder).transpose()).transpose()
    }

    /// Every run by its id, the latest first, or why it cannot be read.
    pub fn each_run(&self) -> Result<Vec<EachRun>, EngineError> {
        let run = |folder: WinPath| Some((folder.name().to_owned(), self.run_in(&folder).transpose()?));
        Ok(self.run_folders()?.into_iter().filter_map(run).collect())
    }

    /// The run of a folder; `None` where it never began.
    fn run_in(&self, folder: &WinPath) -> Result<Option<Found>, EngineError> {
        let (files, journal) = (self.platform.files(), folder.child(JOURNAL));
        let unusable = |error| self.unusable(error);
        if files.entry(&journal).map_err(unusable)?.is_some() {
            let records = Journal::read(files, &journal)?;
            return Ok(Some(found(journal, records)?));
        }
        match self.traces(folder).map_err(unusable)? {
            None => Ok(None),
            Some(trace) => {
                let why = format!("it is not there, and the run has left {trace}");
                Err(JournalError::Lost { path: journal, why }.into())
            }
        }
    }

    /// Takes away what was being written into the folder of a run when it was cut off. What cannot be removed harms
    /// nobody.
    pub(super) fn tidy_runs(&self) {
        let disk = self.platform.disk();
        let list = |folder: &WinPath| disk.list(folder).unwrap_or_default();
        for run in list(&self.state.child("runs")) {
            for file in list(&run.path).into_iter().filter(|file| file.path.name().ends_with(disk::NEW)) {
                disk::remove(disk, &file.path).ok();
            }
        }
    }

    /// The folders of all runs, the latest first.
    fn run_folders(&self) -> Result<Vec<WinPath>, EngineError> {
        let (runs, files) = (self.state.child("runs"), self.platform.files());
        if files.entry(&runs).map_err(|error| self.unusable(error))?.is_none() {
            return Ok(Vec::new());
        }
        let all = files.list(&runs).map_err(|error| self.unusable(error))?;
        Ok(all.into_iter().rev().map(|folder| folder.path).collect())
    }

    fn unusable(&self, error: io::Error) -> EngineError {
        let next = "put right what lies there; it has to be a folder that you may read";
        let doing = format!("list the runs in {}", self.state.child("runs"));
        EngineError::State(Failure::new(doing, error).next(next))
    }

    /// Every run that has a journal, the latest first.
    pub fn all_runs(&self) -> Result<Vec<Found>, EngineError> {
        let files = self.platform.files();
        let mut all = Vec::new();
        for folder in self.run_folders()? {
            let journal = folder.child(JOURNAL);
            if files.entry(&journal).map_err(|error| self.unusable(error))?.is_some() {
                let records = Journal::read(files, &journal)?;
                all.push(found(journal, records)?);
            }
        }
        Ok(all)
    }

    /// The data file as it is now; `None` where there is none.
    pub fn data_file(&self, frozen: &Frozen) -> Result<Option<DataFile>, Failure> {
        let Some(install) = &frozen.survey.install else { return Ok(None) };
        let path = install.data().child("PhoneFactor.pfdata");
        let entry = self.platform.files().entry(&path).doing(format!("look for {path}"))?;
        let Some(entry) = entry.filter(|entry| entry.kind == Kind::File) else { return Ok(None) };
        let modified = Timestamp::try_from(entry.modified).doing(format!("read the time of {path}"))?;
        Ok(Some(DataFile { len: entry.len, modified }))
    }

    /// What tells that a run has begun which has no journal: a backup at the usual place, or an installer's log.
    fn traces(&self, run: &WinPath) -> io::Result<Option<WinPath>> {
        let files = self.platform.files();
        for folder in [self.state.child("backups").child(run.name()), run.child("logs")] {
            if files.entry(&folder)?.is_some_and(|entry| entry.kind == Kind::Folder)
                && let Some(first) = files.list(&folder)?.first()
            {
                return Ok(Some(first.path.clone()));
            }
        }
        Ok(None)
    }
}

/// A journal begins whole or not at all.
fn found(journal: WinPath, records: Vec<Record>) -> Result<Found, JournalError> {
    let frozen = match records.first().map(|record| &record.entry) {
        Some(Entry::Opened(frozen)) => frozen.clone(),
        _ => {
            let why = "it does not begin with what the run was decided on".to_owned();
            return Err(JournalError::Damaged { path: journal, line: 1, why });
        }
    };
    let standing = records.iter().fold(Standing::Unfinished, |standing, record| match &record.entry {
        Entry::Finished { .. } => Standing::Finished,
        Entry::RollbackStarted { .. } => Standing::RollingBack,
        Entry::RolledBack { .. } => Standing::RolledBack,
        _ => standing,
    });
    Ok(Found { journal, frozen, records, standing })
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
    /// The gates that have been answered.
    pub(super) answered: BTreeSet<String>,
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

    /// What an interruption left, in words.
    pub(super) fn where_it_stands(&self, records: &[Record]) -> Option<String> {
        let (step, progress) = self.steps.iter().find(|(_, step)| !step.over)?;
        let last = records.iter().rev().find_map(|record| match &record.entry {
            Entry::OpStarted { op, .. } => Some(op),
            _ => None,
        });
        Some(match (progress.in_doubt, last) {
            (true, Some(Op::Ask { .. })) => match self.waits_at(records).as_slice() {
                [gate] => format!("it waits at the gate {gate}"),
                gates => format!("it waits at the gates {}", gates.join(" and ")),
            },
            (true, _) => format!("{step} was interrupted in its operation {}: it is completed", progress.ops + 1),
            (false, _) => format!("{step} was interrupted after {} operations", progress.ops),
        })
    }

    /// The gates that steps wait at which are not over, in the order in which they were come to.
    fn waits_at<'a>(&self, records: &'a [Record]) -> Vec<&'a str> {
        let mut gates = Vec::new();
        for record in records {
            let Entry::OpStarted { step, op: Op::Ask { gate }, .. } = &record.entry else { continue };
            if !self.is_over(step) && !gates.contains(&gate.id.as_str()) {
                gates.push(gate.id.as_str());
            }
        }
        gates
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
            Entry::Answered { gate, .. } => drop(self.answered.insert(gate.clone())),
            Entry::Decided { path, take } => drop(self.history.decisions.insert(path.clone(), *take)),
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
