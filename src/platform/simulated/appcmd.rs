//! `appcmd.exe` of IIS, on the text of an `applicationHost.config`: the commands that this program and the packages of
//! the web components need, with the answers of the real one. It changes nothing itself: an [`Answer`] has what is to
//! be written.
//!
//! What it stands for, with `%windir%` left out:
//! - arguments, objects and `/xml`: learn.microsoft.com, "Getting Started with AppCmd.exe";
//! - errors and exit codes: `AppCmdEngine.cs` of the repository jexuswebserver/JexusManager;
//! - attributes and defaults of sections: learn.microsoft.com, "IIS Configuration Reference";
//! - the levels of the configuration, `<location>`, locks: learn.microsoft.com, "How to Use Locking in IIS 7.0
//!   Configuration", and `levels`.

pub mod host;
mod levels;

use super::xml::{Element, escaped};
use levels::{Declared, Levels};

/// What IIS reads besides `applicationHost.config`.
pub trait Files {
    /// Path and text of the `web.config` in a folder, which may contain `%VARIABLES%`; `None` if there is none.
    fn web_config(&self, folder: &str) -> Result<Option<(String, String)>, String>;
    /// Whether a file below `inetsrv` exists.
    fn has(&self, path: &str) -> bool;
}

/// What `appcmd` prints, and what it leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Its exit code.
    pub code: i32,
    /// Its output.
    pub output: String,
    /// A file to write: its path below `inetsrv`, and its new content.
    pub write: Option<(String, String)>,
}

/// The path of the configuration below `inetsrv`.
pub const CONFIG: &str = r"config\applicationHost.config";

const INVALID_DATA: i32 = 13;
const LOCKED: i32 = 33;
const NOT_SUPPORTED: i32 = 50;
const USAGE: i32 = 87;
const EXISTS: i32 = 183;
const NOT_FOUND: i32 = 1168;

/// Why a command fails: the low word of the HRESULT, which is also the exit code, and the message.
type Fault = (i32, String);

enum Done {
    Listed(Vec<Listed>),
    Changed(String),
    BackedUp(String),
}

/// A listed object: its element, and its line without `/xml`.
struct Listed(Element, String);

/// A command line: verb, object, what stands alone, and what is `/name:value`.
struct Command<'a> {
    verb: String,
    object: String,
    name: Option<&'a str>,
    options: Vec<(String, &'a str)>,
}

impl<'a> Command<'a> {
    fn new(arguments: &[&'a str]) -> Result<Self, Fault> {
        let is_option = |word: &str| word.starts_with(['/', '-']);
        let mut plain = arguments.iter().copied().filter(|word| !is_option(word));
        let (verb, object) = (plain.next().unwrap_or_default(), plain.next().unwrap_or_default());
        let name = plain.next();
        let pair = |word: &&'a str| {
            let (name, value) = word[1..].split_once(':').unwrap_or((&word[1..], ""));
            (name.to_ascii_lowercase(), value)
        };
        let options = arguments.iter().filter(|word| is_option(word)).map(pair).collect();
        match plain.next() {
            Some(extra) => {
                Err((USAGE, format!("Failed to process input: The parameter '{extra}' must begin with a / or - .")))
            }
            None => Ok(Self { verb: verb.to_ascii_lowercase(), object: object.to_ascii_lowercase(), name, options }),
        }
    }

    fn option(&self, name: &str) -> Option<&'a str> {
        self.options.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    fn needs(&self, name: &str) -> Result<&'a str, Fault> {
        let missing = || (USAGE, format!("Missing required parameter {name}."));
        self.option(name).filter(|value| !value.is_empty()).ok_or_else(missing)
    }

    fn identifier(&self) -> Result<&'a str, Fault> {
        let object = self.object.to_uppercase();
        self.name
            .ok_or_else(|| (USAGE, format!("Must specify the {object} object with identifier or -name parameter.")))
    }

    /// The options that set something.
    fn values<'s>(&'s self, but: &'s [&str]) -> impl Iterator<Item = (&'s str, &'a str)> {
        self.options.iter().map(|(name, value)| (name.as_str(), *value)).filter(|(name, _)| !but.contains(name))
    }
}

