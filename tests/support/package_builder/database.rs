//! The database of a package that is built.

use super::{NewFile, PackageBuilder, Root, Tree, file_key};
use msi::{Column, Insert, PackageType, Value};
use pfupgrade::package::{Architecture, RegistryRoot, ServiceStart};
use std::io::{self, Cursor, Write};
use std::sync::OnceLock;
use std::time::{Duration, UNIX_EPOCH};

type Database = msi::Package<Cursor<Vec<u8>>>;

/// Tables and columns: `*` is a key, `?` may be empty; s a text, l a translatable one, i a number of that many bytes.
const SCHEMA: &[(&str, &str)] = &[
    ("Property", "*Property s72, Value l0"),
    ("Directory", "*Directory s72, ?Directory_Parent s72, DefaultDir l255"),
    ("Component", "*Component s72, ?ComponentId s38, Directory_ s72, Attributes i2, ?Condition s255, ?KeyPath s72"),
    (
        "Feature",
        "*Feature s38, ?Feature_Parent s38, ?Title l64, ?Description l255, ?Display i2, Level i2, ?Directory_ s72, \
         Attributes i2",
    ),
    ("FeatureComponents", "*Feature_ s38, *Component_ s72"),
    (
        "File",
        "*File s72, Component_ s72, FileName l255, FileSize i4, ?Version s72, ?Language s20, ?Attributes i2, \
         Sequence i4",
    ),
    ("Media", "*DiskId i2, LastSequence i4, ?DiskPrompt l64, ?Cabinet s255, ?VolumeLabel s32, ?Source s72"),
    ("CustomAction", "*Action s72, Type i2, ?Source s72, ?Target s255"),
    ("InstallExecuteSequence", "*Action s72, ?Condition s255, ?Sequence i2"),
    (
        "ServiceInstall",
        "*ServiceInstall s72, Name s255, ?DisplayName l255, ServiceType i4, StartType i4, ErrorControl i4, \
         ?LoadOrderGroup s255, ?Dependencies s255, ?StartName s255, ?Password s255, ?Arguments s255, Component_ s72, \
         ?Description l255",
    ),
    ("ServiceControl", "*ServiceControl s72, Name l255, Event i2, ?Arguments s255, ?Wait i2, Component_ s72"),
    ("Registry", "*Registry s72, Root i2, Key l255, ?Name l255, ?Value l0, Component_ s72"),
    ("LaunchCondition", "*Condition s255, Description l255"),
    ("AppSearch", "*Property s72, *Signature_ s72"),
    ("RegLocator", "*Signature_ s72, Root i2, Key s255, ?Name s255, ?Type i2"),
];

const STANDARD_ACTIONS: &[(&str, i32)] = &[
    ("AppSearch", 50),
    ("LaunchConditions", 100),
    ("CostInitialize", 800),
    ("FileCost", 900),
    ("CostFinalize", 1000),
    ("InstallValidate", 1400),
    ("InstallInitialize", 1500),
    ("ProcessComponents", 1600),
    ("UnpublishFeatures", 1800),
    ("StopServices", 1900),
    ("DeleteServices", 2000),
    ("RemoveRegistryValues", 2600),
    ("RemoveFiles", 3500),
    ("InstallFiles", 4000),
    ("WriteRegistryValues", 5000),
    ("InstallServices", 5800),
    ("StartServices", 5900),
    ("RegisterUser", 6000),
    ("RegisterProduct", 6100),
    ("PublishFeatures", 6300),
    ("PublishProduct", 6400),
    ("InstallFinalize", 6600),
];

const CABINET: &str = "files.cab";
const FEATURE: &str = "Complete";
const LASTING: &str = "LastingSettings";
const SETTINGS: &str = "Settings";
const SET_PROPERTY: i32 = 51;
const LOCAL_MACHINE: i32 = 2;
const RAW_VALUE: i32 = 2;
const WIDE: i32 = 16;

macro_rules! row {
    ($($value:expr),* $(,)?) => { vec![$(Value::from($value)),*] };
}

type Rows = Vec<Vec<Value>>;

