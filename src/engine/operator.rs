//! The operator.

use crate::platform::op::Gate;

/// The operator who is asked.
pub trait Operator {
    /// Asks the operator to complete a gate. `still` says why it is not complete yet.
    fn at_gate(&mut self, gate: &Gate, still: &str) -> Answer;
    /// Whether the operator wants to stop: called between two operations, and between two blocks that are copied or
    /// read.
    fn wants_to_stop(&self) -> bool {
        false
    }
}

/// The operator's answer at a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done; `by` says who answered.
    Done {
        /// `operator` or `simulated operator`.
        by: String,
    },
    /// It will be done later.
    Later,
}
