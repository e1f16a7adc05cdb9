//! Where a package's files go: its properties, folders and files, resolved as Windows Installer does.

use super::condition::holds;
use super::error::Problem;
use super::formatted::fill_in;
use super::tables::{CustomAction, MAX_DEPTH, Tables, long_name};
use crate::winpath::WinPath;
use std::collections::BTreeMap;

/// A package's properties, folders and files as one installation would have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Every property at the end of the action sequence.
    pub properties: BTreeMap<String, String>,
    /// The folders, by their key in the Directory table.
    pub folders: BTreeMap<String, WinPath>,
    /// The files that are installed, by their key in the File table.
    pub files: BTreeMap<String, WinPath>,
    components: BTreeMap<String, String>,
}

impl Layout {
    /// Fills the properties and paths into a formatted text, such as a registry value or a service's name.
    ///
    /// What is unknown is empty; `None` where the result is unreasonably long.
    pub fn fill_in(&self, text: &str) -> Option<String> {
        fill_in(text, &|name| match name.split_at_checked(1) {
            Some(("#" | "!", file)) => self.files.get(file).map(ToString::to_string),
            Some(("$", component)) => {
                self.components.get(component).and_then(|folder| self.folders.get(folder)).map(with_backslash)
            }
            _ => self.properties.get(name).cloned(),
        })
    }

    /// True where the package's condition for this component holds, so that its files and settings are installed.
    pub fn installs(&self, component: &str) -> bool {
        self.components.contains_key(component)
    }
}

/// A folder as a property holds it: with a backslash at its end.
fn with_backslash(folder: &WinPath) -> String {
    format!("{}\\", folder.as_str().trim_end_matches('\\'))
}

/// The types of the two actions that are only data.
pub(super) const SET_PROPERTY: i32 = 51;
pub(super) const SET_DIRECTORY: i32 = 35;
const KIND: i32 = 0x3f;
const ONLY_AFTER_DIALOGS: i32 = 0x300;
const MAX_SET_DIRECTORY: usize = 64;
const MAX_SET_TEXT: usize = 16 << 20;

impl CustomAction {
    /// The action's type without its options.
    pub(super) fn kind(&self) -> i32 {
        self.kind & KIND
    }
}

