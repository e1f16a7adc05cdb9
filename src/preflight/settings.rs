//! Whether the settings of the old web components can be carried over.

use super::Finding;
use crate::plan::{Component, OnEncrypted, Themes};
use crate::platform::{Inspect, disk};
use crate::procedure::{Ground, Target, encrypted};
use crate::step::read_beside;
use crate::webconfig::CONFIG_LIMIT;
use crate::webconfig::{
    Document, Gathered, OnConflict, OtherChanges, Rules, SdkUrlRule, Shown, Sources, ThemeRule, Values,
    is_placeholder_sdk_url, merge,
};
use crate::winpath::WinPath;

pub(super) fn check(ground: &Ground<'_>, targets: &[Target], findings: &mut Vec<Finding>) {
    for target in targets {
        let path = target.old.web_config();
        let (document, values) = match read(ground.machine, &path) {
            Ok(Some(read)) => read,
            Ok(None) => {
                findings.push(
                    Finding::warn(
                        "no-web-config",
                        format!("{path} is not there, so there are no settings to carry over"),
                    )
                    .advice("if it has been lost, put it back first"),
                );
                continue;
            }
            Err(why) => {
                findings.push(
                    Finding::refuse("unreadable-web-config", format!("the settings in {path} cannot be carried over"))
                        .evidence([why])
                        .advice("repair the file first; IIS and this program must both be able to read it"),
                );
                continue;
            }
        };
        elsewhere(ground, &path, &values, findings);
        findings.extend(no_theme(ground, target, &values));
        needs_sdk_url(ground, target, &document, &values, findings);
    }
}

/// True where a merge can take the old settings over, or there are none.
pub(super) fn can_be_carried_over(ground: &Ground<'_>, target: &Target) -> bool {
    let path = target.old.web_config();
    let is_readable =
        |values: &Values| values.encrypted.is_empty() || encrypted_sections(ground, &path, values).is_none();
    read(ground.machine, &path).is_ok_and(|read| read.is_none_or(|(_, values)| is_readable(&values)))
}

/// The files that a web.config refers to and that go along with it.
pub(crate) fn outside_files(machine: &dyn Inspect, path: &WinPath) -> Vec<String> {
    let Ok(Some(document)) = parse(machine, path) else { return Vec::new() };
    let folder = path.parent().unwrap_or_else(|| path.clone());
    let beside = |file: &str| read_beside(machine, &folder, file);
    Gathered::of(&document, &beside).map_or(Vec::new(), |gathered| gathered.files())
}

/// A web.config to its last value; `None` where there is no such file.
pub(crate) fn read(machine: &dyn Inspect, path: &WinPath) -> Result<Option<(Document, Values)>, String> {
    let Some(document) = parse(machine, path)? else { return Ok(None) };
    let folder = path.parent().unwrap_or_else(|| path.clone());
    let beside = |file: &str| read_beside(machine, &folder, file);
    let gathered = Gathered::of(&document, &beside).map_err(|error| error.to_string())?;
    let document = gathered.document;
    let values = document.values().map_err(|error| error.to_string())?;
    let values = Values { outside: gathered.left, ..values };
    if values.encrypted.is_empty() {
        // What cannot be merged even with itself cannot be merged with a new file either.
        let sources = Sources { old: &document, base: None, new: &document };
        let (sdk_url, theme, other_changes) = (SdkUrlRule::Keep, ThemeRule::KeepNew, OtherChanges::Report);
        let rules = Rules {
            sdk_url,
            theme,
            other_changes,
            on_conflict: OnConflict::KeepNew,
            strict: false,
            decisions: std::collections::BTreeMap::new(),
        };
        merge(&sources, &rules).map_err(|error| error.to_string())?;
    }
    Ok(Some((document, values)))
}

fn parse(machine: &dyn Inspect, path: &WinPath) -> Result<Option<Document>, String> {
    if !disk::exists(machine.files(), path).map_err(|error| error.to_string())? {
        return Ok(None);
    }
    let bytes = disk::read(machine.files(), path, CONFIG_LIMIT).map_err(|error| error.to_string())?;
    Document::parse(bytes, path.as_str()).map(Some).map_err(|error| error.to_string())
}

