//! The person at the machine.

use crate::platform::op::Gate;

/// The person who is asked.
pub trait Operator {
    /// Has the person do what a gate asks. `still` says why the gate is not passed yet.
    fn at_gate(&mut self, gate: &Gate, still: &str) -> Answer;
    /// Whether the person wants to stop: asked between two operations, and between two blocks that are copied or read.
    fn wants_to_stop(&self) -> bool {
        false
    }
}

/// What a person says at a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It has been done; `by` says who answered.
    Done {
        /// `operator` or `simulated operator`.
        by: String,
    },
    /// It will be done later.
    Later,
}
