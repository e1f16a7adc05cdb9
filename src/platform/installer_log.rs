//! The log that Windows Installer writes with `/l*v`: why an installation failed, its key lines, and its current
//! action.

mod masking;

pub use masking::mask;

use super::diagnosis;
use super::disk::ReadDisk;
use crate::secret::holds_secret;
use crate::winpath::WinPath;
use std::io::{self, Read, Seek, SeekFrom};

/// The number of lines before the failed action's end that may contain the reason.
const NEAR: usize = 30;
/// The maximum length of a reason.
const LONGEST: usize = 300;
/// Only the end of a larger log is read, where the failure is.
const LARGEST: u64 = 32 << 20;
/// The part of a growing log with the latest action.
const LATEST: u64 = 64 << 10;
/// The maximum number of log lines in a report.
const KEY_LINES: usize = 12;

/// Why an installation failed, from its log: the message closest before the first "Return value 3", with the failed
/// action. `None` if the log has no failure.
pub fn reason(log: &[u8]) -> Option<String> {
    let text = decoded(log);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let at = failed_at(&lines)?;
    let action = lines[at].split_once(": ").and_then(|(_, rest)| rest.split('.').next()).unwrap_or_default();
    let near = lines[..at].iter().rev().take(NEAR).take_while(|line| !line.contains("Return value"));
    let messages: Vec<&str> = near.map(|line| message(line)).filter(|line| !line.is_empty()).collect();
    let tells = |line: &&&str| line.contains(" -- ") || line.starts_with("Error ") || line.contains("Error 1");
    let is_known = |line: &&&str| diagnosis::recognize(line).is_some();
    let why = messages.iter().find(is_known).or_else(|| messages.iter().find(tells)).or(messages.first());
    let why = shown(why.copied().unwrap_or_default());
    Some(match (why.is_empty(), action.is_empty()) {
        (false, false) => format!("{why} (action {action})"),
        (false, true) => why,
        (true, _) => format!("the action {action} failed"),
    })
}

/// The key lines of a log: messages, errors, failures, and the result.
pub fn key_lines(log: &[u8]) -> Vec<String> {
    let text = decoded(log);
    let mut found: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim) {
        let line = message(line);
        let is_result = line.contains("Return value 3")
            || line.starts_with("MainEngineThread is returning")
            || line.starts_with("Windows Installer installed the product")
            || line.starts_with("Windows Installer removed the product");
        let tells = line.starts_with("Error ") || line.starts_with("Product: ") || diagnosis::recognize(line).is_some();
        let line = if is_result || tells { shown(line) } else { continue };
        if !found.contains(&line) {
            found.push(line);
        }
    }
    // The first lines have the cause, and the last lines the result.
    if found.len() > KEY_LINES {
        found.drain(KEY_LINES / 2..found.len() - KEY_LINES / 2);
    }
    found
}

/// The latest action in a log, with its description if it has one.
pub fn latest_action(log: &[u8]) -> Option<String> {
    let text = decoded(log);
    // "Action 22:00:01: InstallFiles. Copying new files", "Action start 22:00:01: InstallFiles."
    let action = |line: &str| {
        let rest = line.trim().strip_prefix("Action ")?;
        let rest = rest.strip_prefix("start ").unwrap_or(rest);
        let (name, words) = rest.split_once(": ")?.1.split_once('.')?;
        let is_time = rest.starts_with(|first: char| first.is_ascii_digit());
        is_time.then(|| (name.to_owned(), words.trim().to_owned()))
    };
    let mut lines = text.lines().rev().filter_map(action);
    let (name, words) = lines.next()?;
    // The line with the description is next to the one with the start of the action.
    let words = if words.is_empty() {
        lines.next().filter(|(same, _)| *same == name).map(|(_, words)| words)
    } else {
        Some(words)
    };
    Some(shown(&words.filter(|words| !words.is_empty()).unwrap_or(name)))
}

/// A log, or the end of a large one; empty if there is none.
pub fn read(files: &dyn ReadDisk, log: &WinPath) -> io::Result<Vec<u8>> {
    tail(files, log, LARGEST)
}

/// The end of a log that is still being written.
pub fn read_latest(files: &dyn ReadDisk, log: &WinPath) -> io::Result<Vec<u8>> {
    tail(files, log, LATEST)
}

