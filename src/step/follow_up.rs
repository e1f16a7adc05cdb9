//! What a finished run leaves to people.

use super::{Step, StepContext};
use crate::platform::Failure;
use serde::{Deserialize, Serialize};

/// One thing that is left to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    /// What it is, in a few words.
    pub title: String,
    /// The details.
    pub lines: Vec<String>,
}

impl FollowUp {
    /// A follow-up with its details.
    pub fn new(title: impl Into<String>, lines: Vec<String>) -> Self {
        Self { title: title.into(), lines }
    }
}

/// What the steps of a finished run leave to people. A step that the plan skips is left as a whole.
pub fn follow_ups(steps: &[Step], context: &StepContext<'_>) -> Result<Vec<FollowUp>, Failure> {
    let mut all = Vec::new();
    for step in steps {
        match &step.skip {
            Some(reason) => all.push(step.work.kind().when_skipped(reason)),
            None => all.extend(step.work.kind().follow_ups(context)?),
        }
    }
    Ok(all)
}
