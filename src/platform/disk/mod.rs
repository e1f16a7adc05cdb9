//! The disk of the machine, seen through paths of the machine.
//!
//! Everything that must be durable (the journal, the backups, the merged files, the simulated machine itself) goes
//! through the [`Disk`] trait: [`HostDisk`] is the real one, [`MemoryDisk`] distinguishes synced from unsynced data, so
//! that tests can simulate a power cut. A preview gets only the [`ReadDisk`] half, so it cannot write.

mod failing;
mod host;
pub(crate) mod many;
mod memory;
#[cfg(test)]
pub(crate) mod tests;

pub use failing::{FailingDisk, Refusal};
pub use host::HostDisk;
#[cfg(windows)]
pub(super) use host::{Written, batch::sync_each, hold};
pub use memory::{DiskFault, MemoryDisk, Synced, Unsynced};

use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Seek, Write};
use std::time::{Duration, SystemTime};

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file with content.
    File,
    /// A folder.
    Folder,
    /// A link, junction or device: never followed, never copied.
    Other,
}

/// An entry on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path, with the case on disk.
    pub path: WinPath,
    /// What was checked.
    pub kind: Kind,
    /// Size in bytes; 0 unless a file.
    pub len: u64,
    /// When its content was last modified.
    pub modified: SystemTime,
}

/// Metadata of a file or folder in Windows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// Attributes such as read-only and hidden, by their numbers in `winnt.h`.
    pub attributes: u32,
    /// When it was created, in seconds since 1970 and nanoseconds.
    pub created: (u64, u32),
    /// Owner, group and access rights in the security descriptor language.
    pub rights: String,
}

impl Marks {
    /// When it was created; `None` if the time is invalid.
    pub fn created_at(&self) -> Option<SystemTime> {
        let (seconds, nanos) = self.created;
        let since = (nanos < 1_000_000_000).then(|| Duration::new(seconds, nanos))?;
        SystemTime::UNIX_EPOCH.checked_add(since)
    }
}

/// A file open for reading.
pub trait ReadFile: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadFile for T {}

/// A file open for writing. Nothing is durable before [`WriteFile::sync`] has returned.
pub trait WriteFile: Write + Send {
    /// Makes the content durable. The file's *name* is durable only once its folder is synced as well.
    fn sync(&mut self) -> io::Result<()>;
    /// Sets the time of the last modification.
    fn set_modified(&mut self, time: SystemTime) -> io::Result<()>;
}

/// Holds a lock file until it is dropped.
pub trait Lock: Send {}

/// Read access to the disk. Names are matched ignoring case.
pub trait ReadDisk: Send + Sync {
    /// The entry at `path`; `None` if there is none.
    fn entry(&self, path: &WinPath) -> io::Result<Option<Entry>>;
    /// The entries directly in a folder, sorted by name.
    fn list(&self, folder: &WinPath) -> io::Result<Vec<Entry>>;
    /// Everything below a folder, sorted, a folder before its content. Links are listed, not followed.
    fn walk(&self, folder: &WinPath) -> io::Result<Vec<Entry>>;
    /// Opens a file for reading.
    fn open(&self, path: &WinPath) -> io::Result<Box<dyn ReadFile>>;
    /// Opens a file to read the data on the disk itself, not the copy cached in memory, if the system can drop that.
    fn open_stored(&self, path: &WinPath) -> io::Result<Box<dyn ReadFile>> {
        self.open(path)
    }
    /// The total size of all files at and below `path`.
    fn size(&self, path: &WinPath) -> io::Result<u64>;
    /// The Windows metadata of a file or folder; `None` if the disk has none.
    fn marks(&self, _path: &WinPath) -> io::Result<Option<Marks>> {
        Ok(None)
    }
}