/// The last bytes of a file. UTF-16 is cut between characters, and its byte order mark is kept.
fn tail(files: &dyn ReadDisk, path: &WinPath, most: u64) -> io::Result<Vec<u8>> {
    let mut file = files.open(path)?;
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut bytes = Vec::new();
    if length > most {
        let mut mark = [0; 2];
        file.read_exact(&mut mark)?;
        if mark == [0xff, 0xfe] {
            bytes.extend(mark);
        }
        file.seek(SeekFrom::Start((length - most) & !1))?;
    }
    file.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The line where the first failed action ended.
fn failed_at(lines: &[&str]) -> Option<usize> {
    let ended = |value: &str| lines.iter().position(|line| line.trim_end_matches('.').ends_with(value));
    // Windows reports 3 for a failure; Wine reports 0, which Windows reports only for a missing action.
    ended("Return value 3").or_else(|| ended("Return value 0"))
}

/// A line without its process prefix. Property values may be secrets and explain nothing.
fn message(line: &str) -> &str {
    let line = match line.strip_prefix("MSI (").and_then(|rest| rest.split_once("]: ")) {
        Some((_, text)) => text,
        None => line,
    };
    // "Action 22:00:01: Name. What it is", "Action start 22:00:01: Name."
    let is_progress = line
        .strip_prefix("Action ")
        .is_some_and(|rest| rest.starts_with("start") || rest.starts_with(|first: char| first.is_ascii_digit()));
    let is_property = ["Property(", "PROPERTY CHANGE", "Command Line:"].iter().any(|begin| line.starts_with(begin));
    if is_property || is_progress || line.starts_with("===") { "" } else { line }
}

/// The part of a line that may be shown, truncated.
fn shown(line: &str) -> String {
    if holds_secret(line) {
        "(a line that may contain a credential)".to_owned()
    } else {
        line.chars().take(LONGEST).collect()
    }
}

/// Windows writes these logs in UTF-16 or in the code page of the machine.
fn decoded(log: &[u8]) -> String {
    match log {
        [0xff, 0xfe, rest @ ..] => {
            let (pairs, _) = rest.as_chunks::<2>();
            char::decode_utf16(pairs.iter().map(|pair| u16::from_le_bytes(*pair)))
                .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        _ => String::from_utf8_lossy(log).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "=== Logging started: 5/3/2016  22:00:00 ===\r\n\
        Action start 22:00:01: LaunchConditions.\r\n\
        Action ended 22:00:01: AppSearch. Return value 1.\r\n\
        Property(S): PASSWORD = secret -- no\r\n\
        MSI (c) (4C:A8) [22:00:01:000]: Product: Portal -- Visual C++ 2015 is required.\r\n\
        MSI (c) (4C:A8) [22:00:01:001]: Note: 1: 1708 \r\n\
        Action ended 22:00:01: LaunchConditions. Return value 3.\r\n\
        Action ended 22:00:01: INSTALL. Return value 3.\r\n";

    pub(super) fn wide(text: &str) -> Vec<u8> {
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn the_first_action_that_failed_and_its_message_are_told() {
        let expected = "Product: Portal -- Visual C++ 2015 is required. (action LaunchConditions)";
        assert_eq!(reason(LOG.as_bytes()).expect("it failed"), expected);
        assert_eq!(reason(&wide(LOG)).expect("it failed"), expected);
    }

    #[test]
    fn other_logs_tell_nothing() {
        assert_eq!(reason(b""), None);
        assert_eq!(reason(b"\xff\xfeA"), None);
        assert_eq!(reason(LOG.replace("value 3", "value 1").as_bytes()), None);
        assert_eq!(reason(b"Action ended 1:2:3: X. Return value 3.").expect("it failed"), "the action X failed");
    }

    #[test]
    fn a_log_of_wine_tells_its_reason_as_well() {
        let log = "Action start 10:00:00: Refuse.\nThis is refused.\nAction ended 10:00:00: Refuse. Return value 0.\n";
        assert_eq!(reason(log.as_bytes()).expect("it failed"), "This is refused. (action Refuse)");
        // That an action begins is no reason for its failure.
        let log = "Action 10:00:00: Run. \nAction start 10:00:00: Run.\nAction ended 10:00:00: Run. Return value 0.\n";
        assert_eq!(reason(log.as_bytes()).expect("it failed"), "the action Run failed");
    }

    #[test]
    fn the_key_lines_tell_messages_failures_and_the_result_and_no_secret() {
        let log = format!(
            "{LOG}MSI (s) (4C:A8) [22:00:02:000]: Command Line: PASSWORD=hunter2\r\nError 1: Password=hunter2\r\n\
            MSI (c) (4C:A8) [22:00:02:000]: MainEngineThread is returning 1603\r\n"
        );
        let expected = [
            "Product: Portal -- Visual C++ 2015 is required.",
            "Action ended 22:00:01: LaunchConditions. Return value 3.",
            "Action ended 22:00:01: INSTALL. Return value 3.",
            "(a line that may contain a credential)",
            "MainEngineThread is returning 1603",
        ];
        assert_eq!(key_lines(log.as_bytes()), expected);
        assert_eq!(key_lines(&wide(&log)), expected);
        let many: String = (0..1000).map(|number| format!("Error {number}\n")).collect();
        let lines = key_lines(many.as_bytes());
        assert_eq!((lines.len(), lines[0].as_str(), lines[11].as_str()), (12, "Error 0", "Error 999"));
    }

    #[test]
    fn the_latest_action_is_told_in_words() {
        let log = "Action 22:00:01: InstallFiles. Copying new files\nAction start 22:00:01: InstallFiles.\nInstallFiles: File: a\n";
        assert_eq!(latest_action(log.as_bytes()).expect("one"), "Copying new files");
        let log = "Action start 22:00:01: CostFinalize.\nMSI (s) (4C:A8) [22:00:02:000]: something\n";
        assert_eq!(latest_action(log.as_bytes()).expect("one"), "CostFinalize");
        assert_eq!(latest_action(&wide(log)).expect("one"), "CostFinalize");
        assert_eq!(latest_action(b"Action plan: none.\n"), None);
    }

    #[test]
    fn of_a_huge_log_the_end_is_read() {
        use crate::platform::disk::{MemoryDisk, replace};
        let (disk, path) = (MemoryDisk::new(), WinPath::new(r"C:\x.log").expect("a path"));
        for log in [wide(&("x".repeat(1000) + LOG)), ("x".repeat(1001) + LOG).into_bytes()] {
            replace(&disk, &path, &log).expect("written");
            let end = tail(&disk, &path, 1001).expect("read");
            assert!(end.len() <= 1004, "{}", end.len());
            assert!(reason(&end).is_some_and(|why| why.contains("Visual C++ 2015 is required")), "{:?}", reason(&end));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(log: Vec<u8>) {
            let _ = (reason(&log), key_lines(&log), latest_action(&log));
        }
    }
}
