//! The state of a run, computed from its records in one place.
//!
//! Everything that is reported about a run is a view of [`RunState`]: how far it is, what is uninstalled, how long the
//! outage was, who completed which gate, what comes next. The same records always give the same state.

use super::facts::{
    Answered, Asked, Checks, Failed, Finished, Operation, OperationEnd, Rollback, Session, Span, Stands, StepState,
};
use super::record::{Entry, Frozen, Record};
use crate::names::ProductCode;
use crate::platform::op::{Gate, Op};
use crate::platform::{Outcome, Process};
use crate::step::{History, Kept, SettingsReport, Source, StepId};
use jiff::Timestamp;
use serde::Serialize;

/// The state of a run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RunState {
    /// Its state after the last record.
    #[serde(flatten)]
    pub stands: Stands,
    /// Every command that worked on it.
    pub sessions: Vec<Session>,
    /// Every step of its procedure, in order.
    pub steps: Vec<StepState>,
    /// Every gate that was completed.
    pub gates: Vec<Answered>,
    /// Every failure.
    pub failures: Vec<Failed>,
    /// The outages.
    pub outages: Vec<Span>,
    /// Its rollback, if one has started.
    pub rollback: Option<Rollback>,
    /// The time of the last record.
    pub latest: Option<Timestamp>,
    /// The time of the first record.
    #[serde(skip)]
    pub begun: Option<Timestamp>,
    /// Every operation that has started, in order.
    #[serde(skip)]
    pub operations: Vec<Operation>,
    /// The product codes whose uninstall has started and may have changed something.
    #[serde(skip)]
    pub uninstalled: Vec<ProductCode>,
    /// What became of each web.config: the latest report of each step.
    #[serde(skip)]
    pub settings: Vec<(StepId, SettingsReport)>,
    /// The latest checks.
    #[serde(skip)]
    pub checks: Option<Checks>,
    /// A program that timed out, with its step.
    #[serde(skip)]
    pub given_up: Option<(StepId, Process)>,
    /// What steps need to know about the run.
    #[serde(skip)]
    pub history: History,
    /// Whether a requested restart of Windows is still pending.
    #[serde(skip)]
    pub reboot: bool,
    /// The content of a finished run's last record.
    #[serde(skip)]
    pub finished: Option<Finished>,
    /// The latest step.
    #[serde(skip)]
    pub(super) latest_step: Option<StepId>,
    /// When an installer started a restart of Windows, or failed for want of one: nothing is begun before it.
    #[serde(skip)]
    pub restart_since: Option<Timestamp>,
    /// Whether work has paused for a restart.
    #[serde(skip)]
    pub(super) restart_asked: bool,
    /// Whether an operation has started in this session and nothing was recorded since.
    #[serde(skip)]
    pub(super) is_operating: bool,
    /// Journals of format 1 do not record whether an outage was ended early.
    #[serde(skip)]
    pub(super) says_called_off: bool,
}

impl RunState {
    /// The state of a new run.
    pub fn new(frozen: &Frozen) -> Self {
        let step = |step: &crate::step::Step| StepState {
            id: step.id.clone(),
            title: step.work.kind().title(),
            outage: step.outage,
            how: None,
            spans: Vec::new(),
            is_begun: false,
            done: 0,
            in_doubt: false,
            product: None,
        };
        let steps = frozen.steps.iter().map(step).collect();
        Self { steps, says_called_off: frozen.format > 1, ..Self::default() }
    }

    /// The state after these records.
    pub fn of(frozen: &Frozen, records: &[Record]) -> Self {
        let mut state = Self::new(frozen);
        records.iter().for_each(|record| state.take(record));
        state
    }

