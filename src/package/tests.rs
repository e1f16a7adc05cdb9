#![allow(clippy::unwrap_used)]

use super::*;
use std::io::Cursor;

fn portal() -> PackageBuilder {
    PackageBuilder::new("test", "User Portal", "5.0.3")
        .manufacturer("PhoneFactor")
        .web_setup("PhoneFactor", "DefaultAppPool")
        .file("web.config", "<configuration/>")
        .versioned_file(r"bin\pfup.dll", "5.0.3.0", vec![7; 100_000])
        .file(r"App_Themes\Default\web.config", "not this one")
        .file(r"App_Themes\Default\Default.css", "")
}

fn open(bytes: &[u8]) -> Package<Cursor<&[u8]>> {
    Package::open(Cursor::new(bytes), "test.msi").unwrap()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

#[test]
fn what_is_built_is_read() {
    let bytes = portal().build().unwrap();
    let mut package = open(&bytes);
    let info = package.info().clone();
    assert_eq!(info.product_name, "User Portal");
    assert_eq!(info.product_code, portal().product_code());
    assert_eq!(info.architecture, Architecture::X64);
    assert!(info.all_users && !info.uncompressed_files);
    assert_eq!(info.cabinets, [CabinetInfo { name: "files.cab".into(), embedded: true }]);
    let mut unpacked = BTreeMap::new();
    package
        .unpack(&mut |file, content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            unpacked.insert(file.name.clone(), bytes.len());
            Ok(())
        })
        .unwrap();
    assert_eq!(unpacked["pfup.dll"], 100_000);
    assert_eq!(package.read_file("WEB.config", 1000).unwrap().unwrap(), b"<configuration/>");
}

#[test]
fn the_same_description_gives_the_same_bytes() {
    assert_eq!(portal().build().unwrap(), portal().build().unwrap());
}
