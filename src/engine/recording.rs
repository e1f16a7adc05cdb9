//! What the journal records only for the report of a run.

use super::perform::{self, Watch};
use super::run::Running;
use super::{Check, End, Engine, EngineError};
use crate::journal::{Entry, UsedInstaller};
use crate::platform::disk;
use crate::platform::op::{Gate, Op};
use crate::platform::{Context, Failure, FailureKind, Manifest, Outcome, Size, installer_log, manifest_of};
use crate::step::{self, Checked, Probe, Step, StepId, Work};
use crate::survey::{packages, products};

const MANIFEST_LIMIT: u64 = 256 << 20;

impl Running<'_> {
    /// Records what became of the old settings, if the step has written a web.config.
    pub(super) fn note_settings(&mut self, step: &Step) -> Result<(), EngineError> {
        let Work::ConfigureWeb(configure) = &step.work else { return Ok(()) };
        // The settings are in place, so a failure here does not matter.
        match configure.settings_report(&self.context()) {
            Ok(Some(report)) => self.write(Entry::Merged { step: step.id.clone(), account: Box::new(report) }),
            Ok(None) | Err(_) => Ok(()),
        }
    }

    /// Probes a step, and records its individual checks, passed or not.
    pub(super) fn look(&mut self, step: &Step) -> Result<Probe, EngineError> {
        let kind = step.work.kind();
        let checks = match &step.work {
            Work::Verify(_) => self.verified()?,
            _ => kind.checks(&self.context())?,
        };
        if checks.is_empty() {
            return Ok(kind.probe(&self.context())?);
        }
        let probe = Probe::of(&checks);
        self.write(Entry::Checked { step: step.id.clone(), checks })?;
        Ok(probe)
    }

    fn verified(&self) -> Result<Vec<Checked>, EngineError> {
        let operator = &*self.operator;
        let watch = Watch { progress: &mut |_| {}, stop: &|| operator.wants_to_stop() };
        let checks = self.engine.machine_checks(self.frozen, self.state(), &watch)?;
        Ok(checks.into_iter().map(|Check { what, fault, .. }| Checked { what, fault }).collect())
    }

    /// Name and version of the product that a step has installed, from the machine; `None` if unknown, since the step
    /// is done anyway.
    pub(super) fn new_product(&self, step: &Step) -> Option<String> {
        let component = step.work.kind().installs()?;
        let before = self.frozen.survey.components.get(&component).map_or(&[][..], |found| &found.products);
        let mut found = products::of(self.engine.platform.inspect(), component).ok()?;
        found.retain(|product| !before.iter().any(|old| old.code.eq_ignore_ascii_case(&product.code)));
        let titles: Vec<String> = found.iter().map(products::Product::title).collect();
        (!titles.is_empty()).then(|| titles.join(", "))
    }

    /// The present state of the file that an operation installs from, or that its gate asks the operator to run.
    pub(super) fn used_installer(&self, step: &Step, op: &Op) -> Option<UsedInstaller> {
        step.work.kind().installs()?;
        let (run, lines) = match op {
            Op::Ask { gate } => (gate.by_hand.as_deref()?, Some(&gate.instructions)),
            op => (op, None),
        };
        let (Op::Install { package: file, .. } | Op::Run { program: file, .. }) = run else { return None };
        // Without a file in the gate, it is unknown which one is run.
        if lines.is_some_and(|lines| !lines.iter().any(|line| line.contains(file.as_str()))) {
            return None;
        }
        let machine = self.engine.platform.inspect();
        let product = match run {
            Op::Install { .. } => packages::open(machine, file).ok().flatten().map(|package| {
                let info = package.info();
                format!("{} {}", info.product_name, info.product_version)
            }),
            _ => {
                machine.program_version(file).ok().flatten().map(|found| format!("{} {}", found.product, found.version))
            }
        };
        Some(UsedInstaller {
            file: file.clone(),
            size: machine.files().entry(file).ok()??.len,
            sha256: disk::hash(machine.files(), file).ok()?,
            signature: machine.signature(file).ok(),
            product,
        })
    }

    /// Records that work pauses. Nothing depends on that record.
    pub(super) fn note_pause(&mut self, end: &End) {
        let entry = match end {
            End::Waiting(gate) => Entry::Waiting { gate: Gate { by_hand: None, ..gate.clone() } },
            End::Stopped => Entry::Stopped,
            End::Faults { .. } | End::Restart { .. } | End::Done { .. } | End::RolledBack => return,
        };
        self.write(entry).ok();
    }

    /// The last record of a run.
    pub(super) fn note_end(&mut self) -> Result<(), EngineError> {
        let data = self.engine.data_file(self.frozen)?;
        // What fails here can be computed later; the run is done anyway.
        let by_hand = step::follow_ups(&self.frozen.steps, &self.context()).ok();
        self.write(Entry::Finished { data, by_hand })
    }
}

