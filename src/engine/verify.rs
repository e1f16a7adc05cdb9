//! Verifies a run afterwards: its backups, and the upgraded machine.

use super::perform::Watch;
use super::upgrade_checks::check;
use super::{Engine, EngineError};
use crate::journal::{Frozen, RecordedRun, RunState, Standing};
use crate::platform::disk;
use crate::platform::{Context, Failure, FailureKind, Monitor, manifest_of, verify_backup};
use crate::step::{Kept, Memo, Probe, Source, Step, StepContext, Uninstall, Work};
use serde::Serialize;

/// The maximum size of manifests and exported keys.
const BACKUP_TEXT_LIMIT: u64 = 256 << 20;

/// A check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked.
    pub what: String,
    /// What is wrong; `None` if the check passed.
    pub fault: Option<String>,
    /// Whether it is the check of a backup.
    pub backup: bool,
}

impl Engine<'_> {
    /// Verifies every backup of a run, and checks the machine if the run has come to its verify step, or was rolled
    /// back. Nothing is changed; `each` receives every check when it is done. Returns `None` if `wants_to_stop` has
    /// ended that.
    pub fn verify(
        &self,
        found: &RecordedRun,
        each: &mut dyn FnMut(&Check),
        wants_to_stop: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<Check>>, EngineError> {
        let watch = Watch { progress: &mut |_| {}, stop: wants_to_stop };
        match self.checks(found, each, &watch) {
            Err(EngineError::Failure(failure)) if failure.kind == FailureKind::Stopped => Ok(None),
            checks => checks.map(Some),
        }
    }

    fn checks(
        &self,
        found: &RecordedRun,
        each: &mut dyn FnMut(&Check),
        watch: &dyn Monitor,
    ) -> Result<Vec<Check>, EngineError> {
        let history = &found.state.history;
        let mut all = Vec::new();
        let mut note = |check: Check| {
            each(&check);
            all.push(check);
        };
        for kept in &history.backups {
            let of = match &kept.what {
                Source::Path(path) => path.to_string(),
                Source::Key(key) => format!("the registry key {key}"),
            };
            let what = format!("backup of {of}");
            let fault = match self.check_backup(kept, watch) {
                Err(failure) if failure.kind == FailureKind::Stopped => return Err(failure.into()),
                checked => checked.err().map(|failure| failure.to_string()),
            };
            note(Check { what, fault, backup: true });
        }
        if found.is_checkable() {
            self.machine_checks(&found.frozen, &found.state, watch)?.into_iter().for_each(note);
        } else if found.standing() == Standing::RolledBack {
            let faults = self.differences_to_before(&found.frozen)?.faults;
            let what = "products, web applications, services and InstallPath are as before the run".to_owned();
            note(check(what, (!faults.is_empty()).then(|| faults.join("; "))));
        }
        Ok(all)
    }

    /// Every check of the upgraded machine: the verify step of a run makes them, and so does `verify`. `watch` may stop
    /// that.
    pub(super) fn machine_checks(
        &self,
        frozen: &Frozen,
        state: &RunState,
        watch: &dyn Monitor,
    ) -> Result<Vec<Check>, EngineError> {
        let machine = self.platform.inspect();
        let history = &state.history;
        let memo = Memo::default();
        let context = StepContext { machine, folders: &frozen.folders, history, memo: &memo };
        let mut all = Vec::new();
        for step in frozen.steps.iter().filter(|step| step.work.lasts() && step.skip.is_none()) {
            watch.go_on().context("verify the run")?;
            let kind = step.work.kind();
            let checks = kind.checks(&context)?;
            if !checks.is_empty() {
                all.extend(checks.into_iter().map(|checked| check(checked.what, checked.fault)));
            } else if !is_replaced(step, frozen) {
                let fault = match kind.probe(&context)? {
                    Probe::Done => None,
                    Probe::Needed(why) | Probe::Blocked(why) => Some(why),
                };
                all.push(check(format!("{}: {}", step.id, kind.title()), fault));
            }
        }
        all.extend(self.upgraded(frozen, state, watch)?);
        Ok(all)
    }

    /// Verifies a backup against the journal.
    pub(super) fn check_backup(&self, kept: &Kept, watch: &dyn Monitor) -> Result<(), Failure> {
        let file = match &kept.what {
            Source::Path(_) => manifest_of(&kept.to),
            Source::Key(_) => kept.to.clone(),
        };
        let damaged = |why: String| {
            Failure::new(format!("read the backup {file}"), why)
                .next("find out what changed this file, and restore a good copy; nothing has been rolled back")
                .of_kind(FailureKind::DamagedBackup)
        };
        let content = disk::read(self.platform.files(), &file, BACKUP_TEXT_LIMIT);
        let found = disk::hash_bytes(&content.map_err(|error| damaged(error.to_string()))?);
        if kept.sha256.as_ref().is_some_and(|written| *written != found) {
            return Err(damaged(format!("its content has changed: its SHA-256 is {found}")));
        }
        if let Source::Path(_) = kept.what {
            verify_backup(self.platform.files(), &kept.to, watch)?;
        }
        Ok(())
    }
}

/// Whether a new application is served from the folder that an uninstall leaves empty: it has kept the old name.
fn is_replaced(step: &Step, frozen: &Frozen) -> bool {
    let Work::Uninstall(Uninstall { folder: Some(folder), .. }) = &step.work else { return false };
    frozen.steps.iter().any(|other| matches!(&other.work, Work::InstallWeb(install) if install.folder == *folder))
}
