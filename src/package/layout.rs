//! The layout of a package: its properties, folders and files, resolved as in Windows Installer.

use super::condition::{Asked, holds_for};
use super::error::Problem;
use super::formatted::fill_in;
use super::tables::{CustomAction, MAX_DEPTH, Tables, long_name};
use super::{features, left_out};
use crate::winpath::{PathError, WinPath};
use std::collections::{BTreeMap, BTreeSet};

/// A package's properties, folders and files in an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Every property at the end of the action sequence.
    pub properties: BTreeMap<String, String>,
    /// The folders, by their key in the Directory table.
    pub folders: BTreeMap<String, WinPath>,
    /// The files that are installed, by their key in the File table.
    pub files: BTreeMap<String, WinPath>,
    /// Copies of installed files: from, to.
    pub copies: Vec<(WinPath, WinPath)>,
    /// Folders that are created even if empty.
    pub created: Vec<WinPath>,
    /// What is removed from folders that others may use.
    pub removals: Vec<Removal>,
    /// The features that are installed.
    pub features: BTreeSet<String>,
    /// Why the package itself stops this installation: a false launch condition, or an action.
    pub refusal: Option<String>,
    /// What is not simulated: custom actions, and tables by their names.
    pub left_out: Vec<String>,
    components: BTreeMap<String, String>,
    performed: BTreeSet<String>,
}

/// Files to remove from a folder, or the folder itself if it is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The folder.
    pub folder: WinPath,
    /// The files' name, which may have `*` and `?`; none for the folder.
    pub name: Option<String>,
    /// They are removed when the package is installed.
    pub on_install: bool,
    /// They are removed when it is uninstalled.
    pub on_uninstall: bool,
}

impl Layout {
    /// Expands the properties and paths in a formatted text, such as a registry value or a service's name.
    ///
    /// Unknown references are empty; `None` if the result is unreasonably long.
    pub fn fill_in(&self, text: &str) -> Option<String> {
        fill_in(text, &|name| match name.split_at_checked(1) {
            Some(("#" | "!", file)) => self.files.get(file).map(ToString::to_string),
            Some(("$", component)) => {
                self.components.get(component).and_then(|folder| self.folders.get(folder)).map(with_backslash)
            }
            Some(("%", _)) => self.properties.get(&name.to_uppercase()).cloned(),
            _ => self.properties.get(name).cloned(),
        })
    }

    /// Whether a selected feature has this component and the component's condition is true, so that it is installed.
    pub fn installs(&self, component: &str) -> bool {
        self.components.contains_key(component)
    }

    /// Whether the sequence has this action, such as `InstallFiles`, and the action's condition is true.
    pub fn performs(&self, action: &str) -> bool {
        self.performed.contains(action)
    }
}

/// A folder as the value of a property: with a trailing backslash.
fn with_backslash(folder: &WinPath) -> String {
    format!("{}\\", folder.as_str().trim_end_matches('\\'))
}

/// The types of the two actions that only set data.
pub(super) const SET_PROPERTY: i32 = 51;
pub(super) const SET_DIRECTORY: i32 = 35;
/// The type of the one that stops an installation with a message.
pub(super) const STOP: i32 = 19;
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
    let mut work = LayoutBuilder {
        tables,
        forced,
        properties,
        chosen: BTreeMap::new(),
        asked: Asked::default(),
        set_directories: 0,
        set_text: 0,
        refusal: None,
        left_out: Vec::new(),
        performed: BTreeSet::new(),
    };
    let costed = tables.sequence.iter().position(|(action, _)| action == "CostFinalize");
    let (before, after) = tables.sequence.split_at(costed.unwrap_or(tables.sequence.len()));
    for (action, condition) in before {
        work.run(action, condition, false)?;
    }
    let features = features::selected(tables, &work.properties)?;
    let components = work.components(&features)?;
    work.asked = Asked { features: features.clone(), components: components.keys().cloned().collect() };
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
    let copies = work.copies(&files, &components)?;
    let created = work.created(&folders, &components);
    let removals = work.removals(&components)?;
    let LayoutBuilder { properties, refusal, left_out, performed, .. } = work;
    let mut layout = Layout {
        properties,
        folders,
        files,
        copies,
        created,
        removals,
        features,
        refusal,
        left_out,
        components,
        performed,
    };
    layout.left_out.extend(left_out::tables(tables, &layout));
    Ok(layout)
}

