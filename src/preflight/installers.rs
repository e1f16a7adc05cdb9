//! Checks that the new versions can be installed, and that the old ones can be reinstalled.

use crate::finding::Finding;
use crate::plan::{Action, Component};
use crate::platform::{Context, Failure, disk};
use crate::procedure::{CompileContext, Replaced, Target};
use crate::survey::{packages, products};
use crate::winpath::WinPath;

pub(super) fn check(context: &CompileContext<'_>, targets: &[Target]) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for component in Component::ALL {
        findings.extend(context.replaced(component).and_then(|replaced| old_package(context, component, replaced)));
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

/// Windows Installer needs the package of a product to uninstall it, and a rollback needs it to install it again. The
/// first cannot be allowed: the uninstall would fail in the outage.
fn old_package(context: &CompileContext<'_>, component: Component, replaced: &Replaced) -> Option<Finding> {
    let (product, name) = (&replaced.product, component.old_title());
    if let Err(why) = &replaced.uninstalls_with {
        let source = products::install_source(context.machine, &product.code).ok().flatten();
        let seen = source.map(|folder| format!("it was installed from {folder}"));
        let restore = product.package.as_ref().map(|path| format!("restore {path} from a backup of this server, or "));
        let advice = format!(
            "{}specify the package that {} was installed from in [{component}]: rollback-installer = '...'",
            restore.unwrap_or_default(),
            product.title()
        );
        let title = format!("Windows Installer could not uninstall the {name}: it has lost the package");
        return Some(
            Finding::refuse("cannot-uninstall", title).evidence([why.clone()].into_iter().chain(seen)).advice(advice),
        );
    }
    let why = replaced.way_back.as_ref().err()?;
    Some(
        Finding::refuse_unless_allowed("no-way-back", format!("a rollback could not reinstall the {name}"))
            .evidence([why.clone()])
            .advice(format!("specify the old installer in [{component}]: rollback-installer = '...'")),
    )
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
