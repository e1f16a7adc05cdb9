//! Problems for rehearsals and tests: installers, programs and services that fail, hang, or return too early. They come
//! from whoever writes them into machine.toml; the rule of Windows is that a second installation has to wait
//! (learn.microsoft.com, "MsiExec.exe and InstMsi.exe Error Messages", 1618).
//!
//! ```toml
//! [[trouble]]
//! with = "MultiFactorAuthenticationUserPortalSetup64.msi"
//! code = 1618
//! times = 2
//! ```

use super::Simulated;
use super::installer::{Code, Stop};
use crate::package::Package;
use crate::platform::installer_code::{self, Meaning};
use crate::platform::op::{INSTALLER_LIMIT, Op, SERVICE_LIMIT};
use crate::platform::{Failure, Outcome, Process, Progress};
use crate::winpath::WinPath;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A problem with the next attempts at something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Trouble {
    /// The file name of a package or program, the name or code of a product, or the name of a service.
    pub with: String,
    /// Only this action; any action if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// Its exit code: one of success comes after the work, any other one instead of it.
    #[serde(default)]
    pub code: i32,
    /// How many times this happens.
    #[serde(default = "once")]
    pub times: u32,
    /// How long it takes, by the clock of the machine, such as `90m`.
    #[serde(default)]
    pub takes: SignedDuration,
    /// When the work is done.
    #[serde(default)]
    pub works: Works,
    /// The program exits immediately, and the work continues without it.
    #[serde(default)]
    pub returns_early: bool,
    /// Files to replace at the next restart of Windows.
    #[serde(default)]
    pub leaves: Vec<String>,
}

/// An action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// A package is installed.
    Install,
    /// A product is uninstalled.
    Uninstall,
    /// A program runs.
    Run,
    /// A service starts.
    Start,
    /// A service stops.
    Stop,
}

/// When a long operation does its work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Works {
    /// At the end of its time.
    #[default]
    AtTheEnd,
    /// At the start of its time.
    AtTheBeginning,
    /// Not at all.
    Never,
}

/// A program that is still running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Running {
    /// The process.
    #[serde(flatten)]
    pub process: Process,
    /// When it ends.
    pub ends: Timestamp,
    /// Whether Windows Installer is busy because of it.
    pub installs: bool,
    /// What it does at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Op>,
}

fn once() -> u32 {
    1
}

impl Trouble {
    fn takes(&self) -> Duration {
        Duration::try_from(self.takes).unwrap_or_default()
    }
}

impl Simulated {
    /// Installs, uninstalls or runs, with the configured problems.
    pub(super) fn perform_troubled(&self, op: &Op, watch: &mut dyn FnMut(Progress)) -> Result<Outcome, Failure> {
        let (limit, log) = match op {
            Op::Run { timeout, log, .. } => (*timeout, log),
            Op::Install { log, .. } | Op::Uninstall { log, .. } => (INSTALLER_LIMIT, log),
            _ => return self.work(op, watch),
        };
        let busy = self.what_runs(None)?.filter(|_| !matches!(op, Op::Run { .. }));
        if let Some(other) = busy {
            return self.ends_with(op, installer_code::BUSY, &format!("{other} is still running"), log);
        }
        if self.locked().troubles.is_empty() {
            return self.work(op, watch);
        }
        let (when, names) = self.names(op);
        let Some(trouble) = self.take_trouble(when, &names)? else { return self.work(op, watch) };
        let takes = trouble.takes();
        let success = installer_code::success(trouble.code);
        let fails = success.is_none();
        let does = |works| trouble.works == works && !(fails && works == Works::AtTheEnd);
        if trouble.returns_early {
            self.runs_on(op, takes, does(Works::AtTheEnd))?;
            return Ok(Outcome::default());
        }
        let mut outcome = Outcome::default();
        if does(Works::AtTheBeginning) {
            outcome = self.work(op, watch)?;
        }
        self.clock.wait(takes.min(limit));
        if takes > limit {
            let process = self.runs_on(op, takes.saturating_sub(limit), does(Works::AtTheEnd))?;
            return Err(Failure::still_running(op, process, limit));
        }
        if does(Works::AtTheEnd) {
            outcome = self.work(op, watch)?;
        }
        self.leave(&trouble.leaves)?;
        match success {
            Some(Outcome { reboot: false, .. }) => Ok(outcome),
            Some(success) => Ok(success),
            None => self.ends_with(op, trouble.code, "as specified in machine.toml", log),
        }
    }

