//! MFA Server: what its setup requires, and the setup itself.

use super::{Certainty, Probe, StepContext, StepId, StepKind};
use crate::names::ProductCode;
use crate::plan::Component;
use crate::platform::op::{Blob, Gate, Op};
use crate::platform::registry::{Value, View, exported};
use crate::platform::{Context, Failure, disk};
use crate::survey::{INSTALL_PATH, install_path_text, products};
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Ensures that the setup finds the old folder and data. As far as is known, the registry key and the data folder
/// survive the uninstall of the agent; this step makes sure.
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
        "Make sure the setup finds the old folder and data".to_owned()
    }

    fn probe(&self, _: &StepContext<'_>) -> Result<Probe, Failure> {
        Ok(Probe::Needed("the uninstall of the agent may have removed too much".to_owned()))
    }

    fn operations(&self, context: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        let export = context.key_export(&self.key, &self.export);
        let import = |from| Op::ImportKey { view: self.view, key: self.key.clone(), from };
        let mut ops = vec![import(export.clone())];
        if let Some(completed) = self.with_backslash(context, &export)? {
            let path = context.folders.run.child("registry-key-for-setup.json");
            ops.push(Op::Write { path: path.clone(), content: Blob::new(completed) });
            ops.push(import(path));
        }
        ops.push(Op::Restore { from: context.data_backup(&self.data), to: self.data.clone(), except: Vec::new() });
        Ok(Some(ops))
    }

    fn is_taken_on_trust(&self) -> bool {
        true
    }
}

impl PrepareServer {
    /// The exported key with a backslash at the end of InstallPath; `None` if it has one. Whether the setup only appends
    /// names to the value is unknown, and the backslash does no harm.
    fn with_backslash(&self, context: &StepContext<'_>, export: &WinPath) -> Result<Option<Vec<u8>>, Failure> {
        let (files, doing) = (context.machine.files(), format!("read {export}"));
        let tree = match disk::exists(files, export).context(&doing)? {
            true => exported(files, &self.key, export)?,
            false => context.machine.registry_tree(self.view, &self.key)?,
        };
        let Some(mut tree) = tree else { return Ok(None) };
        let is_it = |name: &str| name.eq_ignore_ascii_case(INSTALL_PATH);
        let value = tree.values.iter_mut().find_map(|(name, value)| is_it(name).then_some(value));
        let Some(Value::Text(text) | Value::Expand { expand: text }) = value else { return Ok(None) };
        if text.is_empty() || text.ends_with(['\\', '/']) {
            return Ok(None);
        }
        text.push('\\');
        serde_json::to_vec_pretty(&Some(tree)).context(doing).map(Some)
    }
}

/// Runs the MFA Server setup, or asks the operator to run it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallServer {
    /// The setup.
    pub installer: WinPath,
    /// Its silent switches, from the plan; without them, the operator runs it.
    pub arguments: Option<Vec<String>>,
    /// How long it may take.
    pub timeout: Duration,
    /// Product and version of the setup, if known.
    pub version: Option<String>,
    /// Product codes of the old version: any other product installed afterwards is the new one.
    pub old_codes: Vec<ProductCode>,
    /// Which registry InstallPath is in.
    pub view: View,
    /// The key.
    pub key: String,
    /// InstallPath when the procedure was frozen, with its trailing backslash.
    pub install_path: String,
}

impl InstallServer {
    fn gate(&self, context: &StepContext<'_>) -> Gate {
        Gate {
            id: "server-setup".to_owned(),
            title: "Run the MFA Server setup".to_owned(),
            instructions: vec![
                format!("Run {} as administrator.", self.installer),
                format!("Keep the proposed folder: {}", self.install_path),
                "The setup may take minutes to show anything.".to_owned(),
                "Do not restart Windows if it asks you to; pfupgrade tells you when.".to_owned(),
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
        let how = if self.arguments.is_some() { "" } else { " (manual step)" };
        format!("Install {}{how}", self.version.as_deref().unwrap_or("Multi-Factor Authentication Server"))
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        if !products::is_newer_installed(context.machine, Component::Server, &self.old_codes)? {
            return Ok(Probe::Needed("MFA Server is not installed".to_owned()));
        }
        let now = install_path_text(context.machine, self.view, &self.key)?;
        // With or without a trailing backslash, it is the same folder.
        let folder = |text: &str| WinPath::new(text).ok();
        if now.as_deref().and_then(folder) != folder(&self.install_path) {
            return Ok(Probe::Blocked(format!(
                "InstallPath was {} and is {} after the setup, so MFA Server cannot find its data. Run `pfupgrade \
                 rollback`, or uninstall MFA Server, restore InstallPath and run `pfupgrade resume`",
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
