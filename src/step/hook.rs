//! A hook before or after a step.

use super::{Probe, StepContext, StepId, StepKind};
use crate::platform::Failure;
use crate::platform::op::Op;
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Runs a program of the plan. A rollback does not undo it, and it runs again if it is interrupted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunHook {
    /// The ID of this step, which is the name of its log.
    pub id: StepId,
    /// The program.
    pub program: WinPath,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
}

impl StepKind for RunHook {
    fn id(&self) -> StepId {
        self.id.clone()
    }

    fn title(&self) -> String {
        format!("Run {}", self.program)
    }

    fn probe(&self, _: &StepContext<'_>) -> Result<Probe, Failure> {
        Ok(Probe::Needed("the plan specifies it".to_owned()))
    }

    fn operations(&self, context: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        Ok(Some(vec![Op::Run {
            program: self.program.clone(),
            arguments: self.arguments.clone(),
            timeout: self.timeout,
            log: context.folders.log(self.id.as_str()),
        }]))
    }

    fn notes(&self, _: &StepContext<'_>) -> Vec<String> {
        vec!["A rollback does not undo what this program changes.".to_owned()]
    }

    fn is_taken_on_trust(&self) -> bool {
        true
    }
}