    /// A problem with a service: why it does not start or stop. It may just be slow.
    pub(super) fn trouble_with_service(&self, name: &str, when: When) -> Result<Option<String>, Failure> {
        let Some(trouble) = self.take_trouble(when, &[name.to_owned()])? else { return Ok(None) };
        self.clock.wait(trouble.takes().min(SERVICE_LIMIT));
        Ok(match trouble.code {
            _ if trouble.takes() > SERVICE_LIMIT => {
                Some(format!("timed out after {} min", SERVICE_LIMIT.as_secs() / 60))
            }
            0 => None,
            code => Some(format!("error {code}")),
        })
    }

    /// Ends the programs whose time is over. Their last actions are ignored.
    pub(super) fn let_time_pass(&self) -> Result<(), Failure> {
        let now = self.clock.now();
        loop {
            let over = self.locked().processes.iter().find(|running| running.ends <= now).cloned();
            let Some(over) = over else { return Ok(()) };
            if let Some(op) = &over.work {
                let _ = self.work(op, &mut |_| ());
            }
            self.change(|facts| facts.processes.retain(|running| running.process != over.process))?;
        }
    }

    /// What is still running, in words.
    pub(super) fn what_runs(&self, given_up: Option<&Process>) -> Result<Option<String>, Failure> {
        self.let_time_pass()?;
        let facts = self.locked();
        let given_up = facts.processes.iter().find(|running| Some(&running.process) == given_up);
        let found = given_up.or_else(|| facts.processes.iter().find(|running| running.installs));
        Ok(found.map(|running| format!("PID {} ({})", running.process.id, running.process.program)))
    }

    fn work(&self, op: &Op, watch: &mut dyn FnMut(Progress)) -> Result<Outcome, Failure> {
        match op {
            Op::Install { package, properties, log } => self.install(package, properties, log, watch),
            Op::Uninstall { code, log, way_back, .. } => self.uninstall(op, code, way_back.as_ref(), log, watch),
            Op::Run { program, arguments, log, .. } => self.run_logged(program, arguments, log, watch),
            _ => Err(Failure::new(op, "only the operator can do that")),
        }
    }

    /// The action, and the names that a problem can specify for it.
    fn names(&self, op: &Op) -> (When, Vec<String>) {
        match op {
            Op::Install { package, .. } => {
                let mut names = vec![package.name().to_owned()];
                if let Ok(opened) = self.disk.open(package)
                    && let Ok(opened) = Package::open(opened, package.as_str())
                {
                    names.extend([opened.info().product_name.clone(), opened.info().product_code.clone()]);
                }
                (When::Install, names)
            }
            Op::Uninstall { code, name, .. } => {
                let known = self.locked().product(code).map(|product| product.name.clone());
                (When::Uninstall, [code.to_string(), name.clone()].into_iter().chain(known).collect())
            }
            Op::Run { program, .. } => (When::Run, vec![program.name().to_owned()]),
            _ => (When::Run, Vec::new()),
        }
    }

    fn take_trouble(&self, when: When, names: &[String]) -> Result<Option<Trouble>, Failure> {
        let concerns = |trouble: &Trouble| {
            trouble.times > 0
                && trouble.when.is_none_or(|only| only == when)
                && names.iter().any(|name| name.eq_ignore_ascii_case(&trouble.with))
        };
        let mut taken = None;
        self.change(|facts| {
            if let Some(at) = facts.troubles.iter().position(concerns) {
                facts.troubles[at].times -= 1;
                taken = Some(facts.troubles[at].clone());
                facts.troubles.retain(|trouble| trouble.times > 0);
            }
        })?;
        Ok(taken)
    }

    fn runs_on(&self, op: &Op, for_time: Duration, works: bool) -> Result<Process, Failure> {
        let started = self.clock.now();
        let mut process = Process { id: 4242, program: op.to_string(), started };
        self.change(|facts| {
            while facts.processes.iter().any(|running| running.process.id == process.id) {
                process.id += 4;
            }
            facts.processes.push(Running {
                process: process.clone(),
                ends: started.saturating_add(for_time).unwrap_or(Timestamp::MAX),
                installs: !matches!(op, Op::Run { .. }),
                work: works.then(|| op.clone()),
            });
        })?;
        Ok(process)
    }

    fn leave(&self, files: &[String]) -> Result<(), Failure> {
        self.change(|facts| {
            let pending = &mut facts.system.pending_renames;
            pending.extend(files.iter().filter(|file| !pending.contains(file)).cloned().collect::<Vec<_>>());
        })
    }

    fn ends_with(&self, op: &Op, code: i32, why: &str, log: &WinPath) -> Result<Outcome, Failure> {
        if let Op::Run { .. } = op {
            return Err(installer_code::failure(op, "it", code, why, log));
        }
        self.logged(&op.to_string(), log, |log| {
            if matches!(installer_code::meaning(code), Meaning::Failed | Meaning::FailedUntilRestart) {
                log.begin("InstallFinalize");
            }
            Err(Stop::Code(Code::Other(code), why.to_owned()))
        })
    }
}
