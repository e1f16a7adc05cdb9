//! The facts of a simulated machine: `machine.toml`.

use super::registry::{self, Registry};
use super::trouble::{Running, Trouble};
use crate::platform::disk::{self, Disk};
use crate::platform::facts::{Service, System, WebServer, in_start_order};
use crate::platform::registry::{Key, Value, View};
use crate::platform::{Context, Failure};
use crate::winpath::{WinPath, fold};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the format of `machine.toml`.
pub const FORMAT: u32 = 1;

/// A captured machine with thousands of registry keys has a few megabytes.
const LIMIT: u64 = 64 << 20;

const HEADER: &str = "\
# A simulated Windows server. The folders beside this file are its drives; the rest of what it knows is here.
# `registry` has the keys as a 64-bit program sees them; `installed` is what Windows Installer remembers of a product.

";

/// Everything a simulated machine has besides its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MachineFacts {
    /// Version of this format, [`FORMAT`].
    pub format: u32,
    /// When Windows was last started, if it has been since the machine was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booted: Option<Timestamp>,
    /// Whether an installer has started a restart of Windows that is not over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restarting: bool,
    /// Its UTC offset, in minutes east of UTC; unknown if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utc_offset_minutes: Option<i32>,
    /// Windows and its state.
    pub system: System,
    /// Environment variables of the machine, matched ignoring case.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Bytes free on each drive, by its letter.
    #[serde(default)]
    pub free_space: BTreeMap<char, u64>,
    /// IIS of a machine to create, or of an older machine; a machine that is open has it in `applicationHost.config`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_server: Option<WebServer>,
    /// All services.
    #[serde(default, rename = "service")]
    pub services: Vec<Service>,
    /// The signers of files. A file that is not listed is not signed.
    #[serde(default, rename = "signature")]
    pub signatures: Vec<Signed>,
    /// Accounts (`DOMAIN\name`) and local groups that exist. Without this list, all are unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<Vec<String>>,
    /// Accounts and groups whose existence is unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_accounts: Vec<String>,
    /// What URLs respond, whatever is served there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, Scripted>,
    /// The names in DNS of this machine besides its own; without this list, those of its bindings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_names: Option<Vec<String>>,
    /// The registry, as a 64-bit program sees it.
    #[serde(default)]
    pub registry: Registry,
    /// The data of Windows Installer, by product code.
    #[serde(default)]
    pub installed: BTreeMap<String, Installed>,
    /// The problems to simulate.
    #[serde(default, rename = "trouble", skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Trouble>,
    /// Timed-out programs that are still running.
    #[serde(default, rename = "process", skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<Running>,
    /// The tasks that run at the start of Windows.
    #[serde(default, rename = "task", skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Task>,
}

/// The response of a URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scripted {
    /// Always this status.
    Status(u16),
    /// More than a status.
    Response(ScriptedResponse),
}

/// A response that may depend on the version that is served there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScriptedResponse {
    /// The status of the old version, or of what is no component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<u16>,
    /// The status of the new version; that of the old one if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<u16>,
    /// The target of a redirect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What is wrong with the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

impl From<u16> for Scripted {
    fn from(status: u16) -> Self {
        Self::Status(status)
    }
}

/// A task of the Task Scheduler that runs at every start of Windows, as SYSTEM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// The program that it starts.
    pub program: WinPath,
    /// The program's arguments.
    #[serde(default)]
    pub arguments: Vec<String>,
}

/// The signer of a file, which is identified by its path or its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Signed {
    /// Its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<WinPath>,
    /// SHA-256 in hexadecimal: every copy is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The common name in the signer's certificate.
    pub by: String,
}

/// The stage of a product in Windows Installer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Its installation was started and not finished.
    Installing,
    /// It is installed.
    Installed,
    /// Its removal was started and not finished.
    Removing,
}

/// The data of Windows Installer about a product, for its removal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Installed {
    /// How far it is.
    pub stage: Stage,
    /// The product's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it is registered in the 32-bit view.
    pub wow32: bool,
    /// Whether it is installed for one user.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub per_user: bool,
    /// Its package in the cache.
    pub package: WinPath,
    /// Its files.
    pub files: Vec<WinPath>,
    /// The folders that are removed with it if empty, inner ones first.
    pub folders: Vec<WinPath>,
    /// The services it installed.
    #[serde(default)]
    pub services: Vec<String>,
    /// The registry values it wrote: key, as a 64-bit program sees it, and name.
    #[serde(default)]
    pub values: Vec<(String, String)>,
    /// The registry keys that are removed with all subkeys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// What else is removed with it, whoever created it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sweeps: Vec<Sweep>,
    /// The application in IIS that it created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<OwnApplication>,
}

/// Files to remove from a folder, or the folder itself if it is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sweep {
    /// The folder.
    pub folder: WinPath,
    /// The files' name, which may have `*` and `?`; none for the folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An application in IIS that an installer created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OwnApplication {
    /// The site's name.
    pub site: String,
    /// The path of the application below the site.
    pub path: String,
}

/// The path of `machine.toml`: beside the drives.
pub(super) fn path() -> WinPath {
    WinPath::outside_drives("machine.toml")
}