/// Carries out a command on the text of an `applicationHost.config`.
pub fn run(config: &str, arguments: &[&str], files: &dyn Files) -> Answer {
    let is_xml = arguments.iter().any(|word| word.eq_ignore_ascii_case("/xml") || word.eq_ignore_ascii_case("-xml"));
    let done = Element::parse(config)
        .map_err(|line| malformed(CONFIG, line))
        .and_then(|mut root| Ok((perform(&mut root, &Command::new(arguments)?, files)?, root)));
    let (done, root) = match done {
        Ok(done) => done,
        Err((code, message)) => return Answer { code, output: error_text(code, &message, is_xml), write: None },
    };
    match done {
        // It ends with 1 if there is nothing to list.
        Done::Listed(all) => {
            Answer { code: i32::from(all.is_empty()), output: listed(&all, is_xml), ..Answer::default() }
        }
        Done::Changed(said) => {
            Answer { code: 0, output: said + "\r\n", write: Some((CONFIG.to_owned(), root.document())) }
        }
        Done::BackedUp(name) => Answer {
            code: 0,
            output: format!("BACKUP object \"{name}\" added\r\n"),
            write: Some((format!(r"backup\{name}\applicationHost.config"), config.to_owned())),
        },
    }
}

fn listed(all: &[Listed], is_xml: bool) -> String {
    if !is_xml {
        return all.iter().map(|Listed(_, line)| format!("{line}\r\n")).collect();
    }
    let root = all.iter().fold(Element::new("appcmd", &[]), |root, Listed(element, _)| root.with(element.clone()));
    root.document().replace("<appcmd />", "<appcmd>\r\n</appcmd>")
}

/// An error with `/xml` is an element. A message has several lines if it is about a file.
fn error_text(code: i32, message: &str, is_xml: bool) -> String {
    match is_xml {
        true => {
            let (code, message) = (0x8007_0000_u32 | u32::try_from(code).unwrap_or_default(), escaped(message));
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<appcmd>\r\n    <ERROR hresult=\"{code}\" \
                 message=\"{message}\" />\r\n</appcmd>\r\n"
            )
        }
        false => format!("ERROR ( message:{message} )\r\n"),
    }
}

fn malformed(file: &str, line: u32) -> Fault {
    configuration(file, line, "Configuration file is not well-formed XML", INVALID_DATA)
}

/// An error about a place in a configuration file, as IIS also shows it with 500.19.
fn configuration(file: &str, line: u32, why: &str, code: i32) -> Fault {
    let file = format!("Filename: \\\\?\\{file}\r\nLine Number: {line}");
    (code, format!("Configuration error\r\n{file}\r\nDescription: {why}\r\n."))
}

fn perform(root: &mut Element, command: &Command<'_>, files: &dyn Files) -> Result<Done, Fault> {
    match (command.verb.as_str(), command.object.as_str()) {
        ("list", "site" | "sites") => list(command, sites(root)),
        ("list", "app" | "apps") => list(command, applications(root)),
        ("list", "vdir" | "vdirs") => list(command, directories(root)),
        ("list", "apppool" | "apppools") => list(command, pools(root)),
        ("list", "config") => list_section(root, command, files),
        ("set", "app") => set_application(root, command),
        ("set", "vdir") => set_directory(root, command),
        ("set", "config") => set_section(root, command, files),
        ("clear", "config") => clear_section(root, command, files),
        ("add", "app") => add_application(root, command),
        ("add", "vdir") => add_directory(root, command),
        ("delete", "app" | "vdir") => delete(root, command),
        ("add", "backup") => {
            let name = command.name.unwrap_or("backup");
            match files.has(&format!(r"backup\{name}\applicationHost.config")) {
                true => Err((EXISTS, format!("A BACKUP object with name \"{name}\" already exists."))),
                false => Ok(Done::BackedUp(name.to_owned())),
            }
        }
        (verb, "site" | "app" | "vdir" | "apppool" | "config" | "backup") => {
            let (verb, object) = (verb.to_uppercase(), command.object.to_uppercase());
            let help = format!("Run 'appcmd.exe {object} /?' to display supported commands.");
            Err((USAGE, format!("Command '{verb}' is not supported on object '{object}'. {help}")))
        }
        (_, object) => {
            let object = object.to_uppercase();
            Err((
                USAGE,
                format!("Object '{object}' is not supported.  Run 'appcmd.exe /?' to display supported objects."),
            ))
        }
    }
}

