//! Operations: every change of the machine, as data.
//!
//! An operation is a *goal*: performing one that is already done, or half done, completes it. That is what lets a run go
//! on after a kill at any moment without asking how far an operation had come.

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

/// How long Windows Installer may take with one product before it is reported as still running.
pub const INSTALLER_LIMIT: Duration = Duration::from_secs(60 * 60);
/// How long a service may take to start or to stop.
pub const SERVICE_LIMIT: Duration = Duration::from_secs(3 * 60);

/// One change of the machine: what is journalled, done, undone and faulted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Op {
    /// Have a web application answer every request with a maintenance page, whatever is installed into its folder,
    /// which is created where it is missing.
    Close {
        /// The application's folder.
        folder: WinPath,
    },
    /// Copy a file or a whole folder into the backup, re-read the copy and write its manifest. What is not there is
    /// recorded as absent.
    BackUp {
        /// What is backed up.
        from: WinPath,
        /// Where the copy goes.
        to: WinPath,
        /// Folders below `from` that are left out.
        except: Vec<WinPath>,
    },
    /// Make a file or folder exactly what its backup holds; what the backup does not hold goes.
    Restore {
        /// The backup.
        from: WinPath,
        /// What is restored.
        to: WinPath,
        /// Folders below `to` that are left alone.
        except: Vec<WinPath>,
    },
    /// Copy a file, or everything in a folder, to another place, over what is there.
    Copy {
        /// What is copied.
        from: WinPath,
        /// Where it goes.
        to: WinPath,
    },
    /// Put content at a path, whole or not at all.
    Write {
        /// The file.
        path: WinPath,
        /// Its new content.
        content: Blob,
    },
    /// Give a file or folder another place on the same drive. Where nothing is left to move, nothing happens.
    Move {
        /// Where it is.
        from: WinPath,
        /// Where it goes.
        to: WinPath,
        /// True where it goes into a folder of the tool's own, which is created and private.
        aside: bool,
    },
    /// Remove a file, or a folder with all that is in it.
    Remove {
        /// What goes.
        path: WinPath,
    },
    /// Remove a folder that is empty, and the ones above it that become so. What is in use by others stays.
    RemoveEmpty {
        /// The innermost folder.
        path: WinPath,
        /// The outermost folder.
        up_to: WinPath,
    },
    /// Write a registry key with all below it into a file of the backup.
    ExportKey {
        /// Which registry.
        view: View,
        /// The key, such as `HKLM\SOFTWARE\Positive Networks\PhoneFactor`.
        key: String,
        /// The file.
        to: WinPath,
    },
    /// Make a registry key exactly what an exported file holds.
    ImportKey {
        /// Which registry.
        view: View,
        /// The key.
        key: String,
        /// The file that [`Op::ExportKey`] wrote.
        from: WinPath,
    },
    /// Have IIS keep a copy of its own configuration, for people: nothing here ever reads or removes it.
    BackUpWebServer {
        /// The name by which `appcmd restore backup` knows it.
        name: String,
    },
    /// Give an application of IIS its pool and the settings of its location.
    Configure {
        /// The site.
        site: SiteName,
        /// The application as it has to be.
        application: Application,
    },
    /// Give an application of IIS another path below its site, with the settings of its location. Its folder stays where
    /// its installer knows it. Where nothing is left to rename, nothing happens.
    RenameApplication {
        /// The site.
        site: SiteName,
        /// The path that it has; it may be the new one already.
        from: String,
        /// The path that it gets.
        to: String,
    },
    /// Start or stop a service.
    Service {
        /// The service.
        name: ServiceName,
        /// What it has to be.
        state: ServiceState,
        /// How it has to be started; `None` leaves that as it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start: Option<StartType>,
    },
    /// Install a Windows Installer package.
    Install {
        /// The package.
        package: WinPath,
        /// Properties for its command line.
        properties: BTreeMap<String, String>,
        /// Where its log goes.
        log: WinPath,
    },
    /// Uninstall a product, until it is really gone.
    Uninstall {
        /// Its product code.
        code: ProductCode,
        /// Its name, for people.
        name: String,
        /// Where the installer's log goes.
        log: WinPath,
        /// How the product is brought back; `None` is the point of no return.
        way_back: Option<WayBack>,
    },
    /// Run a program to its end, its child processes included.
    Run {
        /// The program.
        program: WinPath,
        /// Its arguments.
        arguments: Vec<String>,
        /// After this long the program is reported as still running; it is not killed.
        timeout: Duration,
        /// Where what it prints goes.
        log: WinPath,
    },
    /// Ask a person to do what only a person can.
    Ask {
        /// What is asked.
        gate: Gate,
    },
}

/// How an uninstalled product is brought back as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayBack {
    /// Its package, in the backup.
    pub package: WinPath,
    /// The properties it was installed with, as far as they can be told from the machine.
    pub properties: BTreeMap<String, String>,
    /// What has to be so before it is installed again: the data file an old agent can read.
    pub before: Vec<Op>,
    /// What has to be so afterwards: the settings of its application.
    pub after: Vec<Op>,
}

/// Something only a person can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Stable name, such as `activation`.
    pub id: String,
    /// What is to be done, in a few words.
    pub title: String,
    /// How it is done, with the exact values to type.
    pub instructions: Vec<String>,
    /// What is asked, as the operation that a simulated operator carries out; `None` where nothing on the machine changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<Box<Op>>,
    /// How long the machine is watched for a sign that it has been done before the person is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Duration>,
}

/// Content that may hold secrets: it is stored and shown as its size and SHA-256 only.
///
/// Read back from a journal it knows what the content was, but not the content; the step makes it anew.
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

    /// The content; `None` where this was read from a journal.
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
    /// One line for people: what is done, to what.
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
            Op::BackUpWebServer { name } => write!(f, "have IIS back up its configuration as {name}"),
            Op::Configure { site, application } => {
                write!(f, "configure the application {} of site \"{site}\"", application.path)
            }
            Op::RenameApplication { site, from, to } if from.eq_ignore_ascii_case(to) => {
                write!(f, "see that the application of site \"{site}\" is called {to}")
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
