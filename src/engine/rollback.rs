//! Put everything back, from any point of a run and after it.

use super::journal::{Entry, Frozen, Journal, Record};
use super::runs::Found;
use super::{End, Engine, EngineError, Event, Watcher, undo};
use crate::plan::Component;
use crate::platform::disk;
use crate::platform::facts::ServiceState;
use crate::platform::op::Op;
use crate::platform::{Doing, Failure};
use crate::step::Step;
use crate::survey::{packages, products};
use crate::winpath::WinPath;

impl Engine<'_> {
    /// Rolls a run back, or goes on with a rollback that was interrupted. The caller holds the lock.
    pub fn rollback(&self, found: &Found, watcher: &mut dyn Watcher) -> Result<End, EngineError> {
        let mut journal = Journal::open(self.platform.disk(), &found.journal)?;
        let begun = journal.records().iter().rposition(|record| matches!(record.entry, Entry::RollbackStarted { .. }));
        if begun.is_none() {
            let ops = self.way_back(&found.frozen, journal.records())?;
            journal.write(self.clock.now(), Entry::RollbackStarted { ops })?;
        }
        let begun = begun.unwrap_or(journal.records().len() - 1);
        let Entry::RollbackStarted { ops } = journal.records()[begun].entry.clone() else {
            return Err(Failure::new("roll back", "the journal names no rollback").into());
        };
        let done =
            journal.records()[begun..].iter().filter(|record| matches!(record.entry, Entry::Undone { .. })).count();
        let of = ops.len();
        let notes = if done > 0 { vec![format!("{done} of {of} operations were done before")] } else { Vec::new() };
        watcher.event(&Event::Started { run: found.frozen.folders.id.clone(), steps: of, notes });
        for (index, op) in ops.iter().enumerate().skip(done) {
            watcher.event(&Event::Undo { number: index + 1, of, text: op.to_string() });
            self.platform.perform(op, &mut |_| {}).map_err(|failure| EngineError::Rollback {
                failure,
                done: index,
                of,
            })?;
            journal.write(self.clock.now(), Entry::Undone { index })?;
        }
        journal.write(self.clock.now(), Entry::RolledBack)?;
        Ok(End::RolledBack)
    }

    /// The operations of a rollback: what is there now is backed up first, then every operation is undone, the last one
    /// first. Services start at the very end: a running agent holds open what is put back.
    fn way_back(&self, frozen: &Frozen, records: &[Record]) -> Result<Vec<Op>, EngineError> {
        let log = frozen.folders.log("rollback");
        let mut ops = Vec::new();
        for (number, record) in records.iter().enumerate().rev() {
            let Entry::OpStarted { step, index, op, before } = &record.entry else { continue };
            let installs =
                frozen.steps.iter().find(|found| found.id == *step).and_then(|step| step.work.kind().installs());
            let ending = records[number..].iter().find_map(|later| match &later.entry {
                Entry::OpDone { step: of, index: at, .. } if of == step && at == index => Some(true),
                Entry::Failed { step: of, .. } if of == step => Some(false),
                _ => None,
            });
            // A backup that was not completed is none, and making it changed nothing.
            if ending != Some(true) && matches!(op, Op::BackUp { .. } | Op::ExportKey { .. }) {
                continue;
            }
            // An installation that was cut off is completed before it is undone: only Windows Installer knows the half.
            if ending.is_none() && matches!(op, Op::Install { .. } | Op::Uninstall { .. }) {
                ops.push(op.clone());
            }
            match (op, installs) {
                (Op::Install { package, .. }, _) => ops.extend(self.uninstall_package(package, &log)?),
                (Op::Run { .. } | Op::Ask { .. }, Some(component)) => {
                    ops.extend(self.uninstall_new(frozen, component, &log)?)
                }
                _ => ops.extend(undo::undo(op, before, &frozen.folders, &log)),
            }
        }
        let (last, mut ops): (Vec<Op>, Vec<Op>) =
            ops.into_iter().partition(|op| matches!(op, Op::Service { state: ServiceState::Running, .. }));
        ops.extend(last);
        let mut all = self.save_present(frozen)?;
        all.extend(ops);
        Ok(all)
    }

    /// What users have changed since the run stays to be had: the present data and web folders.
    fn save_present(&self, frozen: &Frozen) -> Result<Vec<Op>, EngineError> {
        let place = frozen.folders.backup.child("before-rollback");
        let mut ops = Vec::new();
        let web = frozen.steps.iter().filter_map(Step::web_folder);
        let data = frozen.survey.install.iter().map(|install| ("data".to_owned(), install.data()));
        for (name, folder) in data.chain(web.map(|(component, folder)| (component.key().to_owned(), folder.clone()))) {
            if disk::exists(self.platform.files(), &folder).doing(format!("look for {folder}"))? {
                ops.push(Op::BackUp { from: folder, to: place.child(&name), except: Vec::new() });
            }
        }
        Ok(ops)
    }

    fn uninstall_package(&self, package: &WinPath, log: &WinPath) -> Result<Option<Op>, EngineError> {
        let Some(found) = packages::open(self.platform.inspect(), package)? else { return Ok(None) };
        let info = found.info();
        Ok(Some(Op::Uninstall {
            code: info.product_code.clone(),
            name: info.product_name.clone(),
            log: log.clone(),
            way_back: None,
        }))
    }

    /// Whatever the setup installed: the products of the component that were not there when the run began.
    fn uninstall_new(&self, frozen: &Frozen, component: Component, log: &WinPath) -> Result<Vec<Op>, EngineError> {
        let old = frozen.survey.components.get(&component);
        let was_there = |code: &str| {
            old.is_some_and(|found| found.products.iter().any(|product| product.code.eq_ignore_ascii_case(code)))
        };
        let now = products::of(self.platform.inspect(), component)?;
        let new = now.into_iter().filter(|product| !was_there(&product.code));
        Ok(new
            .map(|product| Op::Uninstall {
                name: product.title(),
                code: product.code,
                log: log.clone(),
                way_back: None,
            })
            .collect())
    }
}
