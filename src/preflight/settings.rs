//! Whether the settings of the old web components can be carried over.

use super::Finding;
use crate::plan::Component;
use crate::platform::{Inspect, disk};
use crate::procedure::{Ground, Target};
use crate::step::read_beside;
use crate::webconfig::{
    Document, Gathered, OnConflict, OtherChanges, Rules, SdkUrlRule, Shown, Sources, ThemeRule, Values,
    is_placeholder_sdk_url, merge,
};
use crate::winpath::WinPath;

const CONFIG_LIMIT: u64 = 128 << 20;

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
        elsewhere(&path, &values, findings);
        needs_sdk_url(ground, target, &document, &values, findings);
    }
}

/// True where a merge can take the old settings over, or there are none.
pub(super) fn can_be_carried_over(machine: &dyn Inspect, target: &Target) -> bool {
    read(machine, &target.old.web_config()).is_ok_and(|read| read.is_none_or(|(_, values)| values.encrypted.is_empty()))
}

/// A web.config to its last value; `None` where there is no such file.
pub(super) fn read(machine: &dyn Inspect, path: &WinPath) -> Result<Option<(Document, Values)>, String> {
    if !disk::exists(machine.files(), path).map_err(|error| error.to_string())? {
        return Ok(None);
    }
    let bytes = disk::read(machine.files(), path, CONFIG_LIMIT).map_err(|error| error.to_string())?;
    let document = Document::parse(bytes, path.as_str()).map_err(|error| error.to_string())?;
    let folder = path.parent().unwrap_or_else(|| path.clone());
    let beside = |file: &str| read_beside(machine, &folder, file);
    let gathered = Gathered::of(&document, None, None, &beside).map_err(|error| error.to_string())?;
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

/// Settings that are not in the file itself, or not in clear.
fn elsewhere(path: &WinPath, values: &Values, findings: &mut Vec<Finding>) {
    if !values.encrypted.is_empty() {
        findings.push(
            Finding::refuse("encrypted-web-config", format!("{path} has encrypted sections"))
                .evidence(values.encrypted.iter().cloned())
                .advice(r"decrypt them first: %windir%\Microsoft.NET\Framework64\v2.0.50727\aspnet_regiis.exe -pdf SECTION FOLDER"),
        );
    }
    if !values.outside.is_empty() {
        let outside = values.outside.iter().map(|outside| format!("{}: {}", outside.section, outside.file));
        findings.push(
            Finding::warn("outside-configuration", format!("{path} refers to files that are not carried over"))
                .evidence(outside)
                .advice("they are missing, or lie outside its folder: look whether the new file has to refer to them"),
        );
    }
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
