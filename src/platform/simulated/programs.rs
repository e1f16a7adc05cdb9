//! Simulated programs: text files with the extension `.exe` that define what they do.
//!
//! No rule of Windows stands behind an action but that of `need-restart` (learn.microsoft.com, `MoveFileEx` with
//! `MOVEFILE_DELAY_UNTIL_REBOOT`, and exit code 3010). Each program's own file says what the program is supposed to do.

use super::installer::{Log, Stop};
use super::protect::protect;
use super::{Simulated, registry};
use crate::platform::disk::{self, ReadDisk};
use crate::platform::facts::{ProgramVersion, Service};
use crate::platform::installer_code;
use crate::platform::op::Op;
use crate::platform::registry::{Value, View};
use crate::platform::{Context, Failure, Inspect, Outcome, Progress, files};
use crate::winpath::WinPath;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{self, Read};

const LIMIT: u64 = 1 << 20;
const DATA_LIMIT: u64 = 1 << 30;
const DATA_MARK: &str = "PFDATA ";
/// The exit code of a setup after which Windows must be restarted.
const RESTART_NEEDED: i32 = 3010;
/// Process and thread in the logs, which must be the same in all runs.
const PROCESS: &str = "1204|1816";

const WHAT_THEY_ARE: &str =
    "a simulation runs only simulated programs: text files with `simulated-program = 1` and [[action]] tables";

/// A program, as defined in its file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Program {
    simulated_program: u32,
    product: String,
    version: String,
    /// What it does when it runs.
    #[serde(default, rename = "action")]
    actions: Vec<Action>,
    /// What it does when it starts as a service.
    #[serde(default)]
    on_start: Vec<Action>,
}

/// An action of a simulated program. Paths are absolute or relative to the program, and may contain `%VARIABLES%`.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
enum Action {
    /// Install a package.
    InstallPackage {
        package: String,
        #[serde(default)]
        properties: BTreeMap<String, String>,
        /// Properties with values from the registry.
        #[serde(default)]
        from_registry: Vec<FromRegistry>,
    },
    /// Copy a file or folder.
    Copy { from: String, to: String },
    /// Add a line to a log, unless it is already the last one.
    AppendLog { path: String, text: String },
    /// Upgrade the data file to a newer version and log that.
    UpgradeData { file: String, from: u32, to: u32, log: String },
    /// Fail if the data file is newer than the program.
    RequireData { file: String, max_version: u32 },
    /// Exit with a code.
    Exit { code: i32 },
    /// Install the Visual C++ runtime.
    SetRuntime { runtime: Runtime },
    /// Leave a file to replace at the next restart of Windows.
    NeedRestart { file: String },
    /// Encrypt or decrypt a section of a web.config, according to the arguments.
    ProtectSection,
    /// Write a registry value, as a 64-bit program sees the registry.
    WriteRegistry { key: String, name: String, value: Value },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FromRegistry {
    property: String,
    key: String,
    value: String,
    default: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Runtime {
    VcX86,
    VcX64,
}

fn parse(files: &dyn ReadDisk, path: &WinPath) -> Result<Option<Program>, Failure> {
    let doing = format!("read the program {path}");
    let mut bytes = Vec::new();
    files.open(path).and_then(|file| file.take(LIMIT).read_to_end(&mut bytes)).context(&doing)?;
    // A stand-in for a real program is padded to its size.
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.contains("simulated-program")) else {
        return Ok(None);
    };
    let program: Program = toml::from_str(text).context(&doing)?;
    match program.simulated_program {
        1 => Ok(Some(program)),
        other => Err(Failure::new(doing, format!("it is a simulated program of version {other}, not 1"))),
    }
}

/// The version resource of a simulated program; any other file has none.
pub(super) fn version_of(files: &dyn ReadDisk, path: &WinPath) -> Result<Option<ProgramVersion>, Failure> {
    let program = parse(files, path)?.filter(|program| !program.version.is_empty());
    Ok(program.map(|program| ProgramVersion { product: program.product, version: program.version }))
}

/// The files that a simulated program uses, besides the data of the machine; `None` for any other file.
pub(crate) fn needs(machine: &dyn Inspect, path: &WinPath) -> Result<Option<Vec<WinPath>>, Failure> {
    let Some(program) = parse(machine.files(), path)? else { return Ok(None) };
    let place = |text: &String| {
        let text = machine.expand(text).ok()?;
        WinPath::new(&text).ok().or_else(|| path.parent()?.join(&text).ok())
    };
    let packages = program.actions.iter().filter_map(|action| match action {
        Action::InstallPackage { package: from, .. } | Action::Copy { from, .. } => place(from),
        _ => None,
    });
    Ok(Some(packages.collect()))
}

/// How a program ends before its last action.
enum End {
    /// It exits with a code and its last output.
    Exit(i32, String),
    /// The simulated machine failed.
    Failure(Failure),
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        End::Failure(failure)
    }
}

