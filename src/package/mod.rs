//! Windows Installer packages, on any host: what a package is and holds, where its files would go, and unpacking them.
//!
//! [`Package`] reads a package, its tables at once and its cabinets when asked. [`Layout`] resolves properties and
//! folders as Windows Installer would. [`PackageBuilder`] makes small packages that the real Windows Installer takes
//! too; demo machines and tests are built of them.
//!
//! A package is input from outside: a damaged one gives an error. Where the decoders beneath panic on damage, the panic
//! is caught; [`panic_will_be_reported`] lets a program's panic hook know.

mod build;
mod cabinet;
mod code;
mod condition;
mod error;
mod formatted;
mod guard;
mod layout;
mod tables;
#[cfg(test)]
mod tests;

pub use build::{BuildError, PackageBuilder, Registry, Service};
pub use code::{packed_code, unpacked_code};
pub use condition::{ConditionError, holds};
pub use error::{PackageError, Problem};
pub use guard::panic_will_be_reported;
pub use layout::Layout;
pub use tables::{PackagedFile, RegistryRoot, RegistryRow, ServiceControl, ServiceInstall, ServiceStart};

use layout::{SET_DIRECTORY, SET_PROPERTY};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek};
use std::ops::ControlFlow;
use tables::Tables;

/// The processor a package is made for.
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
    /// True where it is part of the package; otherwise it lies beside it.
    pub embedded: bool,
}

/// What a package is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// The product's code, in braces and upper case.
    pub product_code: String,
    /// The product's name.
    pub product_name: String,
    /// The product's version.
    pub product_version: String,
    /// Who made it.
    pub manufacturer: String,
    /// The code that all versions of the product share.
    pub upgrade_code: Option<String>,
    /// The code of this very package, in braces and upper case.
    pub package_code: String,
    /// The processor it is made for.
    pub architecture: Architecture,
    /// True where it installs for all users unless told otherwise.
    pub all_users: bool,
    /// Its cabinets.
    pub cabinets: Vec<CabinetInfo>,
    /// True where some files lie loose beside the package.
    pub uncompressed_files: bool,
}

/// Takes over a file of a package with its content, which it need not read.
pub type Receiver<'a, T> = dyn FnMut(&PackagedFile, &mut dyn Read) -> io::Result<T> + 'a;

/// A Windows Installer package that is open for reading.
pub struct Package<R: Read + Seek> {
    msi: msi::Package<R>,
    name: String,
    info: Info,
    tables: Tables,
}

impl<R: Read + Seek> Package<R> {
    /// Opens a package and reads its tables. `name` is what errors call it, usually its path.
    pub fn open(mut reader: R, name: &str) -> Result<Self, PackageError> {
        let opened = || {
            guard::check_lengths(&mut reader)?;
            reader.rewind()?;
            let msi = msi::Package::open(reader)?;
            match msi.package_type() {
                msi::PackageType::Installer => Ok(msi),
                _ => Err(guard::invalid("it is a patch or a transform")),
            }
        };
        let mut msi = guard::guarded(opened).map_err(|error| Problem::NotAPackage(error).of(name))?;
        // Bit 1 of the word count: files are compressed unless their row says otherwise.
        let compressed = msi.summary_info().word_count().unwrap_or(0) & 2 != 0;
        let tables = Tables::read(&mut msi, compressed).map_err(|problem| problem.of(name))?;
        let info = info(msi.summary_info(), &tables).map_err(|problem| problem.of(name))?;
        Ok(Self { msi, name: name.to_owned(), info, tables })
    }

