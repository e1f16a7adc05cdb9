//! Web components: recognised by their files, wherever IIS serves them from.

use super::products::Product;
use super::{ChangedFile, Found, Served, packages};
use crate::plan::Component;
use crate::platform::disk::{self, Entry};
use crate::platform::facts::{Application, Site, WebServer};
use crate::platform::{Doing, Failure, Inspect};
use crate::webconfig::Document;
use crate::winpath::{WinPath, fold};
use std::collections::BTreeMap;

const CONFIG_LIMIT: u64 = 128 << 20;

pub(super) fn survey(
    machine: &dyn Inspect,
    web_server: Option<&WebServer>,
    components: &mut BTreeMap<Component, Found>,
) -> Result<(), Failure> {
    for site in web_server.into_iter().flat_map(|iis| &iis.sites) {
        for application in &site.applications {
            let Some(component) = component_in(machine, &application.folder)? else { continue };
            let found = components.entry(component).or_default();
            let served = served(machine, site, application, found.old().next())?;
            found.evidence.push(format!("application {} in {}", served.location(), application.folder));
            found.applications.push(served);
        }
    }
    Ok(())
}

/// The component whose files lie in a folder.
fn component_in(machine: &dyn Inspect, folder: &WinPath) -> Result<Option<Component>, Failure> {
    let there = |name: &str| {
        let path = folder.child(name);
        disk::exists(machine.files(), &path).doing(format!("look for {path}"))
    };
    if there("PfPaWs.asmx")? {
        return Ok(Some(Component::MobileApp));
    }
    if there("PfWsSdk.asmx")? {
        return Ok(Some(Component::Sdk));
    }
    if !there("web.config")? {
        return Ok(None);
    }
    // Any application may have a web.config, and one that cannot be read is most likely none of ours.
    let path = folder.child("web.config");
    let bytes = disk::read(machine.files(), &path, CONFIG_LIMIT).doing(format!("read {path}"))?;
    let document = Document::parse(bytes, path.as_str());
    Ok(document.ok().and_then(|document| document.sdk_url()).map(|_| Component::Portal))
}

fn served(
    machine: &dyn Inspect,
    site: &Site,
    application: &Application,
    product: Option<&Product>,
) -> Result<Served, Failure> {
    let folder = &application.folder;
    let installed = match product.and_then(|product| product.package.as_ref()) {
        Some(package) => installed_files(machine, package)?,
        None => None,
    };
    let mut themes = Vec::new();
    let mut changed = Vec::new();
    let files = machine.files().walk(folder).doing(format!("list {folder}"))?;
    for entry in &files {
        let below = entry.path.below(folder).unwrap_or_default();
        if let Some(theme) = own_theme(below, installed.as_ref()) {
            if !themes.iter().any(|known: &String| fold(known) == fold(theme)) {
                themes.push(theme.to_owned());
            }
        } else if entry.kind == disk::Kind::File
            && fold(below) != "WEB.CONFIG"
            && let Some(installed) = &installed
        {
            let shipped = installed.get(&fold(below));
            if !is_as_shipped(machine, entry, shipped)? {
                changed.push(ChangedFile { path: below.to_owned(), installed: shipped.is_some() });
            }
        }
    }
    Ok(Served { site: site.name.clone(), site_id: site.id, application: application.clone(), themes, changed })
}

fn is_as_shipped(machine: &dyn Inspect, entry: &Entry, shipped: Option<&(u64, String)>) -> Result<bool, Failure> {
    match shipped {
        Some((len, hash)) if *len == entry.len => {
            Ok(disk::hash(machine.files(), &entry.path).doing(format!("read {}", entry.path))? == *hash)
        }
        _ => Ok(false),
    }
}

/// The name of the own theme that a path belongs to. Where the package cannot be read, every theme but `Default` counts
/// as own: one that is restored needlessly does no harm.
fn own_theme<'a>(below: &'a str, installed: Option<&Installed>) -> Option<&'a str> {
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
type Installed = BTreeMap<String, (u64, String)>;

/// What the package installed below its root folder; `None` where it cannot be read, which preflight reports.
fn installed_files(machine: &dyn Inspect, path: &WinPath) -> Result<Option<Installed>, Failure> {
    let Ok(Some(mut package)) = packages::open(machine, path) else { return Ok(None) };
    let Ok(root) = WinPath::new(r"C:\x") else { return Ok(None) };
    let forced = BTreeMap::from([("TARGETDIR".to_owned(), root.to_string())]);
    let Ok(layout) = package.layout(&BTreeMap::new(), &BTreeMap::new(), &forced) else { return Ok(None) };
    let mut all = Installed::new();
    let unpacked = package.unpack(&mut |file, content| {
        if let Some(below) = layout.files.get(&file.key).and_then(|path| path.below(&root)) {
            all.insert(fold(below), disk::hash_reader(content)?);
        }
        Ok(())
    });
    Ok(unpacked.is_ok().then_some(all))
}
