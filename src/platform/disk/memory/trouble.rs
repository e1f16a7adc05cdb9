//! How a disk in memory goes wrong: the process dies, changes fail, a sync is forgotten, the power goes.

use super::MemoryDisk;
use super::state::{Node, State};
use crate::winpath::WinPath;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;

/// What goes wrong with the changes (writes, renames, syncs, ...) of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFault {
    /// The process that works on the disk dies: this change and later ones do not reach it any more.
    Dies,
    /// This change fails. Of a write, half is on the disk.
    FailsOnce,
    /// This change and all later ones fail, as on a full disk. Of a write, half is on the disk.
    FailsFromThenOn,
}

/// What a power cut does with what has not been synced. Numbers are seeds: the same one does the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsynced {
    /// All of it is gone, names as well as contents.
    Dropped,
    /// Names are as they were at some moment since they were synced; contents are the old or the new ones.
    InPart(u64),
    /// Every name survives. Contents are cut short, or end in zeros.
    Torn(u64),
    /// Any changes of names survive, in no order; contents are the old ones, the new ones or torn.
    Reordered(u64),
}

/// A sync that a disk was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// The number of the change that it was.
    pub change: u64,
    /// The file or folder.
    pub path: WinPath,
}

/// What goes wrong on a disk, and what it remembers for a test.
#[derive(Default)]
pub(super) struct DiskTrouble {
    /// How many changes were asked for.
    changes: u64,
    fault: Option<(u64, DiskFault)>,
    forgets: Option<u64>,
    pub(super) forgets_batches: bool,
    /// The disk before each change.
    states: Option<Vec<State>>,
    syncs: Vec<Synced>,
}

impl DiskTrouble {
    /// Counts a change that is about to be made, which may be the one that goes wrong.
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

    /// Notes that the latest change is a sync. True where it is to be made, and not forgotten.
    pub(super) fn syncs(&mut self, path: &WinPath) -> bool {
        let change = self.changes.saturating_sub(1);
        if self.states.is_some() {
            self.syncs.push(Synced { change, path: path.clone() });
        }
        self.forgets != Some(change)
    }
}

impl MemoryDisk {
    /// The disk goes wrong after `changes` more changes.
    pub fn fail_after(&self, changes: u64, fault: DiskFault) {
        let mut trouble = self.locked();
        let trouble = &mut trouble.trouble;
        trouble.fault = Some((trouble.changes + changes, fault));
    }

    /// The process that works on this disk dies after `changes` more of them: later ones do not reach it any more.
    pub fn stop_after(&self, changes: u64) {
        self.fail_after(changes, DiskFault::Dies);
    }

    /// The process that works on this disk dies now.
    pub fn stop(&self) {
        self.stop_after(0);
    }

    /// How many changes this disk has been asked for since it was made or copied.
    pub fn changes(&self) -> u64 {
        self.locked().trouble.changes
    }

    /// The sync with this number among the changes is not made, and says that it were, as a failing disk may.
    pub fn forget_sync(&self, change: u64) {
        self.locked().trouble.forgets = Some(change);
    }

    /// From now on a batch is not synced and says that it were.
    pub fn forget_batches(&self) {
        self.locked().trouble.forgets_batches = true;
    }

    /// From now on the disk as it is before each change is kept, and what is synced is noted.
    pub fn keep_states(&self) {
        self.locked().trouble.states = Some(Vec::new());
    }

    /// The disk before each change since [`MemoryDisk::keep_states`], each a disk of its own.
    pub fn states(&self) -> Vec<Self> {
        let states = self.locked().trouble.states.clone();
        states.into_iter().flatten().map(Self::of).collect()
    }

    /// The syncs since [`MemoryDisk::keep_states`].
    pub fn syncs(&self) -> Vec<Synced> {
        self.locked().trouble.syncs.clone()
    }

    /// The disk as a power cut now would leave it.
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

    /// Has everything on the disk survive a power cut: the state in which a test begins.
    pub fn sync_all(&self) {
        let state = &mut self.locked().state;
        state.settle(|_, _| true);
        for node in 0..state.nodes.len() {
            state.sync(node);
        }
    }
}

/// What a power cut leaves of a file that was not synced.
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

/// A part of the new content. What was safe of a file that has only grown stays so.
fn torn(seed: u64, file: usize, now: &[u8], synced: &[u8]) -> Arc<Vec<u8>> {
    let safe = if now.starts_with(synced) { synced.len() } else { 0 };
    let more = draw(seed ^ 1, file, (now.len() - safe) as u64 + 1) as usize;
    let mut content = now[..safe + more].to_vec();
    if draw(seed ^ 2, file, 2) == 0 {
        content.resize(now.len(), 0);
    }
    Arc::new(content)
}

/// A number below `below` that depends on nothing but the seed and what it is for.
fn draw(seed: u64, what: usize, below: u64) -> u64 {
    let mut hash = DefaultHasher::new();
    (seed, what).hash(&mut hash);
    hash.finish() % below
}
