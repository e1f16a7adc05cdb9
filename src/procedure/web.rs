//! The steps that concern the web components.

use super::{Ground, Replaced, encrypted};
use crate::plan::{Component, GateId, Method, Themes, Web};
use crate::platform::facts::{Application, Pool, Site};
use crate::platform::op::{Gate, Op};
use crate::preflight::{self, Finding};
use crate::step::{AwaitPackage, BackUp, ConfigureWeb, InstallWeb, Item, Step, Tell, Uninstall, Work};
use crate::survey::{Served, packages};
use crate::webconfig::CONFIG_LIMIT;
use crate::webconfig::{Rules, SdkUrlRule, ThemeRule};
use crate::winpath::WinPath;
use std::collections::BTreeMap;

/// Where the new version of a web component goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) component: Component,
    pub(crate) site: String,
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
pub(super) fn targets(ground: &Ground<'_>, findings: &mut Vec<Finding>) -> Vec<Target> {
    let mut all = Vec::new();
    for component in Component::WEB {
        let (Some(replaced), Some(wanted)) = (ground.upgraded(component), ground.plan.web(component)) else { continue };
        match target(ground, component, replaced, wanted) {
            Ok(target) => all.extend(target),
            Err(finding) => findings.push(*finding),
        }
    }
    all
}

fn target(
    ground: &Ground<'_>,
    component: Component,
    replaced: &Replaced,
    wanted: &Web,
) -> Result<Option<Target>, Box<Finding>> {
    let (Some(old), Some(iis)) = (&replaced.served, &ground.survey.web_server) else { return Ok(None) };
    let name = wanted.site.as_deref().unwrap_or(&old.site);
    let site = iis.site(name).ok_or_else(|| {
        Finding::refuse("no-site", format!("IIS has no site \"{name}\" for the {}", component.title()))
            .evidence(iis.sites.iter().map(|site| site.name.clone()))
            .advice(format!("correct `site` in [{component}]"))
    })?;
    let path = format!("/{}", wanted.virtual_directory.as_str());
    let folder = site.folder.child(wanted.virtual_directory.as_str());
    check_is_free(ground, component, site, &path, &folder, old)?;
    let pool = pool(component, wanted, old, &iis.pools)?;
    let (package, comes_along) = package(ground, component, wanted)?;
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

/// The new application must not meet another one, nor a folder that is not about to be moved away.
fn check_is_free(
    ground: &Ground<'_>,
    component: Component,
    site: &Site,
    path: &str,
    folder: &WinPath,
    old: &Served,
) -> Result<(), Box<Finding>> {
    let own = old.site.eq_ignore_ascii_case(&site.name) && old.application.path.eq_ignore_ascii_case(path);
    let application = site.applications.iter().find(|found| found.path.eq_ignore_ascii_case(path) && !own);
    let there = ground.machine.files().entry(folder).is_ok_and(|entry| entry.is_some());
    let evidence = match application {
        Some(application) => format!("application {path} of site \"{}\" in {}", site.name, application.folder),
        None if there && *folder != old.application.folder => format!("folder {folder}"),
        None => return Ok(()),
    };
    let finding = Finding::refuse("directory-taken", format!("the name {path} for the {} is taken", component.title()));
    Err(Box::new(
        finding
            .evidence([evidence])
            .advice(format!("remove what is there, or choose another `virtual-directory` in [{component}]")),
    ))
}

/// The plan's pool, or the old one where it can run the new version.
fn pool(component: Component, wanted: &Web, old: &Served, pools: &[Pool]) -> Result<String, Box<Finding>> {
    let name = wanted.application_pool.as_deref().unwrap_or(&old.application.pool);
    let pool = pools.iter().find(|pool| pool.name.eq_ignore_ascii_case(name));
    let fitting = pools.iter().filter(|pool| pool.fits()).map(|pool| format!("\"{}\" would do", pool.name));
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

/// The plan's package, or the place where the server's setup puts it.
fn package(ground: &Ground<'_>, component: Component, wanted: &Web) -> Result<(WinPath, bool), Box<Finding>> {
    // The console has its own.
    if let (Some(installer), Method::Msi) = (&wanted.common.installer, wanted.method) {
        return match installer.expand(|name| ground.machine.variable(name)) {
            Ok(path) => Ok((path, false)),
            Err(error) => Err(Box::new(
                Finding::refuse("no-installer", error.to_string())
                    .advice(format!("correct `installer` in [{component}]")),
            )),
        };
    }
    let name = match component {
        Component::Sdk => "WebServiceSdk",
        Component::Portal => "UserPortal",
        Component::MobileApp => "MobileAppWebService",
        Component::Server => "Server",
    };
    let file = format!("MultiFactorAuthentication{name}Setup{}.msi", ground.survey.system.bits.number());
    let server = ground.survey.components.get(&Component::Server);
    let is_new = server.is_some_and(|found| found.new_era().is_some());
    match (&ground.survey.install, ground.upgraded(Component::Server)) {
        (Some(install), Some(_)) => Ok((install.folder.child(&file), true)),
        (Some(install), None) if is_new => Ok((install.folder.child(&file), false)),
        _ if wanted.method == Method::Console => {
            let title = format!("the plan wants the {} installed in the server's console", component.title());
            let advice = format!("take `method` out of [{component}], and name its installer: the server is not here");
            Err(Box::new(Finding::refuse("method-console", title).advice(advice)))
        }
        _ => Err(Box::new(
            Finding::refuse("no-installer", format!("the plan names no installer for the {}", component.title()))
                .advice(format!(
                    "copy {file} from the server's install folder, and add to [{component}]: installer = '...'"
                )),
        )),
    }
}

fn site_property(id: u32) -> String {
    format!("/LM/W3SVC/{id}")
}

/// Windows Installer does not keep what a product was installed with; where it is served from tells.
fn properties(directory: &str, site_id: u32, pool: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("TARGETVDIR".to_owned(), directory.to_owned()),
        ("TARGETSITE".to_owned(), site_property(site_id)),
        ("TARGETAPPPOOL".to_owned(), pool.to_owned()),
    ])
}

