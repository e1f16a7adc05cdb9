//! Whether what has to be installed can be installed, and what is uninstalled can come back.

use super::Finding;
use crate::plan::{Action, Common, Component, MachinePath, SignedBy};
use crate::platform::{Doing, Failure, Inspect, disk};
use crate::procedure::{Ground, Target};
use crate::survey::packages::{self, Fault};
use crate::survey::products::{self, Product};
use crate::winpath::WinPath;

/// The package by which a product can be installed again, or why there is none. The package is read to its last byte.
pub fn way_back(machine: &dyn Inspect, product: &Product) -> Result<WinPath, String> {
    if !product.windows_installer {
        return Err(format!("{} was not installed by Windows Installer", product.title()));
    }
    let path =
        product.package.clone().ok_or_else(|| format!("Windows Installer names no package for {}", product.title()))?;
    installs_again(machine, &path, product)?;
    let applied = products::applied(machine, &product.code).map_err(|failure| failure.to_string())?;
    match applied.is_empty() {
        true => Ok(path),
        false => Err(format!(
            "{} has been changed since it was installed, and its package alone would not bring that back: {}",
            product.title(),
            applied.join(", ")
        )),
    }
}

/// The plan's own installer of the old version: it must be of the very product that is installed, for another one would
/// not be the state before.
pub(crate) fn rollback_installer(
    machine: &dyn Inspect,
    component: Component,
    wanted: &MachinePath,
    product: &Product,
) -> Result<WinPath, Box<Finding>> {
    let path = wanted.expand(|name| machine.variable(name)).map_err(|error| error.to_string());
    path.and_then(|path| installs_again(machine, &path, product).map(|()| path)).map_err(|why| {
        let title = format!("the rollback installer of the {} cannot bring the old one back", component.title());
        let advice = format!(
            "in [{component}], name the package that {} was installed from, or take `rollback-installer` out",
            product.title()
        );
        Box::new(Finding::refuse("rollback-installer", title).evidence([why]).advice(advice))
    })
}

/// Why a package cannot install a product again. It is read to its last byte.
fn installs_again(machine: &dyn Inspect, path: &WinPath, product: &Product) -> Result<(), String> {
    let mut package = packages::open(machine, path)
        .map_err(|failure| failure.to_string())?
        .ok_or_else(|| format!("the package of {}, {path}, is not there", product.title()))?;
    let info = package.info().clone();
    if !info.product_code.eq_ignore_ascii_case(&product.code) {
        return Err(format!(
            "{path} is the package of another product: {} {} {} instead of {} {}",
            info.product_name,
            info.product_version,
            info.product_code,
            product.title(),
            product.code
        ));
    }
    if let Some(what) = package.outside() {
        let title = product.title();
        return Err(format!(
            "{path} does not hold the files of {title}, which lay beside it when it was installed: {what}"
        ));
    }
    package.unpack(&mut |_, _| Ok(())).map_err(|error| error.to_string())
}

pub(super) fn check(ground: &Ground<'_>, targets: &[Target]) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for component in Component::ALL {
        if let Some(why) = ground.replaced(component).and_then(|replaced| replaced.way_back.as_ref().err()) {
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
    if let Some(server) = ground.upgraded(Component::Server).and(ground.plan.server.common.installer.as_ref())
        && let Ok(path) = server.expand(|name| ground.machine.variable(name))
    {
        file(ground, Component::Server, &path, &mut findings)?;
        mobile_app_is_dropped(ground, &path, targets, &mut findings);
    }
    for target in targets.iter().filter(|target| !target.comes_along) {
        if file(ground, target.component, &target.package, &mut findings)? {
            let faults =
                packages::web_faults(ground.machine, &target.package, target.component, ground.survey.system.bits);
            findings.extend(faults.into_iter().map(Finding::from));
        }
    }
    Ok(findings)
}

/// What is true of every installer: it is there, it is the one the plan means, and the right people signed it. Answers
/// whether it is there.
fn file(
    ground: &Ground<'_>,
    component: Component,
    path: &WinPath,
    findings: &mut Vec<Finding>,
) -> Result<bool, Failure> {
    if !disk::exists(ground.machine.files(), path).doing(format!("look for {path}"))? {
        findings.push(
            Finding::refuse("installer-missing", format!("the installer {path} is not there"))
                .advice(format!("put it there, or correct `installer` in [{component}]")),
        );
        return Ok(false);
    }
    let wanted = ground.plan.common(component);
    let faults = packages::file_faults(ground.machine, path, pin(wanted), signer(wanted))?;
    findings.extend(faults.into_iter().map(Finding::from));
    Ok(true)
}

/// The hash that the plan wants an installer to have.
pub(crate) fn pin(wanted: &Common) -> Option<&str> {
    wanted.sha256.as_ref().map(|pin| pin.as_str())
}

/// Who the plan wants to have signed an installer.
pub(crate) fn signer(wanted: &Common) -> Option<&str> {
    match &wanted.signed_by {
        SignedBy::Name(name) => Some(name),
        SignedBy::Unsigned => None,
    }
}

impl From<Fault> for Finding {
    fn from(fault: Fault) -> Self {
        let finding = if fault.refuses { Self::refuse } else { Self::warn };
        finding(fault.id, fault.title).evidence(fault.seen).advice(fault.advice)
    }
}

/// From 8.0 on the Mobile App Web Service may no longer be shipped.
fn mobile_app_is_dropped(ground: &Ground<'_>, setup: &WinPath, targets: &[Target], findings: &mut Vec<Finding>) {
    let comes_along = targets.iter().any(|target| target.component == Component::MobileApp && target.comes_along);
    if !comes_along || ground.plan.mobile_app.common.action != Action::Auto {
        return;
    }
    let version = ground.machine.program_version(setup).ok().flatten().map(|found| found.version);
    let major = version.as_deref().and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    if major.is_none_or(|major| major >= 8) {
        findings.push(
            Finding::refuse("mobile-app-dropped", "this server setup may bring no Mobile App Web Service")
                .evidence([format!("version {}", version.as_deref().unwrap_or("not readable"))])
                .advice("in [mobile-app], set action = \"remove\" or name the MSI: installer = '...'"),
        );
    }
}
