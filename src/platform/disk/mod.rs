//! The disk of the machine, seen through paths of the machine.
//!
//! Everything that has to survive (the journal, the backups, the merged files, the simulated machine itself) goes
//! through the [`Disk`] trait: [`HostDisk`] is the real one, [`MemoryDisk`] knows what has been synced from what has not,
//! so that a power cut can be played through. A preview is handed the [`ReadDisk`] half and so cannot write.

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

/// What lies at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file with content.
    File,
    /// A folder.
    Folder,
    /// A link, junction or device: never followed, never copied.
    Other,
}

/// One thing on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it lies, with the case the disk has.
    pub path: WinPath,
    /// What it is.
    pub kind: Kind,
    /// Size in bytes; 0 unless a file.
    pub len: u64,
    /// When its content was last changed.
    pub modified: SystemTime,
}

/// What a file or folder of Windows has besides its content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// Attributes that people set, such as read-only and hidden, by their numbers in `winnt.h`.
    pub attributes: u32,
    /// When it was created, in seconds since 1970 and nanoseconds.
    pub created: (u64, u32),
    /// Owner, group and access rights in the security descriptor language.
    pub rights: String,
}

impl Marks {
    /// When it was created; `None` where that is no time there can be.
    pub fn created_at(&self) -> Option<SystemTime> {
        let (seconds, nanos) = self.created;
        let since = (nanos < 1_000_000_000).then(|| Duration::new(seconds, nanos))?;
        SystemTime::UNIX_EPOCH.checked_add(since)
    }
}

/// A file open for reading.
pub trait ReadFile: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadFile for T {}

/// A file open for writing. Nothing is promised to survive before [`WriteFile::sync`] has returned.
pub trait WriteFile: Write + Send {
    /// Has the content survive a power cut. The file's *name* survives only once its folder is synced as well.
    fn sync(&mut self) -> io::Result<()>;
    /// Sets the time of last change.
    fn set_modified(&mut self, time: SystemTime) -> io::Result<()>;
}

/// Holds a lock file until it is dropped.
pub trait Lock: Send {}

/// Questions to the disk. Names are matched without regard to case.
pub trait ReadDisk: Send + Sync {
    /// What lies at `path`; `None` where there is nothing.
    fn entry(&self, path: &WinPath) -> io::Result<Option<Entry>>;
    /// What lies directly in a folder, sorted by name.
    fn list(&self, folder: &WinPath) -> io::Result<Vec<Entry>>;
    /// Everything below a folder, sorted, a folder before what it holds. Links are listed, not followed.
    fn walk(&self, folder: &WinPath) -> io::Result<Vec<Entry>>;
    /// Opens a file for reading.
    fn open(&self, path: &WinPath) -> io::Result<Box<dyn ReadFile>>;
    /// Opens a file to read what the disk itself holds: not the copy that the system keeps in memory, where the system
    /// can be made to forget it.
    fn open_stored(&self, path: &WinPath) -> io::Result<Box<dyn ReadFile>> {
        self.open(path)
    }
    /// Bytes of all files at and below `path`.
    fn size(&self, path: &WinPath) -> io::Result<u64>;
    /// What Windows keeps of a file or folder besides its content; `None` where the disk keeps no such things.
    fn marks(&self, _path: &WinPath) -> io::Result<Option<Marks>> {
        Ok(None)
    }
}

