//! The steps for the web components.

use super::{CompileContext, Replaced, Target, encrypted};
use crate::plan::{Component, GateId, Method, Themes};
use crate::platform::facts::{Application, Site};
use crate::platform::op::{Gate, Op};
use crate::step::{AwaitPackage, BackUp, ConfigureWeb, InstallWeb, Item, Step, Tell, Uninstall, Work};
use crate::survey::{Served, packages, web_config};
use crate::webconfig::CONFIG_LIMIT;
use crate::webconfig::{Rules, SdkUrlRule, ThemeRule};
use crate::winpath::WinPath;
use std::collections::BTreeMap;

fn site_property(id: u32) -> String {
    format!("/LM/W3SVC/{id}")
}

/// Windows Installer does not keep the properties of an installation; they follow from its location in IIS.
fn properties(directory: &str, site_id: u32, pool: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("TARGETVDIR".to_owned(), directory.to_owned()),
        ("TARGETSITE".to_owned(), site_property(site_id)),
        ("TARGETAPPPOOL".to_owned(), pool.to_owned()),
    ])
}

pub(super) fn back_up(context: &CompileContext<'_>) -> Vec<Step> {
    let mut steps: Vec<Step> = Component::WEB.iter().filter_map(|component| back_up_one(context, *component)).collect();
    if let Some(Work::BackUp(first)) = steps.first_mut().map(|step| &mut step.work) {
        first.web_server = Some(format!("pfupgrade-{}", context.folders.id));
    }
    steps
}

fn back_up_one(context: &CompileContext<'_>, component: Component) -> Option<Step> {
    let replaced = context.replaced(component)?;
    let served = replaced.served.as_ref()?;
    let place = |what: &str| context.folders.backup.child(&format!("{component}{what}"));
    let mut items = vec![Item { from: served.application.folder.clone(), to: place(""), except: Vec::new() }];
    items.extend(context.packages(component));
    let facts = facts(context, served);
    Some(Step::new(
        "Folder, cached MSI and IIS settings: everything a rollback needs.",
        Work::BackUp(BackUp {
            component,
            items,
            key: None,
            facts: Some((facts, place("-iis.json"))),
            web_server: None,
            not_carried: served.changed.iter().map(|file| file.path.clone()).collect(),
        }),
    ))
}

/// The IIS settings of an application, for rebuilding it by hand.
fn facts(context: &CompileContext<'_>, served: &Served) -> String {
    let iis = context.survey.web_server.as_ref();
    let facts = serde_json::json!({
        "site": served.site,
        "bindings": iis.and_then(|iis| iis.site(&served.site)).map(|site| &site.bindings),
        "application": served.application,
        "pool": iis.and_then(|iis| iis.pool(&served.application.pool)),
        "global_modules": iis.map(|iis| &iis.global_modules),
    });
    format!("{facts:#}\n")
}

pub(super) fn uninstall(context: &CompileContext<'_>, component: Component) -> Option<Step> {
    let replaced = context.replaced(component)?;
    let served = replaced.served.as_ref()?;
    let application = &served.application;
    Some(
        Step::new(
            if replaced.again {
                "There is no in-place upgrade. Leftovers are moved aside so that the new web.config can be written."
                    .to_owned()
            } else {
                "The plan removes it.".to_owned()
            },
            Work::Uninstall(Uninstall {
                component,
                code: replaced.product.code.clone(),
                name: replaced.product.title(),
                package: replaced.way_back.clone().ok(),
                uninstalls_with: replaced.uninstalls_with.clone().ok().flatten(),
                properties: properties(served.directory(), served.site_id, &application.pool),
                after: vec![Op::Configure { site: served.site.clone(), application: application.clone() }],
                folder: Some(application.folder.clone()),
                keeps: None,
            }),
        )
        .in_outage(),
    )
}

/// The check of a package that comes with the MFA Server setup. An installation in the console needs none.
pub(super) fn await_package(context: &CompileContext<'_>, target: &Target) -> Option<Step> {
    let component = target.component;
    if !target.comes_along || target.method == Method::Console {
        return None;
    }
    Some(
        Step::new(
            "It comes with the MFA Server setup and could not be checked before.",
            Work::AwaitPackage(AwaitPackage {
                component,
                package: target.package.clone(),
                signed_by: context.plan.common(component).signer().map(str::to_owned),
                old_codes: context.old_codes(component),
            }),
        )
        .of(component)
        .in_outage(),
    )
}

pub(super) fn install(context: &CompileContext<'_>, target: &Target) -> Vec<Step> {
    let component = target.component;
    let shipped = context.folders.backup.child(&format!("{component}-shipped-web.config"));
    let mut properties = properties(target.path.trim_start_matches('/'), target.site_id, &target.pool);
    for (name, value) in context.plan.web(component).into_iter().flat_map(|web| &web.properties) {
        properties.insert(name.as_str().to_owned(), value.clone());
    }
    let replaced = context.replaced(component);
    let install = InstallWeb {
        component,
        package: target.package.clone(),
        comes_along: target.comes_along,
        method: target.method,
        sha256: context.plan.common(component).pin().map(str::to_owned),
        signed_by: context.plan.common(component).signer().map(str::to_owned),
        properties,
        site: target.site.clone(),
        path: target.path.clone(),
        folder: target.folder.clone(),
        shipped: shipped.clone(),
        old_codes: context.old_codes(component),
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
        old_package: replaced.and_then(|replaced| base_package(context, replaced)),
        package: target.package.clone(),
        shipped,
        rules: rules(context, target),
        themes: themes(context, target),
        protected: encrypted::protected(context, target),
    };
    let step = |reason: &str, work| Step::new(reason, work).of(component).in_outage();
    vec![
        step("It stays closed to users until its settings are migrated.", Work::InstallWeb(install)),
        step(
            "The installer writes a default web.config; the old values are merged into it.",
            Work::ConfigureWeb(configure),
        ),
    ]
}

