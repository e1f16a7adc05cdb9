//! The levels of the configuration of IIS: `applicationHost.config` with its `<location>` elements, and the `web.config`
//! files of a site, its applications and their folders.
//!
//! learn.microsoft.com, "Configuration Reference: configSections" and "How to Use Locking in IIS 7.0 Configuration": a
//! section has a default lock (`overrideModeDefault`) for the files below, which a location (`overrideMode`) changes for
//! its path, and levels where it can be (`allowDefinition`). "HTTP Error 500.19": a file that is not well-formed, has a
//! section that is locked, or an element of a module that is not installed makes every location below it unusable.

use super::{EXISTS, Fault, Files, INVALID_DATA, LOCKED, SITES, configuration, malformed, same, text};
use crate::platform::simulated::xml::Element;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const CANNOT_BE_USED: &str = "This configuration section cannot be used at this path. This happens when \
    the section is locked at a parent level. Locking is either by default (overrideModeDefault=\"Deny\"), or set \
    explicitly by a location tag with overrideMode=\"Deny\" or the legacy allowOverride=\"false\".";

/// The values an attribute can have.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Bool,
    Flags(&'static [&'static str]),
}

impl Kind {
    /// The value as IIS writes it. Fails for one that the attribute cannot have.
    pub(super) fn value(self, name: &str, value: &str) -> Result<String, Fault> {
        let bad = || (INVALID_DATA, format!("The value \"{value}\" of the attribute \"{name}\" is not valid."));
        match self {
            Kind::Text => Ok(value.to_owned()),
            Kind::Bool => {
                let value = value.to_ascii_lowercase();
                if matches!(value.as_str(), "true" | "false") { Ok(value) } else { Err(bad()) }
            }
            Kind::Flags(all) => {
                let wanted: Vec<&str> = value.split(',').map(str::trim).collect();
                if wanted.iter().any(|one| !all.iter().any(|known| known.eq_ignore_ascii_case(one))) {
                    return Err(bad());
                }
                let set = all.iter().filter(|known| wanted.iter().any(|one| known.eq_ignore_ascii_case(one)));
                Ok(set.copied().collect::<Vec<_>>().join(", "))
            }
        }
    }
}

type Attribute = (&'static str, &'static str, Kind);

const SSL: Kind = Kind::Flags(&["None", "Ssl", "SslNegotiateCert", "SslRequireCert", "Ssl128"]);

/// The attributes of the sections that have to do with authentication, with their defaults ("IIS Configuration
/// Reference"). Of any other section, what the files have is all that is known.
pub(super) fn attributes(section: &str) -> &'static [Attribute] {
    match section.strip_prefix("system.webServer/security/") {
        Some("access") => &[("sslFlags", "None", SSL)],
        Some("authentication/anonymousAuthentication") => &[
            ("enabled", "true", Kind::Bool),
            ("userName", "IUSR", Kind::Text),
            ("password", "", Kind::Text),
            ("logonMethod", "ClearText", Kind::Text),
        ],
        Some("authentication/basicAuthentication") => &[
            ("enabled", "false", Kind::Bool),
            ("realm", "", Kind::Text),
            ("defaultLogonDomain", "", Kind::Text),
            ("logonMethod", "ClearText", Kind::Text),
        ],
        Some("authentication/digestAuthentication") => &[("enabled", "false", Kind::Bool), ("realm", "", Kind::Text)],
        Some("authentication/windowsAuthentication") => &[
            ("enabled", "false", Kind::Bool),
            ("authPersistSingleRequest", "false", Kind::Bool),
            ("authPersistNonNTLM", "false", Kind::Bool),
            ("useKernelMode", "true", Kind::Bool),
            ("useAppPoolCredentials", "false", Kind::Bool),
        ],
        _ => &[],
    }
}

/// The sections that `configSections` declares.
pub(super) struct Declared {
    sections: BTreeMap<String, Section>,
    groups: BTreeSet<String>,
}

struct Section {
    is_locked: bool,
    allowed: String,
}

impl Declared {
    pub(super) fn of(root: &Element) -> Self {
        let mut all = Self { sections: BTreeMap::new(), groups: BTreeSet::new() };
        root.all("configSections").for_each(|declarations| all.add(declarations, ""));
        all
    }

    fn add(&mut self, declarations: &Element, above: &str) {
        for child in &declarations.children {
            let path = format!("{above}{}", text(child, "name"));
            if child.name == "sectionGroup" {
                self.add(child, &format!("{path}/"));
                self.groups.insert(path);
            } else if child.name == "section" {
                let is_locked = text(child, "overrideModeDefault").eq_ignore_ascii_case("Deny");
                self.sections.insert(path, Section { is_locked, allowed: text(child, "allowDefinition").to_owned() });
            }
        }
    }

