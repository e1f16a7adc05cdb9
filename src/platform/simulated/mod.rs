//! A simulated Windows server: its files are real files, its packages real Windows Installer packages.
//!
//! A machine is a disk with a `machine.toml` beside its drives, which has everything besides files: registry, services,
//! IIS, the data of Windows Installer. All changes are written immediately, so a machine can be closed and reopened at
//! any moment. Only programs are fake: an `.exe` on a simulated machine is a small text file that defines what it does
//! when it is run (`action`) and when its service starts (`on-start`):
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
pub mod demo;
mod facts;
mod installer;
mod owner;
mod programs;
mod protect;
mod registry;
mod rehearsal;
#[cfg(test)]
mod tests;
mod trouble;

pub use facts::{FORMAT, Installed, MachineFacts, OwnApplication, Signed, Stage, Sweep, Task};
pub(crate) use programs::needs;
pub use registry::Registry;
pub use rehearsal::{FailAt, FailKind, ROLLBACK, Rehearsal};
pub use trouble::{Running, Trouble, When, Works};

use super::clock::Clock;
use super::disk::{self, Disk, ReadDisk};
use super::facts::{Application, ProgramVersion, Service, ServiceState, Signature, StartType, System, WebServer};
use super::op::Op;
use super::own::{self, AtStart, Notice};
use super::registry::{self as export, Key, View};
use super::{
    Context, Failure, FailureKind, Inspect, Monitor, Outcome, Platform, Process, Progress, files, installer_code,
};
use crate::names::ServiceName;
use crate::winpath::WinPath;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const NEXT_FOR_SERVICE: &str = "check in its logs and in the event log (System) what it is waiting for";

/// The event log, beside `machine.toml`: one entry per line. As on a real server, a rollback removes nothing from it.
const EVENT_LOG: &str = "event-log.txt";

/// A simulated server.
pub struct Simulated {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    facts: Mutex<MachineFacts>,
}

impl Simulated {
    /// Opens the machine on `disk`.
    pub fn open(disk: Arc<dyn Disk>, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let facts = Mutex::new(MachineFacts::read(&*disk)?);
        Ok(Self { disk, clock, facts })
    }

    /// Creates a machine on `disk`, which may already have files but no machine.
    pub fn create(disk: Arc<dyn Disk>, clock: Arc<dyn Clock>, facts: MachineFacts) -> Result<Self, Failure> {
        let doing = "create a simulated machine";
        if disk::exists(disk.as_read(), &facts::path()).context(doing)? {
            return Err(Failure::new(doing, "it already exists").next("choose another folder"));
        }
        facts.write(&*disk)?;
        Ok(Self { disk, clock, facts: Mutex::new(facts) })
    }

    /// Reads the facts again: another process may have changed them before this one took the lock, and may have ended
    /// before they were durable.
    pub fn refresh(&self) -> Result<(), Failure> {
        // A killed process may leave a temporary machine.toml.
        let left = disk::beside(&facts::path());
        if disk::exists(self.disk.as_read(), &left).context("look for an incomplete machine.toml")? {
            self.disk.remove_file(&left).context("remove an incomplete machine.toml")?;
        }
        disk::sync_parent(&*self.disk, &facts::path()).context("lock the simulated machine")?;
        *self.locked() = MachineFacts::read(&*self.disk)?;
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
        let tree = export::exported(&*self.disk, key, from)?;
        self.change(|facts| {
            let path = registry::real_path(facts.system.bits, view, key);
            match &tree {
                Some(tree) => facts.registry.import(&path, tree),
                None => facts.registry.remove(&path),
            }
        })
    }

    fn back_up_web_server(&self, name: &str) -> Result<(), Failure> {
        let doing = "back up the IIS configuration";
        let facts = self.facts();
        let iis = facts.web_server.as_ref().ok_or_else(|| Failure::new(doing, "IIS is not installed"))?;
        let windows = WinPath::new(facts.variable("SystemRoot").unwrap_or(r"C:\Windows")).context(doing)?;
        let folder = windows.join(format!(r"System32\inetsrv\backup\{name}")).context(doing)?;
        let text = toml::to_string(iis).context(doing)?;
        disk::create_folders(&*self.disk, &folder).context(doing)?;
        disk::replace(&*self.disk, &folder.child("applicationHost.config"), text.as_bytes()).context(doing)
    }

    fn configure(&self, site: &str, wanted: &Application) -> Result<(), Failure> {
        let refused = |why: String| Failure::new(format!("configure {} of site \"{site}\"", wanted.path), why);
        self.try_change(|facts| {
            let web_server = facts.web_server.as_ref().ok_or_else(|| refused("IIS is not installed".to_owned()))?;
            if web_server.pool(&wanted.pool).is_none() {
                return Err(refused(format!("the application pool \"{}\" does not exist", wanted.pool)));
            }
            let applications =
                facts.applications_of(site).ok_or_else(|| refused("the site does not exist".to_owned()))?;
            let found = applications.iter_mut().find(|found| found.path.eq_ignore_ascii_case(&wanted.path));
            let found = found.ok_or_else(|| refused("the application does not exist".to_owned()))?;
            *found = Application { path: found.path.clone(), ..wanted.clone() };
            Ok(())
        })
    }

