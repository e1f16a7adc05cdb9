//! Backups: created, verified, and restored.

use super::{contents, copying, sync_folders};
use crate::platform::disk::{self, Disk, EachBlock, Kind, Marks, ReadDisk, many};
use crate::platform::{Context, Failure, FailureKind, Monitor, Progress, Size};
use crate::winpath::{WinPath, fold};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::time::{Duration, SystemTime};

/// The content of a backup. It is written last: a backup without its manifest is incomplete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this format.
    pub format: u32,
    /// What was backed up.
    pub source: WinPath,
    /// Whether `source` existed.
    pub present: bool,
    /// The metadata of a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<Marks>,
    /// Everything below `source`, folders before their content; the empty path is `source` itself if it is a file.
    pub entries: Vec<ManifestEntry>,
}

/// A file or folder in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// Its path below the source.
    pub path: String,
    /// SHA-256 of a file in lowercase hexadecimal; `None` for a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Size of a file in bytes.
    #[serde(default)]
    pub len: u64,
    /// Time of the last modification, in seconds since 1970 and nanoseconds.
    pub modified: (u64, u32),
    /// Its metadata.
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

    /// The number of files, and their total size.
    pub fn size(&self) -> Size {
        let files = self.entries.iter().filter(|entry| entry.sha256.is_some()).count();
        Size { files: files as u64, bytes: self.len() }
    }

    /// Whether the backup is empty.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the backup is of a folder, not of a file.
    fn is_folder(&self) -> bool {
        self.entries.iter().all(|entry| !entry.path.is_empty())
    }
}

/// The path of the manifest of `backup`: beside it, never in it.
pub fn manifest_of(backup: &WinPath) -> WinPath {
    backup.parent().unwrap_or_else(|| backup.clone()).child(&format!("{}.manifest.json", backup.name()))
}

pub(super) fn back_up(
    disk: &dyn Disk,
    from: &WinPath,
    to: &WinPath,
    except: &[WinPath],
    watch: &mut dyn Monitor,
) -> Result<(), Failure> {
    let doing = format!("back up {from} to {to}");
    let manifest_path = manifest_of(to);
    if disk::exists(disk.as_read(), &manifest_path).context(&doing)? {
        // The operation was completed before a kill: a backup is never written twice. The manifest's name may not be
        // durable yet.
        verify_backup(disk.as_read(), to, watch)?;
        return disk::sync_parent(disk, &manifest_path).context(&doing);
    }
    if let Some(parent) = to.parent() {
        disk::create_folders(disk, &parent).context(&doing)?;
    }
    let manifest = copy_into_backup(disk, from, to, except, watch).context(&doing)?;
    check_contents(disk.as_read(), to, &manifest, watch)?;
    let write = |file: &mut dyn io::Write| Ok(serde_json::to_writer_pretty(file, &manifest)?);
    disk::replace_with(disk, &manifest_path, write).context(&doing)
}

/// Files are written with their final names: without its manifest, which is written last, a copy does not count as
/// complete. Everything in the manifest is durable when this returns.
fn copy_into_backup(
    disk: &dyn Disk,
    from: &WinPath,
    to: &WinPath,
    except: &[WinPath],
    watch: &mut dyn Monitor,
) -> io::Result<Manifest> {
    let mut manifest = Manifest { format: 1, source: from.clone(), present: false, marks: None, entries: Vec::new() };
    let Some(source) = disk.entry(from)? else { return Ok(manifest) };
    manifest.present = true;
    if source.kind == Kind::File {
        watch.told(Progress::Total(source.len));
        let (sum, mut file) = disk::copy_unsynced(disk, from, to, &mut copying(watch))?;
        file.sync()?;
        manifest.entries.push(entry_of(disk, String::new(), &source, Some(sum))?);
        disk::sync_parent(disk, to)?;
        return Ok(manifest);
    }
    manifest.marks = disk.marks(from)?;
    disk::create_folders(disk, to)?;
    let batch = disk.batch(to)?;
    for entry in contents(disk.as_read(), from, except)? {
        let path = entry.path.below(from).unwrap_or_default().to_owned();
        if entry.kind == Kind::Folder {
            create_folder(batch.disk(), &to.join(&path).map_err(io::Error::other)?)?;
        }
        let sha256 = (entry.kind == Kind::File).then(String::new);
        manifest.entries.push(entry_of(disk, path, &entry, sha256)?);
    }
    watch.told(Progress::Total(manifest.len()));
    let sums = many::each(&manifest.entries, &mut copying(watch), |entry, each| {
        if entry.sha256.is_none() {
            return Ok(None);
        }
        disk::copy_unsynced(batch.disk(), &file_in(from, entry)?, &file_in(to, entry)?, each).map(|(sum, _)| Some(sum))
    })?;
    for (entry, sum) in manifest.entries.iter_mut().zip(sums) {
        entry.sha256 = sum;
    }
    batch.sync(&mut |_| watch.go_on())?;
    Ok(manifest)
}

