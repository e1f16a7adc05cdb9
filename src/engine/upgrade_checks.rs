//! Checks of an upgraded machine besides its steps: whether the data is upgraded, the applications respond, and the old
//! name of the SDK's virtual directory is gone from their settings.

use super::{Check, Engine, EngineError};
use crate::journal::RecordedRun;
use crate::plan::Component;
use crate::platform::facts::Site;
use crate::platform::{Context, Failure, Monitor, disk};
use crate::step::{ConfigureWeb, Work};
use crate::webconfig::CONFIG_LIMIT;
use crate::webconfig::{Document, SdkUrlRule};
use crate::winpath::WinPath;

impl Engine<'_> {
    /// Checks the machine of a finished run. `watch` may stop that.
    pub(super) fn upgraded(&self, found: &RecordedRun, watch: &dyn Monitor) -> Result<Vec<Check>, EngineError> {
        let check = |what: String, fault: Option<String>| Check { what, fault, backup: false };
        let mut all = Vec::new();
        if let Some(fault) = self.data_fault(found, watch)? {
            all.push(check("the data file is upgraded".to_owned(), fault));
        }
        let web = found.frozen.steps.iter().filter_map(|step| match &step.work {
            Work::ConfigureWeb(web) => Some(web),
            _ => None,
        });
        let web: Vec<(&ConfigureWeb, Option<Document>)> =
            web.map(|web| Ok((web, self.config_of(web)?))).collect::<Result<_, Failure>>()?;
        // The certificate has the host name that the other components use for the SDK, as far as they are on this
        // machine.
        let urls = web.iter().filter_map(|(_, config)| Some(config.as_ref()?.sdk_url()?.1));
        let hosts: Vec<String> = urls.filter_map(|url| host_of(&url)).collect();
        for (web, config) in &web {
            let title = web.component.title();
            all.push(check(format!("the {title} responds"), self.silence(web, &hosts, watch)?));
            if let SdkUrlRule::ReplaceDirectory { old, .. } = &web.rules.sdk_url {
                let left = config.as_ref().map_or(Vec::new(), |config| holders(config, old));
                let fault = (!left.is_empty()).then(|| format!("still named in {}", left.join(", ")));
                all.push(check(format!("no URL in the settings of the {title} contains {old}"), fault));
            }
        }
        Ok(all)
    }

    /// What is wrong with the data file; `None` if the run does not concern it.
    fn data_fault(&self, found: &RecordedRun, watch: &dyn Monitor) -> Result<Option<Option<String>>, EngineError> {
        let upgrades = found.frozen.steps.iter().any(|step| matches!(step.work, Work::Activate(_)));
        let (true, Some(install)) = (upgrades, &found.frozen.survey.install) else { return Ok(None) };
        let file = |folder: &WinPath| folder.child("PhoneFactor.pfdata");
        let Some(backup) = found.state.history.backup_of(&install.data()).map(file) else { return Ok(None) };
        let files = self.platform.files();
        if !disk::exists(files, &backup).context(format!("look for {backup}"))? {
            return Ok(None);
        }
        let now = file(&install.data());
        if !disk::exists(files, &now).context(format!("look for {now}"))? {
            return Ok(Some(Some(format!("{now} is missing"))));
        }
        let sum =
            |path: &WinPath| disk::hash_by_blocks(files, path, &mut |_| watch.go_on()).context(format!("read {path}"));
        let same = sum(&backup)? == sum(&now)?;
        Ok(Some(same.then(|| format!("{now} is unchanged since before the upgrade"))))
    }

    fn config_of(&self, web: &ConfigureWeb) -> Result<Option<Document>, Failure> {
        let machine = self.platform.inspect();
        let iis = machine.web_server()?.unwrap_or_default();
        let path = match iis.application(&web.site, &web.application.path) {
            Some(there) => there.folder.child("web.config"),
            None => return Ok(None),
        };
        let doing = format!("read {path}");
        let there = disk::exists(machine.files(), &path).context(&doing)?;
        let bytes = there.then(|| disk::read(machine.files(), &path, CONFIG_LIMIT)).transpose().context(&doing)?;
        // The step that wrote the file reports what is wrong with it.
        Ok(bytes.and_then(|bytes| Document::parse(bytes, path.as_str()).ok()))
    }

    /// Sends a request to an application under each of its possible host names. Returns why none responds.
    fn silence(
        &self,
        web: &ConfigureWeb,
        hosts: &[String],
        watch: &dyn Monitor,
    ) -> Result<Option<String>, EngineError> {
        let machine = self.platform.inspect();
        let iis = machine.web_server()?.unwrap_or_default();
        let Some(site) = iis.site(&web.site) else { return Ok(Some(format!("the site {} does not exist", web.site))) };
        let page = match web.component {
            Component::Sdk => "/PfWsSdk.asmx",
            Component::MobileApp => "/PfPaWs.asmx",
            Component::Portal | Component::Server => "/",
        };
        let name = machine.system()?.name;
        let mut fault = String::new();
        for url in addresses(site, &format!("{}{page}", web.application.path), hosts, &name) {
            watch.go_on().context(format!("send a request to {url}"))?;
            fault = match machine.http_status(&url) {
                // A request for credentials is a valid response.
                Ok(200..=399 | 401 | 403) => return Ok(None),
                Ok(status) => return Ok(Some(format!("{url} responds with {status}"))),
                Err(failure) => failure.to_string(),
            };
        }
        Ok(Some(fault))
    }
}

/// The URLs of a page, the most likely host names of a certificate first.
fn addresses(site: &Site, page: &str, hosts: &[String], machine: &str) -> Vec<String> {
    let usual = site.url(page);
    if !usual.contains("<server-name>") {
        return vec![usual];
    }
    let names = hosts.iter().map(String::as_str).chain([machine]);
    let mut all: Vec<String> = names.map(|name| usual.replace("<server-name>", name)).collect();
    all.dedup();
    all
}

fn host_of(url: &str) -> Option<String> {
    let rest = url.split_once("://")?.1;
    let host = rest.split(['/', ':', '?']).next()?;
    (!host.is_empty()).then(|| host.to_owned())
}

/// The settings with a URL that contains this directory.
fn holders(config: &Document, directory: &str) -> Vec<String> {
    let Ok(values) = config.values() else { return Vec::new() };
    let names_it =
        |value: &str| value.contains("://") && value.split(['/', '?']).any(|part| part.eq_ignore_ascii_case(directory));
    let keys = values.app_settings.iter().filter(|entry| names_it(entry.value.expose())).map(|entry| entry.key.clone());
    let settings = values.settings.iter().filter(|entry| names_it(entry.value.expose()));
    keys.chain(settings.map(|entry| entry.name.clone())).collect()
}
