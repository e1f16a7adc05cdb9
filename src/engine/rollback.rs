//! Roll back from any point of a run, or after it.

use super::compare::{self, Differences};
use super::event::tell;
use super::perform::{self, Watch};
use super::{End, Engine, EngineError, Event, Watcher, undo};
use crate::journal::{Entry, Frozen, OpenRun, Operation, RecordedRun, Rollback, RunState, Standing, Undo};
use crate::names::ProductCode;
use crate::platform::disk;
use crate::platform::facts::ServiceState;
use crate::platform::op::Op;
use crate::platform::{Context, Failure, FailureKind, Monitor, verify_backup};
use crate::step::{Kept, Source, Step, StepId};
use crate::survey::{products, program_of, survey};
use crate::winpath::WinPath;
use std::cell::RefCell;

/// Whether an installer has started a restart of Windows.
struct Restarting(bool);

impl Engine<'_> {
    /// Rolls back a run, or resumes an interrupted rollback. The caller holds the lock.
    ///
    /// Every backup is verified first. If it is stopped before that is done, the run can still be resumed: the journal
    /// records a rollback right before its first change.
    pub fn rollback(&self, found: &RecordedRun, watcher: &mut dyn Watcher) -> Result<End, EngineError> {
        if found.standing() == Standing::RolledBack {
            let run = found.frozen.folders.id.clone();
            return Err(EngineError::NotNow { run, why: "has already been rolled back" });
        }
        let mut run = OpenRun::open(self.platform.disk(), found)?;
        self.tidy_runs();
        if !self.waited_for_what_runs(&run.state, watcher)? {
            return Ok(End::Stopped);
        }
        if self.restart_is_underway(&run.state) {
            return Ok(End::Restart { files: Vec::new() });
        }
        let is_continued = run.state.rollback.is_some();
        // What fails or stops here is not recorded.
        let entry = match is_continued {
            true => Entry::RollbackContinued,
            false => {
                let read = |watch: Watch<'_>| self.way_back(&found.frozen, &run.state, &watch);
                match self.watched(watcher, read) {
                    Err(EngineError::Failure(failure)) if failure.kind == FailureKind::Stopped => {
                        return Ok(End::Stopped);
                    }
                    undos => Entry::RollbackStarted { undos: undos? },
                }
            }
        };
        if watcher.wants_to_stop() {
            return Ok(End::Stopped);
        }
        run.write(self.clock.now(), self.session("rollback"))?;
        run.write(self.clock.now(), entry)?;
        let rollback = run.state.rollback.as_ref().ok_or_else(|| Failure::new("roll back", "there is no rollback"))?;
        let (undos, done) = (rollback.undos.clone(), rollback.done());
        let of = undos.len();
        if is_continued {
            let place = format!("before-rollback-{}", run.records());
            match self.save_again(&found.frozen, &undos[done..], &place, watcher) {
                Ok(()) => {}
                Err(failure) if failure.kind == FailureKind::Stopped => return Ok(self.stopped(&mut run)),
                Err(failure) => return Err(self.not_done(&mut run, failure, done, of)),
            }
        }
        let notes = if done > 0 { vec![format!("at operation {}/{of}", done + 1)] } else { Vec::new() };
        watcher.event(&Event::Started { run: found.frozen.folders.id.clone(), steps: of, notes });
        if let Some(end) = self.undo_all(&found.frozen, &mut run, &undos, is_continued, watcher)? {
            return Ok(end);
        }
        let not_restored = self.check_state_before(&found.frozen, watcher);
        let not_restored = not_restored.map_err(|failure| self.not_done(&mut run, failure, of, of))?;
        run.write(self.clock.now(), Entry::RolledBack { not_restored })?;
        Ok(End::RolledBack)
    }

    /// Carries out the rest of a rollback. Returns how work ended if it is not complete.
    fn undo_all(
        &self,
        frozen: &Frozen,
        run: &mut OpenRun,
        undos: &[Undo],
        is_continued: bool,
        watcher: &mut dyn Watcher,
    ) -> Result<Option<End>, EngineError> {
        let of = undos.len();
        let done = run.state.rollback.as_ref().map_or(0, Rollback::done);
        let log = frozen.folders.log("rollback");
        for (index, undo) in undos.iter().enumerate().skip(done) {
            // This was checked at the start of the rollback.
            if (is_continued || index > 0) && watcher.wants_to_stop() {
                return Ok(Some(self.stopped(run)));
            }
            let files = self
                .restart_before_undo(frozen, &undos[index..])
                .map_err(|failure| self.not_done(run, failure, index, of))?;
            if !files.is_empty() {
                return Ok(Some(self.restarts(run, files)?));
            }
            watcher.event(&Event::Undo { number: index + 1, of, text: undo.to_string() });
            match self.undo(undo, &log, watcher) {
                Ok(Restarting(false)) => {}
                // It is repeated after the restart: another product of it may be left.
                Ok(Restarting(true)) => return Ok(Some(self.restarts(run, Vec::new())?)),
                Err(failure) if failure.kind == FailureKind::Stopped => return Ok(Some(self.stopped(run))),
                Err(failure) => return Err(self.not_done(run, failure, index, of)),
            }
            run.write(self.clock.now(), Entry::Undone { index })?;
        }
        Ok(None)
    }

    /// What ran in the meantime may have written data, which is saved as well before it is overwritten. If only
    /// services are left to start, nothing is stopped.
    fn save_again(
        &self,
        frozen: &Frozen,
        left: &[Undo],
        place: &str,
        watcher: &mut dyn Watcher,
    ) -> Result<(), Failure> {
        if left.iter().all(|undo| matches!(undo, Undo::Do { op: Op::Service { .. } })) {
            return Ok(());
        }
        self.stop_and_save(frozen, place)?.iter().try_for_each(|op| self.told(op, false, watcher).map(|_| ()))
    }

    /// Records why the rollback failed. A failure to record must not hide the original error.
    fn not_done(&self, run: &mut OpenRun, failure: Failure, done: usize, of: usize) -> EngineError {
        let noted = run.write(self.clock.now(), self.failure_noted(&StepId::rollback(), &failure, None));
        match noted {
            Err(error) if matches!(failure.kind, FailureKind::StillRunning(_)) => error.into(),
            _ => EngineError::Rollback { failure, done, of },
        }
    }

    /// Pauses for a restart of Windows.
    fn restarts(&self, run: &mut OpenRun, files: Vec<String>) -> Result<End, EngineError> {
        run.write(self.clock.now(), Entry::RestartNeeded { files: files.clone() })?;
        Ok(End::Restart { files })
    }

    /// Records that the operator has stopped the rollback. Nothing depends on that record.
    fn stopped(&self, run: &mut OpenRun) -> End {
        run.write(self.clock.now(), Entry::Stopped).ok();
        End::Stopped
    }

    /// Waits for what an earlier attempt has left running. Returns false if the operator wants to stop.
    fn waited_for_what_runs(&self, state: &RunState, watcher: &mut dyn Watcher) -> Result<bool, EngineError> {
        let given_up = state.given_up.as_ref().map(|(_, process)| process);
        self.watched(watcher, |watch| self.wait_for_what_runs(given_up, watch))
            .map_err(|failure| EngineError::Rollback { failure, done: 0, of: 0 })
    }

    /// Runs long work that the watcher can follow and stop.
    fn watched<T>(&self, watcher: &mut dyn Watcher, work: impl FnOnce(Watch<'_>) -> T) -> T {
        let watcher = RefCell::new(watcher);
        work(Watch { progress: &mut tell(&mut Shared(&watcher)), stop: &|| watcher.borrow().wants_to_stop() })
    }

    fn undo(&self, undo: &Undo, log: &WinPath, watcher: &mut dyn Watcher) -> Result<Restarting, Failure> {
        match undo {
            Undo::Do { op } => self.told(op, false, watcher),
            Undo::Complete { op } => match self.told(op, false, watcher) {
                Err(failure) if matches!(failure.kind, FailureKind::StillRunning(_)) => Err(failure),
                Err(failure) if perform::waits_for_restart(&failure) => Err(failure),
                Err(failure) => {
                    watcher.event(&Event::Note { text: format!("left incomplete: {failure}") });
                    Ok(Restarting(false))
                }
                told => told,
            },
            Undo::RemoveNew { component, was } => {
                for product in products::of(self.platform.inspect(), *component)? {
                    if was.contains(&product.code) {
                        continue;
                    }
                    let (name, code) = (product.title(), product.code);
                    let op = Op::Uninstall { code, name, log: log.clone(), way_back: None };
                    watcher.event(&Event::Note { text: op.to_string() });
                    if let Restarting(true) = self.told(&op, true, watcher)? {
                        return Ok(Restarting(true));
                    }
                }
                Ok(Restarting(false))
            }
        }
    }

    /// Performs an operation and forwards its progress.
    fn told(&self, op: &Op, installs: bool, watcher: &mut dyn Watcher) -> Result<Restarting, Failure> {
        let outcome = self.watched(watcher, |watch| self.carry_out(op, installs, watch))?;
        outcome.notes.into_iter().for_each(|text| watcher.event(&Event::Note { text }));
        Ok(Restarting(outcome.restarting))
    }

    /// Returns the parts of a rollback after verifying every backup that it needs. Nothing is changed yet, and `watch`
    /// may stop the verification.
    pub(super) fn way_back(
        &self,
        frozen: &Frozen,
        state: &RunState,
        watch: &dyn Monitor,
    ) -> Result<Vec<Undo>, EngineError> {
        self.check_way_back(state)?;
        self.check_backups(&state.history.backups, watch)?;
        let undos = self.undos(frozen, state)?;
        for undo in &undos {
            if let Undo::Do { op: Op::Restore { from, .. } } = undo {
                verify_backup(self.platform.files(), from, watch)?;
            }
        }
        Ok(undos)
    }

    /// Returns the parts of a rollback without verifying backups: the present state is backed up first, then every
    /// operation is undone, in reverse order. Services start last, because a running agent holds its files open.
    pub fn undos(&self, frozen: &Frozen, state: &RunState) -> Result<Vec<Undo>, EngineError> {
        let mut undos = Vec::new();
        for (number, operation) in state.operations.iter().enumerate().rev() {
            // An uninstall that is repeated after an interruption names the backup that counts.
            let is_again = |later: &Operation| later.step == operation.step && later.index == operation.index;
            let is_uninstall = matches!(operation.op, Op::Uninstall { .. });
            if !(is_uninstall && state.operations[number + 1..].iter().any(is_again)) {
                undos.extend(undos_of(frozen, state, operation));
            }
        }
        if state.uninstalled.is_empty() {
            // Only services and decrypted copies have been changed, so backups do not matter.
            undos.retain(|undo| matches!(undo, Undo::Do { op: Op::Service { .. } | Op::Remove { .. } }));
            return Ok(without_needless(undos));
        }
        let starts = |undo: &Undo| matches!(undo, Undo::Do { op: Op::Service { state: ServiceState::Running, .. } });
        let (last, undos): (Vec<Undo>, Vec<Undo>) = undos.into_iter().partition(starts);
        let undos = without_needless(undos);
        let first = self.save_present(frozen, &undos)?.into_iter().map(|op| Undo::Do { op });
        Ok(first.chain(undos).chain(last).collect())
    }

    /// Fails if an uninstalled product has no package: removing the new version as well would help nobody.
    fn check_way_back(&self, state: &RunState) -> Result<(), EngineError> {
        for operation in &state.operations {
            if let Op::Uninstall { code, name, way_back: None, .. } = &operation.op
                && !products::is_installed(self.platform.inspect(), code)?
            {
                return Err(EngineError::NoWayBack(name.clone()));
            }
        }
        Ok(())
    }

    /// Verifies all backups before anything is removed.
    fn check_backups(&self, backups: &[Kept], watch: &dyn Monitor) -> Result<(), EngineError> {
        Ok(backups.iter().try_for_each(|kept| self.check_backup(kept, watch))?)
    }

    /// Saves everything that a rollback overwrites, moves or removes: it may have changed since the run.
    fn save_present(&self, frozen: &Frozen, undos: &[Undo]) -> Result<Vec<Op>, EngineError> {
        let mut ops = self.stop_and_save(frozen, "before-rollback")?;
        let decrypted = frozen.folders.decrypted();
        let touched = undos.iter().filter_map(|undo| match undo {
            // Decrypted copies must not be kept.
            Undo::Do { op: Op::Remove { path } } if path.is_within(&decrypted) => None,
            Undo::Do { op: Op::Restore { to, except, .. } } => Some((to, except.clone())),
            Undo::Do { op: Op::Move { from: path, .. } | Op::Remove { path } } => Some((path, Vec::new())),
            _ => None,
        });
        let mut touched: Vec<(&WinPath, Vec<WinPath>)> = touched.collect();
        touched.sort_by_key(|(path, _)| path.as_str().len());
        let mut saved: Vec<(&WinPath, Vec<WinPath>)> = Vec::new();
        if let Some(install) = &frozen.survey.install {
            touched.retain(|(path, _)| **path != install.data());
        }
        for (path, except) in touched {
            let is_in = |(outer, left_out): &(&WinPath, Vec<WinPath>)| {
                path.is_within(outer) && !left_out.iter().any(|left_out| path.is_within(left_out))
            };
            let is_there = disk::exists(self.platform.files(), path).context(format!("look for {path}"))?;
            if is_there && !saved.iter().any(is_in) {
                let to = frozen.folders.backup.child("before-rollback").child(&format!(
                    "{}-{}",
                    saved.len() + 1,
                    path.name()
                ));
                ops.push(Op::BackUp { from: path.clone(), to, except: except.clone() });
                saved.push((path, except));
            }
        }
        Ok(ops)
    }

    /// Stops the services below InstallPath, which keep the data file open, and saves the present data.
    fn stop_and_save(&self, frozen: &Frozen, place: &str) -> Result<Vec<Op>, Failure> {
        // If the run does not replace the agent, neither does its rollback.
        let (Some(_), Some(install)) = (frozen.agent(), &frozen.survey.install) else { return Ok(Vec::new()) };
        let services = self.platform.services()?;
        let running = services.iter().filter(|service| service.state == ServiceState::Running);
        let is_ours = |program: WinPath| program.is_within(&install.folder);
        let ours = running.filter(|service| program_of(self.platform.inspect(), service).is_some_and(is_ours));
        let mut ops: Vec<Op> = ours.map(|service| Op::stop(&service.name)).collect();
        let data = install.data();
        if disk::exists(self.platform.files(), &data).context(format!("look for {data}"))? {
            let to = frozen.folders.backup.child(place).child("data");
            ops.push(Op::BackUp { from: data, to, except: Vec::new() });
        }
        Ok(ops)
    }

    /// Checks that the machine has the state before the run. Returns what a rollback cannot restore.
    fn check_state_before(&self, frozen: &Frozen, watcher: &mut dyn Watcher) -> Result<Vec<String>, Failure> {
        let differences = self.differences_to_before(frozen)?;
        for text in &differences.not_restored {
            watcher.event(&Event::Note { text: format!("not restored: {text}") });
        }
        match differences.faults.as_slice() {
            [] => Ok(differences.not_restored),
            faults => Err(Failure::new("restore the state before the run", faults.join("; ")).next("fix this by hand")),
        }
    }

    /// How the machine differs from the state before the run.
    pub(super) fn differences_to_before(&self, frozen: &Frozen) -> Result<Differences, Failure> {
        let now = survey(self.platform.inspect())?;
        let old_codes: Vec<ProductCode> = frozen.steps.iter().filter_map(Step::uninstalls).cloned().collect();
        let mut differences = compare::compare(&frozen.survey, &old_codes, &now);
        for code in &old_codes {
            if !products::is_installed(self.platform.inspect(), code)? {
                differences.faults.push(format!("product {code} is missing"));
            }
        }
        Ok(differences)
    }
}

