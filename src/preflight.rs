//! What stands in the way of an upgrade, found before anything is changed.

use serde::{Deserialize, Serialize};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The run is refused.
    Refuse,
    /// The run is refused unless the plan allows it: `[preflight] allow = ["id"]`.
    RefuseUnlessAllowed,
    /// The administrator should know.
    Warn,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable id, such as `pending-reboot`.
    pub id: String,
    /// How much it matters.
    pub level: Level,
    /// True where the plan allows it.
    pub allowed: bool,
    /// What is the matter, in a sentence.
    pub title: String,
    /// What was seen.
    pub evidence: Vec<String>,
    /// What to do about it.
    pub advice: String,
}

impl Finding {
    /// True where this finding alone refuses the run.
    pub fn refuses(&self) -> bool {
        match self.level {
            Level::Refuse => true,
            Level::RefuseUnlessAllowed => !self.allowed,
            Level::Warn => false,
        }
    }
}
