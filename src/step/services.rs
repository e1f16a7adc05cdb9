//! The outage starts: the services stop, so that their files can be copied.

use super::{Certainty, FollowUp, Probe, StepContext, StepId, StepKind};
use crate::names::{ServiceName, list};
use crate::platform::Failure;
use crate::platform::facts::{Service, ServiceState, StartType};
use crate::platform::op::Op;
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};

/// Stops every service with a program below InstallPath, after the services that depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopServices {
    /// The services that ran when the procedure was frozen, in the order in which they stop.
    pub names: Vec<ServiceName>,
}

impl StepKind for StopServices {
    fn id(&self) -> StepId {
        StepId::named("stop-services")
    }

    fn title(&self) -> String {
        format!("Stop {}: the outage starts", list(&self.names))
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        let services = context.machine.services()?;
        let running = services
            .iter()
            .find(|service| service.state == ServiceState::Running && self.names.contains(&service.name));
        Ok(match running {
            Some(service) => Probe::Needed(format!("{} is running", service.name)),
            None => Probe::Done,
        })
    }

    fn operations(&self, _: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        Ok(Some(self.names.iter().map(Op::stop).collect()))
    }
}

/// Starts the other services that were stopped with the agent's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartServices {
    /// The services that ran when the procedure was frozen, in the order in which they start.
    pub names: Vec<ServiceName>,
}

impl StartServices {
    /// The services that can be started, and why the others cannot: the services of MFA Server have other names.
    pub fn possible(&self, context: &StepContext<'_>) -> Result<(Vec<Service>, Vec<String>), Failure> {
        let all = context.machine.services()?;
        let find = |name: &ServiceName| all.iter().find(|service| service.name == *name);
        let (mut possible, mut left_out, mut stay) = (Vec::new(), Vec::new(), Vec::new());
        for name in &self.names {
            let Some(service) = find(name) else { continue };
            let is_missing = |needed: &&ServiceName| find(needed).is_none() || stay.contains(needed);
            let why = match service.depends_on.iter().find(is_missing) {
                Some(missing) => format!("it depends on {missing}, which is no longer running"),
                None if service.start == StartType::Disabled => "it has been disabled".to_owned(),
                None => {
                    possible.push(service.clone());
                    continue;
                }
            };
            left_out.push(format!("{name}: {why}"));
            stay.push(name);
        }
        Ok((possible, left_out))
    }
}

impl StepKind for StartServices {
    fn id(&self) -> StepId {
        StepId::named("start-services")
    }

    fn title(&self) -> String {
        format!("Start {} again", list(&self.names))
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        let (possible, _) = self.possible(context)?;
        Ok(match possible.iter().find(|service| service.state == ServiceState::Stopped) {
            Some(service) => Probe::Needed(format!("{} is not running", service.name)),
            None => Probe::Done,
        })
    }

    fn follow_ups(&self, context: &StepContext<'_>) -> Result<Vec<FollowUp>, Failure> {
        let (_, left_out) = self.possible(context)?;
        let title = "Check services that ran before and could not be started";
        Ok(if left_out.is_empty() { Vec::new() } else { vec![FollowUp::new(title, left_out)] })
    }

    fn operations(&self, context: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        let start = |service: Service| Op::Service { name: service.name, state: ServiceState::Running, start: None };
        Ok(Some(self.possible(context)?.0.into_iter().map(start).collect()))
    }

    fn certainty(&self, _: &StepContext<'_>) -> Certainty {
        Certainty::Estimated
    }

    fn notes(&self, _: &StepContext<'_>) -> Vec<String> {
        vec!["A service that depends on an agent service by name cannot start; the end of the run lists it.".to_owned()]
    }
}

/// Copies the data folder once nothing writes to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackUpData {
    /// The data folder: the database with its certificates and keys.
    pub data: WinPath,
}

impl StepKind for BackUpData {
    fn id(&self) -> StepId {
        StepId::named("back-up-data")
    }

    fn title(&self) -> String {
        "Back up the data folder".to_owned()
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        Ok(match context.history.backup_of(&self.data) {
            Some(_) => Probe::Done,
            None => Probe::Needed("the services must stop first".to_owned()),
        })
    }

    fn operations(&self, context: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        Ok(Some(vec![Op::BackUp {
            from: self.data.clone(),
            to: context.place(&self.id(), &context.folders.data_backup()),
            except: Vec::new(),
        }]))
    }
}
