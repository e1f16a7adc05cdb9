//! A restart of Windows that is required before the next step, and not only at the end.

use super::run::Running;
use super::{End, Engine, EngineError};
use crate::journal::{Entry, Frozen, RunState, Undo};
use crate::platform::Failure;
use crate::platform::op::Op;
use crate::step::{Step, Work};
use crate::winpath::WinPath;

/// The folders that a step writes to, as far as known.
fn folders(step: &Step) -> Vec<WinPath> {
    match &step.work {
        Work::Uninstall(step) => {
            step.folder.iter().cloned().chain(step.keeps.iter().map(|keeps| keeps.0.clone())).collect()
        }
        Work::PrepareServer(step) => vec![step.data.clone()],
        Work::InstallServer(step) => WinPath::new(&step.install_path).into_iter().collect(),
        Work::InstallWeb(step) => vec![step.folder.clone()],
        Work::ConfigureWeb(step) => vec![step.application.folder.clone()],
        _ => Vec::new(),
    }
}

/// The path that a part of a rollback writes. What it removes may also be removed by the restart.
fn written(undo: &Undo) -> Option<&WinPath> {
    let (Undo::Do { op } | Undo::Complete { op }) = undo else { return None };
    match op {
        Op::Restore { to, .. } | Op::Move { to, .. } | Op::Copy { to, .. } | Op::Write { path: to, .. } => Some(to),
        _ => None,
    }
}

impl Engine<'_> {
    /// Whether Windows has not been restarted since an installer started a restart, or failed for want of one. If it is
    /// unknown when Windows was started, it has not.
    pub(super) fn restart_is_underway(&self, state: &RunState) -> bool {
        let booted = self.platform.booted();
        state.restart_since.is_some_and(|since| booted.is_none_or(|booted| booted <= since))
    }

    /// The files below these folders that the next restart of Windows replaces or deletes, except those that were
    /// pending before the run.
    fn waiting_below(&self, frozen: &Frozen, folders: &[WinPath]) -> Result<Vec<String>, Failure> {
        let now = self.platform.system()?;
        let before: Vec<WinPath> = frozen.survey.system.pending_paths().collect();
        let new = now.pending_paths().filter(|path| !before.contains(path));
        let in_the_way = new.filter(|path| folders.iter().any(|folder| path.is_within(folder)));
        Ok(in_the_way.map(|path| path.to_string()).collect())
    }

    /// The files that a restart must replace before these parts of a rollback, because later it would replace what they
    /// have restored.
    pub(super) fn restart_before_undo(&self, frozen: &Frozen, left: &[Undo]) -> Result<Vec<String>, Failure> {
        self.waiting_below(frozen, &left.iter().filter_map(written).cloned().collect::<Vec<_>>())
    }
}

impl Running<'_> {
    /// The files that a restart must replace before the remaining steps; none if Windows must be restarted whatever
    /// it replaces. `None` if no restart comes first.
    pub(super) fn restart_comes_first(&self) -> Result<Option<Vec<String>>, Failure> {
        if self.engine.restart_is_underway(self.state()) {
            return Ok(Some(Vec::new()));
        }
        let left = self.frozen.steps.iter().filter(|step| !self.state().is_over(&step.id));
        let files = self.engine.waiting_below(self.frozen, &left.flat_map(folders).collect::<Vec<_>>())?;
        Ok((!files.is_empty()).then_some(files))
    }

    /// Pauses for a restart of Windows.
    pub(super) fn pause_for_restart(&mut self, files: Vec<String>) -> Result<End, EngineError> {
        self.write(Entry::RestartNeeded { files: files.clone() })?;
        Ok(End::Restart { files })
    }

    /// Whether an installer of this run has requested a restart of Windows that has not taken place.
    pub(super) fn restart_is_requested(&self) -> bool {
        let started = self.engine.platform.booted();
        let is_before = |requested| started.is_none_or(|started| started <= requested);
        self.state().reboot && self.state().restart_requested().is_some_and(is_before)
    }

    /// Whether files are pending for a restart that were not pending before the run.
    pub(super) fn restart_is_due(&self) -> Result<bool, Failure> {
        let before = &self.frozen.survey.system.pending_renames;
        Ok(self.engine.platform.system()?.pending_renames.iter().any(|entry| !before.contains(entry)))
    }
}
