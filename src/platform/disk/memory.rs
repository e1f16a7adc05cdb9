//! A disk in memory that knows durable from volatile content.

use super::{Batch, Disk, Entry, Kind, Lock, Marks, ReadDisk, ReadFile, WriteFile};
use crate::winpath::{WinPath, fold};
use std::collections::BTreeMap;
use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Names in a folder: the form by which they compare, then the name as given and the node it leads to.
type Names = BTreeMap<String, (String, usize)>;

/// Every folder and file keeps what is there now and what would be there after a power cut.
#[derive(Clone)]
enum Node {
    Folder { now: Names, synced: Names },
    File { now: Arc<Vec<u8>>, synced: Arc<Vec<u8>>, modified: SystemTime },
}

impl Node {
    fn folder() -> Self {
        Node::Folder { now: Names::new(), synced: Names::new() }
    }

    /// Has what is there now survive a power cut.
    fn sync(&mut self) {
        match self {
            Node::Folder { now, synced } => synced.clone_from(now),
            Node::File { now, synced, .. } => synced.clone_from(now),
        }
    }
}

#[derive(Clone)]
struct State {
    nodes: Vec<Node>,
    /// What has been given to a node besides its content.
    marks: BTreeMap<usize, Marks>,
    locks: Vec<WinPath>,
    /// Ticks for the times of files, so that two runs over the same disk are equal to the last byte.
    ticks: u64,
    /// How many changes were asked for, and at which one the process dies.
    changes: u64,
    dies_at: Option<u64>,
    forgets_batches: bool,
}

/// A disk in memory. A clone of the handle is the same disk; [`MemoryDisk::snapshot`] is a disk of its own.
#[derive(Clone)]
pub struct MemoryDisk(Arc<Mutex<State>>);

const ROOT: usize = 0;

impl Default for MemoryDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryDisk {
    /// An empty disk; drives appear with the first folder that is created on them.
    pub fn new() -> Self {
        let (nodes, marks) = (vec![Node::folder()], BTreeMap::new());
        Self::of(State { nodes, marks, locks: Vec::new(), ticks: 0, changes: 0, dies_at: None, forgets_batches: false })
    }

    fn of(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    /// An independent copy of this disk as it is now. Locks stay behind.
    pub fn snapshot(&self) -> Self {
        Self::of(State { locks: Vec::new(), changes: 0, dies_at: None, ..self.state().clone() })
    }

    /// The process that works on this disk dies after `changes` more of them: later ones do not reach it any more.
    pub fn stop_after(&self, changes: u64) {
        let mut state = self.state();
        state.dies_at = Some(state.changes + changes);
    }

    /// The process that works on this disk dies now.
    pub fn stop(&self) {
        self.stop_after(0);
    }

    /// How many changes (writes, renames, syncs, ...) this disk has been asked for since it was made or copied.
    pub fn changes(&self) -> u64 {
        self.state().changes
    }

    /// The disk as a power cut now would leave it: what was not synced is gone, names as well as content.
    pub fn after_power_cut(&self) -> Self {
        let copy = self.snapshot();
        for node in &mut copy.state().nodes {
            match node {
                Node::Folder { now, synced } => now.clone_from(synced),
                Node::File { now, synced, .. } => now.clone_from(synced),
            }
        }
        copy
    }

    /// Has everything on the disk survive a power cut: the state in which a test begins.
    pub fn sync_all(&self) {
        self.state().nodes.iter_mut().for_each(Node::sync);
    }

    /// From now on a batch is not synced and says that it were, as a failing disk may.
    pub fn forget_batches(&self) {
        self.state().forgets_batches = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self, path: &WinPath, stored: bool) -> io::Result<Box<dyn ReadFile>> {
        let state = self.state();
        let at = state.find(path).ok_or_else(|| missing(path))?;
        match &state.nodes[at] {
            Node::File { now, synced, .. } => {
                Ok(Box::new(Cursor::new(Shared(Arc::clone(if stored { synced } else { now })))))
            }
            Node::Folder { .. } => Err(io::Error::new(io::ErrorKind::IsADirectory, format!("{path} is a folder"))),
        }
    }

    fn changing(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        if state.dies_at.is_some_and(|at| state.changes >= at) {
            return Err(io::Error::other("this process has been killed"));
        }
        state.changes += 1;
        Ok(state)
    }
}

fn missing(path: &WinPath) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{path} does not exist"))
}

