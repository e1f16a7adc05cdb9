//! The exit codes of Windows Installer, and of setups that return them: one table for every backend.
//!
//! The codes of a restart, and codes as HRESULTs, are read as Burn reads them, the engine of most setups
//! (`ExeEngineHandleExitCode` in `wixtoolset/wix`, `src/burn/engine/exeengine.cpp`).

use super::{Failure, FailureKind, Outcome, diagnosis};
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
    /// It is done, and Windows is already restarting.
    Restarting,
    /// Another installation is running: nothing was changed, and a retry may work.
    Busy,
    /// Nothing was changed.
    Refused,
    /// It started and failed.
    Failed,
    /// It started and failed, and Windows must be restarted, or already restarts, to undo what it has changed.
    FailedUntilRestart,
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
/// A failed installation has started a restart of Windows.
pub const RESTARTS_TO_UNDO: i32 = 3018;
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
    code(
        1641,
        "ERROR_SUCCESS_REBOOT_INITIATED",
        Meaning::Restarting,
        "done; a restart of Windows has been started",
        "",
    ),
    code(
        1645,
        "ERROR_INSTALL_REMOTE_PROHIBITED",
        Meaning::Refused,
        "it cannot run in a Remote Desktop session",
        "run pfupgrade at the console of this server, or in an administrative session (mstsc /admin)",
    ),
    code(
        1652,
        "ERROR_INSTALL_SERVICE_SAFEBOOT",
        Meaning::Refused,
        "Windows runs in safe mode, in which Windows Installer does not work",
        "start Windows normally",
    ),
    code(3010, "ERROR_SUCCESS_REBOOT_REQUIRED", Meaning::Restart, "done; Windows must be restarted", ""),
    code(3011, "ERROR_SUCCESS_RESTART_REQUIRED", Meaning::Restart, "done; Windows must be restarted", ""),
    code(
        3017,
        "ERROR_FAIL_REBOOT_REQUIRED",
        Meaning::FailedUntilRestart,
        "it failed, and Windows must be restarted to undo its changes",
        RESTART_TO_UNDO,
    ),
    code(
        RESTARTS_TO_UNDO,
        "ERROR_FAIL_REBOOT_INITIATED",
        Meaning::FailedUntilRestart,
        "it failed, and has started a restart of Windows to undo its changes",
        RESTART_TO_UNDO,
    ),
];

const RESTART_TO_UNDO: &str = "let Windows restart first, so that the changes are undone";

/// The code that an HRESULT of Win32 wraps, and any other code as it is.
fn unwrapped(number: i32) -> i32 {
    match u32::from_ne_bytes(number.to_ne_bytes()) {
        wrapped @ 0x8007_0001..=0x8007_FFFF => i32::from_ne_bytes((wrapped & 0xFFFF).to_ne_bytes()),
        _ => number,
    }
}

/// The entry of a known exit code.
pub fn known(number: i32) -> Option<&'static InstallerCode> {
    CODES.iter().find(|code| code.number == unwrapped(number))
}

/// The meaning of an exit code; an unknown one is a failure.
pub fn meaning(number: i32) -> Meaning {
    known(number).map_or(Meaning::Failed, |code| code.meaning)
}

/// The outcome of an installer or program that succeeded with `number`; `None` if it failed.
pub fn success(number: i32) -> Option<Outcome> {
    match meaning(number) {
        Meaning::Done => Some(Outcome::default()),
        Meaning::Restart => Some(Outcome { reboot: true, ..Outcome::default() }),
        Meaning::Restarting => Some(Outcome {
            reboot: true,
            restarting: true,
            notes: vec!["a restart of Windows has been started: nothing else is begun before it".to_owned()],
            ..Outcome::default()
        }),
        Meaning::Busy | Meaning::Refused | Meaning::Failed | Meaning::FailedUntilRestart => None,
    }
}

