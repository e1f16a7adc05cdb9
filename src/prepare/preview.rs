//! The preview of a run, as data.

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

/// Everything to know before a run starts.
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
    /// Whether the machine is simulated.
    pub simulated: bool,
    /// The unfinished run on this machine, if there is one: it continues as planned, whatever this preview shows.
    pub unfinished_run: Option<String>,
    /// The components found, and what happens to them.
    pub components: Vec<ComponentPreview>,
    /// The results of the checks, blocking ones first.
    pub findings: Vec<Finding>,
    /// The steps, in order; empty if there is nothing to do.
    pub steps: Vec<StepPreview>,
    /// Why a full rollback is impossible; empty if it is possible.
    pub no_return: Vec<String>,
    /// The folder of the backups.
    pub backup: String,
    /// Free bytes on the drive of the backups, if known.
    pub backup_free: Option<u64>,
}

impl Preview {
    /// Whether checks block the run.
    pub fn refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.refuses())
    }
}

/// A component: found, and planned.
#[derive(Debug, Clone, Serialize)]
pub struct ComponentPreview {
    /// `server`, `sdk`, `portal` or `mobile-app`.
    pub id: String,
    /// Its display name.
    pub title: String,
    /// Name and version of the product found; `None` if it is not installed.
    pub found: Option<String>,
    /// Its application in IIS, such as `Default Web Site/PhoneFactor`.
    pub location: Option<String>,
    /// What happens to it: "upgraded, as Default Web Site/MultiFactorAuth".
    pub fate: String,
}

/// One step.
#[derive(Debug, Clone, Serialize)]
pub struct StepPreview {
    /// Stable id, such as `uninstall-portal`.
    pub id: String,
    /// A short description.
    pub title: String,
    /// Why.
    pub reason: String,
    /// How certain it is.
    pub certainty: Certainty,
    /// Whether users cannot sign in during this step.
    pub outage: bool,
    /// The operations, one line each.
    pub touches: Vec<String>,
    /// How many bytes it backs up, as of now.
    pub bytes: Option<u64>,
    /// The manual step, if there is one.
    pub gate: Option<GatePreview>,
    /// Whether this is the first step that cannot be rolled back.
    pub no_return: bool,
    /// The web.config that the step writes, if known.
    pub merge: Option<MergePreview>,
    /// Notes.
    pub notes: Vec<String>,
}

/// A gate, with the reason if the plan skips it.
#[derive(Debug, Clone, Serialize)]
pub struct GatePreview {
    /// Stable id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The instructions.
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

/// The conflicts to decide before anything is changed. If the new file comes with the MFA Server setup, they are not
/// known yet.
fn conflict(merge: &MergePreview) -> Option<Finding> {
    let undecided: Vec<&Change> = merge.changes.iter().filter(|change| change.is_undecided()).collect();
    if merge.estimate || undecided.is_empty() {
        return None;
    }
    let title = format!("conflicts between your customizations and the new version in {}", merge.file);
    let advice = "decide each in the plan: [[merge.decision]], path = \"...\", take = \"old\" or \"new\"; or all of \
                  them with `on-conflict` in [merge]";
    let finding = Finding::refuse(MERGE_CONFLICT, title);
    Some(finding.evidence(undecided.into_iter().map(Change::conflict)).advice(advice))
}

/// Decisions in the plan that match no conflict, as far as known: most likely their paths are misspelled.
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
    let title = "decisions in the plan match no conflict";
    let finding =
        Finding::warn("decision-without-conflict", title).evidence(unused.iter().map(|path| (*path).to_owned()));
    (!unused.is_empty()).then(|| finding.advice("fix `path` in [[merge.decision]], or remove the decision"))
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
        // Most likely no manual step is needed; the step's notes say when.
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

/// Bytes that a step backs up; `None` if it backs up nothing, or if that is unknown.
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
