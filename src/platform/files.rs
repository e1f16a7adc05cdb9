//! The operations that only concern the disk, the same on every backend.

use super::disk::{self, Disk, Kind, ReadDisk};
use super::op::Op;
use super::{Doing, Failure, FailureKind, Outcome, Progress};
use crate::winpath::{WinPath, fold};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

/// What a backup holds. It is written last: a backup without its manifest is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this format.
    pub format: u32,
    /// What was backed up.
    pub source: WinPath,
    /// False where there was nothing at `source`.
    pub present: bool,
    /// Everything below `source`, folders before what they hold; the empty path is `source` itself where it is a file.
    pub entries: Vec<ManifestEntry>,
}

/// One file or folder of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// Its path below the source.
    pub path: String,
    /// SHA-256 of a file in lower-case hexadecimal; `None` for a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Size of a file in bytes.
    #[serde(default)]
    pub len: u64,
    /// Time of last change, in seconds since 1970 and nanoseconds.
    pub modified: (u64, u32),
}

/// A manifest of 100,000 files takes about 20 MB.
const MANIFEST_LIMIT: u64 = 256 << 20;

impl Manifest {
    /// Bytes of all files.
    pub fn len(&self) -> u64 {
        self.entries.iter().map(|entry| entry.len).sum()
    }

    /// True where the backup holds nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Carries out `op` where it concerns the disk alone; `None` for every other operation.
pub(crate) fn perform(disk: &dyn Disk, op: &Op, watch: &mut dyn FnMut(Progress)) -> Option<Result<Outcome, Failure>> {
    let done = match op {
        Op::Close { folder } => close(disk, folder).doing(op),
        Op::BackUp { from, to, except } => back_up(disk, from, to, except, watch),
        Op::Restore { from, to, except } => restore(disk, from, to, except, watch),
        Op::Copy { from, to } => copy(disk, from, to, watch).doing(op),
        Op::Write { path, content } => match content.bytes() {
            Some(bytes) => disk::replace(disk, path, bytes).doing(op),
            None => Err(Failure::new(op, "its content is known by its SHA-256 only")),
        },
        Op::Move { from, to, aside } => relocate(disk, from, to, *aside).doing(op),
        Op::Remove { path } => disk::remove(disk, path).doing(op),
        Op::RemoveEmpty { path, up_to } => remove_empty(disk, path, up_to).doing(op),
        _ => return None,
    };
    Some(done.map(|()| Outcome::default()))
}

/// The file by which ASP.NET answers every request as long as it lies in an application's folder.
pub const OFFLINE: &str = "app_offline.htm";

const OFFLINE_PAGE: &str = "<!DOCTYPE html>\r\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Maintenance</title></head>\r\n\
<body><h1>This service is being upgraded</h1><p>Please try again later.</p></body></html>\r\n";

fn close(disk: &dyn Disk, folder: &WinPath) -> io::Result<()> {
    disk::create_folders(disk, folder)?;
    disk::replace(disk, &folder.child(OFFLINE), OFFLINE_PAGE.as_bytes())
}

fn relocate(disk: &dyn Disk, from: &WinPath, to: &WinPath, aside: bool) -> io::Result<()> {
    if !disk::exists(disk.as_read(), from)? {
        return Ok(()); // Moved already, or nothing was left to move.
    }
    if let (true, Some(folder)) = (aside, to.parent()) {
        disk::create_folders(disk, &folder)?;
        disk.make_private(&folder)?;
    }
    disk.rename(from, to)?;
    disk::sync_parent(disk, to)?;
    disk::sync_parent(disk, from)
}

fn remove_empty(disk: &dyn Disk, path: &WinPath, up_to: &WinPath) -> io::Result<()> {
    let mut next = Some(path.clone()).filter(|path| path.is_within(up_to));
    while let Some(folder) = next {
        match disk.entry(&folder)? {
            Some(entry) if entry.kind != Kind::Folder || !disk.list(&folder)?.is_empty() => return Ok(()),
            Some(_) => disk.remove_folder(&folder)?,
            None => {}
        }
        next = folder.parent().filter(|parent| parent.is_within(up_to));
    }
    disk::sync_parent(disk, up_to)
}

fn copy(disk: &dyn Disk, from: &WinPath, to: &WinPath, watch: &mut dyn FnMut(Progress)) -> io::Result<()> {
    let mut moved = |bytes| watch(Progress::Bytes(bytes));
    let source = disk.entry(from)?.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it is not there"))?;
    if source.kind == Kind::File {
        if let Some(parent) = to.parent() {
            disk::create_folders(disk, &parent)?;
        }
        disk::copy(disk, from, to, &mut moved)?;
        return disk::sync_parent(disk, to);
    }
    disk::create_folders(disk, to)?;
    for entry in contents(disk.as_read(), from, &[])? {
        let target = to.join(entry.path.below(from).unwrap_or_default()).map_err(io::Error::other)?;
        match entry.kind {
            Kind::Folder => disk::create_folders(disk, &target)?,
            _ => drop(disk::copy(disk, &entry.path, &target, &mut moved)?),
        }
    }
    sync_folders(disk, to)
}

fn sync_folders(disk: &dyn Disk, root: &WinPath) -> io::Result<()> {
    for entry in disk.walk(root)? {
        if entry.kind == Kind::Folder {
            disk.sync_folder(&entry.path)?;
        }
    }
    disk.sync_folder(root)
}

/// Everything below a folder without the excepted folders; a link is an error, since it could not be put back.
fn contents(disk: &dyn ReadDisk, folder: &WinPath, except: &[WinPath]) -> io::Result<Vec<disk::Entry>> {
    let mut all = disk.walk(folder)?;
    all.retain(|entry| !except.iter().any(|left_out| entry.path.is_within(left_out)));
    match all.iter().find(|entry| entry.kind == Kind::Other) {
        Some(link) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{} is a link or a device, which cannot be backed up; move it away first", link.path),
        )),
        None => Ok(all),
    }
}

