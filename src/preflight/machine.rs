//! Checks of the machine itself.

use super::folders;
use crate::finding::Finding;
use crate::plan::Component;
use crate::platform::facts::Bits;
use crate::platform::{Context, Failure, disk};
use crate::procedure::{CompileContext, Target};
use crate::winpath::WinPath;
use std::collections::BTreeMap;

/// .NET Framework 4.0 writes no release number; 4.5 and later do. Version 7 and later of the web components need 4.x.
const DOTNET_45: u32 = 378_389;

pub(super) fn check(context: &CompileContext<'_>, targets: &[Target]) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    windows(context, targets, &mut findings);
    web_server(context, targets, &mut findings);
    space(context, &mut findings)?;
    interruptions(context, &mut findings);
    Ok(findings)
}

fn windows(context: &CompileContext<'_>, targets: &[Target], findings: &mut Vec<Finding>) {
    let system = &context.survey.system;
    if !system.elevated {
        findings.push(
            Finding::refuse("not-elevated", "this process has no administrator rights")
                .advice("start it again from a console opened with \"Run as administrator\""),
        );
    }
    pending_reboot(context, findings);
    if system.dotnet_release.is_none_or(|release| release < DOTNET_45) && !targets.is_empty() {
        findings.push(
            Finding::refuse("no-dotnet-4", "web components of version 7 and later require .NET Framework 4.5 or later")
                .evidence([system
                    .dotnet_release
                    .map_or("none found".to_owned(), |release| format!("release {release}"))])
                .advice("install .NET Framework 4.x first"),
        );
    }
    let runtimes = [(system.vc_x86, "x86"), (system.vc_x64 || system.bits == Bits::X86, "x64")];
    let missing: Vec<&str> = runtimes.iter().filter(|(there, _)| !there).map(|(_, name)| *name).collect();
    // The MFA Server setup installs both; without it they must be present.
    if !missing.is_empty() && !targets.is_empty() && context.upgraded(Component::Server).is_none() {
        findings.push(
            Finding::refuse(
                "no-visual-cpp",
                "the web components require the Visual C++ 2015 redistributables, x86 and x64",
            )
            .evidence(missing.iter().map(|name| format!("missing: {name}")))
            .advice("install both redistributables first"),
        );
    }
}

/// A pending restart matters most if it would change what this run writes.
fn pending_reboot(context: &CompileContext<'_>, findings: &mut Vec<Finding>) {
    let system = &context.survey.system;
    let pending = &system.pending_renames;
    if pending.is_empty() {
        return;
    }
    let served = context.survey.components.values().flat_map(|found| &found.applications);
    let ours: Vec<&WinPath> = served
        .map(|served| &served.application.folder)
        .chain(context.survey.install.as_ref().map(|install| &install.folder))
        .collect();
    let title = "Windows is waiting for a restart that will rename or delete files";
    let finding = match system.pending_paths().any(|path| ours.iter().any(|folder| path.is_within(folder))) {
        true => Finding::refuse_unless_allowed("pending-reboot", format!("{title} in folders of this product")),
        false => Finding::warn("pending-reboot", title),
    };
    findings.push(finding.evidence(pending.iter().take(10).cloned()).advice("restart Windows before the upgrade"));
}

fn web_server(context: &CompileContext<'_>, targets: &[Target], findings: &mut Vec<Finding>) {
    if targets.is_empty() {
        return;
    }
    let features = context.survey.web_server.as_ref().map(|iis| iis.features.as_slice()).unwrap_or_default();
    let has = |name: &str| features.iter().any(|feature| feature == name);
    for (feature, id, title) in [
        ("asp-net", "no-asp-net", "ASP.NET is not installed in IIS"),
        (
            "metabase-compatibility",
            "no-metabase",
            "IIS 6 Metabase Compatibility is not installed, and the web installers require it",
        ),
    ] {
        if !has(feature) {
            findings.push(Finding::refuse(id, title).advice("add that role service in Server Manager"));
        }
    }
}

/// Space for the backups, and the same again for the new version.
fn space(context: &CompileContext<'_>, findings: &mut Vec<Finding>) -> Result<(), Failure> {
    const SETUP: u64 = 1 << 30;
    let mut needed: BTreeMap<char, u64> = BTreeMap::new();
    let files = context.machine.files();
    for folder in &folders::backed_up(context) {
        let measuring = format!("measure {folder}");
        let size = match disk::exists(files, folder).context(&measuring)? {
            true => files.size(folder).context(&measuring)?,
            false => 0,
        };
        *needed.entry(context.folders.backup.drive()).or_default() += size;
        *needed.entry(folder.drive()).or_default() += size;
    }
    if let (Some(_), Some(install)) = (context.upgraded(Component::Server), &context.survey.install) {
        *needed.entry(install.folder.drive()).or_default() += SETUP;
    }
    for (drive, needed) in needed {
        let free = context.machine.free_space(drive)?;
        if free < needed {
            let mib = |bytes: u64| bytes.div_ceil(1 << 20);
            findings.push(
                Finding::refuse("no-space", format!("drive {drive}: does not have enough free space"))
                    .evidence([format!(
                        "{} MiB free, {} MiB needed for backups and the new version",
                        mib(free),
                        mib(needed)
                    )])
                    .advice("free up space, or put the backups on another local drive: [backup] directory"),
            );
        }
    }
    Ok(())
}

/// What stops working for others while the agent is uninstalled.
fn interruptions(context: &CompileContext<'_>, findings: &mut Vec<Finding>) {
    if context.replaced(Component::Server).is_none() {
        return;
    }
    let Some(install) = &context.survey.install else { return };
    let modules = context.survey.web_server.iter().flat_map(|iis| &iis.global_modules);
    let ours: Vec<String> = modules
        .filter(|(_, file)| file.is_within(&install.folder))
        .map(|(name, file)| format!("IIS module {name} in {file}"))
        .collect();
    findings.push(
        Finding::warn("interruptions", "clients of the agent are affected while it is uninstalled")
            .evidence(ours)
            .advice("IIS sites and RADIUS or LDAP clients of the agent are unprotected until the upgrade completes"),
    );
}
