//! What a step can show before it runs, and what it did with a web.config afterwards.

use crate::webconfig::{Change, DiffLine};
use serde::{Deserialize, Serialize};

/// How well a step can be forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// The preview is exact.
    Exact,
    /// It is based on defaults; the run checks again before it applies it.
    Estimated,
    /// It is known once an earlier step is done.
    KnownLater,
}

/// A merged web.config, with secrets masked.
#[derive(Debug, Clone, Serialize)]
pub struct MergePreview {
    /// The file.
    pub file: String,
    /// Whether the new file is not available yet: the preview then shows the old file as shipped with the same values.
    pub estimate: bool,
    /// What happens to every old value.
    pub changes: Vec<Change>,
    /// The difference between the file as shipped and the merged one.
    pub diff: Vec<DiffLine>,
}

/// What became of a customized web.config, with secrets masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsReport {
    /// The path before the upgrade.
    pub before: String,
    /// The path after the upgrade.
    pub after: String,
    /// What became of every value in the old file.
    pub changes: Vec<Change>,
    /// The difference between the two files.
    pub diff: Vec<DiffLine>,
}
