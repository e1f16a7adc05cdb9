#![allow(clippy::unwrap_used, clippy::panic)]

use super::builder::{PackageBuilder, Registry, Service};
use super::*;
use msi::{Insert, Value};
use std::io::{self, Cursor};

fn portal() -> PackageBuilder {
    PackageBuilder::new("test", "User Portal", "5.0.3")
        .manufacturer("PhoneFactor")
        .web_setup("PhoneFactor", "DefaultAppPool")
        .file(r"App_Themes\Default\web.config", "not this one")
        .file("web.config", "<configuration/>")
        .versioned_file(r"bin\pfup.dll", "5.0.3.0", vec![7; 1_000])
        .file(r"App_Themes\Default\Default.css", "")
}

fn agent() -> PackageBuilder {
    PackageBuilder::new("test", "PhoneFactor Agent", "5.0.3")
        .architecture(Architecture::X86)
        .program_folder("PhoneFactor")
        .file(r"pfsvc.exe", "MZ")
        .service(Service {
            name: "PFSvc".into(),
            display_name: "PhoneFactor Agent".into(),
            start: ServiceStart::Auto,
            account: None,
            file: "PFSVC.exe".into(),
            start_on_install: true,
        })
        .registry(Registry {
            root: RegistryRoot::LocalMachine,
            key: r"SOFTWARE\Positive Networks\PhoneFactor".into(),
            name: Some("InstallPath".into()),
            value: "[TARGETDIR]".into(),
            permanent: true,
        })
        .registry(Registry {
            root: RegistryRoot::LocalMachine,
            key: r"SOFTWARE\[Manufacturer]".into(),
            name: None,
            value: "[#F0]".into(),
            permanent: false,
        })
}

