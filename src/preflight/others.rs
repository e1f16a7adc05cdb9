//! Checks what the new version depends on: accounts, groups, and an SDK on another server.

use crate::finding::Finding;
use crate::plan::Component;
use crate::procedure::{CompileContext, Target};
use crate::survey::answers;
use crate::survey::web_config;

/// The group whose members may use the SDK; it keeps its name in the new version. Only the MFA Server console creates
/// it, and an upgrade does not open that.
const GROUP: &str = "PhoneFactor Admins";

pub(super) fn check(context: &CompileContext<'_>, targets: &[Target], findings: &mut Vec<Finding>) {
    accounts(context, targets, findings);
    findings.extend(silent_sdk(context, targets));
}

/// What an account is used for, and its name.
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
        let title = "accounts or groups in the old configuration do not exist";
        let advice =
            "create them, or fix the configuration; allow this if they are in a domain that is not reachable from here";
        findings.push(Finding::refuse_unless_allowed("account-missing", title).evidence(missing).advice(advice));
    }
    if !unknown.is_empty() {
        let title = "the existence of these accounts and groups could not be verified";
        findings.push(Finding::warn("account-missing", title).evidence(unknown).advice("check them yourself"));
    }
}

fn needed(context: &CompileContext<'_>, target: &Target) -> Vec<Named> {
    let mut all = Vec::new();
    let title = target.component.title();
    let pool = context.survey.web_server.as_ref().and_then(|iis| iis.pool(&target.pool));
    // Built-in identities have no backslash.
    if let Some(pool) = pool.filter(|pool| pool.identity.contains('\\')) {
        all.push((format!("identity of the application pool \"{}\" of the {title}", pool.name), pool.identity.clone()));
    }
    if target.component == Component::Sdk {
        all.push((format!("its members may use the {title}"), GROUP.to_owned()));
    }
    // The account for an SDK on another server may be local to that server.
    if context.plan.sdk.url.is_none()
        && let Some(name) = sdk_account(context, target)
    {
        all.push((format!("the {title} signs in to the SDK with it"), name));
    }
    all
}

fn sdk_account(context: &CompileContext<'_>, target: &Target) -> Option<String> {
    // An unreadable file has its own finding.
    let (_, values) = web_config::read(context.machine, &target.old.web_config()).ok()??;
    let name = values.app_setting("WEB_SERVICE_SDK_AUTHENTICATION_USERNAME")?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// An SDK on another server must respond by the time this one needs it. A request for credentials is a valid response.
fn silent_sdk(context: &CompileContext<'_>, targets: &[Target]) -> Option<Finding> {
    let url = context.plan.sdk.url.as_ref()?;
    targets.iter().find(|target| target.component != Component::Sdk)?;
    let answer = answers::ask(context.machine, url.as_str(), answers::BEFORE);
    if answer.is_well() {
        return None;
    }
    let title = "the Web Service SDK does not respond at the URL in the plan";
    let advice = "upgrade the agent's server first, and check the URL by opening it in a browser on this server";
    Some(Finding::refuse_unless_allowed("sdk-url-silent", title).evidence([answer.to_string()]).advice(advice))
}
