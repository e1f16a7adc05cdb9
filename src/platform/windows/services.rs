//! Services: query, stop, start. Every wait has a timeout.

use super::registry;
use super::win32::services as win32;
use crate::names::ServiceName;
use crate::platform::facts::{Service, ServiceState, StartType};
use crate::platform::op::SERVICE_LIMIT;
use crate::platform::registry::{Value, View};
use crate::platform::{Context, Failure, Outcome, Progress};
use std::thread;
use std::time::{Duration, Instant};
use windows_service::service::{Service as Handle, ServiceAccess, ServiceState as State};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};

const SERVICES: &str = r"HKLM\SYSTEM\CurrentControlSet\Services";
/// SERVICE_ENUMERATE_DEPENDENTS of `winsvc.h`.
const ENUMERATE_DEPENDENTS: ServiceAccess = ServiceAccess::from_bits_retain(0x8);
const NO_SUCH_SERVICE: i32 = 1060;
const ALREADY_RUNNING: i32 = 1056;
const NOT_ACTIVE: i32 = 1062;
const LOOK_EVERY: Duration = Duration::from_millis(250);
const TELL_EVERY: Duration = Duration::from_secs(15);

/// All services, with their registration.
pub(super) fn all() -> Result<Vec<Service>, Failure> {
    let listed = win32::all().context("list the services")?;
    let mut all = Vec::with_capacity(listed.len());
    for found in listed {
        // It may have been removed since it was listed.
        let Some(key) = registry::key(View::Native, &format!("{SERVICES}\\{}", found.name))? else { continue };
        all.push(Service {
            image_path: key.text("ImagePath").unwrap_or_default().to_owned(),
            account: key.text("ObjectName").unwrap_or("LocalSystem").to_owned(),
            start: match key.number("Start") {
                Some(2) => StartType::Automatic,
                Some(4) => StartType::Disabled,
                _ => StartType::Manual,
            },
            depends_on: needed(key.value("DependOnService")),
            state: if found.runs { ServiceState::Running } else { ServiceState::Stopped },
            name: found.name.into(),
            display_name: found.display_name,
        });
    }
    Ok(all)
}

/// The services that a service depends on; a name with `+` is a group, such as that of the network.
fn needed(value: Option<&Value>) -> Vec<ServiceName> {
    let all = match value {
        Some(Value::List(all)) => all.as_slice(),
        _ => &[],
    };
    all.iter()
        .filter(|name| !name.is_empty() && !name.starts_with('+'))
        .map(|name| ServiceName::from(name.as_str()))
        .collect()
}

/// Sets the state and the start type of a service.
pub(super) fn set(
    name: &str,
    wanted: ServiceState,
    start: Option<StartType>,
    watch: &mut dyn FnMut(Progress),
) -> Result<Outcome, Failure> {
    let verb = if wanted == ServiceState::Running { "start" } else { "stop" };
    let doing = format!("{verb} the service {name}");
    let access = ServiceAccess::QUERY_STATUS | ENUMERATE_DEPENDENTS;
    let access = access | if start.is_some() { ServiceAccess::CHANGE_CONFIG } else { ServiceAccess::empty() };
    let access = access | if wanted == ServiceState::Running { ServiceAccess::START } else { ServiceAccess::STOP };
    let Some(service) = open(name, access).map_err(|error| failure(&doing, &error))? else {
        // A missing service is not running either.
        return match wanted {
            ServiceState::Stopped => Ok(Outcome::default()),
            ServiceState::Running => Err(Failure::new(doing, "error 1060: the service does not exist")),
        };
    };
    if let Some(start) = start {
        let number = match start {
            StartType::Automatic => 2,
            StartType::Manual => 3,
            StartType::Disabled => 4,
        };
        win32::set_start(&service, number).context(&doing)?;
    }
    match wanted {
        ServiceState::Running => begin(&service, &doing, watch).map(|()| Outcome::default()),
        ServiceState::Stopped => {
            let mut notes = Vec::new();
            for dependent in win32::running_dependents(&service).context(&doing)? {
                set(&dependent, ServiceState::Stopped, None, watch)?;
                notes.push(format!("the service {dependent}, which depends on {name}, was stopped as well"));
            }
            end(&service, &doing, watch)?;
            Ok(Outcome { notes, ..Outcome::default() })
        }
    }
}

fn open(name: &str, access: ServiceAccess) -> windows_service::Result<Option<Handle>> {
    let manager = ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT)?;
    match manager.open_service(name, access) {
        Ok(service) => Ok(Some(service)),
        Err(error) if code(&error) == Some(NO_SUCH_SERVICE) => Ok(None),
        Err(error) => Err(error),
    }
}

fn code(error: &windows_service::Error) -> Option<i32> {
    match error {
        windows_service::Error::Winapi(error) => error.raw_os_error(),
        _ => None,
    }
}

fn failure(doing: &str, error: &windows_service::Error) -> Failure {
    let windows_service::Error::Winapi(error) = error else { return Failure::new(doing, error) };
    let next = match error.raw_os_error() {
        Some(1053 | 1067) => "check its log and the event log \"System\"",
        Some(1058) => "it is disabled: set its start type",
        Some(1069) => "its account or password is not accepted: fix that in services.msc",
        _ => "",
    };
    Failure::new(doing, error).next(next)
}

fn begin(service: &Handle, doing: &str, watch: &mut dyn FnMut(Progress)) -> Result<(), Failure> {
    // A stopping service cannot be started before it has stopped.
    if state(service, doing)? == State::StopPending {
        wait_for(service, State::Stopped, doing, watch)?;
    }
    match service.start::<&str>(&[]) {
        Ok(()) => {}
        Err(error) if code(&error) == Some(ALREADY_RUNNING) => {}
        Err(error) => return Err(failure(doing, &error)),
    }
    wait_for(service, State::Running, doing, watch)
}

fn end(service: &Handle, doing: &str, watch: &mut dyn FnMut(Progress)) -> Result<(), Failure> {
    if state(service, doing)? == State::StartPending {
        wait_for(service, State::Running, doing, watch)?;
    }
    match service.stop() {
        Ok(_) => {}
        Err(error) if code(&error) == Some(NOT_ACTIVE) => return Ok(()),
        // It is already stopping.
        Err(_) if state(service, doing)? == State::StopPending => {}
        Err(error) => return Err(failure(doing, &error)),
    }
    wait_for(service, State::Stopped, doing, watch)
}

fn state(service: &Handle, doing: &str) -> Result<State, Failure> {
    Ok(service.query_status().map_err(|error| failure(doing, &error))?.current_state)
}

fn wait_for(service: &Handle, wanted: State, doing: &str, watch: &mut dyn FnMut(Progress)) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut told = begun;
    loop {
        let now = state(service, doing)?;
        if now == wanted {
            return Ok(());
        }
        if wanted == State::Running && now == State::Stopped {
            let why = "it stopped by itself right after its start";
            return Err(Failure::new(doing, why).next("check its log and the event log \"System\""));
        }
        if begun.elapsed() > SERVICE_LIMIT {
            let why = format!("after {} seconds it is still {now:?}", SERVICE_LIMIT.as_secs());
            return Err(Failure::new(doing, why).next("check its state in services.msc"));
        }
        if told.elapsed() > TELL_EVERY {
            told = Instant::now();
            watch(Progress::Says(format!("waiting to {doing}: it is {now:?}")));
        }
        thread::sleep(LOOK_EVERY);
    }
}