    /// The section, if it is declared. One of a feature that is not installed is not.
    pub(super) fn known<'a>(&self, section: &'a str) -> Result<&'a str, Fault> {
        let unknown = || (super::USAGE, format!("Unknown config section \"{section}\". Replace with ? for help."));
        self.sections.contains_key(section).then_some(section).ok_or_else(unknown)
    }

    /// Whether a section can be used below the server, at an application or elsewhere.
    pub(super) fn allows(&self, section: &str, at_application: bool) -> bool {
        match self.sections.get(section).map(|known| known.allowed.as_str()) {
            Some("AppHostOnly" | "MachineOnly") => false,
            Some("MachineToApplication") => at_application,
            _ => true,
        }
    }

    /// The sections that a part of a file has, or the line of an element that is none: the groups of IIS have sections
    /// only, while anything outside them is for others, such as .NET Framework.
    fn used<'a>(&self, part: &'a Element, above: &str, all: &mut Vec<(String, &'a Element)>) -> Result<(), u32> {
        for child in part.children.iter().filter(|child| !child.name.starts_with('!')) {
            let path = format!("{above}{}", child.name);
            if self.sections.contains_key(&path) {
                all.push((path, child));
            } else if self.groups.contains(&path) {
                self.used(child, &format!("{path}/"), all)?;
            } else if !above.is_empty() {
                return Err(child.line);
            }
        }
        Ok(())
    }
}

/// A part of the configuration that counts for a location.
struct Layer {
    part: Element,
    /// Whether it locks or unlocks what it has for the files at its path and below.
    locks: Option<bool>,
}

impl Layer {
    fn of(location: &Element) -> Self {
        let locks = match (location.attribute("overrideMode"), location.attribute("allowOverride")) {
            (Some("Deny"), _) | (None, Some("false")) => Some(true),
            (Some("Allow"), _) | (None, Some("true")) => Some(false),
            _ => None,
        };
        Self { part: location.clone(), locks }
    }
}

/// Everything that counts for a location, the server first.
pub(super) struct Levels<'a> {
    declared: &'a Declared,
    layers: Vec<Layer>,
    is_application: bool,
}

impl<'a> Levels<'a> {
    /// Reads what counts for a location, such as `Default Web Site/app`, or for the server. Fails for an unknown site,
    /// and for a file that IIS does not accept.
    pub(super) fn read(
        root: &Element,
        declared: &'a Declared,
        location: Option<&str>,
        files: &dyn Files,
    ) -> Result<Self, Fault> {
        let server = root.children.iter().filter(|child| child.name != "location" && child.name != "configSections");
        let server = server.fold(Element::default(), |all, child| all.with(child.clone()));
        let mut levels = Self { declared, layers: vec![Layer { part: server, locks: None }], is_application: false };
        levels.add_locations(root, "");
        let Some(location) = location else { return Ok(levels) };
        let (name, path) = location.split_at(location.find('/').unwrap_or(location.len()));
        let mut all_sites = root.at(SITES).into_iter().flat_map(|sites| sites.all("site"));
        let site = all_sites.find(|site| text(site, "name").eq_ignore_ascii_case(name));
        let unknown =
            || (super::NOT_FOUND, format!("Unrecognized configuration path \"MACHINE/WEBROOT/APPHOST/{location}\""));
        let site = site.ok_or_else(unknown)?;
        // The locations in the web.config files above, by their full path.
        let mut below: Vec<(String, Layer)> = Vec::new();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        for depth in 0..=parts.len() {
            let path = format!("/{}", parts[..depth].join("/"));
            let full = format!("{name}{path}");
            levels.add_locations(root, &full);
            let (folder, is_application) = folder(site, &path);
            levels.is_application = is_application;
            let (here, deeper) = below.into_iter().partition(|(at, _)| same(at, &full));
            below = deeper;
            levels.layers.extend(Vec::into_iter(here).map(|(_, layer)| layer));
            if let Some(folder) = folder {
                below.extend(levels.add_file(&folder, &full, files)?);
            }
        }
        Ok(levels)
    }

    fn add_locations(&mut self, root: &Element, path: &str) {
        // The path of the server itself is empty, or a dot.
        let is_it = |location: &&Element| match text(location, "path") {
            "." | "" => path.is_empty(),
            own => !path.is_empty() && same(own, path),
        };
        self.layers.extend(root.all("location").filter(is_it).map(Layer::of));
    }