impl State {
    fn names(&self, at: usize) -> Option<&Names> {
        match &self.nodes[at] {
            Node::Folder { now, .. } => Some(now),
            Node::File { .. } => None,
        }
    }

    fn names_mut(&mut self, at: usize, path: &WinPath) -> io::Result<&mut Names> {
        match &mut self.nodes[at] {
            Node::Folder { now, .. } => Ok(now),
            Node::File { .. } => Err(io::Error::new(io::ErrorKind::NotADirectory, format!("{path} is no folder"))),
        }
    }

    /// The node at `path`.
    fn find(&self, path: &WinPath) -> Option<usize> {
        self.find_with(path, |_| ())
    }

    /// The node at `path` and the path in the case in which it was created.
    fn find_real(&self, path: &WinPath) -> Option<(usize, WinPath)> {
        let mut real = WinPath::root_of(path);
        let at = self.find_with(path, |name| real = real.child(name))?;
        Some((at, real))
    }

    /// Goes from the root to `path` and tells each name on the way behind the drive's.
    fn find_with(&self, path: &WinPath, mut each: impl FnMut(&str)) -> Option<usize> {
        let key = path.key();
        let (drive, below) = key.split_at_checked(1)?;
        let mut at = self.names(ROOT)?.get(drive)?.1;
        for step in below.split('\\').skip(1).filter(|step| !step.is_empty()) {
            let (name, next) = self.names(at)?.get(step)?;
            each(name);
            at = *next;
        }
        Some(at)
    }

    fn folder_of(&mut self, path: &WinPath) -> io::Result<usize> {
        match path.parent() {
            None => Ok(ROOT),
            Some(parent) if parent.parent().is_none() && self.find(&parent).is_none() => Ok(self.insert(ROOT, &parent)),
            Some(parent) => self.find(&parent).ok_or_else(|| missing(&parent)),
        }
    }

    /// Adds an empty folder below node `parent`; a drive counts as synced from the start.
    fn insert(&mut self, parent: usize, path: &WinPath) -> usize {
        let name = if parent == ROOT { path.drive().to_string() } else { path.name().to_owned() };
        self.nodes.push(Node::folder());
        let at = self.nodes.len() - 1;
        if let Node::Folder { now, synced } = &mut self.nodes[parent] {
            now.insert(fold(&name), (name.clone(), at));
            if parent == ROOT {
                synced.insert(fold(&name), (name, at));
            }
        }
        at
    }

    fn entry(&self, at: usize, path: WinPath) -> Entry {
        match &self.nodes[at] {
            Node::Folder { .. } => Entry { path, kind: Kind::Folder, len: 0, modified: SystemTime::UNIX_EPOCH },
            Node::File { now, modified, .. } => {
                Entry { path, kind: Kind::File, len: now.len() as u64, modified: *modified }
            }
        }
    }

    fn walk(&self, at: usize, path: &WinPath, into: &mut Vec<Entry>) {
        for (name, next) in self.names(at).into_iter().flat_map(Names::values) {
            let path = path.child(name);
            into.push(self.entry(*next, path.clone()));
            self.walk(*next, &path, into);
        }
    }

    /// The nodes at and below one.
    fn nodes_of(&self, at: usize, into: &mut Vec<usize>) {
        into.push(at);
        for (_, next) in self.names(at).into_iter().flat_map(Names::values) {
            self.nodes_of(*next, into);
        }
    }

