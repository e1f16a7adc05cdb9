//! IIS, through `appcmd.exe`. Its configuration is never written in any other way.

use super::text::appcmd;
use super::{Windows, program, registry};
use crate::platform::disk::{self, ReadDisk};
use crate::platform::facts::{Application, WebServer};
use crate::platform::registry::View;
use crate::platform::{Context, Failure, Inspect};
use crate::winpath::WinPath;
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::SystemTime;

const COMPONENTS: &str = r"HKLM\SOFTWARE\Microsoft\InetStp\Components";
/// The features of IIS by the names of their components: ASPNET is version 2 to 3.5, ASPNET45 is 4.5 and later.
const FEATURES: &[(&str, &[&str])] =
    &[("asp-net", &["ASPNET", "ASPNET45"]), ("metabase-compatibility", &["MetabaseCompatibility", "Metabase"])];
/// `appcmd` reports this for a section of a feature that is not installed.
const UNKNOWN_SECTION: &str = "nknown config section";

/// The cached settings of locations in a state of the configuration.
#[derive(Default)]
pub(super) struct Known {
    as_of: Option<(SystemTime, u64)>,
    settings: BTreeMap<String, BTreeMap<String, String>>,
}

fn folder(machine: &Windows) -> Result<WinPath, Failure> {
    machine.windows.join(r"System32\inetsrv").context("find the folder of IIS")
}

impl Windows {
    /// The configuration of IIS; `None` if it is not installed.
    pub(super) fn iis(&self) -> Result<Option<WebServer>, Failure> {
        let doing = "query IIS";
        if !disk::exists(&self.disk, &folder(self)?.child("appcmd.exe")).context(doing)? {
            return Ok(None);
        }
        let expand = |text: &str| self.expand(text).unwrap_or_else(|_| text.to_owned());
        let unexpected = |why| Failure::new(doing, why);
        let list = |object: &str| self.appcmd(doing, &["list", object, "/config:*", "/xml"]);
        let mut sites = appcmd::sites(&list("site")?, &expand).map_err(unexpected)?;
        let pools = appcmd::pools(&list("apppool")?).map_err(unexpected)?;
        let modules = self.appcmd(doing, &["list", "config", "/section:system.webServer/globalModules", "/xml"])?;
        let global_modules = appcmd::modules(&modules, &expand).map_err(unexpected)?;
        for site in &mut sites {
            for application in &mut site.applications {
                application.settings = self.settings(&format!("{}{}", site.name, application.path))?;
            }
        }
        Ok(Some(WebServer { features: features()?, global_modules, pools, sites }))
    }

    /// The relevant settings of a location. Each section needs its own query, so the results are cached until the
    /// configuration changes.
    fn settings(&self, location: &str) -> Result<BTreeMap<String, String>, Failure> {
        let as_of = self.stamp()?;
        let mut known = self.known_settings.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_of != as_of || as_of.is_none() {
            *known = Known { as_of, settings: BTreeMap::new() };
        }
        if let Some(settings) = known.settings.get(location) {
            return Ok(settings.clone());
        }
        let doing = format!("read the settings of {location} in IIS");
        let mut all = BTreeMap::new();
        for (section, attributes) in appcmd::SETTINGS {
            let arguments = ["list", "config", location, &format!("/section:{section}"), "/config:*", "/xml"];
            match self.appcmd(&doing, &arguments) {
                Err(failure) if failure.why.contains(UNKNOWN_SECTION) => {}
                listed => {
                    let found = appcmd::settings(&listed?, section, attributes);
                    all.extend(found.map_err(|why| Failure::new(&doing, why))?);
                }
            }
        }
        known.settings.insert(location.to_owned(), all.clone());
        Ok(all)
    }