/// A watcher that is also queried for stop requests.
struct Shared<'a, 'b>(&'a RefCell<&'b mut dyn Watcher>);

impl Watcher for Shared<'_, '_> {
    fn event(&mut self, event: &Event) {
        self.0.borrow_mut().event(event);
    }
}

/// Drops what would be restored only to be removed with its folder later, and what would be removed twice.
fn without_needless(undos: Vec<Undo>) -> Vec<Undo> {
    let goes_later = |at: usize, path: &WinPath| {
        undos[at + 1..].iter().any(|later| match later {
            Undo::Do { op: Op::Remove { path: folder } } => path.is_within(folder),
            _ => false,
        })
    };
    let needed = |at: usize, undo: &Undo| match undo {
        Undo::Do { op: Op::Restore { to, .. } } => !goes_later(at, to),
        Undo::Do { op: Op::Remove { .. } } => !undos[at + 1..].contains(undo),
        // A gate may be recorded twice, but was passed once.
        Undo::RemoveNew { .. } => undos.get(at + 1) != Some(undo),
        _ => true,
    };
    let needed: Vec<bool> = undos.iter().enumerate().map(|(at, undo)| needed(at, undo)).collect();
    undos.into_iter().zip(needed).filter_map(|(undo, needed)| needed.then_some(undo)).collect()
}

