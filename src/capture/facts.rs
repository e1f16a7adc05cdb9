//! Facts of a machine besides files and registry.

use super::Wish;
use crate::draft::renamed;
use crate::plan::Component;
use crate::platform::disk;
use crate::platform::facts::{Service, WebServer};
use crate::platform::simulated::MachineFacts;
use crate::platform::{Failure, Inspect};
use crate::secret::is_secret;
use crate::survey::answers::{self, Seen};
use crate::survey::{Survey, program_of};
use crate::webconfig::CONFIG_LIMIT;
use crate::webconfig::{Document, Shown, placeholder};
use std::collections::BTreeSet;

/// The variables that plans and installers use.
const VARIABLES: [&str; 14] = [
    "ALLUSERSPROFILE",
    "COMPUTERNAME",
    "CommonProgramFiles",
    "CommonProgramFiles(x86)",
    "ProgramData",
    "ProgramFiles",
    "ProgramFiles(x86)",
    "PUBLIC",
    "SystemDrive",
    "SystemRoot",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "windir",
];
const GROUP: &str = "PhoneFactor Admins";

pub(super) fn capture(
    machine: &dyn Inspect,
    survey: &Survey,
    wish: &Wish,
    facts: &mut MachineFacts,
) -> Result<(), Failure> {
    let known = VARIABLES.iter().filter_map(|name| Some(((*name).to_owned(), machine.variable(name)?)));
    facts.variables = known.collect();
    // Querying an empty drive would open a dialog.
    facts.free_space = ('C'..='Z').filter_map(|drive| Some((drive, machine.free_space(drive).ok()?))).collect();
    facts.web_server = machine.web_server()?.map(|iis| without_secrets(with_settings(iis, survey)));
    facts.services = services(machine, survey, machine.services()?);
    accounts(machine, survey, facts)?;
    for url in addresses(machine, survey, wish) {
        if let Seen::Status(status) = answers::ask(machine, &url, answers::BEFORE).seen {
            facts.answers.insert(url, status.into());
        }
    }
    Ok(())
}

/// The settings of the components' applications, which the survey has read.
fn with_settings(mut iis: WebServer, survey: &Survey) -> WebServer {
    for served in survey.components.values().flat_map(|found| &found.applications) {
        let mut sites = iis.sites.iter_mut().filter(|site| site.name == served.site);
        let all = sites.next().into_iter().flat_map(|site| &mut site.applications);
        all.filter(|found| found.path == served.application.path).for_each(|found| *found = served.application.clone());
    }
    iis
}

fn without_secrets(mut iis: WebServer) -> WebServer {
    for application in iis.sites.iter_mut().flat_map(|site| &mut site.applications) {
        for (name, value) in &mut application.settings {
            // `useAppPoolCredentials` is a switch, and IIS takes nothing else for one.
            let is_switch = value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false");
            if !is_switch && (is_secret(name) || Shown::of(name, value) == Shown::Masked) {
                *value = placeholder(value);
            }
        }
    }
    iis
}

/// Our services, those that depend on them, and those that any of these depends on; the others are not captured.
fn services(machine: &dyn Inspect, survey: &Survey, all: Vec<Service>) -> Vec<Service> {
    let ours = |service: &Service| survey.services.iter().any(|own| own.name == service.name);
    let mut wanted: BTreeSet<String> =
        survey.services.iter().chain(&survey.dependents).map(|service| service.name.to_lowercase()).collect();
    loop {
        let is_wanted = |service: &&Service| wanted.contains(&service.name.to_lowercase());
        let needed: Vec<String> = all
            .iter()
            .filter(is_wanted)
            .flat_map(|service| &service.depends_on)
            .map(|name| name.to_lowercase())
            .collect();
        let before = wanted.len();
        wanted.extend(needed);
        if wanted.len() == before {
            break;
        }
    }
    let all = all.into_iter().filter(|service| wanted.contains(&service.name.to_lowercase()));
    all.map(|service| Service { image_path: image_path(machine, &service, ours(&service)), ..service }).collect()
}

/// The command line of a service. Arguments of other programs are left out; ours have placeholders for secrets.
fn image_path(machine: &dyn Inspect, service: &Service, ours: bool) -> String {
    let line = &service.image_path;
    let Some(program) = program_of(machine, service) else { return placeholder(line) };
    let end = line.to_ascii_lowercase().find(".exe").map_or(line.len(), |at| at + 4);
    let (head, arguments) = line.split_at_checked(end).unwrap_or((line, ""));
    match ours {
        true if Shown::of("", arguments) == Shown::Masked => format!("{head}{}", placeholder(arguments)),
        true => line.clone(),
        false => format!("\"{program}\""),
    }
}

/// Which of the relevant accounts and groups exist. The rest stays unknown.
fn accounts(machine: &dyn Inspect, survey: &Survey, facts: &mut MachineFacts) -> Result<(), Failure> {
    let pools = survey.web_server.iter().flat_map(|iis| &iis.pools).map(|pool| pool.identity.clone());
    let mut names: BTreeSet<String> = pools.filter(|identity| identity.contains('\\')).collect();
    names.insert(GROUP.to_owned());
    names.extend(documents(machine, survey).iter().filter_map(|document| {
        let values = document.values().ok()?;
        Some(values.app_setting("WEB_SERVICE_SDK_AUTHENTICATION_USERNAME")?.trim().to_owned())
    }));
    names.remove("");
    for name in names {
        match machine.account_exists(&name) {
            Ok(Some(true)) => facts.accounts.get_or_insert_default().push(name),
            Ok(Some(false)) => drop(facts.accounts.get_or_insert_default()),
            Ok(None) | Err(_) => facts.unknown_accounts.push(name),
        }
    }
    Ok(())
}

/// The SDK URLs that components use, and those they may get.
fn addresses(machine: &dyn Inspect, survey: &Survey, wish: &Wish) -> BTreeSet<String> {
    let old = documents(machine, survey).into_iter().filter_map(|document| Some(document.sdk_url()?.1));
    let mut all: BTreeSet<String> = old.flat_map(|url| [renamed(&url), url]).collect();
    all.extend(wish.plan.as_ref().and_then(|plan| plan.sdk.url.as_ref()).map(|url| url.as_str().to_owned()));
    all.retain(|url| url.to_ascii_lowercase().starts_with("http"));
    all
}

fn documents(machine: &dyn Inspect, survey: &Survey) -> Vec<Document> {
    let served = Component::WEB.iter().filter_map(|component| survey.components.get(component));
    let files = served.flat_map(|found| &found.applications).map(|served| served.web_config());
    let document = |path: crate::winpath::WinPath| {
        let bytes = disk::read(machine.files(), &path, CONFIG_LIMIT).ok()?;
        Document::parse(bytes, path.as_str()).ok()
    };
    files.filter_map(document).collect()
}
