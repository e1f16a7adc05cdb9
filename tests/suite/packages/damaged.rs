//! Packages that are damaged, or made to do harm.

use super::*;
use proptest::prelude::*;

const BAD_NAMES: [&str; 12] =
    [r"..\..\x", "..", ".", r"C:\x", r"\\server\share\x", r"a\b", "a/b", "CON", "nul.txt", "x:stream", "end.", "a*b"];

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in BAD_NAMES {
        for (table, column) in [("File", "FileName"), ("Directory", "DefaultDir")] {
            if table == "Directory" && (name == "." || name.contains(':')) {
                continue; // `.` is the folder above; a colon parts target and source.
            }
            let builder = PackageBuilder::new("test", "Tool", "1.0").file(r"sub\a.txt", "a");
            let bad = changed(&builder.build().unwrap(), |database| {
                let first = match table {
                    "File" => msi::Expr::col("File").eq(msi::Expr::string("F0")),
                    _ => msi::Expr::col("Directory").eq(msi::Expr::string("D0")),
                };
                let update = msi::Update::table(table).set(column, Value::from(name)).with(first);
                database.update_rows(update).unwrap();
            });
            refused(&with(&bad), &[], "no valid path");
        }
        let row: &[&str] = &["R", "C0", name, "TARGETDIR", "3"];
        if !name.contains('*') {
            let columns = ["FileKey", "Component_", "FileName", "DirProperty", "InstallMode"];
            refused(&with(&with_rows(&tool().build().unwrap(), "RemoveFile", &columns, &[row])), &[], "no valid path");
        }
    }
}

#[test]
fn sources_that_lead_elsewhere_are_refused() {
    for name in [r"..\evil.cab", r"C:\evil.cab", r"sub\evil.cab"] {
        let bytes = changed(&package("external"), |database| {
            let update = msi::Update::table("Media").set("Cabinet", Value::from(name));
            database.update_rows(update).unwrap();
        });
        let disk = with(&bytes);
        put(&disk, r"C:\evil.cab", fixture("first.cab"));
        put(&disk, r"C:\Install\sub\evil.cab", fixture("first.cab"));
        refused(&disk, &[], "has a name that leads elsewhere");
    }
    let bytes = changed(&package("loose"), |database| {
        let update = msi::Update::table("Directory").set("DefaultDir", Value::from("INSTALLDIR:.."));
        let own = msi::Expr::col("Directory").eq(msi::Expr::string("INSTALLDIR"));
        database.update_rows(update.with(own)).unwrap();
    });
    refused(&with(&bytes), &[], "has a name that leads elsewhere");
}

#[test]
fn rings_are_refused() {
    let feature = ["Feature", "Feature_Parent", "Title", "Description", "Display", "Level", "Directory_", "Attributes"];
    let rows: [&[&str]; 2] = [&["A", "B", "", "", "0", "1", "", "0"], &["B", "A", "", "", "0", "1", "", "0"]];
    let ring = with_rows(&tool().build().unwrap(), "Feature", &feature, &rows);
    refused(&with(&ring), &[], "is below itself");
    let folders: [&[&str]; 2] = [&["X", "Y", "x"], &["Y", "X", "y"]];
    let ring = with_rows(&tool().build().unwrap(), "Directory", &[], &folders);
    refused(&with(&ring), &[], "is below itself");
}

/// Reads everything a package can be asked for.
fn read_all(bytes: &[u8]) {
    let Ok(mut package) = Package::open(Cursor::new(bytes), "damaged.msi") else { return };
    let properties = BTreeMap::from([("ProgramFilesFolder".to_owned(), r"C:\Programs\".to_owned())]);
    let all = BTreeMap::from([("ADDLOCAL".to_owned(), "ALL".to_owned())]);
    let layouts = [&BTreeMap::new(), &all].map(|given| package.layout(given, &properties, &BTreeMap::new()));
    for layout in layouts.into_iter().flatten() {
        for row in package.registry_rows() {
            let _ = layout.fill_in(row.value.as_deref().unwrap_or_default());
        }
    }
    let described = (package.custom_actions(), package.folders(), package.features().count(), package.takes("X"));
    assert!(format!("{described:?} {:?}", package.public_properties().collect::<Vec<_>>()).len() < 1 << 24);
    let _ = package.outside();
    let _ = package.unpack(&mut |_, content| std::io::copy(content, &mut std::io::sink()).map(drop));
    let _ = package.read_file("readme.txt", 1 << 20);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn cut_packages_are_refused_or_read(which in 0..NAMES.len(), cut in 0.0..1.0f64) {
        let bytes = package(NAMES[which]);
        read_all(&bytes[..(bytes.len() as f64 * cut) as usize]);
    }

    #[test]
    fn damaged_packages_are_refused_or_read(
        which in 0..NAMES.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = package(NAMES[which]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read_all(&bytes);
    }

    /// A damaged package is refused and has changed nothing, or it is installed.
    #[test]
    fn a_damaged_package_is_installed_or_changes_nothing(
        which in prop::sample::select(vec!["embedded", "features", "lzx"]),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = package(which);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let disk = with(&bytes);
        let before = state(&disk);
        match install(&disk, &[("ADDLOCAL", "ALL")]) {
            Err(_) => assert_same(&before, &state(&disk), "refused"),
            Ok(_) => prop_assert!(boot(&disk).facts().installed.values().all(|one| one.stage == Stage::Installed)),
        }
    }
}
