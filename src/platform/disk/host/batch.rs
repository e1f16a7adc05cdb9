//! Many files, synced together if the system supports it.

use super::HostDisk;
use crate::platform::disk::{Batch, Disk, EachBlock, Kind, many};
use crate::winpath::WinPath;
use std::io;
use std::path::Path;

pub(super) struct HostBatch {
    disk: HostDisk,
    folder: WinPath,
    whole: Option<Whole>,
}

impl HostBatch {
    /// `disk` belongs to the batch and caches names.
    pub(super) fn new(disk: HostDisk, folder: &WinPath, at: &Path) -> io::Result<Self> {
        Ok(Self { disk, folder: folder.clone(), whole: Whole::of(at)? })
    }
}

/// File by file, several at a time: a sync is mostly latency, which is shared by parallel ones.
pub(in crate::platform) fn sync_each(disk: &dyn Disk, folder: &WinPath, each: &mut EachBlock<'_>) -> io::Result<()> {
    let mut all = disk.walk(folder)?;
    let folders: Vec<_> = all.extract_if(.., |entry| entry.kind == Kind::Folder).collect();
    many::each(&all, each, |file, _| disk.append(&file.path)?.sync())?;
    many::each(&folders, each, |folder, _| disk.sync_folder(&folder.path))?;
    disk.sync_folder(folder)
}

impl Batch for HostBatch {
    fn disk(&self) -> &dyn Disk {
        &self.disk
    }

    fn sync(&self, each: &mut EachBlock<'_>) -> io::Result<()> {
        match &self.whole {
            // Syncing the whole file system also waits for data written by others.
            Some(whole) if self.disk.written() >= many::MANY => whole.sync(),
            _ => sync_each(&self.disk, &self.folder, each),
        }
    }
}

/// A file system that is synced as a whole.
#[cfg(target_os = "linux")]
struct Whole(std::fs::File);

#[cfg(target_os = "linux")]
impl Whole {
    /// The file systems for which `syncfs` is known to be durable when it returns.
    const KNOWN: [u32; 6] = [
        0xEF53,      // ext4, ext3, ext2
        0x5846_5342, // XFS
        0x9123_683E, // Btrfs
        0xF2F5_2010, // F2FS
        0x794C_7630, // overlayfs, which syncs the file systems below it
        0x0102_1994, // tmpfs, where nothing needs to be done
    ];

    /// Opened before the first file is written: the system reports every failed write since.
    fn of(folder: &Path) -> io::Result<Option<Self>> {
        let folder = std::fs::File::open(folder)?;
        // As wide as the processor's word; only 32 bits are used.
        let kind = rustix::fs::fstatfs(&folder)?.f_type as u32;
        Ok(Self::KNOWN.contains(&kind).then_some(Self(folder)))
    }

    fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&self.0)?)
    }
}

#[cfg(not(target_os = "linux"))]
enum Whole {}

#[cfg(not(target_os = "linux"))]
impl Whole {
    fn of(_: &Path) -> io::Result<Option<Self>> {
        Ok(None)
    }

    fn sync(&self) -> io::Result<()> {
        match *self {}
    }
}
