//! Wait for an installer that comes with the server's setup, or never.

use super::{Certainty, Probe, StepContext, StepId, StepKind};
use crate::names::ProductCode;
use crate::plan::Component;
use crate::platform::op::{Gate, Op};
use crate::platform::{Context, Failure, disk};
use crate::survey::{packages, products};
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};

/// Checks the package of a web component once the server's setup has put it in its place. One that is missing, or not
/// what it should be, is a gate for its component alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitPackage {
    /// Which component.
    pub component: Component,
    /// Where the setup puts it.
    pub package: WinPath,
    /// Who must have signed it, unless the plan accepts anybody.
    #[serde(default)]
    pub signed_by: Option<String>,
    /// Product codes of the old era: what else is installed is the new one.
    pub old_codes: Vec<ProductCode>,
}

impl StepKind for AwaitPackage {
    fn id(&self) -> StepId {
        StepId::of("package", self.component)
    }

    fn title(&self) -> String {
        format!("Check the installer of the {} that came along", self.component.title())
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        let machine = context.machine;
        if products::is_newer_installed(machine, self.component, &self.old_codes)? {
            return Ok(Probe::Done);
        }
        if !disk::exists(machine.files(), &self.package).context(format!("look for {}", self.package))? {
            return Ok(Probe::Needed(format!("{} is not there: the setup brought none along", self.package)));
        }
        let faults = packages::refusals(machine, &self.package, self.component, None, self.signed_by.as_deref())?;
        Ok(if faults.is_empty() { Probe::Done } else { Probe::Needed(faults.join("; ")) })
    }

    fn operations(&self, _: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        let gate = Gate {
            id: self.id().to_string(),
            title: format!("Provide the installer of the {}", self.component.title()),
            instructions: vec![
                format!("Put the {} installer of the new version here: {}", self.component.title(), self.package),
                "Take the one that belongs to the server that has just been installed.".to_owned(),
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
        vec![format!("a gate only where {} is missing or another one; the others go on", self.package.name())]
    }

    fn can_be_put_off(&self) -> bool {
        true
    }

    /// The look is all there is to do where the setup brought it along.
    fn words_when_done(&self) -> &'static str {
        "done"
    }
}
