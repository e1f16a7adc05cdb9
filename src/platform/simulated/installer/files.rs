//! The files of an installation: checking, installing, and removing them.
//!
//! In learn.microsoft.com, "File Versioning Rules" and "Neither File Has a Version": a file without a version that was
//! modified since it was created is kept. "Component Table": a permanent component stays when its product is removed, and
//! one that is never overwritten is not replaced. "RemoveFile Table" and "DuplicateFile Table" for the rest.

use super::log::{Log, Stop};
use super::plan::InstallPlan;
use crate::package::{Package, PackageError, PackagedFile, Problem};
use crate::platform::disk::{self, Disk, Kind, ReadDisk, ReadFile};
use crate::platform::simulated::{Installed, MachineFacts, Sweep};
use crate::platform::{BesidePackage, Context, Failure, Progress};
use crate::winpath::{WinPath, fold};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::time::SystemTime;

/// Checks that everything can be installed: the drives exist and have enough space, and nothing is in the way.
pub(super) fn check_places(
    disk: &dyn ReadDisk,
    files: &[PackagedFile],
    plan: &InstallPlan,
    facts: &MachineFacts,
) -> Result<(), Stop> {
    let layout = &plan.layout;
    let mut needed: BTreeMap<char, u64> = BTreeMap::new();
    for (file, to) in files.iter().filter_map(|file| Some((file, layout.files.get(&file.key)?))) {
        let there = entry(disk, to)?.map_or(0, |entry| entry.len);
        *needed.entry(to.drive()).or_default() += file.size.saturating_sub(there);
    }
    for (drive, bytes) in needed {
        // A machine without a list of drives has all of them.
        let Some(free) = facts.free_space.iter().find(|(letter, _)| letter.eq_ignore_ascii_case(&drive)) else {
            match facts.free_space.is_empty() {
                true => continue,
                false => return Err(Stop::fatal(format!("Error 1327. Invalid Drive: {drive}:\\"))),
            }
        };
        if *free.1 < bytes {
            return Err(Stop::fatal(format!(
                "Error 1601. Out of disk space -- Volume: '{drive}:'; required space: {} KB; available space: {} KB",
                bytes.div_ceil(1024),
                free.1 / 1024,
            )));
        }
    }
    let targets = layout.files.values().chain(layout.copies.iter().map(|(_, to)| to));
    for to in targets.clone() {
        if entry(disk, to)?.is_some_and(|entry| entry.kind != Kind::File) {
            return Err(cannot_write(to));
        }
    }
    let folders: BTreeSet<WinPath> =
        targets.filter_map(WinPath::parent).chain(layout.created.iter().cloned()).collect();
    for folder in folders {
        let mut at = Some(folder);
        while let Some(folder) = at {
            match entry(disk, &folder)?.map(|entry| entry.kind) {
                Some(Kind::Folder) => break,
                Some(_) => return Err(cannot_write(&folder)),
                None => at = folder.parent(),
            }
        }
    }
    Ok(())
}

fn entry(disk: &dyn ReadDisk, at: &WinPath) -> Result<Option<disk::Entry>, Failure> {
    disk.entry(at).context(format!("look for {at}"))
}

fn cannot_write(to: &WinPath) -> Stop {
    Stop::fatal(format!("Error 1310. Error writing to file: {to}. Verify that you have access to that directory"))
}

/// The error for a package that cannot be unpacked, in the words of Windows Installer for an incomplete source.
pub(super) fn source_trouble(error: PackageError, beside: &BesidePackage<'_>) -> Stop {
    let Problem::NotBeside { path, cabinet } = &error.problem else { return Stop::fatal(error.to_string()) };
    let place = beside.place(path).map_or(path.clone(), |place| place.to_string());
    let verify = "Verify that the file exists and that you can access it";
    Stop::fatal(match cabinet {
        true => format!("Error 1311. Source file not found(cabinet): {place}. {verify}"),
        false => format!("Error 1309. Error reading from file: {place}. System error 2. {verify}"),
    })
}