/// Where the manifest of the backup at `backup` lies: beside it, never in it.
pub fn manifest_of(backup: &WinPath) -> WinPath {
    backup.parent().unwrap_or_else(|| backup.clone()).child(&format!("{}.manifest.json", backup.name()))
}

fn back_up(
    disk: &dyn Disk,
    from: &WinPath,
    to: &WinPath,
    except: &[WinPath],
    watch: &mut dyn FnMut(Progress),
) -> Result<(), Failure> {
    let doing = format!("back up {from} to {to}");
    let manifest_path = manifest_of(to);
    if disk::exists(disk.as_read(), &manifest_path).doing(&doing)? {
        // The operation had been done before a kill: a backup is never written a second time.
        return verify_backup(disk.as_read(), to).map(drop);
    }
    if let Some(parent) = to.parent() {
        disk::create_folders(disk, &parent).doing(&doing)?;
    }
    let manifest = copy_into_backup(disk, from, to, except, watch).doing(&doing)?;
    check_contents(disk.as_read(), to, &manifest)?;
    let text = serde_json::to_vec_pretty(&manifest).doing(&doing)?;
    disk::replace(disk, &manifest_path, &text).doing(&doing)
}

/// Files are written under their own names: without its manifest, which is written last, nobody takes a copy for whole.
fn copy_into_backup(
    disk: &dyn Disk,
    from: &WinPath,
    to: &WinPath,
    except: &[WinPath],
    watch: &mut dyn FnMut(Progress),
) -> io::Result<Manifest> {
    let mut manifest = Manifest { format: 1, source: from.clone(), present: false, entries: Vec::new() };
    let Some(source) = disk.entry(from)? else { return Ok(manifest) };
    manifest.present = true;
    if source.kind == Kind::File {
        let sum = disk::copy_in_place(disk, from, to, &mut |bytes| watch(Progress::Bytes(bytes)))?;
        manifest.entries.push(entry_of(String::new(), &source, Some(sum)));
        disk::sync_parent(disk, to)?;
        return Ok(manifest);
    }
    disk::create_folders(disk, to)?;
    let mut files = Vec::new();
    for entry in contents(disk.as_read(), from, except)? {
        let path = entry.path.below(from).unwrap_or_default().to_owned();
        let target = to.join(&path).map_err(io::Error::other)?;
        if entry.kind == Kind::Folder {
            disk::create_folders(disk, &target)?;
        } else {
            files.push((manifest.entries.len(), entry.path.clone(), target));
        }
        manifest.entries.push(entry_of(path, &entry, None));
    }
    for (at, sum) in copy_files(disk, &files, watch)? {
        manifest.entries[at].sha256 = Some(sum);
    }
    sync_folders(disk, to)?;
    Ok(manifest)
}

