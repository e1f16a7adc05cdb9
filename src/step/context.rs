//! What a step can query: the machine, the folders of its run, and what the run has done so far.

use super::{Memo, StepId};
use crate::platform::{Inspect, Size};
use crate::webconfig::Side;
use crate::winpath::WinPath;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a step can query.
pub struct StepContext<'a> {
    /// The machine. Steps only query it; the engine changes it.
    pub machine: &'a dyn Inspect,
    /// The folders of the run.
    pub folders: &'a Folders,
    /// What the run has done so far.
    pub history: &'a History,
    /// Cached results of the current step.
    pub memo: &'a Memo,
}

/// The folders of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folders {
    /// The ID of the run: its start time.
    pub id: String,
    /// Journal, installer logs, report.
    pub run: WinPath,
    /// Backups.
    pub backup: WinPath,
}

impl Folders {
    /// The backup of the data folder.
    pub fn data_backup(&self) -> WinPath {
        self.backup.child("data")
    }

    /// The path of an installer's log.
    pub fn log(&self, step: &str) -> WinPath {
        self.run.child("logs").child(&format!("{step}.log"))
    }

    /// The folder for decrypted copies of web.config files.
    pub fn decrypted(&self) -> WinPath {
        self.run.child("decrypted")
    }

    /// The private folder for leftovers, on the same drive as `path` and outside every site.
    pub fn aside(&self, path: &WinPath) -> WinPath {
        WinPath::root_of(path).child("pfupgrade-aside").child(&self.id)
    }

    /// Whether `path` belongs to this program.
    pub fn own(&self, path: &WinPath) -> bool {
        path.is_within(&self.run) || path.is_within(&self.backup)
    }
}

/// What a run has done so far, as steps need it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Completed backups. The latest of a file or folder counts.
    pub backups: Vec<Kept>,
    /// How often each step has started, including the current attempt.
    pub attempts: BTreeMap<StepId, u32>,
    /// The decisions made since the run started, by the paths of their conflicts.
    pub decisions: BTreeMap<String, Side>,
}

/// A completed backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The step that made it.
    pub step: StepId,
    /// What was backed up.
    pub what: Source,
    /// The backup.
    pub to: WinPath,
    /// SHA-256 of its manifest, or of the exported key.
    pub sha256: Option<String>,
    /// Its size, if recorded.
    pub size: Option<Size>,
    /// When it was verified.
    pub time: Timestamp,
}

/// What a backup is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file or folder.
    Path(WinPath),
    /// A registry key.
    Key(String),
}

impl History {
    /// The latest completed backup of exactly this file or folder.
    pub fn backup_of(&self, path: &WinPath) -> Option<&WinPath> {
        self.latest(&Source::Path(path.clone()))
    }

    /// The latest completed backup of this.
    pub fn latest(&self, what: &Source) -> Option<&WinPath> {
        self.backups.iter().rev().find(|kept| kept.what == *what).map(|kept| &kept.to)
    }
}

impl StepContext<'_> {
    /// The present path of a file or folder of the old installation: in its backup, or in its original location.
    pub fn old(&self, path: &WinPath) -> WinPath {
        self.history.backup_of(path).cloned().unwrap_or_else(|| path.clone())
    }

    /// The backup of the data folder: the latest or the planned one.
    pub fn data_backup(&self, data: &WinPath) -> WinPath {
        self.history.backup_of(data).cloned().unwrap_or_else(|| self.folders.data_backup())
    }

    /// The export of a registry key: the latest or the planned one.
    pub fn key_export(&self, key: &str, planned: &WinPath) -> WinPath {
        self.history.latest(&Source::Key(key.to_owned())).cloned().unwrap_or_else(|| planned.clone())
    }

    /// The path of a backup in this attempt at a step. A later attempt has its own folder, because the first backup may
    /// be outdated and is never overwritten.
    pub fn place(&self, step: &StepId, planned: &WinPath) -> WinPath {
        match (self.history.attempts.get(step), planned.below(&self.folders.backup)) {
            (Some(attempt @ 2..), Some(name)) if !name.is_empty() => {
                let folder = self.folders.backup.child(&format!("attempt-{attempt}"));
                folder.join(name).unwrap_or(folder)
            }
            _ => planned.clone(),
        }
    }
}