pub(super) fn write(package: &PackageBuilder, tree: &Tree, cabinet: &[u8]) -> io::Result<Vec<u8>> {
    let mut database = Database::open(Cursor::new(empty()?))?;
    summary(package, database.summary_info_mut());
    database.summary_info_mut().set_uuid(package.package_code(cabinet));
    let mut insert = |table: &str, rows: Rows| database.insert_rows(Insert::into(table).rows(rows));
    insert("Property", properties(package))?;
    insert("Directory", directories(tree))?;
    let components = components(package, tree);
    insert("FeatureComponents", components.iter().map(|row| vec![FEATURE.into(), row[0].clone()]).collect())?;
    insert("Component", components)?;
    insert("Feature", vec![row![FEATURE, Value::Null, FEATURE, Value::Null, 1, 1, "TARGETDIR", 0]])?;
    insert("File", files(package, tree))?;
    let last = i32::try_from(package.files.len()).map_err(io::Error::other)?;
    insert("Media", vec![row![1, last, Value::Null, format!("#{CABINET}"), Value::Null, Value::Null]])?;
    let (actions, sequence) = actions(package);
    insert("CustomAction", actions)?;
    insert("InstallExecuteSequence", sequence)?;
    let (services, controls) = services(package, tree);
    insert("ServiceInstall", services)?;
    insert("ServiceControl", controls)?;
    insert("Registry", registry(package))?;
    let conditions = package.launch_conditions.iter();
    insert("LaunchCondition", conditions.map(|(condition, message)| row![&**condition, &**message]).collect())?;
    let searches = package.searches.iter().enumerate();
    let rows = searches.clone().map(|(number, search)| row![&*search.property, format!("S{number}")]);
    insert("AppSearch", rows.collect())?;
    let rows = searches.filter_map(|(number, search)| {
        let (key, name, wide) = search.registry.as_ref()?;
        let kind = RAW_VALUE + if *wide { WIDE } else { 0 };
        Some(row![format!("S{number}"), LOCAL_MACHINE, &**key, &**name, kind])
    });
    insert("RegLocator", rows.collect())?;
    database.write_stream(CABINET)?.write_all(cabinet)?;
    Ok(database.into_inner()?.into_inner())
}

/// A database with all tables and no rows: making the tables takes longer than all the rest, so it is done once.
fn empty() -> io::Result<Vec<u8>> {
    static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
    if let Some(made) = EMPTY.get() {
        return Ok(made.clone());
    }
    let mut database = Database::create(PackageType::Installer, Cursor::new(Vec::new()))?;
    for (table, columns) in SCHEMA {
        database.create_table(*table, columns.split(", ").map(column).collect())?;
    }
    let made = database.into_inner()?.into_inner();
    Ok(EMPTY.get_or_init(|| made).clone())
}

fn column(text: &str) -> Column {
    let (name, kind) = text.trim().split_once(' ').unwrap_or((text, "s0"));
    let mut column = Column::build(name.trim_start_matches(['*', '?']));
    if name.starts_with('*') {
        column = column.primary_key();
    }
    if name.starts_with('?') {
        column = column.nullable();
    }
    let size = kind[1..].parse().unwrap_or(0);
    match kind {
        "i2" => column.int16(),
        "i4" => column.int32(),
        _ if kind.starts_with('l') => column.localizable().string(size),
        _ => column.string(size),
    }
}

fn summary(package: &PackageBuilder, summary: &mut msi::SummaryInfo) {
    const WHEN: Duration = Duration::from_secs(1_388_534_400);
    summary.set_subject(&*package.name);
    summary.set_author(&*package.manufacturer);
    summary.set_creating_application("pfupgrade");
    summary.set_arch(match package.architecture {
        Architecture::X86 => "Intel",
        Architecture::X64 => "x64",
        Architecture::Arm64 => "Arm64",
        Architecture::Other => "Intel64",
    });
    summary.set_languages(&[msi::LanguageId::from(1033)]);
    summary.set_creation_time(UNIX_EPOCH + WHEN);
    summary.set_page_count(200);
    summary.set_word_count(2);
}

fn properties(package: &PackageBuilder) -> Rows {
    let mut properties = package.properties.clone();
    let mut set = |name: &str, value: &str| {
        properties.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    };
    set("ProductCode", &package.product_code());
    set("UpgradeCode", &package.upgrade_code());
    set("ProductName", &package.name);
    set("ProductVersion", &package.version);
    set("ProductLanguage", "1033");
    set("Manufacturer", &package.manufacturer);
    if let Root::Web { directory, pool } = &package.root {
        set("TARGETVDIR", directory);
        set("TARGETSITE", "/LM/W3SVC/1");
        set("TARGETAPPPOOL", pool);
        set("SecureCustomProperties", "TARGETVDIR;TARGETSITE;TARGETAPPPOOL");
    }
    properties.iter().map(|(name, value)| row![&**name, &**value]).collect()
}

fn directories(tree: &Tree) -> Rows {
    let mut rows = vec![row!["TARGETDIR", Value::Null, "SourceDir"]];
    let below = tree.folders.iter();
    rows.extend(below.map(|(key, parent, name)| row![&**key, &**parent, format!("{key}|{name}")]));
    rows
}

