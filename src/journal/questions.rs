//! Queries of a run's state: where it is, and what comes next.

use super::facts::{Answered, Next, Operation, OperationEnd, Standing, Stands, StepState, Way};
use super::state::RunState;
use crate::platform::op::Op;
use crate::step::StepId;
use jiff::Timestamp;

impl RunState {
    /// The step with an ID.
    pub fn step(&self, id: &StepId) -> Option<&StepState> {
        self.steps.iter().find(|step| step.id == *id)
    }

    /// Whether a step has ended.
    pub fn is_over(&self, id: &StepId) -> bool {
        self.step(id).is_some_and(|step| step.how.is_some())
    }

    /// Whether an uninstall is known to be complete, and not only started.
    pub fn has_uninstalled(&self) -> bool {
        let mut uninstalls = self.operations.iter().filter(|operation| matches!(operation.op, Op::Uninstall { .. }));
        uninstalls.any(|operation| matches!(operation.end, OperationEnd::Done { .. }))
    }

    /// When an installer last requested a restart of Windows.
    pub fn restart_requested(&self) -> Option<Timestamp> {
        let requested = |operation: &Operation| match &operation.end {
            OperationEnd::Done { time, outcome } if outcome.reboot => Some(*time),
            _ => None,
        };
        self.operations.iter().filter_map(requested).max()
    }

    /// How many steps have ended.
    pub fn done(&self) -> usize {
        self.steps.iter().filter(|step| step.how.is_some()).count()
    }

    /// The current step: the latest one, unless it has ended or waits for the operator; otherwise the first that has
    /// not ended.
    pub fn at(&self) -> Option<&StepState> {
        let is_open = |step: &&StepState| step.is_begun && step.how.is_none();
        let mut open = self.steps.iter().filter(is_open);
        let latest = open.clone().find(|step| Some(&step.id) == self.latest_step.as_ref() && !self.asks(step));
        latest.or_else(|| open.next())
    }

    /// Whether the last operation of a step is a gate.
    fn asks(&self, step: &StepState) -> bool {
        let latest = self.operations.iter().rev().find(|operation| operation.step == step.id);
        step.in_doubt && latest.is_some_and(|operation| matches!(operation.op, Op::Ask { .. }))
    }

    /// How far the run is.
    pub fn standing(&self) -> Standing {
        match (&self.rollback, &self.finished) {
            (Some(rollback), _) if rollback.span.ended.is_some() => Standing::RolledBack,
            (Some(_), _) => Standing::RollingBack,
            (None, Some(_)) => Standing::Finished,
            (None, None) => Standing::Unfinished,
        }
    }

    /// Whether a rollback has begun and is not over.
    pub fn goes_back(&self) -> bool {
        self.standing() == Standing::RollingBack
    }

    /// The operation that has started in this session, if nothing was recorded since.
    pub fn operating(&self) -> Option<&Operation> {
        self.operations.last().filter(|_| self.is_operating)
    }

    /// Whether a gate has been answered.
    pub fn has_answered(&self, gate: &str) -> bool {
        self.gates.iter().any(|answered| answered.gate == gate)
    }

    /// The answer to the gate of an operation.
    pub fn answer_to(&self, operation: &Operation, gate: &str) -> Option<&Answered> {
        self.gates.iter().find(|answered| answered.gate == gate && answered.time >= operation.begun)
    }

    /// The next action. `restarted`: Windows has been restarted since the last record.
    pub fn next(&self, restarted: bool) -> Next {
        let again = if self.goes_back() { Way::Rollback } else { Way::Resume };
        let (advice, restart, way) = match &self.stands {
            Stands::Finished { reboot } => ("", *reboot && !restarted, Way::Over),
            Stands::RolledBack => ("", false, Way::Over),
            Stands::Restart { .. } => ("", !restarted, again),
            Stands::Waiting { gate } => ("", false, Way::Confirm { gate: gate.id.clone() }),
            // Its advice is that restart.
            Stands::Failed { .. } if self.restart_since.is_some() && restarted => ("", false, again),
            Stands::Failed { advice, .. } => (advice.as_str(), self.restart_since.is_some(), again),
            Stands::Stopped | Stands::Interrupted => ("", false, again),
        };
        Next { advice: advice.to_owned(), restart, way }
    }

    /// The place at which a resumed run continues, such as "at step 19/25: …"; `None` between two steps.
    pub fn where_it_stands(&self) -> Option<String> {
        let step = self.at()?;
        let id = &step.id;
        let number = self.steps.iter().position(|other| other.id == *id)? + 1;
        let place = format!("at step {number}/{}", self.steps.len());
        Some(match step.in_doubt {
            true if self.asks(step) => format!("at the manual step {}", self.waits_at().join(" and ")),
            true => format!("{place}: {id} was interrupted; redoing operation {}", step.done + 1),
            false => format!("{place}: {id} was interrupted after {} operations", step.done),
        })
    }

    /// The gates that are not complete, in the order in which they were reached.
    fn waits_at(&self) -> Vec<&str> {
        let mut gates = Vec::new();
        for operation in &self.operations {
            let Op::Ask { gate } = &operation.op else { continue };
            if !self.is_over(&operation.step) && !gates.contains(&gate.id.as_str()) {
                gates.push(gate.id.as_str());
            }
        }
        gates
    }
}
