//! Carry out a frozen procedure, from its first step or from where it was left.

use super::journal::{Entry, Frozen, Journal};
use super::runs::{Found, JOURNAL, Progress};
use super::{End, Engine, EngineError, Event, Prepared, Watcher, undo};
use crate::platform::op::{Gate, Op};
use crate::platform::{self, Doing, Failure, Outcome, disk};
use crate::step::{Probe, Scene, Step};
use std::time::Duration;

/// How often the machine is looked at while it is watched for a sign.
const WATCH_EVERY: Duration = Duration::from_secs(5);

/// The person who is asked.
pub trait Operator {
    /// Has the person do what a gate asks. `still` says why the gate is not passed yet.
    fn at_gate(&mut self, gate: &Gate, still: &str) -> Answer;
    /// True once the person wants to stop: asked between operations.
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

/// A run at work.
pub(super) struct Running<'a> {
    pub(super) engine: &'a Engine<'a>,
    pub(super) frozen: &'a Frozen,
    pub(super) journal: Journal,
    pub(super) progress: Progress,
    pub(super) operator: &'a mut dyn Operator,
    pub(super) watcher: &'a mut dyn Watcher,
}

/// Whether a step came to its end.
enum Flow {
    Next,
    Stop(End),
}

impl Engine<'_> {
    /// Begins a run: freezes what was prepared, and carries it out. The caller holds the lock.
    pub fn run(
        &self,
        prepared: &Prepared,
        operator: &mut dyn Operator,
        watcher: &mut dyn Watcher,
    ) -> Result<End, EngineError> {
        let frozen = &prepared.frozen;
        let disk = self.platform.disk();
        for folder in [frozen.folders.run.child("logs"), frozen.folders.backup.clone()] {
            let doing = format!("create the folder {folder}");
            disk::create_folders(disk, &folder).doing(&doing)?;
        }
        for folder in [&frozen.folders.run, &frozen.folders.backup] {
            disk.make_private(folder).doing(format!("make the folder {folder} private"))?;
        }
        let mut journal = Journal::create(disk, &frozen.folders.run.child(JOURNAL))?;
        journal.write(self.clock.now(), Entry::Opened(Box::new(frozen.clone())))?;
        Running { engine: self, frozen, journal, progress: Progress::default(), operator, watcher }
            .all_steps(Vec::new())
    }

    /// Goes on with a run, from its frozen procedure. The caller holds the lock.
    pub fn resume(
        &self,
        found: &Found,
        operator: &mut dyn Operator,
        watcher: &mut dyn Watcher,
    ) -> Result<End, EngineError> {
        let journal = Journal::open(self.platform.disk(), &found.journal)?;
        let progress = Progress::of(journal.records());
        let notes = progress.current.iter().map(|(step, done)| match progress.in_doubt {
            true => format!("{step} was interrupted in its operation {}: it is completed", done + 1),
            false => format!("{step} was interrupted after {done} operations"),
        });
        let notes = notes.collect();
        Running { engine: self, frozen: &found.frozen, journal, progress, operator, watcher }.all_steps(notes)
    }
}

