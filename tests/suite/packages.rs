//! Packages that other tools make: read, installed and uninstalled in the simulation.
//!
//! The packages in `tests/packages` were made by `make.sh` there, with wixl from the `.wxs` files beside them.

mod damaged;

use crate::support::package_builder::{PackageBuilder, Registry};
use crate::support::{Whole, assert_same, boot, change, clock, get, one_server, path, plan_with, put, whole};
use msi::{Column, Insert, Value};
use pfupgrade::package::{Package, RegistryRoot};
use pfupgrade::platform::disk::{self, Disk, MemoryDisk};
use pfupgrade::platform::facts::{Bits, System};
use pfupgrade::platform::op::Op;
use pfupgrade::platform::registry::{Key, View};
use pfupgrade::platform::simulated::{MachineFacts, Signed, Simulated, Stage, demo};
use pfupgrade::platform::{Failure, Inspect, Outcome, Platform};
use pfupgrade::prepare::prepare;
use pfupgrade::survey::products;
use pfupgrade::survey::reinstall::way_back;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

const HOUSE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/packages");
const NAMES: [&str; 5] = ["embedded", "external", "features", "loose", "lzx"];
const LOG: &str = r"C:\Temp\install.log";
const INSTALL: &str = r"C:\Install";
const PROGRAMS: &str = r"C:\Program Files (x86)";
const USER: &str = "S-1-5-21-1-2-3-1001";
const UNINSTALL: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall";

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(HOUSE).join(name)).unwrap()
}

fn package(name: &str) -> Vec<u8> {
    fixture(&format!("{name}.msi"))
}

fn open(bytes: &[u8]) -> Package<Cursor<&[u8]>> {
    Package::open(Cursor::new(bytes), "test.msi").unwrap()
}

/// A server with nothing on it but packages and a folder for logs.
fn server() -> MemoryDisk {
    let disk = MemoryDisk::new();
    let system = System {
        name: "SERVER".to_owned(),
        windows: "Windows Server 2012 R2 (6.3.9600)".to_owned(),
        bits: Bits::X64,
        elevated: true,
        dotnet_release: None,
        vc_x86: false,
        vc_x64: false,
        user: Some(USER.to_owned()),
        account: None,
        pending_renames: Vec::new(),
    };
    let mut facts = MachineFacts::new(system);
    facts.free_space = BTreeMap::from([('C', 1 << 34), ('D', 1 << 30)]);
    facts.variables.insert("ProgramFiles".to_owned(), r"C:\Program Files".to_owned());
    Simulated::create(Arc::new(disk.clone()), clock(), facts).unwrap();
    for folder in
        ["C:\\", "D:\\", r"C:\Temp", INSTALL, r"C:\Windows", r"C:\Windows\Installer", r"C:\Program Files", PROGRAMS]
    {
        let _may_be_there = disk.create_folder(&path(folder));
    }
    disk
}

/// A server with a package to install.
fn with(package: &[u8]) -> MemoryDisk {
    let disk = server();
    put(&disk, r"C:\Install\x.msi", package);
    disk
}

fn install(disk: &MemoryDisk, given: &[(&str, &str)]) -> Result<Outcome, Failure> {
    let properties = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let op = Op::Install { package: path(r"C:\Install\x.msi"), properties, log: path(LOG) };
    boot(disk).perform(&op, &mut |_| ())
}

fn uninstall(disk: &MemoryDisk, code: &str) {
    let op = Op::Uninstall { code: code.into(), name: "fixture".to_owned(), log: path(LOG), way_back: None };
    boot(disk).perform(&op, &mut |_| ()).unwrap();
}

fn code(package: &[u8]) -> String {
    open(package).info().product_code.clone()
}

/// The whole machine but for the log.
fn state(disk: &MemoryDisk) -> Whole {
    let mut all = whole(disk);
    all.remove(LOG);
    all
}