    /// When the configuration was last written, and its size; `None` for a shared configuration.
    fn stamp(&self) -> Result<Option<(SystemTime, u64)>, Failure> {
        let doing = "query the configuration of IIS";
        let config = folder(self)?.child("config");
        let redirection = match disk::read(&self.disk, &config.child("redirection.config"), 1 << 20) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(_) => String::new(),
        };
        if redirection.contains("enabled=\"true\"") {
            return Ok(None);
        }
        let entry = self.disk.entry(&config.child("applicationHost.config")).context(doing)?;
        Ok(entry.map(|entry| (entry.modified, entry.len)))
    }

    /// Backs up the configuration with `appcmd`. An existing backup with this name is from an interrupted attempt.
    pub(super) fn back_up_iis(&self, name: &str) -> Result<(), Failure> {
        let doing = format!("back up the IIS configuration as {name}");
        let cut_off = folder(self)?.child("backup").child(name);
        disk::remove(&self.disk, &cut_off).context(&doing)?;
        self.appcmd(&doing, &["add", "backup", name]).map(drop)
    }

    /// Sets the pool and the settings of an application.
    pub(super) fn configure(&self, site: &str, wanted: &Application) -> Result<(), Failure> {
        let doing = format!("configure {} of site \"{site}\"", wanted.path);
        let refused = |why: String| Failure::new(&doing, why);
        let iis = self.iis()?.ok_or_else(|| refused("IIS is not installed".to_owned()))?;
        if iis.pool(&wanted.pool).is_none() {
            return Err(refused(format!("the application pool \"{}\" does not exist", wanted.pool)));
        }
        let found = iis.application(site, &wanted.path);
        let found = found.ok_or_else(|| refused("the application does not exist".to_owned()))?;
        for arguments in appcmd::changes(site, found, wanted) {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            self.appcmd(&doing, &arguments)?;
        }
        Ok(())
    }

    /// Renames an application. The settings of its location are applied to the new location first.
    pub(super) fn rename(&self, site: &str, from: &str, to: &str) -> Result<(), Failure> {
        let doing = format!("rename {from} of site \"{site}\" to {to}");
        let refused = |why: String| Failure::new(&doing, why);
        if from.eq_ignore_ascii_case(to) {
            return Ok(());
        }
        let iis = self.iis()?.ok_or_else(|| refused("IIS is not installed".to_owned()))?;
        let Some(found) = iis.application(site, from) else { return Ok(()) };
        if iis.application(site, to).is_some() {
            return Err(refused("an application with that name already exists".to_owned()));
        }
        let location = format!("{site}{to}");
        let wanted = Application { path: to.to_owned(), ..found.clone() };
        let there = Application { settings: self.settings(&location)?, ..wanted.clone() };
        let run = |arguments: &[String]| self.appcmd(&doing, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        for arguments in appcmd::changes(site, &there, &wanted) {
            run(&arguments)?;
        }
        if self.settings(&location)? != wanted.settings {
            return Err(refused(format!("{location} cannot have the settings of {from}"))
                .next("check in IIS Manager what is configured for both, and rename the application there"));
        }
        run(&appcmd::rename(site, from, to))?;
        // The remaining settings of the old location concern no application.
        appcmd::clear(site, from).for_each(|arguments| drop(run(&arguments)));
        Ok(())
    }

    /// Runs `appcmd.exe` and returns its output.
    fn appcmd(&self, doing: &str, arguments: &[&str]) -> Result<String, Failure> {
        let program = folder(self)?.child("appcmd.exe");
        let answer = program::answer(&program, arguments, doing)?;
        // It also exits with 1 if there is nothing to list.
        let nothing_found = arguments.first() == Some(&"list") && answer.text.contains("<appcmd");
        if answer.code == 0 || nothing_found {
            return Ok(answer.text);
        }
        let command = arguments.join(" ");
        let (code, said) = (answer.code, answer.first_line());
        Err(Failure::new(doing, format!("`appcmd {command}` ended with {code}: {said}"))
            .next("check in IIS Manager whether its configuration is readable"))
    }
}

fn features() -> Result<Vec<String>, Failure> {
    let components = registry::key(View::Native, COMPONENTS)?.unwrap_or_default();
    let is_there = |names: &[&str]| names.iter().any(|name| components.number(name) == Some(1));
    Ok(FEATURES.iter().filter(|(_, names)| is_there(names)).map(|(feature, _)| (*feature).to_owned()).collect())
}
