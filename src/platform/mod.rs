//! The machine, real or simulated, behind two traits.
//!
//! [`Inspect`] is read-only; a preview gets nothing else, so the compiler ensures that it changes nothing. [`Platform`]
//! adds the one way to change the machine: [`Platform::perform`], which takes an [`Op`].

pub mod clock;
pub mod diagnosis;
pub mod disk;
pub mod facts;
mod files;
mod iis;
pub mod installer_code;
pub mod installer_log;
pub mod listing_cache;
pub mod op;
pub mod own;
pub mod registry;
pub mod searches;
mod sibling_files;
pub mod simulated;
mod windows;
pub mod wraps;

#[cfg(windows)]
pub use windows::Windows;

use crate::winpath::WinPath;
use disk::{Disk, ReadDisk};
use facts::{Application, ProgramVersion, Service, Signature, System, WebServer};
pub use files::{Manifest, ManifestEntry, OFFLINE, is_closed, manifest_of, verify_backup};
use jiff::Timestamp;
use op::Op;
use own::{AtStart, Notice};
use registry::{Key, Tree, View};
pub use sibling_files::BesidePackage;
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::time::Duration;

/// Why a query or an operation failed, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not {context}: {why}")]
pub struct Failure {
    /// The failed action: "stop the service MultiFactorAuth".
    pub context: String,
    /// Why it failed.
    pub why: String,
    /// What to do next; empty if unknown.
    pub next: String,
    /// Its kind.
    pub kind: FailureKind,
}

/// What a [`Failure`] means for the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureKind {
    /// It failed.
    Failed,
    /// An installer or program ended with this exit code; [`installer_code`] says what it means.
    Ended(i32),
    /// A program timed out and is still running; its outcome is unknown.
    StillRunning(Box<Process>),
    /// A backup does not match its manifest.
    DamagedBackup,
    /// Only the operator can do it.
    NeedsPerson,
    /// It was stopped on request between two blocks. Repeating it completes it.
    Stopped,
}

/// A program or installer that timed out. This program never ends it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Process {
    /// Its PID while it runs.
    pub id: u32,
    /// The program, or the installer with its package.
    pub program: String,
    /// When it started, because PIDs are reused.
    pub started: Timestamp,
}

impl Failure {
    /// A failure.
    pub fn new(context: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self { context: context.to_string(), why: why.to_string(), next: String::new(), kind: FailureKind::Failed }
    }

    /// The failure to uninstall a product without a silent uninstall command.
    pub(crate) fn uninstalls_by_hand(doing: impl fmt::Display, why: impl fmt::Display) -> Self {
        let next = "uninstall it in \"Programs and Features\"";
        Self::new(doing, why).next(next).of_kind(FailureKind::NeedsPerson)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn next(mut self, next: impl fmt::Display) -> Self {
        self.next = next.to_string();
        self
    }

    /// A process timed out after `limit` and is still running.
    pub fn still_running(doing: impl fmt::Display, process: Process, limit: Duration) -> Self {
        let (id, minutes) = (process.id, limit.as_secs().div_ceil(60));
        let why = format!("timed out after {minutes} min; PID {id} is still running, and its outcome is unknown");
        let next = format!("check what PID {id} is waiting for (a dialog?). Let it finish or end it");
        Self::new(doing, why).next(next).of_kind(FailureKind::StillRunning(Box::new(process)))
    }

    /// Sets its kind.
    #[must_use]
    pub fn of_kind(mut self, kind: FailureKind) -> Self {
        self.kind = kind;
        self
    }
}

/// Adds the failed action to any error.
pub trait Context<T> {
    /// Turns the error into a [`Failure`] of `what`.
    fn context(self, what: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: fmt::Display + Any> Context<T> for Result<T, E> {
    fn context(self, what: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| {
            let is_stop = (&error as &dyn Any).downcast_ref().is_some_and(disk::is_stop);
            Failure::new(what, error).of_kind(if is_stop { FailureKind::Stopped } else { FailureKind::Failed })
        })
    }
}

/// The outcome of an operation.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    /// Whether the installer requested a restart of Windows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reboot: bool,
    /// Whether that restart has already started: nothing may be begun before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restarting: bool,
    /// SHA-256 of the manifest of a backup, or of an exported key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The size of a backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// The key lines of an installer's log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// Notes for the operator and the report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The size of a backup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Size {
    /// The number of files.
    pub files: u64,
    /// Their total size in bytes.
    pub bytes: u64,
}

/// The progress of a long operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The total number of bytes to copy, as far as known.
    Total(u64),
    /// More bytes have been copied.
    Bytes(u64),
    /// A message.
    Says(String),
    /// The current action of an installer.
    Action(String),
}

/// Watches a long operation, and can stop it. A closure only receives progress.
pub trait Monitor {
    /// Receives progress.
    fn told(&mut self, progress: Progress);
    /// Whether the operation should stop. Copying and reading check between two blocks; what cannot be repeated safely
    /// never checks.
    fn wants_to_stop(&self) -> bool {
        false
    }
    /// Fails if the operation should stop.
    fn go_on(&self) -> io::Result<()> {
        if self.wants_to_stop() { Err(disk::stopped()) } else { Ok(()) }
    }
}