    /// Applies one more record.
    pub fn take(&mut self, record: &Record) {
        let (time, entry) = (record.time, &record.entry);
        if self.restart_asked
            && matches!(entry, Entry::StepStarted { .. } | Entry::OpStarted { .. } | Entry::StepDone { .. })
        {
            // Nothing continues before that restart.
            (self.reboot, self.restart_asked, self.restart_since) = (false, false, None);
        }
        self.is_operating = matches!(entry, Entry::OpStarted { .. });
        match entry {
            Entry::Opened(_) => self.begun = Some(time),
            Entry::Session { command, user, utc_offset } => {
                // What was running when the program was interrupted ended no later than its last record.
                self.close_spans(self.latest.unwrap_or(time));
                let (command, user, utc_offset) = (command.clone(), user.clone(), *utc_offset);
                self.sessions.push(Session { time, command, user, utc_offset });
            }
            Entry::StepStarted { step } => self.step_started(step, time),
            Entry::OpStarted { step, index, op, before, installer } => {
                self.op_started(step, op);
                let (step, op, before, installer) =
                    (step.clone(), op.clone(), before.clone(), installer.as_deref().cloned());
                let (index, end) = (*index, OperationEnd::InDoubt);
                self.begins(&step, time);
                self.operations.push(Operation { step, index, op, before, installer, begun: time, end });
            }
            Entry::OpDone { step, index, outcome } => self.op_done(step, *index, outcome, time),
            Entry::StepDone { step, how, product } => self.step_done(step, how, product.as_ref(), time),
            Entry::Checked { step, checks } => {
                self.checks = Some(Checks { time, step: step.clone(), all: checks.clone() });
            }
            Entry::Reset { steps } => self.reset(steps),
            Entry::Merged { step, account } => {
                self.settings.retain(|(earlier, _)| earlier != step);
                self.settings.push((step.clone(), (**account).clone()));
            }
            Entry::Answered { gate, by } => {
                let user = self.sessions.last().and_then(|session| session.user.clone());
                self.gates.push(Answered { time, gate: gate.clone(), by: by.clone(), user });
            }
            Entry::Decided { path, take } => drop(self.history.decisions.insert(path.clone(), *take)),
            Entry::Failed { step, why, next, log, changed_nothing, restart } => {
                if *changed_nothing {
                    self.uninstalled.pop();
                }
                if *restart {
                    self.restart_since = Some(time);
                }
                self.failed(step, why, next, log, time);
            }
            Entry::ChangedNothing { step } => {
                self.uninstalled.pop();
                self.operation_failed(step, &[], time);
            }
            Entry::OutcomeUnknown { step, why, next, process } => {
                self.given_up = Some((step.clone(), process.clone()));
                self.failures.push(failed(step, why, next, &[], time));
                self.pause(time);
            }
            Entry::RestartNeeded { files } => {
                self.restart_asked = true;
                if files.is_empty() {
                    self.restart_since = Some(time);
                }
                self.pause(time);
            }
            Entry::Waiting { .. } | Entry::Stopped => self.pause(time),
            Entry::CalledOff { failed } if failed.is_empty() => self.end_outage(time),
            Entry::CalledOff { .. } => {}
            Entry::RollbackStarted { undos } => self.rollback_started(undos, time),
            Entry::RollbackContinued => self.given_up = None,
            Entry::Undone { index } => self.undone(*index, time),
            Entry::RolledBack { not_restored } => {
                self.end_outage(time);
                if let Some(rollback) = &mut self.rollback {
                    rollback.span.ended = Some(time);
                    rollback.not_restored.clone_from(not_restored);
                }
            }
            Entry::Finished { data, by_hand } => {
                self.end_outage(time);
                self.finished = Some(Finished { data: data.clone(), follow_ups: by_hand.clone() });
            }
        }
        self.stands = self.stands_after(entry);
        self.latest = Some(time);
    }

    /// The state after this record.
    fn stands_after(&mut self, entry: &Entry) -> Stands {
        let waiting = |gate: &Gate| Stands::Waiting {
            gate: Asked { id: gate.id.clone(), title: gate.title.clone(), instructions: gate.instructions.clone() },
        };
        let failed = |step: &StepId, why: &String, advice: &String, process: Option<&Process>| Stands::Failed {
            step: step.clone(),
            why: why.clone(),
            advice: advice.clone(),
            process: process.cloned(),
        };
        match entry {
            Entry::Waiting { gate } | Entry::OpStarted { op: Op::Ask { gate }, .. } => waiting(gate),
            Entry::Stopped => Stands::Stopped,
            Entry::RestartNeeded { files } => Stands::Restart { files: files.clone() },
            Entry::Failed { step, why, next, .. } => failed(step, why, next, None),
            Entry::OutcomeUnknown { step, why, next, process } => failed(step, why, next, Some(process)),
            Entry::Finished { .. } => Stands::Finished { reboot: self.reboot },
            Entry::RolledBack { .. } => Stands::RolledBack,
            // They record what was done about a stop, not that work continues.
            Entry::CalledOff { .. } | Entry::Decided { .. } => std::mem::take(&mut self.stands),
            _ => Stands::Interrupted,
        }
    }

    fn step_mut(&mut self, id: &StepId) -> Option<&mut StepState> {
        self.steps.iter_mut().find(|step| step.id == *id)
    }

    fn step_started(&mut self, id: &StepId, time: Timestamp) {
        if let Some(step) = self.step_mut(id) {
            (step.is_begun, step.how, step.done, step.in_doubt) = (true, None, 0, false);
        }
        *self.history.attempts.entry(id.clone()).or_default() += 1;
        self.begins(id, time);
    }

