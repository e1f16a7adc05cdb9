//! Windows Installer packages, on any host: their properties, their layout, and unpacking.
//!
//! [`Package`] reads a package, its tables immediately and its cabinets on demand. [`Layout`] resolves properties and
//! folders as Windows Installer would.
//!
//! A package is untrusted input: a damaged one causes an error. Panics of the decoders are caught;
//! [`panic_will_be_reported`] informs the program's panic hook.

#[cfg(test)]
#[path = "../../tests/support/package_builder/mod.rs"]
pub(crate) mod builder;
mod cabinet;
mod code;
mod condition;
mod describe;
mod error;
mod features;
mod formatted;
mod guard;
mod launch;
mod layout;
mod left_out;
mod model;
mod signature;
mod tables;
#[cfg(test)]
mod tests;
mod unpack;

pub use code::{packed_code, unpacked_code};
pub use condition::{ConditionError, holds};
pub use describe::{
    Description, FeatureDescription, FileDescription, LaunchCondition, ServiceDescription, WebDescription,
};
pub use error::{PackageError, Problem};
pub use guard::panic_will_be_reported;
pub use launch::{Launch, Property};
pub use layout::{Layout, Removal};
pub use model::{
    ActionRow, Feature, Folder, PackagedFile, Place, RegistryRoot, RegistryRow, Search, ServiceControl, ServiceInstall,
    ServiceStart,
};
pub use signature::claimed_signer;
pub use unpack::{Beside, ReadSeek, Receiver};

use crate::winpath::WinPath;
use layout::{SET_DIRECTORY, SET_PROPERTY};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{Read, Seek};
use tables::{SourceKind, Tables};

/// The processor architecture of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// 32-bit Intel.
    X86,
    /// 64-bit Intel and AMD.
    X64,
    /// 64-bit Arm.
    Arm64,
    /// Another, such as Itanium.
    Other,
}

/// A cabinet with files of the package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CabinetInfo {
    /// Its name, without the `#` that marks an embedded one.
    pub name: String,
    /// Whether it is embedded; otherwise it is beside the package.
    pub embedded: bool,
}

/// The properties of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// The product's code, in braces and uppercase.
    pub product_code: String,
    /// The product's name.
    pub product_name: String,
    /// The product's version.
    pub product_version: String,
    /// Its publisher.
    pub manufacturer: String,
    /// The code shared by all versions of the product.
    pub upgrade_code: Option<String>,
    /// The code of this package, in braces and uppercase.
    pub package_code: String,
    /// Its processor architecture.
    pub architecture: Architecture,
    /// Whether it installs for all users by default.
    pub all_users: bool,
    /// Its cabinets.
    pub cabinets: Vec<CabinetInfo>,
    /// Whether some files are loose beside the package.
    pub uncompressed_files: bool,
}

/// A Windows Installer package that is open for reading.
pub struct Package<R: Read + Seek> {
    msi: msi::Package<R>,
    name: String,
    info: Info,
    tables: Tables,
}

impl<R: Read + Seek> Package<R> {
    /// Opens a package and reads its tables. `name` is its name in errors, usually its path.
    pub fn open(mut reader: R, name: &str) -> Result<Self, PackageError> {
        let opened = || {
            guard::check_lengths(&mut reader)?;
            reader.rewind()?;
            msi::Package::open(reader)
        };
        let mut msi = guard::guarded(opened).map_err(|error| Problem::NotAPackage(error).of(name))?;
        if let Some(kind) = other_kind(&msi) {
            return Err(Problem::OtherKind(kind).of(name));
        }
        let source = SourceKind::of_word_count(msi.summary_info().word_count().unwrap_or(0));
        let tables = Tables::read(&mut msi, source).map_err(|problem| problem.of(name))?;
        let info = info(msi.summary_info(), &tables).map_err(|problem| problem.of(name))?;
        Ok(Self { msi, name: name.to_owned(), info, tables })
    }

