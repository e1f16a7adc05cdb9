//! Steps: each one a unit that an administrator recognizes, with one file per kind.
//!
//! A step is data, frozen with the procedure. It says what it does and why, checks whether it is needed, and returns
//! the operations that carry it out. There is no undo here: that follows from the operations and the state before them.
//!
//! [`StepKind::operations`] must return the same result however much of the step is already done, so that an
//! interrupted run continues with the next operation. A step therefore reads only what a run no longer changes once the
//! step has begun: the frozen facts in itself, backups, packages.

mod ask;
mod back_up;
mod configure;
mod context;
mod decrypt;
mod follow_up;
mod hand_over;
mod hook;
mod id;
mod memo;
mod package;
mod preview;
mod server;
mod server_data;
mod services;
mod uninstall;
mod verify;
mod web;

pub use ask::{ACTIVATION, Activate, Tell};
pub use back_up::{BackUp, Item};
pub use configure::ConfigureWeb;
pub use context::{Folders, History, Kept, Source, StepContext};
pub use decrypt::{Decrypt, Protected, RemoveDecrypted, Section};
pub use follow_up::{FollowUp, follow_ups};
pub use hand_over::HandOver;
pub use hook::RunHook;
pub use id::StepId;
pub use memo::Memo;
pub use package::AwaitPackage;
pub use preview::{Certainty, MergePreview, SettingsReport};
pub use server::{InstallServer, PrepareServer};
pub use server_data::losses;
pub use services::{BackUpData, StartServices, StopServices};
pub use uninstall::Uninstall;
pub use verify::{Checked, Expected, Verify};
pub use web::InstallWeb;

use crate::names::ProductCode;
use crate::plan::Component;
use crate::platform::Failure;
use crate::platform::op::{Gate, Op};
use serde::{Deserialize, Serialize};

/// One step of a procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Stable id, such as `uninstall-portal`.
    pub id: StepId,
    /// Why it is part of the procedure.
    pub reason: String,
    /// Its component: if one must wait for a manual step, the others continue. `None` for a step that concerns all of
    /// them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<Component>,
    /// Whether users cannot sign in during this step.
    pub outage: bool,
    /// Why the plan skips it, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<String>,
    /// What it does.
    pub work: Work,
}

impl Step {
    /// A step that concerns all components and is not part of the outage.
    pub fn new(reason: impl Into<String>, work: Work) -> Self {
        let id = work.kind().id();
        Self { id, reason: reason.into(), component: None, outage: false, skip: None, work }
    }

    /// The same step for one component; others do not wait for it.
    #[must_use]
    pub fn of(mut self, component: Component) -> Self {
        self.component = Some(component);
        self
    }

    /// The same step, skipped if the plan gives a reason.
    #[must_use]
    pub fn skipped(mut self, reason: Option<String>) -> Self {
        self.skip = reason;
        self
    }

    /// The same step as a part of the outage.
    #[must_use]
    pub fn in_outage(mut self) -> Self {
        self.outage = true;
        self
    }

    /// The code of the product that the step uninstalls.
    pub fn uninstalls(&self) -> Option<&ProductCode> {
        match &self.work {
            Work::Uninstall(uninstall) => Some(&uninstall.code),
            _ => None,
        }
    }
}

/// Every kind of step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each variant is named after the type that documents it")]
pub enum Work {
    BackUp(BackUp),
    StopServices(StopServices),
    StartServices(StartServices),
    BackUpData(BackUpData),
    Uninstall(Uninstall),
    PrepareServer(PrepareServer),
    InstallServer(InstallServer),
    Activate(Activate),
    AwaitPackage(AwaitPackage),
    InstallWeb(InstallWeb),
    ConfigureWeb(ConfigureWeb),
    Tell(Tell),
    Verify(Verify),
    HandOver(HandOver),
    Decrypt(Decrypt),
    RemoveDecrypted(RemoveDecrypted),
    Hook(RunHook),
}

