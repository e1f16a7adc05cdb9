//! The web.config of an application, with the files it refers to.

use crate::platform::{Inspect, disk};
use crate::webconfig::CONFIG_LIMIT;
use crate::webconfig::{
    Document, Gathered, OnConflict, OtherChanges, Rules, SdkUrlRule, Sources, ThemeRule, Values, merge,
};
use crate::winpath::WinPath;

/// The files that a web.config refers to and that go along with it.
pub fn outside_files(machine: &dyn Inspect, path: &WinPath) -> Vec<String> {
    let Ok(Some(document)) = parse(machine, path) else { return Vec::new() };
    let folder = path.parent().unwrap_or_else(|| path.clone());
    let beside = |file: &str| read_beside(machine, &folder, file);
    Gathered::of(&document, &beside).map_or(Vec::new(), |gathered| gathered.files())
}

/// Reads a web.config to its last value; `None` where there is no such file.
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
        let (sdk_url, theme, other_changes) = (SdkUrlRule::Keep, ThemeRule::KeepNew, OtherChanges::Report);
        let rules = Rules {
            sdk_url,
            theme,
            other_changes,
            on_conflict: OnConflict::KeepNew,
            strict: false,
            decisions: std::collections::BTreeMap::new(),
        };
        merge(&sources, &rules).map_err(|error| error.to_string())?;
    }
    Ok(Some((document, values)))
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
