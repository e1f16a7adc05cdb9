//! Checks that the new versions can be installed, and that the old ones can be reinstalled.

use crate::finding::Finding;
use crate::plan::{Action, Component};
use crate::platform::{Context, Failure, disk};
use crate::procedure::{CompileContext, Target};
use crate::survey::packages;
use crate::winpath::WinPath;

pub(super) fn check(context: &CompileContext<'_>, targets: &[Target]) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for component in Component::ALL {
        if let Some(why) = context.replaced(component).and_then(|replaced| replaced.way_back.as_ref().err()) {
            findings.push(
                Finding::refuse_unless_allowed(
                    "no-way-back",
                    format!("a rollback could not reinstall the {}", component.old_title()),
                )
                .evidence([why.clone()])
                .advice(format!("specify the old installer in [{component}]: rollback-installer = '...'")),
            );
        }
    }
    if let Some(server) = context.upgraded(Component::Server).and(context.plan.server.common.installer.as_ref())
        && let Ok(path) = server.expand(|name| context.machine.variable(name))
    {
        file(context, Component::Server, &path, &mut findings)?;
        mobile_app_is_dropped(context, &path, targets, &mut findings);
    }
    for target in targets.iter().filter(|target| !target.comes_along) {
        if file(context, target.component, &target.package, &mut findings)? {
            let faults =
                packages::web_faults(context.machine, &target.package, target.component, context.survey.system.bits);
            findings.extend(faults);
        }
    }
    Ok(findings)
}

/// Checks what applies to every installer: it exists, its hash is the one in the plan, and its signer is the expected
/// one. Returns whether it exists.
fn file(
    context: &CompileContext<'_>,
    component: Component,
    path: &WinPath,
    findings: &mut Vec<Finding>,
) -> Result<bool, Failure> {
    if !disk::exists(context.machine.files(), path).context(format!("look for {path}"))? {
        findings.push(
            Finding::refuse("installer-missing", format!("the installer {path} is missing"))
                .advice(format!("copy it there, or fix `installer` in [{component}]")),
        );
        return Ok(false);
    }
    let wanted = context.plan.common(component);
    let faults = packages::file_faults(context.machine, path, wanted.pin(), wanted.signer())?;
    findings.extend(faults);
    Ok(true)
}

/// MFA Server 8.0 and later may not include the Mobile App Web Service.
fn mobile_app_is_dropped(
    context: &CompileContext<'_>,
    setup: &WinPath,
    targets: &[Target],
    findings: &mut Vec<Finding>,
) {
    let comes_along = targets.iter().any(|target| target.component == Component::MobileApp && target.comes_along);
    if !comes_along || context.plan.mobile_app.common.action != Action::Auto {
        return;
    }
    let version = context.machine.program_version(setup).ok().flatten().map(|found| found.version);
    let major = version.as_deref().and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    if major.is_none_or(|major| major >= 8) {
        findings.push(
            Finding::refuse("mobile-app-dropped", "this MFA Server setup may not include the Mobile App Web Service")
                .evidence([format!("version {}", version.as_deref().unwrap_or("unreadable"))])
                .advice("in [mobile-app], set action = \"remove\" or specify the MSI: installer = '...'"),
        );
    }
}