/// The listed objects: all, or those with an identifier, or of a site. With `/config:*` the configuration of each is
/// inside, inherited values included; without it, only its own attributes are shown.
fn list(command: &Command<'_>, all: Vec<(Listed, String)>) -> Result<Done, Fault> {
    let object = command.object.trim_end_matches('s').to_uppercase();
    let wanted = |(Listed(element, _), identifier): &(Listed, String)| {
        let of_site = command
            .option("site.name")
            .is_none_or(|site| element.attribute("SITE.NAME").is_some_and(|known| known.eq_ignore_ascii_case(site)));
        of_site && command.name.is_none_or(|name| same(identifier, name))
    };
    let mut found: Vec<Listed> = all.into_iter().filter(wanted).map(|(listed, _)| listed).collect();
    if let Some(name) = command.name.filter(|_| found.is_empty()) {
        return Err((NOT_FOUND, format!("Cannot find {object} object with identifier \"{name}\".")));
    }
    if command.option("config").is_none() {
        found.iter_mut().for_each(|Listed(element, _)| element.children.clear());
    }
    Ok(Done::Listed(found))
}

/// Names and paths are not case-sensitive, and a trailing slash does not matter.
fn same(one: &str, other: &str) -> bool {
    one.trim_end_matches('/').eq_ignore_ascii_case(other.trim_end_matches('/'))
}

const SITES: &str = "system.applicationHost/sites";
const POOLS: &str = "system.applicationHost/applicationPools";

fn all_sites(root: &Element) -> impl Iterator<Item = &Element> {
    root.at(SITES).into_iter().flat_map(|sites| sites.all("site"))
}

fn text<'a>(element: &'a Element, attribute: &str) -> &'a str {
    element.attribute(attribute).unwrap_or_default()
}

fn sites(root: &Element) -> Vec<(Listed, String)> {
    let one = |site: &Element| {
        let (name, id) = (text(site, "name"), text(site, "id"));
        let binding = |found: &Element| format!("{}/{}", text(found, "protocol"), text(found, "bindingInformation"));
        let bindings = site.at("bindings").into_iter().flat_map(|all| all.all("binding")).map(binding);
        let bindings = bindings.collect::<Vec<_>>().join(",");
        let mut inner = site.clone();
        inner.all_mut("application").for_each(|application| inherit_pool(root, application));
        let attributes = [("SITE.NAME", name), ("SITE.ID", id), ("bindings", &bindings), ("state", "Started")];
        let line = format!("SITE \"{name}\" (id:{id},bindings:{bindings},state:Started)");
        (Listed(Element::new("SITE", &attributes).with(inner), line), name.to_owned())
    };
    all_sites(root).map(one).collect()
}

/// An application without a pool runs in that of `applicationDefaults`.
fn inherit_pool(root: &Element, application: &mut Element) {
    let usual = root.at(&format!("{SITES}/applicationDefaults")).and_then(|usual| usual.attribute("applicationPool"));
    if let Some(pool) = usual.filter(|_| application.attribute("applicationPool").is_none()) {
        application.set("applicationPool", pool);
    }
}

fn applications(root: &Element) -> Vec<(Listed, String)> {
    let of_site = |site: &Element| {
        let name = text(site, "name").to_owned();
        let one = |application: &Element| {
            let mut inner = application.clone();
            inherit_pool(root, &mut inner);
            let (path, pool) = (text(application, "path"), text(&inner, "applicationPool").to_owned());
            let identifier = format!("{name}{path}");
            let attributes = [("path", path), ("APP.NAME", &identifier), ("APPPOOL.NAME", &pool), ("SITE.NAME", &name)];
            let line = format!("APP \"{identifier}\" (applicationPool:{pool})");
            (Listed(Element::new("APP", &attributes).with(inner), line), identifier)
        };
        site.all("application").map(one).collect::<Vec<_>>()
    };
    all_sites(root).flat_map(of_site).collect()
}

/// `Site/` for the root of a site, `Site/app/` for that of an application, `Site/app/pictures` below it.
fn directory_name(site: &str, application: &str, directory: &str) -> String {
    format!("{site}{}{directory}", application.trim_end_matches('/'))
}