pub(super) fn lay_out(
    tables: &Tables,
    given: &BTreeMap<String, String>,
    machine: &BTreeMap<String, String>,
    forced: &BTreeMap<String, String>,
) -> Result<Layout, Problem> {
    let mut properties = tables.properties.clone();
    for source in [machine, given, forced] {
        properties.extend(source.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    let mut work = Work { tables, forced, properties, chosen: BTreeMap::new(), set_directories: 0, set_text: 0 };
    let costed = tables.sequence.iter().position(|(action, _)| action == "CostFinalize");
    let (before, after) = tables.sequence.split_at(costed.unwrap_or(tables.sequence.len()));
    for (action, condition) in before {
        work.run(action, condition, false)?;
    }
    let components = work.components()?;
    work.choose()?;
    let mut folders = work.folders()?;
    work.publish(&folders);
    for (action, condition) in after {
        if work.run(action, condition, true)? {
            folders = work.folders()?;
            work.publish(&folders);
        }
    }
    let files = work.files(&folders, &components)?;
    Ok(Layout { properties: work.properties, folders, files, components })
}

struct Work<'a> {
    tables: &'a Tables,
    forced: &'a BTreeMap<String, String>,
    properties: BTreeMap<String, String>,
    /// Folders that have got their place otherwise than through their parent.
    chosen: BTreeMap<String, WinPath>,
    set_directories: usize,
    set_text: usize,
}

impl Work<'_> {
    /// Runs an action if it is one that is only data; true where it moved a folder.
    fn run(&mut self, name: &str, condition: &str, costed: bool) -> Result<bool, Problem> {
        let Some(action) = self.tables.actions.get(name) else { return Ok(false) };
        let kind = action.kind();
        let concerns_us = matches!(kind, SET_PROPERTY | SET_DIRECTORY)
            && action.kind & ONLY_AFTER_DIALOGS != ONLY_AFTER_DIALOGS
            && !self.forced.contains_key(&action.source);
        if !concerns_us || !holds(condition, &self.properties)? {
            return Ok(false);
        }
        let value = fill_in(&action.target, &|name| self.properties.get(name).cloned())
            .ok_or_else(|| Problem::LongText(action.target.chars().take(200).collect()))?;
        self.set_text += value.len();
        if self.set_text > MAX_SET_TEXT {
            return Err(Problem::TooMuch("text in properties"));
        }
        if kind == SET_PROPERTY || !costed {
            self.properties.insert(action.source.clone(), value);
            return Ok(false);
        }
        self.set_directories += 1;
        if self.set_directories > MAX_SET_DIRECTORY {
            return Err(Problem::TooMuch("actions that set a folder"));
        }
        self.chosen.insert(action.source.clone(), absolute(&action.source, &value)?);
        Ok(true)
    }

    /// The components that are installed, with their folders' keys.
    fn components(&self) -> Result<BTreeMap<String, String>, Problem> {
        let mut installed = BTreeMap::new();
        for (name, component) in &self.tables.components {
            if holds(&component.condition, &self.properties)? {
                installed.insert(name.clone(), component.directory.clone());
            }
        }
        Ok(installed)
    }

    /// What CostFinalize does first: folders whose property is set lie there, whatever their parent.
    fn choose(&mut self) -> Result<(), Problem> {
        for key in self.tables.directories.keys() {
            if let Some(place) = self.own_place(key)? {
                self.chosen.insert(key.clone(), place);
            }
        }
        Ok(())
    }

    fn folders(&self) -> Result<BTreeMap<String, WinPath>, Problem> {
        let mut folders = self.chosen.clone();
        for key in self.tables.directories.keys() {
            self.folder(key, &mut folders)?;
        }
        Ok(folders)
    }

    /// Resolves one folder: up to a parent that has its place, then down again.
    fn folder(&self, key: &str, folders: &mut BTreeMap<String, WinPath>) -> Result<(), Problem> {
        let mut below = Vec::new();
        let mut at = key;
        let mut place = loop {
            if let Some(place) = folders.get(at) {
                break place.clone();
            }
            if below.len() > MAX_DEPTH {
                return Err(Problem::FolderTree(key.to_owned()));
            }
            below.push(at);
            let directory = self.tables.directories.get(at).ok_or_else(|| Problem::FolderTree(key.to_owned()))?;
            at = &directory.parent;
        };
        for key in below.into_iter().rev() {
            let name = self.tables.directories.get(key).map_or(".", |directory| name_on_target(&directory.default));
            if name != "." {
                place = place.join(name).map_err(|source| Problem::Folder { folder: key.to_owned(), source })?;
            }
            folders.insert(key.to_owned(), place.clone());
        }
        Ok(())
    }

    /// The place a folder has through its property, or as a root.
    fn own_place(&self, key: &str) -> Result<Option<WinPath>, Problem> {
        if let Some(path) = self.properties.get(key).filter(|path| !path.is_empty()) {
            return absolute(key, path).map(Some);
        }
        let Some(directory) = self.tables.directories.get(key) else { return Ok(None) };
        if !directory.parent.is_empty() && directory.parent != key {
            return Ok(None);
        }
        let root = self.properties.get("ROOTDRIVE").map_or(r"C:\", String::as_str);
        absolute(key, root).map(Some)
    }

    /// From CostFinalize on, a folder's property holds its path.
    fn publish(&mut self, folders: &BTreeMap<String, WinPath>) {
        self.properties.extend(folders.iter().map(|(key, path)| (key.clone(), with_backslash(path))));
    }

    fn files(
        &self,
        folders: &BTreeMap<String, WinPath>,
        components: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, WinPath>, Problem> {
        let mut files = BTreeMap::new();
        for file in self.tables.files.iter().filter(|file| components.contains_key(&file.component)) {
            let folder = folders.get(&file.directory).ok_or_else(|| Problem::FolderTree(file.directory.clone()))?;
            let path =
                folder.join(&file.name).map_err(|source| Problem::Folder { folder: file.directory.clone(), source })?;
            files.insert(file.key.clone(), path);
        }
        Ok(files)
    }
}

fn absolute(folder: &str, path: &str) -> Result<WinPath, Problem> {
    WinPath::new(path).map_err(|source| Problem::Folder { folder: folder.to_owned(), source })
}

/// The long name on the target of `target:source`, each of which may be `short|long`.
fn name_on_target(default: &str) -> &str {
    long_name(default.split_once(':').map_or(default, |(target, _)| target))
}
