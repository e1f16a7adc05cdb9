//! What a finished run did, and what is left to do by hand.

use crate::journal::{Answered, RecordedRun};
use crate::platform::op::Op;
use crate::platform::{Failure, Inspect};
use crate::step::{FollowUp, Memo, StepContext, follow_ups};
use serde::Serialize;

/// A finished run.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// The run's id.
    pub run: String,
    /// The machine's name.
    pub machine: String,
    /// Every step, with how it ended.
    pub steps: Vec<StepSummary>,
    /// Every gate that was completed, with who answered.
    pub gates: Vec<GateSummary>,
    /// What is left to do by hand.
    pub by_hand: Vec<FollowUp>,
    /// How long users could not sign in, in milliseconds; `None` if there was no outage.
    pub outage_ms: Option<i64>,
    /// Where the backups are.
    pub backup: String,
    /// The name of the backup that IIS made of its own configuration, for manual recovery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_server_backup: Option<String>,
    /// The journal.
    pub journal: String,
}

/// A step that has ended.
#[derive(Debug, Clone, Serialize)]
pub struct StepSummary {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// `done`, `already so`, or why it was skipped.
    pub how: String,
}

/// A gate that was completed.
#[derive(Debug, Clone, Serialize)]
pub struct GateSummary {
    /// Its id.
    pub id: String,
    /// Who answered.
    pub by: String,
    /// The same in words.
    #[serde(skip)]
    pub text: String,
}

impl Summary {
    /// The summary of a finished run, from its journal and its files.
    pub fn of(found: &RecordedRun, machine: &dyn Inspect) -> Result<Self, Failure> {
        let RecordedRun { frozen, state, .. } = found;
        let steps = state.steps.iter().filter_map(|step| {
            Some(StepSummary { id: step.id.to_string(), title: step.title.clone(), how: step.how.clone()? })
        });
        let gate = |it: &Answered| GateSummary { id: it.gate.clone(), by: it.by.clone(), text: it.with_time() };
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