fn directories(root: &Element) -> Vec<(Listed, String)> {
    let mut all = Vec::new();
    for site in all_sites(root) {
        for application in site.all("application") {
            for found in application.all("virtualDirectory") {
                let (name, of, path) = (text(site, "name"), text(application, "path"), text(found, "path"));
                let (identifier, place) = (directory_name(name, of, path), text(found, "physicalPath"));
                let of = format!("{name}{of}");
                let attributes = [
                    ("VDIR.NAME", &*identifier),
                    ("physicalPath", place),
                    ("path", path),
                    ("APP.NAME", &of),
                    ("SITE.NAME", name),
                ];
                let line = format!("VDIR \"{identifier}\" (physicalPath:{place})");
                all.push((Listed(Element::new("VDIR", &attributes).with(found.clone()), line), identifier));
            }
        }
    }
    all
}

fn pools(root: &Element) -> Vec<(Listed, String)> {
    let Some(all) = root.at(POOLS) else { return Vec::new() };
    let usual = all.children.iter().find(|child| child.name == "applicationPoolDefaults");
    let one = |pool: &Element| {
        let mut inner = Element::new("add", &[("managedRuntimeVersion", ""), ("managedPipelineMode", "Integrated")])
            .with(Element::new("processModel", &[("identityType", "ApplicationPoolIdentity"), ("userName", "")]));
        inner.set("enable32BitAppOnWin64", "false");
        usual.into_iter().chain([pool]).for_each(|level| inner.merge(level));
        let (name, clr, mode) =
            (text(pool, "name"), text(&inner, "managedRuntimeVersion"), text(&inner, "managedPipelineMode"));
        let attributes =
            [("APPPOOL.NAME", name), ("PipelineMode", mode), ("RuntimeVersion", clr), ("state", "Started")];
        let line = format!("APPPOOL \"{name}\" (MgdVersion:{clr},MgdMode:{mode},state:Started)");
        (Listed(Element::new("APPPOOL", &attributes).with(inner), line), name.to_owned())
    };
    all.all("add").map(one).collect()
}

fn list_section(root: &Element, command: &Command<'_>, files: &dyn Files) -> Result<Done, Fault> {
    let declared = Declared::of(root);
    let section = declared.known(command.needs("section")?)?;
    let levels = Levels::read(root, &declared, command.name, files)?;
    let mut found = levels.effective(section);
    found.name = section.replace('/', "-");
    for (name, usual, _) in levels::attributes(section) {
        if found.attribute(name).is_none() {
            found.set(name, usual);
        }
    }
    let path = match command.name {
        Some(location) => format!("MACHINE/WEBROOT/APPHOST/{location}"),
        None => "MACHINE/WEBROOT/APPHOST".to_owned(),
    };
    let (mode, mut line) = (if levels.is_locked(section) { "Deny" } else { "Allow" }, String::new());
    found.write(0, &mut line);
    let attributes = [("CONFIG.SECTION", section), ("path", &path), ("overrideMode", mode), ("locked", "false")];
    Ok(Done::Listed(vec![Listed(Element::new("CONFIG", &attributes).with(found), line.trim_end().to_owned())]))
}

/// What a section is set or cleared at: its name, and the location, which may have no application.
fn place<'a>(root: &Element, command: &Command<'a>, files: &dyn Files) -> Result<(&'a str, Option<&'a str>), Fault> {
    let section = command.needs("section")?;
    let declared = Declared::of(root);
    declared.known(section)?;
    let levels = Levels::read(root, &declared, command.name, files)?;
    let at_server = command.option("commit").is_some_and(|commit| {
        commit.eq_ignore_ascii_case("apphost") || commit.eq_ignore_ascii_case("MACHINE/WEBROOT/APPHOST")
    });
    if command.name.is_none() {
        return Ok((section, None));
    }
    // A lock is for the web.config files; a location in the file of the server can have what it allows anywhere.
    if (!at_server && levels.is_locked(section)) || !declared.allows(section, levels.is_application()) {
        return Err((LOCKED, levels::CANNOT_BE_USED.to_owned()));
    }
    match at_server {
        true => Ok((section, command.name)),
        false => Err((NOT_SUPPORTED, "Not simulated: only /commit:apphost can be used at a location.".to_owned())),
    }
}