/// A running program.
struct Running<'a> {
    machine: &'a Simulated,
    path: &'a WinPath,
    arguments: &'a [String],
    printed: Vec<String>,
    reboot: bool,
    watch: &'a mut dyn FnMut(Progress),
}

impl Simulated {
    /// Runs a program and returns its exit code, as a user of the machine would.
    pub fn run_program(&self, program: &WinPath, arguments: &[String]) -> Result<i32, Failure> {
        self.run(program, arguments, &mut |_| ()).map(|(code, _)| code)
    }

    /// Runs a program. Returns its exit code and its output.
    fn run(
        &self,
        path: &WinPath,
        arguments: &[String],
        watch: &mut dyn FnMut(Progress),
    ) -> Result<(i32, Vec<String>), Failure> {
        let unknown = || Failure::new(format!("run {path}"), "it is not a simulated program").next(WHAT_THEY_ARE);
        let program = parse(self.files(), path)?.ok_or_else(unknown)?;
        let printed = vec![format!("{} {} {}", program.product, program.version, arguments.join(" "))];
        let mut running = Running { machine: self, path, arguments, printed, reboot: false, watch };
        let code = match running.all(&program.actions) {
            Ok(()) if running.reboot => RESTART_NEEDED,
            Ok(()) => 0,
            Err(End::Exit(code, why)) => {
                running.printed.push(why);
                code
            }
            Err(End::Failure(failure)) => return Err(failure),
        };
        Ok((code, running.printed))
    }

    /// Completes the restart of Windows that an installer has started, if one has.
    pub fn finish_restart(&self) -> Result<(), Failure> {
        if self.facts().restarting { self.restart() } else { Ok(()) }
    }

    /// Restarts Windows: what runs ends, pending operations are done, and automatic services are started if possible.
    pub fn restart(&self) -> Result<(), Failure> {
        self.change(|facts| {
            facts.booted = Some(self.clock.now());
            facts.restarting = false;
            facts.system.pending_renames.clear();
            facts.processes.clear();
        })?;
        self.start_automatic_services()
    }

    pub(super) fn run_logged(
        &self,
        program: &WinPath,
        arguments: &[String],
        log: &WinPath,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, Failure> {
        let doing = format!("run {program}");
        let (code, printed) = self.run(program, arguments, watch)?;
        disk::replace(&*self.disk, log, (printed.join("\r\n") + "\r\n").as_bytes()).context(&doing)?;
        installer_code::success(code).ok_or_else(|| {
            let last = printed.last().map_or("", String::as_str);
            installer_code::failure(doing, "it", code, last, log)
        })
    }

    /// Runs the start actions of a service's program. Returns why it does not start.
    pub(super) fn start_program_of(&self, service: &Service) -> Result<Option<String>, Failure> {
        let line = &service.image_path;
        // ImagePath is REG_EXPAND_SZ: the Service Control Manager expands it (CreateService).
        let expanded = self.expand(line).unwrap_or_else(|_| line.clone());
        let Some(path) = (Service { image_path: expanded, ..service.clone() }).program() else {
            return Ok(Some(format!("`{line}` contains no program")));
        };
        if !disk::exists(self.files(), &path).context(format!("start {path}"))? {
            return Ok(Some(format!("{path} does not exist")));
        }
        let Some(program) = parse(self.files(), &path)? else {
            return Ok(Some(format!("{path} is not a simulated program: {WHAT_THEY_ARE}")));
        };
        let mut watch = |_| ();
        let printed = Vec::new();
        let mut running =
            Running { machine: self, path: &path, arguments: &[], printed, reboot: false, watch: &mut watch };
        match running.all(&program.on_start) {
            Ok(()) | Err(End::Exit(0, _)) => Ok(None),
            Err(End::Exit(code, why)) => Ok(Some(format!("its program ended with {code}: {why}"))),
            Err(End::Failure(failure)) => Err(failure),
        }
    }
}

impl Running<'_> {
    fn all(&mut self, actions: &[Action]) -> Result<(), End> {
        actions.iter().try_for_each(|action| self.one(action))
    }

