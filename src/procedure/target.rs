//! The location of the new version of each web component.

use super::{CompileContext, Replaced};
use crate::finding::Finding;
use crate::names::SiteName;
use crate::plan::{Component, Method, Web};
use crate::platform::facts::{Pool, Site};
use crate::survey::Served;
use crate::winpath::WinPath;

/// The location of the new version of a web component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) component: Component,
    pub(crate) site: SiteName,
    pub(crate) site_id: u32,
    pub(crate) path: String,
    pub(crate) folder: WinPath,
    pub(crate) pool: String,
    pub(crate) package: WinPath,
    pub(crate) comes_along: bool,
    pub(crate) method: Method,
    pub(crate) old: Served,
}

/// The targets of all web components that are upgraded, in the order in which they are installed.
pub(super) fn targets(context: &CompileContext<'_>, findings: &mut Vec<Finding>) -> Vec<Target> {
    let mut all = Vec::new();
    for component in Component::WEB {
        let (Some(replaced), Some(wanted)) = (context.upgraded(component), context.plan.web(component)) else {
            continue;
        };
        match target(context, component, replaced, wanted) {
            Ok(target) => all.extend(target),
            Err(finding) => findings.push(*finding),
        }
    }
    all
}

fn target(
    context: &CompileContext<'_>,
    component: Component,
    replaced: &Replaced,
    wanted: &Web,
) -> Result<Option<Target>, Box<Finding>> {
    let (Some(old), Some(iis)) = (&replaced.served, &context.survey.web_server) else { return Ok(None) };
    let name = wanted.site.as_deref().unwrap_or(&old.site);
    let site = iis.site(name).ok_or_else(|| {
        Finding::refuse("no-site", format!("IIS has no site \"{name}\" for the {}", component.title()))
            .evidence(iis.sites.iter().map(|site| site.name.to_string()))
            .advice(format!("fix `site` in [{component}]"))
    })?;
    let path = format!("/{}", wanted.virtual_directory.as_str());
    let folder = site.folder.child(wanted.virtual_directory.as_str());
    check_is_free(context, component, site, &path, &folder, old)?;
    let pool = pool(component, wanted, old, &iis.pools)?;
    let (package, comes_along) = package(context, component, wanted)?;
    Ok(Some(Target {
        component,
        site: site.name.clone(),
        site_id: site.id,
        path,
        folder,
        pool,
        package,
        comes_along,
        method: wanted.method,
        old: old.clone(),
    }))
}

/// Checks that neither another application nor a folder that stays is at the location of the new application.
fn check_is_free(
    context: &CompileContext<'_>,
    component: Component,
    site: &Site,
    path: &str,
    folder: &WinPath,
    old: &Served,
) -> Result<(), Box<Finding>> {
    let own = old.site == site.name && old.application.path.eq_ignore_ascii_case(path);
    let application = site.applications.iter().find(|found| found.path.eq_ignore_ascii_case(path) && !own);
    let there = context.machine.files().entry(folder).is_ok_and(|entry| entry.is_some());
    let evidence = match application {
        Some(application) => format!("application {path} of site \"{}\" in {}", site.name, application.folder),
        None if there && *folder != old.application.folder => format!("folder {folder}"),
        None => return Ok(()),
    };
    let finding =
        Finding::refuse("directory-taken", format!("the name {path} of the {} is already in use", component.title()));
    Err(Box::new(
        finding
            .evidence([evidence])
            .advice(format!("remove what uses it, or choose another `virtual-directory` in [{component}]")),
    ))
}

/// The plan's application pool, or the old one if it can run the new version.
fn pool(component: Component, wanted: &Web, old: &Served, pools: &[Pool]) -> Result<String, Box<Finding>> {
    let name = wanted.application_pool.as_deref().unwrap_or(&old.application.pool);
    let pool = pools.iter().find(|pool| pool.name.eq_ignore_ascii_case(name));
    let fitting = pools.iter().filter(|pool| pool.fits()).map(|pool| format!("\"{}\" is suitable", pool.name));
    let refuse = |title: String| {
        let advice =
            format!("set `application-pool` in [{component}] to a pool with CLR v4.0 and the Integrated pipeline");
        Err(Box::new(Finding::refuse("application-pool", title).evidence(fitting).advice(advice)))
    };
    match pool {
        None => refuse(format!("IIS has no application pool \"{name}\" for the {}", component.title())),
        Some(pool) if !pool.fits() => refuse(format!(
            "the application pool \"{name}\" of the {} runs CLR {} in the {} pipeline; the new version needs v4.0 and Integrated",
            component.title(),
            pool.clr,
            pool.pipeline
        )),
        Some(pool) => Ok(pool.name.clone()),
    }
}

/// The plan's package, or the path where the MFA Server setup puts it.
fn package(context: &CompileContext<'_>, component: Component, wanted: &Web) -> Result<(WinPath, bool), Box<Finding>> {
    // The console has its own installer.
    if let (Some(installer), Method::Msi) = (&wanted.common.installer, wanted.method) {
        return match installer.expand(|name| context.machine.variable(name)) {
            Ok(path) => Ok((path, false)),
            Err(error) => Err(Box::new(
                Finding::refuse("no-installer", error.to_string()).advice(format!("fix `installer` in [{component}]")),
            )),
        };
    }
    let name = match component {
        Component::Sdk => "WebServiceSdk",
        Component::Portal => "UserPortal",
        Component::MobileApp => "MobileAppWebService",
        Component::Server => "Server",
    };
    let file = format!("MultiFactorAuthentication{name}Setup{}.msi", context.survey.system.bits.number());
    let server = context.survey.components.get(&Component::Server);
    let is_new = server.is_some_and(|found| found.new_era().is_some());
    match (&context.survey.install, context.upgraded(Component::Server)) {
        (Some(install), Some(_)) => Ok((install.folder.child(&file), true)),
        (Some(install), None) if is_new => Ok((install.folder.child(&file), false)),
        _ if wanted.method == Method::Console => {
            let title = format!("the plan installs the {} in the MFA Server console", component.title());
            let advice = format!(
                "remove `method` from [{component}], and specify its installer: MFA Server is not on this server"
            );
            Err(Box::new(Finding::refuse("method-console", title).advice(advice)))
        }
        _ => Err(Box::new(
            Finding::refuse("no-installer", format!("the plan names no installer for the {}", component.title()))
                .advice(format!("copy {file} from the MFA Server folder, and add to [{component}]: installer = '...'")),
        )),
    }
}
