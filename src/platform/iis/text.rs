//! The output of `appcmd.exe … /xml`, and its arguments.
//!
//! Its root is `<appcmd>`; every object is an element (`SITE`, `APPPOOL`, `CONFIG`) with the object's own attributes,
//! and with `/config:*` the element of the configuration inside, inherited values included.

use crate::platform::facts::{Application, Pool, Site};
use crate::winpath::WinPath;
use roxmltree::{Document, Node};
use std::collections::{BTreeMap, BTreeSet};

/// The sections whose settings are migrated, with the relevant attributes. Accounts and passwords are not: those belong
/// to the pool.
pub(super) const SETTINGS: &[(&str, &[&str])] = &[
    ("system.webServer/security/access", &["sslFlags"]),
    ("system.webServer/security/authentication/anonymousAuthentication", &["enabled"]),
    ("system.webServer/security/authentication/basicAuthentication", &["enabled", "realm", "defaultLogonDomain"]),
    ("system.webServer/security/authentication/digestAuthentication", &["enabled", "realm"]),
    (
        "system.webServer/security/authentication/windowsAuthentication",
        &["enabled", "useKernelMode", "useAppPoolCredentials"],
    ),
];

/// Expands the `%NAME%` in a value.
pub(super) type Expand<'a> = &'a dyn Fn(&str) -> String;

/// An error, or unexpected output.
pub(super) type Unexpected = String;

fn parse(xml: &str) -> Result<Document<'_>, Unexpected> {
    let xml = xml.trim_start_matches('\u{feff}').trim();
    if let Some(error) = error(xml) {
        return Err(format!("appcmd reported: {error}"));
    }
    let document = Document::parse(xml).map_err(|_| "appcmd printed nothing".to_owned())?;
    match document.root_element().has_tag_name("appcmd") {
        true => Ok(document),
        false => Err("appcmd printed unexpected output".to_owned()),
    }
}

/// The error that `appcmd` printed, whatever its exit code; `None` if it printed something else. An error about a file of
/// the configuration has several lines, of which the first says nothing.
pub(super) fn error(printed: &str) -> Option<String> {
    let printed = printed.trim_start_matches('\u{feff}').trim();
    let message = match Document::parse(printed) {
        Ok(document) => {
            let error = document.descendants().find(|node| node.has_tag_name("ERROR"))?;
            error.attribute("message").unwrap_or("an error").to_owned()
        }
        Err(_) if printed.is_empty() => return None,
        Err(_) => printed.trim_start_matches("ERROR ( message:").trim_end_matches(')').to_owned(),
    };
    let lines: Vec<&str> = message.lines().map(str::trim).filter(|line| !matches!(*line, "" | ".")).collect();
    Some(lines.join("; "))
}

fn elements<'a, 'i: 'a>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

fn text(node: Node<'_, '_>, attribute: &str) -> Option<String> {
    node.attribute(attribute).map(str::to_owned)
}

/// The sites of `list site /config:* /xml`. An application on a network share has no drive; it is not ours and is
/// skipped.
pub(super) fn sites(xml: &str, expand: Expand<'_>) -> Result<Vec<Site>, Unexpected> {
    let document = parse(xml)?;
    let mut sites = Vec::new();
    for outer in elements(document.root_element(), "SITE") {
        let Some(site) = elements(outer, "site").next() else { return Err(incomplete("a site")) };
        let name = text(site, "name").or_else(|| text(outer, "SITE.NAME")).ok_or_else(|| incomplete("a site"))?;
        let id = site.attribute("id").or_else(|| outer.attribute("SITE.ID")).and_then(|id| id.parse().ok());
        let mut folder = None;
        let mut applications = Vec::new();
        for application in elements(site, "application") {
            let path = application.attribute("path").unwrap_or("/");
            let Some(at) = root_folder(application, expand) else { continue };
            if path == "/" {
                folder = Some(at);
                continue;
            }
            applications.push(Application {
                path: path.to_owned(),
                folder: at,
                pool: application.attribute("applicationPool").unwrap_or("DefaultAppPool").to_owned(),
                settings: BTreeMap::new(),
            });
        }
        let Some(folder) = folder else { continue };
        sites.push(Site {
            id: id.ok_or_else(|| incomplete(&name))?,
            bindings: bindings(outer, site),
            name: name.into(),
            folder,
            applications,
        });
    }
    Ok(sites)
}

fn incomplete(what: &str) -> Unexpected {
    format!("appcmd returned incomplete data about {what}")
}

fn root_folder(application: Node<'_, '_>, expand: Expand<'_>) -> Option<WinPath> {
    let root = elements(application, "virtualDirectory").find(|found| found.attribute("path") == Some("/"))?;
    WinPath::new(expand(root.attribute("physicalPath")?)).ok()
}

fn bindings(outer: Node<'_, '_>, site: Node<'_, '_>) -> Vec<String> {
    let one = |binding: Node<'_, '_>| {
        Some(format!("{}/{}", binding.attribute("protocol")?, binding.attribute("bindingInformation")?))
    };
    let all: Vec<String> =
        elements(site, "bindings").flat_map(|all| elements(all, "binding")).filter_map(one).collect();
    match all.is_empty() {
        true => outer.attribute("bindings").unwrap_or_default().split(',').map(str::to_owned).collect(),
        false => all,
    }
}

