//! Names on the host's disk, matched ignoring case even if the host's file system is case-sensitive.

use crate::winpath::fold;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The names in a folder, with their folded form.
type Listing = BTreeSet<(String, OsString)>;

/// The folders cached by a batch: nothing else changes them in the meantime, and the batch updates the cache. Otherwise
/// a folder of 10,000 files would be read 10,000 times while it is filled.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<HashMap<PathBuf, Listing>>);

impl Names {
    fn known(&self) -> MutexGuard<'_, HashMap<PathBuf, Listing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, folder: &Path, wanted: String) -> io::Result<Option<OsString>> {
        let mut known = self.known();
        let listing = match known.entry(folder.to_owned()) {
            Entry::Occupied(listing) => listing.into_mut(),
            Entry::Vacant(place) => place.insert(names_in(folder)?.collect::<io::Result<_>>()?),
        };
        let first = listing.range((wanted.clone(), OsString::new())..).next();
        Ok(first.filter(|(folded, _)| *folded == wanted).map(|(_, name)| name.clone()))
    }

    /// Adds an entry at `path`.
    pub(super) fn add(&self, path: &Path) {
        self.change(path, Listing::insert);
    }

    /// Removes the entry at `path`, and all below it.
    pub(super) fn remove(&self, path: &Path) {
        self.change(path, |listing, name| listing.remove(&name));
        self.known().retain(|folder, _| !folder.starts_with(path));
    }

    fn change(&self, path: &Path, change: fn(&mut Listing, (String, OsString)) -> bool) {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
        if let (Some(listing), Some(text)) = (self.known().get_mut(folder), name.to_str()) {
            change(listing, (fold(text), name.to_owned()));
        }
    }
}

/// Resolves `names` from `at` as far as they exist; the rest keeps the given case.
///
/// An exact match wins over names that differ in case. Nearly always all names match, or all but the last, so the whole
/// path is tried first, with one system call.
pub(super) fn resolve(known: Option<&Names>, mut at: PathBuf, names: &[&str]) -> io::Result<PathBuf> {
    let mut rest = names;
    loop {
        let (there, behind) = rest.split_at(exact(&at, rest));
        at.extend(there);
        let Some((name, behind)) = behind.split_first() else { return Ok(at) };
        let wanted = fold(name);
        let found = match known {
            Some(names) => names.find(&at, wanted)?,
            None => find(&at, &wanted)?,
        };
        let Some(found) = found else {
            at.push(name);
            at.extend(behind);
            return Ok(at);
        };
        at.push(found);
        rest = behind;
    }
}

/// How many of `names` exist below `at` in exactly this case.
fn exact(at: &Path, names: &[&str]) -> usize {
    let mut way = at.to_owned();
    way.extend(names);
    for there in (1..=names.len()).rev() {
        if fs::symlink_metadata(&way).is_ok() {
            return there;
        }
        way.pop();
    }
    0
}

/// The name in `folder` that matches `wanted` in Windows; always the same one if there are several.
fn find(folder: &Path, wanted: &str) -> io::Result<Option<OsString>> {
    let mut best: Option<OsString> = None;
    for name in names_in(folder)? {
        let (folded, name) = name?;
        if folded == wanted && best.as_ref().is_none_or(|best| name < *best) {
            best = Some(name);
        }
    }
    Ok(best)
}

/// The names in a folder, each with its folded form; empty if the folder does not exist.
fn names_in(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<(String, OsString)>>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => Some(entries),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => None,
        Err(error) => return Err(error),
    };
    let name = |entry: io::Result<fs::DirEntry>| {
        let name = match entry {
            Ok(entry) => entry.file_name(),
            Err(error) => return Some(Err(error)),
        };
        Some(Ok((fold(name.to_str()?), name)))
    };
    Ok(entries.into_iter().flatten().filter_map(name))
}
