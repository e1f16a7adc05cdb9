//! What going on, or going back, would do from where a run stands.

use super::journal::Entry;
use super::runs::Progress;
use super::{Engine, EngineError, Found, Standing};

/// The two ways on from where a run stands, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foretold {
    /// What an interruption left; `None` between two steps.
    pub stands: Option<String>,
    /// The steps that `resume` has to do.
    pub resume: Vec<String>,
    /// The operations by which `rollback` gets back to the state before.
    pub rollback: Vec<String>,
}

impl Engine<'_> {
    /// Looks ahead from where a run stands. Every backup is read again, as a rollback does; nothing is changed.
    pub fn foretell(&self, found: &Found) -> Result<Foretold, EngineError> {
        let progress = Progress::of(&found.records);
        let begun = found.records.iter().rev().find_map(|record| match &record.entry {
            Entry::RollbackStarted { undos } => Some(undos.iter().map(ToString::to_string).collect::<Vec<_>>()),
            _ => None,
        });
        let undone = found.records.iter().filter(|record| matches!(record.entry, Entry::Undone { .. })).count();
        let rollback = match begun {
            Some(undos) => undos.into_iter().skip(undone).collect(),
            None => self.way_back(&found.frozen, &found.records, &|_| {})?.iter().map(ToString::to_string).collect(),
        };
        // As long as nothing has been uninstalled every step is done anew.
        let is_left = |id: &str| progress.uninstalled.is_empty() || !progress.is_over(id);
        let left = found.frozen.steps.iter().filter(|step| is_left(&step.id));
        let resume = match found.standing {
            Standing::Unfinished => left.map(|step| step.work.kind().title()).collect(),
            _ => Vec::new(),
        };
        Ok(Foretold { stands: progress.where_it_stands(&found.records), resume, rollback })
    }
}
