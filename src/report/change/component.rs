//! What became of each component, according to the journal.
//!
//! Nothing here is derived from the plan: a component counts as upgraded when the steps that upgrade it have ended, and
//! each of those ends with a check of the machine. If the end of an operation is not recorded, the outcome is reported
//! as unknown.

use super::times::ServerTime;
use crate::journal::{Answered, Frozen, Operation, OperationEnd, Passed, RecordedRun, RunState, Standing, StepState};
use crate::plan::Component;
use crate::platform::op::Op;
use crate::step::{ACTIVATION, Step, Work};
use crate::survey::FoundComponent;
use jiff::Timestamp;
use serde::Serialize;

/// A component before and after.
#[derive(Debug, Clone, Serialize)]
pub struct ComponentReport {
    /// `server`, `sdk`, `portal` or `mobile-app`.
    pub id: String,
    /// Its display name.
    pub title: &'static str,
    /// Name and version of the product found.
    pub found: String,
    /// Its application in IIS.
    pub location: String,
    /// Its result, in words.
    pub fate: String,
    /// The state before the run.
    pub before: String,
    /// What was intended.
    pub intended: String,
    /// The present state.
    pub now: Now,
}

/// The state of a component as of the last record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Now {
    /// The run does not change it.
    Untouched,
    /// The run has not uninstalled the old version.
    NotUninstalled,
    /// An uninstall has started; its end is not recorded.
    Uninstalling,
    /// The old version is uninstalled, and the new one is not installed yet.
    Uninstalled,
    /// It is uninstalled, as intended.
    Removed,
    /// The manual step that installs the new version has been reached and is not complete.
    InstallAsked,
    /// An installation has started; its end is not recorded.
    Installing,
    /// The installer ended or the manual step was completed, and the result has not been verified.
    InstallEnded,
    /// The new version is installed, and its settings or data are not migrated yet.
    Installed,
    /// The new version is installed, with the old settings or data.
    Upgraded,
    /// A rollback has started and is not complete.
    RollingBack,
    /// A rollback is complete, and the component was compared with its state before.
    RolledBack,
}

/// The records about one component.
struct View<'a> {
    frozen: &'a Frozen,
    state: &'a RunState,
    component: Component,
    before: String,
}

/// Every component that was found.
pub(super) fn components(found: &RecordedRun, time: &ServerTime) -> Vec<ComponentReport> {
    let of = |(component, found_before): (&Component, &FoundComponent)| {
        let products: Vec<String> = found_before.products.iter().map(|product| product.title()).collect();
        let places: Vec<String> = found_before.applications.iter().map(|served| served.location()).collect();
        let (products, location) = (products.join(", "), places.join(", "));
        let before = match (products.is_empty(), location.is_empty()) {
            (true, true) => "not installed".to_owned(),
            (true, false) => format!("no product, served as {location}"),
            (false, true) => products.clone(),
            (false, false) => format!("{products}, served as {location}"),
        };
        let name = if products.is_empty() { component.title().to_owned() } else { products.clone() };
        let view = View { frozen: &found.frozen, state: &found.state, component: *component, before: name };
        let now = view.now();
        ComponentReport {
            id: component.to_string(),
            title: component.title(),
            found: products,
            location,
            fate: view.says(now, time),
            before,
            intended: view.intended(),
            now,
        }
    };
    found.frozen.survey.components.iter().map(of).collect()
}

