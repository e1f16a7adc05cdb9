//! Arguments as shells of Windows hand them over.
//!
//! A path that ends in a backslash before the closing quote, `--state "C:\pfupgrade\"`, arrives as `C:\pfupgrade"`, and
//! where more arguments follow, with all of them behind it: Windows takes `\"` for a quote that is part of the text.

use std::ffi::OsString;

/// The arguments with what a shell has done to a last backslash undone; otherwise what to write instead.
pub(super) fn mended(arguments: Vec<OsString>) -> Result<Vec<OsString>, String> {
    if cfg!(windows) { arguments.into_iter().map(mend).collect() } else { Ok(arguments) }
}

/// `help` and `help COMMAND`, as they are asked for elsewhere.
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
    // No path holds a quote; other texts are left as they are.
    let is_path = head.contains(":\\") || head.contains(":/") || head.starts_with(r"\\") || head.contains(r"=\\");
    match (is_path, tail.is_empty()) {
        (false, _) => Ok(argument),
        (true, true) => Ok(head.into()),
        (true, false) => Err(format!(
            "the path `{head}` goes on with a quote and more arguments: a backslash before a closing quote is taken for \
             part of the text; leave that backslash out"
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
        assert!(mend(r#"C:\pf upgrade" --yes"#).is_err_and(|why| why.contains("leave that backslash out")));
    }
}