    /// What the package is.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// A property's value in the package itself.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.tables.properties.get(name).map(String::as_str)
    }

    /// True where the package's own tables mention a property, so that giving it on the command line has an effect.
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
    /// `ProgramFilesFolder`. `forced` win over whatever the package's own actions set: they stand in for actions that
    /// cannot be simulated.
    pub fn layout(
        &self,
        given: &BTreeMap<String, String>,
        machine: &BTreeMap<String, String>,
        forced: &BTreeMap<String, String>,
    ) -> Result<Layout, PackageError> {
        layout::lay_out(&self.tables, given, machine, forced).map_err(|problem| problem.of(&self.name))
    }

    /// Unpacks all files, each once, in the order they are stored in.
    ///
    /// Every byte is decompressed and every file is checked to be there with its size, even where `each` does not
    /// read it. Fails at once if not all files are inside the package.
    pub fn unpack(&mut self, each: &mut Receiver<'_, ()>) -> Result<(), PackageError> {
        self.unpack_all(each).map_err(|problem| problem.of(&self.name))
    }

    fn unpack_all(&mut self, each: &mut Receiver<'_, ()>) -> Result<(), Problem> {
        let mut missing: BTreeSet<String> = BTreeSet::new();
        let mut cabinets = BTreeSet::new();
        for file in &self.tables.files {
            cabinets.insert(self.cabinet_of(file)?.to_owned());
            missing.insert(file.key.clone());
        }
        if missing.is_empty() && !self.info.cabinets.is_empty() {
            return Err(Problem::Contradiction("it has cabinets, but no files".to_owned()));
        }
        for cabinet in cabinets {
            self.unpack_cabinet(&cabinet, &mut |file, content| {
                missing.remove(&file.key);
                each(file, content).map(ControlFlow::Continue)
            })?;
        }
        match missing.first() {
            Some(file) => Err(Problem::Contradiction(format!("its cabinets do not hold the file `{file}`"))),
            None => Ok(()),
        }
    }

    /// The embedded cabinet a file is in.
    fn cabinet_of(&self, file: &PackagedFile) -> Result<&str, Problem> {
        if !file.compressed {
            return Err(Problem::Outside(format!("the file `{}`", file.name)));
        }
        let media = &self.tables.media;
        let media = media.get(media.partition_point(|media| media.last_sequence < file.sequence));
        let cabinet = media.map_or("", |media| media.cabinet.as_str());
        match cabinet.strip_prefix('#') {
            Some(name) => Ok(name),
            None if cabinet.is_empty() => {
                Err(Problem::Contradiction(format!("the file `{}` is compressed, but in no cabinet", file.name)))
            }
            None => Err(Problem::Outside(format!("the cabinet `{cabinet}`"))),
        }
    }

    fn unpack_cabinet(&mut self, cabinet: &str, each: &mut Receiver<'_, ControlFlow<()>>) -> Result<(), Problem> {
        let what = || format!("cabinet {cabinet}");
        let stream = guard::guarded(|| self.msi.read_stream(cabinet)).map_err(Problem::read(what()))?;
        let files: BTreeMap<&str, &PackagedFile> =
            self.tables.files.iter().map(|file| (file.key.as_str(), file)).collect();
        let mut refused = None;
        let result = cabinet::unpack(stream, &mut |entry, content| {
            // A file that no table mentions is never installed.
            let Some(file) = files.get(entry.name.as_str()) else { return Ok(ControlFlow::Continue(())) };
            if file.size != u64::from(entry.size) {
                let (table, cabinet) = (file.size, entry.size);
                return Err(guard::invalid(format!(
                    "`{}` has {cabinet} bytes there and {table} in the File table",
                    file.name
                )));
            }
            let mut content = Watched { content, failed: false };
            each(file, &mut content).map_err(|source| {
                if content.failed {
                    return source;
                }
                refused = Some(Problem::Receiver { file: file.name.clone(), source });
                io::Error::other("the receiver refused a file")
            })
        });
        match (refused, result) {
            (Some(problem), _) => Err(problem),
            (None, Err(error)) => Err(Problem::read(what())(error)),
            (None, Ok(_)) => Ok(()),
        }
    }

    /// One file's content by its long name, whatever the case; the one nearest to the root folder where there are
    /// several. `None` where there is none. A file larger than `limit` bytes is an error.
    pub fn read_file(&mut self, long_name: &str, limit: u64) -> Result<Option<Vec<u8>>, PackageError> {
        let wanted = crate::winpath::fold(long_name);
        let named = self.tables.files.iter().filter(|file| crate::winpath::fold(&file.name) == wanted);
        match named.min_by_key(|file| self.tables.depth(&file.directory)).map(|file| file.key.clone()) {
            Some(key) => self.read_key(&key, limit),
            None => Ok(None),
        }
    }

    /// One file's content by its key in the File table; `None` where there is no such key.
    pub fn read_key(&mut self, key: &str, limit: u64) -> Result<Option<Vec<u8>>, PackageError> {
        self.read_one(key, limit).map_err(|problem| problem.of(&self.name))
    }

    fn read_one(&mut self, key: &str, limit: u64) -> Result<Option<Vec<u8>>, Problem> {
        let Some(file) = self.tables.files.iter().find(|file| file.key == key) else { return Ok(None) };
        if file.size > limit {
            return Err(Problem::LargeFile { file: file.name.clone(), size: file.size, limit });
        }
        let cabinet = self.cabinet_of(file)?.to_owned();
        let mut bytes = None;
        self.unpack_cabinet(&cabinet, &mut |file, content| {
            if file.key != key {
                return Ok(ControlFlow::Continue(()));
            }
            content.read_to_end(bytes.insert(Vec::new()))?;
            Ok(ControlFlow::Break(()))
        })?;
        match bytes {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(Problem::Contradiction(format!("its cabinet `{cabinet}` does not hold the file `{key}`"))),
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

    /// What must hold before it installs: conditions with the message for when one does not.
    pub fn launch_conditions(&self) -> &[(String, String)] {
        &self.tables.launch_conditions
    }

    /// The package's actions that stop an installation: the condition under which, and the message.
    pub fn stops(&self) -> Vec<(&str, &str)> {
        self.tables
            .sequence
            .iter()
            .filter_map(|(name, condition)| Some((self.tables.actions.get(name)?, condition)))
            .filter(|(action, _)| action.kind() == STOP)
            .map(|(action, condition)| (condition.as_str(), action.target.as_str()))
            .collect()
    }

    /// The custom actions of an installation that [`Package::layout`] does not carry out, each with what it is.
    pub fn unsimulated_actions(&self) -> Vec<String> {
        let actions = self.tables.sequence.iter().filter_map(|(name, _)| Some((name, self.tables.actions.get(name)?)));
        actions
            .filter(|(_, action)| !matches!(action.kind(), SET_PROPERTY | SET_DIRECTORY))
            .map(|(name, action)| format!("{name} ({})", kind_of_action(action.kind())))
            .collect()
    }
}

impl<R: Read + Seek> std::fmt::Debug for Package<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Package").field("name", &self.name).field("info", &self.info).finish_non_exhaustive()
    }
}