/// Installs the files. Returns a note for every file that was not replaced.
pub(super) fn lay(
    disk: &dyn Disk,
    source: &WinPath,
    package: &mut Package<Box<dyn ReadFile>>,
    plan: &InstallPlan,
    log: &mut Log,
    watch: &mut dyn FnMut(Progress),
) -> Result<Vec<String>, Stop> {
    let layout = &plan.layout;
    let doing = format!("install the files of {source}");
    // The files in a package have no readable times; that of the package is used instead.
    let modified = disk.entry(source).context(&doing)?.map_or(SystemTime::UNIX_EPOCH, |entry| entry.modified);
    for removal in layout.removals.iter().filter(|removal| removal.on_install) {
        let sweep = Sweep { folder: removal.folder.clone(), name: removal.name.clone() };
        self::sweep(disk, &sweep, log).context(&doing)?;
    }
    let targets = layout.files.values().chain(layout.copies.iter().map(|(_, to)| to));
    let folders: BTreeSet<WinPath> =
        targets.filter_map(WinPath::parent).chain(layout.created.iter().cloned()).collect();
    for folder in &folders {
        disk::create_folders(disk, folder).context(&doing)?;
    }
    let mut laying = Laying { disk, modified, notes: Vec::new(), log, watch };
    let beside = BesidePackage::new(disk.as_read(), source);
    package
        .unpack_beside(&beside, &|file| layout.files.contains_key(&file.key), &mut |file, content| match layout
            .files
            .get(&file.key)
        {
            Some(to) => laying.put(to, content, file.size, file),
            None => Ok(()),
        })
        .map_err(|error| disk_trouble(error, &beside, &doing))?;
    for (from, to) in &layout.copies {
        laying.copy(from, to).context(&doing)?;
    }
    let notes = laying.notes;
    for folder in &folders {
        disk.sync_folder(folder).context(&doing)?;
    }
    Ok(notes)
}

struct Laying<'a> {
    disk: &'a dyn Disk,
    modified: SystemTime,
    notes: Vec<String>,
    log: &'a mut Log,
    watch: &'a mut dyn FnMut(Progress),
}

impl Laying<'_> {
    /// Installs a file, unless the existing one must be kept: it has no version and was modified.
    fn put(&mut self, to: &WinPath, content: &mut dyn Read, size: u64, file: &PackagedFile) -> io::Result<()> {
        let there = self.disk.entry(to)?.filter(|entry| entry.kind == Kind::File);
        (self.watch)(Progress::Bytes(size));
        match there {
            Some(_) if file.never_overwrite => {
                self.log.say(format!("File: {to}; Won't Overwrite; Existing file is kept by its component"));
                Ok(())
            }
            Some(entry) if file.version.is_none() => {
                if entry.len == size && is_same(content, &mut *self.disk.open(to)?)? {
                    self.log.say(format!("File: {to}; To be installed"));
                } else {
                    self.notes.push(format!("{to} was modified and has been kept"));
                    self.log.say(format!("File: {to}; Won't Overwrite; Existing file is unversioned but modified"));
                }
                Ok(())
            }
            _ => {
                self.log.say(format!("File: {to}; To be installed"));
                self.place(to, content)
            }
        }
    }

    /// Copies an installed file to another path, replacing an existing file.
    fn copy(&mut self, from: &WinPath, to: &WinPath) -> io::Result<()> {
        if self.disk.entry(from)?.is_none_or(|entry| entry.kind != Kind::File) {
            return Ok(());
        }
        self.log.say(format!("File: {to}; To be duplicated from {from}"));
        self.place(to, &mut *self.disk.open(from)?)
    }

    /// Writes a file, atomically.
    fn place(&mut self, to: &WinPath, content: &mut (impl Read + ?Sized)) -> io::Result<()> {
        let beside = disk::beside(to);
        let mut file = self.disk.create(&beside)?;
        io::copy(content, &mut file)?;
        file.set_modified(self.modified)?;
        file.sync()?;
        drop(file);
        self.disk.rename(&beside, to)
    }
}

/// Compares two contents of the same length.
fn is_same(one: &mut dyn Read, two: &mut dyn Read) -> io::Result<bool> {
    let piece = |reader: &mut dyn Read| {
        let mut bytes = Vec::new();
        reader.take(64 << 10).read_to_end(&mut bytes).map(|_| bytes)
    };
    loop {
        let (a, b) = (piece(one)?, piece(two)?);
        if a != b || a.is_empty() {
            return Ok(a == b);
        }
    }
}