/// The application pools of `list apppool /config:* /xml`.
pub(super) fn pools(xml: &str) -> Result<Vec<Pool>, Unexpected> {
    let document = parse(xml)?;
    let pool = |outer: Node<'_, '_>| {
        let add = elements(outer, "add").next();
        let of = |node: Option<Node<'_, '_>>, name: &str| node.and_then(|node| text(node, name));
        let own = |name: &str| of(add, name);
        let model = add.and_then(|add| elements(add, "processModel").next());
        let kind = of(model, "identityType").unwrap_or_else(|| "ApplicationPoolIdentity".to_owned());
        let user = of(model, "userName").filter(|user| !user.is_empty() && kind == "SpecificUser");
        Ok(Pool {
            name: text(outer, "APPPOOL.NAME").or_else(|| own("name")).ok_or_else(|| incomplete("a pool"))?,
            clr: text(outer, "RuntimeVersion").or_else(|| own("managedRuntimeVersion")).unwrap_or_default(),
            pipeline: text(outer, "PipelineMode").or_else(|| own("managedPipelineMode")).unwrap_or_default(),
            identity: user.unwrap_or(kind),
            enable_32bit: own("enable32BitAppOnWin64").is_some_and(|on| on.eq_ignore_ascii_case("true")),
        })
    };
    elements(document.root_element(), "APPPOOL").map(pool).collect()
}

/// The modules of `list config /section:system.webServer/globalModules /xml`, with the file of each.
pub(super) fn modules(xml: &str, expand: Expand<'_>) -> Result<BTreeMap<String, WinPath>, Unexpected> {
    let document = parse(xml)?;
    let all = sections(&document).flat_map(|section| elements(section, "add")).filter_map(|add| {
        let image = WinPath::new(expand(add.attribute("image")?)).ok()?;
        Some((add.attribute("name")?.to_owned(), image))
    });
    Ok(all.collect())
}

/// The elements of the configuration sections that were listed.
fn sections<'a>(document: &'a Document<'_>) -> impl Iterator<Item = Node<'a, 'a>> {
    let root: Node<'a, 'a> = document.root_element();
    elements(root, "CONFIG").filter_map(|outer| outer.first_element_child())
}

/// The relevant settings of a section of a location.
pub(super) fn settings(xml: &str, section: &str, attributes: &[&str]) -> Result<BTreeMap<String, String>, Unexpected> {
    let document = parse(xml)?;
    let Some(found) = sections(&document).next() else { return Ok(BTreeMap::new()) };
    let value = |name: &&str| Some((format!("{section}/@{name}"), found.attribute(*name)?.to_owned()));
    Ok(attributes.iter().filter_map(value).collect())
}

/// The arguments of the commands that change `found` to `wanted`; empty if they are equal.
pub(super) fn changes(site: &str, found: &Application, wanted: &Application) -> Vec<Vec<String>> {
    let location = format!("{site}{}", wanted.path);
    let command = |verb: &str, object: &str, rest: Vec<String>| {
        [verb.to_owned(), object.to_owned(), location.clone()].into_iter().chain(rest).collect()
    };
    let mut commands = Vec::new();
    if found.folder != wanted.folder {
        let root = format!("{location}/");
        commands.push(vec!["set".to_owned(), "vdir".to_owned(), root, format!("/physicalPath:{}", wanted.folder)]);
    }
    if !found.pool.eq_ignore_ascii_case(&wanted.pool) {
        commands.push(command("set", "app", vec![format!("/applicationPool:{}", wanted.pool)]));
    }
    let mut sections: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (key, value) in &wanted.settings {
        if found.settings.get(key) != Some(value)
            && let Some((section, attribute)) = key.split_once("/@")
        {
            sections.entry(section).or_default().push(format!("/{attribute}:{value}"));
        }
    }
    for (section, values) in sections {
        let rest = [format!("/section:{section}")].into_iter().chain(values).chain(["/commit:apphost".to_owned()]);
        commands.push(command("set", "config", rest.collect()));
    }
    commands
}

/// The arguments of the command that renames an application.
pub(super) fn rename(site: &str, from: &str, to: &str) -> [String; 4] {
    ["set".to_owned(), "app".to_owned(), format!("{site}{from}"), format!("/path:{to}")]
}

/// The arguments of the commands that remove these settings of a location, a section each.
pub(super) fn clear(site: &str, path: &str, settings: &BTreeMap<String, String>) -> Vec<[String; 5]> {
    let location = format!("{site}{path}");
    let sections: BTreeSet<&str> = settings.keys().filter_map(|key| Some(key.split_once("/@")?.0)).collect();
    let words = |section: &str| {
        let (section, location) = (format!("/section:{section}"), location.clone());
        ["clear".to_owned(), "config".to_owned(), location, section, "/commit:apphost".to_owned()]
    };
    sections.into_iter().map(words).collect()
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