pub(super) fn back_up(ground: &Ground<'_>) -> Vec<Step> {
    let mut steps: Vec<Step> = Component::WEB.iter().filter_map(|component| back_up_one(ground, *component)).collect();
    if let Some(Work::BackUp(first)) = steps.first_mut().map(|step| &mut step.work) {
        first.web_server = Some(format!("pfupgrade-{}", ground.folders.id));
    }
    steps
}

fn back_up_one(ground: &Ground<'_>, component: Component) -> Option<Step> {
    let replaced = ground.replaced(component)?;
    let served = replaced.served.as_ref()?;
    let place = |what: &str| ground.folders.backup.child(&format!("{component}{what}"));
    let mut items = vec![Item { from: served.application.folder.clone(), to: place(""), except: Vec::new() }];
    items.extend(ground.packages(component));
    let facts = facts(ground, served);
    Some(Step {
        id: format!("back-up-{component}"),
        reason: "its folder holds the web.config and the themes; its package and its settings in IIS bring it back"
            .to_owned(),
        component: None,
        outage: false,
        skip: None,
        work: Work::BackUp(BackUp {
            component,
            items,
            key: None,
            facts: Some((facts, place("-iis.json"))),
            web_server: None,
            not_carried: served.changed.iter().map(|file| file.path.clone()).collect(),
        }),
    })
}

/// What IIS knows of an application, for people who have to rebuild it.
fn facts(ground: &Ground<'_>, served: &Served) -> String {
    let iis = ground.survey.web_server.as_ref();
    let facts = serde_json::json!({
        "site": served.site,
        "bindings": iis.and_then(|iis| iis.site(&served.site)).map(|site| &site.bindings),
        "application": served.application,
        "pool": iis.and_then(|iis| iis.pool(&served.application.pool)),
        "global_modules": iis.map(|iis| &iis.global_modules),
    });
    format!("{facts:#}\n")
}

pub(super) fn uninstall(ground: &Ground<'_>, component: Component) -> Option<Step> {
    let replaced = ground.replaced(component)?;
    let served = replaced.served.as_ref()?;
    let application = &served.application;
    Some(Step {
        id: format!("uninstall-{component}"),
        reason: if replaced.again {
            "its new version does not install over it; what it leaves behind would keep the new web.config out"
                .to_owned()
        } else {
            "the plan has it removed".to_owned()
        },
        component: None,
        outage: true,
        skip: None,
        work: Work::Uninstall(Uninstall {
            component,
            code: replaced.product.code.clone(),
            name: replaced.product.title(),
            package: replaced.way_back.clone().ok(),
            properties: properties(served.directory(), served.site_id, &application.pool),
            after: vec![Op::Configure { site: served.site.clone(), application: application.clone() }],
            folder: Some(application.folder.clone()),
            keeps: None,
        }),
    })
}

