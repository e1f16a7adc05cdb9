//! `inspect`: any package is told, with what a rehearsal leaves out of it.

use crate::support::package_builder::PackageBuilder;
use crate::support::runs::program;
use crate::support::*;

use pfupgrade::package::Package;
use pfupgrade::platform::disk;
use pfupgrade::platform::simulated::demo;
use serde_json::Value;
use std::fs;
use std::path::Path;

const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/packages");

fn inspected(here: &Path, package: &str) -> (Value, String) {
    let text = program(here).runs(&["inspect", package]).ends_with(0).out;
    let document = program(here).runs(&["inspect", package, "--json"]).ends_with(0).json();
    (document[0].clone(), text)
}

#[test]
fn every_package_of_these_tests_is_described() {
    let place = tempfile::tempdir().unwrap();
    let mut seen = 0;
    for entry in fs::read_dir(PACKAGES).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "msi") {
            continue;
        }
        let (document, text) = inspected(place.path(), path.to_str().unwrap());
        assert_eq!((&document["kind"], &document["format"]), (&"package".into(), &1.into()));
        assert_eq!(document["signature"]["state"], "none");
        let name = document["product_name"].as_str().unwrap();
        assert!(name.starts_with("Fixture") && text.starts_with(name), "{text}");
        for file in document["files"].as_array().unwrap() {
            assert!(text.contains(file["path"].as_str().unwrap()), "{file}\n{text}");
        }
        seen += 1;
    }
    assert!(seen >= 5, "only {seen} packages");
}

#[test]
fn cabinets_and_files_beside_a_package_need_not_be_there() {
    let place = tempfile::tempdir().unwrap();
    for (name, said) in [("external", "first.cab, beside the package"), ("loose", "some are beside the package")] {
        let alone = place.path().join(format!("{name}.msi"));
        fs::copy(format!("{PACKAGES}/{name}.msi"), &alone).unwrap();
        let (_, text) = inspected(place.path(), alone.to_str().unwrap());
        assert!(text.contains(said), "{text}");
    }
}

#[test]
fn features_and_folders_are_told() {
    let place = tempfile::tempdir().unwrap();
    let (document, text) = inspected(place.path(), &format!("{PACKAGES}/features.msi"));
    assert_eq!(document["directories"]["EXTRAS"], r"[ProgramFiles64Folder]\Fixture Features\extras");
    assert_eq!(document["properties"]["FLAVOUR"], "plain");
    assert!(text.contains("Extras: Extras (level 100, part of Core)"), "{text}");
    assert!(text.contains("FixtureService: Fixture Service, as LocalSystem"), "{text}");
}

#[test]
fn the_packages_of_the_demo_machine_say_what_they_put_into_iis() {
    let disk = one_server();
    let place = tempfile::tempdir().unwrap();
    let mut portals = 0;
    for (_, product) in boot(&disk).facts().installed {
        let file = place.path().join("package.msi");
        fs::write(&file, disk::read(&disk, &product.package, 1 << 26).unwrap()).unwrap();
        let (document, text) = inspected(place.path(), "package.msi");
        assert_eq!(document["product_name"], product.name);
        match product.name.ends_with("Agent") {
            true => assert_eq!(document["web"], Value::Null),
            false => {
                portals += 1;
                assert!(text.contains("(TARGETVDIR)") && text.contains("METABASE OR Installed: "), "{text}");
                let condition = &document["launch_conditions"][0]["message"];
                assert!(condition.as_str().unwrap().contains("Metabase Compatibility"), "{condition}");
            }
        }
    }
    assert_eq!((portals, demo::NAMES.len()), (3, 3));
}

#[test]
fn what_a_rehearsal_leaves_out_is_named_whatever_its_condition() {
    let place = tempfile::tempdir().unwrap();
    let package = PackageBuilder::new("inspected", "Example", "1.0.0").program_folder("Example").file("a.txt", "a");
    let package = package.action("RunsCode", 1, ("Library", "Entry"), 4500, "0").build().unwrap();
    fs::write(place.path().join("code.msi"), package).unwrap();
    let (document, text) = inspected(place.path(), "code.msi");
    assert_eq!(document["not_simulated"][0], "custom action RunsCode (type 1, a DLL)");
    assert!(text.contains("Not simulated in a rehearsal\n  - custom action RunsCode (type 1, a DLL)"), "{text}");
}

/// The class by which the files of Windows Installer tell what they are.
fn as_kind(package: &[u8], kind: u8) -> Vec<u8> {
    let id = |kind: u8| [kind, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
    let at = package.windows(16).position(|window| window == id(0x84)).unwrap();
    let mut other = package.to_vec();
    other[at..at + 16].copy_from_slice(&id(kind));
    other
}

#[test]
fn what_is_no_package_is_refused_in_words() {
    let place = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| fs::write(place.path().join(name), content).unwrap();
    let package = fs::read(format!("{PACKAGES}/embedded.msi")).unwrap();
    file("patch.msp", &as_kind(&package, 0x86));
    file("transform.mst", &as_kind(&package, 0x82));
    file("text.msi", b"no package at all");
    file("cut.msi", &package[..package.len() / 2]);
    for (name, said) in [
        ("patch.msp", "it is a patch (.msp)"),
        ("transform.mst", "it is a transform (.mst)"),
        ("text.msi", "it is not a readable Windows Installer package"),
        ("cut.msi", "cut.msi"),
        ("missing.msi", "could not open missing.msi"),
    ] {
        program(place.path()).runs(&["inspect", name]).ends_with(2).says(said);
        let documents = program(place.path()).runs(&["inspect", name, "--json"]).ends_with(2).json();
        assert_eq!(documents[0]["kind"], "error");
    }
    assert!(Package::open(fs::File::open(place.path().join("patch.msp")).unwrap(), "x").is_err());
}
