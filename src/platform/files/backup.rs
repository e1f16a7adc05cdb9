//! Backups: made, read again, and put back.

use super::{contents, sync_folders};
use crate::platform::disk::{self, Disk, Kind, Marks, ReadDisk};
use crate::platform::{Doing, Failure, FailureKind, Progress};
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
    /// What a folder that was backed up has besides its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<Marks>,
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
    /// What it has besides its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<Marks>,
}

/// A manifest of 100,000 files takes about 20 MB.
const MANIFEST_LIMIT: u64 = 256 << 20;

impl Manifest {
    /// Bytes of all files.
    pub fn len(&self) -> u64 {
        self.entries.iter().fold(0, |sum, entry| sum.saturating_add(entry.len))
    }

    /// True where the backup holds nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Where the manifest of the backup at `backup` lies: beside it, never in it.
pub fn manifest_of(backup: &WinPath) -> WinPath {
    backup.parent().unwrap_or_else(|| backup.clone()).child(&format!("{}.manifest.json", backup.name()))
}

pub(super) fn back_up(
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
    let mut manifest = Manifest { format: 1, source: from.clone(), present: false, marks: None, entries: Vec::new() };
    let Some(source) = disk.entry(from)? else { return Ok(manifest) };
    manifest.present = true;
    if source.kind == Kind::File {
        let sum = disk::copy_in_place(disk, from, to, &mut |bytes| watch(Progress::Bytes(bytes)))?;
        manifest.entries.push(entry_of(disk, String::new(), &source, Some(sum))?);
        disk::sync_parent(disk, to)?;
        return Ok(manifest);
    }
    manifest.marks = disk.marks(from)?;
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
        manifest.entries.push(entry_of(disk, path, &entry, None)?);
    }
    for (at, sum) in copy_files(disk, &files, watch)? {
        manifest.entries[at].sha256 = Some(sum);
    }
    sync_folders(disk, to)?;
    Ok(manifest)
}

/// From so many files on several are copied at a time: a disk takes most of its time to say that a file is safe, and says
/// so for many at once.
pub(super) const MANY: usize = 64;
const AT_A_TIME: usize = 16;

/// Copies files and answers with their places in the manifest and their SHA-256.
pub(super) fn copy_files(
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

fn entry_of(disk: &dyn Disk, path: String, entry: &disk::Entry, sha256: Option<String>) -> io::Result<ManifestEntry> {
    let since = entry.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (modified, marks) = ((since.as_secs(), since.subsec_nanos()), disk.marks(&entry.path)?);
    Ok(ManifestEntry { path, sha256, len: entry.len, modified, marks })
}

/// The time of last change; `None` where a manifest holds none that there is.
fn time_of(entry: &ManifestEntry) -> Option<SystemTime> {
    let (seconds, nanos) = entry.modified;
    let since = (nanos < 1_000_000_000).then(|| Duration::new(seconds, nanos))?;
    SystemTime::UNIX_EPOCH.checked_add(since)
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
            .next("the disk may be failing: check it before anything else")
            .of_kind(FailureKind::DamagedBackup)
    };
    for entry in &manifest.entries {
        if time_of(entry).is_none() {
            return Err(damaged(format!("the manifest gives {} a time that there is not", entry.path)));
        }
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

pub(super) fn restore(
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
    // A folder has its rights before anything is put into it.
    give_marks(disk, to, manifest.marks.as_ref())?;
    for entry in &manifest.entries {
        let target = file_in(to, entry)?;
        let Some(sha256) = &entry.sha256 else {
            disk::create_folders(disk, &target)?;
            give_marks(disk, &target, entry.marks.as_ref())?;
            continue;
        };
        if !is_same(disk.as_read(), &target, entry, sha256)? {
            disk::copy(disk, &file_in(from, entry)?, &target, &mut moved)?;
            disk::sync_parent(disk, &target)?;
        }
        give_marks(disk, &target, entry.marks.as_ref())?;
    }
    Ok(())
}

fn give_marks(disk: &dyn Disk, at: &WinPath, marks: Option<&Marks>) -> io::Result<()> {
    marks.map_or(Ok(()), |marks| disk.set_marks(at, marks))
}

fn is_same(disk: &dyn ReadDisk, at: &WinPath, entry: &ManifestEntry, sha256: &str) -> io::Result<bool> {
    let Some(found) = disk.entry(at)? else { return Ok(false) };
    let same_name = found.path.as_str().ends_with(&entry.path);
    let alike =
        found.kind == Kind::File && found.len == entry.len && Some(found.modified) == time_of(entry) && same_name;
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
