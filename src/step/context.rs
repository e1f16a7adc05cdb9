//! What a step may look at: the machine, the folders of its run, and what the run has done so far.

use super::{Memo, StepId};
use crate::platform::{Inspect, Size};
use crate::webconfig::Side;
use crate::winpath::WinPath;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a step may look at.
pub struct StepContext<'a> {
    /// The machine. Steps ask; only the engine changes.
    pub machine: &'a dyn Inspect,
    /// The folders of the run.
    pub folders: &'a Folders,
    /// What the run has done so far.
    pub history: &'a History,
    /// What the step at work has worked out already.
    pub memo: &'a Memo,
}

/// Where a run keeps its things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folders {
    /// Id of the run: the time it began.
    pub id: String,
    /// Journal, installer logs, report.
    pub run: WinPath,
    /// Backups.
    pub backup: WinPath,
}

impl Folders {
    /// Where the data folder is copied to.
    pub fn data_backup(&self) -> WinPath {
        self.backup.child("data")
    }

    /// Where the log of an installer goes.
    pub fn log(&self, step: &str) -> WinPath {
        self.run.child("logs").child(&format!("{step}.log"))
    }

    /// Decrypted copies of web.config files, as long as they are needed.
    pub fn decrypted(&self) -> WinPath {
        self.run.child("decrypted")
    }

    /// The private folder on the same drive as `path`, outside every site, to which leftovers are moved.
    pub fn aside(&self, path: &WinPath) -> WinPath {
        WinPath::root_of(path).child("pfupgrade-aside").child(&self.id)
    }

    /// True where `path` belongs to this tool.
    pub fn own(&self, path: &WinPath) -> bool {
        path.is_within(&self.run) || path.is_within(&self.backup)
    }
}

/// What a run has done so far, as steps need it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Completed backups. The latest of a file or folder counts.
    pub backups: Vec<Kept>,
    /// How often each step has begun, the one that runs now included.
    pub attempts: BTreeMap<StepId, u32>,
    /// What has been decided of conflicts since the run began, by their paths.
    pub decisions: BTreeMap<String, Side>,
}

/// A completed backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The step that made it.
    pub step: StepId,
    /// What was backed up.
    pub what: Source,
    /// Where to.
    pub to: WinPath,
    /// SHA-256 of its manifest, or of the exported key.
    pub sha256: Option<String>,
    /// How much it holds, where that has been noted.
    pub size: Option<Size>,
    /// When it had been read again and matched.
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
    /// Where a file or folder of the old installation can be read: in its backup, or where it still is.
    pub fn old(&self, path: &WinPath) -> WinPath {
        self.history.backup_of(path).cloned().unwrap_or_else(|| path.clone())
    }

    /// The backup of the data folder: the latest one, or the one that is planned.
    pub fn data_backup(&self, data: &WinPath) -> WinPath {
        self.history.backup_of(data).cloned().unwrap_or_else(|| self.folders.data_backup())
    }

    /// The export of a registry key: the latest one, or the one that is planned.
    pub fn key_export(&self, key: &str, planned: &WinPath) -> WinPath {
        self.history.latest(&Source::Key(key.to_owned())).cloned().unwrap_or_else(|| planned.clone())
    }

    /// Where this attempt at a step puts a backup. A later attempt has a folder of its own: what the first one wrote may
    /// be out of date, and a backup is never overwritten.
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
