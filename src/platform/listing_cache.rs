//! A machine with cached folder listings.

use super::Inspect;
use super::disk::{Entry, Kind, Marks, ReadDisk, ReadFile};
use super::wraps::Wraps;
use crate::winpath::WinPath;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

/// A snapshot of a machine for a preview, which lists the same folders many times; they may have tens of thousands of
/// files. Nothing that changes the machine may use it.
pub struct ListingCache<'a> {
    machine: &'a dyn Inspect,
    files: Seen<'a>,
}

struct Seen<'a> {
    disk: &'a dyn ReadDisk,
    walked: Mutex<BTreeMap<String, Vec<Entry>>>,
}

impl<'a> ListingCache<'a> {
    /// Creates a cache for a machine.
    pub fn at(machine: &'a dyn Inspect) -> Self {
        Self { machine, files: Seen { disk: machine.files(), walked: Mutex::default() } }
    }
}

impl Seen<'_> {
    fn with<T>(&self, folder: &WinPath, take: impl FnOnce(&Vec<Entry>) -> T) -> Option<T> {
        let walked = self.walked.lock().unwrap_or_else(PoisonError::into_inner);
        walked.get(&folder.key()).map(take)
    }
}

impl ReadDisk for Seen<'_> {
    fn entry(&self, path: &WinPath) -> io::Result<Option<Entry>> {
        self.disk.entry(path)
    }

    fn list(&self, folder: &WinPath) -> io::Result<Vec<Entry>> {
        self.disk.list(folder)
    }

    fn walk(&self, folder: &WinPath) -> io::Result<Vec<Entry>> {
        if let Some(all) = self.with(folder, Vec::clone) {
            return Ok(all);
        }
        let all = self.disk.walk(folder)?;
        self.walked.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.key(), all.clone());
        Ok(all)
    }

    fn open(&self, path: &WinPath) -> io::Result<Box<dyn ReadFile>> {
        self.disk.open(path)
    }

    fn open_stored(&self, path: &WinPath) -> io::Result<Box<dyn ReadFile>> {
        self.disk.open_stored(path)
    }

    fn size(&self, path: &WinPath) -> io::Result<u64> {
        let files = |all: &Vec<Entry>| all.iter().filter(|entry| entry.kind == Kind::File).map(|entry| entry.len).sum();
        self.with(path, files).map_or_else(|| self.disk.size(path), Ok)
    }

    fn marks(&self, path: &WinPath) -> io::Result<Option<Marks>> {
        self.disk.marks(path)
    }
}

impl Wraps for ListingCache<'_> {
    fn inner(&self) -> &dyn Inspect {
        self.machine
    }

    fn files(&self) -> &dyn ReadDisk {
        &self.files
    }
}