    fn tick(&mut self) -> SystemTime {
        self.ticks += 1;
        // 2016-01-01, a time at which these servers were in use.
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_451_606_400 + self.ticks)
    }

    fn take_out(&mut self, path: &WinPath) -> io::Result<(String, usize)> {
        let folder = self.folder_of(path)?;
        self.names_mut(folder, path)?.remove(&fold(path.name())).ok_or_else(|| missing(path))
    }

    /// A move from one folder to another is one transaction of the file system: after a power cut a thing is in the one
    /// or in the other, never in neither.
    fn settle_move(&mut self, from: &WinPath, name: &str, (folder, new_name, at): (usize, &str, usize)) {
        let Ok(source) = self.folder_of(from) else { return };
        if source == folder {
            return;
        }
        if let Node::Folder { synced, .. } = &mut self.nodes[source]
            && synced.remove(&fold(name)).is_some()
            && let Node::Folder { synced, .. } = &mut self.nodes[folder]
        {
            synced.insert(fold(new_name), (new_name.to_owned(), at));
        }
    }

    fn open_for_writing(&mut self, path: &WinPath, keep: bool) -> io::Result<usize> {
        let modified = self.tick();
        if let Some(at) = self.find(path) {
            let Node::File { now, modified: time, .. } = &mut self.nodes[at] else {
                return Err(io::Error::new(io::ErrorKind::IsADirectory, format!("{path} is a folder")));
            };
            *time = modified;
            if !keep {
                *now = Arc::default();
            }
            return Ok(at);
        }
        let folder = self.folder_of(path)?;
        let at = self.nodes.len();
        self.names_mut(folder, path)?.insert(fold(path.name()), (path.name().to_owned(), at));
        self.nodes.push(Node::File { now: Arc::default(), synced: Arc::default(), modified });
        Ok(at)
    }
}

impl ReadDisk for MemoryDisk {
    fn entry(&self, path: &WinPath) -> io::Result<Option<Entry>> {
        let state = self.state();
        Ok(state.find_real(path).map(|(at, path)| state.entry(at, path)))
    }

    fn list(&self, folder: &WinPath) -> io::Result<Vec<Entry>> {
        let state = self.state();
        let (at, path) = state.find_real(folder).ok_or_else(|| missing(folder))?;
        let names = state.names(at).ok_or_else(|| missing(folder))?;
        Ok(names.values().map(|(name, next)| state.entry(*next, path.child(name))).collect())
    }

    fn walk(&self, folder: &WinPath) -> io::Result<Vec<Entry>> {
        let state = self.state();
        let (at, path) = state.find_real(folder).ok_or_else(|| missing(folder))?;
        let mut all = Vec::new();
        state.walk(at, &path, &mut all);
        Ok(all)
    }

    fn open(&self, path: &WinPath) -> io::Result<Box<dyn ReadFile>> {
        self.reader(path, false)
    }

    fn open_stored(&self, path: &WinPath) -> io::Result<Box<dyn ReadFile>> {
        self.reader(path, true)
    }

    fn size(&self, path: &WinPath) -> io::Result<u64> {
        let own = self.entry(path)?.ok_or_else(|| missing(path))?;
        match own.kind {
            Kind::Folder => Ok(self.walk(path)?.iter().map(|entry| entry.len).sum()),
            _ => Ok(own.len),
        }
    }

    fn marks(&self, path: &WinPath) -> io::Result<Option<Marks>> {
        let state = self.state();
        let at = state.find(path).ok_or_else(|| missing(path))?;
        Ok(state.marks.get(&at).cloned())
    }
}

struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Disk for MemoryDisk {
    fn create(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>> {
        let at = self.changing()?.open_for_writing(path, false)?;
        Ok(Box::new(OpenFile { disk: self.clone(), at }))
    }

    fn append(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>> {
        let at = self.changing()?.open_for_writing(path, true)?;
        Ok(Box::new(OpenFile { disk: self.clone(), at }))
    }

    fn create_folder(&self, path: &WinPath) -> io::Result<()> {
        let mut state = self.changing()?;
        if state.find(path).is_some() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{path} is already there")));
        }
        let parent = state.folder_of(path)?;
        state.insert(parent, path);
        Ok(())
    }

    fn rename(&self, from: &WinPath, to: &WinPath) -> io::Result<()> {
        let mut state = self.changing()?;
        if from.drive() != to.drive() {
            return Err(io::Error::new(io::ErrorKind::CrossesDevices, format!("{to} is on another drive than {from}")));
        }
        let folder = state.folder_of(to)?;
        if let Some(at) = state.find(to).filter(|_| from != to)
            && matches!(state.nodes[at], Node::Folder { .. })
        {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("the folder {to} is already there")));
        }
        let (name, at) = state.take_out(from)?;
        state.names_mut(folder, to)?.insert(fold(to.name()), (to.name().to_owned(), at));
        state.settle_move(from, &name, (folder, to.name(), at));
        Ok(())
    }

    fn remove_file(&self, path: &WinPath) -> io::Result<()> {
        let mut state = self.changing()?;
        let at = state.find(path).ok_or_else(|| missing(path))?;
        if state.names(at).is_some() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, format!("{path} is a folder")));
        }
        state.take_out(path).map(drop)
    }

    fn remove_folder(&self, path: &WinPath) -> io::Result<()> {
        let mut state = self.changing()?;
        let at = state.find(path).ok_or_else(|| missing(path))?;
        match state.names(at) {
            None => Err(io::Error::new(io::ErrorKind::NotADirectory, format!("{path} is no folder"))),
            Some(names) if !names.is_empty() => {
                Err(io::Error::new(io::ErrorKind::DirectoryNotEmpty, format!("{path} is not empty")))
            }
            Some(_) => state.take_out(path).map(drop),
        }
    }

    fn sync_folder(&self, path: &WinPath) -> io::Result<()> {
        let mut state = self.changing()?;
        let at = state.find(path).ok_or_else(|| missing(path))?;
        match &mut state.nodes[at] {
            Node::File { .. } => Err(io::ErrorKind::NotADirectory.into()),
            folder => {
                folder.sync();
                Ok(())
            }
        }
    }

    fn batch(&self, folder: &WinPath) -> io::Result<Box<dyn Batch + '_>> {
        let at = self.state().find(folder).ok_or_else(|| missing(folder))?;
        Ok(Box::new(Together { disk: self, at }))
    }

    fn make_private(&self, folder: &WinPath) -> io::Result<()> {
        if self.state().find(folder).is_none() {
            return self.create_folder(folder);
        }
        self.changing().map(drop)
    }

    fn set_marks(&self, path: &WinPath, marks: &Marks) -> io::Result<()> {
        let mut state = self.changing()?;
        let at = state.find(path).ok_or_else(|| missing(path))?;
        state.marks.insert(at, marks.clone());
        Ok(())
    }

    fn lock(&self, path: &WinPath) -> io::Result<Option<Box<dyn Lock>>> {
        drop(self.append(path)?);
        let mut state = self.changing()?;
        if state.locks.contains(path) {
            return Ok(None);
        }
        state.locks.push(path.clone());
        Ok(Some(Box::new(Held { disk: self.clone(), path: path.clone() })))
    }

    fn as_read(&self) -> &dyn ReadDisk {
        self
    }
}

struct Together<'a> {
    disk: &'a MemoryDisk,
    at: usize,
}

impl Batch for Together<'_> {
    fn disk(&self) -> &dyn Disk {
        self.disk
    }

    /// Syncs one thing after the other, so that the process may die between any two of them.
    fn sync(&self) -> io::Result<()> {
        let mut nodes = Vec::new();
        self.disk.state().nodes_of(self.at, &mut nodes);
        for at in nodes {
            let mut state = self.disk.changing()?;
            if !state.forgets_batches {
                state.nodes[at].sync();
            }
        }
        Ok(())
    }
}

struct Held {
    disk: MemoryDisk,
    path: WinPath,
}

impl Lock for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        self.disk.state().locks.retain(|held| held != &self.path);
    }
}

struct OpenFile {
    disk: MemoryDisk,
    at: usize,
}

impl Write for OpenFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Node::File { now, .. } = &mut self.disk.changing()?.nodes[self.at] {
            Arc::make_mut(now).extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteFile for OpenFile {
    fn sync(&mut self) -> io::Result<()> {
        self.disk.changing()?.nodes[self.at].sync();
        Ok(())
    }

    fn set_modified(&mut self, time: SystemTime) -> io::Result<()> {
        if let Node::File { modified, .. } = &mut self.disk.changing()?.nodes[self.at] {
            *modified = time;
        }
        Ok(())
    }
}
