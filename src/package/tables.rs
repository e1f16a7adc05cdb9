//! The tables of a package, read into plain data.

use super::error::Problem;
use super::guard::guarded;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

/// A file of the package: its row of the File table, with what its component says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackagedFile {
    /// The key in the File table, which is also its name inside the cabinet.
    pub key: String,
    /// The long name it gets on disk.
    pub name: String,
    /// The key of its folder in the Directory table.
    pub directory: String,
    /// The key of its component.
    pub component: String,
    /// Its size in bytes when unpacked.
    pub size: u64,
    /// Its version, for files that have one.
    pub version: Option<String>,
    /// Its place in the order of all files, which decides the cabinet it is in.
    pub sequence: i32,
    /// False for a file that lies loose beside the package.
    pub compressed: bool,
}

/// When a service starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceStart {
    /// With the machine.
    Auto,
    /// When asked to.
    Manual,
    /// Never.
    Disabled,
}

/// A service the package installs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceInstall {
    /// The name programs use; formatted text.
    pub name: String,
    /// The name people see; formatted text.
    pub display_name: String,
    /// When it starts.
    pub start: ServiceStart,
    /// The account it runs as; none for LocalSystem.
    pub account: Option<String>,
    /// Arguments behind the program's path; formatted text.
    pub arguments: String,
    /// The key of its program in the File table.
    pub file: String,
}

/// What happens to a service around installing and uninstalling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceControl {
    /// The service's name; formatted text.
    pub name: String,
    /// Started when the package is installed.
    pub start_on_install: bool,
    /// Stopped when the package is installed.
    pub stop_on_install: bool,
    /// Deleted when the package is installed.
    pub delete_on_install: bool,
    /// Started when the package is uninstalled.
    pub start_on_uninstall: bool,
    /// Stopped when the package is uninstalled.
    pub stop_on_uninstall: bool,
    /// Deleted when the package is uninstalled.
    pub delete_on_uninstall: bool,
}

/// The root a registry row is written below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistryRoot {
    /// The machine's or the user's software, as the installation is for all users or for one.
    UserOrMachine,
    /// HKEY_CLASSES_ROOT
    ClassesRoot,
    /// HKEY_CURRENT_USER
    CurrentUser,
    /// HKEY_LOCAL_MACHINE
    LocalMachine,
    /// HKEY_USERS
    Users,
}

/// A value the package writes into the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryRow {
    /// The root key.
    pub root: RegistryRoot,
    /// The key below it; formatted text.
    pub key: String,
    /// The value's name; none for the key's default value. Formatted text.
    pub name: Option<String>,
    /// The value with its type prefix, as it stands in the table; formatted text.
    pub value: Option<String>,
    /// The key of its component.
    pub component: String,
    /// True where it goes to the 64-bit view of the registry.
    pub wide: bool,
    /// True where it stays when the package is uninstalled.
    pub permanent: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Component {
    pub(super) directory: String,
    pub(super) condition: String,
    pub(super) key_path: String,
    pub(super) attributes: i32,
}

#[derive(Debug, Clone)]
pub(super) struct Directory {
    pub(super) parent: String,
    pub(super) default: String,
}

#[derive(Debug, Clone)]
pub(super) struct CustomAction {
    pub(super) kind: i32,
    pub(super) source: String,
    pub(super) target: String,
}

#[derive(Debug, Clone)]
pub(super) struct Media {
    pub(super) last_sequence: i32,
    pub(super) cabinet: String,
}

/// Everything the rest of this module wants to know of the database.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) properties: BTreeMap<String, String>,
    pub(super) directories: BTreeMap<String, Directory>,
    pub(super) components: BTreeMap<String, Component>,
    pub(super) files: Vec<PackagedFile>,
    pub(super) media: Vec<Media>,
    pub(super) actions: BTreeMap<String, CustomAction>,
    /// InstallExecuteSequence in its order: action and condition.
    pub(super) sequence: Vec<(String, String)>,
    pub(super) services: Vec<ServiceInstall>,
    pub(super) controls: Vec<ServiceControl>,
    pub(super) registry: Vec<RegistryRow>,
    pub(super) launch_conditions: Vec<(String, String)>,
    /// Properties that the dialogs of the package let people enter.
    pub(super) entered: BTreeSet<String>,
}

