//! A stand-in for IIS's `appcmd.exe`, for tests under Wine, which has no IIS. It keeps an `applicationHost.config` beside
//! itself, takes the arguments that the real one takes as far as they are needed, and prints what that prints.
//!
//! One verb is its own: `websetup` does what the custom action of a web setup package does through the metabase.

use roxmltree::{Document, Node};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What a section's attributes are where nobody has set them.
const DEFAULTS: &[(&str, &[(&str, &str)])] = &[
    ("system.webServer/security/access", &[("sslFlags", "None")]),
    (
        "system.webServer/security/authentication/anonymousAuthentication",
        &[("enabled", "true"), ("userName", "IUSR"), ("password", ""), ("logonMethod", "ClearText")],
    ),
    (
        "system.webServer/security/authentication/basicAuthentication",
        &[("enabled", "false"), ("realm", ""), ("defaultLogonDomain", ""), ("logonMethod", "ClearText")],
    ),
    (
        "system.webServer/security/authentication/windowsAuthentication",
        &[("enabled", "false"), ("useKernelMode", "true"), ("useAppPoolCredentials", "false")],
    ),
];

type Fault = String;

struct Application {
    path: String,
    pool: String,
    folder: String,
}

struct Site {
    name: String,
    id: String,
    bindings: Vec<(String, String)>,
    applications: Vec<Application>,
}

/// Everything the configuration holds.
struct Config {
    /// Name, CLR, pipeline, identity, user.
    pools: Vec<[String; 5]>,
    sites: Vec<Site>,
    /// Location, section, attribute.
    settings: BTreeMap<(String, String, String), String>,
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(output) => println!("{output}"),
        Err(fault) => {
            println!("ERROR ( message:{fault} )");
            std::process::exit(1);
        }
    }
}

fn own_folder() -> Result<PathBuf, Fault> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    program.parent().map(Path::to_owned).ok_or_else(|| "no folder".to_owned())
}

fn config_file() -> Result<PathBuf, Fault> {
    Ok(own_folder()?.join("config").join("applicationHost.config"))
}

fn run(arguments: &[String]) -> Result<String, Fault> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let text = fs::read_to_string(config_file()?).map_err(|error| format!("Configuration error ({error})"))?;
    let mut config = Config::read(&text)?;
    let (rest, options) = options(words.get(2..).unwrap_or_default());
    match words.get(..2).unwrap_or_default() {
        ["list", "site"] => Ok(listed(&config.list_sites())),
        ["list", "apppool"] => Ok(listed(&config.list_pools())),
        ["list", "config"] => {
            config.list_section(rest.first().copied().unwrap_or_default(), &options).map(|s| listed(&s))
        }
        ["set", "app"] => {
            let [location] = rest[..] else { return Err("Must specify the APP object".to_owned()) };
            let pool = options.get("applicationPool").ok_or("nothing to set")?;
            config.application(location)?.pool = (*pool).to_owned();
            config.save()?;
            Ok(format!("APP object \"{location}\" changed"))
        }
        ["set", "config"] => config.set_section(rest.first().copied().unwrap_or_default(), &options),
        ["add", "backup"] => {
            let name = rest.first().copied().unwrap_or("unnamed");
            let folder = own_folder()?.join("backup").join(name);
            let copied =
                fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join("applicationHost.config"), &text));
            copied.map_err(|error| error.to_string())?;
            Ok(format!("BACKUP object \"{name}\" added"))
        }
        ["websetup", verb] => config.web_setup(verb, &rest),
        _ => Err(format!("Unknown command: {}", words.join(" "))),
    }
}

/// What stands alone, and what is `/name:value`.
fn options<'a>(words: &[&'a str]) -> (Vec<&'a str>, BTreeMap<&'a str, &'a str>) {
    let named = |word: &&&'a str| word.starts_with('/') && !word.starts_with("/LM/");
    let pairs = words.iter().filter(named).map(|word| word[1..].split_once(':').unwrap_or((&word[1..], "")));
    (words.iter().filter(|word| !named(word)).copied().collect(), pairs.collect())
}

