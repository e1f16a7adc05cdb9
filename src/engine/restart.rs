//! A restart of Windows that has to come before the next step, and not only at the end.

use super::run::Running;
use crate::platform::Failure;
use crate::step::{Step, Work};
use crate::winpath::WinPath;

/// The folders that a step writes, as far as they are known.
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

impl Running<'_> {
    /// The files that the next restart of Windows replaces or deletes where a step that is left writes; what waited for
    /// a restart before the run does not count.
    pub(super) fn restart_comes_first(&self) -> Result<Vec<String>, Failure> {
        let now = self.engine.platform.system()?;
        if now.pending_renames.is_empty() {
            return Ok(Vec::new());
        }
        let before: Vec<WinPath> = self.frozen.survey.system.pending_paths().collect();
        let written: Vec<WinPath> =
            self.frozen.steps.iter().filter(|step| !self.progress.is_over(&step.id)).flat_map(folders).collect();
        let new = now.pending_paths().filter(|path| !before.contains(path));
        let in_the_way = new.filter(|path| written.iter().any(|folder| path.is_within(folder)));
        Ok(in_the_way.map(|path| path.to_string()).collect())
    }

    /// True where files wait for a restart that did not before the run.
    pub(super) fn restart_is_due(&self) -> Result<bool, Failure> {
        let before = &self.frozen.survey.system.pending_renames;
        Ok(self.engine.platform.system()?.pending_renames.iter().any(|entry| !before.contains(entry)))
    }
}