    /// The properties of the package.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// A property's value in the package itself.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.tables.properties.get(name).map(String::as_str)
    }

    /// Whether the package's tables use a property, so that it has an effect on the command line.
    pub fn takes(&self, public_property: &str) -> bool {
        let tables = &self.tables;
        let named = |list: &str| list.split(';').any(|name| name == public_property);
        let refers = |text: &str| formatted::references(text).any(|name| name == public_property);
        tables.properties.contains_key(public_property)
            || tables.directories.contains_key(public_property)
            || tables.entered.contains(public_property)
            || self.property("SecureCustomProperties").is_some_and(named)
            || tables.actions.values().any(|action| {
                let sets = matches!(action.kind(), SET_PROPERTY | SET_DIRECTORY);
                sets && (action.source == public_property || refers(&action.target))
            })
            || tables.registry.iter().any(|row| {
                [Some(&row.key), row.name.as_ref(), row.value.as_ref()].into_iter().flatten().any(|text| refers(text))
            })
            || tables.services.iter().any(|service| {
                [Some(&service.name), Some(&service.arguments), service.account.as_ref()]
                    .into_iter()
                    .flatten()
                    .any(|text| refers(text))
            })
    }

    /// The files of the package, in the order they are installed in.
    pub fn files(&self) -> &[PackagedFile] {
        &self.tables.files
    }

    /// Resolves properties, folders and files for a first installation of everything.
    ///
    /// `given` are the properties of the command line and `machine` those that Windows Installer sets itself, such as
    /// `ProgramFilesFolder`. `forced` override what the package's actions set: they replace actions that cannot be
    /// simulated.
    pub fn layout(
        &self,
        given: &BTreeMap<String, String>,
        machine: &BTreeMap<String, String>,
        forced: &BTreeMap<String, String>,
    ) -> Result<Layout, PackageError> {
        layout::lay_out(&self.tables, given, machine, forced).map_err(|problem| problem.of(&self.name))
    }

    /// Fails if the package has a file or folder with a name that cannot exist on Windows: its installation would fail.
    pub fn check_names(&self) -> Result<(), PackageError> {
        let tables = &self.tables;
        let has_parent = |(key, row): &(&String, &tables::Directory)| !row.parent.is_empty() && row.parent != **key;
        let folders = tables.directories.iter().filter(has_parent);
        let folders = folders.map(|(_, row)| layout::name_on_target(&row.default)).filter(|name| *name != ".");
        let files = tables.files.iter().map(|file| file.name.as_str());
        let files = files.chain(tables.duplicates.iter().filter_map(|row| row.name.as_deref()));
        let mut names = folders.map(|name| ("folder", name)).chain(files.map(|name| ("file", name)));
        match names.find(|(_, name)| !WinPath::is_name(name)) {
            None => Ok(()),
            Some((kind, name)) => Err(Problem::UnusableName { kind, name: name.to_owned() }.of(&self.name)),
        }
    }

    /// The services the package installs.
    pub fn services(&self) -> &[ServiceInstall] {
        &self.tables.services
    }

    /// The services it starts, stops or deletes.
    pub fn service_controls(&self) -> &[ServiceControl] {
        &self.tables.controls
    }

    /// The registry values it writes.
    pub fn registry_rows(&self) -> &[RegistryRow] {
        &self.tables.registry
    }

    /// Its launch conditions, with their messages.
    pub fn launch_conditions(&self) -> &[(String, String)] {
        &self.tables.launch_conditions
    }

    /// Its custom actions, in the order of an installation.
    pub fn custom_actions(&self) -> Vec<ActionRow> {
        let row = |(name, condition): &(String, String)| {
            let action = self.tables.actions.get(name)?;
            let (name, condition) = (name.clone(), condition.clone());
            let (source, target) = (action.source.clone(), action.target.clone());
            Some(ActionRow { name, kind: action.kind, source, target, condition })
        };
        self.tables.sequence.iter().filter_map(row).collect()
    }

    /// Its features, by name.
    pub fn features(&self) -> impl Iterator<Item = &Feature> {
        self.tables.features.values()
    }

    /// Its folders, by key.
    pub fn folders(&self) -> Vec<Folder> {
        let folder = |(key, row): (&String, &tables::Directory)| Folder {
            key: key.clone(),
            parent: row.parent.clone(),
            name: layout::name_on_target(&row.default).to_owned(),
        };
        self.tables.directories.iter().map(folder).collect()
    }

    /// The public properties, with their values in the package.
    pub fn public_properties(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.tables.properties.iter();
        all.filter(|(name, _)| !name.contains(|c: char| c.is_lowercase()))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<R: Read + Seek> std::fmt::Debug for Package<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Package").field("name", &self.name).field("info", &self.info).finish_non_exhaustive()
    }
}

/// The kind of file, if it is not a package that installs a product.
fn other_kind<R>(msi: &msi::Package<R>) -> Option<&'static str> {
    match msi.package_type() {
        msi::PackageType::Patch => Some("a patch (.msp), which changes installed products"),
        msi::PackageType::Transform => Some("a transform (.mst), which changes a package while it is installed"),
        // Packages with merged modules have the first table as well.
        msi::PackageType::Installer if msi.has_table("ModuleSignature") && !msi.has_table("Property") => {
            Some("a merge module (.msm), which becomes part of other packages")
        }
        msi::PackageType::Installer => None,
    }
}

fn info(summary: &msi::SummaryInfo, tables: &Tables) -> Result<Info, Problem> {
    let property = |name: &'static str| tables.properties.get(name).filter(|value| !value.is_empty());
    let code = |name: &'static str| -> Result<Option<String>, Problem> {
        let Some(text) = property(name) else { return Ok(None) };
        let code = uuid::Uuid::try_parse(text)
            .map_err(|_| Problem::Contradiction(format!("the property {name}, `{text}`, is not a code")))?;
        Ok(Some(braced(code)))
    };
    let required = |name| property(name).cloned().ok_or(Problem::Missing(name));
    let media = || tables.media.iter().filter(|media| !media.cabinet.is_empty());
    Ok(Info {
        product_code: code("ProductCode")?.ok_or(Problem::Missing("ProductCode"))?,
        product_name: required("ProductName")?,
        product_version: required("ProductVersion")?,
        manufacturer: property("Manufacturer").cloned().unwrap_or_default(),
        upgrade_code: code("UpgradeCode")?,
        package_code: summary.uuid().map(braced).ok_or(Problem::Missing("package code"))?,
        architecture: match summary.arch().unwrap_or("Intel") {
            "Intel" => Architecture::X86,
            "x64" | "AMD64" => Architecture::X64,
            "Arm64" => Architecture::Arm64,
            _ => Architecture::Other,
        },
        all_users: property("ALLUSERS").is_some(),
        cabinets: media()
            .map(|media| CabinetInfo {
                name: media.cabinet.trim_start_matches('#').to_owned(),
                embedded: media.cabinet.starts_with('#'),
            })
            .collect(),
        uncompressed_files: tables.files.iter().any(|file| !file.compressed),
    })
}

/// A code in the format of Windows Installer.
fn braced(code: uuid::Uuid) -> String {
    code.braced().to_string().to_uppercase()
}