    fn op_started(&mut self, id: &StepId, op: &Op) {
        if let Some(step) = self.step_mut(id) {
            (step.is_begun, step.in_doubt) = (true, true);
        }
        self.given_up = None;
        if let Op::Uninstall { code, .. } = op {
            self.uninstalled.push(code.clone());
        }
    }

    fn op_done(&mut self, id: &StepId, index: usize, outcome: &Outcome, time: Timestamp) {
        self.reboot |= outcome.reboot;
        if outcome.restarting {
            self.restart_since = Some(time);
        }
        self.given_up = None;
        if let Some(kept) = self.operations.last().and_then(|operation| kept(&operation.op, id, outcome, time)) {
            self.history.backups.push(kept);
        }
        if let Some(step) = self.step_mut(id) {
            step.in_doubt = false;
            step.done += 1;
        }
        // An interrupted earlier attempt at the same operation is over with it.
        let open = self.operations.iter_mut().filter(|operation| operation.step == *id && operation.index == index);
        for operation in open.filter(|operation| matches!(operation.end, OperationEnd::InDoubt)) {
            operation.end = OperationEnd::Done { time, outcome: outcome.clone() };
        }
    }

    fn step_done(&mut self, id: &StepId, how: &str, product: Option<&String>, time: Timestamp) {
        if let Some(step) = self.step_mut(id) {
            step.is_begun = true;
            step.how = Some(how.to_owned());
            step.product = product.cloned();
            // A step that found nothing to do never started.
            match step.spans.last_mut() {
                Some(span) if span.ended.is_none() => span.ended = Some(time),
                _ => step.spans.push(Span { begun: time, ended: Some(time) }),
            }
        }
        if self.steps.iter().rev().find(|step| step.outage).is_some_and(|last| last.id == *id) {
            self.end_outage(time);
        }
    }

    fn reset(&mut self, steps: &[StepId]) {
        for step in self.steps.iter_mut().filter(|step| steps.contains(&step.id)) {
            (step.is_begun, step.how, step.done, step.in_doubt) = (false, None, 0, false);
            step.product = None;
        }
        // What was backed up may have changed since.
        self.history.backups.retain(|kept| !steps.contains(&kept.step));
    }

    fn failed(&mut self, id: &StepId, why: &str, advice: &str, log: &[String], time: Timestamp) {
        self.operation_failed(id, log, time);
        self.failures.push(failed(id, why, advice, log, time));
        self.pause(time);
    }

    fn operation_failed(&mut self, id: &StepId, log: &[String], time: Timestamp) {
        let open = self.operations.iter_mut().filter(|operation| operation.step == *id);
        for operation in open.filter(|operation| matches!(operation.end, OperationEnd::InDoubt)) {
            operation.end = OperationEnd::Failed { time, log: log.to_vec() };
        }
    }

    fn undone(&mut self, index: usize, time: Timestamp) {
        self.given_up = None;
        let part = self.rollback.as_mut().and_then(|rollback| rollback.parts.get_mut(index));
        part.into_iter().for_each(|part| part.done = Some(time));
    }

    fn begins(&mut self, id: &StepId, time: Timestamp) {
        self.latest_step = Some(id.clone());
        let Some(step) = self.step_mut(id) else { return };
        if step.spans.last().is_none_or(|span| span.ended.is_some()) {
            step.spans.push(Span { begun: time, ended: None });
        }
        if step.outage {
            self.begin_outage(time);
        }
    }

    pub(super) fn close_spans(&mut self, time: Timestamp) {
        let open = self.steps.iter_mut().filter_map(|step| step.spans.last_mut());
        open.filter(|span| span.ended.is_none()).for_each(|span| span.ended = Some(time));
    }
}

fn failed(step: &StepId, why: &str, advice: &str, log: &[String], time: Timestamp) -> Failed {
    Failed { time, step: step.clone(), why: why.to_owned(), advice: advice.to_owned(), log: log.to_vec() }
}

/// The backup that an operation made, if it is a backup.
fn kept(op: &Op, step: &StepId, outcome: &Outcome, time: Timestamp) -> Option<Kept> {
    let (what, to) = match op {
        Op::BackUp { from, to, .. } => (Source::Path(from.clone()), to),
        Op::ExportKey { key, to, .. } => (Source::Key(key.clone()), to),
        _ => return None,
    };
    let (sha256, size) = (outcome.sha256.clone(), outcome.size);
    Some(Kept { step: step.clone(), what, to: to.clone(), sha256, size, time })
}
