//! Checks of the agent itself: where it is, its data, and its services.

use crate::finding::Finding;
use crate::plan::Component;
use crate::platform::disk::{self, Kind};
use crate::platform::facts::{Bits, Service};
use crate::platform::registry::View;
use crate::platform::{Context, Failure};
use crate::procedure::{CompileContext, Replaced};
use crate::survey::{DATA_FILE, InstallPath, KEY, install_path_text, products, program_of};
use crate::winpath::WinPath;

pub(super) fn check(context: &CompileContext<'_>, findings: &mut Vec<Finding>) -> Result<(), Failure> {
    let Some(agent) = context.replaced(Component::Server) else { return Ok(()) };
    let Some(install) = &context.survey.install else {
        findings.push(no_install_path());
        return Ok(());
    };
    let elsewhere = elsewhere(context, agent, install)?;
    if elsewhere.is_empty() && context.survey.services.is_empty() {
        findings.push(no_service(install));
    }
    if !elsewhere.is_empty() {
        findings.push(folders_disagree(install, elsewhere));
    }
    findings.extend(no_data(context, install)?);
    Ok(())
}

/// The folder is needed to back up the agent's data and to pass it to the new setup.
fn no_install_path() -> Finding {
    Finding::refuse("no-install-path", "the agent is installed, but the registry does not contain its folder")
        .evidence([format!("{KEY} has no usable InstallPath, with or without Wow6432Node")])
        .advice("restore the value InstallPath (REG_SZ): the agent's folder with a trailing backslash")
}

/// Without a service, nothing would stop before the data is copied.
fn no_service(install: &InstallPath) -> Finding {
    Finding::refuse("no-service", "the agent is installed, but it has no service")
        .evidence([format!("no service has a program in {}", install.folder)])
        .advice("repair the agent in Programs and Features, or correct the value InstallPath in the registry")
}

fn folders_disagree(install: &InstallPath, elsewhere: Vec<String>) -> Finding {
    Finding::refuse("folders-disagree", "the agent's folder is not certain")
        .evidence([format!("InstallPath in the registry: {}", install.text)].into_iter().chain(elsewhere))
        .advice("find the folder whose Data folder the agent uses; correct InstallPath, or remove what is outdated")
}

/// What says that the agent is in another folder than InstallPath.
fn elsewhere(context: &CompileContext<'_>, agent: &Replaced, install: &InstallPath) -> Result<Vec<String>, Failure> {
    let (machine, survey) = (context.machine, context.survey);
    let mut seen = Vec::new();
    let location = products::install_location(machine, &agent.product)?.filter(|folder| is_apart(folder, install));
    seen.extend(location.iter().map(|folder| format!("{} is installed in {folder}", agent.product.title())));
    let services = machine.services()?;
    for service in &services {
        let Some(program) = program_of(machine, service).filter(|program| !program.is_within(&install.folder)) else {
            continue;
        };
        let is_there = location.as_ref().is_some_and(|folder| program.is_within(folder));
        if is_there || (survey.services.is_empty() && has_its_name(service)) {
            seen.push(format!("the service {} runs {program}", service.name));
        }
    }
    let other = match (survey.system.bits, install.view) {
        (Bits::X64, View::Wow32) => install_path_text(machine, View::Native, KEY)?,
        _ => None,
    };
    if let Some(folder) = other.and_then(|text| WinPath::new(text).ok()).filter(|folder| is_apart(folder, install))
        && disk::exists(machine.files(), &folder).context(format!("look for {folder}"))?
    {
        seen.push(format!("InstallPath in the 64-bit registry: {folder}"));
    }
    Ok(seen)
}

fn is_apart(folder: &WinPath, install: &InstallPath) -> bool {
    !folder.is_within(&install.folder) && !install.folder.is_within(folder)
}

fn has_its_name(service: &Service) -> bool {
    [&service.display_name, &service.image_path].iter().any(|text| text.to_lowercase().contains("phonefactor"))
}

/// The data file is the whole database: without it the new version would start empty.
fn no_data(context: &CompileContext<'_>, install: &InstallPath) -> Result<Option<Finding>, Failure> {
    let files = context.machine.files();
    let (folder, file) = (install.data(), install.data().child(DATA_FILE));
    let entry = |path: &WinPath| files.entry(path).context(format!("look for {path}"));
    let (title, seen) = match (entry(&folder)?, entry(&file)?) {
        (_, Some(data)) if data.kind == Kind::File && data.len > 0 => return Ok(None),
        (_, Some(data)) if data.kind == Kind::File => ("the agent's data file is empty", file),
        (Some(data), _) if data.kind == Kind::Folder => ("the agent's data file is missing", file),
        _ => ("the agent's data folder is missing", folder),
    };
    let advice = "users and settings would be lost: restore the Data folder from a backup, or correct InstallPath in \
                  the registry if the agent keeps its data elsewhere";
    Ok(Some(Finding::refuse("no-data", title).evidence([seen.to_string()]).advice(advice)))
}
