//! What the operator decides of conflicts that were not known when the run began.

use super::journal::{Entry, Journal};
use super::runs::Progress;
use super::{Engine, EngineError, Found};
use crate::step::{Scene, Work};
use crate::webconfig::Side;
use std::collections::{BTreeMap, BTreeSet};

impl Engine<'_> {
    /// Notes decisions, by the paths of their conflicts; `resume` then goes by them. Each path has to be that of a
    /// conflict in a web component that is not open yet, otherwise nothing is noted. The caller holds the lock.
    pub fn decide(&self, found: Found, decisions: &BTreeMap<String, Side>) -> Result<Found, EngineError> {
        let known = self.conflicts(&found)?;
        if let Some(path) = decisions.keys().find(|path| !known.contains(*path)) {
            return Err(EngineError::NoConflict { path: path.clone(), known: known.into_iter().collect() });
        }
        let mut journal = Journal::open(self.platform.disk(), &found.journal)?;
        for (path, take) in decisions {
            journal.write(self.clock.now(), Entry::Decided { path: path.clone(), take: *take })?;
        }
        Ok(Found { records: journal.records().to_vec(), ..found })
    }

    /// The paths of all conflicts that can still be decided.
    fn conflicts(&self, found: &Found) -> Result<BTreeSet<String>, EngineError> {
        let progress = Progress::of(&found.records);
        let scene =
            Scene { machine: self.platform.inspect(), folders: &found.frozen.folders, history: &progress.history };
        let mut paths = BTreeSet::new();
        for step in found.frozen.steps.iter().filter(|step| !progress.is_over(&step.id)) {
            if let Work::ConfigureWeb(step) = &step.work {
                paths.extend(step.conflicts(&scene)?.into_iter().map(|change| change.path));
            }
        }
        Ok(paths)
    }
}
