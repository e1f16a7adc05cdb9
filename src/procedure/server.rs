//! The steps for the server itself.

use super::{CompileContext, Replaced, Target};
use crate::finding::Finding;
use crate::names::ServiceName;
use crate::plan::{Component, GateId};
use crate::platform::facts::{Service, ServiceState, in_start_order};
use crate::platform::op::Op;
use crate::step::{
    Activate, BackUp, BackUpData, HandOver, InstallServer, Item, PrepareServer, StartServices, Step, StopServices,
    Uninstall, Work,
};
use crate::survey::{InstallPath, KEY, packages};
use std::collections::BTreeMap;
use std::time::Duration;

/// The main service of MFA Server.
pub(super) const SERVICE: &str = "MultiFactorAuth";
const LOG: &str = "MultiFactorAuthSvc.log";
/// A setup of 128 MB can take minutes on an old server.
const SETUP_TIMEOUT: Duration = Duration::from_secs(60 * 60);

fn key_export(context: &CompileContext<'_>) -> crate::winpath::WinPath {
    context.folders.backup.child("registry-key.json")
}

pub(super) fn back_up(context: &CompileContext<'_>) -> Option<Step> {
    context.replaced(Component::Server)?;
    let install = context.survey.install.as_ref()?;
    let backup = &context.folders.backup;
    let mut items = vec![Item {
        from: install.folder.clone(),
        to: backup.child("server"),
        except: vec![install.data(), install.logs()],
    }];
    items.extend(context.packages(Component::Server));
    Some(Step::new(
        "Folder, registry key and cached MSI of the agent: everything a rollback needs.",
        Work::BackUp(BackUp {
            component: Component::Server,
            items,
            key: Some((install.view, KEY.to_owned(), key_export(context))),
            facts: None,
            web_server: None,
            not_carried: Vec::new(),
        }),
    ))
}

/// The services stop only if the server itself is replaced; otherwise nothing requires that.
pub(super) fn stop_and_back_up_data(context: &CompileContext<'_>) -> Vec<Step> {
    let (Some(_), Some(install)) = (context.replaced(Component::Server), &context.survey.install) else {
        return Vec::new();
    };
    let all = [context.survey.services.clone(), context.survey.dependents.clone()].concat();
    let running = in_start_order(all).into_iter().filter(|service| service.state == ServiceState::Running);
    // A dependent service stops first: one that stops together with another is not known to have run.
    let names: Vec<ServiceName> = running.map(|service| service.name).rev().collect();
    let mut steps = Vec::new();
    if !names.is_empty() {
        steps.push(
            Step::new(
                "A running service keeps the data file open and writes to it.",
                Work::StopServices(StopServices { names }),
            )
            .in_outage(),
        );
    }
    steps.push(
        Step::new(
            "The data file is the whole database. Without the certificates and keys beside it, the server loses its \
             activation.",
            Work::BackUpData(BackUpData { data: install.data() }),
        )
        .in_outage(),
    );
    steps
}

/// Services that depend on the agent's are started again at the end, if possible.
pub(super) fn start_dependents(context: &CompileContext<'_>) -> Option<Step> {
    context.replaced(Component::Server)?;
    let all = in_start_order(context.survey.dependents.clone());
    let running = all.into_iter().filter(|service| service.state == ServiceState::Running);
    let names: Vec<ServiceName> = running.map(|service| service.name).collect();
    (!names.is_empty()).then(|| {
        Step::new(
            "They depend on the agent's services and were stopped with them.",
            Work::StartServices(StartServices { names }),
        )
        .in_outage()
    })
}

/// The agent must be reinstalled in its own folder, wherever that is.
fn folder_properties(
    context: &CompileContext<'_>,
    server: &Replaced,
    install: &InstallPath,
) -> BTreeMap<String, String> {
    let package = server.way_back.as_ref().ok().and_then(|path| packages::open(context.machine, path).ok().flatten());
    let takes_other_name = package.is_some_and(|package| package.takes("INSTALLDIR"));
    let names = ["TARGETDIR"].into_iter().chain(takes_other_name.then_some("INSTALLDIR"));
    names.map(|name| (name.to_owned(), install.text.clone())).collect()
}

