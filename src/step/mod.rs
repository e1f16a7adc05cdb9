//! Steps: one thing the administrator recognises each, with one file a kind.
//!
//! A step is data, frozen with the procedure. It says what it does and why, looks whether it is needed, and yields the
//! operations that carry it out. There is no undo here: that follows from the operations and what they met.
//!
//! [`StepKind::operations`] must give the same answer however much of the step has been done already, so that a run
//! which was killed in the middle goes on with the next one. A step therefore reads only what a run no longer changes
//! once the step has begun: the frozen facts in itself, backups, packages.

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
pub use preview::{Account, Certainty, MergePreview};
pub use server::{InstallServer, PrepareServer};
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
    /// Why it is part of this procedure.
    pub reason: String,
    /// The component that it belongs to: where one has to wait for a person, the others go on. `None` for what concerns
    /// all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<Component>,
    /// True while users cannot sign in.
    pub outage: bool,
    /// Why the plan skips it, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<String>,
    /// What it does.
    pub work: Work,
}

impl Step {
    /// A step that concerns all components and does not keep users from signing in.
    pub fn new(reason: impl Into<String>, work: Work) -> Self {
        let id = work.kind().id();
        Self { id, reason: reason.into(), component: None, outage: false, skip: None, work }
    }

    /// The same step as one of a component, which others do not wait for.
    #[must_use]
    pub fn of(mut self, component: Component) -> Self {
        self.component = Some(component);
        self
    }

    /// The same step, skipped where the plan gives a reason.
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
    /// The behaviour of this kind of step.
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
    /// True where what the step achieves is still so long after the run.
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
    /// What is done, in a few words.
    fn title(&self) -> String;
    /// Whether the step is needed. Asked again after the work, when `Done` is the verification.
    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure>;
    /// The operations that carry the step out. `None` where they cannot be told before earlier steps are done.
    fn operations(&self, context: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure>;

    /// The checks that the probe makes, each by itself, where the report lists them.
    fn checks(&self, _: &StepContext<'_>) -> Result<Vec<Checked>, Failure> {
        Ok(Vec::new())
    }

    /// Whether a person has done what the step's gate asks; by default, whether the whole step is done.
    fn probe_gate(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        self.probe(context)
    }

    /// What a person has to decide before the step's operations, which do not wait for it once that is answered.
    fn to_decide(&self, _: &StepContext<'_>) -> Result<Option<Gate>, Failure> {
        Ok(None)
    }

    /// How well the step can be forecast.
    fn certainty(&self, _: &StepContext<'_>) -> Certainty {
        Certainty::Exact
    }

    /// The web.config that the step writes, where that can be told.
    fn merge(&self, _: &StepContext<'_>) -> Result<Option<MergePreview>, Failure> {
        Ok(None)
    }

    /// What the administrator should know about the step.
    fn notes(&self, _: &StepContext<'_>) -> Vec<String> {
        Vec::new()
    }

    /// What the step leaves to people once it is done.
    fn follow_ups(&self, _: &StepContext<'_>) -> Result<Vec<FollowUp>, Failure> {
        Ok(Vec::new())
    }

    /// What the step leaves to people where the plan skips it, with the plan's reason.
    fn when_skipped(&self, reason: &str) -> FollowUp {
        FollowUp::new(format!("Skipped: {}", self.title()), vec![reason.to_owned()])
    }

    /// The component of which this step installs the new product, by whatever means.
    fn installs(&self) -> Option<Component> {
        None
    }

    /// How the step ends where the first look says that nothing is left to do.
    fn words_when_done(&self) -> &'static str {
        "already so"
    }

    /// True where everything that does not need this step is done first, before a person is asked.
    fn can_be_put_off(&self) -> bool {
        false
    }

    /// True where a person's word is enough and there is nothing to look at afterwards.
    fn is_taken_on_trust(&self) -> bool {
        false
    }
}

/// What a look at the machine says about a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Nothing is left to do.
    Done,
    /// It has to be done, because of this.
    Needed(String),
    /// It cannot be done, because of this.
    Blocked(String),
}

impl Probe {
    /// What checks come to: done, or blocked by the ones that did not pass.
    pub fn of(checks: &[Checked]) -> Self {
        let faults: Vec<&str> = checks.iter().filter_map(|check| check.fault.as_deref()).collect();
        if faults.is_empty() { Probe::Done } else { Probe::Blocked(faults.join("; ")) }
    }
}
