//! A disk that rejects changes on demand: the process was killed, the disk is full, or an installer ended halfway.

use super::{Batch, Disk, EachBlock, Entry, Lock, Marks, ReadDisk, ReadFile, WriteFile};
use crate::winpath::WinPath;
use std::io::{self, Write};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Why a disk rejects changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The process that uses it was killed.
    Killed,
    /// The disk is full; existing files can be moved and removed.
    Full,
    /// One change fails, and later ones succeed.
    Once,
}

/// A wrapper of another disk. A clone of the handle is the same disk.
#[derive(Clone)]
pub struct FailingDisk {
    disk: Arc<dyn Disk>,
    /// How many more changes succeed.
    left: Arc<AtomicI64>,
    refusal: Arc<Mutex<Refusal>>,
}

const NEVER: i64 = i64::MAX / 2;

impl FailingDisk {
    /// A disk without failures until requested.
    pub fn around(disk: Arc<dyn Disk>) -> Self {
        Self { disk, left: Arc::new(AtomicI64::new(NEVER)), refusal: Arc::new(Mutex::new(Refusal::Killed)) }
    }

    /// Rejects changes after a number of them.
    pub fn refuse_after(&self, changes: i64, refusal: Refusal) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
        self.left.store(changes, Ordering::Relaxed);
    }

    /// Accepts changes again.
    pub fn mend(&self) {
        self.left.store(NEVER, Ordering::Relaxed);
    }

    /// Whether a change has been rejected.
    pub fn has_refused(&self) -> bool {
        self.left.load(Ordering::Relaxed) < 0
    }

    fn takes(&self, needs_room: bool) -> io::Result<()> {
        let refusal = *self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        if refusal == Refusal::Full && !needs_room {
            return Ok(());
        }
        let left = self.left.fetch_sub(1, Ordering::Relaxed);
        match refusal {
            _ if left > 0 => Ok(()),
            Refusal::Once if left < 0 => Ok(()),
            Refusal::Full => Err(io::Error::new(io::ErrorKind::StorageFull, "there is not enough space on the disk")),
            Refusal::Killed | Refusal::Once => Err(io::Error::other("this process has been killed")),
        }
    }
}

impl ReadDisk for FailingDisk {
    fn entry(&self, path: &WinPath) -> io::Result<Option<Entry>> {
        self.disk.entry(path)
    }

    fn list(&self, folder: &WinPath) -> io::Result<Vec<Entry>> {
        self.disk.list(folder)
    }

    fn walk(&self, folder: &WinPath) -> io::Result<Vec<Entry>> {
        self.disk.walk(folder)
    }

    fn open(&self, path: &WinPath) -> io::Result<Box<dyn ReadFile>> {
        self.disk.open(path)
    }

    fn open_stored(&self, path: &WinPath) -> io::Result<Box<dyn ReadFile>> {
        self.disk.open_stored(path)
    }

    fn size(&self, path: &WinPath) -> io::Result<u64> {
        self.disk.size(path)
    }

    fn marks(&self, path: &WinPath) -> io::Result<Option<Marks>> {
        self.disk.marks(path)
    }
}

impl Disk for FailingDisk {
    fn create(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>> {
        self.takes(true)?;
        Ok(Box::new(FailingFile { disk: self.clone(), file: self.disk.create(path)? }))
    }

    fn append(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>> {
        self.takes(true)?;
        Ok(Box::new(FailingFile { disk: self.clone(), file: self.disk.append(path)? }))
    }

    fn create_folder(&self, path: &WinPath) -> io::Result<()> {
        self.takes(true)?;
        self.disk.create_folder(path)
    }

    fn rename(&self, from: &WinPath, to: &WinPath) -> io::Result<()> {
        self.takes(false)?;
        self.disk.rename(from, to)
    }

    fn remove_file(&self, path: &WinPath) -> io::Result<()> {
        self.takes(false)?;
        self.disk.remove_file(path)
    }

    fn remove_folder(&self, path: &WinPath) -> io::Result<()> {
        self.takes(false)?;
        self.disk.remove_folder(path)
    }

    fn sync_folder(&self, path: &WinPath) -> io::Result<()> {
        self.takes(false)?;
        self.disk.sync_folder(path)
    }

    fn batch(&self, folder: &WinPath) -> io::Result<Box<dyn Batch + '_>> {
        Ok(Box::new(FailingBatch { disk: self, batch: self.disk.batch(folder)? }))
    }

    fn make_private(&self, folder: &WinPath) -> io::Result<()> {
        self.takes(true)?;
        self.disk.make_private(folder)
    }

    fn set_marks(&self, path: &WinPath, marks: &Marks) -> io::Result<()> {
        self.takes(false)?;
        self.disk.set_marks(path, marks)
    }

    fn lock(&self, path: &WinPath) -> io::Result<Option<Box<dyn Lock>>> {
        self.takes(false)?;
        self.disk.lock(path)
    }

    fn as_read(&self) -> &dyn ReadDisk {
        self
    }
}

struct FailingBatch<'a> {
    disk: &'a FailingDisk,
    batch: Box<dyn Batch + 'a>,
}

impl Batch for FailingBatch<'_> {
    fn disk(&self) -> &dyn Disk {
        self.disk
    }

    fn sync(&self, each: &mut EachBlock<'_>) -> io::Result<()> {
        self.disk.takes(false)?;
        self.batch.sync(each)
    }
}

struct FailingFile {
    disk: FailingDisk,
    file: Box<dyn WriteFile>,
}

impl Write for FailingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.takes(true)?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl WriteFile for FailingFile {
    fn sync(&mut self) -> io::Result<()> {
        self.disk.takes(false)?;
        self.file.sync()
    }

    fn set_modified(&mut self, time: SystemTime) -> io::Result<()> {
        self.disk.takes(false)?;
        self.file.set_modified(time)
    }
}
