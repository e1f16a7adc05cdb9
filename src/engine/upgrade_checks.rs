//! Checks of an upgraded machine besides its steps: whether the data is upgraded, the applications respond, and the old
//! name of the SDK's virtual directory is gone from their settings.

use super::{Check, Engine, EngineError};
use crate::journal::{Answered, Frozen, Passed, RunState};
use crate::names::list;
use crate::platform::facts::{Service, ServiceState};
use crate::platform::{Context, Failure, Monitor, disk};
use crate::step::{ACTIVATION, ConfigureWeb, History, Memo, StepContext, Work, losses};
use crate::survey::answers::{self, Answer, Baseline};
use crate::survey::program_of;
use crate::webconfig::CONFIG_LIMIT;
use crate::webconfig::{Document, SdkUrlRule};
use crate::winpath::WinPath;

impl Engine<'_> {
    /// Checks an upgraded machine. `watch` may stop that.
    pub(super) fn upgraded(
        &self,
        frozen: &Frozen,
        state: &RunState,
        watch: &dyn Monitor,
    ) -> Result<Vec<Check>, EngineError> {
        let mut all = Vec::new();
        if let Some(fault) = self.data_fault(frozen, &state.history, watch)? {
            all.push(check("the data file is upgraded".to_owned(), fault));
        }
        all.extend(self.data_is_kept(frozen, state)?);
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
        all.extend(self.modules_are_there()?);
        all.extend(self.services_run(frozen)?);
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
        match files.entry(&now).context(format!("look for {now}"))? {
            None => return Ok(Some(Some(format!("{now} is missing")))),
            Some(entry) if entry.len == 0 => return Ok(Some(Some(format!("{now} is empty")))),
            Some(_) => {}
        }
        let sum =
            |path: &WinPath| disk::hash_by_blocks(files, path, &mut |_| watch.go_on()).context(format!("read {path}"));
        let same = sum(&backup)? == sum(&now)?;
        Ok(Some(same.then(|| format!("{now} is unchanged since before the upgrade"))))
    }

    /// Whether every module that IIS loads into all application pools has its file. An uninstaller that leaves the
    /// registration of a file that it removes stops every pool of the server (event 2280 of the worker process).
    fn modules_are_there(&self) -> Result<Option<Check>, EngineError> {
        let machine = self.platform.inspect();
        let Some(iis) = machine.web_server()? else { return Ok(None) };
        // What cannot be looked for is not known to be missing.
        let is_missing = |path: &WinPath| disk::exists(machine.files(), path).is_ok_and(|there| !there);
        let missing = iis.global_modules.iter().filter(|(_, path)| is_missing(path));
        let missing: Vec<String> = missing.map(|(name, path)| format!("{name}: {path} is missing")).collect();
        let what = "every module that IIS loads for all sites has its file".to_owned();
        Ok(Some(check(what, (!missing.is_empty()).then(|| missing.join("; ")))))
    }

    /// Whether as many services of the server run as before: their names may have changed.
    fn services_run(&self, frozen: &Frozen) -> Result<Option<Check>, EngineError> {
        let upgrades = frozen.steps.iter().any(|step| matches!(step.work, Work::Activate(_)));
        let (true, Some(install)) = (upgrades, &frozen.survey.install) else { return Ok(None) };
        let is_running = |service: &Service| service.state == ServiceState::Running;
        let mut before = frozen.survey.services.clone();
        before.retain(is_running);
        let machine = self.platform.inspect();
        let mut now = machine.services()?;
        now.retain(|service| program_of(machine, service).is_some_and(|program| program.is_within(&install.folder)));
        let (running, stopped): (Vec<_>, Vec<_>) = now.into_iter().partition(is_running);
        let names = |of: &[Service]| list(of.iter().map(|service| &service.name));
        let [before_names, running_names, stopped_names] = [&before, &running, &stopped].map(|all| names(all));
        let fault = || format!("running before: {before_names}; now: {running_names}; stopped: {stopped_names}");
        let what = "as many services of the server run as before".to_owned();
        Ok(Some(check(what, (running.len() < before.len()).then(fault))))
    }

    /// Whether users, settings and activation are still there, unless the operator has confirmed what is not.
    fn data_is_kept(&self, frozen: &Frozen, state: &RunState) -> Result<Option<Check>, EngineError> {
        let confirmed = |answered: &Answered| matches!(answered.passed(), Passed::Confirmed(_) | Passed::Skipped(_));
        if state.gates.iter().any(|answered| answered.gate == ACTIVATION && confirmed(answered)) {
            return Ok(None);
        }
        let data = frozen.steps.iter().find_map(|step| match &step.work {
            Work::Activate(activate) => activate.data.as_ref(),
            _ => None,
        });
        let Some(data) = data.filter(|data| state.history.backup_of(data).is_some()) else { return Ok(None) };
        let (machine, memo) = (self.platform.inspect(), Memo::default());
        let context = StepContext { machine, folders: &frozen.folders, history: &state.history, memo: &memo };
        let losses = losses(&context, data)?;
        let fault = (!losses.is_empty()).then(|| losses.join("; "));
        Ok(Some(check(
            "the data file is not much smaller than before, and the activation is unchanged".to_owned(),
            fault,
        )))
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

pub(super) fn check(what: String, fault: Option<String>) -> Check {
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
