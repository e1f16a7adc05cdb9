//! The operations that only change the disk, the same on every backend.

mod backup;
#[cfg(test)]
mod tests;

pub use backup::{Manifest, ManifestEntry, manifest_of, verify_backup};

use super::disk::{self, Disk, Kind, ReadDisk};
use super::op::Op;
use super::{Context, Failure, Monitor, Outcome, Progress};
use crate::winpath::WinPath;
use backup::{back_up, restore};
use std::io;

/// Carries out `op` if it only changes the disk; `None` for every other operation.
pub(crate) fn perform(disk: &dyn Disk, op: &Op, watch: &mut dyn Monitor) -> Option<Result<Outcome, Failure>> {
    let done = match op {
        Op::Close { folder } => close(disk, folder).context(op),
        Op::BackUp { from, to, except } => back_up(disk, from, to, except, watch),
        Op::Restore { from, to, except } => restore(disk, from, to, except, watch),
        Op::Copy { from, to } => copy(disk, from, to, watch).context(op),
        Op::Write { path, content } => match content.bytes() {
            Some(bytes) => write(disk, path, bytes).context(op),
            None => Err(Failure::new(op, "only the SHA-256 of its content is known")),
        },
        Op::Move { from, to, aside } => relocate(disk, from, to, *aside).context(op),
        Op::Remove { path } => disk::remove(disk, path).context(op),
        Op::RemoveEmpty { path, up_to } => remove_empty(disk, path, up_to).context(op),
        _ => return None,
    };
    Some(done.map(|()| Outcome::default()))
}

/// Reports each copied block to the monitor, and checks for a stop request.
fn copying(watch: &mut dyn Monitor) -> impl FnMut(u64) -> io::Result<()> {
    move |bytes| {
        if bytes > 0 {
            watch.told(Progress::Bytes(bytes));
        }
        watch.go_on()
    }
}

/// The file in an application's folder that makes ASP.NET respond to every request with its content.
pub const OFFLINE: &str = "app_offline.htm";

const OFFLINE_PAGE: &str = "<!DOCTYPE html>\r\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Maintenance</title></head>\r\n\
<body><h1>This service is being upgraded</h1><p>Please try again later.</p></body></html>\r\n";

/// Whether this program has closed the application in a folder. The page of an administrator has other content.
pub fn is_closed(files: &dyn ReadDisk, folder: &WinPath) -> io::Result<bool> {
    let page = folder.child(OFFLINE);
    let is_it = |entry: disk::Entry| entry.kind == Kind::File && entry.len == OFFLINE_PAGE.len() as u64;
    let there = files.entry(&page)?.is_some_and(is_it);
    Ok(there && disk::read(files, &page, OFFLINE_PAGE.len() as u64)? == OFFLINE_PAGE.as_bytes())
}

fn close(disk: &dyn Disk, folder: &WinPath) -> io::Result<()> {
    disk::create_folders(disk, folder)?;
    disk::replace(disk, &folder.child(OFFLINE), OFFLINE_PAGE.as_bytes())
}

fn write(disk: &dyn Disk, path: &WinPath, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        disk::create_folders(disk, &folder)?;
    }
    disk::replace(disk, path, bytes)
}

fn relocate(disk: &dyn Disk, from: &WinPath, to: &WinPath, aside: bool) -> io::Result<()> {
    // Otherwise it was already moved, or nothing was left to move.
    if disk::exists(disk.as_read(), from)? {
        if let (true, Some(folder)) = (aside, to.parent()) {
            disk::create_private(disk, &folder)?;
        }
        disk.rename(from, to)?;
    }
    // A move before an interruption may not be durable yet.
    [to, from].into_iter().try_for_each(|path| disk::sync_name(disk, path))
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

fn copy(disk: &dyn Disk, from: &WinPath, to: &WinPath, watch: &mut dyn Monitor) -> io::Result<()> {
    let source = disk.entry(from)?.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it is not there"))?;
    watch.told(Progress::Total(disk.size(from)?));
    if source.kind == Kind::File {
        if let Some(parent) = to.parent() {
            disk::create_folders(disk, &parent)?;
        }
        disk::copy(disk, from, to, &mut copying(watch))?;
        return disk::sync_parent(disk, to);
    }
    disk::create_folders(disk, to)?;
    for entry in contents(disk.as_read(), from, &[])? {
        watch.go_on()?;
        let target = to.join(entry.path.below(from).unwrap_or_default()).map_err(io::Error::other)?;
        match entry.kind {
            Kind::Folder => disk::create_folders(disk, &target)?,
            _ => drop(disk::copy(disk, &entry.path, &target, &mut copying(watch))?),
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

/// Everything below a folder except the excluded folders; a link is an error, because it could not be restored.
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
