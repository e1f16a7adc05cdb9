//! What resuming, or rolling back, would do from where a run stands.

use super::{Engine, EngineError};
use crate::journal::{RecordedRun, Standing};

/// The two ways on from where a run stands, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// What an interruption left; `None` between two steps.
    pub stands: Option<String>,
    /// The steps that `resume` has to do.
    pub resume: Vec<String>,
    /// The operations by which `rollback` gets back to the state before.
    pub rollback: Vec<String>,
}

impl Engine<'_> {
    /// Looks ahead from where a run stands. Every backup is read again, as a rollback does; nothing is changed.
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