pub(super) fn uninstall(context: &CompileContext<'_>) -> Option<Step> {
    let server = context.replaced(Component::Server)?;
    let install = context.survey.install.as_ref()?;
    // They are started at the end of a rollback, if they ran; only their start type is restored here.
    let stopped = |service: &Service| Op::Service {
        name: service.name.clone(),
        state: ServiceState::Stopped,
        start: Some(service.start),
    };
    Some(
        Step::new(
            "The MFA Server setup requires that the old agent is uninstalled. The data folder stays.",
            Work::Uninstall(Uninstall {
                component: Component::Server,
                code: server.product.code.clone(),
                name: server.product.title(),
                package: server.way_back.clone().ok(),
                uninstalls_with: server.uninstalls_with.clone().ok().flatten(),
                properties: folder_properties(context, server, install),
                after: context.survey.services.iter().map(stopped).collect(),
                folder: None,
                keeps: Some((install.data(), install.view, KEY.to_owned(), key_export(context))),
            }),
        )
        .in_outage(),
    )
}

pub(super) fn install(context: &CompileContext<'_>, findings: &mut Vec<Finding>) -> Vec<Step> {
    let (Some(_), Some(install)) = (context.upgraded(Component::Server), &context.survey.install) else {
        return Vec::new();
    };
    let wanted = &context.plan.server;
    let Some(installer) = &wanted.common.installer else {
        findings.push(
            Finding::refuse("no-installer", "the plan names no installer for MFA Server".to_owned())
                .advice("add to [server]: installer = 'C:\\Install\\MultiFactorAuthenticationServerSetup.exe'"),
        );
        return Vec::new();
    };
    let installer = match installer.expand(|name| context.machine.variable(name)) {
        Ok(path) => path,
        Err(error) => {
            findings.push(Finding::refuse("no-installer", error.to_string()).advice("fix `installer` in [server]"));
            return Vec::new();
        }
    };
    let version = context.machine.program_version(&installer).ok().flatten();
    let skip = |gate: GateId| context.plan.gates.get(&gate).map(|skip| skip.reason.clone());
    let step = |reason: &str, skip, work| Step::new(reason, work).in_outage().skipped(skip);
    let log = install.logs().child(LOG);
    let log_from = context.machine.files().entry(&log).ok().flatten().map_or(0, |entry| entry.len);
    vec![
        step(
            "The setup reads its folder from the registry key and its users from the data folder.",
            None,
            Work::PrepareServer(PrepareServer {
                view: install.view,
                key: KEY.to_owned(),
                export: key_export(context),
                data: install.data(),
            }),
        ),
        step(
            match wanted.arguments {
                Some(_) => "Silent, with the arguments in the plan.",
                None => "The setup has no published silent switches, and the plan specifies none.",
            },
            skip(GateId::ServerSetup),
            Work::InstallServer(InstallServer {
                installer,
                arguments: wanted.arguments.clone(),
                timeout: SETUP_TIMEOUT,
                version: version.map(|found| format!("{} {}", found.product, found.version)),
                old_codes: context.old_codes(Component::Server),
                view: install.view,
                key: KEY.to_owned(),
                install_path: install.text.clone(),
            }),
        ),
        step(
            "The service upgrades the data file when it first starts, and may require activation.",
            skip(GateId::Activation),
            Work::Activate(Activate {
                service: SERVICE.into(),
                log,
                log_from,
                timeout: wanted.data_upgrade_timeout,
                data: Some(install.data()),
            }),
        ),
    ]
}

/// If users sign in through other servers, those are next. A server with all web components has none.
pub(super) fn hand_over(context: &CompileContext<'_>, targets: &[Target]) -> Option<Step> {
    context.upgraded(Component::Server)?;
    let install = context.survey.install.as_ref()?;
    let is_here = |component: &Component| context.survey.components.contains_key(component);
    if [Component::Portal, Component::MobileApp].iter().all(is_here) {
        return None;
    }
    let sdk = targets.iter().find(|target| target.component == Component::Sdk);
    let site = sdk.and_then(|sdk| context.survey.web_server.as_ref()?.site(&sdk.site));
    let sdk_url = sdk.zip(site).map(|(sdk, site)| format!("{}/PfWsSdk.asmx", site.url(&sdk.path)));
    Some(Step::new(
        "The portal or the mobile app service may be on other servers, which need installers from this one.",
        Work::HandOver(HandOver {
            folder: install.folder.clone(),
            sdk_url,
            file: context.folders.run.child("hand-over.txt"),
        }),
    ))
}
