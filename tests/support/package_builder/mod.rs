//! Makes small packages that Windows Installer takes, for tests and for the demo machines.
#![allow(dead_code, reason = "each test program uses its own part of this")]

mod database;

use pfupgrade::package::{Architecture, RegistryRoot, ServiceStart};
use pfupgrade::winpath::{WinPath, fold};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Cursor, Write};

/// A service to install.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its internal name.
    pub name: String,
    /// Its display name.
    pub display_name: String,
    /// When it starts.
    pub start: ServiceStart,
    /// The account it runs as; none for LocalSystem.
    pub account: Option<String>,
    /// The path of its program, as it was given to [`PackageBuilder::file`].
    pub file: String,
    /// Started at the end of the installation; it is stopped and deleted on uninstall in any case.
    pub start_on_install: bool,
}

/// A registry value to write.
#[derive(Debug, Clone)]
pub struct Registry {
    /// The root key.
    pub root: RegistryRoot,
    /// The key below it.
    pub key: String,
    /// The value's name; none for the default value.
    pub name: Option<String>,
    /// The value; `[TARGETDIR]` and the like are filled in.
    pub value: String,
    /// Stays when the package is uninstalled.
    pub permanent: bool,
}

/// A custom action.
#[derive(Debug, Clone)]
struct Action {
    name: String,
    kind: i32,
    source: String,
    target: String,
    sequence: i16,
    condition: String,
}

#[derive(Debug, Clone)]
struct NewFile {
    path: String,
    version: Option<String>,
    contents: Vec<u8>,
}

#[derive(Debug, Clone)]
struct NewSearch {
    property: String,
    registry: Option<(String, String, bool)>,
}

#[derive(Debug, Clone)]
enum Root {
    Web { directory: String, pool: String },
    Programs { folder: String },
}

/// Describes a package, then [builds](Self::build) it. The same description gives the same bytes, always.
#[derive(Debug, Clone)]
pub struct PackageBuilder {
    seed: String,
    name: String,
    version: String,
    manufacturer: String,
    architecture: Architecture,
    root: Root,
    files: Vec<NewFile>,
    services: Vec<Service>,
    registry: Vec<Registry>,
    launch_conditions: Vec<(String, String)>,
    searches: Vec<NewSearch>,
    properties: BTreeMap<String, String>,
    actions: Vec<Action>,
}

impl PackageBuilder {
    /// A 64-bit package without files. `seed` is what its codes are made of, together with its name and version.
    pub fn new(seed: &str, name: &str, version: &str) -> Self {
        Self {
            seed: seed.to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            manufacturer: "Example".to_owned(),
            architecture: Architecture::X64,
            root: Root::Programs { folder: name.to_owned() },
            files: Vec::new(),
            services: Vec::new(),
            registry: Vec::new(),
            launch_conditions: Vec::new(),
            searches: Vec::new(),
            properties: BTreeMap::from([("ALLUSERS".to_owned(), "1".to_owned())]),
            actions: Vec::new(),
        }
    }

    /// Who makes the product.
    pub fn manufacturer(mut self, manufacturer: &str) -> Self {
        self.manufacturer = manufacturer.to_owned();
        self
    }

    /// The processor the package is for; Itanium for [`Architecture::Other`].
    pub fn architecture(mut self, architecture: Architecture) -> Self {
        self.architecture = architecture;
        self
    }

    /// A web setup: installs to `C:\inetpub\wwwroot\[TARGETVDIR]`. `directory` and `pool` are the defaults of
    /// TARGETVDIR and TARGETAPPPOOL.
    pub fn web_setup(mut self, directory: &str, pool: &str) -> Self {
        self.root = Root::Web { directory: directory.to_owned(), pool: pool.to_owned() };
        self
    }

    /// Installs to a folder below Program Files, unless TARGETDIR is given. This is the default, with the product's name.
    pub fn program_folder(mut self, folder: &str) -> Self {
        self.root = Root::Programs { folder: folder.to_owned() };
        self
    }

    /// Adds a file; `path` is relative to the folder that is installed to.
    pub fn file(self, path: &str, contents: impl Into<Vec<u8>>) -> Self {
        self.new_file(path, None, contents.into())
    }

    /// Adds a file that has a version.
    pub fn versioned_file(self, path: &str, version: &str, contents: impl Into<Vec<u8>>) -> Self {
        self.new_file(path, Some(version.to_owned()), contents.into())
    }

    fn new_file(mut self, path: &str, version: Option<String>, contents: Vec<u8>) -> Self {
        self.files.push(NewFile { path: path.to_owned(), version, contents });
        self
    }

    /// Adds a service.
    pub fn service(mut self, service: Service) -> Self {
        self.services.push(service);
        self
    }

