//! Command lines, as Windows programs parse them.

use crate::winpath::WinPath;

/// `NAME=value` for msiexec, which has its own rules: a quote in a quoted value is doubled, and a backslash is not
/// special. Plain values stay unquoted. Fails if a property is invalid.
pub(in crate::platform::windows) fn property(name: &str, value: &str) -> Result<String, String> {
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    if !is_name {
        return Err(format!("`{name}` is not a property name"));
    }
    if let Some(control) = value.chars().find(|c| c.is_control()) {
        return Err(format!("the value of {name} contains {control:?}, which is invalid in a command line"));
    }
    let is_plain = !value.is_empty() && !value.contains(['"', '=', '/']) && !value.contains(char::is_whitespace);
    Ok(match is_plain {
        true => format!("{name}={value}"),
        false => format!("{name}=\"{}\"", value.replace('"', "\"\"")),
    })
}

/// A path, quoted for msiexec. No path of Windows contains a quote.
pub(in crate::platform::windows) fn quoted(path: &WinPath) -> String {
    format!("\"{path}\"")
}

/// Arguments as one text that Windows programs parse into the same arguments: special ones are quoted, and inside
/// quotes, a quote and the backslashes before it are escaped with backslashes.
pub(in crate::platform::windows) fn line(arguments: &[String]) -> String {
    let quoted = |argument: &String| {
        if !argument.is_empty() && !argument.contains(['"', ' ', '\t', '\n', '\u{b}']) {
            return argument.clone();
        }
        let mut out = String::from('"');
        let mut backslashes = 0;
        for c in argument.chars() {
            match c {
                '\\' => backslashes += 1,
                '"' => out.extend(std::iter::repeat_n('\\', backslashes + 1)),
                _ => {}
            }
            if c != '\\' {
                backslashes = 0;
            }
            out.push(c);
        }
        out.extend(std::iter::repeat_n('\\', backslashes));
        out + "\""
    };
    arguments.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// The program of a command line from the registry, and the rest unchanged. `None` without an absolute path: the search
/// path is not used.
pub(in crate::platform::windows) fn program(line: &str) -> Option<(WinPath, &str)> {
    let line = line.trim();
    let (program, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        // An unquoted path may contain spaces: it ends with the first `.exe`.
        None => match line.to_ascii_lowercase().find(".exe") {
            Some(at) => line.split_at(at + 4),
            None => line.split_once(' ').unwrap_or((line, "")),
        },
    };
    Some((WinPath::new(program).ok()?, rest.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What msiexec makes of `NAME="value"`, as its documentation has it.
    fn read_back(argument: &str) -> Option<(String, String)> {
        let (name, quoted) = argument.split_once('=')?;
        let Some(inner) = quoted.strip_prefix('"') else {
            return (!quoted.contains(['"', ' '])).then(|| (name.to_owned(), quoted.to_owned()));
        };
        let inner = inner.strip_suffix('"')?;
        (!inner.replace("\"\"", "").contains('"')).then(|| (name.to_owned(), inner.replace("\"\"", "\"")))
    }

    /// What `CommandLineToArgvW` makes of a line, as its documentation has it.
    fn arguments(line: &str) -> Vec<String> {
        let (mut all, mut now, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
        let mut rest = line.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '\\' => {
                    let mut count = 1;
                    while rest.next_if_eq(&'\\').is_some() {
                        count += 1;
                    }
                    let before_quote = rest.peek() == Some(&'"');
                    now.extend(std::iter::repeat_n('\\', if before_quote { count / 2 } else { count }));
                    if before_quote && count % 2 == 1 {
                        now.extend(rest.next());
                    }
                    any = true;
                }
                '"' => (quoted, any) = (!quoted, true),
                ' ' | '\t' if !quoted => {
                    if std::mem::take(&mut any) {
                        all.push(std::mem::take(&mut now));
                    }
                }
                _ => {
                    now.push(c);
                    any = true;
                }
            }
        }
        if any {
            all.push(now);
        }
        all
    }

    #[test]
    fn arguments_are_quoted_where_they_have_to_be() {
        let cases = [
            (&["resume", "--state", r"C:\ProgramData\pfupgrade"][..], r"resume --state C:\ProgramData\pfupgrade"),
            (&[r"C:\a b\", ""], r#""C:\a b\\" """#),
            (&[r#"say "x""#, r#"\"#, r#"a\"b"#], r#""say \"x\"" \ "a\\\"b""#),
        ];
        for (arguments, expected) in cases {
            assert_eq!(line(&arguments.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()), expected);
        }
    }

    #[test]
    fn properties_are_quoted_whatever_they_contain() {
        let cases = [
            ("plain", "X=plain"),
            ("a b", "X=\"a b\""),
            ("", "X=\"\""),
            (r"C:\Program Files\PhoneFactor\", r#"X="C:\Program Files\PhoneFactor\""#),
            (r#"a "b""#, r#"X="a ""b""""#),
            ("Größe 中", "X=\"Größe 中\""),
            (r"C:\x\", r"X=C:\x\"),
            ("/LM/W3SVC/1", "X=\"/LM/W3SVC/1\""),
            ("/x A=B", "X=\"/x A=B\""),
        ];
        for (value, expected) in cases {
            assert_eq!(property("X", value).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_no_command_line_can_hold_is_refused() {
        for (name, value) in [("A B", "x"), ("", "x"), ("1A", "x"), ("A=", "x"), ("A", "x\ny"), ("A", "\0")] {
            assert!(property(name, value).is_err(), "{name:?} {value:?}");
        }
    }

    #[test]
    fn programs_are_found_in_command_lines() {
        let cases = [
            (r#""C:\Program Files\X\un.exe" /S"#, Some((r"C:\Program Files\X\un.exe", "/S"))),
            (r"C:\Program Files\X\un.exe /S /D=C:\a b", Some((r"C:\Program Files\X\un.exe", r"/S /D=C:\a b"))),
            (r"C:\x\un.com -q", Some((r"C:\x\un.com", "-q"))),
            ("un.exe /S", None),
            ("\"C:\\open", None),
            ("", None),
        ];
        for (line, expected) in cases {
            let found = program(line);
            assert_eq!(found.as_ref().map(|(path, rest)| (path.as_str(), *rest)), expected, "{line}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn every_value_comes_back(value in "[^\\x00-\\x1f\\x7f-\\x9f]{0,40}") {
            let argument = property("TARGETVDIR", &value).expect("no control characters");
            prop_assert_eq!(read_back(&argument), Some(("TARGETVDIR".to_owned(), value)));
        }
        #[test]
        fn every_argument_comes_back(all in proptest::collection::vec(r#"[a\\" \t]{0,8}"#, 0..4)) {
            prop_assert_eq!(arguments(&line(&all)), all);
        }
    }
}