/// Many files that are written without being synced one by one.
pub trait Batch: Sync {
    /// The disk to write them on.
    fn disk(&self) -> &dyn Disk;
    /// Makes everything below the folder durable, names and content. A failed write since the start of the batch is an
    /// error here at the latest. `each` may end the work between two files.
    fn sync(&self, each: &mut EachBlock<'_>) -> io::Result<()>;
}

/// A disk that can be changed.
pub trait Disk: ReadDisk {
    /// Creates an empty file, or truncates an existing one.
    fn create(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>>;
    /// Opens a file to write at its end, creating it if needed.
    fn append(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>>;
    /// Creates one folder; its parent must exist.
    fn create_folder(&self, path: &WinPath) -> io::Result<()>;
    /// Renames a file or folder on the same drive. A file with the new name is replaced.
    fn rename(&self, from: &WinPath, to: &WinPath) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &WinPath) -> io::Result<()>;
    /// Removes an empty folder.
    fn remove_folder(&self, path: &WinPath) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_folder(&self, path: &WinPath) -> io::Result<()>;
    /// Starts to write many files below `folder`, which must exist, to sync them together. Until the batch is dropped,
    /// nothing else may add or rename anything there.
    fn batch(&self, folder: &WinPath) -> io::Result<Box<dyn Batch + '_>>;
    /// Creates a folder that only administrators and the system can access, or restricts an existing one. Fails if
    /// others may have written to that.
    fn make_private(&self, folder: &WinPath) -> io::Result<()>;
    /// Restores the metadata from [`ReadDisk::marks`]. A disk without metadata ignores it.
    fn set_marks(&self, _path: &WinPath, _marks: &Marks) -> io::Result<()> {
        Ok(())
    }
    /// Takes the lock file at `path`; `None` while another process holds it.
    fn lock(&self, path: &WinPath) -> io::Result<Option<Box<dyn Lock>>>;
    /// The read-only half.
    fn as_read(&self) -> &dyn ReadDisk;
}

/// The block size for copying and hashing files.
const BLOCK: usize = 256 * 1024;
const FIRST_BLOCK: usize = 32 * 1024;
/// A copy is synced after this number of bytes, because the system cannot be interrupted while it writes out cached
/// data.
const SYNC_EVERY: usize = 32 << 20;

/// Receives the length of each block that has been copied or read; 0 between two files. It may end the work with
/// `stopped`.
pub type EachBlock<'a> = dyn FnMut(u64) -> io::Result<()> + 'a;

/// Never ends work that is done block by block.
pub(crate) fn to_the_end(_: u64) -> io::Result<()> {
    Ok(())
}

#[derive(Debug, thiserror::Error)]
#[error("stopped on request")]
struct Stopped;

/// The error that ends work between two blocks on request.
pub(crate) fn stopped() -> io::Error {
    io::Error::other(Stopped)
}

/// Whether an error is that of [`stopped`].
pub(crate) fn is_stop(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Stopped>())
}

/// Whether `path` exists.
pub fn exists(disk: &dyn ReadDisk, path: &WinPath) -> io::Result<bool> {
    Ok(disk.entry(path)?.is_some())
}

/// Reads a whole file. Fails if it is larger than `limit` bytes.
pub fn read(disk: &dyn ReadDisk, path: &WinPath, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    disk.open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// Creates a folder and its missing parents, each synced into its parent.
pub fn create_folders(disk: &dyn Disk, path: &WinPath) -> io::Result<()> {
    if let Some(entry) = disk.entry(path)? {
        return match entry.kind {
            // A kill may have happened between its creation and the sync.
            Kind::Folder => sync_parent(disk, path),
            _ => Err(io::Error::new(io::ErrorKind::NotADirectory, format!("{path} exists and is not a folder"))),
        };
    }
    let Some(parent) = path.parent() else { return disk.create_folder(path) };
    create_folders(disk, &parent)?;
    disk.create_folder(path)?;
    disk.sync_folder(&parent)
}

/// Creates a private folder of this program, and its missing parents.
pub fn create_private(disk: &dyn Disk, path: &WinPath) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        create_folders(disk, &parent)?;
    }
    disk.make_private(path)?;
    sync_parent(disk, path)
}

/// Writes `bytes` to `path` atomically: after a power cut, either the old or the new content is there.
pub fn replace(disk: &dyn Disk, path: &WinPath, bytes: &[u8]) -> io::Result<()> {
    replace_with(disk, path, |file| file.write_all(bytes))
}

/// [`replace`] for streamed content.
pub(crate) fn replace_with(
    disk: &dyn Disk,
    path: &WinPath,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let beside = beside(path);
    let mut file = io::BufWriter::with_capacity(BLOCK, disk.create(&beside)?);
    write(&mut file)?;
    file.into_inner()?.sync()?;
    disk.rename(&beside, path)?;
    sync_parent(disk, path)
}

/// The suffix of incomplete files: `.config`, which IIS never serves.
pub(crate) const NEW: &str = ".pfupgrade-new.config";

/// The temporary path for new content beside `path`.
pub(crate) fn beside(path: &WinPath) -> WinPath {
    match path.parent() {
        Some(folder) => folder.child(&format!("{}{NEW}", path.name())),
        None => path.clone(),
    }
}

/// Syncs the parent folder of `path`.
pub fn sync_parent(disk: &dyn Disk, path: &WinPath) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| disk.sync_folder(&parent))
}