/// From so many files on several are copied at a time: a disk takes most of its time to say that a file is safe, and says
/// so for many at once.
const MANY: usize = 64;
const AT_A_TIME: usize = 16;

/// Copies files and answers with their places in the manifest and their SHA-256.
fn copy_files(
    disk: &dyn Disk,
    files: &[(usize, WinPath, WinPath)],
    watch: &mut dyn FnMut(Progress),
) -> io::Result<Vec<(usize, String)>> {
    if files.len() < MANY {
        let mut moved = |bytes| watch(Progress::Bytes(bytes));
        let copy =
            |(at, from, to): &(usize, WinPath, WinPath)| Ok((*at, disk::copy_in_place(disk, from, to, &mut moved)?));
        return files.iter().map(copy).collect();
    }
    let (tell, told) = mpsc::channel();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let work = |tell: mpsc::Sender<u64>| {
            let mut sums = Vec::new();
            while let Some((at, from, to)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                // Nobody listens any more only where this whole call is over.
                let sum = disk::copy_in_place(disk, from, to, &mut |bytes| {
                    tell.send(bytes).ok();
                });
                sums.push((*at, sum.inspect_err(|_| next.store(files.len(), Ordering::Relaxed))?));
            }
            Ok(sums)
        };
        let workers: Vec<_> = (0..AT_A_TIME)
            .map(|_| {
                let tell = tell.clone();
                scope.spawn(move || work(tell))
            })
            .collect();
        drop(tell);
        told.iter().for_each(|bytes| watch(Progress::Bytes(bytes)));
        let mut all = Vec::with_capacity(files.len());
        for worker in workers {
            let sums: io::Result<Vec<_>> = worker.join().map_err(|_| io::Error::other("a copying thread panicked"))?;
            all.extend(sums?);
        }
        Ok(all)
    })
}

fn entry_of(path: String, entry: &disk::Entry, sha256: Option<String>) -> ManifestEntry {
    let since = entry.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    ManifestEntry { path, sha256, len: entry.len, modified: (since.as_secs(), since.subsec_nanos()) }
}

fn time_of(entry: &ManifestEntry) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::new(entry.modified.0, entry.modified.1)
}

/// Reads a backup again and compares every file with the manifest, which it returns.
pub fn verify_backup(disk: &dyn ReadDisk, backup: &WinPath) -> Result<Manifest, Failure> {
    let doing = format!("read the backup {backup}");
    let damaged = |why: String| Failure::new(&doing, why).of_kind(FailureKind::DamagedBackup);
    let text = disk::read(disk, &manifest_of(backup), MANIFEST_LIMIT).map_err(|e| damaged(format!("manifest: {e}")))?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|e| damaged(format!("manifest: {e}")))?;
    check_contents(disk, backup, &manifest)?;
    Ok(manifest)
}

fn check_contents(disk: &dyn ReadDisk, backup: &WinPath, manifest: &Manifest) -> Result<(), Failure> {
    let damaged = |why: String| {
        Failure::new(format!("re-read the backup {backup}"), why)
            .next("the disk may be failing: check it, and choose another [backup] directory")
            .of_kind(FailureKind::DamagedBackup)
    };
    for entry in &manifest.entries {
        let Some(sha256) = &entry.sha256 else { continue };
        let path = file_in(backup, entry).map_err(|e| damaged(e.to_string()))?;
        let found = disk::hash(disk, &path).map_err(|e| damaged(format!("{path}: {e}")))?;
        if found != *sha256 {
            return Err(damaged(format!("{path} does not hold what was written: its SHA-256 is {found}")));
        }
    }
    Ok(())
}

fn file_in(root: &WinPath, entry: &ManifestEntry) -> io::Result<WinPath> {
    if entry.path.is_empty() { Ok(root.clone()) } else { root.join(&entry.path).map_err(io::Error::other) }
}

