//! The log and the result of an installation, as in Windows Installer.

use crate::platform::disk::{self, Disk};
use crate::platform::{Failure, Progress, installer_code, installer_log};
use crate::winpath::WinPath;
use jiff::Timestamp;
use std::io;

/// The exit codes of Windows Installer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::platform::simulated) enum Code {
    /// 1603, for every reason without its own code.
    Fatal,
    /// 1605: the product is not installed.
    UnknownProduct,
    /// 1612: the package of an installed product is gone.
    SourceAbsent,
    /// 1619: the package cannot be opened.
    OpenFailed,
    /// 1622: the log cannot be written.
    LogFailed,
    /// 1633: for another processor architecture.
    WrongPlatform,
    /// 1638: another version of the product is installed.
    OtherVersion,
    /// Any other code.
    Other(i32),
}

impl Code {
    pub(in crate::platform::simulated) fn number(self) -> i32 {
        match self {
            Code::Fatal => installer_code::FATAL,
            Code::UnknownProduct => 1605,
            Code::SourceAbsent => 1612,
            Code::OpenFailed => 1619,
            Code::LogFailed => 1622,
            Code::WrongPlatform => 1633,
            Code::OtherVersion => 1638,
            Code::Other(number) => number,
        }
    }
}

/// The descriptions of Windows Installer's actions.
fn description(action: &str) -> &str {
    match action {
        "CostFinalize" => "Computing space requirements",
        "LaunchConditions" => "Evaluating launch conditions",
        "InstallValidate" => "Validating install",
        "InstallFiles" => "Copying new files",
        "InstallServices" => "Installing new services",
        "StartServices" => "Starting services",
        "StopServices" => "Stopping services",
        "RemoveFiles" => "Removing files",
        "PublishProduct" => "Publishing product information",
        other => other,
    }
}

/// Why an installation failed.
#[derive(Debug)]
pub(in crate::platform::simulated) enum Stop {
    /// Windows Installer ended with a code, for this reason.
    Code(Code, String),
    /// The simulated machine itself failed.
    Failure(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Failure(failure)
    }
}

impl Stop {
    pub(super) fn fatal(why: impl Into<String>) -> Self {
        Stop::Code(Code::Fatal, why.into())
    }

    /// The failure to report.
    pub(super) fn into_failure(self, doing: &str, log: &Log, path: &WinPath) -> Failure {
        match self {
            Stop::Failure(failure) => failure,
            Stop::Code(code, why) => {
                let why = installer_log::reason(log.text().as_bytes()).unwrap_or(why);
                installer_code::failure(doing, "Windows Installer", code.number(), &why, path)
            }
        }
    }
}

/// The lines of a log, in the format of `/l*v`.
pub(in crate::platform::simulated) struct Log {
    lines: Vec<String>,
    path: Option<WinPath>,
    time: String,
    action: Option<&'static str>,
}

impl Log {
    /// An empty log; without a path it is not written.
    pub(in crate::platform::simulated) fn new(now: Timestamp, path: Option<WinPath>) -> Self {
        let now = now.to_string();
        let time = now.get(11..19).unwrap_or(&now).to_owned();
        let first =
            format!("=== Logging started: {} (a simulation of Windows Installer) ===", now.get(..19).unwrap_or(&now));
        Self { lines: vec![first], path, time, action: None }
    }

    pub(super) fn say(&mut self, text: impl AsRef<str>) {
        self.lines.push(format!("MSI (s) (4C:A8) [{}:000]: {}", self.time, text.as_ref()));
    }

    /// Starts an action; the previous one has succeeded. Returns its description.
    pub(in crate::platform::simulated) fn begin(&mut self, action: &'static str) -> Progress {
        self.end(1);
        let words = description(action);
        self.lines.push(format!("Action {}: {action}. {words}", self.time));
        self.lines.push(format!("Action start {}: {action}.", self.time));
        self.action = Some(action);
        Progress::Action(words.to_owned())
    }

    fn end(&mut self, value: u8) {
        if let Some(action) = self.action.take() {
            self.lines.push(format!("Action ended {}: {action}. Return value {value}.", self.time));
        }
    }

    pub(super) fn properties<'a>(&mut self, all: impl Iterator<Item = (&'a String, &'a String)>) {
        self.lines.extend(all.map(|(name, value)| format!("Property(S): {name} = {value}")));
    }

    pub(super) fn succeed(&mut self, product: &str, what: &str) {
        self.end(1);
        self.say(format!("Product: {product} -- {what} completed successfully."));
        self.say("MainEngineThread is returning 0");
    }

    pub(super) fn fail(&mut self, code: Code, why: &str) {
        self.say(why);
        self.end(3);
        self.say(format!("MainEngineThread is returning {}", code.number()));
    }

    pub(super) fn save(&self, disk: &dyn Disk) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        disk::replace(disk, path, self.text().as_bytes())
    }

    fn text(&self) -> String {
        self.lines.join("\r\n") + "\r\n"
    }

    pub(in crate::platform::simulated) fn into_lines(self) -> Vec<String> {
        self.lines
    }
}
