//! Lines of a given width: wrapped, with hanging indents, and styled so that nothing is lost without color.

use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

pub(super) const PLAIN: Style = Style::new();
pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const RED: Style = AnsiColor::Red.on_default().bold();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
pub(super) const CYAN: Style = AnsiColor::Cyan.on_default();

/// The minimum width of text beside a label.
const NARROW: usize = 20;

/// A page of text.
pub(super) struct Page {
    width: usize,
    text: String,
}

impl Page {
    pub(super) fn new(width: usize) -> Self {
        Self { width, text: String::new() }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A heading, with an empty line before it.
    pub(super) fn heading(&mut self, text: &str) {
        self.blank();
        self.line(0, "", PLAIN, text, BOLD);
    }

    /// Wrapped text.
    pub(super) fn words(&mut self, indent: usize, text: &str) {
        self.line(indent, "", PLAIN, text, PLAIN);
    }

    /// Wrapped text behind a label, with a hanging indent if there is enough room.
    pub(super) fn line(&mut self, indent: usize, label: &str, label_style: Style, text: &str, style: Style) {
        let indent = if indent + NARROW <= self.width { indent } else { indent.min(2) };
        let begin = indent + columns(label);
        let below = begin.min(indent + 2);
        let hang = if begin + NARROW <= self.width { begin } else { below };
        for (number, (column, part)) in wrap(text, begin, [hang, below], self.width).into_iter().enumerate() {
            let (column, label) = if number == 0 { (indent, label) } else { (column, "") };
            if number == 0 && label.is_empty() && part.is_empty() && !text.is_empty() {
                continue; // The label is on its own line.
            }
            let _ = write!(self.text, "{:column$}", "");
            match part.is_empty() {
                true => self.styled(label.trim_end(), label_style),
                false => self.styled(label, label_style),
            }
            self.styled(&part, style);
            self.end_line();
        }
    }

    /// A line of a file behind a marker, with all its spaces. A long one continues on the next line, indented.
    pub(super) fn verbatim(&mut self, indent: usize, mark: &str, text: &str, style: Style) {
        let text = text.replace('\t', "    ");
        let begin = indent + columns(mark);
        let lead = text.len() - text.trim_start_matches(' ').len();
        let hang = (begin + lead + 4).min(begin.max(self.width / 2));
        let mut line = format!("{mark}{:lead$}", "");
        let (mut column, mut end, mut fresh) = (indent, begin + lead, true);
        for word in text.split_at(lead).1.split(' ') {
            let length = columns(word);
            if !fresh && end + 1 + length > self.width {
                self.piece(column, &line, style);
                (column, end) = (hang, hang);
                line.clear();
            } else if !fresh {
                line.push(' ');
                end += 1;
            }
            fresh = false;
            line.push_str(word);
            end += length;
        }
        self.piece(column, &line, style);
    }

    fn piece(&mut self, column: usize, text: &str, style: Style) {
        let _ = write!(self.text, "{:column$}", "");
        self.styled(text.trim_end_matches(' '), style);
        self.end_line();
    }

    /// A horizontal line with text.
    pub(super) fn rule(&mut self, text: &str, style: Style) {
        let head = format!("---- {text} ");
        let rest = self.width.saturating_sub(columns(&head)).max(4);
        self.styled(&format!("{head}{}", "-".repeat(rest)), style);
        self.blank();
    }

    fn end_line(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.blank();
    }

    /// Data from a machine can contain anything; control characters are replaced here.
    fn styled(&mut self, text: &str, style: Style) {
        if !text.is_empty() {
            let text = text.replace(char::is_control, "\u{fffd}");
            let _ = write!(self.text, "{style}{text}{style:#}");
        }
    }
}

/// The width of a text in terminal columns.
pub fn columns(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Breaks text into lines, each with its first column: `begin` for the first, and for the others the first column of
/// `hang` where their first word fits. A word is never broken, because it may be a URL to copy: one that is too long
/// overflows.
fn wrap(text: &str, begin: usize, hang: [usize; 2], width: usize) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let (mut column, mut end, mut line) = (begin, begin, String::new());
    for word in words(text) {
        let length = columns(&word);
        let space = usize::from(!line.is_empty());
        if end + space + length > width {
            lines.push((column, std::mem::take(&mut line)));
            column = hang.into_iter().find(|column| column + length <= width).unwrap_or(0);
            end = column;
        } else if space == 1 {
            line.push(' ');
            end += 1;
        }
        line.push_str(&word);
        end += length;
    }
    lines.push((column, line));
    lines
}

/// The words between which a line may break. A path with spaces is one word, as far as it can be detected: up to its
/// last backslash.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest: Vec<&str> = text.split_whitespace().rev().collect();
    while let Some(word) = rest.pop() {
        let mut word = word.to_owned();
        while let Some(more) = (1..=2).find(|ahead| goes_on(&word, rest.len().checked_sub(*ahead).map(|at| rest[at]))) {
            for part in rest.drain(rest.len() - more..).rev() {
                word.push(' ');
                word.push_str(part);
            }
        }
        words.push(word);
    }
    words
}

