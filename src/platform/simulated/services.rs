//! The service control manager of a simulated machine (learn.microsoft.com, "Service Startup", "StartService" and
//! "ControlService" in the Win32 API):
//! - starting a service first starts the services that it depends on (error 1068 if one of them does not start, 1075 if
//!   one is missing, 1058 if the service itself is disabled, 1053 if its program does not respond);
//! - a service with running dependents cannot be stopped (error 1051): whoever stops it stops those first;
//! - at the start of Windows, automatic services start after those that they depend on.

use super::Simulated;
use super::trouble::When;
use crate::names::ServiceName;
use crate::platform::facts::{Service, ServiceState, StartType, in_start_order};
use crate::platform::{Failure, Outcome};

const NEXT: &str = "check in its logs and in the event log (System) what it is waiting for";

impl Simulated {
    pub(super) fn set_service(
        &self,
        name: &str,
        wanted: ServiceState,
        start: Option<StartType>,
    ) -> Result<Outcome, Failure> {
        let service = self.locked().service(name).cloned();
        let Some(mut service) = service else {
            // A missing service is not running either.
            return match wanted {
                ServiceState::Stopped => Ok(Outcome::default()),
                ServiceState::Running => Err(refused(name, wanted, "error 1060: the service does not exist")),
            };
        };
        if let Some(start) = start.filter(|start| *start != service.start) {
            service.start = start;
            self.change(|facts| {
                if let Some(service) = facts.service_mut(name) {
                    service.start = start;
                }
            })?;
        }
        if service.state == wanted {
            return Ok(Outcome::default());
        }
        let notes = match wanted {
            ServiceState::Running => self.start_service(&service).map(|()| Vec::new())?,
            ServiceState::Stopped => {
                let notes = self.stop_dependents_of(&service.name)?;
                self.stop_service(&service.name)?;
                notes
            }
        };
        Ok(Outcome { notes, ..Outcome::default() })
    }

    /// Starts a service that does not run.
    fn start_service(&self, service: &Service) -> Result<(), Failure> {
        let (name, wanted) = (&service.name, ServiceState::Running);
        let refused = |why: &str| refused(name, wanted, why);
        if service.start == StartType::Disabled {
            return Err(refused("error 1058: the service is disabled"));
        }
        for needed in &service.depends_on {
            let Some(needed) = self.locked().service(needed).cloned() else {
                return Err(refused(&format!("error 1075: it depends on {needed}, which does not exist")));
            };
            if needed.state == ServiceState::Stopped {
                let failed = |failure: Failure| {
                    let why = failure.why;
                    refused(&format!("error 1068: {}, which it depends on, did not start: {why}", needed.name))
                        .next(failure.next)
                };
                self.start_service(&needed).map_err(failed)?;
            }
        }
        if let Some(why) = self.trouble_with_service(name, When::Start)? {
            return Err(refused(&why).next(NEXT));
        }
        if let Some(why) = self.start_program_of(service)? {
            return Err(refused(&format!("error 1053: the service did not respond to the start request ({why})"))
                .next("check its logs"));
        }
        self.has_now(name, wanted)
    }

    /// Stops a service that runs, as `ControlService` does.
    pub(super) fn stop_service(&self, name: &ServiceName) -> Result<(), Failure> {
        let wanted = ServiceState::Stopped;
        if let Some(dependent) = self.running_dependents(name).first() {
            let why = format!("error 1051: {dependent}, which depends on it, is running");
            return Err(refused(name, wanted, &why).next("stop the services that depend on it first"));
        }
        if let Some(why) = self.trouble_with_service(name, When::Stop)? {
            return Err(refused(name, wanted, &why).next(NEXT));
        }
        self.has_now(name, wanted)
    }

    fn has_now(&self, name: &ServiceName, state: ServiceState) -> Result<(), Failure> {
        self.try_change(|facts| {
            let service = facts.service_mut(name);
            service.ok_or_else(|| refused(name, state, "it has just been removed"))?.state = state;
            Ok(())
        })
    }

    fn running_dependents(&self, name: &ServiceName) -> Vec<ServiceName> {
        let runs = |service: &&Service| service.needs(name) && service.state == ServiceState::Running;
        self.locked().services.iter().filter(runs).map(|service| service.name.clone()).collect()
    }

    /// Stops the services that depend on a service.
    fn stop_dependents_of(&self, name: &ServiceName) -> Result<Vec<String>, Failure> {
        let mut notes = Vec::new();
        for dependent in self.running_dependents(name) {
            notes.extend(self.set_service(&dependent, ServiceState::Stopped, None)?.notes);
            notes.push(format!("the service {dependent}, which depends on {name}, was stopped as well"));
        }
        Ok(notes)
    }

    /// Starts the automatic services, as far as possible.
    pub(super) fn start_automatic_services(&self) -> Result<(), Failure> {
        for service in in_start_order(self.facts().services) {
            let runs = self.locked().service(&service.name).is_none_or(|now| now.state == ServiceState::Running);
            if service.start == StartType::Automatic && !runs {
                // Windows writes an entry to its event log, and goes on.
                let _ = self.start_service(&service);
            }
        }
        Ok(())
    }
}

fn refused(name: &str, wanted: ServiceState, why: &str) -> Failure {
    let verb = if wanted == ServiceState::Running { "start" } else { "stop" };
    Failure::new(format!("{verb} the service {name}"), why)
}
