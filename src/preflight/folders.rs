//! Whether the folders that are backed up and moved aside are the components' own.

use super::Finding;
use crate::plan::Component;
use crate::procedure::Ground;
use crate::survey::Served;
use crate::winpath::WinPath;

/// A folder with what it is, in words.
type Named = (String, WinPath);

pub(super) fn check(ground: &Ground<'_>, findings: &mut Vec<Finding>) {
    for component in Component::WEB {
        if let Some(served) = ground.replaced(component).and_then(|replaced| replaced.served.as_ref()) {
            findings.extend(of_application(ground, component, served));
        }
    }
    findings.extend(own(ground));
}

/// The whole folder of an application is moved aside, with whatever else lies in it.
fn of_application(ground: &Ground<'_>, component: Component, served: &Served) -> Option<Finding> {
    let folder = &served.application.folder;
    let install = ground.survey.install.as_ref();
    let others = others(ground, served);
    let inside = others.iter().filter(|(_, other)| other.is_within(folder)).map(describe);
    let around = install.filter(|install| folder.is_within(&install.folder) && *folder != install.folder);
    let evidence: Vec<String> =
        inside.chain(around.map(|install| format!("it lies in InstallPath: {}", install.folder))).collect();
    let title = format!("{folder} of the {} cannot be moved aside: it is not its own", component.title());
    let advice = "give each of these its own folder in IIS, outside the others, before the upgrade";
    (!evidence.is_empty()).then(|| Finding::refuse("folders-overlap", title).evidence(evidence).advice(advice))
}

/// Every folder that must stay where it is while the one of `served` is moved.
fn others(ground: &Ground<'_>, served: &Served) -> Vec<Named> {
    let mut all = Vec::new();
    for site in ground.survey.web_server.iter().flat_map(|iis| &iis.sites) {
        all.push((format!("the root of the site \"{}\"", site.name), site.folder.clone()));
        let is_itself = |path: &str| site.id == served.site_id && path.eq_ignore_ascii_case(&served.application.path);
        let applications = site.applications.iter().filter(|application| !is_itself(&application.path));
        all.extend(applications.map(|application| {
            (format!("the application {}{}", site.name, application.path), application.folder.clone())
        }));
    }
    all.extend(ground.survey.install.iter().map(|install| ("InstallPath".to_owned(), install.folder.clone())));
    all
}

/// The tool's own folders may lie in nothing that is backed up: a backup would hold itself, and a rollback remove it.
fn own(ground: &Ground<'_>) -> Option<Finding> {
    let served = Component::WEB.iter().filter_map(|component| ground.replaced(*component)?.served.as_ref());
    let mut backed_up: Vec<WinPath> = served.map(|served| served.application.folder.clone()).collect();
    if ground.replaced(Component::Server).is_some() {
        backed_up.extend(ground.survey.install.iter().map(|install| install.folder.clone()));
    }
    let own = [
        ("the backups".to_owned(), ground.folders.backup.clone()),
        ("the state".to_owned(), ground.folders.run.clone()),
    ];
    let inside = own.iter().filter(|(_, own)| backed_up.iter().any(|folder| own.is_within(folder)));
    let evidence: Vec<String> = inside.map(describe).collect();
    let title = "the folder for backups or for the state of runs lies in a folder that is backed up";
    let advice = "choose a folder outside InstallPath and the web folders: `directory` in [backup], or --state";
    (!evidence.is_empty()).then(|| Finding::refuse("folders-overlap", title).evidence(evidence).advice(advice))
}

fn describe((what, folder): &Named) -> String {
    format!("{what}: {folder}")
}