/// [`sync_parent`] for a name whose folder may have been removed as well.
pub fn sync_name(disk: &dyn Disk, path: &WinPath) -> io::Result<()> {
    match path.parent() {
        Some(parent) if disk.entry(&parent)?.is_some_and(|entry| entry.kind == Kind::Folder) => {
            disk.sync_folder(&parent)
        }
        _ => Ok(()),
    }
}

/// SHA-256 of a file, in lowercase hexadecimal.
pub fn hash(disk: &dyn ReadDisk, path: &WinPath) -> io::Result<String> {
    hash_by_blocks(disk, path, &mut to_the_end)
}

/// [`hash`] that can be stopped between two blocks.
pub(crate) fn hash_by_blocks(disk: &dyn ReadDisk, path: &WinPath, each: &mut EachBlock<'_>) -> io::Result<String> {
    Ok(hash_content(&mut *disk.open(path)?, each)?.1)
}

/// [`hash_by_blocks`] of the data on the disk itself, as far as [`ReadDisk::open_stored`] supports it.
pub(crate) fn hash_stored(disk: &dyn ReadDisk, path: &WinPath, each: &mut EachBlock<'_>) -> io::Result<String> {
    Ok(hash_content(&mut *disk.open_stored(path)?, each)?.1)
}

/// Length and SHA-256 of a reader's content.
pub fn hash_reader(content: &mut dyn Read) -> io::Result<(u64, String)> {
    hash_content(content, &mut to_the_end)
}

fn hash_content(content: &mut dyn Read, each: &mut EachBlock<'_>) -> io::Result<(u64, String)> {
    let (mut len, mut sum) = (0, Sha256::new());
    blocks(content, |block| {
        len += block.len() as u64;
        sum.update(block);
        each(block.len() as u64)
    })?;
    Ok((len, hex(&sum.finalize())))
}

/// SHA-256 of bytes, in lowercase hexadecimal.
pub fn hash_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Copies a file in one pass, hashed, synced and with its time. Returns the SHA-256 of the content.
///
/// The content is written beside `to` first, so an incomplete copy never has the final name. If `each` ends the work,
/// the partial copy is removed.
pub fn copy(disk: &dyn Disk, from: &WinPath, to: &WinPath, each: &mut EachBlock<'_>) -> io::Result<String> {
    let beside = beside(to);
    let copied = copy_unsynced(disk, from, &beside, each);
    if copied.as_ref().is_err_and(is_stop) {
        // Another attempt would replace it as well.
        let _ = disk.remove_file(&beside);
    }
    let (sum, mut file) = copied?;
    file.sync()?;
    drop(file);
    disk.rename(&beside, to)?;
    Ok(sum)
}

/// [`copy`] directly to the final name and without a sync, if something else marks the copy as complete.
pub(crate) fn copy_unsynced(
    disk: &dyn Disk,
    from: &WinPath,
    to: &WinPath,
    each: &mut EachBlock<'_>,
) -> io::Result<(String, Box<dyn WriteFile>)> {
    let modified = disk.entry(from)?.ok_or(io::ErrorKind::NotFound)?.modified;
    let mut source = disk.open(from)?;
    let mut target = disk.create(to)?;
    let (mut sum, mut unsynced) = (Sha256::new(), 0);
    blocks(&mut *source, |block| {
        sum.update(block);
        target.write_all(block)?;
        unsynced += block.len();
        if unsynced >= SYNC_EVERY {
            target.sync()?;
            unsynced = 0;
        }
        each(block.len() as u64)
    })?;
    target.set_modified(modified)?;
    Ok((hex(&sum.finalize()), target))
}

/// Reads a file block by block. The first block is small, because most files are.
fn blocks(file: &mut dyn Read, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = vec![0; FIRST_BLOCK];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => {
                each(&buffer[..read])?;
                if read == buffer.len() {
                    buffer.resize(BLOCK, 0);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Removes the entry at `path`; a missing entry is not an error.
pub fn remove(disk: &dyn Disk, path: &WinPath) -> io::Result<()> {
    if let Some(entry) = disk.entry(path)? {
        take_away(disk, &entry)?;
    }
    // A removal before an interruption may not be durable yet.
    sync_name(disk, path)
}

/// The content of a removed folder need not be synced.
fn take_away(disk: &dyn Disk, entry: &Entry) -> io::Result<()> {
    if entry.kind != Kind::Folder {
        return disk.remove_file(&entry.path);
    }
    for inner in disk.list(&entry.path)? {
        take_away(disk, &inner)?;
    }
    disk.remove_folder(&entry.path)
}
