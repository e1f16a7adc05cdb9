//! Wait for an installer that should come with the MFA Server setup.

use super::{Certainty, Probe, StepContext, StepId, StepKind};
use crate::names::ProductCode;
use crate::plan::Component;
use crate::platform::op::{Gate, Op};
use crate::platform::{Context, Failure, disk};
use crate::survey::{packages, products};
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};

/// Checks the package of a web component once the MFA Server setup has installed it. A missing or invalid one is a gate
/// for its component only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitPackage {
    /// Which component.
    pub component: Component,
    /// The path where the setup puts it.
    pub package: WinPath,
    /// Its required signer; `None` if the plan accepts any.
    #[serde(default)]
    pub signed_by: Option<String>,
    /// Product codes of the old version: any other product is the new one.
    pub old_codes: Vec<ProductCode>,
}

impl StepKind for AwaitPackage {
    fn id(&self) -> StepId {
        StepId::of("package", self.component)
    }

    fn title(&self) -> String {
        format!("Verify the bundled {} installer", self.component.title())
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        let machine = context.machine;
        if products::is_newer_installed(machine, self.component, &self.old_codes)? {
            return Ok(Probe::Done);
        }
        if !disk::exists(machine.files(), &self.package).context(format!("look for {}", self.package))? {
            return Ok(Probe::Needed(format!("{} is missing: the setup did not include it", self.package)));
        }
        let faults = packages::refusals(machine, &self.package, self.component, None, self.signed_by.as_deref())?;
        Ok(if faults.is_empty() { Probe::Done } else { Probe::Needed(faults.join("; ")) })
    }

    fn operations(&self, _: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        let gate = Gate {
            id: self.id().to_string(),
            title: format!("Provide the installer of the {}", self.component.title()),
            instructions: vec![
                format!("Copy the {} installer of the new version to {}", self.component.title(), self.package),
                "Use the installer that belongs to the MFA Server that has just been installed.".to_owned(),
                "The other components do not wait for it.".to_owned(),
            ],
            by_hand: None,
            watch: None,
        };
        Ok(Some(vec![Op::Ask { gate }]))
    }

    fn certainty(&self, _: &StepContext<'_>) -> Certainty {
        Certainty::KnownLater
    }

    fn notes(&self, _: &StepContext<'_>) -> Vec<String> {
        vec![format!("Stops only if {} is missing or invalid; the other components continue.", self.package.name())]
    }

    fn can_be_put_off(&self) -> bool {
        true
    }

    /// If the setup included it, the check is all there is to do.
    fn words_when_done(&self) -> &'static str {
        "done"
    }
}