/// Returns what undoes an operation.
fn undos_of(frozen: &Frozen, state: &RunState, operation: &Operation) -> Vec<Undo> {
    let Operation { step, op, before, .. } = operation;
    let in_doubt = operation.is_in_doubt();
    let counts = |what: Source, to: &WinPath| state.history.latest(&what) == Some(to);
    let one = |op: Op| vec![Undo::Do { op }];
    match op {
        Op::BackUp { from, to, except } if counts(Source::Path(from.clone()), to) => {
            one(Op::Restore { from: to.clone(), to: from.clone(), except: except.clone() })
        }
        Op::ExportKey { view, key, to } if counts(Source::Key(key.clone()), to) => {
            one(Op::ImportKey { view: *view, key: key.clone(), from: to.clone() })
        }
        Op::BackUp { .. } | Op::ExportKey { .. } => Vec::new(),
        Op::Install { .. } | Op::Run { .. } | Op::Ask { .. } => {
            let step = frozen.steps.iter().find(|found| found.id == *step);
            let Some(component) = step.and_then(|step| step.work.kind().installs()) else { return Vec::new() };
            let products = frozen.survey.components.get(&component).map(|found| found.products.as_slice());
            let was = products.unwrap_or_default().iter().map(|product| product.code.clone()).collect();
            // Only Windows Installer can complete an interrupted installation.
            let half = (in_doubt && matches!(op, Op::Install { .. })).then(|| Undo::Complete { op: op.clone() });
            half.into_iter().chain([Undo::RemoveNew { component, was }]).collect()
        }
        _ => {
            let half = (in_doubt && matches!(op, Op::Uninstall { .. })).then(|| Undo::Complete { op: op.clone() });
            let undos = undo::undo(op, before, &frozen.folders.log("rollback"));
            half.into_iter().chain(undos.into_iter().map(|op| Undo::Do { op })).collect()
        }
    }
}
