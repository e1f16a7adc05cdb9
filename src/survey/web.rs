//! Web components, recognized by their files, wherever IIS serves them from.

use super::products::Product;
use super::{ChangedFile, FoundComponent, SdkClient, Served, packages};
use crate::plan::Component;
use crate::platform::disk::{self, Entry};
use crate::platform::facts::{Application, Site, WebServer};
use crate::platform::{Context, Failure, Inspect};
use crate::webconfig::CONFIG_LIMIT;
use crate::webconfig::{Document, is_sdk_setting};
use crate::winpath::{WinPath, fold};
use std::collections::BTreeMap;

/// The default application of the old portal.
const OLD_PORTAL: &str = "/PhoneFactor";

/// What an application's files reveal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trace {
    /// It has the service file of this component.
    Service(Component),
    /// The portal's package was installed there.
    PortalFiles,
    /// Its web.config has the portal's setting, which a custom program may have as well.
    PortalSetting,
}

/// An application's web.config.
enum Config {
    None,
    Unreadable,
    Readable(Document),
}

/// Adds what IIS serves to the components. Returns every application whose settings contain a URL of the SDK.
pub(super) fn survey(
    machine: &dyn Inspect,
    web_server: Option<&WebServer>,
    components: &mut BTreeMap<Component, FoundComponent>,
) -> Result<Vec<SdkClient>, Failure> {
    let installed = installed(machine, components)?;
    let (mut seen, mut clients) = (Vec::new(), Vec::new());
    for site in web_server.into_iter().flat_map(|iis| &iis.sites) {
        for application in &site.applications {
            let config = config(machine, &application.folder);
            if let Config::Readable(document) = &config
                && let Some((setting, _)) = document.sdk_url()
            {
                clients.push(SdkClient { web_config: application.folder.child("web.config"), setting });
            }
            let portal = installed.get(&Component::Portal);
            seen.extend(trace(machine, application, &config, portal).map(|trace| (site, application, trace)));
        }
    }
    let is_certain = seen.iter().any(|(.., trace)| *trace == Trace::PortalFiles);
    for (site, application, trace) in seen {
        let component = match trace {
            Trace::Service(component) => component,
            Trace::PortalSetting if is_certain => continue,
            Trace::PortalFiles | Trace::PortalSetting => Component::Portal,
        };
        let found = components.entry(component).or_default();
        let served = served(machine, site, application, installed.get(&component))?;
        found.evidence.push(format!("application {} in {}", served.location(), application.folder));
        found.applications.push(served);
    }
    Ok(clients)
}

/// An unreadable file is most likely not ours, so it must not block the survey.
fn config(machine: &dyn Inspect, folder: &WinPath) -> Config {
    let path = folder.child("web.config");
    if !is_there(machine, &path) {
        return Config::None;
    }
    let document = disk::read(machine.files(), &path, CONFIG_LIMIT).ok();
    match document.and_then(|bytes| Document::parse(bytes, path.as_str()).ok()) {
        Some(document) => Config::Readable(document),
        None => Config::Unreadable,
    }
}

fn is_there(machine: &dyn Inspect, path: &WinPath) -> bool {
    disk::exists(machine.files(), path).unwrap_or(false)
}

fn trace(
    machine: &dyn Inspect,
    application: &Application,
    config: &Config,
    portal: Option<&InstalledFiles>,
) -> Option<Trace> {
    let folder = &application.folder;
    if is_there(machine, &folder.child("PfPaWs.asmx")) {
        return Some(Trace::Service(Component::MobileApp));
    }
    if is_there(machine, &folder.child("PfWsSdk.asmx")) {
        return Some(Trace::Service(Component::Sdk));
    }
    if portal.is_some_and(|portal| was_installed_in(machine, folder, portal)) {
        return Some(Trace::PortalFiles);
    }
    match config {
        Config::Readable(document) => {
            let values = document.values().ok()?;
            values.settings.iter().any(|setting| is_sdk_setting(&setting.name)).then_some(Trace::PortalSetting)
        }
        // This is the last resort: a broken portal must not look like a missing one.
        Config::Unreadable if portal.is_none() && application.path.eq_ignore_ascii_case(OLD_PORTAL) => {
            Some(Trace::PortalSetting)
        }
        Config::Unreadable | Config::None => None,
    }
}

/// Whether at least half of a package's files are in a folder: the administrator may have removed some.
fn was_installed_in(machine: &dyn Inspect, folder: &WinPath, installed: &InstalledFiles) -> bool {
    let names: Vec<&String> = installed.keys().filter(|name| *name != "WEB.CONFIG").collect();
    let there = names.iter().filter(|name| folder.join(name).is_ok_and(|path| is_there(machine, &path))).count();
    there > 0 && there * 2 >= names.len()
}

