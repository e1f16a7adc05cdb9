//! Operations: every change of the machine, as data.
//!
//! An operation is a *goal*: performing one that is already or partially done completes it. Therefore a run can
//! continue after a kill at any moment without knowing how far an operation got.

use super::disk::hash_bytes;
use super::facts::{Application, ServiceState, StartType};
use super::registry::View;
use crate::names::{ProductCode, ServiceName, SiteName};
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long Windows Installer may take for a product before it is reported as still running.
pub const INSTALLER_LIMIT: Duration = Duration::from_secs(60 * 60);
/// How long a service may take to start or to stop.
pub const SERVICE_LIMIT: Duration = Duration::from_secs(3 * 60);

/// A change of the machine: what is recorded, done, undone and faulted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Op {
    /// Make a web application respond to every request with a maintenance page, whatever is installed in its folder,
    /// which is created if missing.
    Close {
        /// The application's folder.
        folder: WinPath,
    },
    /// Copy a file or folder to the backup, verify the copy and write its manifest. A missing source is recorded as
    /// absent.
    BackUp {
        /// What is backed up.
        from: WinPath,
        /// The folder of the copy.
        to: WinPath,
        /// Excluded folders below `from`.
        except: Vec<WinPath>,
    },
    /// Make a file or folder identical to its backup; anything else is removed.
    Restore {
        /// The backup.
        from: WinPath,
        /// The path to restore.
        to: WinPath,
        /// Folders below `to` that are not changed.
        except: Vec<WinPath>,
    },
    /// Copy a file, or everything in a folder, to another path, overwriting existing files.
    Copy {
        /// What is copied.
        from: WinPath,
        /// The new path.
        to: WinPath,
    },
    /// Write content to a file, atomically.
    Write {
        /// The file.
        path: WinPath,
        /// Its new content.
        content: Blob,
    },
    /// Move a file or folder on the same drive. If nothing is left to move, nothing happens.
    Move {
        /// Its path.
        from: WinPath,
        /// The new path.
        to: WinPath,
        /// Whether the new path is in a private folder of this program, which is created.
        aside: bool,
    },
    /// Remove a file, or a folder with its content.
    Remove {
        /// The path to remove.
        path: WinPath,
    },
    /// Remove a folder if it is empty, and its parents that become empty.
    RemoveEmpty {
        /// The innermost folder.
        path: WinPath,
        /// The outermost folder.
        up_to: WinPath,
    },
    /// Export a registry key with all subkeys to a file of the backup.
    ExportKey {
        /// Which registry.
        view: View,
        /// The key, such as `HKLM\SOFTWARE\Positive Networks\PhoneFactor`.
        key: String,
        /// The file.
        to: WinPath,
    },
    /// Make a registry key identical to an exported file.
    ImportKey {
        /// Which registry.
        view: View,
        /// The key.
        key: String,
        /// The file that [`Op::ExportKey`] wrote.
        from: WinPath,
    },
    /// Make IIS back up its own configuration, for manual recovery: this program never reads or removes it.
    BackUpWebServer {
        /// Its name for `appcmd restore backup`.
        name: String,
    },
    /// Set the pool of an application in IIS and the settings of its location.
    Configure {
        /// The site.
        site: SiteName,
        /// The target state of the application.
        application: Application,
    },
    /// Rename an application in IIS, with the settings of its location. Its folder stays where its installer expects
    /// it. If nothing is left to rename, nothing happens.
    RenameApplication {
        /// The site.
        site: SiteName,
        /// The old path; it may already be the new one.
        from: String,
        /// The new path.
        to: String,
    },
    /// Start or stop a service.
    Service {
        /// The service.
        name: ServiceName,
        /// The target state.
        state: ServiceState,
        /// The target start type; `None` does not change it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start: Option<StartType>,
    },
    /// Install a Windows Installer package.
    Install {
        /// The package.
        package: WinPath,
        /// Properties for its command line.
        properties: BTreeMap<String, String>,
        /// The path of its log.
        log: WinPath,
    },
    /// Uninstall a product, and wait until it is gone.
    Uninstall {
        /// Its product code.
        code: ProductCode,
        /// Its display name.
        name: String,
        /// The path of the installer's log.
        log: WinPath,
        /// How to reinstall the product; `None` is the point of no return.
        way_back: Option<WayBack>,
    },
    /// Run a program and wait for it and its child processes.
    Run {
        /// The program.
        program: WinPath,
        /// Its arguments.
        arguments: Vec<String>,
        /// After this long the program is reported as still running; it is not killed.
        timeout: Duration,
        /// The path for its output.
        log: WinPath,
    },
    /// Ask the operator to complete a gate.
    Ask {
        /// Its title.
        gate: Gate,
    },
}

