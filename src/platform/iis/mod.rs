//! IIS through `appcmd`, with the same commands on every machine. Its configuration is never written in any other way.

mod text;

use super::facts::{Application, WebServer};
use super::registry::View;
use super::{Failure, Inspect};
use std::collections::BTreeMap;

/// The key with the features of IIS.
pub(super) const COMPONENTS: &str = r"HKLM\SOFTWARE\Microsoft\InetStp\Components";
/// The features of IIS by the names of their components: ASPNET is version 2 to 3.5, ASPNET45 is 4.5 and later.
const FEATURES: &[(&str, &[&str])] =
    &[("asp-net", &["ASPNET45", "ASPNET"]), ("metabase-compatibility", &["Metabase", "MetabaseCompatibility"])];

/// The registry value of every feature of IIS: its key, its name, and whether it is there.
pub(super) fn components(features: &[String]) -> impl Iterator<Item = (&'static str, &'static str, bool)> + '_ {
    FEATURES.iter().filter_map(|(feature, names)| {
        let is_there = features.iter().any(|known| known == feature);
        Some((COMPONENTS, *names.first()?, is_there))
    })
}

/// A machine with `appcmd`.
pub(super) trait Appcmd: Inspect {
    /// Runs it. Returns its exit code and its output.
    fn run_appcmd(&self, doing: &str, arguments: &[&str]) -> Result<(i32, String), Failure>;
}

/// Runs `appcmd` and returns its output. An error is one whatever the exit code, which is also 1 if there is nothing to
/// list.
fn appcmd(machine: &dyn Appcmd, doing: &str, arguments: &[impl AsRef<str>]) -> Result<String, Failure> {
    let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
    let (code, said) = machine.run_appcmd(doing, &arguments)?;
    let is_list = arguments.first() == Some(&"list");
    let error = if is_list || code != 0 { text::error(&said) } else { None };
    let nothing_found = is_list && said.contains("<appcmd");
    if error.is_none() && (code == 0 || nothing_found) {
        return Ok(said);
    }
    let (command, error) = (arguments.join(" "), error.unwrap_or_else(|| "it printed nothing".to_owned()));
    Err(Failure::new(doing, format!("`appcmd {command}` ended with {code}: {error}"))
        .next("check in IIS Manager whether its configuration is readable"))
}

fn expanded(machine: &dyn Appcmd, text: &str) -> String {
    machine.expand(text).unwrap_or_else(|_| text.to_owned())
}

/// The configuration of IIS, without the settings of the locations: asking for those fails where one of the web.config
/// files is broken, and takes a process for each section.
pub(super) fn web_server(machine: &dyn Appcmd) -> Result<WebServer, Failure> {
    let doing = "query IIS";
    let expand = |text: &str| expanded(machine, text);
    let unexpected = |why| Failure::new(doing, why);
    let list = |object: &str| appcmd(machine, doing, &["list", object, "/config:*", "/xml"]);
    let sites = text::sites(&list("site")?, &expand).map_err(unexpected)?;
    let pools = text::pools(&list("apppool")?).map_err(unexpected)?;
    let modules = appcmd(machine, doing, &["list", "config", "/section:system.webServer/globalModules", "/xml"])?;
    let global_modules = text::modules(&modules, &expand).map_err(unexpected)?;
    let components = machine.registry_key(View::Native, COMPONENTS)?.unwrap_or_default();
    let is_there = |names: &[&str]| names.iter().any(|name| components.number(name) == Some(1));
    let features = FEATURES.iter().filter(|(_, names)| is_there(names)).map(|(feature, _)| (*feature).to_owned());
    Ok(WebServer { features: features.collect(), global_modules, pools, sites })
}

