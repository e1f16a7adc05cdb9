//! What `resume` or `rollback` would do with a run.

use super::{Engine, EngineError};
use crate::journal::{RecordedRun, Standing};

/// The two ways to continue a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// Where `resume` would continue; `None` between two steps.
    pub stands: Option<String>,
    /// The steps that `resume` would run.
    pub resume: Vec<String>,
    /// The operations that `rollback` would run.
    pub rollback: Vec<String>,
}

impl Engine<'_> {
    /// Computes both ways. Every backup is verified, as in a rollback; nothing is changed.
    pub fn forecast(&self, found: &RecordedRun) -> Result<Forecast, EngineError> {
        let RecordedRun { frozen, state, .. } = found;
        let rollback = match &state.rollback {
            Some(rollback) => rollback.parts.iter().skip(rollback.done()).map(|part| part.what.clone()).collect(),
            None => self.way_back(frozen, state, &|_| {})?.iter().map(ToString::to_string).collect(),
        };
        let resume = match found.standing() {
            Standing::Unfinished => {
                let anew = self.anew(frozen, state)?;
                let left = frozen.steps.iter().filter(|step| anew.contains(&step.id) || !state.is_over(&step.id));
                left.map(|step| step.work.kind().title()).collect()
            }
            _ => Vec::new(),
        };
        Ok(Forecast { stands: state.where_it_stands(), resume, rollback })
    }
}
