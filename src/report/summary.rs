//! What a finished run has done, and what it leaves to people.

use crate::journal::{Answered, RecordedRun};
use crate::platform::op::Op;
use crate::platform::{Failure, Inspect};
use crate::step::{FollowUp, Memo, StepContext, follow_ups};
use serde::Serialize;

/// A run that is over.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// The run's id.
    pub run: String,
    /// The machine's name.
    pub machine: String,
    /// Every step, with how it ended.
    pub steps: Vec<StepSummary>,
    /// Every gate that was passed, with who answered.
    pub gates: Vec<GateSummary>,
    /// What is left to do by hand.
    pub by_hand: Vec<FollowUp>,
    /// How long users could not sign in; milliseconds, `None` where there was no outage.
    pub outage_ms: Option<i64>,
    /// Where the backups are.
    pub backup: String,
    /// What IIS's own backup of its configuration is called, which is for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_server_backup: Option<String>,
    /// The journal.
    pub journal: String,
}

/// One step that is over.
#[derive(Debug, Clone, Serialize)]
pub struct StepSummary {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// `done`, `already so`, or why it was skipped.
    pub how: String,
}

/// One gate that was passed.
#[derive(Debug, Clone, Serialize)]
pub struct GateSummary {
    /// Its id.
    pub id: String,
    /// Who answered.
    pub by: String,
}

impl Summary {
    /// The summary of a finished run, from its journal and from the files that it kept.
    pub fn of(found: &RecordedRun, machine: &dyn Inspect) -> Result<Self, Failure> {
        let RecordedRun { frozen, state, .. } = found;
        let steps = state.steps.iter().filter_map(|step| {
            Some(StepSummary { id: step.id.to_string(), title: step.title.clone(), how: step.how.clone()? })
        });
        let gate = |answered: &Answered| GateSummary { id: answered.gate.clone(), by: answered.by.clone() };
        let web_server_backup = state.operations.iter().rev().find_map(|operation| match &operation.op {
            Op::BackUpWebServer { name } if !operation.is_in_doubt() => Some(name.clone()),
            _ => None,
        });
        let by_hand = match state.finished.as_ref().and_then(|finished| finished.follow_ups.as_ref()) {
            Some(known) => known.clone(),
            None => follow_ups(
                &frozen.steps,
                &StepContext { machine, folders: &frozen.folders, history: &state.history, memo: &Memo::default() },
            )?,
        };
        Ok(Self {
            run: frozen.folders.id.clone(),
            machine: frozen.survey.system.name.clone(),
            steps: steps.collect(),
            gates: state.gates.iter().map(gate).collect(),
            by_hand,
            outage_ms: state.outage_ms(),
            backup: frozen.folders.backup.to_string(),
            web_server_backup,
            journal: found.journal.to_string(),
        })
    }
}
