//! Decisions about conflicts that were not known when the run started.

use super::{Engine, EngineError};
use crate::journal::{Entry, OpenRun, RecordedRun};
use crate::step::{Memo, StepContext, Work};
use crate::webconfig::Side;
use std::collections::{BTreeMap, BTreeSet};

impl Engine<'_> {
    /// Records decisions by the paths of their conflicts, for `resume`. Fails without recording any if a path is not
    /// that of a conflict in a web component that is not open yet. The caller holds the lock.
    pub fn decide(&self, found: RecordedRun, decisions: &BTreeMap<String, Side>) -> Result<RecordedRun, EngineError> {
        let known = self.conflicts(&found)?;
        if let Some(path) = decisions.keys().find(|path| !known.contains(*path)) {
            return Err(EngineError::NoConflict { path: path.clone(), known: known.into_iter().collect() });
        }
        let mut run = OpenRun::open(self.platform.disk(), &found)?;
        for (path, take) in decisions {
            run.write(self.clock.now(), Entry::Decided { path: path.clone(), take: *take })?;
        }
        Ok(RecordedRun::read(self.platform.files(), found.journal)?)
    }

    /// The paths of all conflicts that can still be decided.
    fn conflicts(&self, found: &RecordedRun) -> Result<BTreeSet<String>, EngineError> {
        let RecordedRun { frozen, state, .. } = found;
        let context = StepContext {
            machine: self.platform.inspect(),
            folders: &frozen.folders,
            history: &state.history,
            memo: &Memo::default(),
        };
        let mut paths = BTreeSet::new();
        for step in frozen.steps.iter().filter(|step| !state.is_over(&step.id)) {
            if let Work::ConfigureWeb(step) = &step.work {
                paths.extend(step.conflicts(&context)?.into_iter().map(|change| change.path));
            }
        }
        Ok(paths)
    }
}
