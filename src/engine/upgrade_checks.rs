//! Checks of an upgraded machine besides its steps: whether the data is upgraded, the applications respond, and the old
//! name of the SDK's virtual directory is gone from their settings.

use super::{Check, Engine, EngineError};
use crate::journal::Frozen;
use crate::platform::{Context, Failure, Monitor, disk};
use crate::step::{ConfigureWeb, History, Work};
use crate::survey::answers::{self, Answer, Baseline};
use crate::webconfig::CONFIG_LIMIT;
use crate::webconfig::{Document, SdkUrlRule};
use crate::winpath::WinPath;

impl Engine<'_> {
    /// Checks an upgraded machine. `watch` may stop that.
    pub(super) fn upgraded(
        &self,
        frozen: &Frozen,
        history: &History,
        watch: &dyn Monitor,
    ) -> Result<Vec<Check>, EngineError> {
        let mut all = Vec::new();
        if let Some(fault) = self.data_fault(frozen, history, watch)? {
            all.push(check("the data file is upgraded".to_owned(), fault));
        }
        let web = frozen.steps.iter().filter_map(|step| match &step.work {
            Work::ConfigureWeb(web) => Some(web),
            _ => None,
        });
        let web: Vec<(&ConfigureWeb, Option<Document>)> =
            web.map(|web| Ok((web, self.config_of(web)?))).collect::<Result<_, Failure>>()?;
        // The certificate has the host name that the other components use for the SDK, as far as they are on this
        // machine.
        let urls = web.iter().filter_map(|(_, config)| Some(config.as_ref()?.sdk_url()?.1));
        let hosts: Vec<String> = urls.filter_map(|url| answers::host_of(&url)).collect();
        for (web, config) in &web {
            let title = web.component.title();
            all.push(self.responds(frozen, web, &hosts, watch)?);
            if let SdkUrlRule::ReplaceDirectory { old, .. } = &web.rules.sdk_url {
                let left = config.as_ref().map_or(Vec::new(), |config| holders(config, old));
                let fault = (!left.is_empty()).then(|| format!("still named in {}", left.join(", ")));
                all.push(check(format!("no URL in the settings of the {title} contains {old}"), fault));
            }
        }
        all.extend(self.urls_respond(frozen, watch)?);
        Ok(all)
    }

    /// What is wrong with the data file; `None` if the run does not concern it.
    fn data_fault(
        &self,
        frozen: &Frozen,
        history: &History,
        watch: &dyn Monitor,
    ) -> Result<Option<Option<String>>, EngineError> {
        let upgrades = frozen.steps.iter().any(|step| matches!(step.work, Work::Activate(_)));
        let (true, Some(install)) = (upgrades, &frozen.survey.install) else { return Ok(None) };
        let file = |folder: &WinPath| folder.child("PhoneFactor.pfdata");
        let Some(backup) = history.backup_of(&install.data()).map(file) else { return Ok(None) };
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

    /// Requests an application, and compares the answer with the one before the upgrade.
    fn responds(
        &self,
        frozen: &Frozen,
        web: &ConfigureWeb,
        hosts: &[String],
        watch: &dyn Monitor,
    ) -> Result<Check, EngineError> {
        let machine = self.platform.inspect();
        let title = web.component.title();
        let iis = machine.web_server()?.unwrap_or_default();
        let Some(site) = iis.site(&web.site) else {
            return Ok(check(format!("the {title} responds"), Some(format!("the site {} does not exist", web.site))));
        };
        watch.go_on().context(format!("request the {title}"))?;
        let pages = answers::pages(machine, site, web.component, &web.application.path, hosts)?;
        let answer = answers::ask_here(machine, &pages, answers::AFTER);
        let before = frozen.baseline.iter().find(|before| before.component == Some(web.component));
        Ok(compared(&format!("the {title}"), &answer, before))
    }

    /// Requests the URLs in the plan.
    fn urls_respond(&self, frozen: &Frozen, watch: &dyn Monitor) -> Result<Vec<Check>, EngineError> {
        let mut all = Vec::new();
        for url in &frozen.plan.verify.urls {
            watch.go_on().context(format!("request {url}"))?;
            let answer = answers::ask_here(self.platform.inspect(), &[url.to_string()], answers::AFTER);
            let before = frozen.baseline.iter().find(|before| before.answer.url == url.as_str());
            all.push(compared(url.as_str(), &answer, before));
        }
        Ok(all)
    }
}

fn check(what: String, fault: Option<String>) -> Check {
    Check { what, fault, backup: false }
}

/// The check of an answer. One that passes says what was seen.
fn compared(what: &str, answer: &Answer, before: Option<&Baseline>) -> Check {
    match answer.fault(before.map(|before| &before.answer)) {
        Some(fault) => check(format!("{what} responds"), Some(fault)),
        None if answer.is_well() => check(format!("{what} responds ({})", answer.status()), None),
        None if answer.was_asked() => check(format!("{what} is as before the upgrade: {answer}"), None),
        None => check(format!("{what} was not seen: {answer}"), None),
    }
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
