//! Quoting for command lines that users copy.

/// The shell to quote for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shell {
    /// PowerShell and the command prompt: both accept double quotes, with few exceptions.
    Windows,
    /// A Unix shell, where only simulations run.
    Unix,
}

const HERE: Shell = if cfg!(windows) { Shell::Windows } else { Shell::Unix };

/// A command line for the shells of this system. `options` are prefixes of arguments, such as `--simulate=`, with their
/// values; `flags` need no quotes.
pub(super) fn command(rest: &str, options: &[(&str, String)], flags: &str) -> String {
    line(HERE, rest, options, flags)
}

fn line(shell: Shell, rest: &str, options: &[(&str, String)], flags: &str) -> String {
    let arguments = options.iter().map(|(name, value)| format!(" {name}{}", quoted(shell, value)));
    let command = format!("pfupgrade {rest}{}{flags}", arguments.collect::<String>());
    // The command prompt would read it differently. A comment, which can be copied too, names the shell.
    match shell == Shell::Windows && options.iter().any(|(_, value)| is_for_powershell(value)) {
        true => command + "  # in PowerShell",
        false => command,
    }
}

/// In double quotes, PowerShell expands `$` and removes backticks; the command prompt always expands variables between
/// two `%`.
fn is_for_powershell(text: &str) -> bool {
    text.contains(['$', '`', '"']) || text.matches('%').count() > 1
}

fn quoted(shell: Shell, text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.:/+~".contains(c) || (c == '\\' && shell == Shell::Windows);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    match shell {
        Shell::Unix => format!("'{}'", text.replace('\'', r"'\''")),
        Shell::Windows if is_for_powershell(text) => format!("'{}'", text.replace('\'', "''")),
        // A backslash before the closing quote would escape it.
        Shell::Windows => format!("\"{}\"", text.trim_end_matches('\\')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(value: &str) -> String {
        line(Shell::Windows, "resume", &[("--simulate=", value.to_owned())], "")
    }

    #[test]
    fn what_both_shells_take_as_it_is_stays_so() {
        for plain in [r"C:\pfupgrade\demo-1", "machine", r"..\Übung", "D:/x_y~1"] {
            assert_eq!(windows(plain), format!("pfupgrade resume --simulate={plain}"));
        }
    }

    #[test]
    fn double_quotes_hold_what_both_shells_would_take_apart() {
        for special in
            ["a b", "R&D", "x (1)", "it's", "50%", "a;b", "a,b", "a=b", "@x", "#1", "{x}", "a^b", "a|b", "!x"]
        {
            assert_eq!(windows(special), format!("pfupgrade resume --simulate=\"{special}\""));
        }
        assert_eq!(windows(r"C:\a b\"), r#"pfupgrade resume --simulate="C:\a b""#);
        assert_eq!(windows(""), "pfupgrade resume --simulate=\"\"");
    }

    #[test]
    fn what_only_powershell_can_be_told_says_so() {
        for (special, expected) in
            [("a$b", "'a$b'"), ("a`b", "'a`b'"), ("%TEMP%", "'%TEMP%'"), ("it's $1", "'it''s $1'")]
        {
            assert_eq!(windows(special), format!("pfupgrade resume --simulate={expected}  # in PowerShell"));
        }
    }

    #[test]
    fn unix_takes_single_quotes() {
        let line = |value: &str| line(Shell::Unix, "resume", &[("--state ", value.to_owned())], "");
        assert_eq!(line("/tmp/a-b"), "pfupgrade resume --state /tmp/a-b");
        assert_eq!(line("it's $1"), r"pfupgrade resume --state 'it'\''s $1'");
        assert_eq!(line(r"C:\x"), r"pfupgrade resume --state 'C:\x'");
    }
}
