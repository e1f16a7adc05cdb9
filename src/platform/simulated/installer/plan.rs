//! What a package would do to a machine, determined before anything is changed.

use super::cache;
use super::log::{Code, Stop};
use super::properties;
use super::values;
use crate::package::{Architecture, Info, Layout, Package, Property, ServiceControl, ServiceStart};
use crate::platform::facts::{Application, Bits, Service, ServiceState, Site, StartType};
use crate::platform::searches;
use crate::platform::simulated::{Installed, MachineFacts, OwnApplication, Stage, Sweep};
use crate::winpath::WinPath;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

type Properties = BTreeMap<String, String>;

/// What an installation will do.
pub(super) struct InstallPlan {
    pub(super) info: Info,
    /// Without the files, folders and so on whose actions the package does not perform.
    pub(super) layout: Layout,
    pub(super) services: Vec<Service>,
    /// Services to start at the end.
    pub(super) start: Vec<String>,
    /// Services to stop during the installation, and services to delete.
    pub(super) stop: Vec<String>,
    pub(super) delete: Vec<String>,
    pub(super) registry: values::RegistryWork,
    /// The site's name and its new application, unless it already exists.
    pub(super) application: Option<(String, Application)>,
    /// What Windows Installer records.
    pub(super) record: Installed,
}

/// The location of a web setup.
struct WebTarget {
    site: String,
    application: Application,
}

/// Fails for a package for another processor architecture.
pub(super) fn check_architecture(info: &Info, bits: Bits) -> Result<(), Stop> {
    let fits = match info.architecture {
        Architecture::X86 => true,
        Architecture::X64 => bits == Bits::X64,
        Architecture::Arm64 | Architecture::Other => false,
    };
    let why = || format!("{} is not for this processor architecture ({}-bit)", info.product_name, bits.number());
    if fits { Ok(()) } else { Err(Stop::Code(Code::WrongPlatform, why())) }
}

