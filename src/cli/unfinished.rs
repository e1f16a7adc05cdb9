//! What every command says while an earlier run is not finished: the same as `status`.

use super::ending::CommandContext;
use super::fault::{CommandError, Details};
use crate::exit::Exit;
use crate::finding::Finding;
use crate::journal::{RecordedRun, Standing};

/// A run that is not finished.
pub(super) struct Unfinished {
    pub(super) run: String,
    /// Where it stands, in the words of `status`.
    pub(super) says: String,
    /// What `status` says to do next, and the alternative.
    pub(super) next: String,
    pub(super) or: String,
}

impl CommandContext<'_> {
    /// The last run, if it is not finished. Another process may be working on it.
    pub(super) fn unfinished(&self) -> Result<Option<Unfinished>, CommandError> {
        let engine = self.machine.engine();
        let at_work = engine.at_work().is_some();
        Ok(engine.last_run()?.and_then(|found| self.not_finished(&found, at_work)))
    }

    /// A run, if it is not finished.
    pub(super) fn not_finished(&self, found: &RecordedRun, at_work: bool) -> Option<Unfinished> {
        match found.standing() {
            Standing::Finished | Standing::RolledBack => None,
            Standing::Unfinished | Standing::RollingBack => {
                let status = self.stands(found, true, at_work);
                Some(Unfinished { run: status.run, says: status.says, next: status.next, or: status.or })
            }
        }
    }
}

impl Unfinished {
    /// The same as a check that blocks everything but finishing it.
    pub(super) fn finding(&self) -> Finding {
        let advice = match self.or.is_empty() {
            true => self.next.clone(),
            false => format!("{}; or: {}", self.next, self.or),
        };
        let title = format!("run {} is not finished", self.run);
        Finding::refuse("unfinished-run", title).evidence([self.says.clone()]).advice(advice)
    }

    /// The same as the error of a command.
    pub(super) fn refusal(&self) -> CommandError {
        let message = format!("run {} is not finished: {}", self.run, self.says);
        let details = Details::Findings(vec![self.finding()]);
        CommandError::new(Exit::Refused, message).next(&self.next).or(&self.or).details(details)
    }
}