impl Engine<'_> {
    /// The record of a command that starts to work on a run.
    pub(super) fn session(&self, command: &str) -> Entry {
        // An unknown account does not matter.
        let user = self.platform.system().ok().and_then(|system| system.account);
        Entry::Session { command: command.to_owned(), user, utc_offset: self.platform.utc_offset() }
    }

    /// The record of a failure; `op` is the failed operation.
    pub(super) fn failure_noted(&self, step: &StepId, failure: &Failure, op: Option<&Op>) -> Entry {
        let (step, why, next) = (step.clone(), failure.to_string(), failure.next.clone());
        match &failure.kind {
            FailureKind::StillRunning(process) => {
                Entry::OutcomeUnknown { step, process: (**process).clone(), why, next }
            }
            _ => Entry::Failed {
                step,
                why,
                next,
                log: op.map_or_else(Vec::new, |op| self.keep_log(op)),
                changed_nothing: op.is_some_and(|op| self.is_untouched(op, failure)),
                restart: perform::waits_for_restart(failure),
            },
        }
    }

    /// Whether the product that an operation uninstalls is unchanged, because its uninstaller ended before it changed
    /// anything.
    pub(super) fn is_untouched(&self, op: &Op, failure: &Failure) -> bool {
        let Op::Uninstall { code, .. } = op else { return false };
        perform::changed_nothing(failure) && products::is_installed(self.platform.inspect(), code).unwrap_or(false)
    }

    /// The outcome of an operation, completed with data from the files that it has written.
    pub(super) fn completed(&self, op: &Op, outcome: Outcome) -> Result<Outcome, EngineError> {
        let (sha256, size) = self.of_backup(op)?;
        Ok(Outcome { sha256, size, log: self.keep_log(op), ..outcome })
    }

    /// The hash and the size of a backup: the journal records them, so that any change is detected.
    fn of_backup(&self, op: &Op) -> Result<(Option<String>, Option<Size>), EngineError> {
        let file = match op {
            Op::BackUp { to, .. } => manifest_of(to),
            Op::ExportKey { to, .. } => to.clone(),
            _ => return Ok((None, None)),
        };
        let bytes = disk::read(self.platform.files(), &file, MANIFEST_LIMIT).context(format!("read {file}"))?;
        let size = match op {
            Op::BackUp { .. } => serde_json::from_slice(&bytes).ok().map(|manifest: Manifest| manifest.size()),
            _ => Some(Size { files: 1, bytes: bytes.len() as u64 }),
        };
        Ok((Some(disk::hash_bytes(&bytes)), size))
    }

    /// Masks the log of an installer that has ended, if the operation has one, and returns its key lines.
    fn keep_log(&self, op: &Op) -> Vec<String> {
        let (Op::Install { log, .. } | Op::Uninstall { log, .. } | Op::Run { log, .. }) = op else { return Vec::new() };
        let bytes = installer_log::read(self.platform.files(), log).unwrap_or_default();
        let mut lines = installer_log::key_lines(&bytes);
        if let Err(error) = installer_log::mask(self.platform.disk(), log) {
            lines.push(format!("(credentials in {log} could not be masked: {error})"));
        }
        lines
    }
}