/// Settings that are not in the file itself, or not in clear.
fn elsewhere(ground: &Ground<'_>, path: &WinPath, values: &Values, findings: &mut Vec<Finding>) {
    if !values.encrypted.is_empty() {
        findings.extend(encrypted_sections(ground, path, values));
    }
    let told = |is_source: bool| {
        let left = values.outside.iter().filter(move |outside| (outside.attribute == "configSource") == is_source);
        left.map(|outside| format!("{}: {}", outside.section, outside.file)).collect::<Vec<_>>()
    };
    let title = format!("{path} refers to files that are not in its folder");
    let (sources, added) = (told(true), told(false));
    if !sources.is_empty() {
        let advice = "put them there: without them IIS answers with an error, for the old version as for the new one";
        findings.push(Finding::refuse("outside-configuration", &title).evidence(sources).advice(advice));
    }
    if !added.is_empty() {
        let advice = "they are not carried over: look whether the new version has to have them";
        findings.push(Finding::warn("outside-configuration", title).evidence(added).advice(advice));
    }
}

/// A theme that is selected and is not there keeps every page from being shown, in the new version as in the old one.
fn no_theme(ground: &Ground<'_>, target: &Target, values: &Values) -> Option<Finding> {
    let restored = target.component == Component::Portal && ground.plan.portal.themes == Themes::Restore;
    let theme = values.theme.as_ref().filter(|theme| restored && !theme.is_empty())?;
    let folder = target.old.application.folder.child("App_Themes").join(theme).ok()?;
    let is_there = disk::exists(ground.machine.files(), &folder).unwrap_or(true);
    let title = format!("the {} selects a theme that is not there", target.component.title());
    let advice = "put its folder back, or select another theme in the web.config: the new one would not work either";
    (!is_there).then(|| Finding::refuse_unless_allowed("no-theme", title).evidence([folder.to_string()]).advice(advice))
}

/// Encrypted sections can be merged where the plan has them decrypted, and the machine can do that.
fn encrypted_sections(ground: &Ground<'_>, path: &WinPath, values: &Values) -> Option<Finding> {
    let refuse = |title: String| Finding::refuse("encrypted-web-config", title).evidence(values.encrypted.clone());
    if ground.plan.merge.on_encrypted == OnEncrypted::Stop {
        let advice = "set `on-encrypted = \"decrypt\"` in [merge]: a private copy is decrypted for the merge, and its result \
                      encrypted again; or decrypt them yourself with aspnet_regiis -pdf";
        return Some(refuse(format!("{path} has encrypted sections")).advice(advice));
    }
    // The program knows sections by their paths from the root only.
    if values.encrypted.iter().any(|section| section.starts_with("location/")) {
        let advice = "decrypt this one yourself, or move it out of its <location>";
        return Some(refuse(format!("{path} has an encrypted section in a <location>")).advice(advice));
    }
    let has_programs = [true, false].iter().all(|is_old| encrypted::program(ground, *is_old).is_some());
    let advice =
        "install ASP.NET of the .NET Framework 4.5 or later; without it the sections have to be decrypted by hand";
    (!has_programs)
        .then(|| refuse("aspnet_regiis.exe, which decrypts, is not on this machine".to_owned()).advice(advice))
}

/// Where the SDK will not be on this server, only the administrator knows its new address.
fn needs_sdk_url(
    ground: &Ground<'_>,
    target: &Target,
    document: &Document,
    values: &Values,
    findings: &mut Vec<Finding>,
) {
    let stays = ground.survey.components.contains_key(&Component::Sdk);
    let removed = ground.replaced(Component::Sdk).is_some_and(|sdk| !sdk.again);
    if target.component == Component::Sdk || ground.plan.sdk.url.is_some() || (stays && !removed) {
        return;
    }
    // Only the portal can do without: on the agent's own server it talks to the agent directly.
    let switched_off = target.component == Component::Portal
        && values.app_setting("USE_WEB_SERVICE_SDK").is_some_and(|value| value.trim().eq_ignore_ascii_case("false"));
    let Some((setting, url)) = document.sdk_url().filter(|(_, url)| !url.is_empty() && !is_placeholder_sdk_url(url))
    else {
        return;
    };
    if switched_off {
        return;
    }
    let name = target.component.title();
    let title = match removed {
        true => format!("the {name} uses the Web Service SDK of this server, which the plan removes"),
        false => format!("the {name} uses a Web Service SDK on another server"),
    };
    findings.push(
        Finding::refuse("no-sdk-url", title)
            .evidence([format!("{setting}: {}", Shown::of(&setting, &url))])
            .advice("add its new address to [sdk]: url = \"https://.../MultiFactorAuthWebServiceSdk/PfWsSdk.asmx\""),
    );
}
