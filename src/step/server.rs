//! The server: what its setup must find, and the setup itself.

use super::{Certainty, Probe, StepContext, StepId, StepKind};
use crate::names::ProductCode;
use crate::plan::Component;
use crate::platform::Failure;
use crate::platform::op::{Gate, Op};
use crate::platform::registry::View;
use crate::survey::{install_path_text, products};
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Sees to it that setup finds the old folder and the old data: the registry key and the data folder survive an agent's
/// uninstall as far as is known, and here that is made certain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrepareServer {
    /// Which registry the key is in.
    pub view: View,
    /// The key.
    pub key: String,
    /// The file it was exported to.
    pub export: WinPath,
    /// The data folder.
    pub data: WinPath,
}

impl StepKind for PrepareServer {
    fn id(&self) -> StepId {
        StepId::named("prepare-server")
    }

    fn title(&self) -> String {
        "Make sure that the setup finds the old folder and data".to_owned()
    }

    fn probe(&self, _: &StepContext<'_>) -> Result<Probe, Failure> {
        Ok(Probe::Needed("the agent's uninstall may have taken more than its own".to_owned()))
    }

    fn operations(&self, context: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        Ok(Some(vec![
            Op::ImportKey { view: self.view, key: self.key.clone(), from: context.key_export(&self.key, &self.export) },
            Op::Restore { from: context.data_backup(&self.data), to: self.data.clone(), except: Vec::new() },
        ]))
    }

    fn is_taken_on_trust(&self) -> bool {
        true
    }
}

/// Runs the server's setup, or has a person run it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallServer {
    /// The setup.
    pub installer: WinPath,
    /// Its silent switches, from the plan; without them the operator runs it.
    pub arguments: Option<Vec<String>>,
    /// How long it may take.
    pub timeout: Duration,
    /// Product and version, where the setup says so.
    pub version: Option<String>,
    /// Product codes of the old era: what else is installed afterwards is the new one.
    pub old_codes: Vec<ProductCode>,
    /// Which registry InstallPath is in.
    pub view: View,
    /// The key.
    pub key: String,
    /// InstallPath as it was frozen, trailing backslash and all.
    pub install_path: String,
}

impl InstallServer {
    fn gate(&self, context: &StepContext<'_>) -> Gate {
        Gate {
            id: "server-setup".to_owned(),
            title: "Run the server's setup".to_owned(),
            instructions: vec![
                format!("Run {} as administrator.", self.installer),
                format!("Leave the folder as it is proposed: {}", self.install_path),
                "Minutes may pass before the setup shows anything.".to_owned(),
                "Do not restart Windows if it asks to; this program says when.".to_owned(),
            ],
            by_hand: Some(Box::new(self.run(context, Vec::new()))),
            watch: None,
        }
    }

    fn run(&self, context: &StepContext<'_>, arguments: Vec<String>) -> Op {
        let log = context.folders.log("install-server");
        Op::Run { program: self.installer.clone(), arguments, timeout: self.timeout, log }
    }
}

impl StepKind for InstallServer {
    fn id(&self) -> StepId {
        StepId::named("install-server")
    }

    fn title(&self) -> String {
        let how = if self.arguments.is_some() { "" } else { " (by the operator)" };
        format!("Install {}{how}", self.version.as_deref().unwrap_or("the Multi-Factor Authentication Server"))
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        if !products::is_newer_installed(context.machine, Component::Server, &self.old_codes)? {
            return Ok(Probe::Needed("no new server product is installed".to_owned()));
        }
        let now = install_path_text(context.machine, self.view, &self.key)?;
        if now.as_deref() != Some(&self.install_path) {
            return Ok(Probe::Blocked(format!(
                "InstallPath was {} and is {} after setup: the server does not see its old data. Run `pfupgrade rollback`, \
                 or uninstall the server, set InstallPath back and run `pfupgrade resume`",
                self.install_path,
                now.as_deref().unwrap_or("not set"),
            )));
        }
        Ok(Probe::Done)
    }

    fn operations(&self, context: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        Ok(Some(vec![match &self.arguments {
            None => Op::Ask { gate: self.gate(context) },
            Some(arguments) => self.run(context, arguments.clone()),
        }]))
    }

    fn certainty(&self, _: &StepContext<'_>) -> Certainty {
        Certainty::Estimated
    }

    fn installs(&self) -> Option<Component> {
        Some(Component::Server)
    }
}
