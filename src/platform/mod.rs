//! The machine, real or simulated, behind two traits.
//!
//! [`Inspect`] only answers questions; a preview gets nothing else, so the compiler sees to it that it changes nothing.
//! [`Platform`] adds the one way to change the machine: [`Platform::perform`], which takes an [`Op`].

pub mod clock;
pub mod diagnosis;
pub mod disk;
pub mod facts;
pub mod faulty;
mod files;
pub mod installer_code;
pub mod installer_log;
pub mod listing_cache;
pub mod op;
pub mod own;
pub mod registry;
mod sibling_files;
pub mod simulated;
mod windows;
mod wraps;

#[cfg(windows)]
pub use windows::Windows;

use crate::winpath::WinPath;
use disk::{Disk, ReadDisk};
use facts::{ProgramVersion, Service, Signature, System, WebServer};
pub use files::{Manifest, ManifestEntry, OFFLINE, manifest_of, verify_backup};
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

/// Why something could not be found out or done: a sentence for the administrator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not {context}: {why}")]
pub struct Failure {
    /// What was being done, to what: "stop the service MultiFactorAuth".
    pub context: String,
    /// Why it failed.
    pub why: String,
    /// What to do next; empty where nothing more is known.
    pub next: String,
    /// What the engine has to know about it.
    pub kind: FailureKind,
}

/// What a [`Failure`] means for the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureKind {
    /// It failed and is over.
    Failed,
    /// An installer or program ended with this exit code; [`installer_code`] says what it means.
    Ended(i32),
    /// A program was given up on and still runs; its outcome is not known.
    StillRunning(Box<Process>),
    /// A backup is not what its manifest says.
    DamagedBackup,
    /// No program can do it: a person has to.
    NeedsPerson,
    /// It has been stopped on request between two blocks. Context it again completes it.
    Stopped,
}

/// A program or installer that was started and given up on. It is never ended by this tool.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Process {
    /// The number by which Windows knows it, as long as it runs.
    pub id: u32,
    /// What it is: the program, or the installer and what it works on.
    pub program: String,
    /// When it began: numbers are used again.
    pub started: Timestamp,
}

impl Failure {
    /// A failure that is over.
    pub fn new(context: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self { context: context.to_string(), why: why.to_string(), next: String::new(), kind: FailureKind::Failed }
    }

    /// The failure of uninstalling what says of no way to do that without questions.
    pub(crate) fn uninstalls_by_hand(doing: impl fmt::Display, why: impl fmt::Display) -> Self {
        let next = "uninstall it in \"Programs and Features\", then go on";
        Self::new(doing, why).next(next).of_kind(FailureKind::NeedsPerson)
    }

    /// With what to do next.
    #[must_use]
    pub fn next(mut self, next: impl fmt::Display) -> Self {
        self.next = next.to_string();
        self
    }

    /// The failure of waiting longer than `limit` for a process that runs on.
    pub fn still_running(doing: impl fmt::Display, process: Process, limit: Duration) -> Self {
        let (id, minutes) = (process.id, limit.as_secs().div_ceil(60));
        let why = format!(
            "it has not ended within {minutes} min. It is not stopped: process {id} still runs, and its outcome is not \
             known"
        );
        let next = format!(
            "look what process {id} waits for, and let it end, or end it if it hangs; what goes on waits for it first"
        );
        Self::new(doing, why).next(next).of_kind(FailureKind::StillRunning(Box::new(process)))
    }

    /// With its meaning for the run.
    #[must_use]
    pub fn of_kind(mut self, kind: FailureKind) -> Self {
        self.kind = kind;
        self
    }
}

/// Adds to an error of any kind what was being done.
pub trait Context<T> {
    /// Turns the error into a [`Failure`] of doing `what`.
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

/// What performing an operation brought to light.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    /// The installer wants a restart of Windows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reboot: bool,
    /// SHA-256 of the manifest of a backup, or of an exported key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// How much a backup holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// The lines of an installer's log that matter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// Words for the operator and the report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How much a backup holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Size {
    /// How many files.
    pub files: u64,
    /// Bytes in all of them.
    pub bytes: u64,
}

/// What an operation that takes long tells while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes have to be copied in all, as far as is known so far.
    Total(u64),
    /// So many more bytes have been copied.
    Bytes(u64),
    /// A sign of life, in words.
    Says(String),
    /// What an installer is at just now, in its own words.
    Action(String),
}

