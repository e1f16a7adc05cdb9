//! Checks that the folders to back up and to move aside contain only their component.

use crate::finding::Finding;
use crate::plan::Component;
use crate::platform::disk::{self, Kind};
use crate::platform::{Context, Failure};
use crate::procedure::CompileContext;
use crate::survey::Served;
use crate::winpath::WinPath;
use std::collections::BTreeSet;

/// A folder with a description.
type Named = (String, WinPath);

/// The temporary name of a file that is replaced has this suffix, and a name has at most 255 characters.
const LONGEST_NAME: usize = 255 - ".pfupgrade-new.config".len();

pub(super) fn check(context: &CompileContext<'_>, findings: &mut Vec<Finding>) -> Result<(), Failure> {
    for component in Component::WEB {
        if let Some(served) = context.replaced(component).and_then(|replaced| replaced.served.as_ref()) {
            findings.extend(of_application(context, component, served));
        }
    }
    findings.extend(own(context));
    findings.extend(cannot_back_up(context)?);
    Ok(())
}

/// What a backup could contain, but a rollback not restore.
fn cannot_back_up(context: &CompileContext<'_>) -> Result<Option<Finding>, Failure> {
    let files = context.machine.files();
    let mut seen = Vec::new();
    for folder in backed_up(context) {
        let doing = format!("list {folder}");
        if !disk::exists(files, &folder).context(&doing)? {
            continue;
        }
        let mut names = BTreeSet::new();
        for entry in files.walk(&folder).context(&doing)? {
            let is_twin = !names.insert(entry.path.key().to_owned());
            let why = match entry.kind {
                Kind::Other => "a link or a device",
                _ if entry.path.name().encode_utf16().count() > LONGEST_NAME => "its name is too long",
                _ if is_twin => "another name differs only in case",
                _ => continue,
            };
            seen.push(format!("{}: {why}", entry.path));
        }
    }
    let more = seen.len().saturating_sub(SHOWN);
    seen.truncate(SHOWN);
    if more > 0 {
        seen.push(format!("and {more} more"));
    }
    let advice = "move these away before the upgrade, and back afterwards";
    let finding = || Finding::refuse("cannot-back-up", "folders contain what a rollback could not restore");
    Ok((!seen.is_empty()).then(|| finding().evidence(seen).advice(advice)))
}

/// Longer lists are not readable.
const SHOWN: usize = 10;

/// Every folder that is backed up.
pub(super) fn backed_up(context: &CompileContext<'_>) -> Vec<WinPath> {
    let served = Component::WEB.iter().filter_map(|component| context.replaced(*component)?.served.as_ref());
    let mut all: Vec<WinPath> = served.map(|served| served.application.folder.clone()).collect();
    if context.replaced(Component::Server).is_some() {
        all.extend(context.survey.install.iter().map(|install| install.folder.clone()));
    }
    all
}

/// The whole folder of an application is moved aside, with everything in it.
fn of_application(context: &CompileContext<'_>, component: Component, served: &Served) -> Option<Finding> {
    let folder = &served.application.folder;
    let install = context.survey.install.as_ref();
    let others = others(context, served);
    let inside = others.iter().filter(|(_, other)| other.is_within(folder)).map(describe);
    let around = install.filter(|install| folder.is_within(&install.folder) && *folder != install.folder);
    let evidence: Vec<String> =
        inside.chain(around.map(|install| format!("it is inside InstallPath: {}", install.folder))).collect();
    let title = format!("the folder {folder} of the {} is shared and cannot be moved aside", component.title());
    let advice = "give each of these a separate folder in IIS before the upgrade";
    (!evidence.is_empty()).then(|| Finding::refuse("folders-overlap", title).evidence(evidence).advice(advice))
}

/// Every folder that must not move with the one of `served`.
fn others(context: &CompileContext<'_>, served: &Served) -> Vec<Named> {
    let mut all = Vec::new();
    for site in context.survey.web_server.iter().flat_map(|iis| &iis.sites) {
        all.push((format!("the root of the site \"{}\"", site.name), site.folder.clone()));
        let is_itself = |path: &str| site.id == served.site_id && path.eq_ignore_ascii_case(&served.application.path);
        let applications = site.applications.iter().filter(|application| !is_itself(&application.path));
        all.extend(applications.map(|application| {
            (format!("the application {}{}", site.name, application.path), application.folder.clone())
        }));
    }
    all.extend(context.survey.install.iter().map(|install| ("InstallPath".to_owned(), install.folder.clone())));
    all
}

/// The folders of this program must not be inside a folder that is backed up: a backup would contain itself, and a
/// rollback would remove it.
fn own(context: &CompileContext<'_>) -> Option<Finding> {
    let backed_up = backed_up(context);
    let own = [
        ("the backups".to_owned(), context.folders.backup.clone()),
        ("the state".to_owned(), context.folders.run.clone()),
    ];
    let inside = own.iter().filter(|(_, own)| backed_up.iter().any(|folder| own.is_within(folder)));
    let evidence: Vec<String> = inside.map(describe).collect();
    let title = "the folder for backups or for the state of runs is inside a folder that is backed up";
    let advice = "choose a folder outside InstallPath and the web folders: `directory` in [backup], or --state";
    (!evidence.is_empty()).then(|| Finding::refuse("folders-overlap", title).evidence(evidence).advice(advice))
}

fn describe((what, folder): &Named) -> String {
    format!("{what}: {folder}")
}
