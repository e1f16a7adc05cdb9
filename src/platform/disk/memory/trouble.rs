//! Faults of a disk in memory: the process dies, changes fail, a sync is lost, the power is cut.

use super::MemoryDisk;
use super::state::{Node, State};
use crate::winpath::WinPath;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;

/// Faults of changes (writes, renames, syncs, ...).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFault {
    /// The process dies: this change and later ones do not reach the disk.
    Dies,
    /// This change fails. Half of a write is on disk.
    FailsOnce,
    /// This change and all later ones fail, as on a full disk. Half of a write is on disk.
    FailsFromThenOn,
}

/// The effect of a power cut on unsynced data. Numbers are seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsynced {
    /// All of it is lost, names and contents.
    Dropped,
    /// Names have the state of some moment since they were synced; contents are old or new.
    InPart(u64),
    /// Every name survives. Contents are truncated, or end in zeros.
    Torn(u64),
    /// Any changes of names survive, in no order; contents are old, new or torn.
    Reordered(u64),
}

/// A requested sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// The number of its change.
    pub change: u64,
    /// The file or folder.
    pub path: WinPath,
}

/// The faults of a disk, and what it records for tests.
#[derive(Default)]
pub(super) struct DiskTrouble {
    /// The number of requested changes.
    changes: u64,
    fault: Option<(u64, DiskFault)>,
    forgets: Option<u64>,
    pub(super) forgets_batches: bool,
    /// The disk before each change.
    states: Option<Vec<State>>,
    syncs: Vec<Synced>,
}

impl DiskTrouble {
    /// Counts a change, which may be the one that fails.
    pub(super) fn change(&mut self, state: &State) -> io::Result<()> {
        match self.fault {
            Some((at, DiskFault::Dies)) if at <= self.changes => {
                return Err(io::Error::other("this process has been killed"));
            }
            _ => {}
        }
        let number = self.changes;
        self.changes += 1;
        if let Some(states) = &mut self.states {
            states.push(state.clone());
        }
        match self.fault {
            Some((at, DiskFault::FailsOnce)) if at == number => Err(io::ErrorKind::StorageFull.into()),
            Some((at, DiskFault::FailsFromThenOn)) if at <= number => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    /// Records that the latest change is a sync. Returns whether it takes effect.
    pub(super) fn syncs(&mut self, path: &WinPath) -> bool {
        let change = self.changes.saturating_sub(1);
        if self.states.is_some() {
            self.syncs.push(Synced { change, path: path.clone() });
        }
        self.forgets != Some(change)
    }
}

impl MemoryDisk {
    /// The disk fails after `changes` more changes.
    pub fn fail_after(&self, changes: u64, fault: DiskFault) {
        let mut trouble = self.locked();
        let trouble = &mut trouble.trouble;
        trouble.fault = Some((trouble.changes + changes, fault));
    }

    /// The process dies after `changes` more changes: later ones do not reach the disk.
    pub fn stop_after(&self, changes: u64) {
        self.fail_after(changes, DiskFault::Dies);
    }

    /// The process dies now.
    pub fn stop(&self) {
        self.stop_after(0);
    }

    /// The number of changes since the disk was created or copied.
    pub fn changes(&self) -> u64 {
        self.locked().trouble.changes
    }

    /// The sync with this change number has no effect but reports success, as on a failing disk.
    pub fn forget_sync(&self, change: u64) {
        self.locked().trouble.forgets = Some(change);
    }

    /// From now on, a batch is not synced but reports success.
    pub fn forget_batches(&self) {
        self.locked().trouble.forgets_batches = true;
    }

    /// From now on, the state before each change is kept, and syncs are recorded.
    pub fn keep_states(&self) {
        self.locked().trouble.states = Some(Vec::new());
    }

    /// The states before each change since [`MemoryDisk::keep_states`], as independent disks.
    pub fn states(&self) -> Vec<Self> {
        let states = self.locked().trouble.states.clone();
        states.into_iter().flatten().map(Self::of).collect()
    }

    /// The syncs since [`MemoryDisk::keep_states`].
    pub fn syncs(&self) -> Vec<Synced> {
        self.locked().trouble.syncs.clone()
    }

    /// The disk after a power cut now.
    pub fn after_power_cut(&self, unsynced: Unsynced) -> Self {
        let mut state = self.locked().state.clone();
        let pending = state.pending.len() as u64;
        match unsynced {
            Unsynced::Dropped => {}
            Unsynced::InPart(seed) => {
                let up_to = draw(seed, usize::MAX, pending + 1);
                state.settle(|number, _| (number as u64) < up_to);
            }
            Unsynced::Torn(_) => state.settle(|_, _| true),
            Unsynced::Reordered(seed) => state.settle(|number, _| draw(seed, usize::MAX - number, 2) == 0),
        }
        state.pending.clear();
        for (number, node) in state.nodes.iter_mut().enumerate() {
            match node {
                Node::Folder { now, synced } => now.clone_from(synced),
                Node::File { now, synced, .. } => {
                    if !Arc::ptr_eq(now, synced) {
                        *synced = left_of(unsynced, number, now, synced);
                        now.clone_from(synced);
                    }
                }
            }
        }
        Self::of(state)
    }

    /// Makes everything durable: the initial state of a test.
    pub fn sync_all(&self) {
        let state = &mut self.locked().state;
        state.settle(|_, _| true);
        for node in 0..state.nodes.len() {
            state.sync(node);
        }
    }
}

/// What a power cut leaves of an unsynced file.
fn left_of(unsynced: Unsynced, file: usize, now: &Arc<Vec<u8>>, synced: &Arc<Vec<u8>>) -> Arc<Vec<u8>> {
    let kind = match unsynced {
        Unsynced::Dropped => 0,
        Unsynced::InPart(seed) => draw(seed, file, 2),
        Unsynced::Torn(_) => 2,
        Unsynced::Reordered(seed) => draw(seed, file, 3),
    };
    match (kind, unsynced) {
        (0, _) => Arc::clone(synced),
        (2, Unsynced::Torn(seed) | Unsynced::Reordered(seed)) => torn(seed, file, now, synced),
        _ => Arc::clone(now),
    }
}

/// A part of the new content. The durable part of a file that has only grown stays.
fn torn(seed: u64, file: usize, now: &[u8], synced: &[u8]) -> Arc<Vec<u8>> {
    let safe = if now.starts_with(synced) { synced.len() } else { 0 };
    let more = draw(seed ^ 1, file, (now.len() - safe) as u64 + 1) as usize;
    let mut content = now[..safe + more].to_vec();
    if draw(seed ^ 2, file, 2) == 0 {
        content.resize(now.len(), 0);
    }
    Arc::new(content)
}

/// A number below `below` that depends only on the seed and its purpose.
fn draw(seed: u64, what: usize, below: u64) -> u64 {
    let mut hash = DefaultHasher::new();
    (seed, what).hash(&mut hash);
    hash.finish() % below
}
