//! What the exit codes of Windows Installer, and of setups that pass them on, mean: one table for every backend.

use super::{Failure, FailureKind, diagnosis};
use crate::secret::holds_secret;
use crate::winpath::WinPath;
use std::fmt;

/// What follows from an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It is done.
    Done,
    /// It is done, and Windows has to be restarted.
    Restart,
    /// Another installation runs: nothing was changed, and later it may work.
    Busy,
    /// Nothing was changed.
    Refused,
    /// It began and did not come to its end.
    Failed,
}

/// An exit code that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstallerCode {
    /// The number.
    pub number: i32,
    /// Its name in Microsoft's headers.
    pub name: &'static str,
    /// What it says, in a few words.
    pub says: &'static str,
    /// What to do next; empty where the installer's log has to tell.
    pub advice: &'static str,
    /// What follows from it.
    pub meaning: Meaning,
}

/// The codes of a failed installation that only its log explains.
pub const FATAL: i32 = 1603;
/// Another installation runs.
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

/// Every code that is told by its name.
pub const CODES: &[InstallerCode] = &[
    code(0, "ERROR_SUCCESS", Meaning::Done, "done", ""),
    code(
        1601,
        "ERROR_INSTALL_SERVICE_FAILURE",
        Meaning::Refused,
        "the Windows Installer service cannot be reached",
        "see that the service msiserver is not disabled, and restart Windows if that does not help",
    ),
    code(
        1602,
        "ERROR_INSTALL_USEREXIT",
        Meaning::Failed,
        "it was cancelled",
        "find out who or what closed the installer; nobody may cancel it the next time",
    ),
    code(1603, "ERROR_INSTALL_FAILURE", Meaning::Failed, "fatal error", ""),
    code(
        1605,
        "ERROR_UNKNOWN_PRODUCT",
        Meaning::Refused,
        "Windows Installer knows no such product",
        "see in \"Programs and Features\" whether the product is still there",
    ),
    code(
        1612,
        "ERROR_INSTALL_SOURCE_ABSENT",
        Meaning::Refused,
        "source missing: Windows Installer has no package of the product any more",
        "put the package of exactly this product and version back where its log looks for it",
    ),
    code(
        1618,
        "ERROR_INSTALL_ALREADY_RUNNING",
        Meaning::Busy,
        "another installation is running",
        "let the other installation end, or find out whose it is (Windows Update, a management agent) and pause that",
    ),
    code(
        1619,
        "ERROR_INSTALL_PACKAGE_OPEN_FAILED",
        Meaning::Refused,
        "the package could not be opened",
        "see that the package is there, whole, and readable for SYSTEM as well",
    ),
    code(
        1620,
        "ERROR_INSTALL_PACKAGE_INVALID",
        Meaning::Refused,
        "the file is no package",
        "copy the package again from where it comes",
    ),
    code(
        1622,
        "ERROR_INSTALL_LOG_FAILURE",
        Meaning::Refused,
        "the log could not be opened",
        "see that the folder of the log exists and can be written to",
    ),
    code(
        1625,
        "ERROR_INSTALL_PACKAGE_REJECTED",
        Meaning::Refused,
        "a policy of this machine forbids it",
        "ask whoever keeps the group policies (DisableMSI, software restrictions) for an exception",
    ),
    code(
        1633,
        "ERROR_INSTALL_PLATFORM_UNSUPPORTED",
        Meaning::Refused,
        "wrong platform: the package is for another processor",
        "take the package for this Windows, 32 or 64 bits",
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
        "look at `properties` or `arguments` in the plan",
    ),
    code(1641, "ERROR_SUCCESS_REBOOT_INITIATED", Meaning::Restart, "done; a restart of Windows has been started", ""),
    code(
        1652,
        "ERROR_INSTALL_REMOTE_PROHIBITED",
        Meaning::Refused,
        "it cannot run in this kind of session",
        "start Windows normally, and run this program at its console",
    ),
    code(3010, "ERROR_SUCCESS_REBOOT_REQUIRED", Meaning::Restart, "done; Windows has to be restarted", ""),
];

/// What is known of an exit code.
pub fn known(number: i32) -> Option<&'static InstallerCode> {
    CODES.iter().find(|code| code.number == number)
}

/// What follows from an exit code; an unknown one is a failure.
pub fn meaning(number: i32) -> Meaning {
    known(number).map_or(Meaning::Failed, |code| code.meaning)
}

/// The failure of an installer that ended with `number`. `why` is the line of its log or of its output that explains
/// it.
pub fn failure(doing: impl fmt::Display, who: &str, number: i32, why: &str, log: &WinPath) -> Failure {
    let (named, advice) = match known(number) {
        Some(code) => (format!("{number} ({}: {})", code.name, code.says), code.advice),
        None => (number.to_string(), ""),
    };
    let why = if holds_secret(why) { "what it said last may hold a credential; its log has it" } else { why };
    // Where the code says nothing, the log may tell of a trouble that is known.
    let trouble = diagnosis::recognise(why).filter(|_| advice.is_empty());
    let advice = trouble.map_or(advice, |trouble| trouble.advice);
    let why = match (trouble, why) {
        (Some(trouble), why) => format!(": {}: {why}", trouble.says),
        (None, "") => String::new(),
        (None, why) => format!(": {why}"),
    };
    let next = match advice {
        "" => format!("read its log {log}, and see to what it says"),
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