/// Errors of the disk are failures of the machine, all others of the package.
fn disk_trouble(error: PackageError, beside: &BesidePackage<'_>, doing: &str) -> Stop {
    match error.problem {
        Problem::Receiver { file, source } => Stop::Failure(Failure::new(doing, format!("{file}: {source}"))),
        _ => source_trouble(error, beside),
    }
}

/// Removes what belongs to a product.
pub(super) fn remove(disk: &dyn Disk, record: &Installed, log: &mut Log) -> io::Result<()> {
    for file in record.files.iter().chain([&record.package]) {
        log.say(format!("File: {file}; To be removed"));
        // An interrupted installation may have left temporary files.
        for path in [file, &disk::beside(file)] {
            if disk.entry(path)?.is_some_and(|entry| entry.kind == Kind::File) {
                disk.remove_file(path)?;
            }
        }
    }
    for folder in record.files.iter().chain([&record.package]).filter_map(WinPath::parent).collect::<BTreeSet<_>>() {
        if disk::exists(disk.as_read(), &folder)? {
            disk.sync_folder(&folder)?;
        }
    }
    for swept in &record.sweeps {
        sweep(disk, swept, log)?;
    }
    record.folders.iter().try_for_each(|folder| remove_empty(disk, folder))
}

fn remove_empty(disk: &dyn Disk, folder: &WinPath) -> io::Result<()> {
    let is_folder = disk.entry(folder)?.is_some_and(|entry| entry.kind == Kind::Folder);
    if is_folder && disk.list(folder)?.is_empty() {
        disk.remove_folder(folder)?;
    }
    disk::sync_name(disk, folder)
}

/// Removes the files of a folder that match a pattern, or the folder itself if it is empty.
fn sweep(disk: &dyn Disk, swept: &Sweep, log: &mut Log) -> io::Result<()> {
    let Some(name) = &swept.name else { return remove_empty(disk, &swept.folder) };
    if disk.entry(&swept.folder)?.is_none_or(|entry| entry.kind != Kind::Folder) {
        return Ok(());
    }
    let pattern = fold(name);
    let like = |entry: &disk::Entry| entry.kind == Kind::File && matches(&pattern, &fold(entry.path.name()));
    for file in disk.list(&swept.folder)?.into_iter().filter(like) {
        log.say(format!("File: {}; To be removed", file.path));
        disk.remove_file(&file.path)?;
    }
    disk.sync_folder(&swept.folder)
}

/// Whether a name matches a pattern with `*` and `?`.
fn matches(pattern: &str, name: &str) -> bool {
    // In Windows this matches every name, with or without a dot.
    let pattern = if pattern == "*.*" { "*" } else { pattern };
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // Whether the rest of the name matches the rest of the pattern, from the pattern's end to its start.
    let mut like: Vec<bool> = (0..=name.len()).map(|at| at == name.len()).collect();
    for wanted in pattern.iter().rev() {
        let mut longer = vec![false; name.len() + 1];
        for at in (0..=name.len()).rev() {
            longer[at] = match wanted {
                '*' => like[at] || (at < name.len() && longer[at + 1]),
                '?' => at < name.len() && like[at + 1],
                _ => at < name.len() && name[at] == *wanted && like[at + 1],
            };
        }
        like = longer;
    }
    like[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_like_patterns() {
        for (pattern, name, like) in [
            ("*.LOG", "A.LOG", true),
            ("*.LOG", ".LOG", true),
            ("*.LOG", "A.LOG.TXT", false),
            ("A?C", "ABC", true),
            ("A?C", "AC", false),
            ("*", "", true),
            ("**A*", "BAB", true),
            ("ABC", "ABCD", false),
            ("", "A", false),
            ("*.*", "A", true),
        ] {
            assert_eq!(matches(pattern, name), like, "{pattern} {name}");
        }
        assert!(!matches(&"*A".repeat(200), &"B".repeat(200)));
    }

    #[test]
    fn contents_are_compared_to_their_end() {
        let long = vec![7; 200_000];
        assert!(is_same(&mut long.as_slice(), &mut long.as_slice()).expect("memory"));
        let mut other = long.clone();
        other[199_999] = 8;
        assert!(!is_same(&mut long.as_slice(), &mut other.as_slice()).expect("memory"));
        assert!(!is_same(&mut long.as_slice(), &mut &long[..199_999]).expect("memory"));
    }
}
