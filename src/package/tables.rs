//! The tables of a package, as plain data.

use super::error::Problem;
use super::guard::guarded;
use super::model::{
    Feature, PackagedFile, Place, RegistryRoot, RegistryRow, Search, ServiceControl, ServiceInstall, ServiceStart,
};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

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

/// Tables that change a machine and are not simulated, each with its action.
pub(super) const LEFT_OUT: &[(&str, &str)] = &[
    ("BindImage", "BindImage"),
    ("Class", "RegisterClassInfo"),
    ("Complus", "RegisterComPlus"),
    ("Environment", "WriteEnvironmentStrings"),
    ("Extension", "RegisterExtensionInfo"),
    ("Font", "RegisterFonts"),
    ("IniFile", "WriteIniValues"),
    ("IsolatedComponent", "IsolateComponents"),
    ("LockPermissions", "InstallFiles"),
    ("MIME", "RegisterMIMEInfo"),
    ("MoveFile", "MoveFiles"),
    ("MsiAssembly", "MsiPublishAssemblies"),
    ("MsiLockPermissionsEx", "InstallFiles"),
    ("MsiServiceConfig", "MsiConfigureServices"),
    ("MsiServiceConfigFailureActions", "MsiConfigureServices"),
    ("ODBCDataSource", "InstallODBC"),
    ("ODBCDriver", "InstallODBC"),
    ("ODBCTranslator", "InstallODBC"),
    ("ProgId", "RegisterProgIdInfo"),
    ("PublishComponent", "PublishComponents"),
    ("RemoveIniFile", "RemoveIniValues"),
    ("RemoveRegistry", "RemoveRegistryValues"),
    ("SelfReg", "SelfRegModules"),
    ("Shortcut", "CreateShortcuts"),
    ("TypeLib", "RegisterTypeLibraries"),
    ("Upgrade", "RemoveExistingProducts"),
];

/// A duplicate of a file.
#[derive(Debug, Clone)]
pub(super) struct Duplicate {
    pub(super) component: String,
    pub(super) file: String,
    pub(super) name: Option<String>,
    /// The property with the folder; none for the file's own folder.
    pub(super) folder: Option<String>,
}

/// Files or a folder that are removed when the package is installed or uninstalled.
#[derive(Debug, Clone)]
pub(super) struct Removal {
    pub(super) component: String,
    /// The name of the files, which may have wildcards; none for the empty folder itself.
    pub(super) name: Option<String>,
    /// The property with the folder.
    pub(super) folder: String,
    pub(super) on_install: bool,
    pub(super) on_uninstall: bool,
}

/// Whether files are beside the package, from the summary.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct SourceKind {
    pub(super) short_names: bool,
    /// Files are in cabinets unless their row says otherwise; loose ones are beside the package, not in folders.
    pub(super) compressed: bool,
}

impl SourceKind {
    pub(super) fn of_word_count(bits: i32) -> Self {
        Self { short_names: bits & 1 != 0, compressed: bits & 2 != 0 }
    }
}

/// Everything that this module needs from the database.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) properties: BTreeMap<String, String>,
    pub(super) directories: BTreeMap<String, Directory>,
    pub(super) components: BTreeMap<String, Component>,
    pub(super) files: Vec<PackagedFile>,
    pub(super) media: Vec<Media>,
    pub(super) actions: BTreeMap<String, CustomAction>,
    /// InstallExecuteSequence, in order: action and condition.
    pub(super) sequence: Vec<(String, String)>,
    pub(super) services: Vec<ServiceInstall>,
    pub(super) controls: Vec<ServiceControl>,
    pub(super) registry: Vec<RegistryRow>,
    pub(super) launch_conditions: Vec<(String, String)>,
    pub(super) searches: Vec<Search>,
    /// Properties that are set if a related product is installed.
    pub(super) related: BTreeSet<String>,
    /// Properties that users can enter in the dialogs of the package.
    pub(super) entered: BTreeSet<String>,
    pub(super) features: BTreeMap<String, Feature>,
    /// Conditions that change a feature's level: feature, level, condition.
    pub(super) levels: Vec<(String, i32, String)>,
    /// Folders that are created even if empty: folder and component.
    pub(super) created: Vec<(String, String)>,
    pub(super) duplicates: Vec<Duplicate>,
    pub(super) removals: Vec<Removal>,
    /// The rows of tables that are not simulated: the component of each, if it has one.
    pub(super) left_out: BTreeMap<&'static str, Vec<String>>,
    pub(super) source: SourceKind,
}