fn served(
    machine: &dyn Inspect,
    site: &Site,
    application: &Application,
    installed: Option<&InstalledFiles>,
) -> Result<Served, Failure> {
    let folder = &application.folder;
    let mut themes = Vec::new();
    let mut changed = Vec::new();
    let files = machine.files().walk(folder).context(format!("list {folder}"))?;
    for entry in &files {
        let below = entry.path.below(folder).unwrap_or_default();
        if let Some(theme) = own_theme(below, installed) {
            if !themes.iter().any(|known: &String| fold(known) == fold(theme)) {
                themes.push(theme.to_owned());
            }
        } else if entry.kind == disk::Kind::File
            && fold(below) != "WEB.CONFIG"
            && let Some(installed) = installed
        {
            let shipped = installed.get(&fold(below));
            if !is_as_shipped(machine, entry, shipped)? {
                changed.push(ChangedFile { path: below.to_owned(), installed: shipped.is_some() });
            }
        }
    }
    // Without its settings it is still found.
    let (application, unusable) = match machine.application(&site.name, &application.path) {
        Ok(found) => (found.unwrap_or_else(|| application.clone()), None),
        Err(failure) => (application.clone(), Some(failure.why)),
    };
    Ok(Served { site: site.name.clone(), site_id: site.id, application, themes, changed, unusable })
}

fn is_as_shipped(machine: &dyn Inspect, entry: &Entry, shipped: Option<&(u64, String)>) -> Result<bool, Failure> {
    match shipped {
        Some((len, hash)) if *len == entry.len => {
            Ok(disk::hash(machine.files(), &entry.path).context(format!("read {}", entry.path))? == *hash)
        }
        _ => Ok(false),
    }
}

/// The custom theme that a path belongs to. If the package cannot be read, every theme but `Default` counts as custom:
/// restoring one needlessly does no harm.
fn own_theme<'a>(below: &'a str, installed: Option<&InstalledFiles>) -> Option<&'a str> {
    let mut parts = below.splitn(3, '\\');
    let (folder, theme) = (parts.next()?, parts.next()?);
    if fold(folder) != "APP_THEMES" {
        return None;
    }
    let prefix = format!("APP_THEMES\\{}\\", fold(theme));
    let own = match installed {
        Some(installed) => !installed.keys().any(|path| path.starts_with(&prefix)),
        None => fold(theme) != "DEFAULT",
    };
    own.then_some(theme)
}

/// Files of a web package: folded path below its root, with size and SHA-256.
pub(crate) type InstalledFiles = BTreeMap<String, (u64, String)>;

/// What the package of each component installed, the old one where there are both; where it can be read.
fn installed(
    machine: &dyn Inspect,
    components: &BTreeMap<Component, FoundComponent>,
) -> Result<BTreeMap<Component, InstalledFiles>, Failure> {
    let mut all = BTreeMap::new();
    for component in Component::WEB {
        let product: Option<&Product> =
            components.get(&component).and_then(|found| found.old().next().or_else(|| found.new_era()));
        if let Some(package) = product.and_then(|product| product.package.as_ref())
            && let Some(files) = installed_files(machine, package)?
        {
            all.insert(component, files);
        }
    }
    Ok(all)
}

/// What the package installed below its root folder; `None` if it cannot be read, which preflight reports.
pub(crate) fn installed_files(machine: &dyn Inspect, path: &WinPath) -> Result<Option<InstalledFiles>, Failure> {
    let Ok(Some(mut package)) = packages::open(machine, path) else { return Ok(None) };
    let Ok(root) = WinPath::new(r"C:\x") else { return Ok(None) };
    let forced = BTreeMap::from([("TARGETDIR".to_owned(), root.to_string())]);
    // Nobody remembers which of its features were chosen.
    let given = BTreeMap::from([("ADDLOCAL".to_owned(), "ALL".to_owned())]);
    let Ok(layout) = package.layout(&given, &BTreeMap::new(), &forced) else { return Ok(None) };
    let mut all = InstalledFiles::new();
    let unpacked = package.unpack(&mut |file, content| {
        if let Some(below) = layout.files.get(&file.key).and_then(|path| path.below(&root)) {
            all.insert(fold(below), disk::hash_reader(content)?);
        }
        Ok(())
    });
    Ok(unpacked.is_ok().then_some(all))
}
