//! The machine: its queries and its operations.

use super::disk::Drives;
use super::iis::Known;
use super::win32::{accounts, http, system as win32, trust};
use super::{event_log, installer, program, registry, services, system};
use crate::platform::Response;
use crate::platform::disk::{self, Disk, ReadDisk};
use crate::platform::facts::{Application, ProgramVersion, Service, Signature, System, WebServer};
use crate::platform::iis;
use crate::platform::op::Op;
use crate::platform::own::{AtStart, Notice};
use crate::platform::registry::{self as export, Key, View};
use crate::platform::{Context, Failure, Inspect, Monitor, Outcome, Platform, Process, Progress, files};
use crate::winpath::WinPath;
use jiff::Timestamp;
use std::sync::Mutex;
use std::time::Duration;

/// The last output of a program explains its failure best; this is the maximum read.
const OUTPUT_LIMIT: u64 = 1 << 20;

/// The Windows server that this program runs on.
pub struct Windows {
    pub(super) disk: Drives,
    pub(super) windows: WinPath,
    pub(super) known_settings: Mutex<Known>,
    _console: win32::Utf8Console,
}

impl Windows {
    /// Opens this machine. The console uses UTF-8 while it is open.
    pub fn new() -> Result<Self, Failure> {
        let console = win32::Utf8Console::begin();
        win32::enable_backup_privileges();
        let windows = WinPath::new(win32::windows_folder()).context("find the folder of Windows")?;
        Ok(Self { disk: Drives, windows, known_settings: Mutex::default(), _console: console })
    }

    fn run(
        &self,
        op: &Op,
        (path, arguments): (&WinPath, &[String]),
        limit: Duration,
        log: &WinPath,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, Failure> {
        let doing = op.to_string();
        let mut command = program::logged(path, log, &doing)?;
        command.args(arguments);
        let code = program::run(&mut command, path.name(), &doing, limit, None, watch)?;
        let printed = disk::read(&self.disk, log, OUTPUT_LIMIT).unwrap_or_default();
        let printed = String::from_utf8_lossy(&printed);
        let last = printed.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        program::outcome(code, &doing, log, last)
    }

    fn perform_here(&self, op: &Op, watch: &mut dyn FnMut(Progress)) -> Result<Outcome, Failure> {
        let done = |()| Outcome::default();
        match op {
            Op::ExportKey { view, key, to } => export::export(self, &self.disk, *view, key, to).map(done),
            Op::ImportKey { view, key, from } => {
                let tree = export::exported(self.disk.as_read(), key, from)?;
                registry::restore(*view, key, tree.as_ref()).map(done)
            }
            Op::BackUpWebServer { name } => self.back_up_iis(name).map(done),
            Op::Configure { site, application } => iis::configure(self, site, application).map(done),
            Op::RenameApplication { site, from, to } => {
                iis::rename(self, site, from, to).map(|notes| Outcome { notes, ..Outcome::default() })
            }
            Op::Service { name, state, start } => services::set(name, *state, *start, watch),
            Op::Install { package, properties, log } => self.install(package, properties, log, watch),
            Op::Uninstall { code, name, log, way_back } => {
                let with = way_back.as_ref().and_then(|way_back| way_back.uninstalls_with.as_ref());
                self.uninstall((code, name), with, log, watch)
            }
            Op::Run { program, arguments, timeout, log } => self.run(op, (program, arguments), *timeout, log, watch),
            _ => Err(Failure::new(op, "only the operator can do that")),
        }
    }
}

impl Inspect for Windows {
    fn files(&self) -> &dyn ReadDisk {
        &self.disk
    }

    fn system(&self) -> Result<System, Failure> {
        system::system()
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|_| !name.is_empty() && !name.contains(['=', '\0']))
    }

    fn registry_key(&self, view: View, path: &str) -> Result<Option<Key>, Failure> {
        registry::key(view, path)
    }

    fn services(&self) -> Result<Vec<Service>, Failure> {
        services::all()
    }

    fn web_server(&self) -> Result<Option<WebServer>, Failure> {
        self.iis()
    }

    fn application(&self, site: &str, path: &str) -> Result<Option<Application>, Failure> {
        self.iis_application(site, path)
    }

    fn signature(&self, path: &WinPath) -> Result<Signature, Failure> {
        let doing = format!("check the signature of {path}");
        if !disk::exists(&self.disk, path).context(&doing)? {
            return Err(Failure::new(doing, "the file does not exist"));
        }
        Ok(trust::signer(path.as_str()).map_or(Signature::None, |by| Signature::Signed { by }))
    }

    fn program_version(&self, path: &WinPath) -> Result<Option<ProgramVersion>, Failure> {
        let doing = format!("read the version of {path}");
        if !disk::exists(&self.disk, path).context(&doing)? {
            return Err(Failure::new(doing, "the file does not exist"));
        }
        Ok(trust::version(path.as_str()).map(|(product, version)| ProgramVersion { product, version }))
    }

    fn account_exists(&self, name: &str) -> Result<Option<bool>, Failure> {
        accounts::exists(name).context(format!("look for the account {name}"))
    }

    fn request(&self, url: &str, limit: Duration) -> Result<Response, Failure> {
        http::get(url, limit).context(format!("send a request to {url}"))
    }

    fn is_own_host(&self, host: &str) -> bool {
        http::is_own(host)
    }

    fn utc_offset(&self) -> Option<i32> {
        win32::utc_offset()
    }

    fn free_space(&self, drive: char) -> Result<u64, Failure> {
        win32::free_space(drive).context(format!("determine the free space of {drive}:"))
    }
}

impl Platform for Windows {
    fn disk(&self) -> &dyn Disk {
        &self.disk
    }

    fn perform(&self, op: &Op, watch: &mut dyn Monitor) -> Result<Outcome, Failure> {
        match files::perform(&self.disk, op, watch) {
            Some(done) => done,
            None => self.perform_here(op, &mut |progress| watch.told(progress)),
        }
    }

    fn running(&self, given_up: Option<&Process>) -> Result<Option<String>, Failure> {
        if let Some(process) = given_up.filter(|process| program::still_runs(process)) {
            return Ok(Some(format!("{} (PID {})", process.program, process.id)));
        }
        Ok(installer::at_work())
    }

    fn at_start(&self, command: Option<&AtStart>) -> Result<(), Failure> {
        self.set_task(command)
    }

    fn tell_event_log(&self, notice: Notice, text: &str) -> Result<(), Failure> {
        event_log::tell(notice, text)
    }

    fn this_process(&self) -> Process {
        program::this()
    }

    fn is_alive(&self, process: &Process) -> bool {
        program::still_runs(process)
    }

    fn booted(&self) -> Option<Timestamp> {
        Timestamp::now().checked_sub(win32::since_start()).ok()
    }

    fn inspect(&self) -> &dyn Inspect {
        self
    }
}
