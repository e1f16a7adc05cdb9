//! Gates: what only a person can do.

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

/// How the server's log begins to say that the data file is upgraded. Confirmed for one build; the numbers differ.
const UPGRADED: &str = "Completed performing tasks to upgrade from";

/// A log is read from its end; the line stands among the first of a service's start.
const LOG_TAIL: u64 = 16 << 20;

/// Waits until the service has upgraded its data file, or the operator says that the server is activated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activate {
    /// The main service of the new server.
    pub service: ServiceName,
    /// Its log.
    pub log: WinPath,
    /// Length of that log when the procedure was frozen: older lines do not count.
    pub log_from: u64,
    /// How long the log is watched before the operator is asked.
    pub timeout: Duration,
}

impl Activate {
    fn data_is_upgraded(&self, context: &StepContext<'_>) -> Result<bool, Failure> {
        let doing = format!("read {}", self.log);
        let Some(entry) = context.machine.files().entry(&self.log).context(&doing)? else { return Ok(false) };
        // A log that became shorter was begun anew.
        let old = if entry.len < self.log_from { 0 } else { self.log_from };
        let mut file = context.machine.files().open(&self.log).context(&doing)?;
        file.seek(SeekFrom::Start(old.max(entry.len.saturating_sub(LOG_TAIL)))).context(&doing)?;
        let mut tail = Vec::new();
        file.take(LOG_TAIL).read_to_end(&mut tail).context(&doing)?;
        Ok(String::from_utf8_lossy(&tail).contains(UPGRADED))
    }
}

impl StepKind for Activate {
    fn id(&self) -> StepId {
        StepId::named(ACTIVATION)
    }

    fn title(&self) -> String {
        "Wait for the data upgrade; activate the server if it asks".to_owned()
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        let services = context.machine.services()?;
        let service = services.iter().find(|service| service.name == self.service);
        Ok(match service.map(|service| service.state) {
            None => Probe::Needed(format!("the service {} does not exist", self.service)),
            Some(ServiceState::Stopped) => Probe::Needed(format!("the service {} does not run", self.service)),
            Some(ServiceState::Running) if !self.data_is_upgraded(context)? => {
                Probe::Needed(format!("{} does not yet say that the data file is upgraded", self.log))
            }
            Some(ServiceState::Running) => Probe::Done,
        })
    }

    fn operations(&self, _: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        let gate = Gate {
            id: ACTIVATION.to_owned(),
            title: "Activate the server".to_owned(),
            instructions: vec![
                "Open the Multi-Factor Authentication Server console.".to_owned(),
                "If it asks for activation, enter e-mail and password of the activation credentials.".to_owned(),
                "Pick the replication group this server belonged to.".to_owned(),
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

    /// The new service had already upgraded the data file when it was looked at.
    fn words_when_done(&self) -> &'static str {
        "done"
    }

    fn is_taken_on_trust(&self) -> bool {
        true
    }
}

/// Has the operator type something into the server's console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tell {
    /// What is asked.
    pub gate: Gate,
    /// The URL from now on; older journals lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_url: Option<String>,
    /// The URL until now; older journals lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_url: Option<String>,
}

impl Tell {
    /// The URLs to pass on; without them, what the gate says.
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
        Ok(Probe::Needed("the console's settings cannot be read from outside".to_owned()))
    }

    fn operations(&self, _: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        Ok(Some(vec![Op::Ask { gate: self.gate.clone() }]))
    }

    fn follow_ups(&self, _: &StepContext<'_>) -> Result<Vec<FollowUp>, Failure> {
        let title = match self.gate.id == GateId::PortalUrl.key() {
            true => "Tell the users the portal's new address",
            false => "Tell the users of the mobile app to activate it again, with the service's new address",
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
