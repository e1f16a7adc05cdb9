//! A disk in memory that distinguishes durable from volatile content.

mod state;
mod trouble;

pub use trouble::{DiskFault, Synced, Unsynced};

use super::{Batch, Disk, EachBlock, Entry, Kind, Lock, Marks, ReadDisk, ReadFile, WriteFile};
use crate::winpath::WinPath;
use state::{Node, State};
use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use trouble::DiskTrouble;

/// A disk in memory. A clone of the handle is the same disk; [`MemoryDisk::snapshot`] is an independent disk.
#[derive(Clone)]
pub struct MemoryDisk(Arc<Mutex<Inner>>);

struct Inner {
    state: State,
    locks: Vec<WinPath>,
    trouble: DiskTrouble,
}

impl Default for MemoryDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryDisk {
    /// An empty disk; a drive appears with the first folder created on it.
    pub fn new() -> Self {
        Self::of(State::new())
    }

    fn of(state: State) -> Self {
        Self(Arc::new(Mutex::new(Inner { state, locks: Vec::new(), trouble: DiskTrouble::default() })))
    }

    /// An independent copy of the present disk, without its locks and faults.
    pub fn snapshot(&self) -> Self {
        Self::of(self.locked().state.clone())
    }

    /// The lock files that are held.
    pub fn locks(&self) -> Vec<WinPath> {
        self.locked().locks.clone()
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self, path: &WinPath, stored: bool) -> io::Result<Box<dyn ReadFile>> {
        let state = &self.locked().state;
        let at = state.find(path).ok_or_else(|| missing(path))?;
        match &state.nodes[at] {
            Node::File { now, synced, .. } => {
                Ok(Box::new(Cursor::new(Shared(Arc::clone(if stored { synced } else { now })))))
            }
            Node::Folder { .. } => Err(io::Error::new(io::ErrorKind::IsADirectory, format!("{path} is a folder"))),
        }
    }

    fn changing(&self) -> io::Result<MutexGuard<'_, Inner>> {
        let mut inner = self.locked();
        let Inner { state, trouble, .. } = &mut *inner;
        trouble.change(state)?;
        Ok(inner)
    }
}

impl Inner {
    fn sync(&mut self, path: &WinPath, at: usize) {
        if self.trouble.syncs(path) {
            self.state.sync(at);
        }
    }
}

fn missing(path: &WinPath) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{path} does not exist"))
}

impl ReadDisk for MemoryDisk {
    fn entry(&self, path: &WinPath) -> io::Result<Option<Entry>> {
        let state = &self.locked().state;
        Ok(state.find_real(path).map(|(at, path)| state.entry(at, path)))
    }

    fn list(&self, folder: &WinPath) -> io::Result<Vec<Entry>> {
        let state = &self.locked().state;
        let (at, path) = state.find_real(folder).ok_or_else(|| missing(folder))?;
        let names = state.names(at).ok_or_else(|| missing(folder))?;
        Ok(names.values().map(|(name, next)| state.entry(*next, path.child(name))).collect())
    }

    fn walk(&self, folder: &WinPath) -> io::Result<Vec<Entry>> {
        let state = &self.locked().state;
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
        let state = &self.locked().state;
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
        let at = self.changing()?.state.open_for_writing(path, false)?;
        Ok(Box::new(OpenFile { disk: self.clone(), path: path.clone(), at }))
    }

    fn append(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>> {
        let at = self.changing()?.state.open_for_writing(path, true)?;
        Ok(Box::new(OpenFile { disk: self.clone(), path: path.clone(), at }))
    }

    fn create_folder(&self, path: &WinPath) -> io::Result<()> {
        let state = &mut self.changing()?.state;
        if state.find(path).is_some() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{path} already exists")));
        }
        state.add_folder(path)
    }

