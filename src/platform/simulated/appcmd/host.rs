//! Changes of an `applicationHost.config` that others than `appcmd` make: IIS itself when it is installed, and the setup
//! packages of web components, which know only the metabase of IIS 6.

use super::{POOLS, SITES, own_location, same, text};
use crate::platform::facts::{Application, Pool, Site, WebServer};
use crate::platform::simulated::xml::Element;

/// The sections of IIS as a server declares and locks them.
const SAMPLE: &str = include_str!("../applicationHost.config");

/// The accounts of Windows that a pool can run as; any other one is named.
const IDENTITIES: [&str; 4] = ["ApplicationPoolIdentity", "LocalService", "LocalSystem", "NetworkService"];

/// The configuration of a server with these pools, sites and settings.
pub fn config(iis: &WebServer) -> Result<String, String> {
    let mut root = parsed(SAMPLE)?;
    let modules = root.make("system.webServer/globalModules");
    for (name, image) in &iis.global_modules {
        modules.children.push(Element::new("add", &[("name", name), ("image", image.as_str())]));
    }
    let pools = root.make(POOLS);
    iis.pools.iter().enumerate().for_each(|(at, found)| pools.children.insert(at, pool(found)));
    let sites = root.make(SITES);
    iis.sites.iter().enumerate().for_each(|(at, found)| sites.children.insert(at, site(found)));
    for site in &iis.sites {
        for application in &site.applications {
            let location = format!("{}{}", site.name, application.path);
            for (key, value) in &application.settings {
                if let Some((section, attribute)) = key.split_once("/@") {
                    own_location(&mut root, &location, section).make(section).set(attribute, value);
                }
            }
        }
    }
    Ok(root.document())
}

fn parsed(config: &str) -> Result<Element, String> {
    Element::parse(config).map_err(|line| format!("applicationHost.config is not well-formed in line {line}"))
}

fn pool(pool: &Pool) -> Element {
    let enable_32bit = pool.enable_32bit.to_string();
    let attributes = [
        ("name", pool.name.as_str()),
        ("managedRuntimeVersion", &pool.clr),
        ("managedPipelineMode", &pool.pipeline),
        ("enable32BitAppOnWin64", &enable_32bit),
    ];
    let identity = match IDENTITIES.iter().find(|known| known.eq_ignore_ascii_case(&pool.identity)) {
        Some(known) => Element::new("processModel", &[("identityType", known)]),
        None => Element::new("processModel", &[("identityType", "SpecificUser"), ("userName", &pool.identity)]),
    };
    Element::new("add", &attributes).with(identity)
}

fn site(site: &Site) -> Element {
    let id = site.id.to_string();
    let top = Element::new("application", &[("path", "/")]).with(directory(site.folder.as_str()));
    let own = Element::new("site", &[("name", &site.name), ("id", &id), ("serverAutoStart", "true")]).with(top);
    let own = site.applications.iter().fold(own, |own, found| own.with(application(found)));
    let bindings = site.bindings.iter().fold(Element::new("bindings", &[]), |all, binding| {
        let (protocol, information) = binding.split_once('/').unwrap_or((binding, ""));
        all.with(Element::new("binding", &[("protocol", protocol), ("bindingInformation", information)]))
    });
    own.with(bindings)
}

fn application(found: &Application) -> Element {
    let attributes = [("path", found.path.as_str()), ("applicationPool", &found.pool)];
    Element::new("application", &attributes).with(directory(found.folder.as_str()))
}

fn directory(folder: &str) -> Element {
    Element::new("virtualDirectory", &[("path", "/"), ("physicalPath", folder)])
}

fn numbered(root: &mut Element, id: u32) -> Option<&mut Element> {
    let id = id.to_string();
    root.at_mut(SITES)?.all_mut("site").find(|site| text(site, "id") == id)
}

/// What a web setup does with `TARGETSITE`, `TARGETVDIR` and `TARGETAPPPOOL` (learn.microsoft.com, "Deploying a Web Setup
/// project"; the compatibility layer for the metabase turns it into an application): an application that is there is
/// used as it is. Fails for an unknown site.
pub fn create(config: &str, site: u32, path: &str, folder: &str, pool: &str) -> Result<String, String> {
    let mut root = parsed(config)?;
    let site = numbered(&mut root, site).ok_or_else(|| format!("no site has the number {site}"))?;
    if !site.all("application").any(|known| same(text(known, "path"), path)) {
        let added = Element::new("application", &[("path", path), ("applicationPool", pool)]).with(directory(folder));
        let behind = site.children.iter().rposition(|child| child.name == "application").map_or(0, |at| at + 1);
        site.children.insert(behind, added);
    }
    Ok(root.document())
}

/// What the uninstallation of a web setup does: the node of the application goes with everything below it, whatever its
/// administrator added: virtual directories, and the settings of its location.
pub fn remove(config: &str, site: u32, path: &str) -> Result<String, String> {
    let mut root = parsed(config)?;
    if let Some(site) = numbered(&mut root, site) {
        let location = format!("{}{path}", text(site, "name"));
        site.children.retain(|child| !(child.name == "application" && same(text(child, "path"), path)));
        root.children.retain(|child| !(child.name == "location" && same(text(child, "path"), &location)));
    }
    Ok(root.document())
}
