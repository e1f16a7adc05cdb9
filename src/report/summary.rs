//! What a finished run has done, and what it leaves to people.

use crate::engine::Found;
use crate::engine::journal::Entry;
use crate::plan::GateId;
use crate::platform::op::Op;
use crate::platform::{Failure, Inspect};
use crate::step::{Scene, Step, Work};
use crate::webconfig::Fate;
use serde::{Deserialize, Serialize};

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
    pub by_hand: Vec<ByHand>,
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

/// One thing that is left to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByHand {
    /// What it is, in a few words.
    pub title: String,
    /// The details.
    pub lines: Vec<String>,
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
            None => by_hand(&frozen.steps, &Scene { machine, folders: &frozen.folders, history: &history })?,
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

/// What the steps of a finished run leave to people.
pub fn by_hand(steps: &[Step], scene: &Scene<'_>) -> Result<Vec<ByHand>, Failure> {
    let mut all = Vec::new();
    for step in steps {
        all.extend(left_by(step, scene)?);
    }
    Ok(all)
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

/// What a step leaves to people.
fn left_by(step: &Step, scene: &Scene<'_>) -> Result<Vec<ByHand>, Failure> {
    let kind = step.work.kind();
    let mut left = Vec::new();
    let mut add = |title: String, lines: Vec<String>| left.push(ByHand { title, lines });
    match &step.work {
        Work::Tell(tell) if step.skip.is_some() => add(tell.gate.title.clone(), tell.gate.instructions.clone()),
        Work::Tell(tell) => {
            let address = |line: &'_ String| line.find("http").map(|at| line[at..].replace(" (as IIS has it).", ""));
            let lines = ["new: ", "old: "].into_iter().zip(tell.gate.instructions.iter().filter_map(address));
            let what = match tell.gate.id == GateId::PortalUrl.key() {
                true => "Tell the users the portal's new address",
                false => "Tell the users of the mobile app to activate it again, with the service's new address",
            };
            add(what.to_owned(), lines.map(|(which, address)| format!("{which}{address}")).collect());
        }
        Work::ConfigureWeb(_) => {
            let merged = kind.merge(scene)?;
            let reported: Vec<String> = merged
                .iter()
                .flat_map(|merged| &merged.changes)
                .filter_map(|change| match &change.fate {
                    Fate::Reported { why } => Some(format!("{}: {why}", change.path)),
                    Fate::Conflict { taken: None } => Some(format!(
                        "{}: the new version changed it too, and its value stays; decide which holds",
                        change.path
                    )),
                    _ => None,
                })
                .collect();
            if let (false, Some(merged)) = (reported.is_empty(), merged) {
                add(format!("Decide on settings that were not carried over into {}", merged.file), reported);
            }
        }
        Work::BackUp(back_up) if !back_up.not_carried.is_empty() => add(
            format!(
                "Look at files of the {} that had been edited; they are in the backup only",
                back_up.component.title()
            ),
            back_up.not_carried.clone(),
        ),
        Work::Verify(verify) if !verify.other_holders.is_empty() => {
            add("Change the address of the Web Service SDK elsewhere".to_owned(), verify.other_holders.clone());
        }
        Work::StartServices(start) => {
            let (_, left_out) = start.possible(scene)?;
            if !left_out.is_empty() {
                add("See to services that ran before and could not be started".to_owned(), left_out);
            }
        }
        Work::HandOver(hand_over) => {
            let lines = hand_over.lines(scene)?.into_iter().chain([format!("this list is in {}", hand_over.file)]);
            add("Upgrade the web servers".to_owned(), lines.collect());
        }
        _ if step.skip.is_some() => add(format!("Skipped: {}", kind.title()), step.skip.iter().cloned().collect()),
        _ => {}
    }
    Ok(left)
}
