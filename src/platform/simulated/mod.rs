//! A simulated Windows server: its files are real files, its packages real Windows Installer packages.
//!
//! A machine is a disk with a `machine.toml` beside its drives, which has everything besides files: registry, services,
//! the data of Windows Installer. IIS has its `applicationHost.config`, as in Windows. All changes are written
//! immediately, so a machine can be closed and reopened at any moment. It stands for Windows: each rule names the
//! documented behavior that it stands for, most of them at the head of their file. Only programs are fake: an `.exe` on
//! a simulated machine is a small text file that defines what it does when it is run (`action`) and when its service
//! starts (`on-start`):
//!
//! ```toml
//! simulated-program = 1
//! product = "Multi-Factor Authentication Server"     # the content of its version resource
//! version = "7.3.0.3"
//!
//! [[action]]
//! do = "install-package"                             # also copy, append-log, upgrade-data, require-data, exit,
//! package = 'data\server.msi'                        # set-runtime, need-restart, write-registry,
//!                                                    # protect-section
//! ```

mod answers;
pub mod appcmd;
pub mod demo;
mod facts;
mod iis;
mod installer;
mod owner;
mod programs;
mod protect;
mod registry;
mod rehearsal;
mod services;
#[cfg(test)]
mod tests;
mod trouble;
mod xml;

pub use facts::{
    FORMAT, Installed, MachineFacts, OwnApplication, Scripted, ScriptedResponse, Signed, Stage, Sweep, Task,
};
pub(crate) use programs::needs;
pub use registry::Registry;
pub use rehearsal::{FailAt, FailKind, ROLLBACK, Rehearsal};
pub use trouble::{Running, Trouble, When, Works};

use super::Response;
use super::clock::Clock;
use super::disk::{self, Disk, ReadDisk};
use super::facts::{Application, ProgramVersion, Service, Signature, System, WebServer};
use super::iis as commands;
use super::op::Op;
use super::own::{self, AtStart, Notice};
use super::registry::{self as export, Key, View};
use super::{
    Context, Failure, FailureKind, Inspect, Monitor, Outcome, Platform, Process, Progress, files, installer_code,
};
use crate::winpath::WinPath;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The event log, beside `machine.toml`: one entry per line. As on a real server, a rollback removes nothing from it.
const EVENT_LOG: &str = "event-log.txt";

/// A simulated server.
pub struct Simulated {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    facts: Mutex<MachineFacts>,
    known_iis: Mutex<iis::Known>,
}

impl Simulated {
    /// Opens the machine on `disk`.
    pub fn open(disk: Arc<dyn Disk>, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let facts = Self::load(&*disk)?;
        Ok(Self::with(disk, clock, facts))
    }

    fn with(disk: Arc<dyn Disk>, clock: Arc<dyn Clock>, facts: MachineFacts) -> Self {
        Self { disk, clock, facts: Mutex::new(facts), known_iis: Mutex::default() }
    }

    /// Reads the facts of a machine. An older one, with IIS in its machine.toml, is converted.
    fn load(disk: &dyn Disk) -> Result<MachineFacts, Failure> {
        let facts = MachineFacts::read(disk)?;
        if facts.web_server.is_none() {
            return Ok(facts);
        }
        let facts = facts.with_iis_in_place(disk)?;
        facts.write(disk)?;
        Ok(facts)
    }

    /// Creates a machine on `disk`, which may already have files but no machine.
    pub fn create(disk: Arc<dyn Disk>, clock: Arc<dyn Clock>, facts: MachineFacts) -> Result<Self, Failure> {
        let doing = "create a simulated machine";
        if disk::exists(disk.as_read(), &facts::path()).context(doing)? {
            return Err(Failure::new(doing, "it already exists").next("choose another folder"));
        }
        let facts = facts.with_iis_in_place(&*disk)?;
        facts.write(&*disk)?;
        Ok(Self::with(disk, clock, facts))
    }

