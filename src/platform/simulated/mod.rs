//! A simulated Windows server: its files are real files, its packages real Windows Installer packages.
//!
//! A machine is a disk with a `machine.toml` beside its drives, which holds what a server knows besides its files:
//! registry, services, IIS, what Windows Installer remembers. Everything is written through at once, so a machine can be
//! left at any moment and opened again. Only programs are make-believe: an `.exe` on a simulated machine is a small text
//! file that says what it does when it is run (`action`) and when its service starts (`on-start`):
//!
//! ```toml
//! simulated-program = 1
//! product = "Multi-Factor Authentication Server"     # what its version resource would say
//! version = "7.3.0.3"
//!
//! [[action]]
//! do = "install-package"                             # also copy, append-log, upgrade-data, require-data, exit,
//! package = 'data\server.msi'                        # set-runtime, need-restart, write-registry
//! ```

pub mod demo;
mod facts;
mod installer;
mod programs;
mod registry;
mod rehearsal;
#[cfg(test)]
mod tests;
mod trouble;

pub use facts::{FORMAT, Installed, MachineFacts, OwnApplication, Signed, Stage, Sweep};
pub use registry::Registry;
pub use rehearsal::{FailAt, FailKind, ROLLBACK, Rehearsal};
pub use trouble::{Running, Trouble, When, Works};

use super::clock::Clock;
use super::disk::{self, Disk, ReadDisk};
use super::facts::{Application, ProgramVersion, Service, ServiceState, Signature, StartType, System, WebServer};
use super::op::Op;
use super::registry::{self as export, Key, View};
use super::{Doing, Failure, Inspect, Outcome, Platform, Process, Progress, files};
use crate::winpath::WinPath;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const NEXT_FOR_SERVICE: &str =
    "see in its own logs and in the event log (System) what it waits for, and bring it to an end there";

/// A simulated server.
pub struct Simulated {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    facts: Mutex<MachineFacts>,
}

impl Simulated {
    /// Opens the machine that is on `disk`.
    pub fn open(disk: Arc<dyn Disk>, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let facts = Mutex::new(MachineFacts::read(&*disk)?);
        Ok(Self { disk, clock, facts })
    }

    /// Makes a machine of `disk`, which may hold its files already but no machine.
    pub fn create(disk: Arc<dyn Disk>, clock: Arc<dyn Clock>, facts: MachineFacts) -> Result<Self, Failure> {
        let doing = "create a simulated machine";
        if disk::exists(disk.as_read(), &facts::path()).doing(doing)? {
            return Err(Failure::new(doing, "there is one already").next("choose another folder"));
        }
        facts.write(&*disk)?;
        Ok(Self { disk, clock, facts: Mutex::new(facts) })
    }

    /// Reads the facts again: another process may have changed them before this one had the machine to itself.
    pub fn refresh(&self) -> Result<(), Failure> {
        *self.locked() = MachineFacts::read(&*self.disk)?;
        Ok(())
    }

