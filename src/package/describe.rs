//! The description of a package, for `inspect`.

use super::layout::{SET_DIRECTORY, SET_PROPERTY, STOP, name_on_target};
use super::left_out;
use super::tables::{LEFT_OUT, MAX_DEPTH};
use super::{Info, Package, ServiceStart};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{Read, Seek};

/// A package, described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Description {
    /// What was checked.
    #[serde(flatten)]
    pub info: Info,
    /// The public properties, with their values in the package.
    pub properties: BTreeMap<String, String>,
    /// The parts that can be chosen.
    pub features: Vec<FeatureDescription>,
    /// The folders of the package, by their keys.
    pub directories: BTreeMap<String, String>,
    /// The files.
    pub files: Vec<FileDescription>,
    /// The services.
    pub services: Vec<ServiceDescription>,
    /// What it would configure in IIS; `None` if nothing.
    pub web: Option<WebDescription>,
    /// Its launch conditions.
    pub launch_conditions: Vec<LaunchCondition>,
    /// Custom actions and tables that a rehearsal does not simulate.
    pub not_simulated: Vec<String>,
}

/// A feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeatureDescription {
    /// Its name in ADDLOCAL.
    pub name: String,
    /// The feature it is part of.
    pub parent: Option<String>,
    /// Its display name.
    pub title: String,
    /// It is installed if INSTALLLEVEL is at least this; never if it is 0.
    pub level: i32,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileDescription {
    /// Its folder, as in `directories`, and its name.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its version, if it has one.
    pub version: Option<String>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceDescription {
    /// Its internal name.
    pub name: String,
    /// Its display name.
    pub display_name: String,
    /// When it starts.
    pub start: ServiceStart,
    /// The account it runs as; none for LocalSystem.
    pub account: Option<String>,
}

/// What a web setup configures in IIS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebDescription {
    /// The value of the property for the virtual directory; `None` if there is no such property.
    pub virtual_directory: Option<String>,
    /// The same for the site, such as `/LM/W3SVC/1`.
    pub site: Option<String>,
    /// The same for the application pool.
    pub application_pool: Option<String>,
    /// Its tables about IIS.
    pub tables: Vec<String>,
}

/// A launch condition of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LaunchCondition {
    /// The condition.
    pub condition: String,
    /// The message if it is false.
    pub message: String,
}

impl<R: Read + Seek> Package<R> {
    /// Describes the package itself, independent of an installation.
    pub fn describe(&self) -> Description {
        let directories: BTreeMap<String, String> =
            self.tables.directories.keys().map(|key| (key.clone(), self.directory(key))).collect();
        let path = |key: &str, name: &str| {
            let folder = directories.get(key).map_or(key, String::as_str);
            format!("{}\\{name}", folder.trim_end_matches('\\'))
        };
        Description {
            info: self.info.clone(),
            properties: self.public_properties().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            features: self
                .features()
                .map(|feature| FeatureDescription {
                    name: feature.name.clone(),
                    parent: feature.parent.clone(),
                    title: feature.title.clone(),
                    level: feature.level,
                })
                .collect(),
            files: self
                .files()
                .iter()
                .map(|file| FileDescription {
                    path: path(&file.directory, &file.name),
                    size: file.size,
                    version: file.version.clone(),
                })
                .collect(),
            services: self
                .services()
                .iter()
                .map(|service| ServiceDescription {
                    name: service.name.clone(),
                    display_name: service.display_name.clone(),
                    start: service.start,
                    account: service.account.clone(),
                })
                .collect(),
            web: self.web(),
            launch_conditions: self
                .launch_conditions()
                .iter()
                .cloned()
                .map(|(condition, message)| LaunchCondition { condition, message })
                .collect(),
            not_simulated: self.not_simulated(),
            directories,
        }
    }

    /// The path of a folder, as far as known from the package alone: `[ProgramFilesFolder]\Example`.
    pub(super) fn directory(&self, key: &str) -> String {
        let (mut names, mut at) = (Vec::new(), key);
        while let Some(directory) = self.tables.directories.get(at).filter(|_| names.len() < MAX_DEPTH) {
            if directory.parent.is_empty() || directory.parent == at || is_of_windows(at) {
                break;
            }
            names.push(name_on_target(&directory.default));
            at = &directory.parent;
        }
        let names = names.into_iter().rev().filter(|name| *name != ".").map(|name| format!("\\{name}"));
        format!("[{at}]{}", names.collect::<String>())
    }

    fn web(&self) -> Option<WebDescription> {
        let taken = |name: &str| self.takes(name).then(|| self.property(name).unwrap_or_default().to_owned());
        let tables = self.msi.tables().map(|table| table.name().to_owned());
        let web = WebDescription {
            virtual_directory: taken("TARGETVDIR"),
            site: taken("TARGETSITE"),
            application_pool: taken("TARGETAPPPOOL"),
            tables: tables.filter(|name| name.to_ascii_lowercase().contains("iis")).collect(),
        };
        (web.virtual_directory.is_some() || !web.tables.is_empty()).then_some(web)
    }

    /// What a rehearsal does not simulate, independent of conditions.
    fn not_simulated(&self) -> Vec<String> {
        let actions = self.tables.sequence.iter().filter_map(|(name, _)| Some((name, self.tables.actions.get(name)?)));
        let run = actions.filter(|(_, action)| !matches!(action.kind(), SET_PROPERTY | SET_DIRECTORY | STOP));
        let run = run.filter_map(|(name, action)| left_out::action(name, action));
        let has_rows = |table: &&str| self.tables.left_out.get(*table).is_some_and(|rows| !rows.is_empty());
        let tables = LEFT_OUT.iter().map(|(table, _)| *table).filter(has_rows);
        run.chain(tables.map(|table| format!("table {table}"))).chain(left_out::searches(&self.tables)).collect()
    }
}

/// Whether Windows Installer itself defines the path of a folder, independent of the package.
fn is_of_windows(key: &str) -> bool {
    key.ends_with("Folder") && key.starts_with(|c: char| c.is_ascii_uppercase())
}
