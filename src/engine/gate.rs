//! Gates: what the operator is asked to do, and how its completion is detected.

use super::operator::Answer;
use super::run::{Flow, Running};
use super::{End, EngineError, Event};
use crate::journal::{Answered, Entry};
use crate::platform::op::{Gate, Op};
use crate::platform::{Failure, Outcome};
use crate::step::{Probe, Step};
use std::time::Duration;

/// How often the machine is checked for completion.
const WATCH_EVERY: Duration = Duration::from_secs(5);

impl Running<'_> {
    /// Asks the operator for the decisions that the step needs, once.
    pub(super) fn decided(&mut self, step: &Step) -> Result<Flow, EngineError> {
        let Some(gate) = self.to_decide(step)? else { return Ok(Flow::Next) };
        self.watcher.event(&Event::Gate { gate: gate.clone() });
        match self.operator.at_gate(&gate, "no decision has been made") {
            Answer::Done { by } => {
                self.answered(&gate, by)?;
                Ok(Flow::Next)
            }
            Answer::Later if self.operator.wants_to_stop() => Ok(Flow::Stop(End::Stopped)),
            Answer::Later => Ok(Flow::Stop(End::Waiting(gate))),
        }
    }

    pub(super) fn to_decide(&self, step: &Step) -> Result<Option<Gate>, Failure> {
        let gate = step.work.kind().to_decide(&self.context())?;
        Ok(gate.filter(|gate| !self.state().has_answered(&gate.id)))
    }

    /// Asks the operator to do what an operation requires, unless it is seen to be done.
    pub(super) fn at_gate(&mut self, step: &Step, index: usize, gate: &Gate) -> Result<Flow, EngineError> {
        let mut gate = gate.clone();
        let by = match &step.skip {
            Some(reason) => Some(format!("{}{reason}", Answered::PLAN)),
            None if self.watched(step, &gate)? => Some(Answered::SEEN.to_owned()),
            None => {
                let worries = step.work.kind().worries(&self.context())?;
                gate.instructions
                    .extend(worries.iter().map(|worry| format!("Check this before you confirm: {worry}.")));
                self.ask(step, &gate)?
            }
        };
        match by {
            Some(by) => {
                self.answered(&gate, by)?;
                let reboot = gate.by_hand.is_some() && self.restart_is_due()?;
                self.op_done(step, index, Outcome { reboot, ..Outcome::default() })
            }
            None if self.operator.wants_to_stop() => Ok(Flow::Stop(End::Stopped)),
            None => Ok(Flow::Stop(End::Waiting(gate))),
        }
    }

    fn answered(&mut self, gate: &Gate, by: String) -> Result<(), EngineError> {
        self.write(Entry::Answered { gate: gate.id.clone(), by: by.clone() })?;
        let text = self.state().gates.last().map(Answered::with_time).unwrap_or_default();
        self.watcher.event(&Event::Answered { gate: gate.id.clone(), by, text });
        Ok(())
    }

    /// Watches for completion. Returns whether it was seen.
    fn watched(&mut self, step: &Step, gate: &Gate) -> Result<bool, Failure> {
        let kind = step.work.kind();
        let mut left = gate.watch.unwrap_or_default();
        let seen = kind.probe_gate(&self.context())? == Probe::Done;
        if seen || left.is_zero() || !kind.worries(&self.context())?.is_empty() {
            return Ok(seen);
        }
        let text = format!("watching for completion for up to {} min before asking", left.as_secs().div_ceil(60));
        self.watcher.event(&Event::Note { text });
        while !left.is_zero() && !self.operator.wants_to_stop() && kind.worries(&self.context())?.is_empty() {
            self.engine.clock.wait(WATCH_EVERY.min(left));
            left = left.saturating_sub(WATCH_EVERY);
            if kind.probe_gate(&self.context())? == Probe::Done {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Asks the operator. Returns who confirmed it; `None` if it is postponed.
    fn ask(&mut self, step: &Step, gate: &Gate) -> Result<Option<String>, EngineError> {
        let kind = step.work.kind();
        let mut probe = kind.probe_gate(&self.context())?;
        self.watcher.event(&Event::Gate { gate: gate.clone() });
        loop {
            let still = match probe {
                Probe::Done => String::new(),
                Probe::Needed(why) => why,
                Probe::Blocked(why) => return Err(Failure::new(format!("complete {}", gate.id), why).into()),
            };
            match self.operator.at_gate(gate, &still) {
                Answer::Later => return Ok(None),
                Answer::Done { by } if kind.is_taken_on_trust() => return Ok(Some(by)),
                Answer::Done { by } => {
                    probe = kind.probe_gate(&self.context())?;
                    if probe == Probe::Done {
                        return Ok(Some(by));
                    }
                }
            }
        }
    }
}

/// The gate for what only the operator can do.
pub(super) fn by_hand(step: &Step, op: &Op, failure: &Failure) -> Gate {
    Gate {
        id: step.id.to_string(),
        title: step.work.kind().title(),
        instructions: vec![format!("pfupgrade cannot {op}: {}.", failure.why), format!("Please {}.", failure.next)],
        by_hand: None,
        watch: None,
    }
}