const MAX_TEXT: usize = 64 << 20;
const WIDE_COMPONENT: i32 = 256;
/// No real package nests its folders as deeply.
pub(super) const MAX_DEPTH: usize = 256;
const PERMANENT_COMPONENT: i32 = 16;

/// One row, by column name; a column that is not there is empty.
struct Row(msi::Row);

impl Row {
    fn text(&self, column: &str) -> String {
        match self.0.has_column(column).then(|| &self.0[column]) {
            Some(msi::Value::Str(text)) => text.clone(),
            Some(msi::Value::Int(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    fn some_text(&self, column: &str) -> Option<String> {
        Some(self.text(column)).filter(|text| !text.is_empty())
    }

    fn number(&self, column: &str) -> i32 {
        self.0.has_column(column).then(|| self.0[column].as_int()).flatten().unwrap_or(0)
    }
}

struct Database<'a, R> {
    msi: &'a mut msi::Package<R>,
    text: usize,
}

impl<R: Read + Seek> Database<'_, R> {
    fn rows<T>(&mut self, table: &str, mut read: impl FnMut(Row) -> Result<T, Problem>) -> Result<Vec<T>, Problem> {
        if !self.msi.has_table(table) {
            return Ok(Vec::new());
        }
        let text = &mut self.text;
        let msi = &mut *self.msi;
        let collect = || {
            let mut found = Vec::new();
            for row in msi.select_rows(msi::Select::table(table))? {
                *text += (0..row.len()).map(|at| row[at].as_str().map_or(0, str::len)).sum::<usize>();
                if *text > MAX_TEXT {
                    return Ok(Err(Problem::TooMuch("text")));
                }
                match read(Row(row)) {
                    Ok(item) => found.push(item),
                    Err(problem) => return Ok(Err(problem)),
                }
            }
            Ok(Ok(found))
        };
        guarded(collect).map_err(Problem::read(format!("table {table}")))?
    }
}

impl Tables {
    pub(super) fn read<R: Read + Seek>(msi: &mut msi::Package<R>, compressed: bool) -> Result<Self, Problem> {
        let mut db = Database { msi, text: 0 };
        let properties = db.rows("Property", |row| Ok((row.text("Property"), row.text("Value"))))?;
        let directories = db.rows("Directory", |row| {
            let directory = Directory { parent: row.text("Directory_Parent"), default: row.text("DefaultDir") };
            Ok((row.text("Directory"), directory))
        })?;
        let components = db.rows("Component", |row| {
            let component = Component {
                directory: row.text("Directory_"),
                condition: row.text("Condition"),
                key_path: row.text("KeyPath"),
                attributes: row.number("Attributes"),
            };
            Ok((row.text("Component"), component))
        })?;
        let mut tables = Self {
            properties: properties.into_iter().collect(),
            directories: directories.into_iter().collect(),
            components: components.into_iter().collect(),
            ..Self::default()
        };
        tables.files = db.rows("File", |row| tables.file(&row, compressed))?;
        tables.files.sort_by_key(|file| file.sequence);
        tables.media = db.rows("Media", |row| {
            Ok(Media { last_sequence: row.number("LastSequence"), cabinet: row.text("Cabinet") })
        })?;
        tables.media.sort_by_key(|media| media.last_sequence);
        tables.read_actions(&mut db)?;
        tables.services = db.rows("ServiceInstall", |row| tables.service(&row))?;
        tables.controls = db.rows("ServiceControl", |row| Ok(control(&row)))?;
        tables.registry = db.rows("Registry", |row| tables.registry_row(&row))?;
        tables.launch_conditions =
            db.rows("LaunchCondition", |row| Ok((row.text("Condition"), row.text("Description"))))?;
        tables.entered = db.rows("Control", |row| Ok(row.text("Property")))?.into_iter().collect();
        Ok(tables)
    }

    fn read_actions<R: Read + Seek>(&mut self, db: &mut Database<'_, R>) -> Result<(), Problem> {
        let actions = db.rows("CustomAction", |row| {
            let action =
                CustomAction { kind: row.number("Type"), source: row.text("Source"), target: row.text("Target") };
            Ok((row.text("Action"), action))
        })?;
        self.actions = actions.into_iter().collect();
        let mut sequence = db.rows("InstallExecuteSequence", |row| {
            Ok((row.number("Sequence"), row.text("Action"), row.text("Condition")))
        })?;
        // Zero and the negative numbers mean: not in this sequence, or only at its end or failure.
        sequence.retain(|(number, ..)| *number > 0);
        sequence.sort_by_key(|(number, ..)| *number);
        self.sequence = sequence.into_iter().map(|(_, action, condition)| (action, condition)).collect();
        Ok(())
    }

    fn component(&self, name: &str, owner: &str) -> Result<&Component, Problem> {
        self.components
            .get(name)
            .ok_or_else(|| Problem::Contradiction(format!("{owner} names the component `{name}`, which is not there")))
    }

    /// How many folders lie above this one.
    pub(super) fn depth(&self, directory: &str) -> usize {
        let above = |key: &&str| self.directories.get(*key).map(|directory| directory.parent.as_str());
        std::iter::successors(Some(directory), above).take(MAX_DEPTH).count()
    }

    fn file(&self, row: &Row, compressed: bool) -> Result<PackagedFile, Problem> {
        const LOOSE: i32 = 0x2000;
        const COMPRESSED: i32 = 0x4000;
        let key = row.text("File");
        let component = row.text("Component_");
        let attributes = row.number("Attributes");
        let size = u64::try_from(row.number("FileSize"))
            .map_err(|_| Problem::Contradiction(format!("the file `{key}` has a size below zero")))?;
        Ok(PackagedFile {
            name: long_name(&row.text("FileName")).to_owned(),
            directory: self.component(&component, &format!("the file `{key}`"))?.directory.clone(),
            size,
            // Anything else is the key of another file whose version counts.
            version: row.some_text("Version").filter(|version| version.starts_with(|c: char| c.is_ascii_digit())),
            sequence: row.number("Sequence"),
            compressed: attributes & COMPRESSED != 0 || (attributes & LOOSE == 0 && compressed),
            key,
            component,
        })
    }

    fn service(&self, row: &Row) -> Result<ServiceInstall, Problem> {
        let name = row.text("Name");
        let component = self.component(&row.text("Component_"), &format!("the service `{name}`"))?;
        let display_name = row.some_text("DisplayName").unwrap_or_else(|| name.clone());
        Ok(ServiceInstall {
            display_name,
            start: match row.number("StartType") {
                3 => ServiceStart::Manual,
                4 => ServiceStart::Disabled,
                _ => ServiceStart::Auto,
            },
            account: row.some_text("StartName"),
            arguments: row.text("Arguments"),
            file: component.key_path.clone(),
            name,
        })
    }

    fn registry_row(&self, row: &Row) -> Result<RegistryRow, Problem> {
        let key = row.text("Key");
        let name = row.text("Component_");
        let component = self.component(&name, &format!("the registry key `{key}`"))?;
        let root = match row.number("Root") {
            -1 => RegistryRoot::UserOrMachine,
            0 => RegistryRoot::ClassesRoot,
            1 => RegistryRoot::CurrentUser,
            2 => RegistryRoot::LocalMachine,
            3 => RegistryRoot::Users,
            other => return Err(Problem::Contradiction(format!("the registry key `{key}` has the root {other}"))),
        };
        Ok(RegistryRow {
            root,
            key,
            name: row.some_text("Name"),
            value: row.some_text("Value"),
            wide: component.attributes & WIDE_COMPONENT != 0,
            permanent: component.attributes & PERMANENT_COMPONENT != 0,
            component: name,
        })
    }
}

fn control(row: &Row) -> ServiceControl {
    let event = row.number("Event");
    ServiceControl {
        name: row.text("Name"),
        start_on_install: event & 1 != 0,
        stop_on_install: event & 2 != 0,
        delete_on_install: event & 8 != 0,
        start_on_uninstall: event & 16 != 0,
        stop_on_uninstall: event & 32 != 0,
        delete_on_uninstall: event & 128 != 0,
    }
}

/// The long one of `SHORT~1|long name`.
pub(super) fn long_name(name: &str) -> &str {
    name.split_once('|').map_or(name, |(_, long)| long)
}
