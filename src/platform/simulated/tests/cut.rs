//! A disk whose process dies after so many changes, or that fails once.

use crate::platform::disk::{Batch, Disk, Entry, Lock, MemoryDisk, ReadDisk, ReadFile, WriteFile};
use crate::winpath::WinPath;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

#[derive(Clone)]
pub(super) struct CutDisk {
    disk: MemoryDisk,
    left: Arc<AtomicI64>,
    lasting: bool,
}

impl CutDisk {
    /// A disk that takes `changes` changes and then none.
    pub(super) fn after(disk: MemoryDisk, changes: i64) -> Self {
        Self { disk, left: Arc::new(AtomicI64::new(changes)), lasting: true }
    }

    /// A disk that refuses the one change that comes after so many.
    pub(super) fn failing_once_after(disk: MemoryDisk, changes: i64) -> Self {
        Self { lasting: false, ..Self::after(disk, changes) }
    }

    pub(super) fn was_cut(&self) -> bool {
        self.left.load(Ordering::Relaxed) < 0
    }

    fn count(&self) -> io::Result<()> {
        let left = self.left.fetch_sub(1, Ordering::Relaxed);
        if left > 0 || (left < 0 && !self.lasting) {
            return Ok(());
        }
        Err(io::Error::other("this process has been killed"))
    }
}

impl ReadDisk for CutDisk {
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
}

impl Disk for CutDisk {
    fn create(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>> {
        self.count()?;
        Ok(Box::new(CutFile { disk: self.clone(), file: self.disk.create(path)? }))
    }

    fn append(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>> {
        self.count()?;
        Ok(Box::new(CutFile { disk: self.clone(), file: self.disk.append(path)? }))
    }

    fn create_folder(&self, path: &WinPath) -> io::Result<()> {
        self.count()?;
        self.disk.create_folder(path)
    }

    fn rename(&self, from: &WinPath, to: &WinPath) -> io::Result<()> {
        self.count()?;
        self.disk.rename(from, to)
    }

    fn remove_file(&self, path: &WinPath) -> io::Result<()> {
        self.count()?;
        self.disk.remove_file(path)
    }

    fn remove_folder(&self, path: &WinPath) -> io::Result<()> {
        self.count()?;
        self.disk.remove_folder(path)
    }

    fn sync_folder(&self, path: &WinPath) -> io::Result<()> {
        self.count()?;
        self.disk.sync_folder(path)
    }

    fn batch(&self, folder: &WinPath) -> io::Result<Box<dyn Batch + '_>> {
        Ok(Box::new(CutBatch { disk: self, batch: self.disk.batch(folder)? }))
    }

    fn make_private(&self, folder: &WinPath) -> io::Result<()> {
        self.count()?;
        self.disk.make_private(folder)
    }

    fn lock(&self, path: &WinPath) -> io::Result<Option<Box<dyn Lock>>> {
        self.count()?;
        self.disk.lock(path)
    }

    fn as_read(&self) -> &dyn ReadDisk {
        self
    }
}

struct CutBatch<'a> {
    disk: &'a CutDisk,
    batch: Box<dyn Batch + 'a>,
}

impl Batch for CutBatch<'_> {
    fn disk(&self) -> &dyn Disk {
        self.disk
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.count()?;
        self.batch.sync()
    }
}

struct CutFile {
    disk: CutDisk,
    file: Box<dyn WriteFile>,
}

impl Write for CutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.count()?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl WriteFile for CutFile {
    fn sync(&mut self) -> io::Result<()> {
        self.disk.count()?;
        self.file.sync()
    }

    fn set_modified(&mut self, time: SystemTime) -> io::Result<()> {
        self.disk.count()?;
        self.file.set_modified(time)
    }
}
