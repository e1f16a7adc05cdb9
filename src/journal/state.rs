//! What the records of a run come to: the one fold of a journal.
//!
//! Everything that anybody says of a run is a view of [`RunState`]: where it stands, what is uninstalled, how long users
//! could not sign in, who passed which gate, what comes next. The same records always give the same state.

use super::record::{Before, DataFile, Entry, Frozen, Record, Undo, UsedInstaller};
use crate::names::ProductCode;
use crate::platform::facts::ServiceState;
use crate::platform::op::{Gate, Op};
use crate::platform::{Outcome, Process};
use crate::step::{Account, Checked, FollowUp, History, Kept, Source, StepId};
use jiff::Timestamp;
use serde::Serialize;

/// A run, as its records tell it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RunState {
    /// Where it stands.
    #[serde(flatten)]
    pub stands: Stands,
    /// Every command that has worked on it.
    pub sessions: Vec<Session>,
    /// Every step of its procedure, in order.
    pub steps: Vec<StepState>,
    /// Every gate that was passed.
    pub gates: Vec<Answered>,
    /// Everything that went wrong.
    pub failures: Vec<Failed>,
    /// When users could not sign in.
    pub outages: Vec<Span>,
    /// Its rollback, where one has begun.
    pub rollback: Option<Rollback>,
    /// The time of the last record.
    pub latest: Option<Timestamp>,
    /// The time of the first record.
    #[serde(skip)]
    pub begun: Option<Timestamp>,
    /// Every operation that has begun, in the order in which they did.
    #[serde(skip)]
    pub operations: Vec<Operation>,
    /// The product codes whose uninstall has begun and may have changed something.
    #[serde(skip)]
    pub uninstalled: Vec<ProductCode>,
    /// What became of each web.config: the latest account of each step.
    #[serde(skip)]
    pub accounts: Vec<(StepId, Account)>,
    /// What was last checked.
    #[serde(skip)]
    pub checks: Option<Checks>,
    /// A program that was given up on, with its step.
    #[serde(skip)]
    pub given_up: Option<(StepId, Process)>,
    /// What steps need to know of the run.
    #[serde(skip)]
    pub history: History,
    /// Whether an installer asked for a restart of Windows that has not come yet.
    #[serde(skip)]
    pub reboot: bool,
    /// What the last record of a finished run holds.
    #[serde(skip)]
    pub finished: Option<Finished>,
    /// The step that was at work last.
    #[serde(skip)]
    latest_step: Option<StepId>,
    /// Whether work has stopped for a restart that comes first.
    #[serde(skip)]
    restart_asked: bool,
    /// Whether an operation has begun in this session and nothing was recorded since.
    #[serde(skip)]
    is_operating: bool,
    /// Journals of format 1 do not say whether an outage was called off.
    #[serde(skip)]
    says_called_off: bool,
}

/// Where a run stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Stands {
    /// All steps are done.
    Finished {
        /// An installer wants a restart of Windows.
        reboot: bool,
    },
    /// Everything is as it was before it.
    RolledBack,
    /// Windows has to be restarted first.
    Restart {
        /// The files that wait for that.
        files: Vec<String>,
    },
    /// A person has to do what a gate asks.
    Waiting {
        /// What is asked.
        gate: Asked,
    },
    /// The operator has stopped it.
    Stopped,
    /// A step, or its rollback, has failed.
    Failed {
        /// The step, or `rollback`.
        step: StepId,
        /// Why.
        why: String,
        /// What to do next; empty where nothing more is known.
        advice: String,
        /// A program that runs on, whose outcome is not known.
        process: Option<Process>,
    },
    /// It was interrupted, or is at work.
    #[default]
    Interrupted,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Steps are left to do.
    Unfinished,
    /// All steps are done.
    Finished,
    /// A rollback has begun and is not over.
    RollingBack,
    /// A rollback is over.
    RolledBack,
}

/// What comes next for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// What the failure that it stands at advises to do first; empty where nothing is known.
    pub advice: String,
    /// Whether Windows has to be restarted first.
    pub restart: bool,
    /// How it goes on.
    pub way: Way,
}

/// How a run goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// It is over.
    Over,
    /// `resume`.
    Resume,
    /// `resume`, once what the gate asks for is done.
    Confirm {
        /// The gate's id.
        gate: String,
    },
    /// `rollback`.
    Rollback,
}

/// A gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Its id.
    pub id: String,
    /// What is asked.
    pub title: String,
    /// How it is done.
    pub instructions: Vec<String>,
}

/// A command that has worked on a run.
#[derive(Debug, Clone, Serialize)]
pub struct Session {
    /// When it began.
    pub time: Timestamp,
    /// `run`, `resume` or `rollback`.
    pub command: String,
    /// Who gave it, where that is known.
    pub user: Option<String>,
    /// The offset of the server's own time when it began, where that is known: seconds east of UTC.
    pub utc_offset: Option<i32>,
}

