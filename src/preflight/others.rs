//! What the new version needs of others: accounts, groups, and an SDK on another server.

use crate::finding::Finding;
use crate::plan::Component;
use crate::procedure::{CompileContext, Target};
use crate::survey::web_config;

/// The group whose members may use the SDK; it keeps its name in the new version. The server's console makes it, which
/// nobody opens in an upgrade.
const GROUP: &str = "PhoneFactor Admins";

pub(super) fn check(context: &CompileContext<'_>, targets: &[Target], findings: &mut Vec<Finding>) {
    accounts(context, targets, findings);
    findings.extend(silent_sdk(context, targets));
}

/// What an account is needed for, and its name.
type Named = (String, String);

fn accounts(context: &CompileContext<'_>, targets: &[Target], findings: &mut Vec<Finding>) {
    let (mut missing, mut unknown) = (Vec::new(), Vec::new());
    for (what, name) in targets.iter().flat_map(|target| needed(context, target)) {
        let seen = format!("{name}, {what}");
        match context.machine.account_exists(&name) {
            Ok(Some(true)) => {}
            Ok(Some(false)) => missing.push(seen),
            Ok(None) => unknown.push(seen),
            Err(failure) => unknown.push(format!("{seen}: {}", failure.why)),
        }
    }
    if !missing.is_empty() {
        let title = "accounts or groups that the old configuration names do not exist";
        let advice =
            "create them, or correct the configuration; allow it where a domain that is not at hand knows them";
        findings.push(Finding::refuse_unless_allowed("account-missing", title).evidence(missing).advice(advice));
    }
    if !unknown.is_empty() {
        let title = "whether these accounts and groups exist could not be found out";
        findings.push(Finding::warn("account-missing", title).evidence(unknown).advice("look for them yourself"));
    }
}

fn needed(context: &CompileContext<'_>, target: &Target) -> Vec<Named> {
    let mut all = Vec::new();
    let title = target.component.title();
    let pool = context.survey.web_server.as_ref().and_then(|iis| iis.pool(&target.pool));
    // Built-in identities have no backslash.
    if let Some(pool) = pool.filter(|pool| pool.identity.contains('\\')) {
        all.push((format!("as which the pool \"{}\" of the {title} runs", pool.name), pool.identity.clone()));
    }
    if target.component == Component::Sdk {
        all.push((format!("whose members may use the {title}"), GROUP.to_owned()));
    }
    // An account for an SDK on another server may be one of that server alone.
    if context.plan.sdk.url.is_none()
        && let Some(name) = sdk_account(context, target)
    {
        all.push((format!("with which the {title} signs in to the SDK"), name));
    }
    all
}

fn sdk_account(context: &CompileContext<'_>, target: &Target) -> Option<String> {
    // What cannot be read is a finding of its own.
    let (_, values) = web_config::read(context.machine, &target.old.web_config()).ok()??;
    let name = values.app_setting("WEB_SERVICE_SDK_AUTHENTICATION_USERNAME")?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// An SDK on another server must be there by the time this one needs it. One that asks who is there is well.
fn silent_sdk(context: &CompileContext<'_>, targets: &[Target]) -> Option<Finding> {
    let url = context.plan.sdk.url.as_ref()?;
    targets.iter().find(|target| target.component != Component::Sdk)?;
    let seen = match context.machine.http_status(url.as_str()) {
        Ok(200..=399 | 401 | 403) => return None,
        Ok(status) => format!("{url} answers with {status}"),
        Err(failure) => failure.to_string(),
    };
    let title = "the Web Service SDK does not answer at the address that the plan gives";
    let advice = "upgrade the agent's server first, and check the address by opening it in a browser on this server";
    Some(Finding::refuse_unless_allowed("sdk-url-silent", title).evidence([seen]).advice(advice))
}
