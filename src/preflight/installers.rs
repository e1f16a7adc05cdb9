//! Whether what has to be installed can be installed, and what is uninstalled can come back.

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
                    format!("the {} could not be put back", component.title()),
                )
                .evidence([why.clone()])
                .advice(format!("name an installer of the old version in [{component}]: rollback-installer = '...'")),
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

/// What is true of every installer: it is there, it is the one the plan means, and the right people signed it. Answers
/// whether it is there.
fn file(
    context: &CompileContext<'_>,
    component: Component,
    path: &WinPath,
    findings: &mut Vec<Finding>,
) -> Result<bool, Failure> {
    if !disk::exists(context.machine.files(), path).context(format!("look for {path}"))? {
        findings.push(
            Finding::refuse("installer-missing", format!("the installer {path} is not there"))
                .advice(format!("put it there, or correct `installer` in [{component}]")),
        );
        return Ok(false);
    }
    let wanted = context.plan.common(component);
    let faults = packages::file_faults(context.machine, path, wanted.pin(), wanted.signer())?;
    findings.extend(faults);
    Ok(true)
}

/// From 8.0 on the Mobile App Web Service may no longer be shipped.
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
            Finding::refuse("mobile-app-dropped", "this server setup may bring no Mobile App Web Service")
                .evidence([format!("version {}", version.as_deref().unwrap_or("not readable"))])
                .advice("in [mobile-app], set action = \"remove\" or name the MSI: installer = '...'"),
        );
    }
}