/// What a step has checked.
#[derive(Debug, Clone)]
pub struct Checks {
    /// When.
    pub time: Timestamp,
    /// The step.
    pub step: StepId,
    /// Every check.
    pub all: Vec<Checked>,
}

impl Checks {
    /// The checks that did not pass.
    pub fn faults(&self) -> usize {
        self.all.iter().filter(|check| check.fault.is_some()).count()
    }
}

/// From one time to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// When it began.
    pub begun: Timestamp,
    /// When it was over; `None` where it is not.
    pub ended: Option<Timestamp>,
}

/// A step, with what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct StepState {
    /// Its id.
    pub id: StepId,
    /// Its title.
    pub title: String,
    /// True while users cannot sign in.
    pub outage: bool,
    /// How it ended: `done`, `already so`, or why it was skipped; `None` where it is not over.
    pub how: Option<String>,
    /// When it was at work, each attempt by itself.
    pub spans: Vec<Span>,
    /// Whether the attempt that counts has begun.
    #[serde(skip)]
    pub is_begun: bool,
    /// How many operations of that attempt are done.
    #[serde(skip)]
    pub done: usize,
    /// Whether its next operation had begun.
    #[serde(skip)]
    pub in_doubt: bool,
    /// Name and version of the product that it installs, as found when it was over.
    #[serde(skip)]
    pub product: Option<String>,
}

/// An operation that has begun.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The step it belongs to.
    pub step: StepId,
    /// Its number within the step, from 0.
    pub index: usize,
    /// What it does.
    pub op: Op,
    /// What was there before it.
    pub before: Before,
    /// The installer that it runs, or that its gate names, where that was noted.
    pub installer: Option<UsedInstaller>,
    /// When it began.
    pub begun: Timestamp,
    /// How it ended.
    pub end: OperationEnd,
}

/// How an operation ended.
#[derive(Debug, Clone)]
pub enum OperationEnd {
    /// Nothing says that it did.
    InDoubt,
    /// It is done.
    Done {
        /// When.
        time: Timestamp,
        /// What it brought to light.
        outcome: Outcome,
    },
    /// Its step failed, or it was stopped before it changed anything.
    Failed {
        /// When.
        time: Timestamp,
        /// The lines of an installer's log that matter.
        log: Vec<String>,
    },
}

/// A gate that was passed.
#[derive(Debug, Clone, Serialize)]
pub struct Answered {
    /// When.
    pub time: Timestamp,
    /// The gate.
    pub gate: String,
    /// Who says so: `operator`, `simulated operator`, `seen on the machine`, or the plan with its reason.
    pub by: String,
    /// The account of whoever gave the command at work, where that is known.
    pub user: Option<String>,
}

/// How a gate was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed<'a> {
    /// Nobody was asked: the machine showed that it is done.
    Seen,
    /// The plan skips it, for this reason.
    Skipped(&'a str),
    /// Somebody confirmed it.
    Confirmed(&'a str),
}

impl Answered {
    /// What stands for a gate at which nobody was asked.
    pub(crate) const SEEN: &'static str = "seen on the machine";
    /// What stands before the plan's reason.
    pub(crate) const PLAN: &'static str = "plan: ";

    /// How the gate was passed.
    pub fn passed(&self) -> Passed<'_> {
        match self.by.strip_prefix(Self::PLAN) {
            Some(reason) => Passed::Skipped(reason),
            None if self.by == Self::SEEN => Passed::Seen,
            None => Passed::Confirmed(&self.by),
        }
    }
}

/// Something that went wrong.
#[derive(Debug, Clone, Serialize)]
pub struct Failed {
    /// When.
    pub time: Timestamp,
    /// The step, or `rollback`.
    pub step: StepId,
    /// Why.
    pub why: String,
    /// What to do next; empty where nothing more is known.
    pub advice: String,
    /// The lines of an installer's log that matter.
    pub log: Vec<String>,
}

/// A rollback.
#[derive(Debug, Clone, Serialize)]
pub struct Rollback {
    /// When it was at work.
    #[serde(flatten)]
    pub span: Span,
    /// Its parts, in order, each with when it was done.
    pub parts: Vec<Part>,
    /// What it does not put back, and what is not as it was.
    pub not_restored: Vec<String>,
    /// The parts as they are done.
    #[serde(skip)]
    pub undos: Vec<Undo>,
}

/// A part of a rollback.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// What it is.
    pub what: String,
    /// When it was done.
    pub done: Option<Timestamp>,
}

