//! What a package would do to a machine, worked out before anything is changed.

use super::log::{Code, Stop};
use super::registration;
use crate::package::{Architecture, Info, Layout, Package, RegistryRoot, RegistryRow, ServiceStart, holds};
use crate::platform::facts::{Application, Bits, Service, ServiceState, Site, StartType};
use crate::platform::registry::{Value, View};
use crate::platform::simulated::registry::real_path;
use crate::platform::simulated::{Installed, MachineFacts, OwnApplication, Stage};
use crate::winpath::WinPath;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

type Properties = BTreeMap<String, String>;

/// What an installation is going to do.
pub(super) struct Plan {
    pub(super) info: Info,
    pub(super) layout: Layout,
    pub(super) services: Vec<Service>,
    /// Services that are started at the end.
    pub(super) start: Vec<String>,
    /// Services that have to stand still meanwhile, and those that go.
    pub(super) stop: Vec<String>,
    pub(super) delete: Vec<String>,
    /// Key, as a 64-bit program sees it, name and value.
    pub(super) values: Vec<(String, String, Value)>,
    /// The site's name and the application it gets, unless it is there already.
    pub(super) application: Option<(String, Application)>,
    /// What Windows Installer has to remember.
    pub(super) record: Installed,
}

/// Where a web setup goes.
struct WebTarget {
    site: String,
    application: Application,
}

/// A package for another processor is refused.
pub(super) fn check_architecture(info: &Info, bits: Bits) -> Result<(), Stop> {
    let fits = match info.architecture {
        Architecture::X86 => true,
        Architecture::X64 => bits == Bits::X64,
        Architecture::Arm64 | Architecture::Other => false,
    };
    let why = || format!("{} is not made for this processor ({}-bit)", info.product_name, bits.number());
    if fits { Ok(()) } else { Err(Stop::Code(Code::WrongPlatform, why())) }
}

/// Works out what `package` would do.
pub(super) fn plan<R: Read + Seek>(
    package: &Package<R>,
    given: &Properties,
    facts: &MachineFacts,
) -> Result<Plan, Stop> {
    let info = package.info().clone();
    let bits = facts.system.bits;
    let web = if package.takes("TARGETVDIR") { Some(web_target(package, given, facts)?) } else { None };
    let forced = web.iter().map(|web| ("TARGETDIR".to_owned(), format!(r"{}\", web.application.folder))).collect();
    let machine = machine_properties(facts);
    let layout = package.layout(given, &machine, &forced).map_err(|error| Stop::fatal(error.to_string()))?;
    let filled = |text: &str| layout.fill_in(text).unwrap_or_default();
    let controls = package.service_controls().iter();
    let named = |wanted: fn(&crate::package::ServiceControl) -> bool| -> Vec<String> {
        controls.clone().filter(|control| wanted(control)).map(|control| filled(&control.name)).collect()
    };
    let rows = package.registry_rows().iter().filter(|row| layout.installs(&row.component));
    let rows: Vec<_> = rows.filter_map(|row| Some((row.permanent, value(row, &layout, bits)?))).collect();
    let lasting = rows.iter().filter(|(permanent, _)| !permanent);
    let wow32 = info.architecture == Architecture::X86;
    let previous = facts.product(&info.product_code).and_then(|record| record.application.as_ref());
    let record = Installed {
        stage: Stage::Installing,
        name: info.product_name.clone(),
        version: info.product_version.clone(),
        wow32,
        package: registration::cached(&info.product_code, facts).map_err(|error| Stop::fatal(error.to_string()))?,
        files: layout.files.values().cloned().collect(),
        folders: own_folders(&layout, &machine, facts),
        services: named(|control| control.delete_on_uninstall),
        values: lasting.map(|(_, (key, name, _))| (key.clone(), name.clone())).collect(),
        application: own_application(web.as_ref(), previous, facts),
    };
    Ok(Plan {
        services: services(package, &layout),
        start: named(|control| control.start_on_install),
        stop: named(|control| control.stop_on_install),
        delete: named(|control| control.delete_on_install),
        values: rows.into_iter().map(|(_, value)| value).collect(),
        application: web.map(|web| (web.site, web.application)),
        record,
        layout,
        info,
    })
}

/// An application that is there already belongs to somebody else and is used as it is, unless this product had made it.
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
    Ok(WebTarget { site: site.name.clone(), application })
}

/// What has to hold before a first installation.
pub(super) fn check_conditions<R: Read + Seek>(
    package: &Package<R>,
    plan: &Plan,
    facts: &MachineFacts,
) -> Result<(), Stop> {
    let layout = &plan.layout;
    let stops = package.stops().into_iter().map(|(condition, message)| (condition, message, false));
    let launch = package.launch_conditions().iter().map(|(condition, message)| (&**condition, &**message, true));
    for (condition, message, must_hold) in launch.chain(stops) {
        if holds(condition, &layout.properties).map_err(|error| Stop::fatal(error.to_string()))? != must_hold {
            let name = &package.info().product_name;
            let message = layout.fill_in(message).unwrap_or_default();
            return Err(Stop::fatal(format!("Product: {name} -- {message}")));
        }
    }
    let Some((_, application)) = &plan.application else { return Ok(()) };
    match facts.web_server.as_ref().and_then(|web_server| web_server.pool(&application.pool)) {
        Some(_) => Ok(()),
        None => Err(Stop::fatal(format!("the application pool `{}` does not exist", application.pool))),
    }
}

/// The folders that the package has for itself, inner ones first.
fn own_folders(layout: &Layout, machine: &Properties, facts: &MachineFacts) -> Vec<WinPath> {
    let of_windows = machine.values().filter_map(|path| WinPath::new(path).ok());
    let sites = facts.web_server.iter().flat_map(|web_server| web_server.sites.iter().map(|site| site.folder.clone()));
    let shared: BTreeSet<WinPath> = of_windows.chain(sites).collect();
    let known: BTreeSet<&WinPath> = layout.folders.values().filter(|folder| !shared.contains(folder)).collect();
    let mut own = BTreeSet::new();
    for file in layout.files.values() {
        let mut at = file.parent();
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
        let program = layout.files.get(&row.file)?;
        let arguments = filled(&row.arguments);
        let blank = if arguments.is_empty() { "" } else { " " };
        Some(Service {
            name: filled(&row.name),
            display_name: filled(&row.display_name),
            image_path: format!("\"{program}\"{blank}{arguments}"),
            state: ServiceState::Stopped,
            start: match row.start {
                ServiceStart::Auto => StartType::Automatic,
                ServiceStart::Manual => StartType::Manual,
                ServiceStart::Disabled => StartType::Disabled,
            },
            account: row.account.as_deref().map(filled).unwrap_or_else(|| "LocalSystem".to_owned()),
        })
    };
    package.services().iter().filter_map(service).collect()
}