/// Whoever watches an operation that takes long, and may want it to stop. A closure only listens.
pub trait Monitor {
    /// Hears how far the operation is.
    fn told(&mut self, progress: Progress);
    /// Whether the operation is to stop. Copying and reading ask between two blocks; what cannot be repeated safely
    /// never asks.
    fn wants_to_stop(&self) -> bool {
        false
    }
    /// Fails where the operation is to stop.
    fn go_on(&self) -> io::Result<()> {
        if self.wants_to_stop() { Err(disk::stopped()) } else { Ok(()) }
    }
}

impl<F: FnMut(Progress)> Monitor for F {
    fn told(&mut self, progress: Progress) {
        self(progress);
    }
}

/// Questions to the machine. No method changes anything.
pub trait Inspect: Send + Sync {
    /// Its disk.
    fn files(&self) -> &dyn ReadDisk;
    /// Windows and its state.
    fn system(&self) -> Result<System, Failure>;
    /// The value of an environment variable of the machine, such as `ProgramData`.
    fn variable(&self, name: &str) -> Option<String>;
    /// A registry key such as `HKLM\SOFTWARE\…`; `None` where there is none.
    fn registry_key(&self, view: View, path: &str) -> Result<Option<Key>, Failure>;
    /// All services.
    fn services(&self) -> Result<Vec<Service>, Failure>;
    /// IIS; `None` where it is not installed.
    fn web_server(&self) -> Result<Option<WebServer>, Failure>;
    /// Who signed a file.
    fn signature(&self, path: &WinPath) -> Result<Signature, Failure>;
    /// The version resource of a program; `None` where it has none.
    fn program_version(&self, path: &WinPath) -> Result<Option<ProgramVersion>, Failure>;
    /// Whether an account (`DOMAIN\name`) or a local group exists; `None` where nobody can be asked who would know.
    fn account_exists(&self, name: &str) -> Result<Option<bool>, Failure>;
    /// The status with which an address answers, such as 401 where it asks who is there.
    fn http_status(&self, url: &str) -> Result<u16, Failure>;
    /// Bytes free on a drive.
    fn free_space(&self, drive: char) -> Result<u64, Failure>;

    /// The offset of the machine's own time just now, in seconds east of UTC; `None` where it cannot be told.
    fn utc_offset(&self) -> Option<i32> {
        None
    }

    /// What installing a package on this machine would leave out, in words. Only a simulated machine leaves anything out.
    fn leaves_out(&self, _package: &WinPath, _properties: &BTreeMap<String, String>) -> Vec<String> {
        Vec::new()
    }

    /// A key with all below it.
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

    /// Replaces every `%NAME%` in a text; the error names the variable that does not exist.
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
    /// Its disk, for the journal and the backups, which are the engine's own.
    fn disk(&self) -> &dyn Disk;
    /// Carries out one operation, or completes it where it is half done. `watch` hears of what takes long, and may stop
    /// [`Op::BackUp`], [`Op::Restore`] and [`Op::Copy`], which fail as [`FailureKind::Stopped`] then.
    fn perform(&self, op: &Op, watch: &mut dyn Monitor) -> Result<Outcome, Failure>;
    /// What has to end before work goes on: the process that was given up on, if it still runs, or else an installation
    /// of anybody's. In words; `None` where nothing is in the way.
    fn running(&self, given_up: Option<&Process>) -> Result<Option<String>, Failure>;
    /// Has Windows carry out a command at its every start, instead of the one before; without one, none any more.
    fn at_start(&self, command: Option<&AtStart>) -> Result<(), Failure>;
    /// Writes an entry into the event log; `text` has no secrets in it.
    fn tell_event_log(&self, notice: Notice, text: &str) -> Result<(), Failure>;
    /// This process, as a later one can tell of it.
    fn this_process(&self) -> Process;
    /// Whether a process of this program, of which [`Platform::this_process`] once told, still runs.
    fn is_alive(&self, process: &Process) -> bool;
    /// When the machine was started; `None` where that cannot be told.
    fn booted(&self) -> Option<Timestamp>;
    /// The half that only answers questions.
    fn inspect(&self) -> &dyn Inspect;
}
