//! The disk of the host: a Windows machine's own drives, or a folder that stands for a simulated machine's drives.

use super::{self as disk, Disk, Entry, Kind, Lock, ReadDisk, ReadFile, WriteFile};
use crate::winpath::{WinPath, fold};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Drives on the host's disk: below `root` there is a folder for each drive, named by its letter.
#[derive(Debug, Clone)]
pub struct HostDisk {
    root: PathBuf,
}

impl HostDisk {
    /// The drives of a simulated machine: `C:\x` is `root/C/x`.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where on the host `path` lies. Names are matched without regard to case even where the host's file system
    /// minds it; what does not exist keeps the case it was asked with.
    ///
    /// A link inside the machine's folder is refused: it could lead out of the simulated machine.
    pub fn host_path(&self, path: &WinPath) -> io::Result<PathBuf> {
        let mut at = self.root.clone();
        if !path.is_outside_drives() {
            at.push(path.drive().to_string());
        }
        let mut names = path.components();
        for name in names.by_ref() {
            let Some(found) = find(&at, name)? else {
                at.push(name);
                break;
            };
            at.push(found);
        }
        at.extend(names);
        Ok(at)
    }

    /// The host's path of a thing that may be a link itself, in a folder that is none.
    fn real_parent(&self, path: &WinPath) -> io::Result<PathBuf> {
        if let Some(folder) = path.parent() {
            self.real(&folder)?;
        }
        self.host_path(path)
    }

    fn real(&self, path: &WinPath) -> io::Result<PathBuf> {
        let at = self.host_path(path)?;
        let link = at.ancestors().take_while(|part| *part != self.root).find(|part| part.is_symlink());
        match link {
            Some(link) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{} is a link, which a simulated machine must not hold", link.display()),
            )),
            None => Ok(at),
        }
    }
}

/// The name in `folder` that Windows would take for `name`.
fn find(folder: &Path, name: &str) -> io::Result<Option<std::ffi::OsString>> {
    if fs::symlink_metadata(folder.join(name)).is_ok() {
        return Ok(Some(name.into()));
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let wanted = fold(name);
    for entry in entries {
        let found = entry?.file_name();
        if found.to_str().is_some_and(|found| fold(found) == wanted) {
            return Ok(Some(found));
        }
    }
    Ok(None)
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

/// The name of a file as the machine has it; the host may hold names that Windows could not.
fn machine_name(name: &std::ffi::OsStr) -> io::Result<&str> {
    name.to_str().filter(|name| WinPath::is_name(name)).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{} is no name Windows can have", name.display()))
    })
}

impl ReadDisk for HostDisk {
    fn entry(&self, path: &WinPath) -> io::Result<Option<Entry>> {
        let at = self.host_path(path)?;
        let name = at.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let path = match path.parent() {
            Some(folder) if !name.is_empty() => folder.child(name),
            _ => path.clone(),
        };
        match fs::symlink_metadata(&at) {
            Ok(meta) => entry(path, &meta).map(Some),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn list(&self, folder: &WinPath) -> io::Result<Vec<Entry>> {
        let mut all = Vec::new();
        for found in fs::read_dir(self.real(folder)?)? {
            let found = found?;
            all.push(entry(folder.child(machine_name(&found.file_name())?), &found.metadata()?)?);
        }
        all.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(all)
    }

    fn walk(&self, folder: &WinPath) -> io::Result<Vec<Entry>> {
        let root = self.real(folder)?;
        let mut all = Vec::new();
        let folded = |found: &walkdir::DirEntry| fold(&found.file_name().to_string_lossy());
        let walk = walkdir::WalkDir::new(&root).follow_links(false).min_depth(1);
        for found in walk.sort_by(move |a, b| folded(a).cmp(&folded(b))) {
            let found = found?;
            let mut path = folder.clone();
            for part in found.path().strip_prefix(&root).map_err(io::Error::other)? {
                path = path.child(machine_name(part)?);
            }
            all.push(entry(path, &found.metadata()?)?);
        }
        Ok(all)
    }

    fn open(&self, path: &WinPath) -> io::Result<Box<dyn ReadFile>> {
        let at = self.real(path)?;
        // Opening a pipe would wait for ever.
        match fs::symlink_metadata(&at)?.is_file() {
            true => Ok(Box::new(File::open(at)?)),
            false => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{path} is no regular file"))),
        }
    }

    fn size(&self, path: &WinPath) -> io::Result<u64> {
        fs_extra::dir::get_size(self.real(path)?).map_err(io::Error::other)
    }
}

impl Disk for HostDisk {
    fn create(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>> {
        Ok(Box::new(Written(File::create(self.real(path)?)?)))
    }

    fn append(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>> {
        Ok(Box::new(Written(OpenOptions::new().append(true).create(true).open(self.real(path)?)?)))
    }

    fn create_folder(&self, path: &WinPath) -> io::Result<()> {
        let at = self.real(path)?;
        match at.parent() {
            // A drive's own folder appears with the first folder on it.
            Some(drive) if path.parent().is_some_and(|parent| parent.parent().is_none()) => fs::create_dir_all(drive)?,
            _ => {}
        }
        fs::create_dir(at)
    }

    fn rename(&self, from: &WinPath, to: &WinPath) -> io::Result<()> {
        let (source, target) = (self.real(from)?, self.real(to)?);
        if from != to && target.is_dir() {
            // On other systems a rename replaces an empty folder; on Windows it does not.
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("the folder {to} is already there")));
        }
        fs::rename(source, target)
    }

    fn remove_file(&self, path: &WinPath) -> io::Result<()> {
        fs::remove_file(self.real_parent(path)?)
    }

    fn remove_folder(&self, path: &WinPath) -> io::Result<()> {
        fs::remove_dir(self.real(path)?)
    }

    fn sync_folder(&self, path: &WinPath) -> io::Result<()> {
        sync_folder(&self.real(path)?)
    }

    fn make_private(&self, folder: &WinPath) -> io::Result<()> {
        if disk::exists(self, folder)? {
            return make_private(&self.real(folder)?);
        }
        self.create_folder(folder)?;
        make_private(&self.real(folder)?)
    }

    fn lock(&self, path: &WinPath) -> io::Result<Option<Box<dyn Lock>>> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(self.real(path)?)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(Held { _file: file }))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn as_read(&self) -> &dyn ReadDisk {
        self
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// NTFS journals the names of a folder itself, and a folder cannot be flushed through a handle without backup rights.
#[cfg(not(unix))]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::metadata(folder).map(drop)
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

/// A simulated machine's folder on Windows has the rights its owner gave it.
#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    fs::metadata(folder).map(drop)
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