/// What the last record of a finished run holds.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The data file as the run left it, where that is known.
    pub data: Option<DataFile>,
    /// What is left to do by hand, where that has been noted.
    pub follow_ups: Option<Vec<FollowUp>>,
}

impl RunState {
    /// A run that has just begun.
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

    /// What these records come to.
    pub fn of(frozen: &Frozen, records: &[Record]) -> Self {
        let mut state = Self::new(frozen);
        records.iter().for_each(|record| state.take(record));
        state
    }

    /// A step by its id.
    pub fn step(&self, id: &StepId) -> Option<&StepState> {
        self.steps.iter().find(|step| step.id == *id)
    }

    /// Whether a step is over.
    pub fn is_over(&self, id: &StepId) -> bool {
        self.step(id).is_some_and(|step| step.how.is_some())
    }

    /// How many steps are over.
    pub fn done(&self) -> usize {
        self.steps.iter().filter(|step| step.how.is_some()).count()
    }

    /// The step that was at work last, unless it is over or waits for a person; else the first that is not over.
    pub fn at(&self) -> Option<&StepState> {
        let is_open = |step: &&StepState| step.is_begun && step.how.is_none();
        let mut open = self.steps.iter().filter(is_open);
        let latest = open.clone().find(|step| Some(&step.id) == self.latest_step.as_ref() && !self.asks(step));
        latest.or_else(|| open.next())
    }

    /// Whether the operation that a step was last seen at is one for a person.
    fn asks(&self, step: &StepState) -> bool {
        let latest = self.operations.iter().rev().find(|operation| operation.step == step.id);
        step.in_doubt && latest.is_some_and(|operation| matches!(operation.op, Op::Ask { .. }))
    }

    /// How far the run has come.
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

    /// Whether users cannot sign in.
    pub fn is_outage(&self) -> bool {
        self.outages.last().is_some_and(|span| span.ended.is_none())
    }

    /// When users could no longer sign in: this time where they still cannot, else the first time.
    pub fn outage_begun(&self) -> Option<Timestamp> {
        let shown = if self.is_outage() { self.outages.last() } else { self.outages.first() };
        shown.map(|span| span.begun)
    }

    /// How long users could not sign in, where that is over; milliseconds.
    pub fn outage_ms(&self) -> Option<i64> {
        let lengths = self.outages.iter().map(|span| Some(milliseconds(span.begun, span.ended?)));
        lengths.collect::<Option<Vec<i64>>>().filter(|all| !all.is_empty()).map(|all| all.iter().sum())
    }

    /// The operation that has begun in this session, where nothing was recorded since.
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

    /// What comes next. `restarted`: Windows has been started anew since the last record.
    pub fn next(&self, restarted: bool) -> Next {
        let again = if self.goes_back() { Way::Rollback } else { Way::Resume };
        let (advice, restart, way) = match &self.stands {
            Stands::Finished { reboot } => ("", *reboot && !restarted, Way::Over),
            Stands::RolledBack => ("", false, Way::Over),
            Stands::Restart { .. } => ("", !restarted, again),
            Stands::Waiting { gate } => ("", false, Way::Confirm { gate: gate.id.clone() }),
            Stands::Failed { advice, .. } => (advice.as_str(), false, again),
            Stands::Stopped | Stands::Interrupted => ("", false, again),
        };
        Next { advice: advice.to_owned(), restart, way }
    }

    /// What an interruption left, in words; `None` between two steps.
    pub fn where_it_stands(&self) -> Option<String> {
        let step = self.at()?;
        let id = &step.id;
        Some(match step.in_doubt {
            true if self.asks(step) => match self.waits_at().as_slice() {
                [gate] => format!("it waits at the gate {gate}"),
                gates => format!("it waits at the gates {}", gates.join(" and ")),
            },
            true => format!("{id} was interrupted in its operation {}: it is completed", step.done + 1),
            false => format!("{id} was interrupted after {} operations", step.done),
        })
    }

    /// The gates that steps wait at which are not over, in the order in which they were come to.
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

