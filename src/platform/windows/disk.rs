//! The drives of this machine.

use super::text::sddl;
use super::win32::{files, rights, system};
use crate::platform::disk::{
    Batch, Disk, EachBlock, Entry, Kind, Lock, Marks, ReadDisk, ReadFile, WriteFile, Written, hold, sync_each,
};
use crate::winpath::{WinPath, fold};
use std::fs::{self, File, FileTimes, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::{FileTimesExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

const READ_ONLY: u32 = 0x1;
const NORMAL: u32 = 0x80;
/// Restorable attributes: read-only, hidden, system, archive, not indexed.
const KEPT: u32 = READ_ONLY | 0x2 | 0x4 | 0x20 | 0x2000;
/// Required to open a folder.
const BACKUP_SEMANTICS: u32 = 0x0200_0000;
const WRITE_ATTRIBUTES: u32 = 0x100;
const GENERIC_WRITE: u32 = 0x4000_0000;

const ACCESS_DENIED: i32 = 5;
const SHARING_VIOLATION: i32 = 32;
const LOCK_VIOLATION: i32 = 33;
/// The number of retries for a file in use, and the first delay, which doubles. Virus scanners release files after a
/// moment.
const TRIES: u32 = 8;
const FIRST_WAIT: Duration = Duration::from_millis(25);

/// The drives of the Windows that this program runs on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drives;

/// A path in the form without a length limit.
pub(super) fn host_path(path: &WinPath) -> PathBuf {
    PathBuf::from(format!(r"\\?\{path}"))
}

/// Retries what an open file of another program prevents. The final error names that program.
fn patiently<T>(path: &WinPath, mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut wait = FIRST_WAIT;
    for _ in 1..TRIES {
        match work() {
            Err(error) if matches!(error.raw_os_error(), Some(SHARING_VIOLATION | LOCK_VIOLATION | ACCESS_DENIED)) => {
                thread::sleep(wait);
                wait *= 2;
            }
            done => return done,
        }
    }
    work().map_err(|error| {
        let holders = files::holders(path.as_str()).unwrap_or_default();
        let holders: Vec<String> = holders.iter().map(|(name, id)| format!("{name} (PID {id})")).collect();
        let who = match (holders.is_empty(), error.raw_os_error()) {
            (false, _) => format!(" is in use by {}", holders.join(", ")),
            (true, Some(SHARING_VIOLATION | LOCK_VIOLATION)) => " is in use by another program".to_owned(),
            (true, Some(ACCESS_DENIED)) => String::new(),
            _ => return error,
        };
        io::Error::new(error.kind(), format!("{path}{who}: {error}"))
    })
}

fn entry(path: WinPath, meta: &Metadata) -> io::Result<Entry> {
    let kind = match meta.file_type() {
        kind if kind.is_dir() => Kind::Folder,
        kind if kind.is_file() => Kind::File,
        _ => Kind::Other,
    };
    let len = if kind == Kind::File { meta.len() } else { 0 };
    Ok(Entry { path, kind, len, modified: meta.modified()? })
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Rejects a name that this program could not use: it would refer to another file.
fn plain_name(name: &std::ffi::OsStr) -> io::Result<&str> {
    name.to_str()
        .filter(|name| WinPath::is_name(name))
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("{} is not a usable name", name.display())))
}

/// Clears the attributes that keep a file from being replaced or removed.
fn make_writable(at: &Path) -> io::Result<()> {
    let attributes = fs::symlink_metadata(at)?.file_attributes();
    match attributes & READ_ONLY {
        0 => Ok(()),
        _ => files::set_attributes(at, (attributes & KEPT & !READ_ONLY) | NORMAL),
    }
}

impl ReadDisk for Drives {
    fn entry(&self, path: &WinPath) -> io::Result<Option<Entry>> {
        let at = host_path(path);
        let meta = match fs::symlink_metadata(&at) {
            Err(error) if is_missing(&error) => return Ok(None),
            meta => meta?,
        };
        let path = match path.parent() {
            Some(folder) => folder.child(&files::real_name(&at)?),
            None => path.clone(),
        };
        entry(path, &meta).map(Some)
    }

    fn list(&self, folder: &WinPath) -> io::Result<Vec<Entry>> {
        let mut all = Vec::new();
        for found in fs::read_dir(host_path(folder))? {
            let found = found?;
            all.push(entry(folder.child(plain_name(&found.file_name())?), &found.metadata()?)?);
        }
        all.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(all)
    }

    fn walk(&self, folder: &WinPath) -> io::Result<Vec<Entry>> {
        let root = host_path(folder);
        let mut all = Vec::new();
        let folded = |found: &walkdir::DirEntry| fold(&found.file_name().to_string_lossy());
        let walk = walkdir::WalkDir::new(&root).follow_links(false).min_depth(1);
        for found in walk.sort_by(move |a, b| folded(a).cmp(&folded(b))) {
            let found = found?;
            let mut path = folder.clone();
            for part in found.path().strip_prefix(&root).map_err(io::Error::other)? {
                path = path.child(plain_name(part)?);
            }
            all.push(entry(path, &found.metadata()?)?);
        }
        Ok(all)
    }

    fn open(&self, path: &WinPath) -> io::Result<Box<dyn ReadFile>> {
        let at = host_path(path);
        patiently(path, || Ok(Box::new(File::open(&at)?) as Box<dyn ReadFile>))
    }

    fn size(&self, path: &WinPath) -> io::Result<u64> {
        let own = self.entry(path)?.ok_or(io::ErrorKind::NotFound)?;
        match own.kind {
            Kind::Folder => Ok(self.walk(path)?.iter().map(|entry| entry.len).sum()),
            _ => Ok(own.len),
        }
    }

    fn marks(&self, path: &WinPath) -> io::Result<Option<Marks>> {
        let at = host_path(path);
        let meta = fs::symlink_metadata(&at)?;
        let since = meta.created()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok(Some(Marks {
            attributes: meta.file_attributes() & KEPT,
            created: (since.as_secs(), since.subsec_nanos()),
            rights: rights::rights(&at)?,
        }))
    }
}

impl Disk for Drives {
    fn create(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>> {
        let at = host_path(path);
        patiently(path, || Ok(Box::new(Written::of(File::create(&at)?)) as Box<dyn WriteFile>))
    }

    fn append(&self, path: &WinPath) -> io::Result<Box<dyn WriteFile>> {
        let at = host_path(path);
        let open = || OpenOptions::new().append(true).create(true).open(&at);
        patiently(path, || Ok(Box::new(Written::of(open()?)) as Box<dyn WriteFile>))
    }

    fn create_folder(&self, path: &WinPath) -> io::Result<()> {
        fs::create_dir(host_path(path))
    }

    /// A replacement keeps the access rights and attributes of the old file: those of a web.config let IIS read it.
    fn rename(&self, from: &WinPath, to: &WinPath) -> io::Result<()> {
        let (source, target) = (host_path(from), host_path(to));
        if let Ok(there) = fs::symlink_metadata(&target)
            && from != to
        {
            if there.is_dir() {
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("the folder {to} already exists")));
            }
            let wanted = rights::rights(&target)?;
            if rights::rights(&source)? != wanted {
                rights::set_rights(&source, &wanted)?;
            }
            make_writable(&target)?;
            patiently(to, || files::rename(&source, &target))?;
            return files::set_attributes(&target, (there.file_attributes() & KEPT) | NORMAL);
        }
        patiently(from, || files::rename(&source, &target))
    }

    fn remove_file(&self, path: &WinPath) -> io::Result<()> {
        let at = host_path(path);
        make_writable(&at)?;
        // A link to a folder is removed like a folder; its target stays.
        match fs::symlink_metadata(&at)?.file_attributes() & 0x10 {
            0 => patiently(path, || fs::remove_file(&at)),
            _ => patiently(path, || fs::remove_dir(&at)),
        }
    }

    fn remove_folder(&self, path: &WinPath) -> io::Result<()> {
        let at = host_path(path);
        make_writable(&at)?;
        patiently(path, || fs::remove_dir(&at))
    }

    /// NTFS journals the names in a folder; if the system allows it, the folder is flushed as well.
    fn sync_folder(&self, path: &WinPath) -> io::Result<()> {
        let at = host_path(path);
        let folder = OpenOptions::new().access_mode(GENERIC_WRITE).custom_flags(BACKUP_SEMANTICS).open(&at);
        match folder.and_then(|folder| folder.sync_all()) {
            Ok(()) => Ok(()),
            Err(_) => fs::metadata(&at).map(drop),
        }
    }

    fn batch(&self, folder: &WinPath) -> io::Result<Box<dyn Batch + '_>> {
        Ok(Box::new(Many { folder: folder.clone() }))
    }

    fn make_private(&self, folder: &WinPath) -> io::Result<()> {
        let at = host_path(folder);
        match rights::create_folder(&at, sddl::PRIVATE) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created,
        }
        let refused = |why: String| {
            let next = "remove those rights, or move the folder";
            Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("{folder} already exists and {why}; {next}")))
        };
        if !fs::symlink_metadata(&at)?.is_dir() {
            return refused("is not a regular folder".to_owned());
        }
        let found = rights::rights(&at)?;
        match sddl::other_writers(&found, &system::own_sid()?) {
            Ok(writers) if writers.is_empty() => {}
            Ok(writers) => return refused(format!("others may write to it: {}", writers.join(", "))),
            Err(why) => return refused(why),
        }
        if found == sddl::PRIVATE { Ok(()) } else { rights::set_rights(&at, sddl::PRIVATE) }
    }

    fn set_marks(&self, path: &WinPath, marks: &Marks) -> io::Result<()> {
        let at = host_path(path);
        let found = self.marks(path)?.unwrap_or_default();
        if found.rights != marks.rights {
            rights::set_rights(&at, &marks.rights)?;
        }
        if found.created != marks.created
            && let Some(created) = marks.created_at()
        {
            make_writable(&at)?;
            let open = || OpenOptions::new().access_mode(WRITE_ATTRIBUTES).custom_flags(BACKUP_SEMANTICS).open(&at);
            patiently(path, open)?.set_times(FileTimes::new().set_created(created))?;
        }
        if fs::symlink_metadata(&at)?.file_attributes() & KEPT != marks.attributes & KEPT {
            files::set_attributes(&at, (marks.attributes & KEPT) | NORMAL)?;
        }
        Ok(())
    }

    fn lock(&self, path: &WinPath) -> io::Result<Option<Box<dyn Lock>>> {
        hold(OpenOptions::new().read(true).write(true).create(true).truncate(false).open(host_path(path))?)
    }

    fn as_read(&self) -> &dyn ReadDisk {
        self
    }
}

/// Many files in a folder, each of which is flushed at the end.
struct Many {
    folder: WinPath,
}

impl Batch for Many {
    fn disk(&self) -> &dyn Disk {
        &Drives
    }

    fn sync(&self, each: &mut EachBlock<'_>) -> io::Result<()> {
        sync_each(&Drives, &self.folder, each)
    }
}