fn set_section(root: &mut Element, command: &Command<'_>, files: &dyn Files) -> Result<Done, Fault> {
    let (section, location) = place(root, command, files)?;
    let known = levels::attributes(section);
    let mut values = Vec::new();
    for (name, value) in command.values(&["section", "commit"]) {
        // The names of options ignore case, those in the file do not.
        match known.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name)) {
            Some((name, _, kind)) => values.push(((*name).to_owned(), kind.value(name, value)?)),
            None if known.is_empty() => values.push((name.to_owned(), value.to_owned())),
            None => return Err((USAGE, format!("Unknown attribute \"{name}\".. Replace with -? for help."))),
        }
    }
    if values.is_empty() {
        return Err((USAGE, "Must specify at least one attribute to set.".to_owned()));
    }
    let of = match location {
        None => root,
        Some(location) => own_location(root, location, section),
    };
    let element = of.make(section);
    values.iter().for_each(|(name, value)| element.set(name, value));
    Ok(Done::Changed(applied(section, location)))
}

fn applied(section: &str, location: Option<&str>) -> String {
    let at = location.map_or(String::new(), |location| format!("/{location}"));
    format!(
        "Applied configuration changes to section \"{section}\" for \"MACHINE/WEBROOT/APPHOST{at}\" at configuration \
         commit path \"MACHINE/WEBROOT/APPHOST\""
    )
}

/// The location element that has a section, or else can get it: one element a path, unless an administrator wrote more.
fn own_location<'a>(root: &'a mut Element, path: &str, section: &str) -> &'a mut Element {
    let is_it = |child: &Element| child.name == "location" && same(text(child, "path"), path);
    let has_it = |child: &Element| is_it(child) && child.at(section).is_some();
    let at = root.children.iter().position(has_it).or_else(|| root.children.iter().position(is_it));
    let at = at.unwrap_or_else(|| {
        root.children.push(Element::new("location", &[("path", path)]));
        root.children.len() - 1
    });
    &mut root.children[at]
}

/// Removes what a location has of a section; nothing may be there.
fn clear_section(root: &mut Element, command: &Command<'_>, files: &dyn Files) -> Result<Done, Fault> {
    let (section, location) = place(root, command, files)?;
    match location {
        None => drop(root.remove(section)),
        Some(path) => root.children.retain_mut(|child| {
            let is_it = child.name == "location" && same(text(child, "path"), path);
            !(is_it && child.remove(section) && child.children.is_empty())
        }),
    }
    Ok(Done::Changed(applied(section, location)))
}

fn find_site<'a>(root: &'a mut Element, name: &str) -> Option<&'a mut Element> {
    root.at_mut(SITES)?.all_mut("site").find(|site| text(site, "name").eq_ignore_ascii_case(name))
}

fn not_found(object: &str, name: &str) -> Fault {
    (NOT_FOUND, format!("Cannot find {object} object with identifier \"{name}\"."))
}

/// The site of an application, and the place of that in it.
fn find_application<'a>(root: &'a mut Element, name: &str) -> Result<(&'a mut Element, usize), Fault> {
    let (site, path) = name.split_at(name.find('/').unwrap_or(name.len()));
    let site = find_site(root, site).ok_or_else(|| not_found("APP", name))?;
    let is_it = |child: &Element| child.name == "application" && same(text(child, "path"), path);
    let at = site.children.iter().position(is_it).ok_or_else(|| not_found("APP", name))?;
    Ok((site, at))
}

/// A path that an application or a virtual directory can have ("IIS Configuration Reference", `<application>`), and that
/// none of its neighbours has.
fn check_path(all: &Element, kind: &str, but: Option<usize>, path: &str) -> Result<(), Fault> {
    let is_bad = !path.starts_with('/')
        || (path.len() > 1 && path.ends_with('/'))
        || path.contains(['\\', '?', ';', ':', '@', '&', '=', '+', '$', ',', '|', '"', '<', '>', '*'])
        || path.split('/').any(|part| matches!(part, "." | ".."));
    if is_bad {
        return Err((USAGE, format!("The {kind} path \"{path}\" is not valid.")));
    }
    let taken =
        |(at, child): (usize, &Element)| Some(at) != but && child.name == kind && same(text(child, "path"), path);
    match all.children.iter().enumerate().any(taken) {
        true => Err((EXISTS, format!("Failed to add duplicate collection element \"{path}\"."))),
        false => Ok(()),
    }
}

/// Sets the attributes of an object; what others it has stays.
fn assign(element: &mut Element, command: &Command<'_>, known: &[&str], but: &[&str]) -> Result<(), Fault> {
    for (name, value) in command.values(but) {
        let known = known.iter().find(|known| known.eq_ignore_ascii_case(name));
        let known =
            known.ok_or_else(|| (USAGE, format!("Unknown attribute \"{name}\".. Replace with -? for help.")))?;
        element.set(known, value);
    }
    Ok(())
}