fn open(bytes: &[u8]) -> Package<Cursor<&[u8]>> {
    Package::open(Cursor::new(bytes), "test.msi").unwrap()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn machine() -> BTreeMap<String, String> {
    map(&[
        ("ROOTDRIVE", r"D:\"),
        ("ProgramFilesFolder", r"C:\Program Files (x86)\"),
        ("ProgramFiles64Folder", r"C:\Program Files\"),
    ])
}

fn layout(bytes: &[u8], given: &[(&str, &str)]) -> Layout {
    open(bytes).layout(&map(given), &machine(), &map(&[])).unwrap()
}

fn unpacked<R: Read + Seek>(package: &mut Package<R>) -> Result<BTreeMap<String, Vec<u8>>, PackageError> {
    let mut files = BTreeMap::new();
    package.unpack(&mut |file, content| content.read_to_end(files.entry(file.key.clone()).or_default()).map(drop))?;
    Ok(files)
}

/// The package with rows added to a table.
fn with_rows(bytes: &[u8], table: &str, rows: &[&[&str]]) -> Vec<u8> {
    let mut database = msi::Package::open(Cursor::new(bytes.to_vec())).unwrap();
    let value = |text: &&str| match text.parse::<i32>() {
        Ok(number) => Value::Int(number),
        Err(_) if text.is_empty() => Value::Null,
        Err(_) => Value::from(*text),
    };
    let rows = rows.iter().map(|row| row.iter().map(value).collect()).collect();
    database.insert_rows(Insert::into(table).rows(rows)).unwrap();
    database.into_inner().unwrap().into_inner()
}

#[test]
fn what_is_built_is_read() {
    let bytes = portal().build().unwrap();
    let mut package = open(&bytes);
    let info = package.info();
    assert_eq!(info.product_name, "User Portal");
    assert_eq!(info.product_version, "5.0.3");
    assert_eq!(info.manufacturer, "PhoneFactor");
    assert_eq!(info.product_code, portal().product_code());
    assert_eq!(info.upgrade_code, Some(portal().upgrade_code()));
    assert_eq!(info.architecture, Architecture::X64);
    assert!(info.all_users && !info.uncompressed_files);
    assert_eq!(info.cabinets, [CabinetInfo { name: "files.cab".into(), embedded: true }]);
    let again: Info = serde_json::from_str(&serde_json::to_string(info).unwrap()).unwrap();
    assert_eq!(&again, info);
    let library = package.files().iter().find(|file| file.name == "pfup.dll").unwrap();
    assert_eq!((library.version.as_deref(), library.size, library.compressed), (Some("5.0.3.0"), 1_000, true));
    let files = unpacked(&mut package).unwrap();
    assert_eq!(files.len(), 4);
    assert_eq!(files["F2"], [7; 1_000]);
    assert!(files["F3"].is_empty());
}

#[test]
fn the_same_description_gives_the_same_bytes() {
    assert_eq!(portal().build().unwrap(), portal().build().unwrap());
    let other = portal().file("new.txt", "").build().unwrap();
    assert_ne!(open(&other).info().package_code, open(&portal().build().unwrap()).info().package_code);
}

#[test]
fn one_file_is_read_by_its_name() {
    let bytes = portal().build().unwrap();
    let mut package = open(&bytes);
    assert_eq!(package.read_file("WEB.config", 100).unwrap().unwrap(), b"<configuration/>");
    assert_eq!(package.read_file("missing", 100).unwrap(), None);
    assert_eq!(
        package.read_beside("web.config", r"app_themes\DEFAULT\web.config", 100).unwrap().unwrap(),
        b"not this one"
    );
    assert_eq!(package.read_beside("web.config", r"Default\web.config", 100).unwrap(), None);
    assert_eq!(package.read_beside("missing", "web.config", 100).unwrap(), None);
    let error = package.read_file("pfup.dll", 999).unwrap_err();
    assert!(matches!(error.problem, Problem::LargeFile { size: 1_000, limit: 999, .. }), "{error}");
}

#[test]
fn a_web_setup_goes_where_its_properties_say() {
    let bytes = portal().build().unwrap();
    let folder = |given| layout(&bytes, given).files["F2"].to_string();
    assert_eq!(folder(&[]), r"C:\inetpub\wwwroot\PhoneFactor\bin\pfup.dll");
    assert_eq!(folder(&[("TARGETVDIR", "Mfa")]), r"C:\inetpub\wwwroot\Mfa\bin\pfup.dll");
    // The package's own action wins over the command line, and what is forced over both.
    assert_eq!(folder(&[("TARGETDIR", r"E:\x")]), r"C:\inetpub\wwwroot\PhoneFactor\bin\pfup.dll");
    let forced = map(&[("TARGETDIR", r"E:\Sites\Mfa")]);
    let layout = open(&bytes).layout(&map(&[]), &machine(), &forced).unwrap();
    assert_eq!(layout.files["F1"].as_str(), r"E:\Sites\Mfa\web.config");
    assert_eq!(layout.properties["TARGETDIR"], r"E:\Sites\Mfa\");
}

#[test]
fn a_program_goes_below_program_files_or_where_it_is_told() {
    let bytes = agent().build().unwrap();
    let here = layout(&bytes, &[]);
    assert_eq!(here.files["F0"].as_str(), r"C:\Program Files (x86)\PhoneFactor\pfsvc.exe");
    assert_eq!(layout(&bytes, &[("TARGETDIR", r"E:\Pf\")]).files["F0"].as_str(), r"E:\Pf\pfsvc.exe");
    let package = open(&bytes);
    let [service] = package.services() else { panic!("one service") };
    assert_eq!((&*service.name, &*service.file, service.start), ("PFSvc", "F0", ServiceStart::Auto));
    let [control] = package.service_controls() else { panic!("one control") };
    assert!(control.start_on_install && control.stop_on_uninstall && control.delete_on_uninstall);
    assert!(!control.delete_on_install);
    let row = |permanent| package.registry_rows().iter().find(|row| row.permanent == permanent).unwrap();
    let (path, file) = (row(true), row(false));
    assert!(!path.wide);
    assert_eq!(here.fill_in(path.value.as_ref().unwrap()).unwrap(), r"C:\Program Files (x86)\PhoneFactor\");
    assert_eq!(here.fill_in(file.value.as_ref().unwrap()).unwrap(), here.files["F0"].as_str());
    assert_eq!(here.fill_in(&file.key).unwrap(), r"SOFTWARE\Example");
}

#[test]
fn properties_count_as_taken_where_the_package_mentions_them() {
    let bytes = portal().action("Set", 51, ("A", "[B]"), 700, "").build().unwrap();
    let package = open(&bytes);
    for name in ["TARGETVDIR", "TARGETSITE", "TARGETDIR", "A", "B"] {
        assert!(package.takes(name), "{name}");
    }
    assert!(!package.takes("INSTALLDIR"));
    assert!(!open(&agent().build().unwrap()).takes("TARGETVDIR"));
}

#[test]
fn actions_that_are_no_data_are_named() {
    let builder = portal()
        .action("Register", 1 + 1024, ("Library", "Entry"), 4100, "")
        .action("TakeBack", 1 + 1024 + 256, ("Library", "Entry"), 4050, "")
        .action("Never", 2, ("Program", ""), 4200, "Installed");
    let layout = layout(&builder.build().unwrap(), &[]);
    assert_eq!(layout.left_out, ["custom action Register (type 1, a DLL)"]);
    assert_eq!(layout.refusal, None);
}

#[test]
fn a_package_may_stop_its_own_installation() {
    let builder = portal()
        .launch_condition("VersionNT >= 600", "Needs [What].")
        .property("What", "Windows Server 2008")
        .action("Fail", 19, ("", "No [What]."), 1300, "BROKEN = 1");
    let bytes = builder.build().unwrap();
    assert_eq!(open(&bytes).launch_conditions(), [("VersionNT >= 600".into(), "Needs [What].".into())]);
    let refusal = |given: &[(&str, &str)]| layout(&bytes, given).refusal;
    assert_eq!(refusal(&[("VersionNT", "603")]), None);
    assert_eq!(refusal(&[("VersionNT", "502")]).as_deref(), Some("Needs Windows Server 2008."));
    assert_eq!(refusal(&[("VersionNT", "603"), ("BROKEN", "1")]).as_deref(), Some("No Windows Server 2008."));
    assert_eq!(refusal(&[("BROKEN", "1")]).as_deref(), Some("Needs Windows Server 2008."), "the first reason counts");
}

#[test]
fn a_launch_condition_sees_the_properties_of_its_time() {
    let late = portal().launch_condition("READY", "Not ready.").action("Set", 51, ("READY", "1"), 700, "");
    assert!(layout(&late.build().unwrap(), &[]).refusal.is_some());
    let early = portal().launch_condition("READY", "Not ready.").action("Set", 51, ("READY", "1"), 50, "");
    assert_eq!(layout(&early.build().unwrap(), &[]).refusal, None);
}

#[test]
fn odd_folders_resolve_as_windows_installer_has_them() {
    let bytes = with_rows(
        &portal().build().unwrap(),
        "Directory",
        &[
            &["Long", "TARGETDIR", "LONG~1|Long name"],
            &["Same", "Long", "."],
            &["Two", "Same", "TGT|target:SRC|source"],
            &["SameHere", "Two", ".:elsewhere"],
            &["Root", "", "SourceDir"],
            &["OwnRoot", "OwnRoot", "SourceDir"],
            &["BelowRoot", "Root", "below"],
            &["ProgramFilesFolder", "TARGETDIR", "."],
            &["PROGRAM", "ProgramFilesFolder", "Vendor"],
        ],
    );
    let layout = layout(&bytes, &[]);
    let expected = [
        ("Long", r"C:\inetpub\wwwroot\PhoneFactor\Long name"),
        ("Same", r"C:\inetpub\wwwroot\PhoneFactor\Long name"),
        ("Two", r"C:\inetpub\wwwroot\PhoneFactor\Long name\target"),
        ("SameHere", r"C:\inetpub\wwwroot\PhoneFactor\Long name\target"),
        ("Root", r"D:\"),
        ("OwnRoot", r"D:\"),
        ("BelowRoot", r"D:\below"),
        ("PROGRAM", r"C:\Program Files (x86)\Vendor"),
    ];
    for (key, path) in expected {
        assert_eq!(layout.folders[key].as_str(), path, "{key}");
    }
    assert_eq!(layout.properties["PROGRAM"], r"C:\Program Files (x86)\Vendor\");
}

#[test]
fn folders_in_a_ring_or_without_a_parent_are_refused() {
    let good = portal().build().unwrap();
    for rows in [&[&["A", "B", "a"][..], &["B", "A", "b"]][..], &[&["A", "Nowhere", "a"][..]]] {
        let bytes = with_rows(&good, "Directory", rows);
        let error = open(&bytes).layout(&map(&[]), &machine(), &map(&[])).unwrap_err();
        assert!(matches!(error.problem, Problem::FolderTree(_)), "{error}");
    }
    let bytes = with_rows(&good, "Directory", &[&["A", "TARGETDIR", r"..\..\Windows"]]);
    let error = open(&bytes).layout(&map(&[]), &machine(), &map(&[])).unwrap_err();
    assert!(matches!(error.problem, Problem::Folder { .. }), "{error}");
}

#[test]
fn actions_move_folders_only_while_they_may() {
    let bytes = portal()
        .action("Conditional", 51, ("TARGETVDIR", "Other"), 700, "USEOTHER = 1")
        .action("TooLate", 51, ("TARGETDIR", r"C:\Late"), 1100, "")
        .action("Move", 35, ("D1", r"E:\Styles"), 1200, "MOVE")
        .build()
        .unwrap();
    let style = |given| layout(&bytes, given).files["F3"].to_string();
    assert_eq!(style(&[]), r"C:\inetpub\wwwroot\PhoneFactor\App_Themes\Default\Default.css");
    assert_eq!(style(&[("USEOTHER", "1")]), r"C:\inetpub\wwwroot\Other\App_Themes\Default\Default.css");
    assert_eq!(style(&[("MOVE", "yes")]), r"E:\Styles\Default.css");
}

#[test]
fn a_moved_folder_takes_those_below_along() {
    let bytes = portal().action("Move", 35, ("D0", r"E:\Themes"), 1200, "").build().unwrap();
    let layout = layout(&bytes, &[]);
    assert_eq!(layout.files["F3"].as_str(), r"E:\Themes\Default\Default.css");
    assert_eq!(layout.properties["D1"], r"E:\Themes\Default\");
}

#[test]
fn components_whose_condition_fails_are_left_out() {
    let bytes = with_rows(&portal().build().unwrap(), "Component", &[&["Extra", "", "TARGETDIR", "0", "WANTED", ""]]);
    assert!(!layout(&bytes, &[("WANTED", "1")]).installs("Extra"), "it is part of no feature");
    let bytes = with_rows(&bytes, "FeatureComponents", &[&["Complete", "Extra"]]);
    assert!(!layout(&bytes, &[]).installs("Extra"));
    assert!(layout(&bytes, &[("WANTED", "1")]).installs("Extra"));
}

#[test]
fn files_outside_the_package_are_not_unpacked() {
    let good = portal().build().unwrap();
    let loose = with_rows(&good, "File", &[&["Loose", "C0", "loose.txt", "3", "", "", "8192", "5"]]);
    let mut package = open(&loose);
    assert!(package.info().uncompressed_files);
    assert!(matches!(unpacked(&mut package).unwrap_err().problem, Problem::Outside(_)));
    let other = with_rows(&good, "Media", &[&["2", "9", "", "other.cab", "", ""]]);
    let other = with_rows(&other, "File", &[&["There", "C0", "there.txt", "3", "", "", "0", "6"]]);
    let mut package = open(&other);
    assert_eq!(package.info().cabinets.iter().filter(|cabinet| !cabinet.embedded).count(), 1);
    assert!(matches!(unpacked(&mut package).unwrap_err().problem, Problem::Outside(_)));
    assert!(package.read_file("web.config", 100).unwrap().is_some());
    let missing = with_rows(&good, "File", &[&["Gone", "C0", "gone.txt", "3", "", "", "0", "1"]]);
    assert!(matches!(unpacked(&mut open(&missing)).unwrap_err().problem, Problem::Contradiction(_)));
}

#[test]
fn the_receivers_own_error_comes_back() {
    let bytes = portal().build().unwrap();
    let full = |_: &PackagedFile, _: &mut dyn Read| Err(io::ErrorKind::StorageFull.into());
    let error = open(&bytes).unpack(&mut { full }).unwrap_err();
    let Problem::Receiver { source, .. } = error.problem else { panic!("{error}") };
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
}

#[test]
fn bad_descriptions_are_refused() {
    let empty = PackageBuilder::new("test", "Empty", "1.0");
    assert!(empty.build().is_err());
    assert!(empty.clone().file(r"..\x", "").build().is_err());
    assert!(empty.file("a", "").file("A", "").build().is_err());
    let service = agent().service(Service {
        name: "Other".into(),
        display_name: "Other".into(),
        start: ServiceStart::Manual,
        account: None,
        file: "other.exe".into(),
        start_on_install: false,
    });
    assert!(service.build().is_err());
}

/// Opens and unpacks a damaged package: that must fail or give the right contents.
fn is_refused_or_right(damaged: &[u8], good: &BTreeMap<String, Vec<u8>>) {
    let Ok(mut package) = Package::open(Cursor::new(damaged), "damaged.msi") else { return };
    let _ = package.layout(&map(&[]), &machine(), &map(&[]));
    if let Ok(files) = unpacked(&mut package) {
        assert!(&files == good, "wrong contents for {:?}", files.keys());
    }
}

#[test]
fn every_cut_is_refused_or_harmless() {
    let bytes = portal().build().unwrap();
    let good = unpacked(&mut open(&bytes)).unwrap();
    for cut in 0..bytes.len() {
        is_refused_or_right(&bytes[..cut], &good);
    }
}

#[test]
fn changed_bytes_are_refused_or_harmless() {
    let bytes = portal().build().unwrap();
    let good = unpacked(&mut open(&bytes)).unwrap();
    let mut damaged = bytes.clone();
    for at in (0..bytes.len()).step_by(13) {
        for change in [1 << (at % 8), 0xff] {
            damaged[at] = bytes[at] ^ change;
            is_refused_or_right(&damaged, &good);
        }
        damaged[at] = bytes[at];
    }
}
