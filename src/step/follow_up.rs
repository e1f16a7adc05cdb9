//! What a finished run leaves to do by hand.

use super::{Step, StepContext};
use crate::platform::Failure;
use serde::{Deserialize, Serialize};

/// A task that is left to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    /// A short description.
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

/// What the steps of a finished run leave to do by hand, including every step that the plan skips.
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