    /// Reads the facts again: another process may have changed them before this one took the lock, and may have ended
    /// before they were durable.
    pub fn refresh(&self) -> Result<(), Failure> {
        let iis = iis::config_file(&self.locked())?;
        for file in [facts::path(), iis] {
            // A killed process may leave a temporary file.
            let left = disk::beside(&file);
            if disk::exists(self.disk.as_read(), &left).context("look for an incomplete file")? {
                self.disk.remove_file(&left).context("remove an incomplete file")?;
            }
            if disk::exists(self.disk.as_read(), &file).context("lock the simulated machine")? {
                disk::sync_parent(&*self.disk, &file).context("lock the simulated machine")?;
            }
        }
        *self.locked() = Self::load(&*self.disk)?;
        Ok(())
    }

    /// The present facts of the machine.
    pub fn facts(&self) -> MachineFacts {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, MachineFacts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the facts, on disk first. If writing fails, what the file says then is so: it may have been replaced
    /// before the failure, and nothing may be remembered that a program started anew would not find.
    fn try_change(&self, change: impl FnOnce(&mut MachineFacts) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut facts = self.locked();
        let mut changed = facts.clone();
        change(&mut changed)?;
        let changed = changed.with_iis_in_place(&*self.disk)?;
        if changed != *facts {
            let written = changed.write(&*self.disk);
            match written.is_ok() {
                true => *facts = changed,
                false => *facts = MachineFacts::read(&*self.disk).unwrap_or_else(|_| facts.clone()),
            }
            return written;
        }
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut MachineFacts)) -> Result<(), Failure> {
        self.try_change(|facts| {
            change(facts);
            Ok(())
        })
    }

    fn export_key(&self, view: View, key: &str, to: &WinPath) -> Result<(), Failure> {
        export::export(self, &*self.disk, view, key, to)
    }

    fn import_key(&self, view: View, key: &str, from: &WinPath) -> Result<(), Failure> {
        let tree = export::exported(self.disk.as_read(), key, from)?;
        self.change(|facts| {
            let path = registry::real_path(facts.system.bits, view, key);
            match &tree {
                Some(tree) => facts.registry.import(&path, tree),
                None => facts.registry.remove(&path),
            }
        })
    }

    fn perform_here(&self, op: &Op, watch: &mut dyn FnMut(Progress)) -> Result<Outcome, Failure> {
        if !self.locked().system.elevated {
            return Err(Failure::new(op, "access is denied").next("run it as administrator"));
        }
        if self.locked().restarting {
            // ERROR_SHUTDOWN_IN_PROGRESS, as StartService documents it; Windows Installer is a service itself.
            return Err(Failure::new(op, "a restart of Windows is in progress (1115)"));
        }
        let ended = self.perform_in_windows(op, watch);
        let restarts = match &ended {
            Ok(outcome) => outcome.restarting,
            Err(failure) => failure.kind == FailureKind::Ended(installer_code::RESTARTS_TO_UNDO),
        };
        if restarts {
            self.change(|facts| facts.restarting = true)?;
        }
        ended
    }

    fn perform_in_windows(&self, op: &Op, watch: &mut dyn FnMut(Progress)) -> Result<Outcome, Failure> {
        match op {
            Op::ExportKey { view, key, to } => self.export_key(*view, key, to).map(|()| Outcome::default()),
            Op::ImportKey { view, key, from } => self.import_key(*view, key, from).map(|()| Outcome::default()),
            Op::BackUpWebServer { name } => self.back_up_iis(name).map(|()| Outcome::default()),
            Op::Configure { site, application } => {
                commands::configure(self, site, application).map(|()| Outcome::default())
            }
            Op::RenameApplication { site, from, to } => {
                commands::rename(self, site, from, to).map(|notes| Outcome { notes, ..Outcome::default() })
            }
            Op::Service { name, state, start } => self.set_service(name, *state, *start),
            _ => self.perform_troubled(op, watch),
        }
    }
}

impl Inspect for Simulated {
    fn files(&self) -> &dyn ReadDisk {
        self.disk.as_read()
    }

    fn system(&self) -> Result<System, Failure> {
        Ok(self.locked().system.clone())
    }

    fn utc_offset(&self) -> Option<i32> {
        self.locked().utc_offset_minutes.map(|minutes| minutes.saturating_mul(60))
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.locked().variable(name).map(str::to_owned)
    }

    fn registry_key(&self, view: View, path: &str) -> Result<Option<Key>, Failure> {
        Ok(self.locked().registry_key(view, path))
    }

    fn services(&self) -> Result<Vec<Service>, Failure> {
        Ok(self.locked().services.clone())
    }