    /// Adds a registry value.
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry.push(registry);
        self
    }

    /// Adds a condition without which it does not install.
    pub fn launch_condition(mut self, condition: &str, message: &str) -> Self {
        self.launch_conditions.push((condition.to_owned(), message.to_owned()));
        self
    }

    /// Has a property searched for in the registry, below HKLM; `wide` for the 64-bit view.
    pub fn registry_search(mut self, property: &str, key: &str, name: &str, wide: bool) -> Self {
        let registry = Some((key.to_owned(), name.to_owned(), wide));
        self.searches.push(NewSearch { property: property.to_owned(), registry });
        self
    }

    /// Has a property searched for outside the registry.
    pub fn other_search(mut self, property: &str) -> Self {
        self.searches.push(NewSearch { property: property.to_owned(), registry: None });
        self
    }

    /// Sets a property, which must not be empty.
    pub fn property(mut self, name: &str, value: &str) -> Self {
        self.properties.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Installs for one user, unless ALLUSERS is given; otherwise it is for all.
    pub fn per_user(mut self) -> Self {
        self.properties.remove("ALLUSERS");
        self
    }

    /// Adds a custom action; `sequence` is its place, such as 750 for before the folders are resolved.
    pub fn action(
        mut self,
        name: &str,
        kind: i32,
        (source, target): (&str, &str),
        sequence: i16,
        condition: &str,
    ) -> Self {
        self.actions.push(Action {
            name: name.to_owned(),
            kind,
            source: source.to_owned(),
            target: target.to_owned(),
            sequence,
            condition: condition.to_owned(),
        });
        self
    }

    /// The product code the package has.
    pub fn product_code(&self) -> String {
        self.code(&["product", &self.seed, &self.name, &self.version])
    }

    /// The code it shares with the product's other versions.
    pub fn upgrade_code(&self) -> String {
        self.code(&["upgrade", &self.seed, &self.name])
    }

    fn code(&self, parts: &[&str]) -> String {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.update(format!("{:?}", self.architecture));
        uuid_of(hash).braced().to_string().to_uppercase()
    }

    /// Two packages that differ anywhere must not have one package code.
    fn package_code(&self, cabinet: &[u8]) -> uuid::Uuid {
        let names: Vec<_> = self.files.iter().map(|file| (&file.path, &file.version)).collect();
        let about = (&self.manufacturer, &self.root, &self.services, &self.registry);
        let rules = (&self.launch_conditions, &self.searches, &self.properties, &self.actions);
        let everything = format!("{}{names:?}{about:?}{rules:?}", self.product_code());
        uuid_of(Sha256::new().chain_update(everything).chain_update(cabinet))
    }

    /// Builds the package.
    pub fn build(&self) -> io::Result<Vec<u8>> {
        let tree = Tree::new(self)?;
        let files = self.files.iter().enumerate().map(|(number, file)| (file_key(number), file.contents.as_slice()));
        database::write(self, &tree, &cabinet(files)?)
    }
}

/// A cabinet with these files. The same files give the same bytes, always.
pub fn cabinet<'a>(files: impl IntoIterator<Item = (String, &'a [u8])>) -> io::Result<Vec<u8>> {
    let (names, contents): (Vec<String>, Vec<&[u8]>) = files.into_iter().unzip();
    let mut builder = cab::CabinetBuilder::new();
    let folder = builder.add_folder(cab::CompressionType::MsZip);
    for name in &names {
        folder.add_file(name);
    }
    let mut writer = builder.build(Cursor::new(Vec::new()))?;
    for content in contents {
        if let Some(mut file) = writer.next_file()? {
            file.write_all(content)?;
        }
    }
    let mut bytes = writer.finish()?.into_inner();
    // The crate puts the current time there. In front of the list of files stand a header and one folder; an entry is 16
    // bytes, date and time the 10th to the 13th of them, and its name.
    const FIRST_OF_2014: [u8; 4] = [0x21, 0x44, 0, 0];
    let mut entry = 36 + 8;
    for name in names {
        bytes[entry + 10..entry + 14].copy_from_slice(&FIRST_OF_2014);
        entry += 16 + name.len() + 1;
    }
    Ok(bytes)
}

fn uuid_of(hash: Sha256) -> uuid::Uuid {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.finalize()).for_each(|(byte, hashed)| *byte = hashed);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn file_key(number: usize) -> String {
    format!("F{number}")
}

/// The files' folders, each before those below it.
struct Tree {
    /// Key, parent's key and name.
    folders: Vec<(String, String, String)>,
    /// Each file's folder and name.
    files: Vec<(String, String)>,
    /// The key of the file each service runs.
    programs: Vec<String>,
}

impl Tree {
    fn new(package: &PackageBuilder) -> io::Result<Self> {
        let mut tree = Self { folders: Vec::new(), files: Vec::new(), programs: Vec::new() };
        let mut folder_keys: BTreeMap<(String, String), String> = BTreeMap::new();
        let mut file_keys = BTreeMap::new();
        for (number, file) in package.files.iter().enumerate() {
            let path = relative(&file.path)?;
            let mut parent = "TARGETDIR".to_owned();
            for name in path.parent().iter().flat_map(WinPath::components) {
                let key = folder_keys.entry((parent.clone(), fold(name))).or_insert_with(|| {
                    let key = format!("D{}", tree.folders.len());
                    tree.folders.push((key.clone(), parent.clone(), name.to_owned()));
                    key
                });
                parent.clone_from(key);
            }
            tree.files.push((parent, path.name().to_owned()));
            if file_keys.insert(path, file_key(number)).is_some() {
                return Err(io::Error::other(format!("two files are {}", file.path)));
            }
        }
        if tree.files.is_empty() {
            return Err(io::Error::other("Windows Installer refuses a package without files"));
        }
        for service in &package.services {
            let program = file_keys.get(&relative(&service.file)?);
            let unknown = || io::Error::other(format!("{} runs {}, which is no file", service.name, service.file));
            tree.programs.push(program.cloned().ok_or_else(unknown)?);
        }
        Ok(tree)
    }
}

/// A path below the installation's folder, as if that were a drive.
fn relative(path: &str) -> io::Result<WinPath> {
    WinPath::new(format!(r"C:\{path}")).map_err(io::Error::other)
}