    fn one(&mut self, action: &Action) -> Result<(), End> {
        match action {
            Action::InstallPackage { package, properties, from_registry } => {
                self.install(package, properties, from_registry)?;
            }
            Action::Copy { from, to } => {
                let (from, to) = (self.place(from)?, self.place(to)?);
                if let Some(copied) = files::perform(&*self.machine.disk, &Op::Copy { from, to }, &mut self.watch) {
                    copied?;
                }
            }
            Action::AppendLog { path, text } => {
                let path = self.place(path)?;
                let now = self.machine.clock.now().to_string();
                self.log(&path, &now, text, |lines| !lines.lines().last().is_some_and(|last| last.ends_with(text)))?;
            }
            Action::UpgradeData { file, from, to, log } => {
                let (file, log) = (self.place(file)?, self.place(log)?);
                self.upgrade(&file, *from, *to, &log)?;
            }
            Action::RequireData { file, max_version } => {
                let file = self.place(file)?;
                let version = self.data(&file)?.map_or(0, |(version, _)| version);
                if version > *max_version {
                    let why = format!("{file} has version {version}, but this program reads only up to {max_version}");
                    return Err(End::Exit(1, why));
                }
            }
            Action::Exit { code } => return Err(End::Exit(*code, "it ends here".to_owned())),
            Action::SetRuntime { runtime } => self.machine.change(|facts| match runtime {
                Runtime::VcX86 => facts.system.vc_x86 = true,
                Runtime::VcX64 => facts.system.vc_x64 = true,
            })?,
            Action::NeedRestart { file } => {
                let file = self.place(file)?.to_string();
                self.reboot = true;
                self.machine.change(|facts| {
                    let pending = &mut facts.system.pending_renames;
                    if !pending.contains(&file) {
                        pending.push(file);
                    }
                })?;
            }
            Action::ProtectSection => {
                protect(&*self.machine.disk, self.arguments)?.map_err(|why| End::Exit(1, why))?;
            }
            Action::WriteRegistry { key, name, value } => self.machine.change(|facts| {
                let path = registry::real_path(facts.system.bits, View::Native, key);
                facts.registry.set(&path, name, value.clone());
            })?,
        }
        Ok(())
    }

    fn expand(&self, text: &str) -> Result<String, Failure> {
        let unknown = |name| Failure::new(format!("run {}", self.path), format!("the variable %{name}% is not set"));
        self.machine.expand(text).map_err(unknown)
    }

    fn place(&self, text: &str) -> Result<WinPath, Failure> {
        let doing = format!("find `{text}` for {}", self.path);
        let text = self.expand(text)?;
        let absolute = text.get(1..2) == Some(":");
        match self.path.parent().filter(|_| !absolute) {
            Some(folder) => folder.join(text).context(doing),
            None => WinPath::new(text).context(doing),
        }
    }

