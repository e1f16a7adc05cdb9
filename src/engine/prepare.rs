//! Look and compile: everything up to the question whether to go on.

use super::journal::{FORMAT, Frozen};
use crate::finding::{Finding, MERGE_CONFLICT};
use crate::plan::Plan;
use crate::platform::clock::Clock;
use crate::platform::disk::{self, ReadDisk};
use crate::platform::glance::Glance;
use crate::platform::op::Op;
use crate::platform::{Doing, Failure, Inspect};
use crate::preflight;
use crate::procedure::{self, Procedure};
use crate::report::preview::{ComponentPreview, GatePreview, Preview, StepPreview};
use crate::step::{Certainty, Folders, History, MergePreview, Scene, Step, Work};
use crate::survey::survey;
use crate::webconfig::Change;
use crate::winpath::WinPath;

/// A procedure that is ready to be previewed and run.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What the run would be decided on.
    pub frozen: Frozen,
    /// The preview.
    pub preview: Preview,
}

/// Surveys the machine and compiles the procedure. It has no way to change anything.
pub fn prepare(machine: &dyn Inspect, clock: &dyn Clock, plan: &Plan, state: &WinPath) -> Result<Prepared, Failure> {
    let machine: &dyn Inspect = &Glance::at(machine);
    let survey = survey(machine)?;
    let folders = folders(machine, clock, plan, state)?;
    let compiled = procedure::compile(plan, &survey, machine, &folders)?;
    let findings = preflight::check(&compiled)?;
    let procedure = Procedure { findings, ..compiled.procedure };
    let preview = preview(machine, plan, &survey.system, &folders, &procedure)?;
    let frozen = Frozen {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        plan: plan.clone(),
        survey,
        folders,
        steps: procedure.steps,
        approved: None,
        ticket: None,
        findings: procedure.findings,
    };
    Ok(Prepared { frozen, preview })
}

/// A run is named after the time it begins; a second one in the same second gets a number.
fn folders(machine: &dyn Inspect, clock: &dyn Clock, plan: &Plan, state: &WinPath) -> Result<Folders, Failure> {
    let backups = plan.backup.directory.expand(|name| machine.variable(name)).doing("find the backup folder")?;
    let time = clock.now().strftime("%Y%m%d-%H%M%S").to_string();
    let runs = state.child("runs");
    for number in 1.. {
        let id = if number == 1 { time.clone() } else { format!("{time}-{number}") };
        let folders = Folders { run: runs.child(&id), backup: backups.child(&id), id };
        let taken = |path| machine.files().entry(path).map(|entry| entry.is_some());
        if !taken(&folders.run).doing("name the run")? && !taken(&folders.backup).doing("name the run")? {
            return Ok(folders);
        }
    }
    Err(Failure::new("name the run", "there are too many"))
}

fn preview(
    machine: &dyn Inspect,
    plan: &Plan,
    system: &crate::platform::facts::System,
    folders: &Folders,
    procedure: &Procedure,
) -> Result<Preview, Failure> {
    let history = History::default();
    let scene = Scene { machine, folders, history: &history };
    let mut steps = Vec::with_capacity(procedure.steps.len());
    let mut returned = true;
    for step in &procedure.steps {
        let no_return = returned && matches!(&step.work, Work::Uninstall(uninstall) if uninstall.package.is_none());
        returned &= !no_return;
        steps.push(step_preview(&scene, step, no_return)?);
    }
    let conflicts = steps.iter().filter_map(|step: &StepPreview| conflict(step.merge.as_ref()?));
    let undecided = conflicts.chain(unused_decisions(plan, &steps));
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
fn unused_decisions(plan: &Plan, steps: &[StepPreview]) -> Option<Finding> {
    let merges = || steps.iter().filter_map(|step| step.merge.as_ref());
    let waits = |step: &StepPreview| step.id.starts_with("configure-") && step.certainty == Certainty::KnownLater;
    if steps.iter().any(waits) || merges().any(|merge| merge.estimate) {
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

fn step_preview(scene: &Scene<'_>, step: &Step, no_return: bool) -> Result<StepPreview, Failure> {
    let kind = step.work.kind();
    let ops = kind.operations(scene)?;
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
        id: step.id.clone(),
        title: kind.title(),
        reason: step.reason.clone(),
        certainty: kind.certainty(scene),
        outage: step.outage,
        bytes: size(scene.machine.files(), ops.iter().flatten()),
        touches: ops.iter().flatten().filter(|op| !matches!(op, Op::Ask { .. })).map(ToString::to_string).collect(),
        gate,
        no_return,
        merge: kind.merge(scene)?,
        notes: kind.notes(scene),
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