impl View<'_> {
    fn step(&self, is_meant: impl Fn(&Work) -> bool) -> Option<(&Step, &StepState)> {
        let step = self.frozen.steps.iter().find(|step| is_meant(&step.work))?;
        Some((step, self.state.step(&step.id)?))
    }

    fn uninstall(&self) -> Option<(&Step, &StepState)> {
        self.step(|work| matches!(work, Work::Uninstall(step) if step.component == self.component))
    }

    fn install(&self) -> Option<(&Step, &StepState)> {
        self.step(|work| work.kind().installs() == Some(self.component))
    }

    /// The step that migrates the data or settings.
    fn migrate(&self) -> Option<(&Step, &StepState)> {
        self.step(|work| match work {
            Work::ConfigureWeb(step) => step.component == self.component,
            Work::Activate(_) => self.component == Component::Server,
            _ => false,
        })
    }

    /// The latest operation of a step that matches a condition.
    fn latest(&self, step: &Step, is_meant: impl Fn(&Op) -> bool) -> Option<&Operation> {
        let mut all = self.state.operations.iter().rev();
        all.find(|operation| operation.step == step.id && is_meant(&operation.op))
    }

    fn intended(&self) -> String {
        let verb = if self.uninstall().is_some() { "upgrade" } else { "install" };
        match self.install().map(|(step, _)| &step.work) {
            Some(Work::InstallServer(server)) => {
                format!("{verb} to {}", server.version.as_deref().unwrap_or("the new version"))
            }
            Some(Work::InstallWeb(web)) => format!("{verb}, to be served as {}{}", web.site, web.path),
            _ if self.uninstall().is_some() => "remove".to_owned(),
            _ => "leave as it is".to_owned(),
        }
    }

    fn now(&self) -> Now {
        match self.state.standing() {
            Standing::RolledBack => return Now::RolledBack,
            _ if self.uninstall().is_none() && self.install().is_none() => return Now::Untouched,
            Standing::RollingBack => return Now::RollingBack,
            Standing::Unfinished | Standing::Finished => {}
        }
        if let Some((step, state)) = self.uninstall().filter(|(_, state)| state.how.is_none()) {
            return self.uninstalling(step, state);
        }
        let Some((step, state)) = self.install() else { return Now::Removed };
        match state.how {
            None => self.installing(step),
            Some(_) if self.migrate().is_none_or(|(_, state)| state.how.is_some()) => Now::Upgraded,
            Some(_) => Now::Installed,
        }
    }

    /// The state does not list an uninstall that changed nothing.
    fn uninstalling(&self, step: &Step, state: &StepState) -> Now {
        let is_listed = step.uninstalls().is_some_and(|code| self.state.uninstalled.iter().any(|begun| begun == code));
        let latest = self.latest(step, |op| matches!(op, Op::Uninstall { .. }));
        match latest.map(|operation| &operation.end) {
            Some(OperationEnd::Done { .. }) if state.is_begun => match self.install() {
                Some(_) => Now::Uninstalled,
                None => Now::Removed,
            },
            _ if is_listed => Now::Uninstalling,
            _ => Now::NotUninstalled,
        }
    }

    fn latest_install(&self, step: &Step) -> Option<&Operation> {
        self.latest(step, |op| matches!(op, Op::Install { .. } | Op::Run { .. } | Op::Ask { .. }))
    }

    fn installing(&self, step: &Step) -> Now {
        match self.latest_install(step).map(|operation| (&operation.end, &operation.op)) {
            None => Now::Uninstalled,
            Some((OperationEnd::Done { .. }, _)) => Now::InstallEnded,
            Some((OperationEnd::InDoubt, Op::Ask { .. })) => Now::InstallAsked,
            Some(_) => Now::Installing,
        }
    }

    fn says(&self, now: Now, time: &ServerTime) -> String {
        let before = &self.before;
        match now {
            Now::Untouched => "not touched by this run".to_owned(),
            Now::NotUninstalled => format!("{before}: this run has not uninstalled it"),
            Now::Uninstalling => format!("uninstall of {before} started; whether it completed is not known"),
            Now::Uninstalled => format!("{before} uninstalled; the new version is not installed yet"),
            Now::Removed => format!("{before} uninstalled{}", self.checked(time)),
            Now::InstallAsked => {
                format!("{before} uninstalled; the manual step that installs the new version is not confirmed yet")
            }
            Now::Installing => {
                format!(
                    "{before} uninstalled; installation of the new version started, whether it completed is not known"
                )
            }
            Now::InstallEnded => {
                format!("{before} uninstalled; {}, the result is not verified yet", self.install_ended())
            }
            Now::Installed => format!("{} installed; {}", self.product(), self.not_migrated()),
            Now::Upgraded => format!("{}{}", self.upgraded(), self.checked(time)),
            Now::RollingBack => "rollback started: not known until the rollback is complete".to_owned(),
            Now::RolledBack => {
                let ended = self.state.rollback.as_ref().and_then(|rollback| rollback.span.ended);
                let at = ended.map(|ended| format!(" at {}", time.both(ended))).unwrap_or_default();
                format!("as before the run: products and web applications compared{at}")
            }
        }
    }

    /// How the operation that installs the new version ended.
    fn install_ended(&self) -> &'static str {
        let latest = self.install().and_then(|(step, _)| self.latest_install(step));
        let Some((operation, Op::Ask { gate })) = latest.map(|operation| (operation, &operation.op)) else {
            return "the installer of the new version ended successfully";
        };
        match self.state.answer_to(operation, &gate.id).map(Answered::passed) {
            Some(Passed::Skipped(_)) => "the plan skips the manual step that installs the new version",
            _ => "the manual step that installs the new version was completed",
        }
    }

    /// The new product as found on the machine.
    fn product(&self) -> String {
        let found = self.install().and_then(|(_, state)| state.product.clone());
        found.unwrap_or_else(|| "new version (which one is not recorded)".to_owned())
    }

    fn not_migrated(&self) -> &'static str {
        let is_begun = self.migrate().is_some_and(|(_, state)| state.is_begun);
        match (self.component, is_begun) {
            (Component::Server, _) => "the upgrade of its data is not confirmed yet",
            (_, false) => "its settings are not migrated yet",
            (_, true) => "the migration of its settings started and is not complete",
        }
    }

    fn upgraded(&self) -> String {
        let product = self.product();
        match self.migrate().map(|(step, _)| &step.work) {
            Some(Work::ConfigureWeb(web)) => {
                format!("upgraded to {product}, settings migrated, opened as {}{}", web.site, web.application.path)
            }
            Some(Work::Activate(_)) => match activation(self.frozen, self.state).map(|activation| activation.how) {
                Some(ActivationEnd::Confirmed) => {
                    format!("{product} installed; its activation was confirmed by the operator")
                }
                Some(ActivationEnd::Skipped) => {
                    format!("{product} installed; the plan skips the check of its activation")
                }
                _ => format!("upgraded to {product}; its log reports the upgraded data file"),
            },
            _ => format!("{product} installed"),
        }
    }

    /// The result of the checks at the end.
    fn checked(&self, time: &ServerTime) -> String {
        match &self.state.checks {
            Some(checks) if checks.faults() > 0 => format!("; checks failed at {}", time.both(checks.time)),
            Some(checks) => format!("; verified at {}", time.both(checks.time)),
            None => String::new(),
        }
    }
}

