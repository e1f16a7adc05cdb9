//! What a step can show before it is done, and what it made of a web.config once it is.

use crate::webconfig::{Change, DiffLine};
use serde::{Deserialize, Serialize};

/// How well a step can be forecast.
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