/// The failure of an installer that ended with `number`. `why` is the line of its log or output that explains it.
pub fn failure(doing: impl fmt::Display, who: &str, number: i32, why: &str, log: &WinPath) -> Failure {
    let (named, advice) = match known(number) {
        Some(code) if code.number == number => (format!("{number} ({}: {})", code.name, code.says), code.advice),
        Some(code) => (format!("0x{number:X}, {} ({}: {})", code.number, code.name, code.says), code.advice),
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
    Failure::new(doing, format!("{who} ended with {named}{why}"))
        .next(next)
        .of_kind(FailureKind::Ended(unwrapped(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_once_and_what_failed_says_what_to_do() {
        for (at, code) in CODES.iter().enumerate() {
            assert!(CODES[..at].iter().all(|before| before.number < code.number), "{code:?}");
            let is_told_by_its_log = code.number == FATAL || success(code.number).is_some();
            assert_eq!(code.advice.is_empty(), is_told_by_its_log, "{code:?}");
        }
        assert_eq!(meaning(BUSY), Meaning::Busy);
        assert_eq!(meaning(-1), Meaning::Failed);
    }

    #[test]
    fn every_name_is_that_of_microsofts_headers() {
        macro_rules! headers {
            ($($name:ident)*) => { [$((stringify!($name), windows_sys::Win32::Foundation::$name)),*] };
        }
        let known = headers! {
            ERROR_SUCCESS ERROR_INSTALL_SERVICE_FAILURE ERROR_INSTALL_USEREXIT ERROR_INSTALL_FAILURE
            ERROR_UNKNOWN_PRODUCT ERROR_INSTALL_SOURCE_ABSENT ERROR_INSTALL_ALREADY_RUNNING
            ERROR_INSTALL_PACKAGE_OPEN_FAILED ERROR_INSTALL_PACKAGE_INVALID ERROR_INSTALL_LOG_FAILURE
            ERROR_INSTALL_PACKAGE_REJECTED ERROR_INSTALL_PLATFORM_UNSUPPORTED ERROR_PRODUCT_VERSION
            ERROR_INVALID_COMMAND_LINE ERROR_SUCCESS_REBOOT_INITIATED ERROR_INSTALL_REMOTE_PROHIBITED
            ERROR_INSTALL_SERVICE_SAFEBOOT ERROR_SUCCESS_REBOOT_REQUIRED ERROR_SUCCESS_RESTART_REQUIRED
            ERROR_FAIL_REBOOT_REQUIRED ERROR_FAIL_REBOOT_INITIATED
        };
        let ours: Vec<_> = CODES.iter().map(|code| (code.name, code.number.unsigned_abs())).collect();
        assert_eq!(ours, known);
    }

    #[test]
    fn a_code_as_an_hresult_means_what_it_wraps() {
        let wrapped = |code: u32| i32::from_ne_bytes((0x8007_0000 | code).to_ne_bytes());
        for code in CODES.iter().filter(|code| code.number != 0) {
            assert_eq!(known(wrapped(code.number.unsigned_abs())), Some(code));
        }
        // No success is wrapped, and other facilities have other codes.
        assert_eq!(meaning(wrapped(0)), Meaning::Failed);
        assert_eq!(meaning(i32::from_ne_bytes(0x8004_0BC2_u32.to_ne_bytes())), Meaning::Failed);
        let log = WinPath::new(r"C:\logs\x.log").expect("a path");
        let failure = failure("run x", "it", wrapped(1618), "", &log);
        assert!(failure.why.contains("0x80070652, 1618 (ERROR_INSTALL_ALREADY_RUNNING: "), "{failure}");
        assert_eq!(failure.kind, FailureKind::Ended(BUSY));
    }

    #[test]
    fn a_restart_is_told_from_one_that_has_started() {
        for (code, started) in [(3010, false), (3011, false), (1641, true)] {
            let outcome = success(code).expect("it succeeded");
            assert_eq!((outcome.reboot, outcome.restarting), (true, started), "{code}");
        }
        assert_eq!([3017, 3018].map(meaning), [Meaning::FailedUntilRestart; 2]);
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