const STOP: i32 = 19;

fn kind_of_action(kind: i32) -> &'static str {
    match kind {
        STOP => "stops with a message",
        7 | 23 | 39 => "installs another package",
        1 | 17 | 33 | 49 => "calls a library",
        2 | 18 | 34 | 50 => "runs a program",
        5 | 21 | 37 | 53 | 6 | 22 | 38 | 54 => "runs a script",
        _ => "of a kind of its own",
    }
}

/// Tells an error of the package from one of the receiver.
struct Watched<'a> {
    content: &'a mut dyn Read,
    failed: bool,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.content.read(buffer);
        self.failed |= result.is_err();
        result
    }
}

fn info(summary: &msi::SummaryInfo, tables: &Tables) -> Result<Info, Problem> {
    let property = |name: &'static str| tables.properties.get(name).filter(|value| !value.is_empty());
    let code = |name: &'static str| -> Result<Option<String>, Problem> {
        let Some(text) = property(name) else { return Ok(None) };
        let code = uuid::Uuid::try_parse(text)
            .map_err(|_| Problem::Contradiction(format!("the property {name}, `{text}`, is no code")))?;
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

/// A code as Windows Installer writes it.
fn braced(code: uuid::Uuid) -> String {
    code.braced().to_string().to_uppercase()
}