/// Many files that are written without being synced one by one.
pub trait Batch: Sync {
    /// The disk to write them on.
    fn disk(&self) -> &dyn Disk;
    /// Has everything below the folder survive a power cut, names as well as content. A file that could not be written
    /// since the batch was begun is an error here at the latest. `each` may end the work between two files.
    fn sync(&self, each: &mut EachBlock<'_>) -> io::Result<()>;
}

/// A disk that can be changed.
pub trait Disk: ReadDisk {
    /// Creates an empty file, or empties the one that is there.
    fn create(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>>;
    /// Opens a file to write at its end, creating it if needed.
    fn append(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>>;
    /// Creates one folder; its parent must exist.
    fn create_folder(&self, path: &WinPath) -> io::Result<()>;
    /// Gives a file or folder another name on the same drive. A file that has the new name is replaced.
    fn rename(&self, from: &WinPath, to: &WinPath) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &WinPath) -> io::Result<()>;
    /// Removes an empty folder.
    fn remove_folder(&self, path: &WinPath) -> io::Result<()>;
    /// Has the names in a folder survive a power cut.
    fn sync_folder(&self, path: &WinPath) -> io::Result<()>;
    /// Begins to write many files below `folder`, which is there, to sync them all at once. Until the batch is dropped
    /// nobody else may add or rename anything there.
    fn batch(&self, folder: &WinPath) -> io::Result<Box<dyn Batch + '_>>;
    /// Creates a folder whose content only administrators and the system get at, or makes such a one of the folder that is
    /// there. Where others may have put something into that, it is refused.
    fn make_private(&self, folder: &WinPath) -> io::Result<()>;
    /// Gives a file or folder back what [`ReadDisk::marks`] found. A disk that keeps no such things has nothing to do.
    fn set_marks(&self, _path: &WinPath, _marks: &Marks) -> io::Result<()> {
        Ok(())
    }
    /// Takes the lock file at `path`; `None` while somebody else has it.
    fn lock(&self, path: &WinPath) -> io::Result<Option<Box<dyn Lock>>>;
    /// The half that only answers questions.
    fn as_read(&self) -> &dyn ReadDisk;
}

/// Size of the blocks in which files are copied and hashed.
const BLOCK: usize = 256 * 1024;
const FIRST_BLOCK: usize = 32 * 1024;
/// After so many bytes a copy is synced while it is written: nobody can interrupt the system while it writes out what it
/// has kept in memory.
const SYNC_EVERY: usize = 32 << 20;

/// Hears the length of each block that has been copied or read; 0 between two files. May end the work there with
/// `stopped`.
pub type EachBlock<'a> = dyn FnMut(u64) -> io::Result<()> + 'a;

/// Lets work that is done block by block go on to its end.
pub(crate) fn to_the_end(_: u64) -> io::Result<()> {
    Ok(())
}

#[derive(Debug, thiserror::Error)]
#[error("it was stopped on request")]
struct Stopped;

/// The error that ends work between two blocks because somebody wants it to stop.
pub(crate) fn stopped() -> io::Error {
    io::Error::other(Stopped)
}

/// Whether an error is that of [`stopped`].
pub(crate) fn is_stop(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Stopped>())
}

/// True where something lies at `path`.
pub fn exists(disk: &dyn ReadDisk, path: &WinPath) -> io::Result<bool> {
    Ok(disk.entry(path)?.is_some())
}

/// Reads a whole file, refusing one larger than `limit` bytes.
pub fn read(disk: &dyn ReadDisk, path: &WinPath, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    disk.open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// Creates a folder and the ones above it that are missing, each synced into its parent.
pub fn create_folders(disk: &dyn Disk, path: &WinPath) -> io::Result<()> {
    if let Some(entry) = disk.entry(path)? {
        return match entry.kind {
            // A kill may have come between its creation and the sync.
            Kind::Folder => sync_parent(disk, path),
            _ => Err(io::Error::new(io::ErrorKind::NotADirectory, format!("{path} is there and is no folder"))),
        };
    }
    let Some(parent) = path.parent() else { return disk.create_folder(path) };
    create_folders(disk, &parent)?;
    disk.create_folder(path)?;
    disk.sync_folder(&parent)
}

/// Creates a folder of the tool's own, private from its first moment on, and the ones above it that are missing.
pub fn create_private(disk: &dyn Disk, path: &WinPath) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        create_folders(disk, &parent)?;
    }
    disk.make_private(path)?;
    sync_parent(disk, path)
}

