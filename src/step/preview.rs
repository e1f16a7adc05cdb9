//! What a step can show before it is done, and what it made of a web.config once it is.

use super::{ConfigureWeb, Scene, StepKind};
use crate::platform::disk;
use crate::platform::{Doing, Failure};
use crate::webconfig::CONFIG_LIMIT;
use crate::webconfig::{self, Change, DiffLine, Document, Shown};
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};

/// Lines that are the same on both sides, around each difference.
const CONTEXT: usize = 3;

/// How well a step can be foretold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// What is shown is what will be done.
    Exact,
    /// It follows from what is usual; the run looks before it acts.
    Estimated,
    /// It is known once an earlier step has been done.
    KnownLater,
}

/// A merged web.config, secrets masked.
#[derive(Debug, Clone, Serialize)]
pub struct MergePreview {
    /// The file.
    pub file: String,
    /// True where the new file is not to be had yet: what is shown is the old file as shipped with the same values
    /// carried into it.
    pub estimate: bool,
    /// What became of every old value.
    pub changes: Vec<Change>,
    /// The file as shipped against the merged one.
    pub diff: Vec<DiffLine>,
}

/// What became of an administrator's web.config. Secrets are masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The file as it was called before.
    pub before: String,
    /// The file as it is called now.
    pub after: String,
    /// What became of every value of the old file.
    pub changes: Vec<Change>,
    /// The file before against the file now.
    pub diff: Vec<DiffLine>,
}

impl Account {
    /// Tells it from the files, once the merged one is written. `None` where there was no old one.
    pub(crate) fn of(step: &ConfigureWeb, scene: &Scene<'_>) -> Result<Option<Self>, Failure> {
        let Some(merge) = step.merge(scene)? else { return Ok(None) };
        if step.protected.is_some() {
            return Ok(Some(Self::of_encrypted(step, merge)));
        }
        let read = |path: &WinPath| {
            let doing = format!("read {path}");
            let bytes = disk::read(scene.machine.files(), path, CONFIG_LIMIT).doing(&doing)?;
            Document::parse(bytes, path.as_str()).doing(doing)
        };
        let before = read(&scene.old(&step.old_folder).child("web.config"))?;
        let after = read(&WinPath::new(&merge.file).doing("find the merged web.config")?)?;
        Ok(Some(Self {
            before: step.old_folder.child("web.config").to_string(),
            after: merge.file,
            changes: merge.changes,
            diff: webconfig::masked_diff(&before, &after, CONTEXT),
        }))
    }
}

impl Account {
    /// What an administrator has encrypted is not shown, whatever it is called: only what became of it.
    fn of_encrypted(step: &ConfigureWeb, merge: MergePreview) -> Self {
        let hidden = |shown: Shown| if shown == Shown::Absent { shown } else { Shown::Masked };
        let change = |change: Change| Change {
            old: hidden(change.old),
            new: hidden(change.new),
            result: hidden(change.result),
            ..change
        };
        Self {
            before: step.old_folder.child("web.config").to_string(),
            after: merge.file,
            changes: merge.changes.into_iter().map(change).collect(),
            diff: Vec::new(),
        }
    }
}
