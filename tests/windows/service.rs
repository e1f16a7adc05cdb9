//! A stand-in for the services of both eras, for tests under Wine. What it does depends on the name of its file: the
//! agent's service refuses a data file that is too new, the server's one upgrades it. Each says so in a log.

#[cfg(windows)]
fn main() -> windows_service::Result<()> {
    service::run()
}

#[cfg(not(windows))]
fn main() {
    println!("a service runs on Windows only");
}

#[cfg(windows)]
mod service {
    use std::ffi::OsString;
    use std::io::Write;
    use std::path::Path;
    use std::sync::mpsc;
    use std::time::Duration;
    use std::{env, fs, io};
    use windows_service::service::{
        ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus, ServiceType,
    };
    use windows_service::service_control_handler::{self, ServiceControlHandlerResult};
    use windows_service::{define_windows_service, service_dispatcher};

    define_windows_service!(entry, main);

    pub(super) fn run() -> windows_service::Result<()> {
        service_dispatcher::start("", entry)
    }

    fn main(_: Vec<OsString>) {
        let (stop, stopped) = mpsc::channel();
        let registered = service_control_handler::register("", move |control| match control {
            ServiceControl::Stop => {
                let _ = stop.send(());
                ServiceControlHandlerResult::NoError
            }
            ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
            _ => ServiceControlHandlerResult::NotImplemented,
        });
        let Ok(handle) = registered else { return };
        let say = |state: ServiceState, code: u32| {
            let accepts =
                if state == ServiceState::Running { ServiceControlAccept::STOP } else { ServiceControlAccept::empty() };
            let _ = handle.set_service_status(ServiceStatus {
                service_type: ServiceType::OWN_PROCESS,
                current_state: state,
                controls_accepted: accepts,
                exit_code: ServiceExitCode::Win32(code),
                checkpoint: 0,
                wait_hint: Duration::ZERO,
                process_id: None,
            });
        };
        match work() {
            Ok(()) => {
                say(ServiceState::Running, 0);
                let _ = stopped.recv();
                say(ServiceState::Stopped, 0);
            }
            Err(_) => say(ServiceState::Stopped, 1067),
        }
    }

    fn work() -> io::Result<()> {
        let program = env::current_exe()?;
        let folder = program.parent().unwrap_or(Path::new("."));
        let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let log = |text: &str| -> io::Result<()> {
            fs::create_dir_all(folder.join("Logs"))?;
            let path = folder.join("Logs").join(format!("{name}.log"));
            let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
            write!(file, "2026-01-01T00:00:00Z|i|1|1|pfsvc|{text}\r\n")
        };
        let data = folder.join("Data").join("PhoneFactor.pfdata");
        match (name.as_str(), fs::read(&data)) {
            ("pfsvc", Ok(content)) if !content.starts_with(b"PFDATA 5") => {
                return Err(io::Error::other("the data file is too new"));
            }
            ("MultiFactorAuthSvc", Ok(content)) if content.starts_with(b"PFDATA 5") => {
                fs::write(&data, [b"PFDATA 7", &content[8..]].concat())?;
                log("Completed performing tasks to upgrade from 5 to 7")?;
            }
            _ => {}
        }
        log("The service has started")
    }
}