/// Determines what `package` at `path` would do.
pub(super) fn plan<R: Read + Seek>(
    package: &Package<R>,
    path: &WinPath,
    given: &Properties,
    facts: &MachineFacts,
) -> Result<InstallPlan, Stop> {
    let info = package.info().clone();
    let bits = facts.system.bits;
    let web = if package.takes("TARGETVDIR") { Some(web_target(package, given, facts)?) } else { None };
    let forced = web.iter().map(|web| ("TARGETDIR".to_owned(), format!(r"{}\", web.application.folder))).collect();
    let mut given = for_users(package, given);
    // A search that finds nothing leaves its property alone.
    let found = searches::found(package.searches(), bits, &|view, key| Ok(facts.registry_key(view, key)));
    given.extend(found.into_iter().filter_map(|(name, property)| match property {
        Property::Is(value) => Some((name, value)),
        Property::Absent | Property::Unknown(_) => None,
    }));
    let per_user = given.get("ALLUSERS").is_none_or(String::is_empty);
    let machine = properties::of_machine(facts, path, per_user);
    let layout = package.layout(&given, &machine, &forced).map_err(|error| Stop::fatal(error.to_string()))?;
    let layout = performed(layout);
    let written = package.registry_rows().iter().filter(|row| layout.installs(&row.component));
    let written = written.filter(|_| layout.performs("WriteRegistryValues"));
    let registry = values::RegistryWork::new(written, &layout, bits, per_user, &facts.registry);
    let previous = facts.product(&info.product_code).and_then(|record| record.application.as_ref());
    let controls = |action: &str, wanted: fn(&ServiceControl) -> bool| -> Vec<String> {
        let rows = package.service_controls().iter().filter(|row| wanted(row) && layout.installs(&row.component));
        let performed = layout.performs(action);
        rows.filter(|_| performed).map(|row| layout.fill_in(&row.name).unwrap_or_default()).collect()
    };
    let record = Installed {
        stage: Stage::Installing,
        name: info.product_name.clone(),
        version: info.product_version.clone(),
        wow32: info.architecture == Architecture::X86,
        per_user,
        package: cache::cached(&info.product_code, facts).map_err(|error| Stop::fatal(error.to_string()))?,
        files: own_files(package, &layout),
        folders: own_folders(&layout, &machine, facts),
        services: controls("InstallServices", |control| control.delete_on_uninstall),
        values: registry.own_values.clone(),
        keys: registry.own_keys.clone(),
        sweeps: sweeps(&layout),
        application: own_application(web.as_ref(), previous, facts),
    };
    Ok(InstallPlan {
        services: services(package, &layout),
        start: controls("StartServices", |control| control.start_on_install),
        stop: controls("StopServices", |control| control.stop_on_install),
        delete: controls("DeleteServices", |control| control.delete_on_install),
        registry,
        application: web.map(|web| (web.site, web.application)),
        record,
        layout,
        info,
    })
}

/// The command line, with ALLUSERS as Windows Installer sets it for an administrator: 1 for all users, empty for one.
fn for_users<R: Read + Seek>(package: &Package<R>, given: &Properties) -> Properties {
    let property = |name: &str| given.get(name).map(String::as_str).or_else(|| package.property(name));
    let all_users = match property("ALLUSERS") {
        Some("2") if property("MSIINSTALLPERUSER") == Some("1") => "",
        Some("1" | "2") => "1",
        _ => "",
    };
    let mut given = given.clone();
    given.insert("ALLUSERS".to_owned(), all_users.to_owned());
    given
}

/// The layout without the parts whose actions are not in the package's sequence.
fn performed(mut layout: Layout) -> Layout {
    if !layout.performs("InstallFiles") {
        layout.files.clear();
    }
    if !layout.performs("DuplicateFiles") {
        layout.copies.clear();
    }
    if !layout.performs("CreateFolders") {
        layout.created.clear();
    }
    if !layout.performs("RemoveFiles") {
        layout.removals.clear();
    }
    layout
}

/// The files that are removed with the product.
fn own_files<R: Read + Seek>(package: &Package<R>, layout: &Layout) -> Vec<WinPath> {
    let lasting: BTreeSet<&str> =
        package.files().iter().filter(|file| file.permanent).map(|file| file.key.as_str()).collect();
    let files = layout.files.iter().filter(|(key, _)| !lasting.contains(key.as_str())).map(|(_, path)| path);
    files.chain(layout.copies.iter().map(|(_, to)| to)).cloned().collect()
}

fn sweeps(layout: &Layout) -> Vec<Sweep> {
    let rows = layout.removals.iter().filter(|removal| removal.on_uninstall);
    rows.map(|removal| Sweep { folder: removal.folder.clone(), name: removal.name.clone() }).collect()
}

/// An existing application is used unchanged, unless this product created it.
fn own_application(
    web: Option<&WebTarget>,
    previous: Option<&OwnApplication>,
    facts: &MachineFacts,
) -> Option<OwnApplication> {
    let web = web?;
    let there = facts.web_server.as_ref()?.application(&web.site, &web.application.path);
    let own = OwnApplication { site: web.site.clone(), path: web.application.path.clone() };
    (there.is_none() || previous == Some(&own)).then_some(own)
}

fn web_target<R: Read + Seek>(
    package: &Package<R>,
    given: &Properties,
    facts: &MachineFacts,
) -> Result<WebTarget, Stop> {
    let property = |name: &str, otherwise: &str| -> String {
        let value = given.get(name).map(String::as_str).or_else(|| package.property(name));
        value.filter(|value| !value.is_empty()).unwrap_or(otherwise).to_owned()
    };
    let web_server = facts.web_server.as_ref().ok_or_else(|| Stop::fatal("IIS is not installed on this computer"))?;
    let target = property("TARGETSITE", "/LM/W3SVC/1");
    let unknown = || Stop::fatal(format!("the web site {target} does not exist"));
    let (root, id) = target.rsplit_once('/').ok_or_else(unknown)?;
    let id: u32 = id.parse().map_err(|_| unknown())?;
    if !root.eq_ignore_ascii_case("/LM/W3SVC") {
        return Err(unknown());
    }
    let site: &Site = web_server.sites.iter().find(|site| site.id == id).ok_or_else(unknown)?;
    let directory = property("TARGETVDIR", "").trim_matches(['/', '\\']).replace('\\', "/");
    let folder = site.folder.join(&directory).ok().filter(|_| !directory.is_empty());
    let folder =
        folder.ok_or_else(|| Stop::fatal(format!("the virtual directory name `{directory}` cannot be used")))?;
    let pool = property("TARGETAPPPOOL", "DefaultAppPool");
    let application = Application { path: format!("/{directory}"), folder, pool, settings: BTreeMap::new() };
    Ok(WebTarget { site: site.name.to_string(), application })
}

/// The conditions of a first installation.
pub(super) fn check_conditions(plan: &InstallPlan, facts: &MachineFacts) -> Result<(), Stop> {
    if let Some(message) = &plan.layout.refusal {
        return Err(Stop::fatal(format!("Product: {} -- {message}", plan.info.product_name)));
    }
    let Some((_, application)) = &plan.application else { return Ok(()) };
    match facts.web_server.as_ref().and_then(|web_server| web_server.pool(&application.pool)) {
        Some(_) => Ok(()),
        None => Err(Stop::fatal(format!("the application pool `{}` does not exist", application.pool))),
    }
}

/// The package's own folders, inner ones first.
fn own_folders(layout: &Layout, machine: &Properties, facts: &MachineFacts) -> Vec<WinPath> {
    let of_windows = machine.values().filter_map(|path| WinPath::new(path).ok());
    let sites = facts.web_server.iter().flat_map(|web_server| web_server.sites.iter().map(|site| site.folder.clone()));
    let shared: BTreeSet<WinPath> = of_windows.chain(sites).collect();
    let known: BTreeSet<&WinPath> = layout.folders.values().filter(|folder| !shared.contains(folder)).collect();
    let mut own = BTreeSet::new();
    let filled = layout.files.values().chain(layout.copies.iter().map(|(_, to)| to)).map(WinPath::parent);
    for folder in filled.chain(layout.created.iter().cloned().map(Some)) {
        let mut at = folder;
        while let Some(folder) = at.filter(|folder| folder.parent().is_some()) {
            at = folder.parent();
            if known.contains(&folder) {
                own.insert(folder);
            }
        }
    }
    let mut own: Vec<WinPath> = own.into_iter().collect();
    own.sort_by_key(|folder| std::cmp::Reverse(folder.components().count()));
    own
}

fn services<R: Read + Seek>(package: &Package<R>, layout: &Layout) -> Vec<Service> {
    let filled = |text: &str| layout.fill_in(text).unwrap_or_default();
    let service = |row: &crate::package::ServiceInstall| {
        if !layout.installs(&row.component) || !layout.performs("InstallServices") {
            return None;
        }
        let program = layout.files.get(&row.file)?;
        let arguments = filled(&row.arguments);
        let blank = if arguments.is_empty() { "" } else { " " };
        Some(Service {
            name: filled(&row.name).into(),
            display_name: filled(&row.display_name),
            image_path: format!("\"{program}\"{blank}{arguments}"),
            state: ServiceState::Stopped,
            start: match row.start {
                ServiceStart::Auto => StartType::Automatic,
                ServiceStart::Manual => StartType::Manual,
                ServiceStart::Disabled => StartType::Disabled,
            },
            account: row.account.as_deref().map(filled).unwrap_or_else(|| "LocalSystem".to_owned()),
            depends_on: Vec::new(),
        })
    };
    package.services().iter().filter_map(service).collect()
}