    fn web_server(&self) -> Result<Option<WebServer>, Failure> {
        self.iis()
    }

    fn application(&self, site: &str, path: &str) -> Result<Option<Application>, Failure> {
        self.iis_application(site, path)
    }

    fn signature(&self, path: &WinPath) -> Result<Signature, Failure> {
        let doing = format!("check the signature of {path}");
        if !disk::exists(self.files(), path).context(&doing)? {
            return Err(Failure::new(doing, "the file does not exist"));
        }
        let signatures = self.locked().signatures.clone();
        let by_path = |signed: &&Signed| signed.path.as_ref() == Some(path);
        if let Some(signed) = signatures.iter().find(by_path) {
            return Ok(Signature::Signed { by: signed.by.clone() });
        }
        let sum = disk::hash(self.files(), path).context(&doing)?;
        let by_content =
            |signed: &&Signed| signed.sha256.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(&sum));
        Ok(match signatures.iter().find(by_content) {
            Some(signed) => Signature::Signed { by: signed.by.clone() },
            None => Signature::None,
        })
    }

    fn program_version(&self, path: &WinPath) -> Result<Option<ProgramVersion>, Failure> {
        programs::version_of(self.files(), path)
    }

    fn account_exists(&self, name: &str) -> Result<Option<bool>, Failure> {
        let facts = self.locked();
        if facts.unknown_accounts.iter().any(|unknown| unknown.eq_ignore_ascii_case(name)) {
            return Ok(None);
        }
        Ok(facts.accounts.as_ref().map(|known| known.iter().any(|known| known.eq_ignore_ascii_case(name))))
    }

    fn request(&self, url: &str, _: Duration) -> Result<Response, Failure> {
        let silent = || Failure::new(format!("reach {url}"), "nothing responds there");
        answers::response(self, url)?.ok_or_else(silent)
    }

    fn is_own_host(&self, host: &str) -> bool {
        answers::is_own_host(self, host)
    }

    fn free_space(&self, drive: char) -> Result<u64, Failure> {
        let facts = self.locked();
        let free = facts.free_space.iter().find(|(letter, _)| letter.eq_ignore_ascii_case(&drive));
        free.map(|(_, bytes)| *bytes)
            .ok_or_else(|| Failure::new(format!("determine the free space of {drive}:"), "the drive does not exist"))
    }

    fn leaves_out(&self, package: &WinPath, properties: &BTreeMap<String, String>) -> Vec<String> {
        self.left_out(package, properties)
    }
}

impl Platform for Simulated {
    fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    fn perform(&self, op: &Op, watch: &mut dyn Monitor) -> Result<Outcome, Failure> {
        match files::perform(&*self.disk, op, watch) {
            Some(done) => done,
            None => self.perform_here(op, &mut |progress| watch.told(progress)),
        }
    }

    fn running(&self, given_up: Option<&Process>) -> Result<Option<String>, Failure> {
        self.what_runs(given_up)
    }

    fn at_start(&self, command: Option<&AtStart>) -> Result<(), Failure> {
        let task = |command: &AtStart| {
            let (program, arguments) = (command.program(), command.arguments.clone());
            Task { name: own::NAME.to_owned(), program, arguments }
        };
        self.change(|facts| {
            facts.tasks.retain(|task| task.name != own::NAME);
            facts.tasks.extend(command.map(task));
        })
    }

    fn tell_event_log(&self, notice: Notice, text: &str) -> Result<(), Failure> {
        let (now, severity) = (self.clock.now(), notice.severity().name());
        let line = format!("{now} {severity} {} {}\n", notice.id(), text.replace('\n', " "));
        let log = || {
            let mut file = self.disk.append(&WinPath::outside_drives(EVENT_LOG))?;
            file.write_all(line.as_bytes())?;
            file.sync()
        };
        log().context("write the event log")
    }

    fn this_process(&self) -> Process {
        Process { id: std::process::id(), program: "pfupgrade".to_owned(), started: self.clock.now() }
    }

    fn is_alive(&self, process: &Process) -> bool {
        owner::is_alive(process.id)
    }

    fn booted(&self) -> Option<Timestamp> {
        self.locked().booted
    }

    fn inspect(&self) -> &dyn Inspect {
        self
    }
}