const OF_APPLICATION: &[&str] = &["path", "applicationPool", "enabledProtocols"];
const OF_DIRECTORY: &[&str] = &["path", "physicalPath", "userName", "password", "logonMethod", "allowSubDirConfig"];

/// Only what is named changes. The `<location>` elements of the old path stay where they are (`ApplicationCollection.cs`
/// of JexusManager).
fn set_application(root: &mut Element, command: &Command<'_>) -> Result<Done, Fault> {
    let name = command.identifier()?;
    let (site, at) = find_application(root, name)?;
    if let Some(path) = command.option("path") {
        check_path(site, "application", Some(at), path)?;
    }
    assign(&mut site.children[at], command, OF_APPLICATION, &[])?;
    Ok(Done::Changed(format!("APP object \"{name}\" changed")))
}

fn add_application(root: &mut Element, command: &Command<'_>) -> Result<Done, Fault> {
    let (name, path) = (command.needs("site.name")?, command.needs("path")?);
    let site = find_site(root, name).ok_or_else(|| not_found("SITE", name))?;
    check_path(site, "application", None, path)?;
    let mut added = Element::new("application", &[]);
    assign(&mut added, command, OF_APPLICATION, &["site.name", "physicalpath"])?;
    let mut said = format!("APP object \"{name}{path}\" added");
    if let Some(folder) = command.option("physicalpath") {
        added.children.push(Element::new("virtualDirectory", &[("path", "/"), ("physicalPath", folder)]));
        said += &format!("\r\nVDIR object \"{name}{path}/\" added");
    }
    // Before the bindings, as everything writes it.
    let behind = site.children.iter().rposition(|child| child.name == "application").map_or(0, |at| at + 1);
    site.children.insert(behind, added);
    Ok(Done::Changed(said))
}

/// The application of a virtual directory, and the place of that in it.
fn find_directory<'a>(root: &'a mut Element, name: &str) -> Result<(&'a mut Element, usize), Fault> {
    for site in root.at_mut(SITES).into_iter().flat_map(|sites| sites.all_mut("site")) {
        let of = text(site, "name").to_owned();
        for application in site.all_mut("application") {
            let path = text(application, "path").to_owned();
            let is_it = |child: &Element| {
                let own = directory_name(&of, &path, text(child, "path"));
                child.name == "virtualDirectory" && own.eq_ignore_ascii_case(name)
            };
            if let Some(at) = application.children.iter().position(is_it) {
                return Ok((application, at));
            }
        }
    }
    Err(not_found("VDIR", name))
}

fn set_directory(root: &mut Element, command: &Command<'_>) -> Result<Done, Fault> {
    let name = command.identifier()?;
    let (application, at) = find_directory(root, name)?;
    if let Some(path) = command.option("path") {
        check_path(application, "virtualDirectory", Some(at), path)?;
    }
    assign(&mut application.children[at], command, OF_DIRECTORY, &[])?;
    Ok(Done::Changed(format!("VDIR object \"{name}\" changed")))
}

fn add_directory(root: &mut Element, command: &Command<'_>) -> Result<Done, Fault> {
    let (name, path) = (command.needs("app.name")?, command.needs("path")?);
    let (site, at) = find_application(root, name)?;
    let application = &mut site.children[at];
    check_path(application, "virtualDirectory", None, path)?;
    let mut added = Element::new("virtualDirectory", &[]);
    assign(&mut added, command, OF_DIRECTORY, &["app.name"])?;
    application.children.push(added);
    Ok(Done::Changed(format!("VDIR object \"{}{path}\" added", name.trim_end_matches('/'))))
}

/// An application goes with its virtual directories; its `<location>` elements stay.
fn delete(root: &mut Element, command: &Command<'_>) -> Result<Done, Fault> {
    let name = command.identifier()?;
    let (parent, at) = match command.object.as_str() {
        "app" => find_application(root, name)?,
        _ => find_directory(root, name)?,
    };
    parent.children.remove(at);
    Ok(Done::Changed(format!("{} object \"{name}\" deleted", command.object.to_uppercase())))
}

#[cfg(test)]
mod tests;