/// Creates a folder, which an interrupted attempt may have left.
fn create_folder(disk: &dyn Disk, path: &WinPath) -> io::Result<()> {
    match disk.entry(path)? {
        Some(entry) if entry.kind == Kind::Folder => Ok(()),
        _ => disk.create_folder(path),
    }
}

fn entry_of(disk: &dyn Disk, path: String, entry: &disk::Entry, sha256: Option<String>) -> io::Result<ManifestEntry> {
    let since = entry.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (modified, marks) = ((since.as_secs(), since.subsec_nanos()), disk.marks(&entry.path)?);
    Ok(ManifestEntry { path, sha256, len: entry.len, modified, marks })
}

/// The time of the last modification; `None` if it is invalid.
fn time_of(entry: &ManifestEntry) -> Option<SystemTime> {
    let (seconds, nanos) = entry.modified;
    let since = (nanos < 1_000_000_000).then(|| Duration::new(seconds, nanos))?;
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// Verifies every file of a backup against the manifest, which it returns. `watch` may stop it.
pub fn verify_backup(disk: &dyn ReadDisk, backup: &WinPath, watch: &dyn Monitor) -> Result<Manifest, Failure> {
    let doing = format!("read the backup {backup}");
    let damaged = |why: String| {
        let next = "restore a good copy of it, if there is one; pfupgrade does not work with a damaged backup";
        Failure::new(&doing, why).next(next).of_kind(FailureKind::DamagedBackup)
    };
    let text = disk.open(&manifest_of(backup)).map_err(|e| damaged(format!("manifest: {e}")))?;
    let text = BufReader::with_capacity(1 << 16, text.take(MANIFEST_LIMIT));
    let manifest: Manifest = serde_json::from_reader(text).map_err(|e| damaged(format!("manifest: {e}")))?;
    check_contents(disk, backup, &manifest, watch)?;
    Ok(manifest)
}

/// Reads every file again, from the disk and not from the cache if possible.
fn check_contents(
    disk: &dyn ReadDisk,
    backup: &WinPath,
    manifest: &Manifest,
    watch: &dyn Monitor,
) -> Result<(), Failure> {
    let check = |entry: &ManifestEntry, each: &mut EachBlock<'_>| check_file(disk, backup, entry, each);
    let checked =
        many::each(&manifest.entries, &mut |_| watch.go_on(), check).context(format!("re-read the backup {backup}"));
    checked.map(drop).map_err(|failure| match failure.kind {
        FailureKind::Stopped => failure,
        _ => failure.next("the disk may be failing: check it first").of_kind(FailureKind::DamagedBackup),
    })
}

/// Fails if a file of a backup is damaged.
fn check_file(
    disk: &dyn ReadDisk,
    backup: &WinPath,
    entry: &ManifestEntry,
    each: &mut EachBlock<'_>,
) -> io::Result<()> {
    let fault = |why: String| Err(io::Error::other(why));
    if time_of(entry).is_none() {
        return fault(format!("the manifest has an invalid time for {}", entry.path));
    }
    let Some(sha256) = &entry.sha256 else { return Ok(()) };
    let path = file_in(backup, entry)?;
    // A file that has grown need not be read completely.
    match disk.entry(&path) {
        Ok(Some(found)) if found.len != entry.len => {
            return fault(format!("the content of {path} has changed: {} bytes, not {}", found.len, entry.len));
        }
        _ => {}
    }
    match disk::hash_stored(disk, &path, each) {
        Ok(found) if found == *sha256 => Ok(()),
        Ok(found) => fault(format!("the content of {path} has changed: its SHA-256 is {found}")),
        Err(error) if disk::is_stop(&error) => Err(error),
        Err(error) => fault(format!("{path}: {error}")),
    }
}

fn file_in(root: &WinPath, entry: &ManifestEntry) -> io::Result<WinPath> {
    if entry.path.is_empty() { Ok(root.clone()) } else { root.join(&entry.path).map_err(io::Error::other) }
}

pub(super) fn restore(
    disk: &dyn Disk,
    from: &WinPath,
    to: &WinPath,
    except: &[WinPath],
    watch: &mut dyn Monitor,
) -> Result<(), Failure> {
    let manifest = verify_backup(disk.as_read(), from, watch)?;
    let doing = format!("restore {to} from {from}");
    if !manifest.present {
        return disk::remove(disk, to).context(&doing);
    }
    put_back(disk, from, to, &manifest, watch).context(&doing)?;
    remove_extra(disk, to, except, &manifest, watch).context(&doing)?;
    // Once, at the end: this also makes durable what an earlier attempt had done.
    let safe = if manifest.is_folder() { sync_folders(disk, to) } else { disk::sync_parent(disk, to) };
    safe.context(doing)
}

fn put_back(
    disk: &dyn Disk,
    from: &WinPath,
    to: &WinPath,
    manifest: &Manifest,
    watch: &mut dyn Monitor,
) -> io::Result<()> {
    let mut total = manifest.len();
    watch.told(Progress::Total(total));
    let folder = if manifest.is_folder() { Some(to.clone()) } else { to.parent() };
    if let Some(folder) = folder {
        disk::create_folders(disk, &folder)?;
    }
    // A folder gets its access rights before its content.
    give_marks(disk, to, manifest.marks.as_ref())?;
    for entry in &manifest.entries {
        watch.go_on()?;
        let target = file_in(to, entry)?;
        let Some(sha256) = &entry.sha256 else {
            disk::create_folders(disk, &target)?;
            give_marks(disk, &target, entry.marks.as_ref())?;
            continue;
        };
        if is_same(disk.as_read(), &target, entry, sha256, watch)? {
            total = total.saturating_sub(entry.len);
            watch.told(Progress::Total(total));
            give_marks(disk, &target, entry.marks.as_ref())?;
            continue;
        }
        disk::copy(disk, &file_in(from, entry)?, &target, &mut copying(watch))?;
        give_marks(disk, &target, entry.marks.as_ref())?;
    }
    Ok(())
}

fn give_marks(disk: &dyn Disk, at: &WinPath, marks: Option<&Marks>) -> io::Result<()> {
    marks.map_or(Ok(()), |marks| disk.set_marks(at, marks))
}

fn is_same(
    disk: &dyn ReadDisk,
    at: &WinPath,
    entry: &ManifestEntry,
    sha256: &str,
    watch: &dyn Monitor,
) -> io::Result<bool> {
    let Some(found) = disk.entry(at)? else { return Ok(false) };
    let same_name = found.path.as_str().ends_with(&entry.path);
    let alike =
        found.kind == Kind::File && found.len == entry.len && Some(found.modified) == time_of(entry) && same_name;
    Ok(alike && disk::hash_by_blocks(disk, at, &mut |_| watch.go_on())? == sha256)
}

fn remove_extra(
    disk: &dyn Disk,
    to: &WinPath,
    except: &[WinPath],
    manifest: &Manifest,
    watch: &dyn Monitor,
) -> io::Result<()> {
    if disk.entry(to)?.is_none_or(|entry| entry.kind != Kind::Folder) {
        return Ok(());
    }
    let known: BTreeMap<String, ()> = manifest.entries.iter().map(|entry| (fold(&entry.path), ())).collect();
    let keeps = |path: &WinPath| except.iter().any(|kept| path.is_within(kept) || kept.is_within(path));
    for entry in disk.walk(to)? {
        watch.go_on()?;
        let below = fold(entry.path.below(to).unwrap_or_default());
        if !known.contains_key(&below) && !keeps(&entry.path) {
            disk::remove(disk, &entry.path)?;
        }
    }
    Ok(())
}
