//! The new installers, in the usual places.

use crate::package::{Info, Package};
use crate::plan::Component;
use crate::platform::Inspect;
use crate::platform::disk::{Kind, ReadDisk};
use crate::platform::facts::{Bits, ProgramVersion, Signature};
use crate::winpath::{WinPath, fold};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The MFA Server setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// Its path.
    pub path: WinPath,
    /// Its version resource; `None` if it cannot be read.
    pub version: Option<ProgramVersion>,
    /// Its signer.
    pub signed_by: Option<String>,
}

impl Setup {
    /// The first number of its version.
    pub fn major(&self) -> Option<u32> {
        self.version.as_ref()?.version.split('.').next()?.trim().parse().ok()
    }
}

/// The package of a web component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebPackage {
    /// Its path.
    pub path: WinPath,
    /// Its properties; `None` if it cannot be read.
    pub info: Option<Info>,
    /// Its signer.
    pub signed_by: Option<String>,
}

/// The installers found, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installers {
    /// The searched folders.
    pub folders: Vec<WinPath>,
    /// Setups of the server.
    pub setups: Vec<Setup>,
    /// Packages of the web components.
    pub web: BTreeMap<Component, Vec<WebPackage>>,
}

/// The prefix of the names of a component's installers.
fn beginning(component: Component) -> &'static str {
    match component {
        Component::Server => "MultiFactorAuthenticationServerSetup",
        Component::Sdk => "MultiFactorAuthenticationWebServiceSdkSetup",
        Component::Portal => "MultiFactorAuthenticationUserPortalSetup",
        Component::MobileApp => "MultiFactorAuthenticationMobileAppWebServiceSetup",
    }
}

/// The name of a component's installer.
pub fn usual_name(component: Component, bits: Bits) -> String {
    match component {
        Component::Server => format!("{}.exe", beginning(component)),
        web => format!("{}{}.msi", beginning(web), bits.number()),
    }
}

/// Searches the usual folders for installers, and the specified ones.
pub fn look(machine: &dyn Inspect, bits: Bits, named: &[WinPath]) -> Installers {
    let mut found = Installers::default();
    for folder in named.iter().cloned().chain(usual_folders(machine)) {
        if !found.folders.contains(&folder) {
            look_into(machine, bits, &folder, &mut found);
            found.folders.push(folder);
        }
    }
    let version = |text: Option<&String>| -> Vec<u32> {
        text.into_iter().flat_map(|text| text.split('.')).map(|part| part.trim().parse().unwrap_or_default()).collect()
    };
    found.setups.sort_by_key(|setup| Reverse(version(setup.version.as_ref().map(|found| &found.version))));
    for packages in found.web.values_mut() {
        packages.sort_by_key(|package| Reverse(version(package.info.as_ref().map(|info| &info.product_version))));
    }
    found
}

/// The usual folders for installers: some names on every drive, downloads and desktops, and the root of each drive.
fn usual_folders(machine: &dyn Inspect) -> Vec<WinPath> {
    let mut folders: Vec<WinPath> = install_folder(machine).into_iter().collect();
    let below =
        |path: &WinPath, names: &[&str]| names.iter().filter_map(|name| path.join(name).ok()).collect::<Vec<_>>();
    for drive in 'C'..='Z' {
        let Ok(root) = WinPath::new(format!(r"{drive}:\")) else { continue };
        if machine.free_space(drive).is_ok() {
            folders.extend(below(&root, &["Install", "Installers", "Setup", "Software", "Temp"]));
            folders.push(root);
        }
    }
    let users = install_folder(machine).and_then(|folder| folder.parent()?.join("Users").ok());
    let list = |folder: &WinPath| machine.files().list(folder).unwrap_or_default();
    for user in users.iter().flat_map(list).filter(|entry| entry.kind == Kind::Folder) {
        folders.extend(below(&user.path, &["Downloads", "Desktop"]));
    }
    folders
}

/// The installer folder of the sample plans.
pub fn install_folder(machine: &dyn Inspect) -> Option<WinPath> {
    let drive = machine.variable("SystemDrive").unwrap_or_else(|| "C:".to_owned());
    WinPath::new(format!(r"{drive}\Install")).ok()
}

fn look_into(machine: &dyn Inspect, bits: Bits, folder: &WinPath, found: &mut Installers) {
    let files = machine.files();
    if !files.entry(folder).is_ok_and(|entry| entry.is_some_and(|entry| entry.kind == Kind::Folder)) {
        return;
    }
    let signed_by = |path: &WinPath| match machine.signature(path) {
        Ok(Signature::Signed { by }) => Some(by),
        _ => None,
    };
    // An unreadable folder is skipped.
    for entry in files.list(folder).unwrap_or_default().into_iter().filter(|entry| entry.kind == Kind::File) {
        let (path, name) = (entry.path.clone(), fold(entry.path.name()));
        if name.starts_with(&fold(beginning(Component::Server))) && name.ends_with(".EXE") {
            let version = machine.program_version(&path).ok().flatten();
            found.setups.push(Setup { version, signed_by: signed_by(&path), path });
            continue;
        }
        let is_of = |component: &Component| name.starts_with(&fold(beginning(*component))) && name.ends_with(".MSI");
        let other = format!("{}.MSI", if bits == Bits::X64 { 32 } else { 64 });
        if let Some(component) = Component::WEB.into_iter().find(is_of).filter(|_| !name.ends_with(&other)) {
            let package = WebPackage { info: info(files, &path), signed_by: signed_by(&path), path };
            found.web.entry(component).or_default().push(package);
        }
    }
}

fn info(files: &dyn ReadDisk, path: &WinPath) -> Option<Info> {
    let file = files.open(path).ok()?;
    Package::open(file, path.as_str()).ok().map(|package| package.info().clone())
}
