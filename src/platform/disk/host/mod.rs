//! The disk of the host: a Windows machine's drives, or a folder with a simulated machine's drives.

pub(in crate::platform) mod batch;
mod names;
#[cfg(test)]
mod tests;

use super::{self as disk, Batch, Disk, Entry, Kind, Lock, ReadDisk, ReadFile, WriteFile};
use crate::winpath::{WinPath, compare};
use batch::HostBatch;
use names::Names;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

/// Drives on the host's disk: `root` has a folder for each drive, named by its letter.
#[derive(Debug, Clone)]
pub struct HostDisk {
    root: PathBuf,
    batch: Option<Arc<Memory>>,
}

/// The cache of a batch.
#[derive(Debug, Default)]
struct Memory {
    names: Names,
    written: AtomicUsize,
}

impl HostDisk {
    /// The drives of a simulated machine: `C:\x` is `root/C/x`.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), batch: None }
    }

    /// The path on the host. Names are matched ignoring case even if the host's file system is case-sensitive; names
    /// that do not exist keep the given case.
    ///
    /// A link inside the machine's folder is an error, because it could lead out of the simulated machine.
    pub fn host_path(&self, path: &WinPath) -> io::Result<PathBuf> {
        let names: Vec<&str> = path.components().collect();
        names::resolve(self.batch.as_ref().map(|batch| &batch.names), self.drive(path), &names)
    }

    fn drive(&self, path: &WinPath) -> PathBuf {
        if path.is_outside_drives() { self.root.clone() } else { self.root.join(path.drive().to_string()) }
    }

    /// `path` with the case found at `at`.
    fn as_found(&self, path: &WinPath, at: &Path) -> io::Result<WinPath> {
        let drive = self.drive(path);
        let below = at.strip_prefix(&drive).map_err(io::Error::other)?;
        if path.is_outside_drives() || below.iter().eq(path.components()) {
            return Ok(path.clone());
        }
        let names: io::Result<Vec<&str>> = below.iter().map(machine_name).collect();
        WinPath::root_of(path).join(names?.join("\\")).map_err(io::Error::other)
    }

    /// The host's path of an entry that may be a link, in a folder that is not one.
    fn real_parent(&self, path: &WinPath) -> io::Result<PathBuf> {
        if let Some(folder) = path.parent() {
            self.real(&folder)?;
        }
        self.host_path(path)
    }

    fn real(&self, path: &WinPath) -> io::Result<PathBuf> {
        let at = self.host_path(path)?;
        for part in at.ancestors().take_while(|part| *part != self.root) {
            if leads_over_no_link(&self.root, part) {
                break;
            }
            if part.is_symlink() {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!("{} is a link, which a simulated machine must not contain", part.display()),
                ));
            }
        }
        Ok(at)
    }

    fn regular_file(&self, path: &WinPath) -> io::Result<File> {
        let at = self.real(path)?;
        // Opening a pipe would block forever.
        match fs::symlink_metadata(&at)?.is_file() {
            true => File::open(at),
            false => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{path} is not a regular file"))),
        }
    }

    /// Opens a file for writing.
    fn written_to(&self, path: &WinPath, options: &OpenOptions) -> io::Result<File> {
        let at = self.real(path)?;
        let file = options.open(&at)?;
        self.added(&at);
        if let Some(batch) = &self.batch {
            batch.written.fetch_add(1, Ordering::Relaxed);
        }
        Ok(file)
    }

    /// How many files a batch has written so far.
    fn written(&self) -> usize {
        self.batch.as_ref().map_or(0, |batch| batch.written.load(Ordering::Relaxed))
    }

    fn added(&self, at: &Path) {
        if let Some(batch) = &self.batch {
            batch.names.add(at);
        }
    }

    fn gone(&self, at: &Path) {
        if let Some(batch) = &self.batch {
            batch.names.remove(at);
        }
    }
}

/// Whether `path` exists and neither it nor any folder between it and `root` is a link. Only Linux can answer this with
/// one call; other systems need one call per name.
#[cfg(target_os = "linux")]
fn leads_over_no_link(root: &Path, path: &Path) -> bool {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
    let Ok(way) = path.strip_prefix(root) else { return false };
    let (only_look, rules) = (OFlags::PATH | OFlags::CLOEXEC, ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS);
    openat(CWD, root, only_look, Mode::empty())
        .and_then(|root| openat2(root, way, only_look, Mode::empty(), rules))
        .is_ok()
}

#[cfg(not(target_os = "linux"))]
fn leads_over_no_link(_: &Path, _: &Path) -> bool {
    false
}

fn entry(path: WinPath, meta: &fs::Metadata) -> io::Result<Entry> {
    let kind = match meta.file_type() {
        kind if kind.is_dir() => Kind::Folder,
        kind if kind.is_file() => Kind::File,
        _ => Kind::Other,
    };
    let len = if kind == Kind::File { meta.len() } else { 0 };
    Ok(Entry { path, kind, len, modified: meta.modified()? })
}

/// The name of a file on the machine; the host may have names that are invalid in Windows.
fn machine_name(name: &std::ffi::OsStr) -> io::Result<&str> {
    name.to_str().filter(|name| WinPath::is_name(name)).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{} is not a valid name in Windows", name.display()))
    })
}