impl Running<'_> {
    fn all_steps(mut self, notes: Vec<String>) -> Result<End, EngineError> {
        let steps = self.frozen.steps.len();
        self.watcher.event(&Event::Started { run: self.frozen.folders.id.clone(), steps, notes });
        self.call_off_outage(false)?;
        for (number, step) in self.frozen.steps.iter().enumerate() {
            if self.progress.done.contains(&step.id) {
                continue;
            }
            self.watcher.event(&Event::Step {
                number: number + 1,
                step: step.id.clone(),
                title: step.work.kind().title(),
            });
            match self.step(step) {
                Ok(Flow::Next) => {}
                Ok(Flow::Stop(end)) => {
                    self.call_off_outage(true)?;
                    return Ok(end);
                }
                Err(EngineError::Failure(failure)) => return Err(self.failed(step, failure)?),
                Err(error) => return Err(error),
            }
        }
        self.write(Entry::Finished)?;
        Ok(End::Done { reboot: self.progress.reboot })
    }

    pub(super) fn write(&mut self, entry: Entry) -> Result<(), EngineError> {
        self.progress.take(&entry);
        Ok(self.journal.write(self.engine.clock.now(), entry)?)
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            machine: self.engine.platform.inspect(),
            folders: &self.frozen.folders,
            history: &self.progress.history,
        }
    }

    fn failed(&mut self, step: &Step, failure: Failure) -> Result<EngineError, EngineError> {
        self.write(Entry::Failed { step: step.id.clone(), why: failure.to_string() })?;
        let nothing_lost = !self.progress.uninstalling;
        self.call_off_outage(true)?;
        Ok(EngineError::Step { step: step.id.clone(), failure, nothing_lost })
    }

    /// As long as nothing has been uninstalled, an outage that has begun is worth nothing later: the services may have
    /// written since. Its steps are done anew; `restart` has the services run again until then.
    fn call_off_outage(&mut self, restart: bool) -> Result<(), EngineError> {
        let outage = self.frozen.steps.iter().filter(|step| step.outage).map(|step| &step.id);
        let steps: Vec<String> = outage.filter(|id| self.progress.begun.contains(id)).cloned().collect();
        if self.progress.uninstalling || steps.is_empty() {
            return Ok(());
        }
        if restart {
            let stopped = self.journal.records().iter().rev().filter_map(|record| match &record.entry {
                Entry::OpStarted { op: op @ Op::Service { .. }, before, .. } => Some((op.clone(), before.clone())),
                _ => None,
            });
            for (op, before) in stopped.collect::<Vec<_>>() {
                for undo in undo::undo(&op, &before, &self.frozen.folders, &self.frozen.folders.log("call-off")) {
                    self.watcher.event(&Event::Note { text: undo.to_string() });
                    self.engine.platform.perform(&undo, &mut |_| {})?;
                }
            }
        }
        self.write(Entry::Reset { steps })
    }

    fn step(&mut self, step: &Step) -> Result<Flow, EngineError> {
        if let Some(reason) = &step.skip {
            return self.step_done(step, format!("skipped: {reason}"));
        }
        let kind = step.work.kind();
        if self.progress.current.is_none() {
            match kind.probe(&self.scene())? {
                Probe::Done => return self.step_done(step, "already so".to_owned()),
                Probe::Blocked(why) => return Err(Failure::new(format!("begin {}", step.id), why).into()),
                Probe::Needed(_) => self.write(Entry::StepStarted { step: step.id.clone() })?,
            }
        }
        let ops = kind.operations(&self.scene())?;
        let ops = ops.ok_or_else(|| Failure::new(format!("begin {}", step.id), "what it needs is not there yet"))?;
        let first = self.progress.current.as_ref().map_or(0, |(_, done)| *done);
        for (index, op) in ops.iter().enumerate().skip(first) {
            if self.operator.wants_to_stop() {
                return Ok(Flow::Stop(End::Stopped));
            }
            if let Flow::Stop(end) = self.operation(step, index, op)? {
                return Ok(Flow::Stop(end));
            }
        }
        if !kind.is_taken_on_trust()
            && let Probe::Needed(why) | Probe::Blocked(why) = kind.probe(&self.scene())?
        {
            return Err(Failure::new(format!("verify {}", step.id), why).into());
        }
        self.step_done(step, "done".to_owned())
    }

    fn step_done(&mut self, step: &Step, how: String) -> Result<Flow, EngineError> {
        self.write(Entry::StepDone { step: step.id.clone(), how: how.clone() })?;
        self.watcher.event(&Event::StepDone { step: step.id.clone(), how });
        Ok(Flow::Next)
    }

    fn operation(&mut self, step: &Step, index: usize, op: &Op) -> Result<Flow, EngineError> {
        // A program that is run twice may do things twice: where it was interrupted, its result is looked at first.
        let looks_first =
            self.progress.in_doubt && step.work.kind().installs().is_some() && matches!(op, Op::Run { .. });
        if looks_first && step.work.kind().probe(&self.scene())? == Probe::Done {
            return self.op_done(step, index, Outcome::default());
        }
        let name = format!("{}-{}", step.id, index + 1);
        let before = undo::before(self.engine.platform, &self.frozen.folders, op, &name)?;
        self.write(Entry::OpStarted { step: step.id.clone(), index, op: op.clone(), before })?;
        if let Op::Ask { gate } = op {
            return match self.ask(step, gate)? {
                Some(by) => {
                    self.write(Entry::Answered { gate: gate.id.clone(), by: by.clone() })?;
                    self.watcher.event(&Event::Answered { gate: gate.id.clone(), by });
                    self.op_done(step, index, Outcome::default())
                }
                None if self.operator.wants_to_stop() => Ok(Flow::Stop(End::Stopped)),
                None => Ok(Flow::Stop(End::Waiting(gate.clone()))),
            };
        }
        self.watcher.event(&Event::Operation { step: step.id.clone(), text: op.to_string() });
        let watcher = &mut *self.watcher;
        let mut bytes = 0;
        let outcome = self.engine.platform.perform(op, &mut |progress| match progress {
            platform::Progress::Bytes(more) => {
                bytes += more;
                watcher.event(&Event::Bytes { done: bytes });
            }
            platform::Progress::Says(text) => watcher.event(&Event::Note { text }),
        })?;
        for text in &outcome.notes {
            self.watcher.event(&Event::Note { text: text.clone() });
        }
        self.op_done(step, index, outcome)
    }

    fn op_done(&mut self, step: &Step, index: usize, outcome: Outcome) -> Result<Flow, EngineError> {
        self.write(Entry::OpDone { step: step.id.clone(), index, outcome })?;
        Ok(Flow::Next)
    }

    /// Waits for a sign that the gate is passed, then asks. Who says so; `None` where it will be done later.
    fn ask(&mut self, step: &Step, gate: &Gate) -> Result<Option<String>, EngineError> {
        let kind = step.work.kind();
        let seen = |probe: &Probe| *probe == Probe::Done;
        let mut left = gate.watch.unwrap_or_default();
        let mut probe = kind.probe(&self.scene())?;
        while !seen(&probe) && !left.is_zero() && !self.operator.wants_to_stop() {
            self.engine.clock.wait(WATCH_EVERY.min(left));
            left = left.saturating_sub(WATCH_EVERY);
            probe = kind.probe(&self.scene())?;
        }
        if seen(&probe) {
            return Ok(Some("seen on the machine".to_owned()));
        }
        self.watcher.event(&Event::Gate { gate: gate.clone() });
        loop {
            let still = match probe {
                Probe::Done => String::new(),
                Probe::Needed(why) => why,
                Probe::Blocked(why) => return Err(Failure::new(format!("pass the gate {}", gate.id), why).into()),
            };
            match self.operator.at_gate(gate, &still) {
                Answer::Later => return Ok(None),
                Answer::Done { by } if kind.is_taken_on_trust() => return Ok(Some(by)),
                Answer::Done { by } => {
                    probe = kind.probe(&self.scene())?;
                    if seen(&probe) {
                        return Ok(Some(by));
                    }
                }
            }
        }
    }
}
