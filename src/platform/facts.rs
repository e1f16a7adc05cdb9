//! Facts about a machine: plain data, the same from every backend.

use crate::names::{ServiceName, SiteName};
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The processor architecture of Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bits {
    /// 32-bit Windows.
    X86,
    /// 64-bit Windows.
    X64,
}

impl Bits {
    /// `32` or `64`, the suffix of the web installers' names.
    pub fn number(self) -> u8 {
        match self {
            Bits::X86 => 32,
            Bits::X64 => 64,
        }
    }
}

/// The operating system and the relevant part of its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct System {
    /// The computer's name.
    pub name: String,
    /// Such as `Windows Server 2012 R2 (6.3.9600)`.
    pub windows: String,
    /// Its architecture.
    pub bits: Bits,
    /// Whether this process has administrator rights.
    pub elevated: bool,
    /// The release number of .NET Framework 4.x from the registry; `None` if there is none.
    #[serde(default)]
    pub dotnet_release: Option<u32>,
    /// Visual C++ 2015 or later for 32-bit programs.
    #[serde(default)]
    pub vc_x86: bool,
    /// Visual C++ 2015 or later for 64-bit programs.
    #[serde(default)]
    pub vc_x64: bool,
    /// The security identifier of the account of this process; `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The name of that account, such as `CONTOSO\admin`; `None` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Files that the next restart will rename or delete.
    #[serde(default)]
    pub pending_renames: Vec<String>,
}

impl System {
    /// VersionNT of Windows Installer, which knows nothing later than Windows 8.1 and Server 2012 R2 (Microsoft,
    /// "Operating System Property Values"): `603` for `Windows Server 2012 R2 (6.3.9600)`. `None` if unknown.
    pub fn version_nt(&self) -> Option<String> {
        let (_, version) = self.windows.rsplit_once('(')?;
        let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
        let (major, minor) = numbers.next().flatten().zip(numbers.next().flatten())?;
        Some((major * 100 + minor).min(603).to_string())
    }

    /// The paths that the next restart will rename, replace or delete, without the prefixes `!` and `\??\` in the
    /// registry.
    pub fn pending_paths(&self) -> impl Iterator<Item = WinPath> + '_ {
        let path = |entry: &String| WinPath::new(entry.trim_start_matches('!').trim_start_matches(r"\??\")).ok();
        self.pending_renames.iter().filter_map(path)
    }
}

/// The start type of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartType {
    /// With Windows.
    Automatic,
    /// On demand.
    Manual,
    /// Never.
    Disabled,
}

/// Whether a service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceState {
    /// It runs.
    Running,
    /// It does not run.
    Stopped,
}

/// A Windows service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Service {
    /// The name by which it is controlled.
    pub name: ServiceName,
    /// The name shown in the console.
    pub display_name: String,
    /// Its registered command line, including quotes and arguments.
    pub image_path: String,
    /// Whether it runs.
    pub state: ServiceState,
    /// Its start type.
    pub start: StartType,
    /// The account it runs as.
    pub account: String,
    /// The services that it depends on. If one of them stops, so does it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<ServiceName>,
}

impl Service {
    /// Whether it depends on the service with this name.
    pub fn needs(&self, name: &ServiceName) -> bool {
        self.depends_on.contains(name)
    }

    /// The program of the command line, if it is an absolute path.
    pub fn program(&self) -> Option<WinPath> {
        // The Service Control Manager also starts paths in the form of the Windows NT kernel.
        let line = self.image_path.trim();
        let line = line.strip_prefix(r"\??\").unwrap_or(line);
        let program = match line.strip_prefix('"') {
            Some(rest) => rest.split('"').next()?,
            // An unquoted path may contain spaces: it ends with the first `.exe`.
            None => match line.to_ascii_lowercase().find(".exe") {
                Some(at) => &line[..at + 4],
                None => line.split(' ').next()?,
            },
        };
        WinPath::new(program).ok()
    }
}

/// Services in an order in which they can be started: each after its dependencies. In reverse order they can be
/// stopped.
pub fn in_start_order(services: Vec<Service>) -> Vec<Service> {
    let (mut ordered, mut left): (Vec<Service>, Vec<Service>) = (Vec::new(), services);
    while !left.is_empty() {
        let can_start = |service: &Service| !left.iter().any(|other| service.needs(&other.name));
        // Services that depend on each other have no order, but all are returned.
        let at = left.iter().position(can_start).unwrap_or_default();
        ordered.push(left.remove(at));
    }
    ordered
}

/// The configuration of IIS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WebServer {
    /// The relevant installed features of IIS: `asp-net`, `metabase-compatibility`.
    #[serde(default)]
    pub features: Vec<String>,
    /// Modules loaded for every site, with the file each comes from.
    #[serde(default)]
    pub global_modules: BTreeMap<String, WinPath>,
    /// Application pools.
    #[serde(default, rename = "pool")]
    pub pools: Vec<Pool>,
    /// Sites.
    #[serde(default, rename = "site")]
    pub sites: Vec<Site>,
}