/// How MFA Server was activated.
#[derive(Debug, Clone, Serialize)]
pub struct ActivationReport {
    /// How it ended.
    pub how: ActivationEnd,
    /// When.
    pub time: Option<Timestamp>,
    /// The same in words.
    pub says: String,
}

/// How an activation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivationEnd {
    /// It was detected.
    Seen,
    /// The operator confirmed it.
    Confirmed,
    /// The plan skips it.
    Skipped,
    /// It has started and has not ended.
    Open,
    /// The run has not reached it.
    NotReached,
}

/// The activation; `None` if the run has none.
pub(super) fn activation(frozen: &Frozen, state: &RunState) -> Option<ActivationReport> {
    let step = frozen.steps.iter().find(|step| matches!(step.work, Work::Activate(_)))?;
    let step = state.step(&step.id)?;
    let answer = state.gates.iter().rev().find(|answered| answered.gate == ACTIVATION);
    let ended = step.spans.last().and_then(|span| span.ended);
    let seen = "detected: the service was running, and its log reported the upgraded data file";
    let (how, time, says) = match (&step.how, answer.map(|answer| (answer, answer.passed()))) {
        (Some(_), None) => (ActivationEnd::Seen, ended, seen.to_owned()),
        (Some(_), Some((answer, Passed::Seen))) => (ActivationEnd::Seen, Some(answer.time), seen.to_owned()),
        (Some(_), Some((answer, Passed::Skipped(reason)))) => {
            (ActivationEnd::Skipped, Some(answer.time), format!("skipped by the plan: {reason}"))
        }
        (Some(_), Some((answer, Passed::Confirmed(by)))) => {
            (ActivationEnd::Confirmed, Some(answer.time), format!("confirmed by {by}"))
        }
        (None, _) if step.is_begun => (ActivationEnd::Open, None, "started and not confirmed yet".to_owned()),
        (None, _) => (ActivationEnd::NotReached, None, "not reached".to_owned()),
    };
    Some(ActivationReport { how, time, says })
}