    fn rename_application(&self, site: &str, from: &str, to: &str) -> Result<(), Failure> {
        let refused = |why: String| Failure::new(format!("rename {from} of site \"{site}\" to {to}"), why);
        self.try_change(|facts| {
            let all = facts.applications_of(site).ok_or_else(|| refused("the site does not exist".to_owned()))?;
            let is_taken = all.iter().any(|found| found.path.eq_ignore_ascii_case(to));
            let found = all.iter_mut().find(|found| found.path.eq_ignore_ascii_case(from));
            match found.filter(|_| !from.eq_ignore_ascii_case(to)) {
                Some(_) if is_taken => return Err(refused("an application with that name already exists".to_owned())),
                Some(found) => found.path = to.to_owned(),
                None => {}
            }
            Ok(())
        })
    }

    fn set_service(&self, name: &str, wanted: ServiceState, start: Option<StartType>) -> Result<Outcome, Failure> {
        let service = self.locked().service(name).cloned();
        let verb = if wanted == ServiceState::Running { "start" } else { "stop" };
        let refused = |why: &str| Failure::new(format!("{verb} the service {name}"), why);
        let Some(mut service) = service else {
            // A missing service is not running either.
            return match wanted {
                ServiceState::Stopped => Ok(Outcome::default()),
                ServiceState::Running => Err(refused("error 1060: the service does not exist")),
            };
        };
        if let Some(start) = start.filter(|start| *start != service.start) {
            service.start = start;
            self.change(|facts| {
                if let Some(service) = facts.service_mut(name) {
                    service.start = start;
                }
            })?;
        }
        if service.state == wanted {
            return Ok(Outcome::default());
        }
        let notes = match wanted {
            ServiceState::Running => self.start_needed_by(&service, &refused)?,
            ServiceState::Stopped => self.stop_dependents_of(&service.name)?,
        };
        let when = if wanted == ServiceState::Running { When::Start } else { When::Stop };
        if let Some(why) = self.trouble_with_service(name, when)? {
            return Err(refused(&why).next(NEXT_FOR_SERVICE));
        }
        if wanted == ServiceState::Running
            && let Some(why) = self.start_program_of(&service)?
        {
            return Err(refused(&format!("error 1053: the service did not respond to the start request ({why})"))
                .next("check its logs"));
        }
        self.try_change(|facts| {
            facts.service_mut(name).ok_or_else(|| refused("it has just been removed"))?.state = wanted;
            Ok(())
        })?;
        Ok(Outcome { notes, ..Outcome::default() })
    }

    /// Starts the dependencies of a service, as Windows does.
    fn start_needed_by(&self, service: &Service, refused: &dyn Fn(&str) -> Failure) -> Result<Vec<String>, Failure> {
        if service.start == StartType::Disabled {
            return Err(refused("error 1058: the service is disabled"));
        }
        let mut notes = Vec::new();
        for needed in &service.depends_on {
            if self.locked().service(needed).is_none() {
                return Err(refused(&format!("error 1075: it depends on {needed}, which does not exist")));
            }
            notes.extend(self.set_service(needed, ServiceState::Running, None)?.notes);
        }
        Ok(notes)
    }

    /// Stops the services that depend on a service.
    fn stop_dependents_of(&self, name: &ServiceName) -> Result<Vec<String>, Failure> {
        let runs = |service: &&Service| service.needs(name) && service.state == ServiceState::Running;
        let dependents: Vec<ServiceName> =
            self.locked().services.iter().filter(runs).map(|service| service.name.clone()).collect();
        let mut notes = Vec::new();
        for dependent in dependents {
            notes.extend(self.set_service(&dependent, ServiceState::Stopped, None)?.notes);
            notes.push(format!("the service {dependent}, which depends on {name}, was stopped as well"));
        }
        Ok(notes)
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
            Op::BackUpWebServer { name } => self.back_up_web_server(name).map(|()| Outcome::default()),
            Op::Configure { site, application } => self.configure(site, application).map(|()| Outcome::default()),
            Op::RenameApplication { site, from, to } => {
                self.rename_application(site, from, to).map(|()| Outcome::default())
            }
            Op::Service { name, state, start } => self.set_service(name, *state, *start),
            _ => self.perform_troubled(op, watch),
        }
    }
}

/// Whether two URLs are equivalent, with or without the default port.
fn same_address(one: &str, other: &str) -> bool {
    let plain = |url: &str| {
        let url = url.to_ascii_lowercase();
        match url.split_once("://") {
            Some(("https", rest)) => format!("https://{}", rest.replacen(":443/", "/", 1)),
            Some(("http", rest)) => format!("http://{}", rest.replacen(":80/", "/", 1)),
            _ => url,
        }
    };
    plain(one) == plain(other)
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
        Ok(self.locked().web_server.clone())
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

    fn http_status(&self, url: &str) -> Result<u16, Failure> {
        let facts = self.facts();
        let answer = facts.answers.iter().find(|(known, _)| same_address(known, url)).map(|(_, status)| *status);
        let silent = || Failure::new(format!("reach {url}"), "nothing responds there");
        answer.or_else(|| answers::status(self.files(), &facts, url)).ok_or_else(silent)
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
