//! Carry out a frozen procedure, from its first step or from where it was interrupted.

use super::event::tell;
use super::gate::by_hand;
use super::operator::Operator;
use super::perform::{self, Watch};
use super::runs::JOURNAL;
use super::{End, Engine, EngineError, Event, Watcher, undo};
use crate::journal::{Entry, Frozen, JournalError, OpenRun, RecordedRun, RunState, Standing};
use crate::names::ProductCode;
use crate::package::Package;
use crate::plan::Component;
use crate::platform::op::{Gate, Op};
use crate::platform::{Context, Failure, FailureKind, Outcome, disk, installer_code};
use crate::step::{Memo, Probe, Step, StepContext, StepId, Work};
use crate::winpath::WinPath;

/// A run in progress.
pub(super) struct Running<'a> {
    pub(super) engine: &'a Engine<'a>,
    pub(super) frozen: &'a Frozen,
    pub(super) run: OpenRun,
    pub(super) operator: &'a mut dyn Operator,
    pub(super) watcher: &'a mut dyn Watcher,
    /// The cache of the current step.
    pub(super) memo: Memo,
}

/// What to do about the faults of an upgraded machine.
const FIX_FAULTS: &str = "fix the failed checks";

/// Whether a step was completed.
pub(super) enum Flow {
    Next,
    Stop(End),
}

impl Engine<'_> {
    /// Starts a run: records its input, and carries it out. The caller holds the lock.
    pub fn run(
        &self,
        frozen: &Frozen,
        operator: &mut dyn Operator,
        watcher: &mut dyn Watcher,
    ) -> Result<End, EngineError> {
        let disk = self.platform.disk();
        self.tidy_runs();
        let unusable = |failure: Failure| {
            let next = "check that the drive has free space and that you have write access to it; nothing was changed";
            EngineError::State(failure.next(next))
        };
        for folder in [&frozen.folders.run, &frozen.folders.backup] {
            disk::create_private(disk, folder)
                .context(format!("create the private folder {folder}"))
                .map_err(unusable)?;
        }
        let logs = frozen.folders.run.child("logs");
        disk::create_folders(disk, &logs).context(format!("create the folder {logs}")).map_err(unusable)?;
        let run = OpenRun::begin(disk, &frozen.folders.run.child(JOURNAL), self.clock.now(), frozen);
        let run = run.map_err(|error| match error {
            JournalError::Failure(failure) => unusable(failure),
            error => error.into(),
        })?;
        let mut running = Running { engine: self, frozen, run, operator, watcher, memo: Memo::default() };
        running.write(self.session("run"))?;
        running.all_steps(Vec::new())
    }

    /// Resumes a run from its frozen procedure. The caller holds the lock.
    pub fn resume(
        &self,
        found: &RecordedRun,
        operator: &mut dyn Operator,
        watcher: &mut dyn Watcher,
    ) -> Result<End, EngineError> {
        let refuse = |why| Err(EngineError::NotNow { run: found.frozen.folders.id.clone(), why });
        match found.standing() {
            Standing::Unfinished => {}
            Standing::Finished => return refuse("is already finished"),
            Standing::RollingBack => return refuse("is being rolled back; finish that with `pfupgrade rollback`"),
            Standing::RolledBack => return refuse("has been rolled back; start a new one with `pfupgrade run`"),
        }
        let run = OpenRun::open(self.platform.disk(), found)?;
        let mut running =
            Running { engine: self, frozen: &found.frozen, run, operator, watcher, memo: Memo::default() };
        if !running.waited_for_what_runs()? {
            return Ok(End::Stopped);
        }
        let note = running.state().where_it_stands();
        running.write(self.session("resume"))?;
        let anew = running.begin_anew()?;
        running.all_steps(anew.or(note).into_iter().collect())
    }
}