fn components(package: &PackageBuilder, tree: &Tree) -> Rows {
    const REGISTRY_KEY_PATH: i32 = 4;
    const PERMANENT: i32 = 16;
    let wide = if package.architecture == Architecture::X86 { 0 } else { 256 };
    let row = |name: String, path: &str, folder: &str, attributes: i32, key: String| {
        let code = package.code(&["component", &package.seed, &package.name, path]);
        row![name, code, folder, attributes | wide, Value::Null, key]
    };
    let files = package.files.iter().zip(&tree.files).enumerate();
    let mut rows: Rows = files
        .map(|(number, (file, (folder, _)))| row(component(number), &file.path, folder, 0, file_key(number)))
        .collect();
    for (name, permanent, attributes) in [(SETTINGS, false, 0), (LASTING, true, PERMANENT)] {
        if let Some(number) = package.registry.iter().position(|value| value.permanent == permanent) {
            let attributes = attributes | REGISTRY_KEY_PATH;
            rows.push(row(name.to_owned(), name, "TARGETDIR", attributes, registry_key(number)));
        }
    }
    rows
}

fn component(number: usize) -> String {
    format!("C{number}")
}

fn registry_key(number: usize) -> String {
    format!("R{number}")
}

fn files(package: &PackageBuilder, tree: &Tree) -> Rows {
    const VITAL: i32 = 512;
    let row = |(number, (file, (_, name))): (usize, (&NewFile, &(String, String)))| {
        let version = file.version.as_deref().map_or(Value::Null, Value::from);
        let size = i32::try_from(file.contents.len()).unwrap_or(i32::MAX);
        let name = short_and_long(number, name);
        let sequence = i32::try_from(number + 1).unwrap_or(i32::MAX);
        row![file_key(number), component(number), name, size, version, Value::Null, VITAL, sequence]
    };
    package.files.iter().zip(&tree.files).enumerate().map(row).collect()
}

/// A name of eight and three characters goes before the real one.
fn short_and_long(number: usize, name: &str) -> String {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let three: String = extension.chars().filter(char::is_ascii_alphanumeric).take(3).collect();
    let dot = if three.is_empty() { "" } else { "." };
    format!("{}{dot}{}|{name}", file_key(number), three.to_ascii_uppercase())
}

fn actions(package: &PackageBuilder) -> (Rows, Rows) {
    let (target, condition) = match &package.root {
        Root::Web { .. } => (r"C:\inetpub\wwwroot\[TARGETVDIR]".to_owned(), Value::Null),
        Root::Programs { folder } => {
            let programs =
                if package.architecture == Architecture::X86 { "ProgramFilesFolder" } else { "ProgramFiles64Folder" };
            (format!("[{programs}]{folder}"), Value::from("NOT TARGETDIR"))
        }
    };
    let mut actions = vec![row!["SetTargetDir", SET_PROPERTY, "TARGETDIR", target]];
    let mut sequence = vec![row!["SetTargetDir", condition, 750]];
    sequence.extend(STANDARD_ACTIONS.iter().map(|(name, at)| row![*name, Value::Null, *at]));
    for action in &package.actions {
        let name = &*action.name;
        actions.push(row![name, action.kind, optional(&action.source), optional(&action.target)]);
        sequence.push(row![name, optional(&action.condition), i32::from(action.sequence)]);
    }
    (actions, sequence)
}

fn optional(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

fn services(package: &PackageBuilder, tree: &Tree) -> (Rows, Rows) {
    const OWN_PROCESS: i32 = 16;
    const START: i32 = 1;
    const STOP: i32 = 2 | 32;
    const DELETE_ON_UNINSTALL: i32 = 128;
    let mut installs = Vec::new();
    let mut controls = Vec::new();
    for (service, program) in package.services.iter().zip(&tree.programs) {
        let key = format!("S{}", installs.len());
        let start = match service.start {
            ServiceStart::Auto => 2,
            ServiceStart::Manual => 3,
            ServiceStart::Disabled => 4,
        };
        let account = service.account.as_deref().map_or(Value::Null, Value::from);
        let component = program.replacen('F', "C", 1);
        let (name, display) = (&*service.name, &*service.display_name);
        let none = Value::Null;
        installs.push(row![
            &*key,
            name,
            display,
            OWN_PROCESS,
            start,
            1,
            none.clone(),
            none.clone(),
            account,
            none.clone(),
            none.clone(),
            &*component,
            none.clone(),
        ]);
        let event = STOP | DELETE_ON_UNINSTALL | if service.start_on_install { START } else { 0 };
        controls.push(row![key, name, event, none, 1, component]);
    }
    (installs, controls)
}

fn registry(package: &PackageBuilder) -> Rows {
    let row = |(number, value): (usize, &super::Registry)| {
        let root = match value.root {
            RegistryRoot::UserOrMachine => -1,
            RegistryRoot::ClassesRoot => 0,
            RegistryRoot::CurrentUser => 1,
            RegistryRoot::LocalMachine => 2,
            RegistryRoot::Users => 3,
            RegistryRoot::Unknown => 4,
        };
        let name = value.name.as_deref().map_or(Value::Null, Value::from);
        let component = if value.permanent { LASTING } else { SETTINGS };
        row![registry_key(number), root, &*value.key, name, optional(&value.value), component]
    };
    package.registry.iter().enumerate().map(row).collect()
}