impl MachineFacts {
    /// A machine without any products.
    pub fn new(system: System) -> Self {
        Self {
            booted: None,
            restarting: false,
            utc_offset_minutes: None,
            format: FORMAT,
            system,
            variables: BTreeMap::new(),
            free_space: BTreeMap::new(),
            web_server: None,
            services: Vec::new(),
            signatures: Vec::new(),
            accounts: None,
            unknown_accounts: Vec::new(),
            answers: BTreeMap::new(),
            host_names: None,
            registry: Registry::default(),
            installed: BTreeMap::new(),
            troubles: Vec::new(),
            processes: Vec::new(),
            tasks: Vec::new(),
        }
    }

    /// A registry key, with what Windows writes there about runtimes that are facts of the machine.
    pub(super) fn registry_key(&self, view: View, path: &str) -> Option<Key> {
        let real = |view, path: &str| registry::real_path(self.system.bits, view, path);
        let path = real(view, path);
        let mut key = self.registry.key(&path);
        for (view, at, name, value) in self.of_windows() {
            if fold(&real(view, at)) == fold(&path) {
                let key = key.get_or_insert_default();
                if key.value(name).is_none() {
                    key.values.insert(name.to_owned(), Value::Number(value));
                }
            }
        }
        key
    }

    /// Writes a registry value as a program of this view does.
    pub(crate) fn set_registry(&mut self, view: View, path: &str, name: &str, value: Value) {
        let path = registry::real_path(self.system.bits, view, path);
        self.registry.set(&path, name, value);
    }

    /// Where Windows has the facts about runtimes. .NET: Microsoft, "Determine which .NET Framework versions are
    /// installed"; Visual C++: Microsoft, "Redistributing Visual C++ Files", written by a 32-bit setup.
    fn of_windows(&self) -> Vec<(View, &'static str, &'static str, u32)> {
        const DOTNET: &str = r"HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full";
        const X86: &str = r"HKLM\SOFTWARE\Microsoft\VisualStudio\14.0\VC\Runtimes\x86";
        const X64: &str = r"HKLM\SOFTWARE\Microsoft\VisualStudio\14.0\VC\Runtimes\x64";
        let mut all = Vec::new();
        for view in [View::Native, View::Wow32] {
            let dotnet = self.system.dotnet_release;
            all.extend(
                dotnet
                    .into_iter()
                    .flat_map(|release| [(view, DOTNET, "Install", 1), (view, DOTNET, "Release", release)]),
            );
        }
        all.extend(self.system.vc_x86.then_some((View::Wow32, X86, "Installed", 1)));
        all.extend(self.system.vc_x64.then_some((View::Wow32, X64, "Installed", 1)));
        all
    }

    /// The text of `machine.toml`.
    pub fn to_text(&self) -> Result<String, toml::ser::Error> {
        Ok(format!("{HEADER}{}", toml::to_string(self)?))
    }

    /// Parses the text of a `machine.toml`. The error shows the wrong line.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let facts: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if facts.format != FORMAT {
            return Err(format!("it has format {}, but this pfupgrade reads format {FORMAT}", facts.format));
        }
        let ordered = in_start_order(facts.services.clone());
        let needs_later = |(at, service): &(usize, &Service)| ordered[*at..].iter().any(|it| service.needs(&it.name));
        if let Some((_, service)) = ordered.iter().enumerate().find(needs_later) {
            return Err(format!("the service {} depends on itself through others", service.name));
        }
        match facts.signatures.iter().find(|signed| signed.path.is_some() == signed.sha256.is_some()) {
            Some(signed) => Err(format!("a signature by \"{}\" needs either a path or a sha256", signed.by)),
            None => Ok(facts),
        }
    }

    /// Reads the facts of the machine on a disk.
    pub fn read(disk: &dyn Disk) -> Result<Self, Failure> {
        let doing = "read the simulated machine's machine.toml";
        let wrong = |why: String| Failure::new(doing, why).next("fix the file, or recreate the machine");
        let bytes = disk::read(disk.as_read(), &path(), LIMIT).map_err(|error| {
            // The file has no path on the machine.
            wrong(error.to_string().replace(path().as_str(), "machine.toml"))
        })?;
        if matches!(bytes.as_slice(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [_, 0, ..] | [0, _, ..]) {
            return Err(wrong("the file is UTF-16; save it as UTF-8".to_owned()));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let line =
                error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
            wrong(format!("line {} is not UTF-8", line + 1))
        })?;
        Self::from_text(text.strip_prefix('\u{feff}').unwrap_or(&text)).map_err(wrong)
    }

    /// Writes them to the machine on a disk, atomically, and its IIS into its own file.
    pub fn write(&self, disk: &dyn Disk) -> Result<(), Failure> {
        if self.web_server.is_some() {
            return self.clone().with_iis_in_place(disk)?.write(disk);
        }
        let doing = "write the simulated machine's machine.toml";
        let text = self.to_text().context(doing)?;
        disk::replace(disk, &path(), text.as_bytes()).context(doing)
    }

    /// The value of an environment variable.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let name = fold(name);
        self.variables.iter().find(|(key, _)| fold(key) == name).map(|(_, value)| value.as_str())
    }

    /// A service by its name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == *name)
    }

    pub(super) fn service_mut(&mut self, name: &str) -> Option<&mut Service> {
        self.services.iter_mut().find(|service| service.name == *name)
    }

    /// What Windows Installer remembers of a product.
    pub fn product(&self, code: &str) -> Option<&Installed> {
        self.installed.iter().find(|(key, _)| key.eq_ignore_ascii_case(code)).map(|(_, product)| product)
    }
}