/// Whether `next` continues the path in `word`: `C:\Program` and `Files\PhoneFactor`.
fn goes_on(word: &str, next: Option<&str>) -> bool {
    let begins_anew = |next: &str| {
        next.starts_with(['\\', '<', '%', '"', '\'', '{']) || next.contains(":\\") || next.starts_with("HK")
    };
    let is_open = word.contains('\\') && !word.ends_with([',', ';', ':', ')', '"', '\'']);
    is_open && next.is_some_and(|next| next.contains('\\') && !begins_anew(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: usize) -> Vec<String> {
        wrap(text, 0, [0, 0], width).into_iter().map(|(column, line)| format!("{:column$}{line}", "")).collect()
    }

    fn plain(page: Page) -> String {
        anstream::adapter::strip_str(&page.into_text()).to_string()
    }

    #[test]
    fn words_and_paths_are_kept_whole() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("to C:\\ProgramData\\pfupgrade\\x it", 14), ["to", "C:\\ProgramData\\pfupgrade\\x", "it"]);
        assert_eq!(wrapped("see https://mfa.contoso.com/a/b", 10), ["see", "https://mfa.contoso.com/a/b"]);
        let text = "copy C:\\Program Files (x86)\\a to <backups>\\b now";
        assert_eq!(wrapped(text, 20), ["copy", "C:\\Program Files (x86)\\a", "to <backups>\\b now"]);
        assert_eq!(wrapped("move C:\\a to D:\\b", 10), ["move C:\\a", "to D:\\b"]);
        assert_eq!(wrapped("", 10), [""]);
    }

    #[test]
    fn what_is_too_long_for_its_line_begins_further_left() {
        let mut page = Page::new(30);
        page.line(4, "set: ", BOLD, "it to https://contoso.com/1234 now", PLAIN);
        page.line(4, "", PLAIN, "https://contoso.com/1234567890/1234567890", PLAIN);
        page.line(4, "to: ", BOLD, "https://contoso.com/12345678 it is", PLAIN);
        let expected = "    set: it to\n      https://contoso.com/1234\n         now\n\
                        https://contoso.com/1234567890/1234567890\n    to:\nhttps://contoso.com/12345678\n        it is\n";
        assert_eq!(plain(page), expected);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(wrapped("東京 東京 ab", 7), ["東京", "東京 ab"]);
        assert_eq!(wrapped("\u{1f511} \u{1f511}", 5), ["\u{1f511} \u{1f511}"]);
        assert_eq!(wrapped("\u{1f511} \u{1f511}", 4), ["\u{1f511}", "\u{1f511}"]);
    }

    #[test]
    fn a_line_of_a_file_keeps_its_blanks_and_goes_on_further_in() {
        let mut page = Page::new(40);
        page.verbatim(2, "+ ", "  <add key=\"a\"  value=\"b\"/>", PLAIN);
        page.verbatim(2, "+ ", "  <add key=\"aaaaaaaaaaaaaaaaaaaa\" value=\"b\" />", PLAIN);
        let expected = "  +   <add key=\"a\"  value=\"b\"/>\n  +   <add key=\"aaaaaaaaaaaaaaaaaaaa\"\n          \
                        value=\"b\" />\n";
        assert_eq!(plain(page), expected);
    }

    #[test]
    fn nothing_that_is_shown_can_move_the_cursor() {
        let mut page = Page::new(40);
        page.words(0, "a\u{1b}[2Jb");
        assert_eq!(plain(page), "a\u{fffd}[2Jb\n");
    }

    #[test]
    fn labels_hang_where_there_is_room() {
        let mut page = Page::new(26);
        page.line(2, "w: ", BOLD, "because it has to be so", PLAIN);
        page.line(2, "a long label: ", BOLD, "because it has to be so", PLAIN);
        assert_eq!(plain(page), "  w: because it has to be\n     so\n  a long label: because it\n    has to be so\n");
    }
}
