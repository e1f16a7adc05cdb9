//! The exit codes of Windows Installer, and of setups that return them: one table for every backend.

use super::{Failure, FailureKind, diagnosis};
use crate::secret::holds_secret;
use crate::winpath::WinPath;
use std::fmt;

/// The meaning of an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It is done.
    Done,
    /// It is done, and Windows must be restarted.
    Restart,
    /// Another installation is running: nothing was changed, and a retry may work.
    Busy,
    /// Nothing was changed.
    Refused,
    /// It started and failed.
    Failed,
}

/// A known exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstallerCode {
    /// The number.
    pub number: i32,
    /// Its name in Microsoft's headers.
    pub name: &'static str,
    /// Its meaning, in a few words.
    pub says: &'static str,
    /// What to do next; empty if the installer's log is needed.
    pub advice: &'static str,
    /// Its consequence.
    pub meaning: Meaning,
}

/// The codes of a failed installation that only its log explains.
pub const FATAL: i32 = 1603;
/// Another installation is running.
pub const BUSY: i32 = 1618;

const fn code(
    number: i32,
    name: &'static str,
    meaning: Meaning,
    says: &'static str,
    advice: &'static str,
) -> InstallerCode {
    InstallerCode { number, name, says, advice, meaning }
}

/// Every known code.
pub const CODES: &[InstallerCode] = &[
    code(0, "ERROR_SUCCESS", Meaning::Done, "done", ""),
    code(
        1601,
        "ERROR_INSTALL_SERVICE_FAILURE",
        Meaning::Refused,
        "the Windows Installer service cannot be reached",
        "check that the service msiserver is not disabled, and restart Windows if that does not help",
    ),
    code(
        1602,
        "ERROR_INSTALL_USEREXIT",
        Meaning::Failed,
        "it was canceled",
        "find out who or what closed the installer; do not cancel it next time",
    ),
    code(1603, "ERROR_INSTALL_FAILURE", Meaning::Failed, "fatal error", ""),
    code(
        1605,
        "ERROR_UNKNOWN_PRODUCT",
        Meaning::Refused,
        "Windows Installer does not know the product",
        "check in \"Programs and Features\" whether the product is still installed",
    ),
    code(
        1612,
        "ERROR_INSTALL_SOURCE_ABSENT",
        Meaning::Refused,
        "source missing: Windows Installer no longer has the package of the product",
        "restore the package of exactly this product and version at the path in its log",
    ),
    code(
        1618,
        "ERROR_INSTALL_ALREADY_RUNNING",
        Meaning::Busy,
        "another installation is running",
        "let the other installation finish, or find its owner (Windows Update, a management agent) and pause that",
    ),
    code(
        1619,
        "ERROR_INSTALL_PACKAGE_OPEN_FAILED",
        Meaning::Refused,
        "the package could not be opened",
        "check that the package exists, is complete, and is readable for SYSTEM",
    ),
    code(
        1620,
        "ERROR_INSTALL_PACKAGE_INVALID",
        Meaning::Refused,
        "the file is not a package",
        "copy the package again from its source",
    ),
    code(
        1622,
        "ERROR_INSTALL_LOG_FAILURE",
        Meaning::Refused,
        "the log could not be opened",
        "check that the folder of the log exists and is writable",
    ),
    code(
        1625,
        "ERROR_INSTALL_PACKAGE_REJECTED",
        Meaning::Refused,
        "a policy of this server forbids it",
        "ask the administrator of the group policies (DisableMSI, software restrictions) for an exception",
    ),
    code(
        1633,
        "ERROR_INSTALL_PLATFORM_UNSUPPORTED",
        Meaning::Refused,
        "wrong platform: the package is for another processor architecture",
        "use the package for this Windows, 32-bit or 64-bit",
    ),
    code(
        1638,
        "ERROR_PRODUCT_VERSION",
        Meaning::Refused,
        "another version is installed",
        "uninstall that version in \"Programs and Features\"",
    ),
    code(
        1639,
        "ERROR_INVALID_COMMAND_LINE",
        Meaning::Refused,
        "its command line is not valid",
        "check `properties` or `arguments` in the plan",
    ),
    code(1641, "ERROR_SUCCESS_REBOOT_INITIATED", Meaning::Restart, "done; a restart of Windows has been started", ""),
    code(
        1652,
        "ERROR_INSTALL_REMOTE_PROHIBITED",
        Meaning::Refused,
        "it cannot run in this kind of session",
        "start Windows normally, and run pfupgrade at its console",
    ),
    code(3010, "ERROR_SUCCESS_REBOOT_REQUIRED", Meaning::Restart, "done; Windows must be restarted", ""),
];

/// The entry of a known exit code.
pub fn known(number: i32) -> Option<&'static InstallerCode> {
    CODES.iter().find(|code| code.number == number)
}

/// The meaning of an exit code; an unknown one is a failure.
pub fn meaning(number: i32) -> Meaning {
    known(number).map_or(Meaning::Failed, |code| code.meaning)
}

/// The failure of an installer that ended with `number`. `why` is the line of its log or output that explains it.
pub fn failure(doing: impl fmt::Display, who: &str, number: i32, why: &str, log: &WinPath) -> Failure {
    let (named, advice) = match known(number) {
        Some(code) => (format!("{number} ({}: {})", code.name, code.says), code.advice),
        None => (number.to_string(), ""),
    };
    let why = if holds_secret(why) { "its last output may contain a credential; see its log" } else { why };
    // If the code is not specific, the log may show a known problem.
    let trouble = diagnosis::recognize(why).filter(|_| advice.is_empty());
    let advice = trouble.map_or(advice, |trouble| trouble.advice);
    let why = match (trouble, why) {
        (Some(trouble), why) => format!(": {}: {why}", trouble.says),
        (None, "") => String::new(),
        (None, why) => format!(": {why}"),
    };
    let next = match advice {
        "" => format!("check its log {log}"),
        advice => format!("{advice}; its log is {log}"),
    };
    Failure::new(doing, format!("{who} ended with {named}{why}")).next(next).of_kind(FailureKind::Ended(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_once_and_what_failed_says_what_to_do() {
        for (at, code) in CODES.iter().enumerate() {
            assert!(CODES[..at].iter().all(|before| before.number < code.number), "{code:?}");
            let is_told_by_its_log = code.number == FATAL || matches!(code.meaning, Meaning::Done | Meaning::Restart);
            assert_eq!(code.advice.is_empty(), is_told_by_its_log, "{code:?}");
        }
        assert_eq!(meaning(BUSY), Meaning::Busy);
        assert_eq!(meaning(-1), Meaning::Failed);
    }

    #[test]
    fn a_failure_names_the_code_the_reason_and_the_log() {
        let log = WinPath::new(r"C:\logs\x.log").expect("a path");
        let failure = failure("install x", "Windows Installer", BUSY, "", &log);
        assert!(failure.why.contains("1618 (ERROR_INSTALL_ALREADY_RUNNING: another installation is running)"));
        assert!(failure.next.contains("Windows Update") && failure.next.contains(r"C:\logs\x.log"));
        let failure = super::failure("run x", "it", 7, "out of paper", &log);
        assert!(failure.to_string().ends_with("it ended with 7: out of paper"), "{failure}");
    }
}
