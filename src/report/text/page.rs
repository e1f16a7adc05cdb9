//! Lines of a given width: wrapped, with hanging indents, styled so that nothing is lost without colour.

use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

pub(super) const PLAIN: Style = Style::new();
pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const RED: Style = AnsiColor::Red.on_default().bold();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
pub(super) const CYAN: Style = AnsiColor::Cyan.on_default();

/// Text that grows line by line.
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

    /// The heading of a part, with an empty line before it.
    pub(super) fn heading(&mut self, text: &str) {
        self.blank();
        self.line(0, "", PLAIN, text, BOLD);
    }

    /// Wrapped text.
    pub(super) fn words(&mut self, indent: usize, text: &str) {
        self.line(indent, "", PLAIN, text, PLAIN);
    }

    /// Wrapped text behind a label, below which nothing is written.
    pub(super) fn line(&mut self, indent: usize, label: &str, label_style: Style, text: &str, style: Style) {
        let hang = indent + label.chars().count();
        let mut label = Some(label);
        for part in wrap(text, self.width.saturating_sub(hang).max(20)) {
            match label.take() {
                Some(label) => {
                    let _ = write!(self.text, "{:indent$}", "");
                    self.styled(label, label_style);
                }
                None => {
                    let _ = write!(self.text, "{:hang$}", "");
                }
            }
            self.styled(&part, style);
            self.text.truncate(self.text.trim_end_matches(' ').len());
            self.blank();
        }
    }

    /// A line that is shown as it is; one that is too long goes on below `mark`'s column.
    pub(super) fn verbatim(&mut self, indent: usize, mark: &str, text: &str, style: Style) {
        let room = self.width.saturating_sub(indent + mark.len()).max(20);
        let characters: Vec<char> = text.chars().collect();
        let mut mark = Some(mark);
        for piece in characters.chunks(room) {
            let piece: String = piece.iter().collect();
            let mark = mark.take().map_or_else(|| "  ".to_owned(), str::to_owned);
            let _ = write!(self.text, "{:indent$}", "");
            self.styled(format!("{mark}{piece}").trim_end(), style);
            self.blank();
        }
    }

    /// A line across the page with words in it.
    pub(super) fn rule(&mut self, text: &str, style: Style) {
        let head = format!("---- {text} ");
        let rest = self.width.saturating_sub(head.chars().count()).max(4);
        self.styled(&format!("{head}{}", "-".repeat(rest)), style);
        self.blank();
    }

    fn styled(&mut self, text: &str, style: Style) {
        let _ = match text.is_empty() {
            true => Ok(()),
            false => write!(self.text, "{style}{text}{style:#}"),
        };
    }
}

/// Breaks text into lines. A path that is too long for a line is broken behind a backslash; an address never, since it
/// is copied.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        for (number, part) in parts(word, width).enumerate() {
            let length = part.chars().count();
            let space = usize::from(number == 0 && used > 0);
            if used > 0 && used + space + length > width {
                lines.push(String::new());
                used = 0;
            } else if space == 1 {
                lines.last_mut().into_iter().for_each(|line| line.push(' '));
                used += 1;
            }
            lines.last_mut().into_iter().for_each(|line| line.push_str(part));
            used += length;
        }
    }
    lines
}

/// The parts of a word between which a line may end.
fn parts(word: &str, width: usize) -> impl Iterator<Item = &str> {
    let whole = word.contains("://") || word.chars().count() <= width;
    word.split_inclusive(move |c| !whole && (c == '\\' || c == ','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_whole_and_long_paths_break_behind_a_backslash() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap(r"to C:\ProgramData\pfupgrade\x", 14), [r"to C:\", r"ProgramData\", r"pfupgrade\x"]);
        assert_eq!(wrap("https://mfa.contoso.com/a/b", 10), ["https://mfa.contoso.com/a/b"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn labels_hang() {
        let mut page = Page::new(24);
        page.line(2, "why: ", BOLD, "because it has to be so", PLAIN);
        let text = anstream::adapter::strip_str(&page.into_text()).to_string();
        assert_eq!(text, "  why: because it has to\n       be so\n");
    }
}
