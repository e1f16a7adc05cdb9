//! Checks for an upgrade that was left half done, and whose journal is not in the state folder.

use crate::finding::Finding;
use crate::plan::{Action, Backup, Component};
use crate::platform::{Context, Failure, OFFLINE, disk, is_closed};
use crate::procedure::{Choice, CompileContext, Target};
use crate::winpath::WinPath;
use std::collections::BTreeSet;

/// What an upgrade without a journal leaves behind. Backups and folders moved aside also remain of a finished run, so
/// they count only if their component is missing.
pub(super) fn check(context: &CompileContext<'_>, targets: &[Target]) -> Result<Option<Finding>, Failure> {
    let lost = LostRuns::find(context)?;
    let mut seen = beside(context, targets)?;
    for (component, choice) in &context.choices {
        match choice {
            // Nothing is moved aside from a component that is still there, unless somebody has brought it back.
            Choice::Replaced(_) => seen.extend(lost.have(context, *component, &lost.aside)?),
            Choice::AlreadyNew(_) => seen.extend(closed(context, *component)?),
            Choice::Absent | Choice::Unclear if is_missing(context, *component) => {
                seen.extend(lost.have(context, *component, &lost.backups)?);
                seen.extend(lost.have(context, *component, &lost.aside)?);
                seen.extend(closed_places(context, *component)?);
            }
            Choice::Absent | Choice::Unclear | Choice::Kept(_) => {}
        }
    }
    seen.dedup();
    let advice = "an earlier run may be unfinished: find its state folder and specify it with --state, or finish or undo \
                  that upgrade by hand, and move these files away; for a component that was removed on purpose, set \
                  `action` in the plan";
    let finding = || Finding::refuse_unless_allowed("leftovers", "files of an earlier upgrade were left behind");
    Ok((!seen.is_empty()).then(|| finding().evidence(seen).advice(advice)))
}

/// Whether the plan wants a component, and no product of it is there.
fn is_missing(context: &CompileContext<'_>, component: Component) -> bool {
    let is_wanted = matches!(context.plan.common(component).action, Action::Auto | Action::Upgrade);
    is_wanted && context.survey.components.get(&component).is_none_or(|found| found.products.is_empty())
}

fn there(context: &CompileContext<'_>, path: &WinPath) -> Result<bool, Failure> {
    disk::exists(context.machine.files(), path).context(format!("look for {path}"))
}

/// Temporary files in the folders of the old components.
fn beside(context: &CompileContext<'_>, targets: &[Target]) -> Result<Vec<String>, Failure> {
    let mut seen = Vec::new();
    for target in targets {
        for name in [OFFLINE, "web.config.pfupgrade-new.config"] {
            let path = target.old.application.folder.child(name);
            if there(context, &path)? {
                seen.push(path.to_string());
            }
        }
    }
    Ok(seen)
}

/// The applications of a new component that are closed by this program, not by the administrator.
fn closed(context: &CompileContext<'_>, component: Component) -> Result<Vec<String>, Failure> {
    let found = context.survey.components.get(&component);
    let folders = found.iter().flat_map(|found| &found.applications).map(|served| &served.application.folder);
    closed_among(context, component, folders.cloned())
}

/// The folders that the installer of a missing component would have used, if they are closed.
fn closed_places(context: &CompileContext<'_>, component: Component) -> Result<Vec<String>, Failure> {
    let Some(web) = context.plan.web(component) else { return Ok(Vec::new()) };
    let sites = context.survey.web_server.iter().flat_map(|iis| &iis.sites);
    closed_among(context, component, sites.filter_map(|site| site.folder.join(web.virtual_directory.as_str()).ok()))
}

fn closed_among(
    context: &CompileContext<'_>,
    component: Component,
    folders: impl Iterator<Item = WinPath>,
) -> Result<Vec<String>, Failure> {
    let mut seen = Vec::new();
    for folder in folders {
        if is_closed(context.machine.files(), &folder).context(format!("look for {OFFLINE} in {folder}"))? {
            seen.push(format!("the {} is closed by {}", component.title(), folder.child(OFFLINE)));
        }
    }
    Ok(seen)
}

/// The folders of runs whose journals are not in the state folder.
struct LostRuns {
    runs: WinPath,
    backups: Vec<WinPath>,
    aside: Vec<WinPath>,
}

impl LostRuns {
    fn find(context: &CompileContext<'_>) -> Result<Self, Failure> {
        let (folders, survey) = (context.folders, context.survey);
        let runs = folders.run.parent().unwrap_or_else(|| folders.run.clone());
        // A run with another plan may have put them there.
        let usual = Backup::default().directory.expand(|name| context.machine.variable(name)).ok();
        let backups: BTreeSet<WinPath> = folders.backup.parent().into_iter().chain(usual).collect();
        let sites = survey.web_server.iter().flat_map(|iis| &iis.sites);
        let served = sites
            .flat_map(|site| site.applications.iter().map(|application| &application.folder).chain([&site.folder]));
        let places = served.chain(survey.install.iter().map(|install| &install.folder));
        let aside: BTreeSet<WinPath> = places.filter_map(|place| folders.aside(place).parent()).collect();
        let unknown = |parents: BTreeSet<WinPath>| -> Result<Vec<WinPath>, Failure> {
            let mut all = Vec::new();
            for parent in parents {
                if !there(context, &parent)? {
                    continue;
                }
                for run in context.machine.files().list(&parent).context(format!("list {parent}"))? {
                    if run.kind == disk::Kind::Folder && !there(context, &runs.child(run.path.name()))? {
                        all.push(run.path);
                    }
                }
            }
            Ok(all)
        };
        Ok(Self { backups: unknown(backups)?, aside: unknown(aside)?, runs })
    }

    /// What some of them have of a component.
    fn have(
        &self,
        context: &CompileContext<'_>,
        component: Component,
        runs: &[WinPath],
    ) -> Result<Vec<String>, Failure> {
        let mut seen = Vec::new();
        for path in runs.iter().map(|run| run.child(component.key())) {
            if there(context, &path)? {
                seen.push(format!("{path}, but no journal of that run in {}", self.runs));
            }
        }
        Ok(seen)
    }
}