    fn install(
        &mut self,
        package: &str,
        properties: &BTreeMap<String, String>,
        from_registry: &[FromRegistry],
    ) -> Result<(), End> {
        let package = self.place(package)?;
        let mut properties = properties.clone();
        for wanted in from_registry {
            let found = self.machine.registry_key(View::Native, &wanted.key)?;
            let value = match found.as_ref().and_then(|key| key.text(&wanted.value)) {
                Some(value) => value.to_owned(),
                None => self.expand(&wanted.default)?,
            };
            properties.insert(wanted.property.clone(), value);
        }
        let mut log = Log::new(self.machine.clock.now(), None);
        let result = self.machine.install_package(&package, &properties, &mut log, self.watch);
        self.printed.extend(log.into_lines());
        match result {
            Ok(outcome) => {
                self.reboot |= outcome.reboot;
                Ok(())
            }
            Err(Stop::Code(code, why)) => Err(End::Exit(code.number(), why)),
            Err(Stop::Failure(failure)) => Err(failure.into()),
        }
    }

    /// The version and body of a data file; `None` if there is none.
    fn data(&self, file: &WinPath) -> Result<Option<(u32, Vec<u8>)>, End> {
        let doing = format!("read the data file {file}");
        let bytes = match disk::read(self.machine.files(), file, DATA_LIMIT) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::new(doing, error).into()),
        };
        let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
        let header = parts.next().and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
        let version = header.strip_prefix(DATA_MARK).and_then(|number| number.trim().parse().ok());
        let version =
            version.ok_or_else(|| End::Exit(1, format!("{file} does not start with `PFDATA` and a version")))?;
        Ok(Some((version, parts.next().unwrap_or_default().to_vec())))
    }

    /// The upgraded file contains the time of the upgrade, to distinguish an upgrade that was interrupted before its
    /// line was logged from a complete one.
    fn upgrade(&mut self, file: &WinPath, from: u32, to: u32, log: &WinPath) -> Result<(), End> {
        let doing = format!("upgrade the data file {file}");
        let Some((version, mut body)) = self.data(file)? else { return Ok(()) };
        if version > to || version < from {
            let why = format!("{file} has version {version}, but this program upgrades from {from} to {to}");
            return Err(End::Exit(1, why));
        }
        if version < to {
            let now = self.machine.clock.now();
            body.reverse();
            let mut upgraded = format!("{DATA_MARK}{to}\nupgraded from {version} at {now}\n").into_bytes();
            upgraded.append(&mut body);
            disk::replace(&*self.machine.disk, file, &upgraded).context(&doing)?;
            body = upgraded.splitn(2, |byte| *byte == b'\n').nth(1).unwrap_or_default().to_vec();
        }
        // An interrupted upgrade may not have synced its file.
        disk::sync_parent(&*self.machine.disk, file).context(doing)?;
        let mark = body.split(|byte| *byte == b'\n').next().and_then(|line| std::str::from_utf8(line).ok());
        let upgrade = mark.and_then(|mark| mark.strip_prefix("upgraded from ")?.split_once(" at "));
        let Some((before, time)) = upgrade else { return Ok(()) };
        let text = format!("Completed performing tasks to upgrade from {before} to {to}");
        let line = log_line(time, &text);
        Ok(self.log(log, time, &text, |lines| !lines.lines().any(|known| known == line))?)
    }

    /// Adds a line if the present log `wants` it.
    fn log(&self, path: &WinPath, time: &str, text: &str, wants: impl FnOnce(&str) -> bool) -> Result<(), Failure> {
        let doing = format!("write the log {path}");
        let disk = &*self.machine.disk;
        let bytes = match disk::read(disk.as_read(), path, DATA_LIMIT) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Failure::new(doing, error)),
        };
        let mut lines = String::from_utf8_lossy(&bytes).into_owned();
        if !wants(&lines) {
            // An interrupted attempt may have written the line without a sync.
            return disk::sync_name(disk, path).context(&doing);
        }
        lines += &format!("{}\r\n", log_line(time, text));
        if let Some(folder) = path.parent() {
            disk::create_folders(disk, &folder).context(&doing)?;
        }
        disk::replace(disk, path, lines.as_bytes()).context(doing)
    }
}

fn log_line(time: &str, text: &str) -> String {
    format!("{time}|i|{PROCESS}|pfsvc|{text}")
}