impl Running<'_> {
    fn all_steps(mut self, notes: Vec<String>) -> Result<End, EngineError> {
        let steps = self.frozen.steps.len();
        self.watcher.event(&Event::Started { run: self.frozen.folders.id.clone(), steps, notes });
        // A component that needs a manual step must not delay the others, so the operator is asked last.
        for ask in [false, true] {
            if let Some(end) = self.pass(ask)? {
                // Windows ends the services in a moment, and starts them again afterwards.
                if !self.engine.restart_is_underway(self.state()) {
                    self.call_off_outage();
                }
                self.note_pause(&end);
                return Ok(end);
            }
        }
        self.note_end()?;
        Ok(End::Done { reboot: self.restart_is_requested() })
    }

    /// Goes through the steps once. Returns how work ended if not everything could be done; `None` also if `ask` is
    /// false and something was postponed.
    fn pass(&mut self, ask: bool) -> Result<Option<End>, EngineError> {
        let mut waiting: Vec<(Component, Option<Gate>)> = Vec::new();
        for (number, step) in self.frozen.steps.iter().enumerate() {
            self.memo = Memo::default();
            let is_held = |held: Component| waiting.iter().any(|(component, _)| *component == held);
            match step.component {
                _ if self.state().is_over(&step.id) => continue,
                Some(component) if is_held(component) => continue,
                None if !waiting.is_empty() => break,
                Some(component) if !ask && self.is_put_off(step) => {
                    waiting.push((component, None));
                    continue;
                }
                _ => {}
            }
            if let Some(files) = self.restart_comes_first()? {
                return Ok(Some(self.pause_for_restart(files)?));
            }
            // Checked before the step is reported, so that it does not look started.
            if self.operator.wants_to_stop() {
                return Ok(Some(End::Stopped));
            }
            let (title, id) = (step.work.kind().title(), step.id.clone());
            self.watcher.event(&Event::Step { number: number + 1, step: id, title });
            match (self.step(step).map_err(|error| self.failed(step, error))?, step.component) {
                (Flow::Next, _) => {}
                (Flow::Stop(End::Waiting(gate)), Some(component)) => waiting.push((component, Some(gate))),
                (Flow::Stop(end), _) => return Ok(Some(end)),
            }
        }
        Ok(waiting.into_iter().find_map(|(_, gate)| gate).map(End::Waiting))
    }

    /// Whether a step must wait for a manual step, and everything else is done first.
    fn is_put_off(&self, step: &Step) -> bool {
        let kind = step.work.kind();
        let is_left = || !kind.probe(&self.context()).is_ok_and(|probe| probe == Probe::Done);
        (kind.can_be_put_off() && is_left()) || self.to_decide(step).is_ok_and(|gate| gate.is_some())
    }

    pub(super) fn write(&mut self, entry: Entry) -> Result<(), EngineError> {
        Ok(self.run.write(self.engine.clock.now(), entry)?)
    }

    pub(super) fn state(&self) -> &RunState {
        &self.run.state
    }

    pub(super) fn context(&self) -> StepContext<'_> {
        StepContext {
            machine: self.engine.platform.inspect(),
            folders: &self.frozen.folders,
            history: &self.state().history,
            memo: &self.memo,
        }
    }

    /// Ends the run with an error. The error is recorded if possible, and the services are started again if nothing has
    /// been uninstalled; neither may hide the original error.
    fn failed(&mut self, step: &Step, error: EngineError) -> EngineError {
        let error = match error {
            EngineError::Journal(JournalError::Failure(failure)) => EngineError::Failure(failure),
            error => error,
        };
        let noted = self.note(step, &error);
        let not_started = self.call_off_outage();
        let nothing_lost = self.state().uninstalled.is_empty() && not_started.is_empty();
        let error = match error {
            EngineError::Failure(failure) if !not_started.is_empty() => {
                let why = format!("{}; nothing was uninstalled, but {}", failure.why, not_started.join(", and "));
                EngineError::Failure(Failure { why, ..failure })
            }
            error => error,
        };
        match (error, noted) {
            (EngineError::Failure(failure), Ok(())) => {
                EngineError::Step { step: step.id.clone(), failure, nothing_lost }
            }
            (EngineError::Failure(failure), Err(_)) => {
                let why = format!("{}; this could not be recorded in the journal either", failure.why);
                EngineError::Step { step: step.id.clone(), failure: Failure { why, ..failure }, nothing_lost }
            }
            (error, _) => error,
        }
    }

    /// Records why a step failed.
    fn note(&mut self, step: &Step, error: &EngineError) -> Result<(), EngineError> {
        let (step, why) = (step.id.clone(), error.to_string());
        let EngineError::Failure(failure) = error else {
            return self.write(Entry::Failed {
                step,
                why,
                next: String::new(),
                log: Vec::new(),
                changed_nothing: false,
                restart: false,
            });
        };
        let op = self.state().operating().map(|operation| &operation.op);
        let noted = self.engine.failure_noted(&step, failure, op);
        self.write(noted)
    }

    /// Ends an outage early while nothing has been uninstalled: starts the services again, as far as possible. Returns
    /// why services could not be started.
    fn call_off_outage(&mut self) -> Vec<String> {
        let mut failed = Vec::new();
        // In a journal of format 1 a failure alone ends the outage, whatever the state of the services.
        let is_outage = self.state().is_outage() || self.frozen.format == 1;
        if !self.state().uninstalled.is_empty() || !is_outage {
            return failed;
        }
        let log = self.frozen.folders.log("call-off");
        let stopped =
            self.state().operations.iter().rev().filter(|operation| matches!(operation.op, Op::Service { .. }));
        for operation in stopped.cloned().collect::<Vec<_>>() {
            let mut undos = undo::undo(&operation.op, &operation.before, &log);
            undos.retain(|undo| !self.is_so(undo));
            for undo in undos {
                let done = self.engine.platform.perform(&undo, &mut |_| {});
                let text = done.as_ref().map_or_else(ToString::to_string, |_| undo.to_string());
                if let Err(failure) = &done {
                    failed.push(failure.to_string());
                }
                self.watcher.event(&Event::Note { text });
            }
        }
        // If this cannot be recorded, the outage counts as ongoing.
        self.write(Entry::CalledOff { failed: failed.clone() }).ok();
        failed
    }

    /// Whether a service already has the state that an operation sets.
    fn is_so(&self, op: &Op) -> bool {
        let Op::Service { name, state, .. } = op else { return false };
        let found = undo::service(self.engine.platform.inspect(), name);
        found.is_ok_and(|service| service.is_some_and(|service| service.state == *state))
    }

    /// Records which steps are repeated. Returns a note about it, if there are any.
    fn begin_anew(&mut self) -> Result<Option<String>, EngineError> {
        let steps = self.engine.anew(self.frozen, self.state())?;
        if steps.is_empty() {
            return Ok(None);
        }
        self.write(Entry::Reset { steps })?;
        Ok(Some(match self.state().uninstalled.is_empty() {
            true => "from the first step, since nothing has been uninstalled".to_owned(),
            false => "by backing up the data again, since the agent has run in the meantime".to_owned(),
        }))
    }

    /// Waits for what an earlier attempt has left running. Returns false if the operator wants to stop.
    fn waited_for_what_runs(&mut self) -> Result<bool, EngineError> {
        let step = self.state().steps.iter().find(|step| step.in_doubt && step.how.is_none());
        let Some(step) = step.map(|step| step.id.clone()) else { return Ok(true) };
        let nothing_lost = self.state().uninstalled.is_empty() && !self.state().is_outage();
        let given_up = self.run.state.given_up.as_ref().map(|(_, process)| process);
        let (operator, watcher) = (&*self.operator, &mut *self.watcher);
        let watch = Watch { progress: &mut tell(watcher), stop: &|| operator.wants_to_stop() };
        let failed = |failure| EngineError::Step { step, failure, nothing_lost };
        self.engine.wait_for_what_runs(given_up, watch).map_err(failed)
    }

    fn step(&mut self, step: &Step) -> Result<Flow, EngineError> {
        let kind = step.work.kind();
        if !self.has_begun(&step.id) {
            let probe = match self.look(step) {
                Err(EngineError::Failure(failure)) if failure.kind == FailureKind::Stopped => {
                    return Ok(Flow::Stop(End::Stopped));
                }
                probe => probe?,
            };
            match probe {
                Probe::Done => return self.step_done(step, kind.words_when_done()),
                Probe::Blocked(why) if matches!(step.work, Work::Verify(_)) => return self.not_verified(step, why),
                Probe::Blocked(why) => return Err(Failure::new(format!("begin {}", step.id), why).into()),
                Probe::Needed(_) => self.write(Entry::StepStarted { step: step.id.clone() })?,
            }
        }
        if let Flow::Stop(end) = self.decided(step)? {
            return Ok(Flow::Stop(end));
        }
        let mut ops = self.operations(step)?;
        if self.is_to_be_repeated(step, ops.len())? {
            self.write(Entry::StepStarted { step: step.id.clone() })?;
        }
        let mut index = self.state().step(&step.id).map_or(0, |step| step.done);
        while let Some(op) = ops.get(index) {
            if self.operator.wants_to_stop() {
                return Ok(Flow::Stop(End::Stopped));
            }
            if let Flow::Stop(end) = self.operation(step, index, op)? {
                return Ok(Flow::Stop(end));
            }
            if matches!(op, Op::Ask { .. }) {
                // The operator may have chosen what the next operations need.
                ops = self.operations(step)?;
            }
            index += 1;
        }
        if !kind.is_taken_on_trust()
            && let Probe::Needed(why) | Probe::Blocked(why) = self.look(step)?
        {
            return Err(Failure::new(format!("verify {}", step.id), why).into());
        }
        self.note_settings(step)?;
        self.step_done(step, "done")
    }

    /// The new version has faults. A requested restart of Windows may be the reason, so it comes first.
    fn not_verified(&mut self, step: &Step, why: String) -> Result<Flow, EngineError> {
        if self.restart_is_requested() {
            return Ok(Flow::Stop(self.pause_for_restart(Vec::new())?));
        }
        let checks = self.state().checks.iter().flat_map(|checks| &checks.all);
        let faults = checks.filter_map(|check| Some(format!("{}: {}", check.what, check.fault.as_ref()?))).collect();
        self.write(Entry::Failed {
            step: step.id.clone(),
            why,
            next: FIX_FAULTS.to_owned(),
            log: Vec::new(),
            changed_nothing: false,
            restart: false,
        })?;
        Ok(Flow::Stop(End::Faults { faults }))
    }

    fn operations(&self, step: &Step) -> Result<Vec<Op>, EngineError> {
        let ops = step.work.kind().operations(&self.context())?;
        Ok(ops.ok_or_else(|| Failure::new(format!("begin {}", step.id), "its prerequisites are not met yet"))?)
    }

    /// Whether all operations of a step are done but the step is not: something undid them, or they had no effect.
    /// Operations are goals, so they can be repeated.
    fn is_to_be_repeated(&self, step: &Step, ops: usize) -> Result<bool, EngineError> {
        let kind = step.work.kind();
        let all_done = ops > 0 && self.state().step(&step.id).is_some_and(|step| step.done >= ops);
        Ok(all_done && !kind.is_taken_on_trust() && matches!(kind.probe(&self.context())?, Probe::Needed(_)))
    }

    fn step_done(&mut self, step: &Step, how: &str) -> Result<Flow, EngineError> {
        let product = self.new_product(step);
        self.write(Entry::StepDone { step: step.id.clone(), how: how.to_owned(), product })?;
        self.watcher.event(&Event::StepDone { step: step.id.clone(), how: how.to_owned() });
        Ok(Flow::Next)
    }

    fn operation(&mut self, step: &Step, index: usize, op: &Op) -> Result<Flow, EngineError> {
        // Running a program twice may have side effects: after an interruption, its result is checked first.
        let in_doubt = self.state().step(&step.id).is_some_and(|step| step.in_doubt);
        let looks_first = in_doubt && step.work.kind().installs().is_some() && matches!(op, Op::Run { .. });
        if looks_first && step.work.kind().probe(&self.context())? == Probe::Done {
            return self.op_done(step, index, Outcome { reboot: self.restart_is_due()?, ..Outcome::default() });
        }
        if in_doubt && matches!(op, Op::Run { .. }) && step.work.kind().installs().is_none() && self.was_given_up(step)
        {
            let text = format!("{op}: it has ended in the meantime, with an unknown result; it is not run again");
            self.watcher.event(&Event::Note { text: text.clone() });
            return self.op_done(step, index, Outcome { notes: vec![text], ..Outcome::default() });
        }
        let name = format!("{}-{}", step.id, index + 1);
        // Reported first, because recording the state before may take long.
        if !matches!(op, Op::Ask { .. }) {
            self.watcher.event(&Event::Operation { step: step.id.clone(), text: op.to_string() });
        }
        let operator = &*self.operator;
        let mut watch = Watch { progress: &mut |_| {}, stop: &|| operator.wants_to_stop() };
        let before = match undo::before(self.engine.platform, &self.frozen.folders, op, &name, &mut watch) {
            Err(failure) if failure.kind == FailureKind::Stopped => return Ok(Flow::Stop(End::Stopped)),
            before => before?,
        };
        let installer = self.used_installer(step, op).map(Box::new);
        self.write(Entry::OpStarted { step: step.id.clone(), index, op: op.clone(), before, installer })?;
        if let Op::Ask { gate } = op {
            return self.at_gate(step, index, gate);
        }
        let installs = step.work.kind().installs().is_some();
        let outcome = match (self.carry_out(op, installs), op) {
            (Err(failure), _) if perform::is_busy(&failure) && self.operator.wants_to_stop() => {
                if self.engine.is_untouched(op, &failure) {
                    self.write(Entry::ChangedNothing { step: step.id.clone() })?;
                }
                return Ok(Flow::Stop(End::Stopped));
            }
            (Err(failure), _) if failure.kind == FailureKind::Stopped => return Ok(Flow::Stop(End::Stopped)),
            (Err(failure), _) if failure.kind == FailureKind::NeedsPerson => {
                return self.at_gate(step, index, &by_hand(step, op, &failure));
            }
            (Err(failure), Op::Install { package, log, .. })
                if in_doubt && failure.kind == FailureKind::Ended(installer_code::FATAL) =>
            {
                self.install_anew(op, package, log, failure)?
            }
            (outcome, _) => outcome?,
        };
        let outcome = self.engine.completed(op, outcome)?;
        for text in &outcome.notes {
            self.watcher.event(&Event::Note { text: text.clone() });
        }
        let restarting = outcome.restarting;
        self.op_done(step, index, outcome)?;
        Ok(if restarting { Flow::Stop(self.pause_for_restart(Vec::new())?) } else { Flow::Next })
    }

    fn carry_out(&mut self, op: &Op, installs: bool) -> Result<Outcome, Failure> {
        let (operator, watcher) = (&*self.operator, &mut *self.watcher);
        let watch = Watch { progress: &mut tell(watcher), stop: &|| operator.wants_to_stop() };
        self.engine.carry_out(op, installs, watch)
    }

    /// An interrupted installation that the same command cannot finish is removed and repeated. A product that was
    /// installed before the run is kept.
    fn install_anew(&mut self, op: &Op, path: &WinPath, log: &WinPath, failure: Failure) -> Result<Outcome, Failure> {
        let file = self.engine.platform.files().open(path).ok();
        let Some(package) = file.and_then(|file| Package::open(file, path.as_str()).ok()) else { return Err(failure) };
        let (code, name) = (ProductCode::from(&*package.info().product_code), package.info().product_name.clone());
        drop(package);
        let mut before = self.frozen.survey.components.values().flat_map(|found| &found.products);
        if before.any(|product| product.code == code) {
            return Err(failure);
        }
        let text = format!("{failure}; it was interrupted before, so it is removed and installed again");
        self.watcher.event(&Event::Note { text });
        let removed = self.carry_out(&Op::Uninstall { code, name, log: log.clone(), way_back: None }, true)?;
        // After the restart, the step sees that the product is not installed, and is repeated.
        if removed.restarting { Ok(removed) } else { self.carry_out(op, true) }
    }

    fn has_begun(&self, step: &StepId) -> bool {
        self.state().step(step).is_some_and(|step| step.is_begun)
    }

    fn was_given_up(&self, step: &Step) -> bool {
        self.state().given_up.as_ref().is_some_and(|(of, _)| *of == step.id)
    }

    pub(super) fn op_done(&mut self, step: &Step, index: usize, outcome: Outcome) -> Result<Flow, EngineError> {
        self.write(Entry::OpDone { step: step.id.clone(), index, outcome })?;
        Ok(Flow::Next)
    }
}
