//! Earlier runs, and how far each one got.

use super::{Engine, EngineError};
use crate::journal::{DataFile, Frozen, JournalError, RecordedRun};
use crate::platform::disk::{self, Kind};
use crate::platform::{Context, Failure};
use crate::survey::DATA_FILE;
use crate::winpath::WinPath;
use jiff::Timestamp;
use std::io;

pub(super) const JOURNAL: &str = "journal.jsonl";

/// The ID of a run, with the run or why it cannot be read.
pub type EachRun = (String, Result<RecordedRun, EngineError>);

impl Engine<'_> {
    /// The latest run; `None` if there is none. A run that was killed before its journal was created does not count: it
    /// has done nothing.
    pub fn last_run(&self) -> Result<Option<RecordedRun>, EngineError> {
        self.run_folders()?.iter().find_map(|folder| self.run_in(folder).transpose()).transpose()
    }

    /// Every run with its ID, the latest first, or why it cannot be read.
    pub fn each_run(&self) -> Result<Vec<EachRun>, EngineError> {
        let run = |folder: WinPath| Some((folder.name().to_owned(), self.run_in(&folder).transpose()?));
        Ok(self.run_folders()?.into_iter().filter_map(run).collect())
    }

    /// The run in a folder; `None` if it never started.
    fn run_in(&self, folder: &WinPath) -> Result<Option<RecordedRun>, EngineError> {
        let (files, journal) = (self.platform.files(), folder.child(JOURNAL));
        let unusable = |error| self.unusable(error);
        if files.entry(&journal).map_err(unusable)?.is_some() {
            return Ok(Some(RecordedRun::read(files, journal)?));
        }
        match self.traces(folder).map_err(unusable)? {
            None => Ok(None),
            Some(trace) => {
                let why = format!("it is missing, but the run has left {trace}");
                Err(JournalError::Lost { path: journal, why }.into())
            }
        }
    }

    /// Removes temporary files from the folders of interrupted runs. Failures do not matter.
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
        let next = "fix it: it must be a folder that you can read";
        let doing = format!("list the runs in {}", self.state.child("runs"));
        EngineError::State(Failure::new(doing, error).next(next))
    }

    /// Every run with a journal, the latest first.
    pub fn all_runs(&self) -> Result<Vec<RecordedRun>, EngineError> {
        let files = self.platform.files();
        let mut all = Vec::new();
        for folder in self.run_folders()? {
            let journal = folder.child(JOURNAL);
            if files.entry(&journal).map_err(|error| self.unusable(error))?.is_some() {
                all.push(RecordedRun::read(files, journal)?);
            }
        }
        Ok(all)
    }

    /// The run that carried out, or is carrying out, the saved preview with this ID.
    pub fn run_of(&self, approved: &str) -> Result<Option<RecordedRun>, EngineError> {
        Ok(self.all_runs()?.into_iter().find(|run| run.frozen.approved.as_deref() == Some(approved)))
    }

    /// The present data file; `None` if there is none.
    pub fn data_file(&self, frozen: &Frozen) -> Result<Option<DataFile>, Failure> {
        let Some(install) = &frozen.survey.install else { return Ok(None) };
        let path = install.data().child(DATA_FILE);
        let entry = self.platform.files().entry(&path).context(format!("look for {path}"))?;
        let Some(entry) = entry.filter(|entry| entry.kind == Kind::File) else { return Ok(None) };
        let modified = Timestamp::try_from(entry.modified).context(format!("read the time of {path}"))?;
        Ok(Some(DataFile { len: entry.len, modified }))
    }

    /// A trace of a run without a journal: a backup in the default folder, or an installer's log.
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