const MAX_TEXT: usize = 64 << 20;
const WIDE_COMPONENT: i32 = 256;
/// No real package nests its folders that deeply.
pub(super) const MAX_DEPTH: usize = 256;
const PERMANENT_COMPONENT: i32 = 16;
const NEVER_OVERWRITE: i32 = 128;

/// A row, by column name; a missing column is empty.
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
    pub(super) fn read<R: Read + Seek>(msi: &mut msi::Package<R>, source: SourceKind) -> Result<Self, Problem> {
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
            source,
            ..Self::default()
        };
        tables.files = db.rows("File", |row| tables.file(&row))?;
        let mut keys = BTreeSet::new();
        if let Some(file) = tables.files.iter().find(|file| !keys.insert(&file.key)) {
            return Err(Problem::Contradiction(format!("two files have the key `{}`", file.key)));
        }
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
        tables.searches = searches(&mut db)?;
        tables.related = db.rows("Upgrade", |row| Ok(row.text("ActionProperty")))?.into_iter().collect();
        tables.entered = db.rows("Control", |row| Ok(row.text("Property")))?.into_iter().collect();
        tables.read_features(&mut db)?;
        tables.read_more_files(&mut db)?;
        Ok(tables)
    }

    fn read_features<R: Read + Seek>(&mut self, db: &mut Database<'_, R>) -> Result<(), Problem> {
        const FOLLOWS_PARENT: i32 = 2;
        let features = db.rows("Feature", |row| {
            let name = row.text("Feature");
            let feature = Feature {
                parent: row.some_text("Feature_Parent").filter(|parent| *parent != name),
                title: row.text("Title"),
                level: row.number("Level"),
                follows_parent: row.number("Attributes") & FOLLOWS_PARENT != 0,
                components: Vec::new(),
                name: name.clone(),
            };
            Ok((name, feature))
        })?;
        self.features = features.into_iter().collect();
        for (feature, component) in
            db.rows("FeatureComponents", |row| Ok((row.text("Feature_"), row.text("Component_"))))?
        {
            if let Some(feature) = self.features.get_mut(&feature) {
                feature.components.push(component);
            }
        }
        self.levels =
            db.rows("Condition", |row| Ok((row.text("Feature_"), row.number("Level"), row.text("Condition"))))?;
        Ok(())
    }

    fn read_more_files<R: Read + Seek>(&mut self, db: &mut Database<'_, R>) -> Result<(), Problem> {
        self.created = db.rows("CreateFolder", |row| Ok((row.text("Directory_"), row.text("Component_"))))?;
        self.duplicates = db.rows("DuplicateFile", |row| {
            Ok(Duplicate {
                component: row.text("Component_"),
                file: row.text("File_"),
                name: row.some_text("DestName").map(|name| long_name(&name).to_owned()),
                folder: row.some_text("DestFolder"),
            })
        })?;
        self.removals = db.rows("RemoveFile", |row| {
            let mode = row.number("InstallMode");
            Ok(Removal {
                component: row.text("Component_"),
                name: row.some_text("FileName").map(|name| long_name(&name).to_owned()),
                folder: row.text("DirProperty"),
                on_install: mode & 1 != 0,
                on_uninstall: mode & 2 != 0,
            })
        })?;
        for (table, _) in LEFT_OUT {
            let rows = db.rows(table, |row| Ok(row.text("Component_")))?;
            self.left_out.insert(table, rows);
        }
        Ok(())
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
        // Zero and negative numbers mean: not in this sequence, or only at its end or failure.
        sequence.retain(|(number, ..)| *number > 0);
        sequence.sort_by_key(|(number, ..)| *number);
        self.sequence = sequence.into_iter().map(|(_, action, condition)| (action, condition)).collect();
        Ok(())
    }

    fn component(&self, name: &str, owner: &str) -> Result<&Component, Problem> {
        self.components.get(name).ok_or_else(|| {
            Problem::Contradiction(format!("{owner} refers to the component `{name}`, which does not exist"))
        })
    }

    /// The depth of a folder.
    pub(super) fn depth(&self, directory: &str) -> usize {
        let above = |key: &&str| self.directories.get(*key).map(|directory| directory.parent.as_str());
        std::iter::successors(Some(directory), above).take(MAX_DEPTH).count()
    }

    fn file(&self, row: &Row) -> Result<PackagedFile, Problem> {
        const LOOSE: i32 = 0x2000;
        const COMPRESSED: i32 = 0x4000;
        let key = row.text("File");
        let name = row.text("FileName");
        let component_key = row.text("Component_");
        let component = self.component(&component_key, &format!("the file `{key}`"))?;
        let attributes = row.number("Attributes");
        let size = u64::try_from(row.number("FileSize"))
            .map_err(|_| Problem::Contradiction(format!("the file `{key}` has a negative size")))?;
        Ok(PackagedFile {
            name: long_name(&name).to_owned(),
            source_name: self.name_at_source(&name).to_owned(),
            directory: component.directory.clone(),
            size,
            // Anything else is the key of another file whose version applies.
            version: row.some_text("Version").filter(|version| version.starts_with(|c: char| c.is_ascii_digit())),
            sequence: row.number("Sequence"),
            compressed: attributes & COMPRESSED != 0 || (attributes & LOOSE == 0 && self.source.compressed),
            permanent: component.attributes & PERMANENT_COMPONENT != 0,
            never_overwrite: component.attributes & NEVER_OVERWRITE != 0,
            component: component_key,
            key,
        })
    }

    /// The part of `SHORT~1|long name` that is used beside the package.
    pub(super) fn name_at_source<'a>(&self, name: &'a str) -> &'a str {
        match name.split_once('|') {
            Some((short, _)) if self.source.short_names => short,
            _ => long_name(name),
        }
    }

    fn service(&self, row: &Row) -> Result<ServiceInstall, Problem> {
        let name = row.text("Name");
        let component_key = row.text("Component_");
        let component = self.component(&component_key, &format!("the service `{name}`"))?;
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
            component: component_key,
            name,
        })
    }

    fn registry_row(&self, row: &Row) -> Result<RegistryRow, Problem> {
        let key = row.text("Key");
        let name = row.text("Component_");
        let component = self.component(&name, &format!("the registry key `{key}`"))?;
        Ok(RegistryRow {
            root: registry_root(row.number("Root")),
            key,
            name: row.some_text("Name"),
            value: row.some_text("Value"),
            wide: component.attributes & WIDE_COMPONENT != 0,
            permanent: component.attributes & PERMANENT_COMPONENT != 0,
            component: name,
        })
    }
}