    /// Takes one more record into account.
    pub fn take(&mut self, record: &Record) {
        let (time, entry) = (record.time, &record.entry);
        if self.restart_asked
            && matches!(entry, Entry::StepStarted { .. } | Entry::OpStarted { .. } | Entry::StepDone { .. })
        {
            // Nothing goes on before that restart.
            (self.reboot, self.restart_asked) = (false, false);
        }
        self.is_operating = matches!(entry, Entry::OpStarted { .. });
        match entry {
            Entry::Opened(_) => self.begun = Some(time),
            Entry::Session { command, user, utc_offset } => {
                // What was at work when the program was interrupted has ended no later than its last word.
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
                self.accounts.retain(|(earlier, _)| earlier != step);
                self.accounts.push((step.clone(), (**account).clone()));
            }
            Entry::Answered { gate, by } => {
                let user = self.sessions.last().and_then(|session| session.user.clone());
                self.gates.push(Answered { time, gate: gate.clone(), by: by.clone(), user });
            }
            Entry::Decided { path, take } => drop(self.history.decisions.insert(path.clone(), *take)),
            Entry::Failed { step, why, next, log, changed_nothing } => {
                if *changed_nothing {
                    self.uninstalled.pop();
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
            Entry::RestartNeeded { .. } => {
                self.restart_asked = true;
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

    /// Where the run stands when this is the last record.
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
            // They say what was done about a stop, not that work goes on.
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
        self.given_up = None;
        if let Some(kept) = self.operations.last().and_then(|operation| kept(&operation.op, id, outcome, time)) {
            self.history.backups.push(kept);
        }
        if let Some(step) = self.step_mut(id) {
            step.in_doubt = false;
            step.done += 1;
        }
        // An earlier attempt at the same operation, which was interrupted, is over with it.
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
            // A step that found nothing to do never began.
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
        // What was backed up may have been written to since.
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

    fn rollback_started(&mut self, undos: &[Undo], time: Timestamp) {
        self.given_up = None;
        let parts = undos.iter().map(|undo| Part { what: undo.to_string(), done: None }).collect();
        let span = Span { begun: time, ended: None };
        self.rollback = Some(Rollback { span, parts, not_restored: Vec::new(), undos: undos.to_vec() });
        if undos.iter().any(takes_away) {
            self.begin_outage(time);
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

    /// Work ends for now. A journal of format 1 does not say that services run again where nothing has been uninstalled,
    /// which is what its program did.
    fn pause(&mut self, time: Timestamp) {
        self.close_spans(time);
        if !self.says_called_off && self.uninstalled.is_empty() && self.rollback.is_none() {
            self.end_outage(time);
        }
    }

    fn close_spans(&mut self, time: Timestamp) {
        let open = self.steps.iter_mut().filter_map(|step| step.spans.last_mut());
        open.filter(|span| span.ended.is_none()).for_each(|span| span.ended = Some(time));
    }

    /// The outage: from the first step of it, or from the beginning of a rollback that takes something away, to the last
    /// step of it, the end of the run or of its rollback, or to the moment at which everything that was stopped runs
    /// again.
    fn begin_outage(&mut self, time: Timestamp) {
        if !self.is_outage() {
            self.outages.push(Span { begun: time, ended: None });
        }
    }

    fn end_outage(&mut self, time: Timestamp) {
        let open = self.outages.last_mut().filter(|span| span.ended.is_none());
        open.into_iter().for_each(|span| span.ended = Some(time));
    }
}

impl Rollback {
    /// How many of its parts are done.
    pub fn done(&self) -> usize {
        self.parts.iter().filter(|part| part.done.is_some()).count()
    }
}

impl Operation {
    /// Whether nothing says how it ended.
    pub fn is_in_doubt(&self) -> bool {
        matches!(self.end, OperationEnd::InDoubt)
    }

    /// The lines of an installer's log that matter, with the time at which they were read.
    pub fn log(&self) -> Option<(Timestamp, &[String])> {
        match &self.end {
            OperationEnd::InDoubt => None,
            OperationEnd::Done { time, outcome } => Some((*time, &outcome.log)),
            OperationEnd::Failed { time, log } => Some((*time, log)),
        }
    }
}

/// False where a part of a rollback starts a service again, or removes what was decrypted: where nothing has been
/// uninstalled, that is all there is to do.
fn takes_away(undo: &Undo) -> bool {
    !matches!(undo, Undo::Do { op: Op::Service { state: ServiceState::Running, .. } | Op::Remove { .. } })
}

fn failed(step: &StepId, why: &str, advice: &str, log: &[String], time: Timestamp) -> Failed {
    Failed { time, step: step.clone(), why: why.to_owned(), advice: advice.to_owned(), log: log.to_vec() }
}

/// The backup that an operation has made, where it is one.
fn kept(op: &Op, step: &StepId, outcome: &Outcome, time: Timestamp) -> Option<Kept> {
    let (what, to) = match op {
        Op::BackUp { from, to, .. } => (Source::Path(from.clone()), to),
        Op::ExportKey { key, to, .. } => (Source::Key(key.clone()), to),
        _ => return None,
    };
    let (sha256, size) = (outcome.sha256.clone(), outcome.size);
    Some(Kept { step: step.clone(), what, to: to.clone(), sha256, size, time })
}

/// From one time to another, in milliseconds.
pub fn milliseconds(from: Timestamp, to: Timestamp) -> i64 {
    i64::try_from(to.duration_since(from).as_millis()).unwrap_or_default()
}
