//! One run at a time: a lock of the operating system, and a record of its owner.
//!
//! Only the lock counts. It ends with its process, in any case; the record then identifies the process.

use super::{Engine, EngineError, USUAL_STATE};
use crate::platform::disk::{self, Disk, Lock};
use crate::platform::{Failure, Process};
use crate::winpath::WinPath;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The maximum size of a record, which is one line.
const LIMIT: u64 = 64 << 10;
const RECORD: &str = "owner.json";

/// The process that holds, or held, the lock of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The process.
    pub process: Process,
    /// When its machine was started, if known.
    pub booted: Option<Timestamp>,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Process { id, program, started } = &self.process;
        write!(f, "{program} PID {id} (started {started:.0})")
    }
}

/// Holds the lock of a machine until it is dropped.
pub struct LockGuard<'a> {
    disk: &'a dyn Disk,
    record: WinPath,
    /// The previous owner, if it exited without releasing the lock.
    pub died: Option<PreviousOwner>,
    _lock: Box<dyn Lock>,
}

/// A previous owner that exited without releasing the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousOwner {
    /// The process; `None` if its record is incomplete.
    pub owner: Option<Owner>,
    /// Whether Windows has been restarted since.
    pub restarted: bool,
}

impl fmt::Display for PreviousOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = self.owner.as_ref().map_or_else(|| "an earlier pfupgrade".to_owned(), Owner::to_string);
        let since = if self.restarted { "; Windows has been restarted since" } else { "" };
        write!(f, "Recovered the lock of {owner}, which exited unexpectedly{since}")
    }
}

impl Drop for LockGuard<'_> {
    fn drop(&mut self) {
        // A leftover record only causes an unneeded message.
        let _ = self.disk.remove_file(&self.record);
    }
}

impl<'a> Engine<'a> {
    /// Locks the machine for this process until the result is dropped. The lock has the same path for every state
    /// folder, because there is one machine.
    pub fn lock(&self) -> Result<LockGuard<'a>, EngineError> {
        let platform = self.platform;
        let disk = platform.disk();
        let usual = self.usual();
        let (path, record) = (usual.child("lock"), usual.child(RECORD));
        let take = || {
            for folder in [&usual, &self.state] {
                disk::create_private(disk, folder)?;
            }
            disk.lock(&path)
        };
        let unusable = |error| {
            let next = "check that you have write access to it, or specify another folder with --state";
            EngineError::State(Failure::new(format!("take the lock {path}"), error).next(next))
        };
        let Some(lock) = take().map_err(unusable)? else {
            return Err(EngineError::Locked { lock: path, owner: self.owner().flatten() });
        };
        let owner = Owner { process: platform.this_process(), booted: platform.booted() };
        let died = self.owner().map(|earlier| PreviousOwner {
            restarted: earlier.as_ref().is_some_and(|earlier| is_later(owner.booted, earlier.booted)),
            owner: earlier,
        });
        // Written without a sync: an incomplete record after a power cut does no harm.
        let text = serde_json::to_string(&owner).map_err(|error| unusable(error.into()))?;
        disk.create(&record).and_then(|mut file| file.write_all(text.as_bytes())).map_err(unusable)?;
        Ok(LockGuard { disk, record, died, _lock: lock })
    }

    /// The other process that is working on the machine, if any. The lock is not taken.
    pub fn at_work(&self) -> Option<Owner> {
        // PIDs are reused, and this process may have the PID of one that was just killed.
        let is_other = |owner: &Owner| owner.process.id != self.platform.this_process().id;
        self.owner().flatten().filter(|owner| is_other(owner) && self.platform.is_alive(&owner.process))
    }

    fn usual(&self) -> WinPath {
        let usual = self.platform.expand(USUAL_STATE).ok().and_then(|path| WinPath::new(path).ok());
        usual.unwrap_or_else(|| self.state.clone())
    }

    /// Reads the record; `None` if there is none, and an unknown owner if it is incomplete.
    fn owner(&self) -> Option<Option<Owner>> {
        let text = disk::read(self.platform.files(), &self.usual().child(RECORD), LIMIT).ok()?;
        Some(serde_json::from_slice(&text).ok())
    }
}

/// Whether a machine has been restarted between two start times, which may differ by seconds.
fn is_later(now: Option<Timestamp>, then: Option<Timestamp>) -> bool {
    const CLOCKS_DIFFER_BY: SignedDuration = SignedDuration::from_secs(60);
    match (now, then) {
        (Some(now), Some(then)) => now.duration_since(then) > CLOCKS_DIFFER_BY,
        (now, then) => now.is_some() && then.is_none(),
    }
}