fn listed(inner: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<appcmd>\r\n{inner}</appcmd>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn attribute(node: Option<Node<'_, '_>>, name: &str) -> String {
    node.and_then(|node| node.attribute(name)).unwrap_or_default().to_owned()
}

impl Config {
    fn read(text: &str) -> Result<Self, Fault> {
        let document = Document::parse(text).map_err(|error| format!("Configuration error ({error})"))?;
        let root = document.root_element();
        let host = child(root, "system.applicationHost").ok_or("Configuration error")?;
        let all = |name: &'static str, of: &'static str| {
            child(host, name).into_iter().flat_map(move |all| all.children().filter(move |one| one.has_tag_name(of)))
        };
        let pools = all("applicationPools", "add").map(|pool| {
            let model = child(pool, "processModel");
            let own = |name| attribute(Some(pool), name);
            let (clr, pipeline) = (own("managedRuntimeVersion"), own("managedPipelineMode"));
            [own("name"), clr, pipeline, attribute(model, "identityType"), attribute(model, "userName")]
        });
        let mut settings = BTreeMap::new();
        for location in root.children().filter(|node| node.has_tag_name("location")) {
            let path = attribute(Some(location), "path");
            for node in location.descendants().filter(Node::is_element) {
                let names: Vec<&str> =
                    node.ancestors().take_while(|up| *up != location).map(|up| up.tag_name().name()).collect();
                let section = names.into_iter().rev().collect::<Vec<_>>().join("/");
                for found in node.attributes().filter(|_| node != location) {
                    let key = (path.clone(), section.clone(), found.name().to_owned());
                    settings.insert(key, found.value().to_owned());
                }
            }
        }
        Ok(Self { pools: pools.collect(), sites: all("sites", "site").map(Site::read).collect(), settings })
    }

    fn save(&self) -> Result<(), Fault> {
        let file = config_file()?;
        let new = file.with_extension("new");
        fs::write(&new, self.text()).and_then(|()| fs::rename(&new, &file)).map_err(|error| error.to_string())
    }

    fn text(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<configuration>\r\n");
        out += "<system.applicationHost>\r\n<applicationPools>\r\n";
        for [name, clr, pipeline, identity, user] in &self.pools {
            let _ = writeln!(
                out,
                "<add name=\"{}\" managedRuntimeVersion=\"{clr}\" managedPipelineMode=\"{pipeline}\">\
                 <processModel identityType=\"{identity}\" userName=\"{}\" /></add>",
                escaped(name),
                escaped(user)
            );
        }
        out += "</applicationPools>\r\n<sites>\r\n";
        self.sites.iter().for_each(|site| out += &site.text());
        out += "</sites>\r\n</system.applicationHost>\r\n";
        for ((location, section, name), value) in &self.settings {
            let names: Vec<&str> = section.split('/').collect();
            let (last, outer) = names.split_last().map_or(("", &names[..]), |(last, outer)| (*last, outer));
            let open: String = outer.iter().map(|name| format!("<{name}>")).collect();
            let close: String = outer.iter().rev().map(|name| format!("</{name}>")).collect();
            let (location, value) = (escaped(location), escaped(value));
            let _ =
                writeln!(out, "<location path=\"{location}\">{open}<{last} {name}=\"{value}\" />{close}</location>");
        }
        out + "</configuration>\r\n"
    }

    fn list_sites(&self) -> String {
        let one = |site: &Site| {
            let bindings: Vec<String> = site.bindings.iter().map(|(kind, rest)| format!("{kind}/{rest}")).collect();
            let (name, id, bindings) = (escaped(&site.name), &site.id, escaped(&bindings.join(",")));
            let outer =
                format!("<SITE SITE.NAME=\"{name}\" SITE.ID=\"{id}\" bindings=\"{bindings}\" state=\"Started\">");
            format!("    {outer}\r\n{}    </SITE>\r\n", site.text())
        };
        self.sites.iter().map(one).collect()
    }

    fn list_pools(&self) -> String {
        let one = |[name, clr, pipeline, identity, user]: &[String; 5]| {
            let (name, user) = (escaped(name), escaped(user));
            format!(
                "    <APPPOOL APPPOOL.NAME=\"{name}\" PipelineMode=\"{pipeline}\" RuntimeVersion=\"{clr}\" state=\"Started\">\r\n\
                 <add name=\"{name}\" queueLength=\"1000\" enable32BitAppOnWin64=\"false\" \
                 managedRuntimeVersion=\"{clr}\" managedPipelineMode=\"{pipeline}\">\
                 <processModel identityType=\"{identity}\" userName=\"{user}\" password=\"hidden\" /></add>\r\n    </APPPOOL>\r\n"
            )
        };
        self.pools.iter().map(one).collect()
    }

    /// The value at a location, or at the nearest one above it.
    fn setting(&self, location: &str, section: &str, name: &str) -> Option<&String> {
        let mut at = location;
        loop {
            if let Some(found) = self.settings.get(&(at.to_owned(), section.to_owned(), name.to_owned())) {
                return Some(found);
            }
            at = match at.rsplit_once('/') {
                Some((above, _)) => above,
                None if at.is_empty() => return None,
                None => "",
            };
        }
    }

    fn list_section(&self, location: &str, options: &BTreeMap<&str, &str>) -> Result<String, Fault> {
        let section = *options.get("section").ok_or("Must specify a section")?;
        let element = section.replace('/', "-");
        let open = format!(
            "    <CONFIG CONFIG.SECTION=\"{section}\" path=\"MACHINE/WEBROOT/APPHOST\" overrideMode=\"Inherit\">\r\n"
        );
        if section == "system.webServer/globalModules" {
            let module = "<add name=\"UriCacheModule\" image=\"%windir%\\System32\\inetsrv\\cachuri.dll\" />";
            return Ok(format!("{open}<{element}>{module}</{element}>\r\n    </CONFIG>\r\n"));
        }
        let unknown = || format!("Unknown config section \"{section}\". Replace with ? for help.");
        let (_, names) = DEFAULTS.iter().find(|(known, _)| *known == section).ok_or_else(unknown)?;
        let values: String = names
            .iter()
            .map(|(name, usual)| {
                let value = self.setting(location, section, name).map_or(*usual, String::as_str);
                format!(" {name}=\"{}\"", escaped(value))
            })
            .collect();
        Ok(format!("{open}        <{element}{values} />\r\n    </CONFIG>\r\n"))
    }

    fn set_section(&mut self, location: &str, options: &BTreeMap<&str, &str>) -> Result<String, Fault> {
        let section = *options.get("section").ok_or("Must specify a section")?;
        if options.get("commit") != Some(&"apphost") {
            return Err("This configuration section cannot be used at this path. It is locked".to_owned());
        }
        for (name, value) in options.iter().filter(|(name, _)| !matches!(**name, "section" | "commit")) {
            let key = (location.to_owned(), section.to_owned(), (*name).to_owned());
            self.settings.insert(key, (*value).to_owned());
        }
        self.save()?;
        Ok(format!(
            "Applied configuration changes to section \"{section}\" for \"MACHINE/WEBROOT/APPHOST/{location}\" at \
             configuration commit path \"MACHINE/WEBROOT/APPHOST\""
        ))
    }

    fn application(&mut self, location: &str) -> Result<&mut Application, Fault> {
        let found = self.sites.iter_mut().find_map(|site| {
            let path = location.strip_prefix(&site.name)?;
            site.applications.iter_mut().find(|application| application.path.eq_ignore_ascii_case(path))
        });
        found.ok_or_else(|| format!("Cannot find APP object with identifier \"{location}\"."))
    }

    /// `websetup add CODE /LM/W3SVC/1 NAME FOLDER POOL` and `websetup remove CODE`: what was added is remembered by the
    /// product's code, since a package does not know at its uninstall where it was installed to.
    fn web_setup(&mut self, verb: &str, rest: &[&str]) -> Result<String, Fault> {
        let of = |code: &str| Ok::<_, Fault>(own_folder()?.join(format!("websetup-{code}.txt")));
        match (verb, rest) {
            ("add", [code, site, name, folder, pool]) => {
                let id = site.rsplit('/').next().unwrap_or_default();
                let site = self.sites.iter_mut().find(|found| found.id == id).ok_or("no such site")?;
                let path = format!("/{name}");
                site.applications.retain(|found| !found.path.eq_ignore_ascii_case(&path));
                let folder = folder.trim_end_matches(['\\', '.']).to_owned();
                site.applications.push(Application { path: path.clone(), pool: (*pool).to_owned(), folder });
                fs::write(of(code)?, format!("{id}\n{path}")).map_err(|error| error.to_string())?;
            }
            ("remove", [code]) => {
                let Ok(known) = fs::read_to_string(of(code)?) else { return Ok("nothing to remove".to_owned()) };
                let (id, path) = known.split_once('\n').unwrap_or_default();
                for site in self.sites.iter_mut().filter(|site| site.id == id) {
                    site.applications.retain(|found| found.path != path);
                    let location = format!("{}{path}", site.name);
                    self.settings.retain(|(at, ..), _| *at != location);
                }
            }
            _ => return Err(format!("websetup {verb} {rest:?}")),
        }
        self.save()?;
        Ok("done".to_owned())
    }
}

impl Site {
    fn read(node: Node<'_, '_>) -> Self {
        let own = |name| attribute(Some(node), name);
        let all = |name: &'static str| node.descendants().filter(move |child| child.has_tag_name(name));
        let binding = |found| (attribute(Some(found), "protocol"), attribute(Some(found), "bindingInformation"));
        let application = |found| Application {
            path: attribute(Some(found), "path"),
            pool: attribute(Some(found), "applicationPool"),
            folder: attribute(child(found, "virtualDirectory"), "physicalPath"),
        };
        let bindings = all("binding").map(binding).collect();
        Self { name: own("name"), id: own("id"), bindings, applications: all("application").map(application).collect() }
    }

    fn text(&self) -> String {
        let mut out =
            format!("        <site name=\"{}\" id=\"{}\" serverAutoStart=\"true\">\r\n", escaped(&self.name), self.id);
        for application in &self.applications {
            let [path, pool, folder] =
                [&application.path, &application.pool, &application.folder].map(|text| escaped(text));
            let _ = writeln!(
                out,
                "            <application path=\"{path}\" applicationPool=\"{pool}\">\
                 <virtualDirectory path=\"/\" physicalPath=\"{folder}\" /></application>"
            );
        }
        out += "            <bindings>";
        for (protocol, rest) in &self.bindings {
            let _ = write!(out, "<binding protocol=\"{protocol}\" bindingInformation=\"{}\" />", escaped(rest));
        }
        out + "</bindings>\r\n        </site>\r\n"
    }
}
