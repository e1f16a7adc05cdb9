//! One run at a time: a lock of the operating system, and a record of who holds it.
//!
//! The lock alone decides. It ends with its process, however that ends; the record then tells who it was.

use super::{Engine, EngineError, USUAL_STATE};
use crate::platform::disk::{self, Disk, Lock};
use crate::platform::{Failure, Process};
use crate::winpath::WinPath;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A record is a line; whatever else lies there is none.
const LIMIT: u64 = 64 << 10;
const RECORD: &str = "owner.json";

/// Who holds a machine, or held it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The process.
    pub process: Process,
    /// When the machine it ran on had been started, where that can be told.
    pub booted: Option<Timestamp>,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Process { id, program, started } = &self.process;
        write!(f, "{program}, process {id}, begun {started:.0}")
    }
}

/// A machine that is this process's own until this is dropped.
pub struct LockGuard<'a> {
    disk: &'a dyn Disk,
    record: WinPath,
    /// Who held it before, and ended without giving it back.
    pub died: Option<PreviousOwner>,
    _lock: Box<dyn Lock>,
}

/// An earlier owner that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousOwner {
    /// Who it was; `None` where its record was cut off.
    pub owner: Option<Owner>,
    /// True where the machine has been started anew since.
    pub restarted: bool,
}

impl fmt::Display for PreviousOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.owner {
            Some(owner) => write!(f, "an earlier {owner}, has ended without giving the machine back: ")?,
            None => write!(f, "an earlier pfupgrade has ended without giving the machine back: ")?,
        }
        f.write_str(if self.restarted { "Windows has been restarted since" } else { "it was killed, or crashed" })
    }
}

impl Drop for LockGuard<'_> {
    fn drop(&mut self) {
        // What is left behind only has the next process say a word too much.
        let _ = self.disk.remove_file(&self.record);
    }
}

impl<'a> Engine<'a> {
    /// Takes the machine for this process, until the result is dropped. The lock lies at the same place whatever the
    /// state folder is: there is one machine.
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
            let next = "check that you may write there, or name another folder with --state";
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
        // Written without a sync: after a power cut a torn record says as much as a whole one.
        let text = serde_json::to_string(&owner).map_err(|error| unusable(error.into()))?;
        disk.create(&record).and_then(|mut file| file.write_all(text.as_bytes())).map_err(unusable)?;
        Ok(LockGuard { disk, record, died, _lock: lock })
    }

    /// The process that works on the machine just now, other than this one. The lock is not touched: whoever wants it
    /// gets it.
    pub fn at_work(&self) -> Option<Owner> {
        // Numbers are used again, and this process may have that of one that was killed a moment ago.
        let is_other = |owner: &Owner| owner.process.id != self.platform.this_process().id;
        self.owner().flatten().filter(|owner| is_other(owner) && self.platform.is_alive(&owner.process))
    }

    fn usual(&self) -> WinPath {
        let usual = self.platform.expand(USUAL_STATE).ok().and_then(|path| WinPath::new(path).ok());
        usual.unwrap_or_else(|| self.state.clone())
    }

    /// Who has written the record; `None` where there is none, and nobody where it was cut off.
    fn owner(&self) -> Option<Option<Owner>> {
        let text = disk::read(self.platform.files(), &self.usual().child(RECORD), LIMIT).ok()?;
        Some(serde_json::from_slice(&text).ok())
    }
}

/// Whether a machine has been started anew between two looks at its clock, which do not agree to the second.
fn is_later(now: Option<Timestamp>, then: Option<Timestamp>) -> bool {
    const CLOCKS_DIFFER_BY: SignedDuration = SignedDuration::from_secs(60);
    match (now, then) {
        (Some(now), Some(then)) => now.duration_since(then) > CLOCKS_DIFFER_BY,
        (now, then) => now.is_some() && then.is_none(),
    }
}
