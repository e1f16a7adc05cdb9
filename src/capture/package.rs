//! Packages, complete or only their tables.

use crate::package::Package;
use crate::platform::Inspect;
use crate::platform::disk::{ReadFile, hash_reader};
use crate::winpath::WinPath;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write};

/// The signature of a cabinet file.
const CABINET: &[u8] = b"MSCF";
const SIGNATURE: &str = "\u{5}DigitalSignature";
/// The content of this file matters: the old one is compared with it.
const KEPT: &str = "web.config";

/// A package with the same tables, whose files contain only zeros, except `web.config`.
pub(super) fn only_tables(machine: &dyn Inspect, path: &WinPath) -> io::Result<Vec<u8>> {
    let package = Package::open(machine.files().open(path)?, path.as_str()).map_err(io::Error::other)?;
    let names: BTreeMap<String, String> =
        package.files().iter().map(|file| (file.key.clone(), file.name.clone())).collect();
    let mut from = cfb::CompoundFile::open(machine.files().open(path)?)?;
    let mut to = cfb::CompoundFile::create_with_version(from.version(), Cursor::new(Vec::new()))?;
    to.set_storage_clsid("/", *from.root_entry().clsid())?;
    let entries: Vec<(std::path::PathBuf, bool)> =
        from.walk().skip(1).map(|entry| (entry.path().to_owned(), entry.is_stream())).collect();
    for (at, is_stream) in entries {
        if !is_stream {
            to.create_storage(&at)?;
            continue;
        }
        // The signature does not apply to the modified package.
        if at.file_name().is_some_and(|name| name == SIGNATURE) {
            continue;
        }
        let mut content = Vec::new();
        from.open_stream(&at)?.read_to_end(&mut content)?;
        if content.starts_with(CABINET) {
            content = emptied(content, &names)?;
        }
        to.create_stream(&at)?.write_all(&content)?;
    }
    to.flush()?;
    Ok(to.into_inner().into_inner())
}

/// A cabinet with files of the same names and sizes.
pub(super) fn emptied(cabinet: Vec<u8>, names: &BTreeMap<String, String>) -> io::Result<Vec<u8>> {
    let mut from = cab::Cabinet::new(Cursor::new(cabinet))?;
    let files: Vec<(String, u64)> = from
        .folder_entries()
        .flat_map(|folder| {
            folder.file_entries().map(|file| (file.name().to_owned(), u64::from(file.uncompressed_size())))
        })
        .collect();
    let mut builder = cab::CabinetBuilder::new();
    let folder = builder.add_folder(cab::CompressionType::MsZip);
    for (name, _) in &files {
        folder.add_file(name.clone());
    }
    let mut to = builder.build(Cursor::new(Vec::new()))?;
    let mut rest = files.iter();
    while let Some(mut writer) = to.next_file()? {
        let Some((name, size)) = rest.next() else { break };
        let is_kept = names.get(name).is_some_and(|name| name.eq_ignore_ascii_case(KEPT));
        match is_kept {
            true => drop(io::copy(&mut from.read_file(name)?, &mut writer)?),
            false => drop(io::copy(&mut io::repeat(0).take(*size), &mut writer)?),
        }
    }
    Ok(to.finish()?.into_inner())
}

/// The names of the cabinets and loose files beside a package.
pub(super) fn beside(file: Box<dyn ReadFile>, path: &WinPath) -> Vec<String> {
    let Ok(package) = Package::open(file, path.as_str()) else { return Vec::new() };
    let cabinets = package.info().cabinets.iter().filter(|cabinet| !cabinet.embedded);
    let loose = package.files().iter().filter(|file| !file.compressed).map(|file| file.source_name.clone());
    cabinets.map(|cabinet| cabinet.name.clone()).chain(loose).collect()
}

/// The SHA-256 of the packages that a package installs: those in the MFA Server setup have its signer.
pub(super) fn packages_in(machine: &dyn Inspect, path: &WinPath) -> Vec<String> {
    let package = machine.files().open(path).ok().and_then(|file| Package::open(file, path.as_str()).ok());
    let mut sums = Vec::new();
    let found = package.map(|mut package| {
        package.unpack(&mut |file, content| {
            if file.name.to_ascii_lowercase().ends_with(".msi") {
                sums.push(hash_reader(content)?.1);
            }
            Ok(())
        })
    });
    if found.is_some_and(|unpacked| unpacked.is_ok()) { sums } else { Vec::new() }
}