impl<F: FnMut(Progress)> Monitor for F {
    fn told(&mut self, progress: Progress) {
        self(progress);
    }
}

/// The response of a web server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status, such as 401 for a request for credentials.
    pub status: u16,
    /// The target of a redirect.
    pub location: Option<String>,
    /// What is wrong with the certificate.
    pub certificate: Option<String>,
}

/// Read-only access to the machine.
pub trait Inspect: Send + Sync {
    /// Its disk.
    fn files(&self) -> &dyn ReadDisk;
    /// Windows and its state.
    fn system(&self) -> Result<System, Failure>;
    /// The value of an environment variable of the machine, such as `ProgramData`.
    fn variable(&self, name: &str) -> Option<String>;
    /// A registry key such as `HKLM\SOFTWARE\…`; `None` if it does not exist.
    fn registry_key(&self, view: View, path: &str) -> Result<Option<Key>, Failure>;
    /// All services.
    fn services(&self) -> Result<Vec<Service>, Failure>;
    /// IIS, without the settings of its applications; `None` if it is not installed.
    fn web_server(&self) -> Result<Option<WebServer>, Failure>;
    /// An application with the settings of its location; `None` if it does not exist. Fails if IIS cannot use the
    /// location, such as for a malformed web.config: to users it responds with 500.19.
    fn application(&self, site: &str, path: &str) -> Result<Option<Application>, Failure>;
    /// The signature of a file.
    fn signature(&self, path: &WinPath) -> Result<Signature, Failure>;
    /// The version resource of a program; `None` if it has none.
    fn program_version(&self, path: &WinPath) -> Result<Option<ProgramVersion>, Failure>;
    /// Whether an account (`DOMAIN\name`) or a local group exists; `None` if its domain is not reachable.
    fn account_exists(&self, name: &str) -> Result<Option<bool>, Failure>;
    /// The response to a GET request without credentials; redirects are not followed. It may take a few seconds longer
    /// than `limit`.
    fn request(&self, url: &str, limit: Duration) -> Result<Response, Failure>;
    /// Whether a host name is one of this machine.
    fn is_own_host(&self, host: &str) -> bool;
    /// Bytes free on a drive.
    fn free_space(&self, drive: char) -> Result<u64, Failure>;

    /// The present UTC offset of the machine, in seconds east of UTC; `None` if unknown.
    fn utc_offset(&self) -> Option<i32> {
        None
    }

    /// What is not simulated when a package is installed on this machine. Only a simulated machine leaves anything out.
    fn leaves_out(&self, _package: &WinPath, _properties: &BTreeMap<String, String>) -> Vec<String> {
        Vec::new()
    }

    /// A key with all subkeys.
    fn registry_tree(&self, view: View, path: &str) -> Result<Option<Tree>, Failure> {
        let Some(key) = self.registry_key(view, path)? else { return Ok(None) };
        let mut tree = Tree { values: key.values, ..Tree::default() };
        for name in key.keys {
            if let Some(below) = self.registry_tree(view, &format!("{path}\\{name}"))? {
                tree.keys.insert(name, below);
            }
        }
        Ok(Some(tree))
    }

    /// Replaces every `%NAME%` in a text. Fails with the name of an unknown variable.
    fn expand(&self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('%') else {
                out.push('%');
                rest = after;
                continue;
            };
            out.push_str(&self.variable(name).ok_or_else(|| name.to_owned())?);
            rest = tail;
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// A machine that can be changed.
pub trait Platform: Inspect {
    /// Its disk, for the journal and the backups.
    fn disk(&self) -> &dyn Disk;
    /// Carries out an operation, or completes a partial one. `watch` receives progress, and may stop [`Op::BackUp`],
    /// [`Op::Restore`] and [`Op::Copy`], which then fail as [`FailureKind::Stopped`].
    fn perform(&self, op: &Op, watch: &mut dyn Monitor) -> Result<Outcome, Failure>;
    /// What must end before work continues: the timed-out process, if it is still running, or any other installation;
    /// `None` if there is nothing.
    fn running(&self, given_up: Option<&Process>) -> Result<Option<String>, Failure>;
    /// Registers a command that Windows runs at every start, replacing the previous one; `None` removes it.
    fn at_start(&self, command: Option<&AtStart>) -> Result<(), Failure>;
    /// Writes an entry to the event log; `text` contains no secrets.
    fn tell_event_log(&self, notice: Notice, text: &str) -> Result<(), Failure>;
    /// This process, for the lock record.
    fn this_process(&self) -> Process;
    /// Whether a process returned by [`Platform::this_process`] is still running.
    fn is_alive(&self, process: &Process) -> bool;
    /// When the machine was started; `None` if unknown.
    fn booted(&self) -> Option<Timestamp>;
    /// The read-only half.
    fn inspect(&self) -> &dyn Inspect;
}
