//! The outage starts: the services stop, and what they hold open can be copied.

use super::{Probe, Scene, StepKind};
use crate::platform::Failure;
use crate::platform::facts::ServiceState;
use crate::platform::op::Op;
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};

/// Stops every service whose program lies below InstallPath.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopServices {
    /// The services that ran when the procedure was frozen.
    pub names: Vec<String>,
}

impl StepKind for StopServices {
    fn title(&self) -> String {
        format!("Stop {}: the outage starts", self.names.join(", "))
    }

    fn probe(&self, scene: &Scene<'_>) -> Result<Probe, Failure> {
        let services = scene.machine.services()?;
        let running = services.iter().find(|service| {
            service.state == ServiceState::Running
                && self.names.iter().any(|name| name.eq_ignore_ascii_case(&service.name))
        });
        Ok(match running {
            Some(service) => Probe::Needed(format!("{} runs", service.name)),
            None => Probe::Done,
        })
    }

    fn operations(&self, _: &Scene<'_>) -> Result<Option<Vec<Op>>, Failure> {
        Ok(Some(self.names.iter().map(|name| Op::stop(name)).collect()))
    }
}

/// Copies the data folder once nothing writes to it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackUpData {
    /// The id of this step, by which its attempts are counted.
    pub id: String,
    /// The data folder: the database with its certificates and keys.
    pub data: WinPath,
}

impl StepKind for BackUpData {
    fn title(&self) -> String {
        "Back up the data folder".to_owned()
    }

    fn probe(&self, scene: &Scene<'_>) -> Result<Probe, Failure> {
        Ok(match scene.history.backup_of(&self.data) {
            Some(_) => Probe::Done,
            None => Probe::Needed("the services had to stop first".to_owned()),
        })
    }

    fn operations(&self, scene: &Scene<'_>) -> Result<Option<Vec<Op>>, Failure> {
        Ok(Some(vec![Op::BackUp {
            from: self.data.clone(),
            to: scene.place(&self.id, &scene.folders.data_backup()),
            except: Vec::new(),
        }]))
    }
}
