//! Installers, IIS and themes in the journal.

use crate::journal::{Answered, Frozen, Operation, OperationEnd, Passed, RunState};
use crate::platform::facts::{Application, Signature};
use crate::platform::op::Op;
use crate::step::{ConfigureWeb, Step, Work};
use crate::survey::Served;
use crate::webconfig::Shown;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// An installer that was run, or that a manual step names.
#[derive(Debug, Clone, Serialize)]
pub struct UsedInstallerReport {
    /// When it was about to run, or when the manual step was reached.
    pub time: Timestamp,
    /// The step.
    pub step: String,
    /// Whether a manual step names it: then the file that was actually run is unknown.
    pub by_hand: bool,
    /// The file, if known.
    pub file: Option<String>,
    /// Name and version of its product, if known.
    pub product: Option<String>,
    /// Its signer; empty if it is not signed, `None` if unknown.
    pub signed_by: Option<String>,
    /// Its size in bytes, if known.
    pub size: Option<u64>,
    /// Its SHA-256, if known.
    pub sha256: Option<String>,
    /// `ended`, `failed`, `skipped` or `unknown`.
    pub end: &'static str,
    /// The same in words.
    pub says: String,
}

/// A web component in IIS, before and after.
#[derive(Debug, Clone, Serialize)]
pub struct WebReport {
    /// The component's name in sentences.
    pub title: &'static str,
    /// Its state before the run.
    pub before: Option<IisFacts>,
    /// Its configuration by the run; `None` if there is none.
    pub after: Option<IisFacts>,
}

/// An application in IIS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IisFacts {
    /// The site's name.
    pub site: String,
    /// The application's path.
    pub path: String,
    /// Its folder.
    pub folder: String,
    /// Its application pool.
    pub pool: String,
    /// The settings of its location, with secrets masked.
    pub settings: BTreeMap<String, String>,
}

/// A theme that was copied to the new version.
#[derive(Debug, Clone, Serialize)]
pub struct ThemeReport {
    /// When.
    pub time: Timestamp,
    /// The folder it was copied from.
    pub from: String,
    /// The folder it was copied to.
    pub to: String,
}

impl IisFacts {
    fn of(site: &str, application: &Application) -> Self {
        let shown = |(name, value): (&String, &String)| (name.clone(), Shown::of(name, value).to_string());
        Self {
            site: site.to_owned(),
            path: application.path.clone(),
            folder: application.folder.to_string(),
            pool: application.pool.clone(),
            settings: application.settings.iter().map(shown).collect(),
        }
    }

    /// Every property by its name.
    pub(super) fn rows(&self) -> BTreeMap<String, String> {
        let own = [("Site", &self.site), ("Path", &self.path), ("Folder", &self.folder), ("Pool", &self.pool)];
        let own = own.map(|(name, value)| (name.to_owned(), value.clone()));
        own.into_iter().chain(self.settings.clone()).collect()
    }
}

/// The installers of new versions, in order.
pub(super) fn installers_used(frozen: &Frozen, state: &RunState) -> Vec<UsedInstallerReport> {
    let installs = |operation: &Operation| {
        let step = frozen.steps.iter().find(|step| step.id == operation.step);
        step.is_some_and(|step| step.work.kind().installs().is_some())
            && matches!(operation.op, Op::Install { .. } | Op::Run { .. } | Op::Ask { .. })
    };
    let all: Vec<&Operation> = state.operations.iter().filter(|operation| installs(operation)).collect();
    // A resumed command starts its operation again.
    let is_latest = |(at, operation): &(usize, &&Operation)| {
        let is_same = |later: &&Operation| {
            (&later.step, later.index, &later.installer) == (&operation.step, operation.index, &operation.installer)
        };
        !all[at + 1..].iter().any(is_same)
    };
    all.iter().enumerate().filter(is_latest).map(|(_, operation)| installer_used(operation, state)).collect()
}