fn restore(
    disk: &dyn Disk,
    from: &WinPath,
    to: &WinPath,
    except: &[WinPath],
    watch: &mut dyn FnMut(Progress),
) -> Result<(), Failure> {
    let manifest = verify_backup(disk.as_read(), from)?;
    let doing = format!("restore {to} from {from}");
    if !manifest.present {
        return disk::remove(disk, to).doing(&doing);
    }
    put_back(disk, from, to, &manifest, watch).doing(&doing)?;
    remove_extra(disk, to, except, &manifest).doing(&doing)
}

fn put_back(
    disk: &dyn Disk,
    from: &WinPath,
    to: &WinPath,
    manifest: &Manifest,
    watch: &mut dyn FnMut(Progress),
) -> io::Result<()> {
    let mut moved = |bytes| watch(Progress::Bytes(bytes));
    let is_folder = manifest.entries.iter().all(|entry| !entry.path.is_empty());
    let folder = if is_folder { Some(to.clone()) } else { to.parent() };
    if let Some(folder) = folder {
        disk::create_folders(disk, &folder)?;
    }
    for entry in &manifest.entries {
        let target = file_in(to, entry)?;
        let Some(sha256) = &entry.sha256 else {
            disk::create_folders(disk, &target)?;
            continue;
        };
        if !is_same(disk.as_read(), &target, entry, sha256)? {
            disk::copy(disk, &file_in(from, entry)?, &target, &mut moved)?;
            disk::sync_parent(disk, &target)?;
        }
    }
    Ok(())
}

fn is_same(disk: &dyn ReadDisk, at: &WinPath, entry: &ManifestEntry, sha256: &str) -> io::Result<bool> {
    let Some(found) = disk.entry(at)? else { return Ok(false) };
    let same_name = found.path.as_str().ends_with(&entry.path);
    let alike = found.kind == Kind::File && found.len == entry.len && found.modified == time_of(entry) && same_name;
    Ok(alike && disk::hash(disk, at)? == sha256)
}