    fn rename(&self, from: &WinPath, to: &WinPath) -> io::Result<()> {
        let state = &mut self.changing()?.state;
        if from.drive() != to.drive() {
            return Err(io::Error::new(io::ErrorKind::CrossesDevices, format!("{to} is on another drive than {from}")));
        }
        if let Some(at) = state.find(to).filter(|_| from != to)
            && state.names(at).is_some()
        {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("the folder {to} already exists")));
        }
        state.rename(from, to)
    }

    fn remove_file(&self, path: &WinPath) -> io::Result<()> {
        let state = &mut self.changing()?.state;
        let at = state.find(path).ok_or_else(|| missing(path))?;
        if state.names(at).is_some() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, format!("{path} is a folder")));
        }
        state.remove(path, at)
    }

    fn remove_folder(&self, path: &WinPath) -> io::Result<()> {
        let state = &mut self.changing()?.state;
        let at = state.find(path).ok_or_else(|| missing(path))?;
        match state.names(at) {
            None => Err(io::Error::new(io::ErrorKind::NotADirectory, format!("{path} is not a folder"))),
            Some(names) if !names.is_empty() => {
                Err(io::Error::new(io::ErrorKind::DirectoryNotEmpty, format!("{path} is not empty")))
            }
            Some(_) => state.remove(path, at),
        }
    }

    fn sync_folder(&self, path: &WinPath) -> io::Result<()> {
        let inner = &mut *self.changing()?;
        let at = inner.state.find(path).ok_or_else(|| missing(path))?;
        if inner.state.names(at).is_none() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        inner.sync(path, at);
        Ok(())
    }

    fn batch(&self, folder: &WinPath) -> io::Result<Box<dyn Batch + '_>> {
        let at = self.locked().state.find(folder).ok_or_else(|| missing(folder))?;
        Ok(Box::new(Together { disk: self, folder: folder.clone(), at }))
    }

    fn make_private(&self, folder: &WinPath) -> io::Result<()> {
        if self.locked().state.find(folder).is_none() {
            return self.create_folder(folder);
        }
        self.changing().map(drop)
    }

    fn set_marks(&self, path: &WinPath, marks: &Marks) -> io::Result<()> {
        let state = &mut self.changing()?.state;
        let at = state.find(path).ok_or_else(|| missing(path))?;
        state.marks.insert(at, marks.clone());
        Ok(())
    }

    fn lock(&self, path: &WinPath) -> io::Result<Option<Box<dyn Lock>>> {
        drop(self.append(path)?);
        let locks = &mut self.changing()?.locks;
        if locks.contains(path) {
            return Ok(None);
        }
        locks.push(path.clone());
        Ok(Some(Box::new(Held { disk: self.clone(), path: path.clone() })))
    }

    fn as_read(&self) -> &dyn ReadDisk {
        self
    }
}

struct Together<'a> {
    disk: &'a MemoryDisk,
    folder: WinPath,
    at: usize,
}

impl Batch for Together<'_> {
    fn disk(&self) -> &dyn Disk {
        self.disk
    }

    /// Syncs one entry after the other, so that the process can die between any two of them.
    fn sync(&self, each: &mut EachBlock<'_>) -> io::Result<()> {
        let mut nodes = Vec::new();
        self.disk.locked().state.nodes_of(self.at, &mut nodes);
        for at in nodes {
            each(0)?;
            let inner = &mut *self.disk.changing()?;
            if !inner.trouble.forgets_batches {
                inner.sync(&self.folder, at);
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
        self.disk.locked().locks.retain(|held| held != &self.path);
    }
}

struct OpenFile {
    disk: MemoryDisk,
    path: WinPath,
    at: usize,
}

impl Write for OpenFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (mut inner, written, error) = match self.disk.changing() {
            Ok(inner) => (inner, bytes.len(), None),
            Err(full) if full.kind() == io::ErrorKind::StorageFull => (self.disk.locked(), bytes.len() / 2, Some(full)),
            Err(died) => return Err(died),
        };
        if let Node::File { now, .. } = &mut inner.state.nodes[self.at] {
            Arc::make_mut(now).extend_from_slice(&bytes[..written]);
        }
        error.map_or(Ok(written), Err)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteFile for OpenFile {
    fn sync(&mut self) -> io::Result<()> {
        self.disk.changing()?.sync(&self.path, self.at);
        Ok(())
    }

    fn set_modified(&mut self, time: SystemTime) -> io::Result<()> {
        if let Node::File { modified, .. } = &mut self.disk.changing()?.state.nodes[self.at] {
            *modified = time;
        }
        Ok(())
    }
}