fn installer_used(operation: &Operation, state: &RunState) -> UsedInstallerReport {
    let (end, says) = installer_end(operation, state);
    let used = operation.installer.as_ref();
    let named = match &operation.op {
        Op::Install { package: file, .. } | Op::Run { program: file, .. } => Some(file.to_string()),
        _ => None,
    };
    let signature = used.and_then(|used| used.signature.as_ref());
    UsedInstallerReport {
        time: operation.begun,
        step: operation.step.to_string(),
        by_hand: matches!(operation.op, Op::Ask { .. }),
        file: used.map(|used| used.file.to_string()).or(named),
        product: used.and_then(|used| used.product.clone()),
        signed_by: signature.map(|signature| match signature {
            Signature::Signed { by } => by.clone(),
            Signature::None => String::new(),
        }),
        size: used.map(|used| used.size),
        sha256: used.map(|used| used.sha256.clone()),
        end,
        says,
    }
}

/// How an installer or its manual step ended.
fn installer_end(operation: &Operation, state: &RunState) -> (&'static str, String) {
    let Op::Ask { gate } = &operation.op else {
        return match operation.end {
            OperationEnd::Done { .. } => ("ended", "run; it ended successfully".to_owned()),
            OperationEnd::Failed { .. } => ("failed", "run; it failed".to_owned()),
            OperationEnd::InDoubt => ("unknown", "run; how it ended is not known".to_owned()),
        };
    };
    match state.answer_to(operation, &gate.id).map(Answered::passed) {
        None => ("unknown", "named by the manual step; not confirmed".to_owned()),
        Some(Passed::Seen) => ("ended", "named by the manual step; the new version was detected".to_owned()),
        Some(Passed::Skipped(reason)) => ("skipped", format!("the plan skips the manual step: {reason}")),
        Some(Passed::Confirmed(by)) => ("ended", format!("named by the manual step; confirmed by {by}")),
    }
}

fn configures(step: &Step) -> Option<&ConfigureWeb> {
    if let Work::ConfigureWeb(web) = &step.work { Some(web) } else { None }
}

/// The operations of a step that are done.
fn done<'a>(state: &'a RunState, step: &'a Step) -> impl DoubleEndedIterator<Item = (&'a Op, Timestamp)> {
    state.operations.iter().filter(|operation| operation.step == step.id).filter_map(|operation| match operation.end {
        OperationEnd::Done { time, .. } => Some((&operation.op, time)),
        _ => None,
    })
}

/// Every web component in IIS.
pub(super) fn web(frozen: &Frozen, state: &RunState) -> Vec<WebReport> {
    let configured = |component| {
        let step = frozen.steps.iter().find(|step| configures(step).is_some_and(|web| web.component == component))?;
        done(state, step).rev().find_map(|(op, _)| match op {
            Op::Configure { site, application } => Some(IisFacts::of(site, application)),
            _ => None,
        })
    };
    let mut all = Vec::new();
    for (component, found) in &frozen.survey.components {
        let (title, after) = (component.title(), configured(*component));
        let before = |served: &Served| IisFacts::of(&served.site, &served.application);
        let mut before: Vec<Option<IisFacts>> = found.applications.iter().map(|served| Some(before(served))).collect();
        if before.is_empty() && after.is_some() {
            before.push(None);
        }
        let one = |(number, before)| WebReport { title, before, after: after.clone().filter(|_| number == 0) };
        all.extend(before.into_iter().enumerate().map(one));
    }
    all
}

/// Every custom theme that was copied.
pub(super) fn themes(frozen: &Frozen, state: &RunState) -> Vec<ThemeReport> {
    let mut all = Vec::new();
    for step in &frozen.steps {
        let Some(web) = configures(step) else { continue };
        for (op, time) in done(state, step) {
            let Op::Copy { from, to } = op else { continue };
            let is_theme = web.themes.iter().any(|theme| theme.eq_ignore_ascii_case(to.name()));
            if is_theme && to.parent().is_some_and(|folder| folder.name().eq_ignore_ascii_case("App_Themes")) {
                all.push(ThemeReport { time, from: from.to_string(), to: to.to_string() });
            }
        }
    }
    all
}
