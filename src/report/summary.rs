//! What a finished run has done, and what it leaves to people.

use crate::engine::Found;
use crate::engine::journal::Entry;
use crate::platform::op::Op;
use crate::platform::{Failure, Inspect};
use crate::step::{FollowUp, Scene, follow_ups};
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
    /// How long the outage lasted.
    pub outage_ms: Option<u64>,
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
    /// Tells a finished run from its journal, and from the files that it kept.
    pub fn of(found: &Found, machine: &dyn Inspect) -> Result<Self, Failure> {
        let frozen = &found.frozen;
        let mut how_ended = Vec::new();
        let mut gates = Vec::new();
        let mut web_server_backup = None;
        let history = found.history();
        for record in &found.records {
            match &record.entry {
                Entry::OpStarted { op: Op::BackUpWebServer { name }, .. } => web_server_backup = Some(name.clone()),
                Entry::StepDone { step, how } => how_ended.push((step, how)),
                Entry::Answered { gate, by } => gates.push(GateSummary { id: gate.clone(), by: by.clone() }),
                _ => {}
            }
        }
        let steps = frozen.steps.iter().filter_map(|step| {
            let (_, how) = how_ended.iter().rev().find(|(id, _)| **id == step.id)?;
            Some(StepSummary { id: step.id.clone(), title: step.work.kind().title(), how: (*how).clone() })
        });
        let by_hand = match found.by_hand() {
            Some(known) => known.to_vec(),
            None => follow_ups(&frozen.steps, &Scene { machine, folders: &frozen.folders, history: &history })?,
        };
        Ok(Self {
            run: frozen.folders.id.clone(),
            machine: frozen.survey.system.name.clone(),
            steps: steps.collect(),
            gates,
            by_hand,
            outage_ms: outage(found),
            backup: frozen.folders.backup.to_string(),
            web_server_backup,
            journal: found.journal.to_string(),
        })
    }
}

/// From the first step of the outage to its last, in milliseconds.
fn outage(found: &Found) -> Option<u64> {
    let mut steps = found.frozen.steps.iter().filter(|step| step.outage);
    let first = steps.next()?;
    let last = steps.next_back().unwrap_or(first);
    let time =
        |is: &dyn Fn(&Entry) -> bool| found.records.iter().rev().find(|record| is(&record.entry)).map(|r| r.time);
    let begun = time(&|entry| matches!(entry, Entry::StepStarted { step } if *step == first.id))?;
    let over = time(&|entry| matches!(entry, Entry::StepDone { step, .. } if *step == last.id))?;
    u64::try_from(over.duration_since(begun).as_millis()).ok()
}