/// The cached package, unless it is damaged: then there is no base to merge with, and the preview must not fail.
fn base_package(context: &CompileContext<'_>, replaced: &Replaced) -> Option<WinPath> {
    let is_readable = |path: &&WinPath| packages::read_file(context.machine, path, "web.config", CONFIG_LIMIT).is_ok();
    replaced.product.package.as_ref().filter(is_readable).cloned()
}

fn themes(context: &CompileContext<'_>, target: &Target) -> Vec<String> {
    let wanted = target.component == Component::Portal && context.plan.portal.themes == Themes::Restore;
    if wanted { target.old.themes.clone() } else { Vec::new() }
}

fn rules(context: &CompileContext<'_>, target: &Target) -> Rules {
    let component = target.component;
    let site = context.survey.web_server.as_ref().and_then(|iis| iis.site(&target.site));
    let above = |site: &Site| web_config::declared_above(context.machine, context.survey.system.bits, &site.folder);
    let restored = component == Component::Portal && context.plan.portal.themes == Themes::Restore;
    Rules {
        sdk_url: sdk_url_rule(context),
        theme: if restored { ThemeRule::Carry } else { ThemeRule::KeepNew },
        other_changes: context.plan.merge.other_changes,
        on_conflict: context.plan.merge.on_conflict,
        strict: false,
        declared_above: site.map(above).unwrap_or_default(),
        decisions: context.plan.merge.decisions.iter().map(|known| (known.path.clone(), known.take)).collect(),
    }
}

/// How the URL of the SDK changes: as the plan says, or else in the path segment that the upgrade renames.
fn sdk_url_rule(context: &CompileContext<'_>) -> SdkUrlRule {
    if let Some(url) = &context.plan.sdk.url {
        return SdkUrlRule::Set(url.as_str().to_owned());
    }
    match renamed_sdk(context) {
        Some((old, new)) => SdkUrlRule::ReplaceDirectory { old, new },
        None => SdkUrlRule::Keep,
    }
}

fn renamed_sdk(context: &CompileContext<'_>) -> Option<(String, String)> {
    let served = context.upgraded(Component::Sdk)?.served.as_ref()?;
    let new = context.plan.sdk.web.virtual_directory.as_str();
    (!served.directory().eq_ignore_ascii_case(new)).then(|| (served.directory().to_owned(), new.to_owned()))
}

/// A gate for the URL that users type, if it changes: the MFA Server console keeps its own copy.
pub(super) fn tell_console(context: &CompileContext<'_>, target: &Target) -> Option<Step> {
    let (gate, field) = match target.component {
        Component::Portal => (GateId::PortalUrl, "User Portal URL"),
        Component::MobileApp => (GateId::MobileAppUrl, "Mobile App Web Service URL"),
        Component::Sdk | Component::Server => return None,
    };
    let old = &target.old;
    if old.site == target.site && old.application.path.eq_ignore_ascii_case(&target.path) {
        return None;
    }
    let iis = context.survey.web_server.as_ref();
    let address = |site: &str, path: &str| iis.and_then(|iis| iis.site(site)).map(|site| site.url(path));
    let tab =
        if target.component == Component::Portal { "User Portal section, Settings tab" } else { "Mobile App section" };
    let elsewhere = match context.survey.components.contains_key(&Component::Server) {
        true => "Open the MFA Server console",
        false => "On the MFA Server, open the console",
    };
    let mut instructions = vec![format!("{elsewhere}: {tab}.")];
    let new_url = address(&target.site, &target.path);
    let old_url = address(&old.site, &old.application.path);
    instructions.extend(new_url.iter().map(|url| format!("Set the {field} to {url}")));
    instructions.extend(old_url.iter().map(|url| format!("It was {url} (according to IIS).")));
    instructions.push(match target.component {
        Component::Portal => "Tell users the new URL; bookmarks to the old one no longer work.".to_owned(),
        _ => "Phones that were activated with the old URL must be activated again.".to_owned(),
    });
    Some(
        Step::new(
            "The name of the virtual directory changes, and the console keeps a copy of the URL.",
            Work::Tell(Tell {
                gate: Gate {
                    id: gate.key().to_owned(),
                    title: format!("Change the {field} in the MFA Server console"),
                    instructions,
                    by_hand: None,
                    watch: None,
                },
                new_url,
                old_url,
            }),
        )
        .of(target.component)
        .skipped(context.plan.gates.get(&gate).map(|skip| skip.reason.clone())),
    )
}

/// What else may contain the old URL of the SDK: reported, never changed.
pub(super) fn other_holders(context: &CompileContext<'_>) -> Vec<String> {
    let removed = context.replaced(Component::Sdk).is_some_and(|sdk| !sdk.again);
    let what = match renamed_sdk(context) {
        Some((old, new)) => format!("Change {old} to {new} wherever else the SDK URL is configured:"),
        None if removed => "The SDK has been removed. Change its URL wherever else it is configured:".to_owned(),
        None => return Vec::new(),
    };
    let replaced = Component::WEB.iter().filter_map(|component| context.replaced(*component)?.served.as_ref());
    let own: Vec<WinPath> = replaced.map(Served::web_config).collect();
    let others = context.survey.sdk_clients.iter().filter(|client| !own.contains(&client.web_config));
    let others = others.map(|client| format!("setting {} in {}", client.setting, client.web_config));
    let known = "AD FS adapter: WebServiceSdkUrl in its configuration; MIM or FIM: LOCMFASRV in MfaSettings.xml; \
                 custom clients; bookmarks";
    [what].into_iter().chain(others).chain([known.to_owned()]).collect()
}