/// The relevant settings of a location. Fails if IIS cannot use the location, to which it then responds with 500.19.
pub(super) fn settings(machine: &dyn Appcmd, location: &str) -> Result<BTreeMap<String, String>, Failure> {
    let doing = format!("read the settings of {location} in IIS");
    let mut all = BTreeMap::new();
    for (section, attributes) in text::SETTINGS {
        let section_option = format!("/section:{section}");
        match appcmd(machine, &doing, &["list", "config", location, &section_option, "/config:*", "/xml"]) {
            Ok(listed) => {
                let found = text::settings(&listed, section, attributes);
                all.extend(found.map_err(|why| Failure::new(&doing, why))?);
            }
            // Messages are localized: a section that the server itself does not have is that of a missing feature.
            Err(failure) => match appcmd(machine, &doing, &["list", "config", &section_option, "/xml"]) {
                Ok(_) => return Err(failure),
                Err(_) => continue,
            },
        }
    }
    Ok(all)
}

/// Sets folder, pool and settings of an application, as far as they differ.
pub(super) fn configure(machine: &dyn Appcmd, site: &str, wanted: &Application) -> Result<(), Failure> {
    let doing = format!("configure {} of site \"{site}\"", wanted.path);
    let refused = |why: String| Failure::new(&doing, why);
    let iis = machine.web_server()?.ok_or_else(|| refused("IIS is not installed".to_owned()))?;
    if iis.pool(&wanted.pool).is_none() {
        return Err(refused(format!("the application pool \"{}\" does not exist", wanted.pool)));
    }
    let found = machine.application(site, &wanted.path)?;
    let found = found.ok_or_else(|| refused("the application does not exist".to_owned()))?;
    for arguments in text::changes(site, &found, wanted) {
        appcmd(machine, &doing, &arguments)?;
    }
    Ok(())
}

/// Renames an application. The settings of its location are applied to the new location first, since IIS leaves them at
/// the old one, from where they are removed. Returns notes about what could not be removed.
pub(super) fn rename(machine: &dyn Appcmd, site: &str, from: &str, to: &str) -> Result<Vec<String>, Failure> {
    let doing = format!("rename {from} of site \"{site}\" to {to}");
    let refused = |why: String| Failure::new(&doing, why);
    if from.eq_ignore_ascii_case(to) {
        return Ok(Vec::new());
    }
    let iis = machine.web_server()?.ok_or_else(|| refused("IIS is not installed".to_owned()))?;
    let location = format!("{site}{to}");
    let settings_of_new = || settings(machine, &location);
    let Some(found) = machine.application(site, from)? else {
        // An interrupted attempt may have left the settings of the old location.
        let renamed = iis.application(site, to).map(|_| settings_of_new()).transpose()?;
        return Ok(renamed.map_or(Vec::new(), |settings| forget(machine, &doing, site, from, &settings)));
    };
    if iis.application(site, to).is_some() {
        return Err(refused("an application with that name already exists".to_owned()));
    }
    let wanted = Application { path: to.to_owned(), ..found.clone() };
    let there = Application { settings: settings_of_new()?, ..wanted.clone() };
    for arguments in text::changes(site, &there, &wanted) {
        appcmd(machine, &doing, &arguments)?;
    }
    if settings_of_new()? != wanted.settings {
        return Err(refused(format!("{location} cannot have the settings of {from}"))
            .next("check in IIS Manager what is configured for both, and rename the application there"));
    }
    appcmd(machine, &doing, &text::rename(site, from, to))?;
    Ok(forget(machine, &doing, site, from, &wanted.settings))
}

/// Removes the settings of a location that has no application any more. They concern no application, so whatever goes
/// wrong is only noted.
fn forget(
    machine: &dyn Appcmd,
    doing: &str,
    site: &str,
    path: &str,
    settings: &BTreeMap<String, String>,
) -> Vec<String> {
    let failed = |arguments: [String; 5]| appcmd(machine, doing, &arguments).err();
    let failures: Vec<String> =
        text::clear(site, path, settings).into_iter().filter_map(failed).map(|failure| failure.why).collect();
    let note = |why: &String| {
        format!("IIS still has settings for \"{site}{path}\", where there is no application any more: {why}")
    };
    failures.first().map(note).into_iter().collect()
}

/// Backs up the configuration of IIS.
pub(super) fn back_up(machine: &dyn Appcmd, name: &str) -> Result<(), Failure> {
    appcmd(machine, &format!("back up the IIS configuration as {name}"), &["add", "backup", name]).map(drop)
}