    /// Adds the web.config of a folder. Returns its locations for the paths below.
    fn add_file(&mut self, folder: &str, at: &str, files: &dyn Files) -> Result<Vec<(String, Layer)>, Fault> {
        let found = files.web_config(folder).map_err(|why| {
            configuration(&format!(r"{folder}\web.config"), 0, &format!("Cannot read configuration file: {why}"), 5)
        })?;
        let Some((file, text)) = found else { return Ok(Vec::new()) };
        let root = Element::parse(&text).map_err(|line| malformed(&file, line))?;
        self.check(&root, &file)?;
        let mut below = Vec::new();
        for location in root.all("location") {
            self.check(location, &file)?;
            let path = super::text(location, "path");
            match path.is_empty() || path == "." {
                true => self.layers.push(Layer::of(location)),
                false => below.push((format!("{}/{path}", at.trim_end_matches('/')), Layer::of(location))),
            }
        }
        self.layers.push(Layer { part: root, locks: None });
        Ok(below)
    }

    /// Fails for what IIS does not accept in a web.config.
    fn check(&self, part: &Element, file: &str) -> Result<(), Fault> {
        if let Some(declarations) = part.at("configSections") {
            let again = Declared::of(&Element::default().with(declarations.clone()));
            if let Some(name) = again.sections.keys().find(|name| self.declared.sections.contains_key(*name)) {
                let why = format!("There is a duplicate '{name}' section defined");
                return Err(configuration(file, declarations.line, &why, EXISTS));
            }
        }
        let mut used = Vec::new();
        let unknown = "The configuration section cannot be read because it is missing a section declaration";
        self.declared.used(part, "", &mut used).map_err(|line| configuration(file, line, unknown, INVALID_DATA))?;
        for (section, element) in used {
            if self.is_locked(&section) || !self.declared.allows(&section, self.is_application) {
                return Err(configuration(file, element.line, CANNOT_BE_USED, LOCKED));
            }
            if self.touches_locked(&section, element) {
                return Err(configuration(file, element.line, "Lock violation", LOCKED));
            }
        }
        Ok(())
    }

    /// Whether an element changes a locked attribute or item of an open section.
    fn touches_locked(&self, section: &str, element: &Element) -> bool {
        let above = self.effective(section);
        let attributes: Vec<&str> = text(&above, "lockAttributes").split(',').map(str::trim).collect();
        let is_locked = |item: &&Element| item.attribute("lockItem") == Some("true");
        let locked: Vec<&str> = above.children.iter().filter(is_locked).map(|item| text(item, "name")).collect();
        element.attributes.iter().any(|(name, _)| attributes.contains(&name.as_str()))
            || element.children.iter().any(|item| {
                item.name == "clear" && !locked.is_empty()
                    || item.attribute("name").is_some_and(|name| locked.contains(&name))
            })
    }

    /// Whether a web.config at this location cannot have a section.
    pub(super) fn is_locked(&self, section: &str) -> bool {
        let usual = self.declared.sections.get(section).is_some_and(|known| known.is_locked);
        let says = |layer: &Layer| layer.locks.filter(|_| layer.part.at(section).is_some());
        self.layers.iter().filter_map(says).next_back().unwrap_or(usual)
    }

    /// Whether the location is that of an application.
    pub(super) fn is_application(&self) -> bool {
        self.is_application
    }

    /// A section as it is in effect at the location.
    pub(super) fn effective(&self, section: &str) -> Element {
        let mut all = Element::new(section.rsplit('/').next().unwrap_or_default(), &[]);
        self.layers.iter().filter_map(|layer| layer.part.at(section)).for_each(|found| all.merge(found));
        all
    }
}

/// The folder of a path of a site, and whether the path is that of an application: the application with the longest
/// path, in that the virtual directory with the longest path, and what is left of the path below its folder.
fn folder(site: &Element, path: &str) -> (Option<String>, bool) {
    let application = longest(site, "application", path);
    let Some((application, rest)) = application else { return (None, false) };
    let is_application = rest.is_empty();
    let below = format!("/{rest}");
    let Some((directory, rest)) = longest(application, "virtualDirectory", &below) else {
        return (None, is_application);
    };
    let place = text(directory, "physicalPath").trim_end_matches('\\');
    let inner = if rest.is_empty() { String::new() } else { format!(r"\{}", rest.replace('/', r"\")) };
    (Some(format!("{place}{inner}")), is_application)
}

/// The child with the longest path that `path` is at or below, and what is left of that.
fn longest<'a, 'p>(all: &'a Element, kind: &'a str, path: &'p str) -> Option<(&'a Element, &'p str)> {
    let rest = |own: &str| {
        let own = own.trim_end_matches('/');
        let (head, rest) = path.split_at_checked(own.len())?;
        let is_below = head.eq_ignore_ascii_case(own) && (rest.is_empty() || rest.starts_with('/'));
        is_below.then(|| rest.trim_start_matches('/'))
    };
    let fits = all.all(kind).filter_map(|child| Some((child, rest(text(child, "path"))?)));
    fits.min_by_key(|(_, rest)| rest.len())
}
