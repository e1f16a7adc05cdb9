//! The operations that only concern the disk, the same on every backend.

use super::disk::{self, Disk, Kind, ReadDisk};
use super::op::Op;
use super::{Doing, Failure, FailureKind, Outcome, Progress};
use crate::winpath::{WinPath, fold};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
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

fn copy_into_backup(
    disk: &dyn Disk,
    from: &WinPath,
    to: &WinPath,
    except: &[WinPath],
    watch: &mut dyn FnMut(Progress),
) -> io::Result<Manifest> {
    let mut moved = |bytes| watch(Progress::Bytes(bytes));
    let mut manifest = Manifest { format: 1, source: from.clone(), present: false, entries: Vec::new() };
    let Some(source) = disk.entry(from)? else { return Ok(manifest) };
    manifest.present = true;
    if source.kind == Kind::File {
        let sum = disk::copy(disk, from, to, &mut moved)?;
        manifest.entries.push(entry_of(String::new(), &source, Some(sum)));
        disk::sync_parent(disk, to)?;
        return Ok(manifest);
    }
    disk::create_folders(disk, to)?;
    for entry in contents(disk.as_read(), from, except)? {
        let path = entry.path.below(from).unwrap_or_default().to_owned();
        let target = to.join(&path).map_err(io::Error::other)?;
        let sum = match entry.kind {
            Kind::Folder => {
                disk::create_folders(disk, &target)?;
                None
            }
            _ => Some(disk::copy(disk, &entry.path, &target, &mut moved)?),
        };
        manifest.entries.push(entry_of(path, &entry, sum));
    }
    sync_folders(disk, to)?;
    Ok(manifest)
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
