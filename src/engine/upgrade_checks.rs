//! What is looked at on an upgraded machine besides its steps: whether the data was upgraded, the applications answer,
//! and the old name of the SDK's directory is gone from their settings.

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
    /// Looks at the machine of a finished run. `watch` may stop that.
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
        // The certificate has the name by which the other parts reach the SDK, as far as that is on this machine.
        let urls = web.iter().filter_map(|(_, config)| Some(config.as_ref()?.sdk_url()?.1));
        let hosts: Vec<String> = urls.filter_map(|url| host_of(&url)).collect();
        for (web, config) in &web {
            let title = web.component.title();
            all.push(check(format!("the {title} answers"), self.silence(web, &hosts, watch)?));
            if let SdkUrlRule::ReplaceDirectory { old, .. } = &web.rules.sdk_url {
                let left = config.as_ref().map_or(Vec::new(), |config| holders(config, old));
                let fault = (!left.is_empty()).then(|| format!("{} still name it", left.join(", ")));
                all.push(check(format!("no address in the settings of the {title} names {old}"), fault));
            }
        }
        Ok(all)
    }

    /// What is wrong with the data file; `None` where the run had nothing to do with it.
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
            return Ok(Some(Some(format!("{now} is not there"))));
        }
        let sum =
            |path: &WinPath| disk::hash_by_blocks(files, path, &mut |_| watch.go_on()).context(format!("read {path}"));
        let same = sum(&backup)? == sum(&now)?;
        Ok(Some(same.then(|| format!("{now} is what it was before the upgrade"))))
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
        // What is wrong with the file is told by the step that wrote it.
        Ok(bytes.and_then(|bytes| Document::parse(bytes, path.as_str()).ok()))
    }

    /// Asks an application under each name it may have; why none of them is answered.
    fn silence(
        &self,
        web: &ConfigureWeb,
        hosts: &[String],
        watch: &dyn Monitor,
    ) -> Result<Option<String>, EngineError> {
        let machine = self.platform.inspect();
        let iis = machine.web_server()?.unwrap_or_default();
        let Some(site) = iis.site(&web.site) else { return Ok(Some(format!("there is no site {}", web.site))) };
        let page = match web.component {
            Component::Sdk => "/PfWsSdk.asmx",
            Component::MobileApp => "/PfPaWs.asmx",
            Component::Portal | Component::Server => "/",
        };
        let name = machine.system()?.name;
        let mut fault = String::new();
        for url in addresses(site, &format!("{}{page}", web.application.path), hosts, &name) {
            watch.go_on().context(format!("ask {url}"))?;
            fault = match machine.http_status(&url) {
                // Who asks for a name and a password is there.
                Ok(200..=399 | 401 | 403) => return Ok(None),
                Ok(status) => return Ok(Some(format!("{url} answers with {status}"))),
                Err(failure) => failure.to_string(),
            };
        }
        Ok(Some(fault))
    }
}

/// The addresses of a page, those first whose name a certificate most likely has.
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

/// The settings whose address has a directory of this name.
fn holders(config: &Document, directory: &str) -> Vec<String> {
    let Ok(values) = config.values() else { return Vec::new() };
    let names_it =
        |value: &str| value.contains("://") && value.split(['/', '?']).any(|part| part.eq_ignore_ascii_case(directory));
    let keys = values.app_settings.iter().filter(|entry| names_it(entry.value.expose())).map(|entry| entry.key.clone());
    let settings = values.settings.iter().filter(|entry| names_it(entry.value.expose()));
    keys.chain(settings.map(|entry| entry.name.clone())).collect()
}