/// How to reinstall an uninstalled product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayBack {
    /// Its package, in the backup.
    pub package: WinPath,
    /// Its installation properties, as far as known from the machine.
    pub properties: BTreeMap<String, String>,
    /// What must be restored before it is reinstalled: the data file that an old agent can read.
    pub before: Vec<Op>,
    /// What must be restored afterwards: the settings of its application.
    pub after: Vec<Op>,
    /// The package to uninstall it with, if Windows Installer has lost its own copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uninstalls_with: Option<WinPath>,
}

/// A manual step that only the operator can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Stable ID, such as `activation`.
    pub id: String,
    /// The task, in a few words.
    pub title: String,
    /// The instructions, with the exact values to type.
    pub instructions: Vec<String>,
    /// The operation that a simulated operator carries out; `None` if nothing on the machine changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<Box<Op>>,
    /// How long to watch the machine for completion before asking the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Duration>,
}

/// Content that may contain secrets: only its size and SHA-256 are stored and shown.
///
/// After reading it from a journal, the content itself is unknown; the step generates it again.
#[derive(Clone, Serialize, Deserialize)]
pub struct Blob {
    #[serde(skip)]
    bytes: Option<Arc<[u8]>>,
    len: u64,
    sha256: String,
}

impl Blob {
    /// Wraps content.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self { len: bytes.len() as u64, sha256: hash_bytes(&bytes), bytes: Some(bytes) }
    }

    /// The content; `None` if this was read from a journal.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }

    /// SHA-256 in lower-case hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

impl PartialEq for Blob {
    fn eq(&self, other: &Self) -> bool {
        self.sha256 == other.sha256 && self.len == other.len
    }
}

impl Eq for Blob {}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, SHA-256 {}", self.len, self.sha256)
    }
}

impl Op {
    /// Stops a service.
    pub fn stop(name: &ServiceName) -> Self {
        Self::Service { name: name.clone(), state: ServiceState::Stopped, start: None }
    }
}

impl fmt::Display for Op {
    /// A description on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Close { folder } => write!(f, "close {folder} to users"),
            Op::BackUp { from, to, .. } => write!(f, "back up {from} to {to}"),
            Op::Restore { from, to, .. } => write!(f, "restore {to} from {from}"),
            Op::Copy { from, to } => write!(f, "copy {from} to {to}"),
            Op::Write { path, .. } => write!(f, "write {path}"),
            Op::Move { from, to, .. } => write!(f, "move {from} to {to}"),
            Op::Remove { path } => write!(f, "remove {path}"),
            Op::RemoveEmpty { path, .. } => write!(f, "remove {path} if it is empty"),
            Op::ExportKey { key, to, .. } => write!(f, "export the registry key {key} to {to}"),
            Op::ImportKey { key, from, .. } => write!(f, "restore the registry key {key} from {from}"),
            Op::BackUpWebServer { name } => write!(f, "back up the IIS configuration as {name}"),
            Op::Configure { site, application } => {
                write!(f, "configure the application {} of site \"{site}\"", application.path)
            }
            Op::RenameApplication { site, from, to } if from.eq_ignore_ascii_case(to) => {
                write!(f, "ensure that the application of site \"{site}\" has the name {to}")
            }
            Op::RenameApplication { site, from, to } => {
                write!(f, "rename the application {from} of site \"{site}\" to {to}")
            }
            Op::Service { name, state: ServiceState::Running, .. } => write!(f, "start the service {name}"),
            Op::Service { name, state: ServiceState::Stopped, .. } => write!(f, "stop the service {name}"),
            Op::Install { package, .. } => write!(f, "install {package}"),
            Op::Uninstall { name, code, .. } => write!(f, "uninstall {name} {code}"),
            Op::Run { program, .. } => write!(f, "run {program}"),
            Op::Ask { gate } => write!(f, "ask the operator: {}", gate.title),
        }
    }
}