/// Puts `bytes` at `path` so that after a power cut either the old or the new content is there, whole.
pub fn replace(disk: &dyn Disk, path: &WinPath, bytes: &[u8]) -> io::Result<()> {
    replace_with(disk, path, |file| file.write_all(bytes))
}

/// [`replace`] for content that is written bit by bit.
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

/// How the names of new content end that is not whole yet: in `.config`, which IIS never serves.
pub(crate) const NEW: &str = ".pfupgrade-new.config";

/// The name under which new content is written beside `path`.
pub(crate) fn beside(path: &WinPath) -> WinPath {
    match path.parent() {
        Some(folder) => folder.child(&format!("{}{NEW}", path.name())),
        None => path.clone(),
    }
}

/// Syncs the folder that `path` lies in.
pub fn sync_parent(disk: &dyn Disk, path: &WinPath) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| disk.sync_folder(&parent))
}

/// [`sync_parent`] for a name that may have gone away together with its folder.
pub fn sync_name(disk: &dyn Disk, path: &WinPath) -> io::Result<()> {
    match path.parent() {
        Some(parent) if disk.entry(&parent)?.is_some_and(|entry| entry.kind == Kind::Folder) => {
            disk.sync_folder(&parent)
        }
        _ => Ok(()),
    }
}

/// SHA-256 of a file, in lower-case hexadecimal.
pub fn hash(disk: &dyn ReadDisk, path: &WinPath) -> io::Result<String> {
    hash_by_blocks(disk, path, &mut to_the_end)
}

/// [`hash`] that can be ended between two blocks.
pub(crate) fn hash_by_blocks(disk: &dyn ReadDisk, path: &WinPath, each: &mut EachBlock<'_>) -> io::Result<String> {
    Ok(hash_content(&mut *disk.open(path)?, each)?.1)
}

/// [`hash_by_blocks`] of what the disk itself holds, as far as [`ReadDisk::open_stored`] can tell.
pub(crate) fn hash_stored(disk: &dyn ReadDisk, path: &WinPath, each: &mut EachBlock<'_>) -> io::Result<String> {
    Ok(hash_content(&mut *disk.open_stored(path)?, each)?.1)
}

/// Length and SHA-256 of all that a reader gives, without keeping it.
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

/// SHA-256 of bytes, in lower-case hexadecimal.
pub fn hash_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Copies one file in one pass, hashing it, synced and with its time; answers with the SHA-256 of what was read.
///
/// The content goes beside `to` first, so a copy that was cut short never carries the name of a whole one. What is copied
/// of a file when `each` ends the work is removed.
pub fn copy(disk: &dyn Disk, from: &WinPath, to: &WinPath, each: &mut EachBlock<'_>) -> io::Result<String> {
    let beside = beside(to);
    let copied = copy_unsynced(disk, from, &beside, each);
    if copied.as_ref().is_err_and(is_stop) {
        // Whoever copies it again would replace it as well.
        let _ = disk.remove_file(&beside);
    }
    let (sum, mut file) = copied?;
    file.sync()?;
    drop(file);
    disk.rename(&beside, to)?;
    Ok(sum)
}

/// [`copy`] straight to the name and not synced, for where something else says that the copy is whole.
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

/// Hands out a file block by block. The first block is small, for most files are; what they do not need is not made.
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

/// Removes whatever lies at `path`; content that is already gone is no error.
pub fn remove(disk: &dyn Disk, path: &WinPath) -> io::Result<()> {
    if let Some(entry) = disk.entry(path)? {
        take_away(disk, &entry)?;
    }
    // What was removed before an interruption may not have been made safe.
    sync_name(disk, path)
}

/// What goes with its folder need not be synced out of it.
fn take_away(disk: &dyn Disk, entry: &Entry) -> io::Result<()> {
    if entry.kind != Kind::Folder {
        return disk.remove_file(&entry.path);
    }
    for inner in disk.list(&entry.path)? {
        take_away(disk, &inner)?;
    }
    disk.remove_folder(&entry.path)
}