fn registry_root(number: i32) -> RegistryRoot {
    match number {
        -1 => RegistryRoot::UserOrMachine,
        0 => RegistryRoot::ClassesRoot,
        1 => RegistryRoot::CurrentUser,
        2 => RegistryRoot::LocalMachine,
        3 => RegistryRoot::Users,
        _ => RegistryRoot::Unknown,
    }
}

/// The searches of the AppSearch table. Only raw registry values are read (`msidbLocatorTypeRawValue`); everything else
/// needs more than the registry.
fn searches<R: Read + Seek>(db: &mut Database<'_, R>) -> Result<Vec<Search>, Problem> {
    const KIND: i32 = 0xF;
    const RAW_VALUE: i32 = 2;
    const WIDE: i32 = 16;
    let locators = db.rows("RegLocator", |row| {
        let kind = row.number("Type");
        let place = Place::Registry {
            root: registry_root(row.number("Root")),
            key: row.text("Key"),
            name: row.text("Name"),
            wide: kind & WIDE != 0,
        };
        Ok((row.text("Signature_"), if kind & KIND == RAW_VALUE { place } else { Place::Elsewhere }))
    })?;
    let locators: BTreeMap<String, Place> = locators.into_iter().collect();
    db.rows("AppSearch", |row| {
        let place = locators.get(&row.text("Signature_")).cloned().unwrap_or(Place::Elsewhere);
        Ok(Search { property: row.text("Property"), place })
    })
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
        component: row.text("Component_"),
    }
}

/// The long part of `SHORT~1|long name`.
pub(super) fn long_name(name: &str) -> &str {
    name.split_once('|').map_or(name, |(_, long)| long)
}