/// A look at a package that only the server's setup brings. What a person installs in the console needs none.
pub(super) fn await_package(ground: &Ground<'_>, target: &Target) -> Option<Step> {
    let component = target.component;
    if !target.comes_along || target.method == Method::Console {
        return None;
    }
    let id = format!("package-{component}");
    Some(Step {
        id: id.clone(),
        reason: "it comes with the server's setup, and could not be looked at before".to_owned(),
        component: Some(component),
        outage: true,
        skip: None,
        work: Work::AwaitPackage(AwaitPackage {
            id,
            component,
            package: target.package.clone(),
            signed_by: preflight::signer(ground.plan.common(component)).map(str::to_owned),
            old_codes: ground.old_codes(component),
        }),
    })
}

pub(super) fn install(ground: &Ground<'_>, target: &Target) -> Vec<Step> {
    let component = target.component;
    let shipped = ground.folders.backup.child(&format!("{component}-shipped-web.config"));
    let mut properties = properties(target.path.trim_start_matches('/'), target.site_id, &target.pool);
    for (name, value) in ground.plan.web(component).into_iter().flat_map(|web| &web.properties) {
        properties.insert(name.as_str().to_owned(), value.clone());
    }
    let replaced = ground.replaced(component);
    let install = InstallWeb {
        component,
        package: target.package.clone(),
        comes_along: target.comes_along,
        method: target.method,
        sha256: preflight::pin(ground.plan.common(component)).map(str::to_owned),
        signed_by: preflight::signer(ground.plan.common(component)).map(str::to_owned),
        properties,
        site: target.site.clone(),
        path: target.path.clone(),
        folder: target.folder.clone(),
        shipped: shipped.clone(),
        old_codes: ground.old_codes(component),
    };
    let configure = ConfigureWeb {
        component,
        site: target.site.clone(),
        application: Application {
            path: target.path.clone(),
            folder: target.folder.clone(),
            pool: target.pool.clone(),
            settings: target.old.application.settings.clone(),
        },
        old_folder: target.old.application.folder.clone(),
        old_package: replaced.and_then(|replaced| base_package(ground, replaced)),
        package: target.package.clone(),
        shipped,
        rules: rules(ground, component),
        themes: themes(ground, target),
        protected: encrypted::protected(ground, target),
    };
    let step = |verb: &str, reason: &str, work| Step {
        id: format!("{verb}-{component}"),
        reason: reason.to_owned(),
        component: Some(component),
        outage: true,
        skip: None,
        work,
    };
    vec![
        step("install", "closed to users until its settings are carried over", Work::InstallWeb(install)),
        step(
            "configure",
            "the article has the old values copied into the new web.config; the installer brings a default one",
            Work::ConfigureWeb(configure),
        ),
    ]
}

/// The cached package, unless it is damaged: then there is no base to merge with, and a preview must not fail on it.
fn base_package(ground: &Ground<'_>, replaced: &Replaced) -> Option<WinPath> {
    let is_readable = |path: &&WinPath| packages::read_file(ground.machine, path, "web.config", CONFIG_LIMIT).is_ok();
    replaced.product.package.as_ref().filter(is_readable).cloned()
}

fn themes(ground: &Ground<'_>, target: &Target) -> Vec<String> {
    let wanted = target.component == Component::Portal && ground.plan.portal.themes == Themes::Restore;
    if wanted { target.old.themes.clone() } else { Vec::new() }
}

fn rules(ground: &Ground<'_>, component: Component) -> Rules {
    let restored = component == Component::Portal && ground.plan.portal.themes == Themes::Restore;
    Rules {
        sdk_url: sdk_url_rule(ground),
        theme: if restored { ThemeRule::Carry } else { ThemeRule::KeepNew },
        other_changes: ground.plan.merge.other_changes,
        on_conflict: ground.plan.merge.on_conflict,
        strict: false,
        decisions: ground.plan.merge.decisions.iter().map(|known| (known.path.clone(), known.take)).collect(),
    }
}

/// How the address of the SDK changes: as the plan says, else in the one segment that the upgrade renames.
fn sdk_url_rule(ground: &Ground<'_>) -> SdkUrlRule {
    if let Some(url) = &ground.plan.sdk.url {
        return SdkUrlRule::Set(url.as_str().to_owned());
    }
    match renamed_sdk(ground) {
        Some((old, new)) => SdkUrlRule::ReplaceDirectory { old, new },
        None => SdkUrlRule::Keep,
    }
}

