//! The log that Windows Installer writes with `/l*v`: the lines that say why an installation failed.

/// Lines before the failed action's end in which its reason stands.
const NEAR: usize = 30;
/// A reason is told in a sentence or two.
const LONGEST: usize = 300;

/// Why an installation failed, as its log has it: the message closest before the first "Return value 3", with the
/// action that failed. `None` where the log tells no failure.
pub fn reason(log: &[u8]) -> Option<String> {
    let text = decoded(log);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let ended = |value: &str| lines.iter().position(|line| line.trim_end_matches('.').ends_with(value));
    // Windows says 3 of what failed; Wine says 0, which Windows only says of an action that is not there.
    let at = ended("Return value 3").or_else(|| ended("Return value 0"))?;
    let action = lines[at].split_once(": ").and_then(|(_, rest)| rest.split('.').next()).unwrap_or_default();
    let near = lines[..at].iter().rev().take(NEAR).take_while(|line| !line.contains("Return value"));
    let messages: Vec<&str> = near.map(|line| message(line)).filter(|line| !line.is_empty()).collect();
    let tells = |line: &&&str| line.contains(" -- ") || line.starts_with("Error ") || line.contains("Error 1");
    let why = messages.iter().find(tells).or(messages.first()).copied().unwrap_or_default();
    let why: String = why.chars().take(LONGEST).collect();
    Some(match (why.is_empty(), action.is_empty()) {
        (false, false) => format!("{why} (action {action})"),
        (false, true) => why,
        (true, _) => format!("the action {action} failed"),
    })
}

/// A line without the mark of the process that wrote it. Values of properties may be secrets and explain nothing.
fn message(line: &str) -> &str {
    // "Action 22:00:01: Name. What it is", "Action start 22:00:01: Name."
    let is_progress = line
        .strip_prefix("Action ")
        .is_some_and(|rest| rest.starts_with("start") || rest.starts_with(|first: char| first.is_ascii_digit()));
    if line.starts_with("Property(") || is_progress || line.starts_with("===") {
        return "";
    }
    match line.strip_prefix("MSI (").and_then(|rest| rest.split_once("]: ")) {
        Some((_, text)) => text,
        None => line,
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

    #[test]
    fn the_first_action_that_failed_and_its_message_are_told() {
        let expected = "Product: Portal -- Visual C++ 2015 is required. (action LaunchConditions)";
        assert_eq!(reason(LOG.as_bytes()).expect("it failed"), expected);
        let wide: Vec<u8> = [0xfeff].into_iter().chain(LOG.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(reason(&wide).expect("it failed"), expected);
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

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(log: Vec<u8>) {
            let _ = reason(&log);
        }
    }
}