impl ReadDisk for HostDisk {
    fn entry(&self, path: &WinPath) -> io::Result<Option<Entry>> {
        let at = self.host_path(path)?;
        match fs::symlink_metadata(&at) {
            Ok(meta) => entry(self.as_found(path, &at)?, &meta).map(Some),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn list(&self, folder: &WinPath) -> io::Result<Vec<Entry>> {
        let at = self.real(folder)?;
        let folder = self.as_found(folder, &at)?;
        let mut all = Vec::new();
        for found in fs::read_dir(at)? {
            let found = found?;
            all.push(entry(folder.child(machine_name(&found.file_name())?), &found.metadata()?)?);
        }
        all.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(all)
    }

    fn walk(&self, folder: &WinPath) -> io::Result<Vec<Entry>> {
        let root = self.real(folder)?;
        let mut all = Vec::new();
        // The folders from the root to the one that is being listed.
        let mut way = vec![self.as_found(folder, &root)?];
        let walk = walkdir::WalkDir::new(&root).follow_links(false).min_depth(1);
        let by_name = |a: &walkdir::DirEntry, b: &walkdir::DirEntry| {
            compare(&a.file_name().to_string_lossy(), &b.file_name().to_string_lossy())
                .then_with(|| a.file_name().cmp(b.file_name()))
        };
        for found in walk.sort_by(by_name) {
            let found = found?;
            way.truncate(found.depth());
            let Some(folder) = way.last() else { continue };
            let found_entry = entry(folder.child(machine_name(found.file_name())?), &found.metadata()?)?;
            if found_entry.kind == Kind::Folder {
                way.push(found_entry.path.clone());
            }
            all.push(found_entry);
        }
        Ok(all)
    }

    fn open(&self, path: &WinPath) -> io::Result<Box<dyn ReadFile>> {
        Ok(Box::new(self.regular_file(path)?))
    }

    fn open_stored(&self, path: &WinPath) -> io::Result<Box<dyn ReadFile>> {
        let file = self.regular_file(path)?;
        // A hint that the system may ignore.
        #[cfg(target_os = "linux")]
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
        Ok(Box::new(file))
    }

    fn size(&self, path: &WinPath) -> io::Result<u64> {
        fs_extra::dir::get_size(self.real(path)?).map_err(io::Error::other)
    }
}

impl Disk for HostDisk {
    fn create(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>> {
        Ok(Box::new(Written(self.written_to(path, OpenOptions::new().write(true).create(true).truncate(true))?)))
    }

    fn append(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>> {
        Ok(Box::new(Written(self.written_to(path, OpenOptions::new().append(true).create(true))?)))
    }

    fn create_folder(&self, path: &WinPath) -> io::Result<()> {
        let at = self.real(path)?;
        match at.parent() {
            // A drive's folder is created with the first folder on it.
            Some(drive) if path.parent().is_some_and(|parent| parent.parent().is_none()) => fs::create_dir_all(drive)?,
            _ => {}
        }
        fs::create_dir(&at)?;
        self.added(&at);
        Ok(())
    }

    fn rename(&self, from: &WinPath, to: &WinPath) -> io::Result<()> {
        let (source, target) = (self.real(from)?, self.real(to)?);
        if from != to && target.is_dir() {
            // On other systems a rename replaces an empty folder; on Windows it does not.
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("the folder {to} already exists")));
        }
        fs::rename(&source, &target)?;
        self.gone(&source);
        self.added(&target);
        Ok(())
    }

    fn remove_file(&self, path: &WinPath) -> io::Result<()> {
        let at = self.real_parent(path)?;
        fs::remove_file(&at)?;
        self.gone(&at);
        Ok(())
    }

    fn remove_folder(&self, path: &WinPath) -> io::Result<()> {
        let at = self.real(path)?;
        fs::remove_dir(&at)?;
        self.gone(&at);
        Ok(())
    }

    fn sync_folder(&self, path: &WinPath) -> io::Result<()> {
        sync_folder(&self.real(path)?)
    }

    fn batch(&self, folder: &WinPath) -> io::Result<Box<dyn Batch + '_>> {
        let disk = Self { root: self.root.clone(), batch: Some(Arc::default()) };
        Ok(Box::new(HostBatch::new(disk, folder, &self.real(folder)?)?))
    }

    fn make_private(&self, folder: &WinPath) -> io::Result<()> {
        if disk::exists(self, folder)? {
            return make_private(&self.real(folder)?);
        }
        self.create_folder(folder)?;
        make_private(&self.real(folder)?)
    }

    fn lock(&self, path: &WinPath) -> io::Result<Option<Box<dyn Lock>>> {
        let file = self.written_to(path, OpenOptions::new().read(true).append(true).create(true))?;
        hold(file)
    }

    fn as_read(&self) -> &dyn ReadDisk {
        self
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// NTFS journals the names in a folder, and a folder cannot be flushed through a handle without backup rights.
#[cfg(not(unix))]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::metadata(folder).map(drop)
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

/// A simulated machine's folder on Windows keeps its access rights.
#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    fs::metadata(folder).map(drop)
}

/// Locks an open file; `None` if another process holds the lock.
pub(in crate::platform) fn hold(file: File) -> io::Result<Option<Box<dyn Lock>>> {
    match file.try_lock() {
        Ok(()) => Ok(Some(Box::new(Held { _file: file }))),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

struct Held {
    _file: File,
}

impl Lock for Held {}

/// A file open for writing.
pub(in crate::platform) struct Written(File);

#[cfg(windows)]
impl Written {
    /// Wraps an open file.
    pub(in crate::platform) fn of(file: File) -> Self {
        Self(file)
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl WriteFile for Written {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn set_modified(&mut self, time: SystemTime) -> io::Result<()> {
        self.0.set_modified(time)
    }
}