fn renamed_sdk(ground: &Ground<'_>) -> Option<(String, String)> {
    let served = ground.upgraded(Component::Sdk)?.served.as_ref()?;
    let new = ground.plan.sdk.web.virtual_directory.as_str();
    (!served.directory().eq_ignore_ascii_case(new)).then(|| (served.directory().to_owned(), new.to_owned()))
}

/// A gate for the address that users type, where it changes: the server's console keeps its own copy of it.
pub(super) fn tell_console(ground: &Ground<'_>, target: &Target) -> Option<Step> {
    let (gate, field) = match target.component {
        Component::Portal => (GateId::PortalUrl, "User Portal URL"),
        Component::MobileApp => (GateId::MobileAppUrl, "Mobile App Web Service URL"),
        Component::Sdk | Component::Server => return None,
    };
    let old = &target.old;
    if old.site == target.site && old.application.path.eq_ignore_ascii_case(&target.path) {
        return None;
    }
    let iis = ground.survey.web_server.as_ref();
    let address = |site: &str, path: &str| iis.and_then(|iis| iis.site(site)).map(|site| address(site, path));
    let tab =
        if target.component == Component::Portal { "User Portal section, Settings tab" } else { "Mobile App section" };
    let elsewhere = match ground.survey.components.contains_key(&Component::Server) {
        true => "Open the server's console",
        false => "On the agent's own server, open the console",
    };
    let mut instructions = vec![format!("{elsewhere}: {tab}.")];
    instructions.extend(address(&target.site, &target.path).map(|url| format!("Set the {field} to {url}")));
    instructions.extend(address(&old.site, &old.application.path).map(|url| format!("It was {url} (as IIS has it).")));
    instructions.push(match target.component {
        Component::Portal => "Tell users the new address; bookmarks to the old one no longer work.".to_owned(),
        _ => "Phones that were activated with the old address have to be activated again.".to_owned(),
    });
    Some(Step {
        id: gate.key().to_owned(),
        reason: "the name of the virtual directory changes, and the console keeps a copy of the address".to_owned(),
        component: Some(target.component),
        outage: true,
        skip: ground.plan.gates.get(&gate).map(|skip| skip.reason.clone()),
        work: Work::Tell(Tell {
            gate: Gate {
                id: gate.key().to_owned(),
                title: format!("Change the {field} in the server's console"),
                instructions,
                by_hand: None,
                watch: None,
            },
        }),
    })
}

/// The address of a path of a site by its bindings, encrypted ones first.
pub(crate) fn address(site: &Site, path: &str) -> String {
    let mut bindings: Vec<&String> = site.bindings.iter().collect();
    bindings.sort_by_key(|binding| !binding.starts_with("https/"));
    let parts = bindings.first().and_then(|binding| {
        let (scheme, rest) = binding.split_once('/')?;
        let (rest, host) = rest.rsplit_once(':')?;
        Some((scheme, rest.rsplit_once(':')?.1, host))
    });
    let (scheme, port, host) = parts.unwrap_or(("https", "443", ""));
    let host = if host.is_empty() { "<server-name>" } else { host };
    match (scheme, port) {
        ("https", "443") | ("http", "80") => format!("{scheme}://{host}{path}"),
        _ => format!("{scheme}://{host}:{port}{path}"),
    }
}

/// Who else may hold the old address of the SDK: reported, never edited.
pub(super) fn other_holders(ground: &Ground<'_>) -> Vec<String> {
    let removed = ground.replaced(Component::Sdk).is_some_and(|sdk| !sdk.again);
    let what = match renamed_sdk(ground) {
        Some((old, new)) => format!("change {old} to {new} by hand wherever else the SDK's address is kept:"),
        None if removed => "the SDK is gone; change its address by hand wherever else it is kept:".to_owned(),
        None => return Vec::new(),
    };
    let replaced = Component::WEB.iter().filter_map(|component| ground.replaced(*component)?.served.as_ref());
    let own: Vec<WinPath> = replaced.map(Served::web_config).collect();
    let others = ground.survey.sdk_clients.iter().filter(|client| !own.contains(&client.web_config));
    let others = others.map(|client| format!("the setting {} in {}", client.setting, client.web_config));
    let known = "AD FS adapter: WebServiceSdkUrl in its configuration; MIM or FIM: LOCMFASRV in MfaSettings.xml; \
                 own clients; bookmarks";
    [what].into_iter().chain(others).chain([known.to_owned()]).collect()
}
