//! The logs of Windows Installer: which lines explain a failure.

use super::console;

/// How many lines above the one that says where it failed are quoted.
const ABOVE: usize = 6;

/// The lines of a `/l*v` log that explain why an installation failed; empty where none does.
///
/// Windows ends the action that failed with "Return value 3" and writes UTF-16; Wine with "Return value 0" and writes
/// ASCII. The lines just above say why.
pub(in crate::platform::windows) fn explanation(bytes: &[u8]) -> Vec<String> {
    let text = console::decode(bytes).unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned());
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let failed = |ending: &str| {
        let ends = |line: &&str| line.trim_end_matches('.').ends_with(ending) && !line.contains(": INSTALL.");
        lines.iter().position(ends)
    };
    // "Return value 0" is also what Windows writes of an action that is not there.
    let Some(at) = failed("Return value 3").or_else(|| failed("Return value 0")) else { return errors(&lines) };
    let above = lines[at.saturating_sub(ABOVE)..at].iter().filter(|line| says_something(line));
    above.chain([&lines[at]]).map(|line| (*line).to_owned()).collect()
}

/// Where no action failed by its log, the errors that it names.
fn errors(lines: &[&str]) -> Vec<String> {
    let is_error = |line: &&&str| {
        let line = line.to_ascii_lowercase();
        line.starts_with("error ") || line.contains(" -- error ") || line.contains("mainenginethread is returning 1")
    };
    lines.iter().filter(is_error).take(ABOVE).map(|line| (*line).to_owned()).collect()
}

fn says_something(line: &str) -> bool {
    !line.starts_with("Property(") && !line.starts_with("Action start") && !line.contains("Doing action:")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: &str = "Action 12:00:01: LaunchConditions. Evaluating launch conditions\r\n\
        Action start 12:00:01: LaunchConditions.\r\n\
        MSI (s) (8C:50) [12:00:01:100]: Product: User Portal -- Visual C++ 2015 is needed.\r\n\r\n\
        Visual C++ 2015 is needed.\r\n\
        Action ended 12:00:01: LaunchConditions. Return value 3.\r\n\
        Action ended 12:00:01: INSTALL. Return value 3.\r\n\
        Property(S): UpgradeCode = {1}\r\n";

    fn utf16(text: &str) -> Vec<u8> {
        [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
    }

    #[test]
    fn the_failed_action_is_quoted_with_what_it_said() {
        for bytes in [utf16(WINDOWS), WINDOWS.as_bytes().to_vec()] {
            let lines = explanation(&bytes);
            assert!(lines.iter().any(|line| line == "Visual C++ 2015 is needed."), "{lines:?}");
            assert_eq!(
                lines.last().map(String::as_str),
                Some("Action ended 12:00:01: LaunchConditions. Return value 3.")
            );
            assert!(!lines.iter().any(|line| line.contains("INSTALL")), "{lines:?}");
        }
    }

    #[test]
    fn a_log_of_wine_is_read_as_well() {
        let log = "Action start 10:00:00: Refuse.\nThis is refused.\nAction ended 10:00:00: Refuse. Return value 0.\n";
        assert!(explanation(log.as_bytes()).contains(&"This is refused.".to_owned()));
    }

    #[test]
    fn without_a_failed_action_the_errors_are_named() {
        let log = "=== Verbose logging started ===\nError 1316. A network error occurred.\nMSI: done\n";
        assert_eq!(explanation(log.as_bytes()), ["Error 1316. A network error occurred."]);
        assert!(explanation(b"").is_empty());
        assert!(explanation(b"\xFF\xFE").is_empty());
    }
}
