//! The text of a plan: values are quoted for TOML, and data from a machine cannot break out of comments.

/// The width of comments.
const WIDTH: usize = 100;

/// A plan in progress.
pub(super) struct Page(String);

impl Page {
    pub(super) fn new() -> Self {
        Self(String::new())
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }

    /// Starts a table, or a new section of the file without a name.
    pub(super) fn part(&mut self, table: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        if !table.is_empty() {
            self.0 += &format!("[{table}]\n");
        }
    }

    /// A comment.
    pub(super) fn note(&mut self, text: &str) {
        let mut line = "#".to_owned();
        for word in plain(text).split(' ') {
            if line.len() > 1 && line.chars().count() + word.chars().count() >= WIDTH {
                self.0 += &line;
                self.0.push('\n');
                line = "#".to_owned();
            }
            line.push(' ');
            line += word;
        }
        self.0 += line.trim_end();
        self.0.push('\n');
    }

    /// A key with its value. `value` is TOML.
    pub(super) fn line(&mut self, key: &str, value: &str) {
        self.0 += &format!("{key} = {value}\n");
    }

    /// A commented-out key with its value.
    pub(super) fn option(&mut self, key: &str, value: &str, remark: &str) {
        let remark = if remark.is_empty() { String::new() } else { format!("   # {}", plain(remark)) };
        self.0 += &format!("# {key} = {value}{remark}\n");
    }
}

/// Text on one line, without characters that are invalid in a comment.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A TOML string: in single quotes if it contains a backslash or a quote.
pub(super) fn text(text: &str) -> String {
    let is_literal = !text.contains('\'') && !text.chars().any(char::is_control);
    if is_literal && text.contains(['\\', '"']) {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '\\' | '"' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted += &format!("\\u{:04X}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A TOML string for a path: in single quotes if possible, because users may edit it.
pub(super) fn path(path: &str) -> String {
    if path.contains('\'') { text(path) } else { format!("'{path}'") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(value: &str) -> String {
        let table: toml::Table = format!("key = {value}\n").parse().expect("TOML");
        table["key"].as_str().expect("text").to_owned()
    }

    proptest! {
        #[test]
        fn every_text_comes_back(value in any::<String>()) {
            prop_assert_eq!(read(&text(&value)), value);
        }

        #[test]
        fn a_comment_stays_a_comment(value in any::<String>()) {
            let mut page = Page::new();
            page.note(&value);
            page.option("key", "1", &value);
            let text = page.into_text();
            prop_assert!(text.lines().all(|line| line.starts_with('#')));
            prop_assert!(text.parse::<toml::Table>().expect("TOML").is_empty());
        }
    }

    #[test]
    fn paths_stand_in_single_quotes() {
        assert_eq!(path(r"C:\Install"), r"'C:\Install'");
        assert_eq!(path(r"C:\Peter's"), r#""C:\\Peter's""#);
        assert_eq!(read(&path(r"C:\Peter's")), r"C:\Peter's");
    }
}
