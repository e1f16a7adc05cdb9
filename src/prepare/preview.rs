//! The preview of a run, as data, and how it is made.

use crate::finding::{Finding, MERGE_CONFLICT};
use crate::plan::Plan;
use crate::platform::disk::{self, ReadDisk};
use crate::platform::facts::System;
use crate::platform::op::Op;
use crate::platform::{Failure, Inspect};
use crate::procedure::{self, Procedure};
use crate::step::{Certainty, Folders, History, Memo, MergePreview, Step, StepContext, Work};
use crate::webconfig::Change;
use crate::winpath::WinPath;
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
    /// The web.config that the step writes, where that can be told.
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

/// Makes the preview of a compiled procedure.
pub(super) fn build(
    machine: &dyn Inspect,
    plan: &Plan,
    system: &System,
    folders: &Folders,
    procedure: &Procedure,
) -> Result<Preview, Failure> {
    let history = History::default();
    let memo = Memo::default();
    let context = StepContext { machine, folders, history: &history, memo: &memo };
    let mut steps = Vec::with_capacity(procedure.steps.len());
    let mut returned = true;
    for step in &procedure.steps {
        let no_return = returned && matches!(&step.work, Work::Uninstall(uninstall) if uninstall.package.is_none());
        returned &= !no_return;
        steps.push(step_preview(&context, step, no_return)?);
    }
    let conflicts = steps.iter().filter_map(|step: &StepPreview| conflict(step.merge.as_ref()?));
    let undecided = conflicts.chain(unused_decisions(plan, procedure, &steps));
    let findings = undecided.chain(procedure.findings.iter().cloned()).collect();
    Ok(Preview {
        format: 1,
        kind: "preview",
        machine: system.name.clone(),
        windows: system.windows.clone(),
        plan: plan.name.clone(),
        simulated: false,
        unfinished_run: None,
        components: procedure.fates.iter().map(component_preview).collect(),
        findings,
        steps,
        no_return: procedure.no_return.clone(),
        backup: folders.backup.to_string(),
        backup_free: machine.free_space(folders.backup.drive()).ok(),
    })
}

/// What has to be decided before anything is touched. Where the new file comes with the server's setup, that is not
/// known yet.
fn conflict(merge: &MergePreview) -> Option<Finding> {
    let undecided: Vec<&Change> = merge.changes.iter().filter(|change| change.is_undecided()).collect();
    if merge.estimate || undecided.is_empty() {
        return None;
    }
    let title = format!("both sides changed the same in {}", merge.file);
    let advice = "decide each in the plan: [[merge.decision]], path = \"...\", take = \"old\" or \"new\"; or all of them \
                  with `on-conflict` in [merge]";
    let finding = Finding::refuse(MERGE_CONFLICT, title);
    Some(finding.evidence(undecided.into_iter().map(Change::conflict)).advice(advice))
}

/// Decisions of the plan that decide nothing, as far as that is known yet: most likely their paths are misspelt.
fn unused_decisions(plan: &Plan, procedure: &Procedure, steps: &[StepPreview]) -> Option<Finding> {
    let merges = || steps.iter().filter_map(|step| step.merge.as_ref());
    let mut told = procedure.steps.iter().zip(steps);
    let waits = |(step, told): (&Step, &StepPreview)| {
        matches!(step.work, Work::ConfigureWeb(_)) && told.certainty == Certainty::KnownLater
    };
    if told.any(waits) || merges().any(|merge| merge.estimate) {
        return None;
    }
    let conflicts: Vec<&Change> = merges().flat_map(|merge| &merge.changes).filter(|it| it.is_conflict()).collect();
    let is_unused = |path: &&str| !conflicts.iter().any(|conflict| conflict.path == **path);
    let unused: Vec<&str> = plan.merge.decisions.iter().map(|it| it.path.as_str()).filter(is_unused).collect();
    let title = "decisions of the plan are about no conflict";
    let finding =
        Finding::warn("decision-without-conflict", title).evidence(unused.iter().map(|path| (*path).to_owned()));
    (!unused.is_empty()).then(|| finding.advice("correct `path` in [[merge.decision]], or leave the decision out"))
}

fn component_preview(fate: &procedure::Fate) -> ComponentPreview {
    ComponentPreview {
        id: fate.component.key().to_owned(),
        title: fate.component.title().to_owned(),
        found: fate.found.clone(),
        location: fate.location.clone(),
        fate: fate.fate.clone(),
    }
}

fn step_preview(context: &StepContext<'_>, step: &Step, no_return: bool) -> Result<StepPreview, Failure> {
    let kind = step.work.kind();
    let ops = kind.operations(context)?;
    let gate = ops.iter().flatten().find_map(|op| match op {
        // Most likely nobody will be asked; the step's notes say when.
        Op::Ask { .. } if kind.can_be_put_off() => None,
        Op::Ask { gate } => Some(GatePreview {
            id: gate.id.clone(),
            title: gate.title.clone(),
            instructions: gate.instructions.clone(),
            skipped: step.skip.clone(),
        }),
        _ => None,
    });
    Ok(StepPreview {
        id: step.id.to_string(),
        title: kind.title(),
        reason: step.reason.clone(),
        certainty: kind.certainty(context),
        outage: step.outage,
        bytes: size(context.machine.files(), ops.iter().flatten()),
        touches: ops.iter().flatten().filter(|op| !matches!(op, Op::Ask { .. })).map(ToString::to_string).collect(),
        gate,
        no_return,
        merge: kind.merge(context)?,
        notes: kind.notes(context),
    })
}

/// Bytes that a step backs up; `None` where it backs up nothing, or where that cannot be told.
fn size<'a>(files: &dyn ReadDisk, ops: impl Iterator<Item = &'a Op>) -> Option<u64> {
    let size = |path: &WinPath| if disk::exists(files, path).ok()? { files.size(path).ok() } else { Some(0) };
    let sizes = ops.filter_map(|op| match op {
        Op::BackUp { from, except, .. } => {
            let left_out = except.iter().filter_map(size).fold(0, u64::saturating_add);
            Some(size(from).map(|all| all.saturating_sub(left_out)))
        }
        _ => None,
    });
    sizes.reduce(|sum, size| sum?.checked_add(size?)).flatten()
}
