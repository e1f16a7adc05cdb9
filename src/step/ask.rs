//! Gates: what only the operator can do.

use super::server_data::{group, losses};
use super::{FollowUp, Probe, StepContext, StepId, StepKind};
use crate::names::ServiceName;
use crate::plan::GateId;
use crate::platform::facts::ServiceState;
use crate::platform::op::{Gate, Op};
use crate::platform::{Context, Failure};
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};
use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

/// Id of the gate at which the server is activated.
pub const ACTIVATION: &str = "activation";

/// The start of the log line that reports the upgraded data file. Confirmed for one build; the numbers differ.
const UPGRADED: &str = "Completed performing tasks to upgrade from";

/// A log is read from its end; the line is among the first ones after a service's start.
const LOG_TAIL: u64 = 16 << 20;

/// Waits until the service has upgraded its data file, or the operator confirms that the server is activated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activate {
    /// The main service of MFA Server.
    pub service: ServiceName,
    /// Its log.
    pub log: WinPath,
    /// Length of that log when the procedure was frozen: older lines do not count.
    pub log_from: u64,
    /// How long the log is watched before the operator is asked.
    pub timeout: Duration,
    /// The data folder; older journals lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<WinPath>,
}

impl Activate {
    fn data_is_upgraded(&self, context: &StepContext<'_>) -> Result<bool, Failure> {
        let doing = format!("read {}", self.log);
        let Some(entry) = context.machine.files().entry(&self.log).context(&doing)? else { return Ok(false) };
        // A log that became shorter was restarted.
        let old = if entry.len < self.log_from { 0 } else { self.log_from };
        let mut file = context.machine.files().open(&self.log).context(&doing)?;
        file.seek(SeekFrom::Start(old.max(entry.len.saturating_sub(LOG_TAIL)))).context(&doing)?;
        let mut tail = Vec::new();
        file.take(LOG_TAIL).read_to_end(&mut tail).context(&doing)?;
        Ok(String::from_utf8_lossy(&tail).contains(UPGRADED))
    }
}

/// What the article asks for after an upgrade.
fn in_group(name: Option<&str>) -> FollowUp {
    let name = name.map_or_else(|| "its name cannot be read".to_owned(), |name| format!("before the upgrade: {name}"));
    FollowUp::new("Make sure that the server is in its replication group", vec![name])
}

impl StepKind for Activate {
    fn id(&self) -> StepId {
        StepId::named(ACTIVATION)
    }

    fn title(&self) -> String {
        "Wait for the data upgrade; activate the server if asked".to_owned()
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        let services = context.machine.services()?;
        let service = services.iter().find(|service| service.name == self.service);
        Ok(match service.map(|service| service.state) {
            None => Probe::Needed(format!("the service {} does not exist", self.service)),
            Some(ServiceState::Stopped) => Probe::Needed(format!("the service {} is not running", self.service)),
            Some(ServiceState::Running) if !self.data_is_upgraded(context)? => {
                Probe::Needed(format!("{} does not report the upgraded data file yet", self.log))
            }
            Some(ServiceState::Running) => match self.worries(context)?.as_slice() {
                [] => Probe::Done,
                worries => Probe::Needed(worries.join("; ")),
            },
        })
    }

    /// What the upgraded server has lost.
    fn worries(&self, context: &StepContext<'_>) -> Result<Vec<String>, Failure> {
        match &self.data {
            Some(data) if self.data_is_upgraded(context)? => losses(context, data),
            _ => Ok(Vec::new()),
        }
    }

    fn follow_ups(&self, context: &StepContext<'_>) -> Result<Vec<FollowUp>, Failure> {
        let backup = self.data.as_ref().and_then(|data| context.history.backup_of(data));
        let group = backup.and_then(|backup| group(context.machine.files(), backup));
        Ok(vec![in_group(group.as_deref())])
    }

    fn when_skipped(&self, reason: &str) -> FollowUp {
        let FollowUp { title, mut lines } = in_group(None);
        lines.push(format!("the plan skips the activation: {reason}"));
        FollowUp { title, lines }
    }

    fn operations(&self, _: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        let gate = Gate {
            id: ACTIVATION.to_owned(),
            title: "Activate the server".to_owned(),
            instructions: vec![
                "Open the Multi-Factor Authentication Server console.".to_owned(),
                "If it asks for activation, enter the email address and password of your credentials.".to_owned(),
                "Select the replication group that this server belonged to.".to_owned(),
                format!(
                    "Do not restart the service {}: it upgrades the data file, which can take minutes.",
                    self.service
                ),
            ],
            by_hand: None,
            watch: Some(self.timeout),
        };
        Ok(Some(vec![Op::Ask { gate }]))
    }

    /// The new service had already upgraded the data file at the first check.
    fn words_when_done(&self) -> &'static str {
        "done"
    }

    fn is_taken_on_trust(&self) -> bool {
        true
    }
}

/// Asks the operator to change a setting in the MFA Server console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tell {
    /// Its title.
    pub gate: Gate,
    /// The new URL; older journals lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_url: Option<String>,
    /// The old URL; older journals lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_url: Option<String>,
}

impl Tell {
    /// The URLs to pass on, or else the instructions of the gate.
    fn urls(&self) -> Vec<String> {
        let urls = [("new", &self.new_url), ("old", &self.old_url)];
        let urls = urls.into_iter().filter_map(|(which, url)| Some(format!("{which}: {}", url.as_ref()?)));
        let urls: Vec<String> = urls.collect();
        if urls.is_empty() { self.gate.instructions.clone() } else { urls }
    }
}

impl StepKind for Tell {
    fn id(&self) -> StepId {
        StepId::named(&self.gate.id)
    }

    fn title(&self) -> String {
        self.gate.title.clone()
    }

    fn probe(&self, _: &StepContext<'_>) -> Result<Probe, Failure> {
        Ok(Probe::Needed("the console's settings cannot be read".to_owned()))
    }

    fn operations(&self, _: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        Ok(Some(vec![Op::Ask { gate: self.gate.clone() }]))
    }

    fn follow_ups(&self, _: &StepContext<'_>) -> Result<Vec<FollowUp>, Failure> {
        let title = match self.gate.id == GateId::PortalUrl.key() {
            true => "Tell users the new portal URL",
            false => "Tell users of the mobile app to activate it again with the new service URL",
        };
        Ok(vec![FollowUp::new(title, self.urls())])
    }

    fn when_skipped(&self, _: &str) -> FollowUp {
        FollowUp::new(&self.gate.title, self.gate.instructions.clone())
    }

    fn is_taken_on_trust(&self) -> bool {
        true
    }
}
