//! The preview of a run, as data.

use crate::finding::Finding;
use crate::step::{Certainty, MergePreview};
use serde::Serialize;

/// Everything an administrator wants to know before saying yes.
#[derive(Debug, Clone, Serialize)]
pub struct Preview {
    /// Version of this document.
    pub format: u32,
    /// `preview`.
    pub kind: &'static str,
    /// The machine's name.
    pub machine: String,
    /// Its Windows.
    pub windows: String,
    /// The plan's own name.
    pub plan: Option<String>,
    /// True where the machine is a simulated one.
    pub simulated: bool,
    /// The run that is not over on this machine, where there is one: it goes on by itself, whatever this preview says.
    pub unfinished_run: Option<String>,
    /// What was found, and what becomes of it.
    pub components: Vec<ComponentPreview>,
    /// What preflight has to say, refusals first.
    pub findings: Vec<Finding>,
    /// What would be done, in this order. Empty: there is nothing to do.
    pub steps: Vec<StepPreview>,
    /// Why there is no way back from a certain step on; empty where a rollback can put everything back.
    pub no_return: Vec<String>,
    /// Where the backups would go.
    pub backup: String,
    /// Bytes free on the drive of the backups, where that can be told.
    pub backup_free: Option<u64>,
}

impl Preview {
    /// True where preflight refuses the run.
    pub fn refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.refuses())
    }
}

/// One component: found, and wanted.
#[derive(Debug, Clone, Serialize)]
pub struct ComponentPreview {
    /// `server`, `sdk`, `portal` or `mobile-app`.
    pub id: String,
    /// Its name in sentences.
    pub title: String,
    /// Name and version of the product found; `None` where it is not installed.
    pub found: Option<String>,
    /// Where it is served from, such as `Default Web Site/PhoneFactor`.
    pub location: Option<String>,
    /// What becomes of it, in words: "upgraded, as Default Web Site/MultiFactorAuth".
    pub fate: String,
}

/// One step.
#[derive(Debug, Clone, Serialize)]
pub struct StepPreview {
    /// Stable id, such as `uninstall-portal`.
    pub id: String,
    /// What is done, in a few words.
    pub title: String,
    /// Why.
    pub reason: String,
    /// How certain it is.
    pub certainty: Certainty,
    /// True while users cannot sign in.
    pub outage: bool,
    /// The operations, a line each.
    pub touches: Vec<String>,
    /// How many bytes it backs up, as they are now.
    pub bytes: Option<u64>,
    /// What a person has to do at this step.
    pub gate: Option<GatePreview>,
    /// True for the first step that cannot be taken back.
    pub no_return: bool,
    /// The web.config that the step writes.
    pub merge: Option<MergePreview>,
    /// Words of caution or explanation.
    pub notes: Vec<String>,
}

/// A gate, with the reason where the plan skips it.
#[derive(Debug, Clone, Serialize)]
pub struct GatePreview {
    /// Stable id.
    pub id: String,
    /// What is asked.
    pub title: String,
    /// How it is done.
    pub instructions: Vec<String>,
    /// Why the plan skips it.
    pub skipped: Option<String>,
}