/// The files below a folder, by what follows it.
fn files(disk: &MemoryDisk, folder: &str) -> Vec<String> {
    let below = |(name, content): (String, Option<Vec<u8>>)| {
        content.and_then(|_| name.strip_prefix(&format!(r"{folder}\")).map(str::to_owned))
    };
    state(disk).into_iter().filter_map(below).collect()
}

fn key(disk: &MemoryDisk, view: View, key: &str) -> Option<Key> {
    boot(disk).registry_key(view, key).unwrap()
}

/// Installs, and answers with the failure; the machine has to be as it was.
#[track_caller]
fn refused(disk: &MemoryDisk, given: &[(&str, &str)], words: &str) {
    let before = state(disk);
    let failure = install(disk, given).unwrap_err();
    assert!(failure.why.contains("1603") && failure.why.contains(words), "{failure}");
    assert_same(&before, &state(disk), "a refused installation leaves the machine as it was");
    let log = get(disk, LOG).unwrap();
    assert!(log.contains(words) && log.contains("Return value 3."), "{log}");
}

/// Installs and uninstalls: the machine has to be as it was.
#[track_caller]
fn comes_and_goes(package: &[u8], given: &[(&str, &str)]) {
    let disk = with(package);
    put(&disk, r"C:\Install\first.cab", fixture("first.cab"));
    put(&disk, r"C:\Install\second.cab", fixture("second.cab"));
    loose_files(&disk);
    let before = state(&disk);
    install(&disk, given).unwrap();
    assert_ne!(before, state(&disk));
    let installed = state(&disk);
    install(&disk, given).unwrap();
    assert_same(&installed, &state(&disk), "a second time changes nothing");
    uninstall(&disk, &code(package));
    assert_same(&before, &state(&disk), "installed and uninstalled");
}

fn loose_files(disk: &MemoryDisk) {
    put(disk, r"C:\Install\Programs\source tree\readme.txt", fixture("src/readme.txt"));
    put(disk, r"C:\Install\Programs\source tree\a long name.dat", fixture("src/tool.dat"));
}

/// The package with its database changed.
fn changed(bytes: &[u8], change: impl FnOnce(&mut msi::Package<Cursor<Vec<u8>>>)) -> Vec<u8> {
    let mut database = msi::Package::open(Cursor::new(bytes.to_vec())).unwrap();
    change(&mut database);
    database.into_inner().unwrap().into_inner()
}

/// The package with rows added to a table, which is made where it is missing: texts, and numbers as texts.
fn with_rows(bytes: &[u8], table: &str, columns: &[&str], rows: &[&[&str]]) -> Vec<u8> {
    changed(bytes, |database| {
        if !database.has_table(table) {
            let column = |(at, name): (usize, &&str)| {
                let column = Column::build(*name);
                let column = if at == 0 { column.primary_key() } else { column.nullable() };
                if rows.iter().all(|row| row[at].parse::<i32>().is_ok()) { column.int16() } else { column.string(255) }
            };
            database.create_table(table, columns.iter().enumerate().map(column).collect()).unwrap();
        }
        let value = |text: &&str| match text.parse::<i32>() {
            Ok(number) => Value::Int(number),
            Err(_) if text.is_empty() => Value::Null,
            Err(_) => Value::from(*text),
        };
        let rows = rows.iter().map(|row| row.iter().map(value).collect()).collect();
        database.insert_rows(Insert::into(table).rows(rows)).unwrap();
    })
}

fn tool() -> PackageBuilder {
    PackageBuilder::new("test", "Tool", "1.0").file("a.txt", "a")
}

#[test]
fn every_kind_of_package_comes_and_goes() {
    for name in NAMES {
        comes_and_goes(&package(name), &[]);
    }
    comes_and_goes(&package("features"), &[("ADDLOCAL", "ALL"), ("FLAVOUR", "Special")]);
}

#[test]
fn a_package_with_all_its_files_in_it() {
    let disk = with(&package("embedded"));
    let outcome = install(&disk, &[("GREETING", "good day")]).unwrap();
    assert_eq!(outcome.notes, Vec::<String>::new());
    let folder = format!(r"{PROGRAMS}\Example\Fixture Embedded");
    assert_eq!(files(&disk, &folder), ["readme.txt", "tool.dat"]);
    assert_eq!(get(&disk, &format!(r"{folder}\readme.txt")).unwrap(), "hello\r\n");
    // A component for 32-bit programs writes where those look.
    let values = toml::to_string(&key(&disk, View::Wow32, r"HKLM\SOFTWARE\Example\Embedded").unwrap().values).unwrap();
    let expected = "Bytes = { kind = 3, bytes = [10, 11, 255] }\nExpand = { expand = '%SystemRoot%\\x' }\n\
                    Greeting = 'good day from C:\\Program Files (x86)\\Example\\Fixture Embedded\\'\n\
                    List = ['one', 'two']\nNumber = 42\n";
    let table = |text: &str| text.parse::<toml::Table>().unwrap();
    assert_eq!(table(&values), table(expected));
    assert_eq!(key(&disk, View::Native, r"HKLM\SOFTWARE\Example\Embedded"), None);
    assert!(key(&disk, View::Wow32, r"HKLM\SOFTWARE\Classes\.fixture").is_some());
    let entry = key(&disk, View::Wow32, &format!(r"HKLM\{UNINSTALL}\{}", code(&package("embedded")))).unwrap();
    assert_eq!(entry.text("DisplayName"), Some("Fixture Embedded"));
    assert_eq!(entry.text("DisplayVersion"), Some("1.2.3.4"));
    assert_eq!(entry.number("Version"), Some(0x0102_0003));
    assert_eq!(entry.text("UninstallString"), Some("MsiExec.exe /I{6A1E0D52-7C43-4B5E-9A0C-5D7E3A1B0001}"));
}

#[test]
fn cabinets_beside_the_package_are_needed() {
    let disk = with(&package("external"));
    refused(&disk, &[], r"Error 1311. Source file not found(cabinet): C:\Install\first.cab.");
    put(&disk, r"C:\Install\first.cab", fixture("first.cab"));
    refused(&disk, &[], r"Error 1311. Source file not found(cabinet): C:\Install\second.cab.");
    put(&disk, r"C:\Install\second.cab", &fixture("second.cab")[..2000]);
    refused(&disk, &[], "second.cab");
    put(&disk, r"C:\Install\second.cab", fixture("second.cab"));
    install(&disk, &[]).unwrap();
    assert_eq!(files(&disk, &format!(r"{PROGRAMS}\Fixture External")), ["readme.txt", "tool.dat"]);
    assert_eq!(open(&package("external")).outside().unwrap(), "its cabinet first.cab is not embedded");
}

#[test]
fn what_windows_installer_caches_without_its_cabinets_is_no_way_back() {
    let disk = with(&package("external"));
    put(&disk, r"C:\Install\first.cab", fixture("first.cab"));
    put(&disk, r"C:\Install\second.cab", fixture("second.cab"));
    install(&disk, &[]).unwrap();
    let machine = boot(&disk);
    let product = products::of_code(&machine, &code(&package("external"))).unwrap().unwrap();
    let why = way_back(&machine, &product).unwrap_err();
    assert!(why.contains("its cabinet first.cab is not embedded"), "{why}");
    install_named(&disk, "loose");
    let machine = boot(&disk);
    let product = products::of_code(&machine, &code(&package("loose"))).unwrap().unwrap();
    let why = way_back(&machine, &product).unwrap_err();
    assert!(why.contains("its file readme.txt is not in a cabinet"), "{why}");
    install_named(&disk, "embedded");
    let machine = boot(&disk);
    let product = products::of_code(&machine, &code(&package("embedded"))).unwrap().unwrap();
    assert_eq!(way_back(&machine, &product), Ok(product.package.unwrap()));
}

fn install_named(disk: &MemoryDisk, name: &str) {
    loose_files(disk);
    put(disk, r"C:\Install\x.msi", package(name));
    install(disk, &[]).unwrap();
}

#[test]
fn loose_files_lie_where_the_directory_table_has_them() {
    let disk = with(&package("loose"));
    refused(&disk, &[], r"Error 1309. Error reading from file: C:\Install\Programs\source tree\");
    loose_files(&disk);
    put(&disk, r"C:\Install\Programs\source tree\readme.txt", "hello");
    refused(&disk, &[], "it has 5 bytes and 7 in the File table");
    loose_files(&disk);
    install(&disk, &[]).unwrap();
    let found = files(&disk, &format!(r"{PROGRAMS}\Fixture Loose"));
    assert_eq!(found, [r"deep folder\a long name.dat", "readme.txt"]);
}

#[test]
fn loose_files_may_have_short_names_or_lie_beside_the_package() {
    let short = changed(&package("loose"), |database| database.summary_info_mut().set_word_count(1));
    let disk = with(&short);
    put(&disk, r"C:\Install\PFILES\TREE\readme.txt", fixture("src/readme.txt"));
    put(&disk, r"C:\Install\PFILES\TREE\ALONG.DAT", fixture("src/tool.dat"));
    install(&disk, &[]).unwrap();
    // In a source that is compressed otherwise, a loose file lies at its root.
    let flat = changed(&package("loose"), |database| database.summary_info_mut().set_word_count(2));
    let flat = changed(&flat, |database| {
        let update = msi::Update::table("File").set("Attributes", Value::Int(0x2000));
        database.update_rows(update).unwrap();
    });
    let disk = with(&flat);
    put(&disk, r"C:\Install\readme.txt", fixture("src/readme.txt"));
    put(&disk, r"C:\Install\a long name.dat", fixture("src/tool.dat"));
    install(&disk, &[]).unwrap();
}

#[test]
fn only_the_chosen_features_are_installed() {
    let installed = |given: &[(&str, &str)]| {
        let disk = with(&package("features"));
        install(&disk, given).unwrap();
        files(&disk, r"C:\Program Files\Fixture Features").join(" ")
    };
    let core = r"data\tool.dat svc.exe";
    let all = r"data\tool.dat extras\extra.txt svc.exe";
    assert_eq!(installed(&[]), core);
    assert_eq!(installed(&[("INSTALLLEVEL", "100")]), all);
    assert_eq!(installed(&[("ADDLOCAL", "ALL")]), all, "a feature of level 0 is never installed");
    assert_eq!(installed(&[("ADDLOCAL", "Core")]), core);
    assert_eq!(installed(&[("ADDLOCAL", "Extras")]), all, "a feature brings the one it is part of");
    assert_eq!(installed(&[("ADDLOCAL", "Core,Extras"), ("REMOVE", "Extras")]), core);
    assert_eq!(installed(&[("ADDLOCAL", "ALL"), ("REMOVE", "Core")]), "", "what is part of it goes with it");
    assert_eq!(
        installed(&[("ADDLOCAL", "ALL"), ("FLAVOUR", "sPECIAL")]),
        r"data\tool.dat extras\extra.txt extras\special.txt svc.exe"
    );
    refused(&with(&package("features")), &[("ADDLOCAL", "Core,Ekstras")], "it has no feature `Ekstras`");
}

#[test]
fn actions_that_are_data_are_carried_out() {
    let disk = with(&package("features"));
    refused(&disk, &[("FLAVOUR", "forbidden")], "This flavour is not for sale.");
    install(&disk, &[("FLAVOUR", "moved")]).unwrap();
    assert_eq!(files(&disk, r"C:\Data\moved-4.0.0"), ["tool.dat"]);
    let values = key(&disk, View::Native, r"HKLM\SOFTWARE\Example\Features").unwrap();
    assert_eq!(values.text("Data"), Some(r"C:\Data\moved-4.0.0\"));
    let [service] = &boot(&disk).services().unwrap()[..] else { panic!("one service") };
    assert_eq!(service.image_path, r#""C:\Program Files\Fixture Features\svc.exe" /data C:\Data\moved-4.0.0\"#);
    // The table that removes files on uninstalling takes what others have put there.
    put(&disk, r"C:\Program Files\Fixture Features\logs\today.LOG", "x");
    put(&disk, r"C:\Program Files\Fixture Features\logs\notes.txt", "x");
    uninstall(&disk, &code(&package("features")));
    assert_eq!(files(&disk, r"C:\Program Files\Fixture Features"), [r"logs\notes.txt"]);
    assert!(boot(&disk).services().unwrap().is_empty());
}

#[test]
fn lzx_is_unpacked() {
    let disk = with(&package("lzx"));
    install(&disk, &[]).unwrap();
    for name in ["story.txt", "words.txt"] {
        let expected = String::from_utf8(fixture(&format!("src/{name}"))).unwrap();
        assert_eq!(get(&disk, &format!(r"{PROGRAMS}\Example\Fixture Lzx\{name}")), Some(expected));
    }
}

#[test]
fn a_package_for_one_user_is_registered_for_that_user() {
    let registry = |root, key: &str| Registry {
        root,
        key: key.to_owned(),
        name: Some("Name".to_owned()),
        value: "value".to_owned(),
        permanent: false,
    };
    let builder = tool()
        .per_user()
        .registry(registry(RegistryRoot::UserOrMachine, r"SOFTWARE\Either"))
        .registry(registry(RegistryRoot::ClassesRoot, ".tool"));
    let bytes = builder.build().unwrap();
    assert!(!open(&bytes).info().all_users);
    comes_and_goes(&bytes, &[]);
    let disk = with(&bytes);
    install(&disk, &[]).unwrap();
    let entry = format!(r"{UNINSTALL}\{}", code(&bytes));
    assert!(key(&disk, View::Native, &format!(r"HKCU\{entry}")).is_some());
    assert!(key(&disk, View::Native, &format!(r"HKLM\{entry}")).is_none());
    let users = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData";
    let users = key(&disk, View::Native, users).unwrap().keys;
    assert_eq!(users, [USER]);
    let found = products::of_code(&boot(&disk), &code(&bytes)).unwrap().unwrap();
    assert_eq!((found.user.as_deref(), way_back(&boot(&disk), &found).is_ok()), (Some(USER), true));
    assert!(key(&disk, View::Native, r"HKCU\SOFTWARE\Either").is_some());
    assert!(key(&disk, View::Native, r"HKCU\SOFTWARE\Classes\.tool").is_some());
    // A machine that was captured remembers nothing besides its registry.
    change(&disk, |facts| facts.installed.clear());
    uninstall(&disk, &code(&bytes));
    assert!(key(&disk, View::Native, &format!(r"HKCU\{entry}")).is_none());
    for (all_users, user, root) in [("1", "", "HKLM"), ("2", "", "HKLM"), ("2", "1", "HKCU")] {
        let disk = with(&bytes);
        install(&disk, &[("ALLUSERS", all_users), ("MSIINSTALLPERUSER", user)]).unwrap();
        assert!(key(&disk, View::Native, &format!(r"{root}\{entry}")).is_some(), "{all_users} {user}");
    }
}

#[test]
fn copies_and_lasting_parts() {
    let bytes = with_rows(
        &tool().action("Folder", 51, ("ELSEWHERE", r"C:\Temp"), 700, "").build().unwrap(),
        "DuplicateFile",
        &["FileKey", "Component_", "File_", "DestName", "DestFolder"],
        &[&["One", "C0", "F0", "COPY|copy.txt", "ELSEWHERE"], &["Two", "C0", "F0", "", "NOWHERE"]],
    );
    let bytes = with_rows(&bytes, "InstallExecuteSequence", &[], &[&["DuplicateFiles", "", "4210"]]);
    let disk = with(&bytes);
    install(&disk, &[]).unwrap();
    assert_eq!(get(&disk, r"C:\Temp\copy.txt").as_deref(), Some("a"));
    comes_and_goes(&bytes, &[]);
    // Bit 16: permanent; bit 128: what is there stays.
    let attributes = |bits: i32| {
        changed(&tool().build().unwrap(), |database| {
            let update = msi::Update::table("Component").set("Attributes", Value::Int(bits));
            database.update_rows(update).unwrap();
        })
    };
    let disk = with(&attributes(256 + 16));
    install(&disk, &[]).unwrap();
    uninstall(&disk, &code(&tool().build().unwrap()));
    assert_eq!(get(&disk, r"C:\Program Files\Tool\a.txt").as_deref(), Some("a"));
    let disk = with(&attributes(256 + 128));
    put(&disk, r"C:\Program Files\Tool\a.txt", "mine");
    assert!(install(&disk, &[]).unwrap().notes.is_empty());
    assert_eq!(get(&disk, r"C:\Program Files\Tool\a.txt").as_deref(), Some("mine"));
}

#[test]
fn a_failing_installation_leaves_the_machine_as_it_was() {
    let bytes = tool().launch_condition("VersionNT > 700", "Too old.").build().unwrap();
    refused(&with(&bytes), &[], "Product: Tool -- Too old.");
    let large = PackageBuilder::new("test", "Tool", "1.0").file("a.bin", vec![0; 5000]).build().unwrap();
    let disk = with(&large);
    change(&disk, |facts| facts.free_space = BTreeMap::from([('C', 4999)]));
    refused(&disk, &[], "Error 1601. Out of disk space -- Volume: 'C:'; required space: 5 KB");
    refused(&with(&large), &[("TARGETDIR", r"E:\Tool")], r"Error 1327. Invalid Drive: E:\");
    let disk = with(&large);
    put(&disk, r"C:\Program Files\Tool", "a file in the way");
    refused(&disk, &[], r"Error 1310. Error writing to file: C:\Program Files\Tool.");
    let disk = with(&large);
    put(&disk, r"C:\Program Files\Tool\a.bin\x", "a folder in the way");
    refused(&disk, &[], r"Error 1310. Error writing to file: C:\Program Files\Tool\a.bin.");
}

#[test]
fn a_condition_decides_whether_a_feature_is_on() {
    let columns = ["Feature_", "Level", "Condition"];
    let off = with_rows(&tool().build().unwrap(), "Condition", &columns, &[&["Complete", "0", "NOT WANTED"]]);
    let installed = |given: &[(&str, &str)]| {
        let disk = with(&off);
        install(&disk, given).unwrap();
        get(&disk, r"C:\Program Files\Tool\a.txt").is_some()
    };
    assert!(!installed(&[]));
    assert!(installed(&[("WANTED", "1")]));
}

/// A package that would do more than a simulation does.
fn rich() -> Vec<u8> {
    let bytes = tool()
        .action("CallLibrary", 1, ("Library", "Entry"), 4100, "")
        .action("Uninstalling", 2, ("Program", ""), 4200, "REMOVE = \"ALL\"")
        .build()
        .unwrap();
    let bytes = with_environment(&bytes, "C0");
    let bytes = with_rows(&bytes, "Shortcut", &["Shortcut", "Name", "Component_"], &[&["S", "x", "Elsewhere"]]);
    with_rows(&bytes, "InstallExecuteSequence", &[], &[&["CreateShortcuts", "", "4500"]])
}

#[test]
fn a_preview_says_what_the_rehearsal_leaves_out() {
    const PORTAL: &str = r"C:\Install\portal.msi";
    let web_server = MemoryDisk::new();
    demo::build("web-server", Arc::new(web_server.clone()), clock()).unwrap();
    let portal = path(r"C:\Install\MultiFactorAuthenticationUserPortalSetup64.msi");
    let portal = disk::read(&web_server, &portal, 1 << 26).unwrap();
    let notes = |package: &[u8]| {
        let disk = one_server();
        put(&disk, PORTAL, package);
        change(&disk, |facts| {
            let by = "Microsoft Corporation".to_owned();
            facts.signatures.push(Signed { path: Some(path(PORTAL)), sha256: None, by });
        });
        let (plan, state) = (plan_with("[portal]\ninstaller = 'C:\\Install\\portal.msi'"), path(r"C:\State"));
        let prepared = prepare(boot(&disk).inspect(), &*clock(), &plan, &state).unwrap();
        let steps = prepared.preview.steps.into_iter().filter(|step| step.id == "install-portal");
        steps.flat_map(|step| step.notes).collect::<Vec<_>>()
    };
    assert_eq!(notes(&portal), Vec::<String>::new());
    assert_eq!(notes(&with_environment(&portal, "C0")), ["Not simulated in this rehearsal: table Environment"]);
}

/// The package, which now also sets a variable of the environment.
fn with_environment(bytes: &[u8], component: &str) -> Vec<u8> {
    let columns = ["Environment", "Name", "Value", "Component_"];
    let bytes = with_rows(bytes, "Environment", &columns, &[&["E", "=PATH", "[TARGETDIR]", component]]);
    with_rows(&bytes, "InstallExecuteSequence", &[], &[&["WriteEnvironmentStrings", "", "5200"]])
}

#[test]
fn what_is_left_out_is_named() {
    let disk = with(&rich());
    let left_out = boot(&disk).leaves_out(&path(r"C:\Install\x.msi"), &BTreeMap::new());
    assert_eq!(left_out, ["custom action CallLibrary (type 1, a DLL)", "table Environment"]);
    install(&disk, &[]).unwrap();
    let log = get(&disk, LOG).unwrap();
    assert!(log.contains("Not simulated: table Environment"), "{log}");
    comes_and_goes(&rich(), &[]);
}

/// Where wixl is installed, it still makes of the texts what is kept of it; elsewhere the kept packages are read.
#[test]
fn the_kept_packages_are_what_wixl_makes() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let made = folder.path().join(name);
        let wixl = std::process::Command::new("wixl")
            .args(["-a", if name == "features" { "x64" } else { "x86" }, "-o"])
            .args([made.as_path(), Path::new(&format!("{name}.wxs"))])
            .current_dir(HOUSE)
            .output();
        let made = match wixl {
            Ok(output) if output.status.success() => std::fs::read(made).unwrap(),
            Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
            Err(_) => package(name),
        };
        let (kept, made) = (package(name), made);
        let (kept, made) = (open(&kept), open(&made));
        assert_eq!(kept.info().product_name, made.info().product_name);
        assert_eq!(kept.info().product_code, made.info().product_code);
        assert_eq!(kept.info().architecture, made.info().architecture);
        let keys = |package: &Package<Cursor<&[u8]>>| -> Vec<(String, u64)> {
            package.files().iter().map(|file| (file.key.clone(), file.size)).collect()
        };
        assert_eq!(keys(&kept), keys(&made), "{name}");
    }
}