struct LayoutBuilder<'a> {
    tables: &'a Tables,
    forced: &'a BTreeMap<String, String>,
    properties: BTreeMap<String, String>,
    /// Folders with a path that does not come from their parent.
    chosen: BTreeMap<String, WinPath>,
    asked: Asked,
    set_directories: usize,
    set_text: usize,
    refusal: Option<String>,
    left_out: Vec<String>,
    performed: BTreeSet<String>,
}

impl LayoutBuilder<'_> {
    /// Processes an action of the sequence. Returns whether it moved a folder.
    fn run(&mut self, name: &str, condition: &str, costed: bool) -> Result<bool, Problem> {
        let Some(action) = self.tables.actions.get(name) else {
            self.perform(name, condition);
            return Ok(false);
        };
        let forced = self.forced.contains_key(&action.source);
        match action.kind() {
            _ if action.kind & ONLY_AFTER_DIALOGS == ONLY_AFTER_DIALOGS => Ok(false),
            SET_PROPERTY | SET_DIRECTORY if forced => Ok(false),
            SET_PROPERTY | SET_DIRECTORY if self.holds(condition)? => self.set(action, costed),
            SET_PROPERTY | SET_DIRECTORY => Ok(false),
            STOP => {
                if self.applies(condition) {
                    self.refuse(&action.target);
                }
                Ok(false)
            }
            _ => {
                if self.applies(condition) {
                    self.left_out.extend(left_out::action(name, action));
                }
                Ok(false)
            }
        }
    }

    /// An action of Windows Installer's own.
    fn perform(&mut self, name: &str, condition: &str) {
        if !self.applies(condition) {
            return;
        }
        self.performed.insert(name.to_owned());
        if name == "LaunchConditions" {
            for (condition, message) in &self.tables.launch_conditions {
                match self.holds(condition) {
                    Ok(true) => {}
                    Ok(false) => self.refuse(message),
                    Err(problem) => self.refuse(&problem.to_string()),
                }
            }
        }
    }

    fn holds(&self, condition: &str) -> Result<bool, Problem> {
        Ok(holds_for(condition, &self.properties, &self.asked)?)
    }

    /// Whether a condition is true; an invalid one stops the installation.
    fn applies(&mut self, condition: &str) -> bool {
        self.holds(condition).unwrap_or_else(|problem| {
            self.refuse(&problem.to_string());
            false
        })
    }

    /// Keeps the first reason to stop.
    fn refuse(&mut self, message: &str) {
        if self.refusal.is_none() {
            let filled = fill_in(message, &|name| self.properties.get(name).cloned());
            self.refusal = Some(filled.unwrap_or_else(|| message.to_owned()));
        }
    }

    /// Sets a property or a folder. Returns whether that moved a folder.
    fn set(&mut self, action: &CustomAction, costed: bool) -> Result<bool, Problem> {
        let value = fill_in(&action.target, &|name| self.properties.get(name).cloned())
            .ok_or_else(|| Problem::LongText(action.target.chars().take(200).collect()))?;
        self.set_text += value.len();
        if self.set_text > MAX_SET_TEXT {
            return Err(Problem::TooMuch("text in properties"));
        }
        if action.kind() == SET_PROPERTY || !costed {
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
    fn components(&self, features: &BTreeSet<String>) -> Result<BTreeMap<String, String>, Problem> {
        let mut installed = BTreeMap::new();
        let chosen = features.iter().filter_map(|name| self.tables.features.get(name));
        for name in chosen.flat_map(|feature| &feature.components).collect::<BTreeSet<_>>() {
            if let Some(component) = self.tables.components.get(name)
                && self.holds(&component.condition)?
            {
                installed.insert(name.clone(), component.directory.clone());
            }
        }
        Ok(installed)
    }

    /// The first part of CostFinalize: folders whose property is set are there, whatever their parent.
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

    /// Resolves a folder: up to a parent with a known path, then down again.
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
                place = child(&place, name).map_err(|source| Problem::Folder { folder: key.to_owned(), source })?;
            }
            folders.insert(key.to_owned(), place.clone());
        }
        Ok(())
    }

    /// The path of a folder from its property, or as a root.
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

    /// From CostFinalize on, a folder's property has its path.
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
            let path = child(folder, &file.name).map_err(|source| Problem::File { file: file.key.clone(), source })?;
            files.insert(file.key.clone(), path);
        }
        Ok(files)
    }

    /// A folder from a property in a table; `None` if that is empty.
    fn folder_of(&self, property: &str) -> Result<Option<WinPath>, Problem> {
        let value = self.properties.get(property).filter(|path| !path.is_empty());
        value.map(|path| absolute(property, path)).transpose()
    }

    fn copies(
        &self,
        files: &BTreeMap<String, WinPath>,
        components: &BTreeMap<String, String>,
    ) -> Result<Vec<(WinPath, WinPath)>, Problem> {
        let mut copies = Vec::new();
        for row in self.tables.duplicates.iter().filter(|row| components.contains_key(&row.component)) {
            let Some(from) = files.get(&row.file) else { continue };
            let folder = match &row.folder {
                Some(property) => self.folder_of(property)?,
                None => from.parent(),
            };
            let Some(folder) = folder else { continue };
            let name = row.name.as_deref().unwrap_or(from.name());
            let to = child(&folder, name).map_err(|source| Problem::File { file: row.file.clone(), source })?;
            if to != *from {
                copies.push((from.clone(), to));
            }
        }
        Ok(copies)
    }

    fn created(&self, folders: &BTreeMap<String, WinPath>, components: &BTreeMap<String, String>) -> Vec<WinPath> {
        let rows = self.tables.created.iter().filter(|(_, component)| components.contains_key(component));
        rows.filter_map(|(folder, _)| folders.get(folder).cloned()).collect()
    }

    fn removals(&self, components: &BTreeMap<String, String>) -> Result<Vec<Removal>, Problem> {
        let mut removals = Vec::new();
        for row in self.tables.removals.iter().filter(|row| components.contains_key(&row.component)) {
            let Some(folder) = self.folder_of(&row.folder)? else { continue };
            if let Some(name) = &row.name {
                // A pattern must not lead elsewhere either.
                child(&folder, &name.replace(['*', '?'], "x"))
                    .map_err(|source| Problem::File { file: name.clone(), source })?;
            }
            let name = row.name.clone();
            removals.push(Removal { folder, name, on_install: row.on_install, on_uninstall: row.on_uninstall });
        }
        Ok(removals)
    }
}

/// A file or folder in a folder. Names come from the package: one that leads elsewhere is an error.
fn child(folder: &WinPath, name: &str) -> Result<WinPath, PathError> {
    let path = || format!("{folder}\\{name}");
    if name.is_empty() {
        return Err(PathError::Name { path: path(), name: String::new() });
    }
    match name.chars().find(|c| matches!(c, '\\' | '/')) {
        Some(character) => Err(PathError::Character { path: path(), character }),
        None => folder.join(name),
    }
}

fn absolute(folder: &str, path: &str) -> Result<WinPath, Problem> {
    WinPath::new(path).map_err(|source| Problem::Folder { folder: folder.to_owned(), source })
}

/// The long name on the target of `target:source`, each of which may be `short|long`.
pub(super) fn name_on_target(default: &str) -> &str {
    long_name(default.split_once(':').map_or(default, |(target, _)| target))
}

/// The name at the source of `target:source`.
pub(super) fn name_at_source(default: &str) -> &str {
    default.split_once(':').map_or(default, |(_, source)| source)
}
