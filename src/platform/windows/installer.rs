//! Windows Installer, and the uninstall of products that it does not know.

use super::text::arguments;
use super::win32::installer as win32;
use super::win32::{process, system};
use super::{Windows, program, registry};
use crate::package::Package;
use crate::platform::disk::ReadDisk;
use crate::platform::installer_code::{self, BUSY};
use crate::platform::op::INSTALLER_LIMIT;
use crate::platform::registry::{Key, View};
use crate::platform::{Context, Failure, Outcome, Progress, installer_log};
use crate::winpath::WinPath;
use std::collections::BTreeMap;
use std::os::windows::process::CommandExt;
use std::process::Command;

const UNINSTALL: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall";
const IN_PROGRESS: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\InProgress";
const UNKNOWN_PRODUCT: i32 = 1605;

impl Windows {
    /// Installs a package, unless this version of the product is already installed.
    pub(super) fn install(
        &self,
        package: &WinPath,
        properties: &BTreeMap<String, String>,
        log: &WinPath,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, Failure> {
        let doing = format!("install {package}");
        let file = self.disk.open(package).context(&doing)?;
        let opened = Package::open(file, package.as_str()).context(&doing)?;
        let info = opened.info();
        if win32::is_installed(&info.product_code) && self.version_of(&info.product_code)? == info.product_version {
            return Ok(Outcome::default());
        }
        // Windows Installer reads the package itself.
        drop(opened);
        let mut command = msiexec("/i", &arguments::quoted(package), log);
        // Empty ones come last: not every parser of this line accepts `""` before other arguments.
        let (empty, rest): (Vec<_>, Vec<_>) = properties.iter().partition(|(_, value)| value.is_empty());
        for (name, value) in rest.into_iter().chain(empty) {
            command.raw_arg(arguments::property(name, value).map_err(|why| Failure::new(&doing, why))?);
        }
        self.run_msiexec(command, &doing, log, watch)
    }

    fn version_of(&self, code: &str) -> Result<String, Failure> {
        let key = uninstall_key(code)?;
        Ok(key.and_then(|key| key.text("DisplayVersion").map(str::to_owned)).unwrap_or_default())
    }

    /// Uninstalls a product, `with` a package if Windows Installer has lost its own. It may still be registered for a
    /// while afterwards.
    pub(super) fn uninstall(
        &self,
        (code, name): (&str, &str),
        with: Option<&WinPath>,
        log: &WinPath,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, Failure> {
        let doing = format!("uninstall {name} {code}");
        match uninstall_key(code)? {
            // One that is installed for a single user has its key in that user's hive.
            None if !win32::is_installed(code) => return Ok(Outcome::default()),
            Some(key) if key.number("WindowsInstaller") != Some(1) => {
                return self.uninstall_quietly(&key, &doing, log, watch);
            }
            _ => {}
        }
        let what = match with {
            None => code.to_owned(),
            Some(path) => {
                // Windows Installer would uninstall the product of any package.
                let package = Package::open(self.disk.open(path).context(&doing)?, path.as_str()).context(&doing)?;
                if !package.info().product_code.eq_ignore_ascii_case(code) {
                    return Err(Failure::new(doing, format!("{path} is the package of another product")));
                }
                arguments::quoted(path)
            }
        };
        let command = msiexec("/x", &what, log);
        match self.run_msiexec(command, &doing, log, watch) {
            // It was uninstalled in the meantime.
            Err(failure) if failure.kind == crate::platform::FailureKind::Ended(UNKNOWN_PRODUCT) => {
                match uninstall_key(code)? {
                    None => Ok(Outcome::default()),
                    Some(_) => Err(failure),
                }
            }
            ended => ended,
        }
    }

    /// A product that Windows Installer does not know registers its own silent uninstall command.
    fn uninstall_quietly(
        &self,
        key: &Key,
        doing: &str,
        log: &WinPath,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, Failure> {
        let line = key
            .text("QuietUninstallString")
            .ok_or_else(|| Failure::uninstalls_by_hand(doing, "it has no silent uninstall command"))?;
        let (path, rest) = arguments::program(line).ok_or_else(|| {
            Failure::uninstalls_by_hand(doing, format!("`{line}` does not start with the path of a program"))
        })?;
        let mut command = program::logged(&path, log, doing)?;
        command.raw_arg(rest);
        let code = program::run(&mut command, path.name(), doing, INSTALLER_LIMIT, None, watch)?;
        program::outcome(code, doing, log, "")
    }

    fn run_msiexec(
        &self,
        mut command: Command,
        doing: &str,
        log: &WinPath,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, Failure> {
        let code = program::run(&mut command, "msiexec.exe", doing, INSTALLER_LIMIT, Some(log), watch)?;
        installer_code::success(code).ok_or_else(|| {
            let why = if code == BUSY { who_is_at_work() } else { self.reason(log) };
            installer_code::failure(doing, "Windows Installer", code, &why.unwrap_or_default(), log)
        })
    }

    fn reason(&self, log: &WinPath) -> Option<String> {
        installer_log::reason(&installer_log::read(&self.disk, log).ok()?)
    }
}

/// Windows Installer by its full path: silent, with a log, and without a restart of Windows.
fn msiexec(verb: &str, what: &str, log: &WinPath) -> Command {
    let mut command = Command::new(format!("{}\\System32\\msiexec.exe", system::windows_folder()));
    command.raw_arg(verb).raw_arg(what).raw_arg("/qn").raw_arg("/norestart").raw_arg("REBOOT=ReallySuppress");
    command.raw_arg("/l*v").raw_arg(arguments::quoted(log));
    command
}

fn uninstall_key(code: &str) -> Result<Option<Key>, Failure> {
    for view in [View::Native, View::Wow32] {
        if let Some(key) = registry::key(view, &format!("{UNINSTALL}\\{code}"))? {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// Which installation is running, as far as known.
fn who_is_at_work() -> Option<String> {
    let product = registry::text(View::Native, IN_PROGRESS, "").ok().flatten();
    let installers: Vec<String> = process::all()
        .unwrap_or_default()
        .into_iter()
        .filter(|process| process.name.eq_ignore_ascii_case("msiexec.exe"))
        .map(|process| process.id.to_string())
        .collect();
    match (product, installers.is_empty()) {
        (Some(product), _) => Some(format!("it is installing {product}")),
        (None, false) => Some(format!("msiexec.exe, PID {}", installers.join(", "))),
        (None, true) => None,
    }
}

/// Another installation that is changing the machine, in words.
pub(super) fn at_work() -> Option<String> {
    let who = || who_is_at_work().map(|who| format!(" ({who})")).unwrap_or_default();
    win32::is_at_work().then(|| format!("another installation{}", who()))
}