    /// Everything the machine knows besides its files, as it is now.
    pub fn facts(&self) -> MachineFacts {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, MachineFacts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the facts, on the disk first: what could not be written has not happened.
    fn try_change(&self, change: impl FnOnce(&mut MachineFacts) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut facts = self.locked();
        let mut changed = facts.clone();
        change(&mut changed)?;
        if changed != *facts {
            changed.write(&*self.disk)?;
            *facts = changed;
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

    fn configure(&self, site: &str, wanted: &Application) -> Result<(), Failure> {
        let refused = |why: String| Failure::new(format!("configure {} of site \"{site}\"", wanted.path), why);
        self.try_change(|facts| {
            let web_server = facts.web_server.as_ref().ok_or_else(|| refused("IIS is not installed".to_owned()))?;
            if web_server.pool(&wanted.pool).is_none() {
                return Err(refused(format!("there is no application pool \"{}\"", wanted.pool)));
            }
            let applications =
                facts.applications_of(site).ok_or_else(|| refused("there is no such site".to_owned()))?;
            let found = applications.iter_mut().find(|found| found.path.eq_ignore_ascii_case(&wanted.path));
            let found = found.ok_or_else(|| refused("there is no such application".to_owned()))?;
            *found = Application { path: found.path.clone(), ..wanted.clone() };
            Ok(())
        })
    }

    fn set_service(&self, name: &str, wanted: ServiceState, start: Option<StartType>) -> Result<(), Failure> {
        let service = self.locked().service(name).cloned();
        let verb = if wanted == ServiceState::Running { "start" } else { "stop" };
        let refused = |why: &str| Failure::new(format!("{verb} the service {name}"), why);
        let Some(mut service) = service else {
            // What is not there does not run either.
            return match wanted {
                ServiceState::Stopped => Ok(()),
                ServiceState::Running => Err(refused("error 1060: there is no such service")),
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
            return Ok(());
        }
        let when = if wanted == ServiceState::Running { When::Start } else { When::Stop };
        if let Some(why) = self.trouble_with_service(name, when)? {
            return Err(refused(&why).next(NEXT_FOR_SERVICE));
        }
        if wanted == ServiceState::Running {
            if service.start == StartType::Disabled {
                return Err(refused("error 1058: the service is disabled"));
            }
            if let Some(why) = self.start_program_of(&service)? {
                return Err(refused(&format!("error 1053: the service did not respond to the start request ({why})"))
                    .next("look into its logs"));
            }
        }
        self.try_change(|facts| {
            facts.service_mut(name).ok_or_else(|| refused("it has just been removed"))?.state = wanted;
            Ok(())
        })
    }

    fn perform_here(&self, op: &Op, watch: &mut dyn FnMut(Progress)) -> Result<Outcome, Failure> {
        if !self.locked().system.elevated {
            return Err(Failure::new(op, "access is denied").next("run it as administrator"));
        }
        match op {
            Op::ExportKey { view, key, to } => self.export_key(*view, key, to).map(|()| Outcome::default()),
            Op::ImportKey { view, key, from } => self.import_key(*view, key, from).map(|()| Outcome::default()),
            Op::Configure { site, application } => self.configure(site, application).map(|()| Outcome::default()),
            Op::Service { name, state, start } => self.set_service(name, *state, *start).map(|()| Outcome::default()),
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

    fn variable(&self, name: &str) -> Option<String> {
        self.locked().variable(name).map(str::to_owned)
    }

    fn registry_key(&self, view: View, path: &str) -> Result<Option<Key>, Failure> {
        let facts = self.locked();
        Ok(facts.registry.key(&registry::real_path(facts.system.bits, view, path)))
    }

    fn services(&self) -> Result<Vec<Service>, Failure> {
        Ok(self.locked().services.clone())
    }

    fn web_server(&self) -> Result<Option<WebServer>, Failure> {
        Ok(self.locked().web_server.clone())
    }

    fn signature(&self, path: &WinPath) -> Result<Signature, Failure> {
        let doing = format!("check the signature of {path}");
        if !disk::exists(self.files(), path).doing(&doing)? {
            return Err(Failure::new(doing, "the file does not exist"));
        }
        let signatures = self.locked().signatures.clone();
        let by_path = |signed: &&Signed| signed.path.as_ref() == Some(path);
        if let Some(signed) = signatures.iter().find(by_path) {
            return Ok(Signature::Signed { by: signed.by.clone() });
        }
        let sum = disk::hash(self.files(), path).doing(&doing)?;
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
        Ok(facts.accounts.as_ref().map(|known| known.iter().any(|known| known.eq_ignore_ascii_case(name))))
    }

    fn http_status(&self, url: &str) -> Result<u16, Failure> {
        let facts = self.locked();
        let answer = facts.answers.iter().find(|(known, _)| known.eq_ignore_ascii_case(url));
        let silent = || Failure::new(format!("reach {url}"), "nothing answers there");
        answer.map(|(_, status)| *status).ok_or_else(silent)
    }

    fn free_space(&self, drive: char) -> Result<u64, Failure> {
        let facts = self.locked();
        let free = facts.free_space.iter().find(|(letter, _)| letter.eq_ignore_ascii_case(&drive));
        free.map(|(_, bytes)| *bytes)
            .ok_or_else(|| Failure::new(format!("find out the free space of {drive}:"), "there is no such drive"))
    }

    fn leaves_out(&self, package: &WinPath, properties: &BTreeMap<String, String>) -> Vec<String> {
        self.left_out(package, properties)
    }
}

impl Platform for Simulated {
    fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    fn perform(&self, op: &Op, watch: &mut dyn FnMut(Progress)) -> Result<Outcome, Failure> {
        match files::perform(&*self.disk, op, watch) {
            Some(done) => done,
            None => self.perform_here(op, watch),
        }
    }

    fn running(&self, given_up: Option<&Process>) -> Result<Option<String>, Failure> {
        self.what_runs(given_up)
    }

    fn this_process(&self) -> Process {
        Process { id: std::process::id(), program: "pfupgrade".to_owned(), started: self.clock.now() }
    }

    fn booted(&self) -> Option<Timestamp> {
        self.locked().booted
    }

    fn inspect(&self) -> &dyn Inspect {
        self
    }
}
