//! Arguments as Windows shells pass them.
//!
//! A path that ends in a backslash before the closing quote, `--state "C:\pfupgrade\"`, arrives as `C:\pfupgrade"`, and
//! where more arguments follow, with all of them behind it: Windows treats `\"` as an escaped quote.

use std::ffi::OsString;

/// Undoes what a shell does to a trailing backslash. Fails with the correct syntax if that is impossible.
pub(super) fn mended(arguments: Vec<OsString>) -> Result<Vec<OsString>, String> {
    if cfg!(windows) { arguments.into_iter().map(mend).collect() } else { Ok(arguments) }
}

/// Turns `help` and `help COMMAND` into `--help`.
pub(super) fn asked_for_help(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|first| first == "help") {
        arguments.remove(1);
        arguments.truncate(2);
        arguments.push("--help".into());
    }
    arguments
}

fn mend(argument: OsString) -> Result<OsString, String> {
    let Some((head, tail)) = argument.to_str().and_then(|text| text.split_once('"')) else { return Ok(argument) };
    // No path contains a quote; other arguments are left unchanged.
    let is_path = head.contains(":\\") || head.contains(":/") || head.starts_with(r"\\") || head.contains(r"=\\");
    match (is_path, tail.is_empty()) {
        (false, _) => Ok(argument),
        (true, true) => Ok(head.into()),
        (true, false) => Err(format!(
            "the path `{head}` is followed by a quote and more arguments: a backslash before a closing quote escapes \
             it; remove that backslash"
        )),
    }
}

#[cfg(test)]
mod tests {
    fn mend(text: &str) -> Result<String, String> {
        super::mend(text.into()).map(|mended| mended.into_string().expect("text"))
    }

    #[test]
    fn a_last_backslash_that_became_a_quote_is_left_out() {
        for (given, wanted) in [
            (r#"C:\pf upgrade""#, r"C:\pf upgrade"),
            (r#"--state=C:\pf upgrade""#, r"--state=C:\pf upgrade"),
            (r#"\\server\share""#, r"\\server\share"),
            ("C:\\plain", "C:\\plain"),
            (r#"CHG "7""#, r#"CHG "7""#),
        ] {
            assert_eq!(mend(given).as_deref(), Ok(wanted));
        }
        assert!(mend(r#"C:\pf upgrade" --yes"#).is_err_and(|why| why.contains("remove that backslash")));
    }
}