impl Work {
    /// The behavior of this kind of step.
    pub fn kind(&self) -> &dyn StepKind {
        match self {
            Work::BackUp(step) => step,
            Work::StopServices(step) => step,
            Work::StartServices(step) => step,
            Work::BackUpData(step) => step,
            Work::Uninstall(step) => step,
            Work::PrepareServer(step) => step,
            Work::InstallServer(step) => step,
            Work::Activate(step) => step,
            Work::AwaitPackage(step) => step,
            Work::InstallWeb(step) => step,
            Work::ConfigureWeb(step) => step,
            Work::Tell(step) => step,
            Work::Verify(step) => step,
            Work::HandOver(step) => step,
            Work::Decrypt(step) => step,
            Work::RemoveDecrypted(step) => step,
            Work::Hook(step) => step,
        }
    }
}

impl Work {
    /// Whether the step's result persists after the run.
    pub fn lasts(&self) -> bool {
        matches!(
            self,
            Work::Uninstall(_) | Work::InstallServer(_) | Work::InstallWeb(_) | Work::ConfigureWeb(_) | Work::Verify(_)
        )
    }
}

/// What a kind of step can do.
pub trait StepKind {
    /// Its stable id.
    fn id(&self) -> StepId;
    /// A short description.
    fn title(&self) -> String;
    /// Whether the step is needed. Called again after the work, where `Done` is the verification.
    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure>;
    /// The operations that carry out the step; `None` if they are unknown before earlier steps are done.
    fn operations(&self, context: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure>;

    /// The individual checks of the probe, if the report lists them.
    fn checks(&self, _: &StepContext<'_>) -> Result<Vec<Checked>, Failure> {
        Ok(Vec::new())
    }

    /// Whether the step's gate is complete; by default, whether the whole step is done.
    fn probe_gate(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        self.probe(context)
    }

    /// The gate for decisions before the step's operations, which run once it is answered.
    fn to_decide(&self, _: &StepContext<'_>) -> Result<Option<Gate>, Failure> {
        Ok(None)
    }

    /// How certain the preview of the step is.
    fn certainty(&self, _: &StepContext<'_>) -> Certainty {
        Certainty::Exact
    }

    /// The web.config that the step writes, if known.
    fn merge(&self, _: &StepContext<'_>) -> Result<Option<MergePreview>, Failure> {
        Ok(None)
    }

    /// Notes about the step.
    fn notes(&self, _: &StepContext<'_>) -> Vec<String> {
        Vec::new()
    }

    /// What the step leaves to do by hand once it is done.
    fn follow_ups(&self, _: &StepContext<'_>) -> Result<Vec<FollowUp>, Failure> {
        Ok(Vec::new())
    }

    /// What the step leaves to do by hand if the plan skips it, with the plan's reason.
    fn when_skipped(&self, reason: &str) -> FollowUp {
        FollowUp::new(format!("Skipped: {}", self.title()), vec![reason.to_owned()])
    }

    /// The component whose new product this step installs, by whatever means.
    fn installs(&self) -> Option<Component> {
        None
    }

    /// The recorded result if the first probe finds nothing to do.
    fn words_when_done(&self) -> &'static str {
        "already so"
    }

    /// What the operator must look at before confirming the gate; nothing here goes away by itself.
    fn worries(&self, _: &StepContext<'_>) -> Result<Vec<String>, Failure> {
        Ok(Vec::new())
    }

    /// Whether all independent steps run first, before the operator is asked.
    fn can_be_put_off(&self) -> bool {
        false
    }

    /// Whether the operator's confirmation is enough because the result cannot be checked.
    fn is_taken_on_trust(&self) -> bool {
        false
    }
}

/// The result of probing a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Nothing is left to do.
    Done,
    /// It must be done, for this reason.
    Needed(String),
    /// It cannot be done, for this reason.
    Blocked(String),
}

impl Probe {
    /// The result of checks: done, or blocked by the failed ones.
    pub fn of(checks: &[Checked]) -> Self {
        let faults: Vec<&str> = checks.iter().filter_map(|check| check.fault.as_deref()).collect();
        if faults.is_empty() { Probe::Done } else { Probe::Blocked(faults.join("; ")) }
    }
}