impl WebServer {
    /// A pool by its name, which IIS matches ignoring case.
    pub fn pool(&self, name: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.name.eq_ignore_ascii_case(name))
    }

    /// A site by its name.
    pub fn site(&self, name: &str) -> Option<&Site> {
        self.sites.iter().find(|site| site.name == *name)
    }

    /// An application by its site and its path (`/MultiFactorAuth`).
    pub fn application(&self, site: &str, path: &str) -> Option<&Application> {
        self.site(site)?.applications.iter().find(|found| found.path.eq_ignore_ascii_case(path))
    }
}

/// An application pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Version of the CLR, such as `v4.0`.
    pub clr: String,
    /// `Integrated` or `Classic`.
    pub pipeline: String,
    /// The account it runs as.
    pub identity: String,
    /// Whether it runs 32-bit code on 64-bit Windows.
    #[serde(default)]
    pub enable_32bit: bool,
}

impl Pool {
    /// Version 7 and later of the web components need CLR v4 in the integrated pipeline.
    pub fn fits(&self) -> bool {
        self.clr.eq_ignore_ascii_case("v4.0") && self.pipeline.eq_ignore_ascii_case("Integrated")
    }
}

/// A web site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Site {
    /// Its number, which installers use: `/LM/W3SVC/<id>`.
    pub id: u32,
    /// Its name.
    pub name: SiteName,
    /// The folder of its root application.
    pub folder: WinPath,
    /// Such as `https/*:443:mfa.example.com`.
    pub bindings: Vec<String>,
    /// The applications below its root.
    #[serde(default, rename = "application")]
    pub applications: Vec<Application>,
}

impl Site {
    /// The URL of a path of this site, from its bindings, HTTPS first. `<server-name>` stands for a host name that no
    /// binding has.
    pub fn url(&self, path: &str) -> String {
        let mut bindings: Vec<&String> = self.bindings.iter().collect();
        bindings.sort_by_key(|binding| !binding.starts_with("https/"));
        let parts = bindings.first().and_then(|binding| {
            let (scheme, rest) = binding.split_once('/')?;
            let (rest, host) = rest.rsplit_once(':')?;
            Some((scheme, rest.rsplit_once(':')?.1, host))
        });
        let (scheme, port, host) = parts.unwrap_or(("https", "443", ""));
        let host = if host.is_empty() { "<server-name>" } else { host };
        match (scheme, port) {
            ("https", "443") | ("http", "80") => format!("{scheme}://{host}{path}"),
            _ => format!("{scheme}://{host}:{port}{path}"),
        }
    }
}

/// An application of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Application {
    /// Its path below the site, with the leading slash.
    pub path: String,
    /// The folder it is served from.
    pub folder: WinPath,
    /// The pool it runs in.
    pub pool: String,
    /// The settings of its location (authentication, SSL flags), by attribute; empty where they were not asked for.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
}

impl Application {
    /// Whether it is as `wanted`, which need not name every setting: an older journal has only those that were set.
    pub fn is_as(&self, wanted: &Self) -> bool {
        let Self { path, folder, pool, settings } = wanted;
        let has = |(name, value): (&String, &String)| self.settings.get(name) == Some(value);
        (path, folder, pool) == (&self.path, &self.folder, &self.pool) && settings.iter().all(has)
    }
}

/// The signature of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// No signature, or an invalid one.
    None,
    /// A valid signature, with the name in its certificate.
    Signed {
        /// The signer's common name.
        by: String,
    },
}

/// The version resource of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ProgramVersion {
    /// Name of the product it belongs to.
    pub product: String,
    /// Version of the product, such as `8.0.1.1`.
    pub version: String,
}
