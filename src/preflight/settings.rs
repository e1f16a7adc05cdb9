//! Checks that the settings of the old web components can be migrated.

use crate::finding::Finding;
use crate::plan::{Component, Themes};
use crate::platform::disk;
use crate::procedure::{CompileContext, Target, encrypted};
use crate::survey::web_config;
use crate::webconfig::{Document, Shown, Values, is_placeholder_sdk_url};
use crate::winpath::WinPath;

pub(super) fn check(context: &CompileContext<'_>, targets: &[Target], findings: &mut Vec<Finding>) {
    for target in targets {
        let path = target.old.web_config();
        let (document, values) = match web_config::read(context.machine, &path) {
            Ok(Some(read)) => read,
            Ok(None) => {
                findings.push(
                    Finding::warn("no-web-config", format!("{path} is missing, so there are no settings to migrate"))
                        .advice("if it was lost, restore it first"),
                );
                continue;
            }
            Err(why) => {
                findings.push(
                    Finding::refuse("unreadable-web-config", format!("the settings in {path} cannot be migrated"))
                        .evidence([why])
                        .advice("fix the file first; both IIS and pfupgrade must be able to read it"),
                );
                continue;
            }
        };
        if let Some(why) = &target.old.unusable {
            let title =
                format!("IIS cannot use the configuration of {}, so its settings are unknown", target.old.location());
            let advice = "fix what IIS reports first: until then, users see error 500.19";
            findings.push(Finding::refuse("unreadable-web-config", title).evidence([why.clone()]).advice(advice));
        }
        elsewhere(context, &path, &values, findings);
        findings.extend(no_theme(context, target, &values));
        needs_sdk_url(context, target, &document, &values, findings);
    }
}

/// Settings that are in other files, or encrypted.
fn elsewhere(context: &CompileContext<'_>, path: &WinPath, values: &Values, findings: &mut Vec<Finding>) {
    if !values.encrypted.is_empty() {
        findings.extend(encrypted::refusal(context, path, values));
    }
    let told = |is_source: bool| {
        let left = values.outside.iter().filter(move |outside| (outside.attribute == "configSource") == is_source);
        left.map(|outside| format!("{}: {}", outside.section, outside.file)).collect::<Vec<_>>()
    };
    let title = format!("{path} refers to files outside its folder");
    let (sources, added) = (told(true), told(false));
    if !sources.is_empty() {
        let advice = "move them into the folder: without them IIS returns an error, for the old and the new version";
        findings.push(Finding::refuse("outside-configuration", &title).evidence(sources).advice(advice));
    }
    if !added.is_empty() {
        let advice = "they are not migrated: check whether the new version needs them";
        findings.push(Finding::warn("outside-configuration", title).evidence(added).advice(advice));
    }
}

/// If the selected theme is missing, no page works, in the new version as in the old one.
fn no_theme(context: &CompileContext<'_>, target: &Target, values: &Values) -> Option<Finding> {
    let restored = target.component == Component::Portal && context.plan.portal.themes == Themes::Restore;
    let theme = values.theme.as_ref().filter(|theme| restored && !theme.is_empty())?;
    let folder = target.old.application.folder.child("App_Themes").join(theme).ok()?;
    let is_there = disk::exists(context.machine.files(), &folder).unwrap_or(true);
    let title = format!("the theme selected by the {} is missing", target.component.title());
    let advice = "restore its folder, or select another theme in the web.config; otherwise the new version would not \
                  work either";
    (!is_there).then(|| Finding::refuse_unless_allowed("no-theme", title).evidence([folder.to_string()]).advice(advice))
}

/// If the SDK will not be on this server, only you know its new URL.
fn needs_sdk_url(
    context: &CompileContext<'_>,
    target: &Target,
    document: &Document,
    values: &Values,
    findings: &mut Vec<Finding>,
) {
    let stays = context.survey.components.contains_key(&Component::Sdk);
    let removed = context.replaced(Component::Sdk).is_some_and(|sdk| !sdk.again);
    if target.component == Component::Sdk || context.plan.sdk.url.is_some() || (stays && !removed) {
        return;
    }
    // Only the portal works without it: on the agent's server it talks to the agent directly.
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
        true => format!("the {name} uses the Web Service SDK on this server, which the plan removes"),
        false => format!("the {name} uses a Web Service SDK on another server"),
    };
    findings.push(
        Finding::refuse("no-sdk-url", title)
            .evidence([format!("{setting}: {}", Shown::of(&setting, &url))])
            .advice("add its new URL to [sdk]: url = \"https://.../MultiFactorAuthWebServiceSdk/PfWsSdk.asmx\""),
    );
}