fn remove_extra(disk: &dyn Disk, to: &WinPath, except: &[WinPath], manifest: &Manifest) -> io::Result<()> {
    if disk.entry(to)?.is_none_or(|entry| entry.kind != Kind::Folder) {
        return Ok(());
    }
    let known: BTreeMap<String, ()> = manifest.entries.iter().map(|entry| (fold(&entry.path), ())).collect();
    let keeps = |path: &WinPath| except.iter().any(|kept| path.is_within(kept) || kept.is_within(path));
    for entry in disk.walk(to)? {
        let below = fold(entry.path.below(to).unwrap_or_default());
        if !known.contains_key(&below) && !keeps(&entry.path) {
            disk::remove(disk, &entry.path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::disk::{HostDisk, MemoryDisk};

    fn path(text: &str) -> WinPath {
        WinPath::new(text).expect("a good path")
    }

    fn on_both(test: impl Fn(&dyn Disk)) {
        test(&MemoryDisk::new());
        let folder = tempfile::tempdir().expect("a temporary folder");
        test(&HostDisk::below(folder.path()));
    }

    fn put(disk: &dyn Disk, at: &str, content: &str) {
        disk::create_folders(disk, &path(at).parent().expect("a folder")).expect("folders");
        disk::replace(disk, &path(at), content.as_bytes()).expect("written");
    }

    fn done(disk: &dyn Disk, op: &Op) -> u64 {
        let mut bytes = 0;
        let mut watch = |progress| {
            if let Progress::Bytes(more) = progress {
                bytes += more;
            }
        };
        perform(disk, op, &mut watch).expect("an operation of the disk").expect("done");
        bytes
    }

    fn texts(disk: &dyn Disk, folder: &str) -> Vec<(String, Vec<u8>, SystemTime)> {
        let all = disk.walk(&path(folder)).expect("walked").into_iter().map(|entry| {
            let content = match entry.kind {
                Kind::File => disk::read(disk.as_read(), &entry.path, 1 << 20).expect("read"),
                _ => Vec::new(),
            };
            let modified = if entry.kind == Kind::File { entry.modified } else { SystemTime::UNIX_EPOCH };
            (entry.path.below(&path(folder)).unwrap_or_default().to_owned(), content, modified)
        });
        all.collect()
    }

    #[test]
    fn a_backup_of_many_files_restores_every_one_and_nothing_else() {
        on_both(|disk| {
            let count = MANY + 40;
            for number in 0..count {
                put(disk, &format!(r"C:\web\folder {}\file {number}", number % 7), &format!("content {number}"));
            }
            disk.create_folder(&path(r"C:\web\empty")).expect("created");
            put(disk, r"C:\web\Data\live", "not backed up");
            let before = texts(disk, r"C:\web");
            let except = vec![path(r"C:\web\data")];
            let (web, backup) = (path(r"C:\web"), path(r"C:\backup\web"));
            let bytes = done(disk, &Op::BackUp { from: web.clone(), to: backup.clone(), except: except.clone() });
            let manifest = verify_backup(disk.as_read(), &backup).expect("whole");
            assert_eq!((manifest.len(), manifest.entries.len()), (bytes, count + 7 + 1));

            put(disk, r"C:\web\folder 3\file 3", "changed");
            put(disk, r"C:\web\folder 9\new", "new");
            disk::remove(disk, &path(r"C:\web\empty")).expect("removed");
            disk::remove(disk, &path(r"C:\web\folder 5")).expect("removed");
            done(disk, &Op::Restore { from: backup, to: web, except });
            assert_eq!(texts(disk, r"C:\web"), before);
        });
    }

    #[test]
    fn what_was_not_there_is_removed_by_a_restore() {
        on_both(|disk| {
            let (file, backup) = (path(r"C:\a\file"), path(r"C:\backup\file"));
            done(disk, &Op::BackUp { from: file.clone(), to: backup.clone(), except: Vec::new() });
            put(disk, r"C:\a\file", "new");
            done(disk, &Op::Restore { from: backup, to: file.clone(), except: Vec::new() });
            assert!(!disk::exists(disk.as_read(), &file).expect("asked"));
        });
    }

    #[test]
    fn a_backup_is_never_written_twice() {
        on_both(|disk| {
            put(disk, r"C:\a\file", "first");
            let op = Op::BackUp { from: path(r"C:\a"), to: path(r"C:\backup\a"), except: Vec::new() };
            done(disk, &op);
            put(disk, r"C:\a\file", "second");
            done(disk, &op);
            assert_eq!(disk::read(disk.as_read(), &path(r"C:\backup\a\file"), 100).expect("read"), b"first");
        });
    }

    #[test]
    fn a_file_that_goes_while_many_are_copied_fails_the_backup() {
        let disk = MemoryDisk::new();
        let files: Vec<_> =
            (0..MANY).map(|number| (number, path(r"C:\gone").child(&number.to_string()), path(r"C:\to"))).collect();
        assert!(copy_files(&disk, &files, &mut |_| {}).is_err());
    }

    #[test]
    fn folders_are_removed_only_as_long_as_they_are_empty() {
        on_both(|disk| {
            put(disk, r"C:\top\kept", "by somebody");
            disk::create_folders(disk, &path(r"C:\top\middle\inner")).expect("folders");
            let op = Op::RemoveEmpty { path: path(r"C:\top\middle\inner"), up_to: path(r"C:\top") };
            done(disk, &op);
            assert_eq!(texts(disk, r"C:\top").len(), 1);
            done(disk, &op);
        });
    }

    #[test]
    fn a_changed_backup_is_damaged() {
        on_both(|disk| {
            put(disk, r"C:\a\file", "content");
            let to = path(r"C:\backup\a");
            done(disk, &Op::BackUp { from: path(r"C:\a"), to: to.clone(), except: Vec::new() });
            put(disk, r"C:\backup\a\file", "Content");
            let failure = verify_backup(disk.as_read(), &to).expect_err("damaged");
            assert_eq!(failure.kind, FailureKind::DamagedBackup);
            disk::remove(disk, &manifest_of(&to)).expect("removed");
            assert!(verify_backup(disk.as_read(), &to).is_err());
        });
    }
}
