//! Which steps a resumed run repeats: one rule for `resume` and the forecast.

use super::Engine;
use crate::journal::{Frozen, RunState};
use crate::plan::Component;
use crate::platform::Failure;
use crate::step::{Memo, Probe, Step, StepContext, StepId, Work};
use crate::survey::products;

impl Engine<'_> {
    /// Returns the steps to repeat: what was backed up before an interruption may have changed since. While nothing has
    /// been uninstalled, every step is repeated, except the backup of what the operator uninstalled in the meantime:
    /// there is no other one. Later, the data is copied again if the agent runs again, as it does after a restart of
    /// Windows.
    pub(super) fn anew(&self, frozen: &Frozen, state: &RunState) -> Result<Vec<StepId>, Failure> {
        let runs_again = self.agent_runs_again(frozen, state)?;
        let gone = self.gone(frozen)?;
        let anew = |step: &&Step| match state.uninstalled.as_slice() {
            [] => !matches!(&step.work, Work::BackUp(step) if gone.contains(&step.component)),
            _ => runs_again && matches!(step.work, Work::StopServices(_) | Work::BackUpData(_)),
        };
        let has_begun = |id: &StepId| state.step(id).is_some_and(|step| step.is_begun);
        Ok(frozen.steps.iter().filter(anew).map(|step| step.id.clone()).filter(has_begun).collect())
    }

    fn agent_runs_again(&self, frozen: &Frozen, state: &RunState) -> Result<bool, Failure> {
        let machine = self.platform.inspect();
        let stops = |step: &&Step| matches!(step.work, Work::StopServices(_)) && state.is_over(&step.id);
        let Some(step) = frozen.steps.iter().find(stops) else { return Ok(false) };
        // A service of MFA Server may have the old name: then it is not the agent that is running.
        let Some(code) = frozen.agent() else { return Ok(false) };
        let memo = Memo::default();
        let context = StepContext { machine, folders: &frozen.folders, history: &state.history, memo: &memo };
        Ok(products::is_installed(machine, code)? && matches!(step.work.kind().probe(&context)?, Probe::Needed(_)))
    }

    /// The components whose old product is no longer installed.
    fn gone(&self, frozen: &Frozen) -> Result<Vec<Component>, Failure> {
        let machine = self.platform.inspect();
        let mut gone = Vec::new();
        for step in &frozen.steps {
            if let Work::Uninstall(step) = &step.work
                && !products::is_installed(machine, &step.code)?
            {
                gone.push(step.component);
            }
        }
        Ok(gone)
    }
}
