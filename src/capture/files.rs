//! Files and folders: copies, copies with placeholders, and stand-ins.

use super::{Capture, Placeholders, StandIn, package};
use crate::plan::{Backup, Component};
use crate::platform::disk::{self, Entry, Kind};
use crate::platform::simulated::{demo, needs};
use crate::platform::{Context, Failure, OFFLINE, is_closed};
use crate::survey::web_config;
use crate::survey::{DATA_FILE, FoundComponent, InstalledFiles, Served, installed_files, packages, program_of};
use crate::webconfig::CONFIG_LIMIT;
use crate::webconfig::placeholders;
use crate::winpath::{WinPath, fold};
use std::collections::BTreeSet;
use std::io::{self, Read};

const DATABASE: &str = "PHONEFACTOR.PFDATA";
/// The header of a simulated agent's database.
const OLD_DATA: &[u8] = b"PFDATA 5\n";
/// Stand-ins for customized files differ from those for files as installed.
const EDITED: u8 = b'x';

impl Capture<'_> {
    /// The folders of the server and the web components, and others that the survey reads.
    pub(super) fn folders(&mut self, state: &WinPath) -> Result<(), Failure> {
        for (component, found) in &self.survey.components {
            let shipped = self.shipped(*component, found)?;
            for served in &found.applications {
                self.web_folder(served, &shipped)?;
            }
        }
        if let Some(install) = self.survey.install.clone() {
            self.server_folder(&install.folder)?;
        }
        for client in &self.survey.sdk_clients {
            self.config(&client.web_config, None)?;
        }
        self.decrypting_programs()?;
        self.names_that_are_taken()?;
        self.left_behind(state)
    }

    /// The files that a component's package installed, and its web.config; empty if it cannot be read.
    fn shipped(&self, component: Component, found: &FoundComponent) -> Result<Shipped, Failure> {
        let product = found.old().next().or_else(|| found.new_era());
        let package = product.and_then(|product| product.package.as_ref());
        let Some(package) = package.filter(|_| component != Component::Server) else { return Ok(Shipped::default()) };
        Ok(Shipped {
            files: installed_files(self.machine, package)?.unwrap_or_default(),
            config: packages::read_file(self.machine, package, "web.config", CONFIG_LIMIT).ok().flatten(),
        })
    }

    fn web_folder(&mut self, served: &Served, shipped: &Shipped) -> Result<(), Failure> {
        let folder = &served.application.folder;
        let files = self.machine.files().walk(folder).context(format!("list {folder}"))?;
        self.folder(folder)?;
        // A web.config may refer to files of any name.
        let outside = web_config::outside_files(self.machine, &served.web_config());
        for entry in files {
            let below = entry.path.below(folder).unwrap_or_default();
            let theme = fold(below).strip_prefix(r"APP_THEMES\").map(str::to_owned);
            let is_own_theme = theme
                .is_some_and(|theme| served.themes.iter().any(|own| theme.starts_with(&format!("{}\\", fold(own)))));
            match entry.kind {
                Kind::Folder => self.folder(&entry.path)?,
                Kind::Other => self.leave_out(format!("{} is a link", entry.path)),
                Kind::File if is_config(&entry.path) || outside.iter().any(|file| fold(file) == fold(below)) => {
                    let is_main = fold(below) == "WEB.CONFIG";
                    self.config(&entry.path, shipped.config.clone().filter(|_| is_main))?;
                }
                Kind::File if is_own_theme => self.copy(&entry.path)?,
                // Whether this program wrote it decides a check.
                Kind::File
                    if fold(below) == fold(OFFLINE) && is_closed(self.machine.files(), folder).unwrap_or(false) =>
                {
                    self.copy(&entry.path)?;
                }
                Kind::File if shipped.has(self, below, &entry)? => match self.wish.without_packages {
                    true => self.stand_in(&entry, &[], 0)?,
                    false => self.copy(&entry.path)?,
                },
                Kind::File => self.stand_in(&entry, &[], EDITED)?,
            }
        }
        Ok(())
    }

    fn server_folder(&mut self, folder: &WinPath) -> Result<(), Failure> {
        if !self.exists(folder)? {
            return Ok(());
        }
        self.folder(folder)?;
        for entry in self.machine.files().walk(folder).context(format!("list {folder}"))? {
            let name = fold(entry.path.name());
            match entry.kind {
                Kind::Folder => self.folder(&entry.path)?,
                Kind::Other => self.leave_out(format!("{} is a link", entry.path)),
                Kind::File if name == DATABASE => self.database(&entry)?,
                Kind::File if name.ends_with(".EXE") => self.server_program(&entry)?,
                Kind::File if name.ends_with(".MSI") => self.package(&entry.path, !self.wish.without_packages)?,
                Kind::File => self.stand_in(&entry, &[], 0)?,
            }
        }
        Ok(())
    }

    /// The database is not copied: only its size and hash are recorded.
    fn database(&mut self, entry: &Entry) -> Result<(), Failure> {
        let sha256 = disk::hash(self.machine.files(), &entry.path);
        if let Err(error) = &sha256 {
            self.leave_out(format!("the hash of {}: {error}", entry.path));
        }
        // An empty one blocks a run, here as well.
        self.stand_in(entry, if entry.len == 0 { &[] } else { OLD_DATA }, 0)?;
        if let Some(last) = self.captured.stand_ins.last_mut() {
            last.sha256 = sha256.ok();
        }
        Ok(())
    }

    /// A program of the agent: a service reads its database, any other program does nothing.
    fn server_program(&mut self, entry: &Entry) -> Result<(), Failure> {
        if needs(self.machine, &entry.path)?.is_some() {
            return self.copy(&entry.path);
        }
        let (product, version) = self.product_of(&entry.path);
        let mut text = program(&product, &version);
        let is_service = |service: &crate::platform::facts::Service| {
            program_of(self.machine, service).is_some_and(|program| program == entry.path)
        };
        let data = self.survey.install.as_ref().map(|install| install.data().child(DATA_FILE));
        if let Some(data) = data.filter(|_| self.survey.services.iter().any(is_service)) {
            let data = toml::Value::from(data.as_str());
            text += &format!("\n[[on-start]]\ndo = \"require-data\"\nfile = {data}\nmax-version = 5\n");
        }
        self.stand_in(entry, text.as_bytes(), 0)
    }

    /// A program that a run starts: the MFA Server setup, or a hook.
    pub(super) fn program(&mut self, path: &WinPath) -> Result<(), Failure> {
        if let Some(needed) = needs(self.machine, path)? {
            let mut sums = Vec::new();
            for file in needed {
                if self.exists(&file)? {
                    self.copy(&file)?;
                    sums.extend(package::packages_in(self.machine, &file));
                }
            }
            self.copy(path)?;
            sums.push(disk::hash(self.to.as_read(), path).context(format!("read {path}"))?);
            return self.sign(path, sums);
        }
        let entry = self.machine.files().entry(path).context(format!("look for {path}"))?;
        let Some(entry) = entry else { return Ok(()) };
        let (product, version) = self.product_of(path);
        let stands_in = StandIn { path: path.clone(), bytes: entry.len, sha256: None };
        let is_setup = fold(path.name()).contains("SERVERSETUP");
        let (text, mut sums) = match is_setup {
            false => (program(&product, &version), Vec::new()),
            true => {
                let made = demo::stand_in(self.survey.system.bits, &product, &version)?;
                let (name, package) = made.package;
                if let Some(package_path) = path.parent().and_then(|folder| folder.join(name).ok()) {
                    self.put(&package_path, &mut &*package, &entry)?;
                }
                (made.setup, made.along)
            }
        };
        self.put(path, &mut text.as_bytes(), &entry)?;
        self.captured.stand_ins.push(stands_in);
        sums.push(disk::hash_bytes(text.as_bytes()));
        self.sign(path, sums)
    }

    /// Product and version of a program; its name if it has none.
    fn product_of(&self, path: &WinPath) -> (String, String) {
        let found = self.machine.program_version(path).ok().flatten();
        found.map_or_else(|| (path.name().to_owned(), String::new()), |found| (found.product, found.version))
    }

    /// A package with the files beside it.
    pub(super) fn package(&mut self, path: &WinPath, whole: bool) -> Result<(), Failure> {
        let files = self.machine.files();
        let doing = format!("capture the package {path}");
        let entry = files.entry(path).context(&doing)?;
        let Some(entry) = entry.filter(|entry| entry.kind == Kind::File) else { return Ok(()) };
        for name in package::beside(files.open(path).context(&doing)?, path) {
            let Some(beside) = path.parent().and_then(|folder| folder.join(name).ok()) else { continue };
            if self.exists(&beside)? {
                self.copy(&beside)?;
            }
        }
        let searches = packages::open(self.machine, path).ok().flatten().map(|package| package.searches().to_vec());
        self.searched(&searches.unwrap_or_default())?;
        match if whole { None } else { package::only_tables(self.machine, path).ok() } {
            Some(tables) => {
                self.put(path, &mut tables.as_slice(), &entry)?;
                self.captured.stand_ins.push(StandIn { path: path.clone(), bytes: entry.len, sha256: None });
            }
            // An unreadable package is copied as it is.
            None => self.copy(path)?,
        }
        let sum = disk::hash(self.to.as_read(), path).context(doing)?;
        self.sign(path, [sum])
    }

    /// A settings file; one that is not XML becomes a stand-in.
    fn config(&mut self, path: &WinPath, shipped: Option<Vec<u8>>) -> Result<(), Failure> {
        let doing = format!("capture {path}");
        let files = self.machine.files();
        let Some(entry) = files.entry(path).context(&doing)? else { return Ok(()) };
        let bytes = disk::read(files, path, CONFIG_LIMIT).context(&doing)?;
        match placeholders(bytes, path.as_str(), shipped) {
            Ok((made, values)) => {
                self.put(path, &mut made.as_slice(), &entry)?;
                if values > 0 {
                    self.captured.placeholders.push(Placeholders { of: path.to_string(), values });
                }
                Ok(())
            }
            Err(error) => {
                self.leave_out(format!("{path}, which cannot be read: {error}"));
                self.stand_in(&entry, b"<", b'x')
            }
        }
    }

    /// A simulated program for each program that decrypts sections.
    fn decrypting_programs(&mut self) -> Result<(), Failure> {
        let windows = self.machine.variable("SystemRoot").and_then(|folder| WinPath::new(folder).ok());
        for framework in ["Framework", "Framework64"] {
            for version in ["v2.0.50727", "v4.0.30319"] {
                let below = format!(r"Microsoft.NET\{framework}\{version}\aspnet_regiis.exe");
                let Some(path) = windows.as_ref().and_then(|windows| windows.join(below).ok()) else { continue };
                let entry = self.machine.files().entry(&path).context(format!("look for {path}"))?;
                if let Some(entry) = entry {
                    self.put(&path, &mut demo::REGIIS.as_bytes(), &entry)?;
                    self.captured.stand_ins.push(StandIn { path, bytes: entry.len, sha256: None });
                }
            }
        }
        Ok(())
    }

    /// Folders in the roots of sites, which an application of the same name would conflict with.
    fn names_that_are_taken(&mut self) -> Result<(), Failure> {
        let sites = self.survey.web_server.iter().flat_map(|iis| &iis.sites);
        let roots: BTreeSet<WinPath> = sites.map(|site| site.folder.clone()).collect();
        for root in roots {
            self.folders_in(&root, &|_| true)?;
        }
        Ok(())
    }

    /// Folders moved aside, and the default backups, of runs without a journal here: the names of the components.
    fn left_behind(&mut self, state: &WinPath) -> Result<(), Failure> {
        let (files, runs) = (self.machine.files(), state.child("runs"));
        let aside = self.facts.free_space.keys().map(|drive| format!(r"{drive}:\pfupgrade-aside"));
        let backups = Backup::default().directory.expand(|name| self.machine.variable(name)).ok();
        let parents: Vec<WinPath> = aside.filter_map(|path| WinPath::new(path).ok()).chain(backups).collect();
        for parent in parents {
            let is_lost = |run: &str| !disk::exists(files, &runs.child(run)).unwrap_or(false);
            self.folders_in(&parent, &is_lost)?;
            if !self.exists(&parent)? {
                continue;
            }
            for run in files.list(&parent).context(format!("list {parent}"))? {
                if run.kind == Kind::Folder && is_lost(run.path.name()) {
                    self.folders_in(&run.path, &|_| true)?;
                }
            }
        }
        Ok(())
    }

    fn folders_in(&mut self, folder: &WinPath, wanted: &dyn Fn(&str) -> bool) -> Result<(), Failure> {
        if !self.exists(folder)? {
            return Ok(());
        }
        self.folder(folder)?;
        let entries = self.machine.files().list(folder).context(format!("list {folder}"))?;
        let folders = entries.into_iter().filter(|entry| entry.kind == Kind::Folder && wanted(entry.path.name()));
        folders.map(|entry| entry.path).try_for_each(|path| self.folder(&path))
    }

    fn leave_out(&mut self, what: String) {
        self.captured.left_out.push(what);
    }

    fn folder(&mut self, path: &WinPath) -> Result<(), Failure> {
        disk::create_folders(self.to, path).context(format!("make the folder {path}"))
    }

    fn copy(&mut self, path: &WinPath) -> Result<(), Failure> {
        let doing = format!("copy {path}");
        let files = self.machine.files();
        let Some(entry) = files.entry(path).context(&doing)? else { return Ok(()) };
        let mut file = files.open(path).context(&doing)?;
        self.put(path, &mut *file, &entry)
    }

    /// A file of the same size: some content, then a repeated byte.
    fn stand_in(&mut self, entry: &Entry, begin: &[u8], fill: u8) -> Result<(), Failure> {
        let filled = entry.len.saturating_sub(begin.len() as u64);
        self.put(&entry.path, &mut begin.chain(io::repeat(fill).take(filled)), entry)?;
        let stand_in = StandIn { path: entry.path.clone(), bytes: entry.len, sha256: None };
        self.captured.stand_ins.push(stand_in);
        Ok(())
    }

    fn put(&mut self, path: &WinPath, content: &mut dyn Read, like: &Entry) -> Result<(), Failure> {
        if let Some(folder) = path.parent() {
            self.folder(&folder)?;
        }
        let mut written = || {
            let mut file = self.to.create(path)?;
            let bytes = io::copy(content, &mut file)?;
            file.set_modified(like.modified)?;
            io::Result::Ok(bytes)
        };
        let bytes = written().context(format!("write {path}"))?;
        self.captured.files += 1;
        self.captured.bytes += bytes;
        Ok(())
    }
}

/// The files installed by a package.
#[derive(Default)]
struct Shipped {
    files: InstalledFiles,
    config: Option<Vec<u8>>,
}

impl Shipped {
    /// Whether a file is unchanged since its installation.
    fn has(&self, work: &Capture<'_>, below: &str, entry: &Entry) -> Result<bool, Failure> {
        match self.files.get(&fold(below)) {
            Some((len, hash)) if *len == entry.len => {
                let found = disk::hash(work.machine.files(), &entry.path).context(format!("read {}", entry.path))?;
                Ok(found == *hash)
            }
            _ => Ok(false),
        }
    }
}

fn is_config(path: &WinPath) -> bool {
    fold(path.name()).ends_with(".CONFIG")
}

/// A simulated program that does nothing.
fn program(product: &str, version: &str) -> String {
    let (product, version) = (toml::Value::from(product), toml::Value::from(version));
    format!(
        "# This is not a program: it stands in for one in a captured machine of pfupgrade.\nsimulated-program = \
         1\nproduct = {product}\nversion = {version}\n"
    )
}
