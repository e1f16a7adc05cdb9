//! The web.config of an application, with the files it refers to.

use crate::platform::facts::Bits;
use crate::platform::{Inspect, disk};
use crate::webconfig::CONFIG_LIMIT;
use crate::webconfig::{
    Document, Gathered, OnConflict, OtherChanges, Rules, Sources, ThemeRule, Values, declared_sections, merge,
};
use crate::winpath::WinPath;
use std::collections::BTreeSet;

/// The files that a web.config refers to and that go along with it.
pub fn outside_files(machine: &dyn Inspect, path: &WinPath) -> Vec<String> {
    let Ok(Some(document)) = parse(machine, path) else { return Vec::new() };
    let folder = path.parent().unwrap_or_else(|| path.clone());
    let beside = |file: &str| read_beside(machine, &folder, file);
    Gathered::of(&document, &beside).map_or(Vec::new(), |gathered| gathered.files())
}

/// Reads a web.config to its last value; `None` if there is no such file.
pub fn read(machine: &dyn Inspect, path: &WinPath) -> Result<Option<(Document, Values)>, String> {
    let Some(document) = parse(machine, path)? else { return Ok(None) };
    let folder = path.parent().unwrap_or_else(|| path.clone());
    let beside = |file: &str| read_beside(machine, &folder, file);
    let gathered = Gathered::of(&document, &beside).map_err(|error| error.to_string())?;
    let document = gathered.document;
    let values = document.values().map_err(|error| error.to_string())?;
    let values = Values { outside: gathered.left, ..values };
    if values.encrypted.is_empty() {
        // What cannot be merged even with itself cannot be merged with a new file either.
        let sources = Sources { old: &document, base: None, new: &document };
        let rules = Rules {
            theme: ThemeRule::KeepNew,
            other_changes: OtherChanges::Report,
            on_conflict: OnConflict::KeepNew,
            ..Rules::default()
        };
        merge(&sources, &rules).map_err(|error| error.to_string())?;
    }
    Ok(Some((document, values)))
}

/// The sections that the files above an application declare: machine.config and the web.config beside it, which every
/// application of .NET 4 reads (such as those of the new version), and the web.config of the site. A file that cannot be
/// read declares nothing: its sections are then left to the operator.
pub fn declared_above(machine: &dyn Inspect, bits: Bits, site: &WinPath) -> BTreeSet<String> {
    let framework = if bits == Bits::X64 { "Framework64" } else { "Framework" };
    let windows = machine.variable("SystemRoot").and_then(|path| WinPath::new(path).ok());
    let config = windows.map(|windows| {
        ["Microsoft.NET", framework, "v4.0.30319", "Config"].into_iter().fold(windows, |path, name| path.child(name))
    });
    let of_machine = config.iter().flat_map(|config| ["machine.config", "web.config"].map(|name| config.child(name)));
    let files = of_machine.chain([site.child("web.config")]);
    files.filter_map(|path| parse(machine, &path).ok().flatten()).flat_map(|file| declared_sections(&file)).collect()
}

fn parse(machine: &dyn Inspect, path: &WinPath) -> Result<Option<Document>, String> {
    if !disk::exists(machine.files(), path).map_err(|error| error.to_string())? {
        return Ok(None);
    }
    let bytes = disk::read(machine.files(), path, CONFIG_LIMIT).map_err(|error| error.to_string())?;
    Document::parse(bytes, path.as_str()).map(Some).map_err(|error| error.to_string())
}

/// A file that a web.config in `folder` refers to.
pub fn read_beside(machine: &dyn Inspect, folder: &WinPath, file: &str) -> Result<Option<Vec<u8>>, String> {
    let path = folder.join(file).map_err(|error| error.to_string())?;
    let there = disk::exists(machine.files(), &path).map_err(|error| error.to_string())?;
    there.then(|| disk::read(machine.files(), &path, CONFIG_LIMIT).map_err(|error| error.to_string())).transpose()
}
