//! Masks secrets in the source lines that an error shows.

use crate::secret::is_secret;

/// Masks the values of credential-like names in `source`, even if it is not valid TOML. Every character keeps its
/// position in bytes and in characters.
pub(super) fn mask(source: &str) -> String {
    let mut masked = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find(is_name_char) {
        let (before, from_name) = rest.split_at(start);
        let (name, behind) = from_name.split_at(from_name.find(|c| !is_name_char(c)).unwrap_or(from_name.len()));
        masked.push_str(before);
        masked.push_str(name);
        rest = behind;
        if let Some(user) = user(behind) {
            masked.push_str("://");
            masked.extend(user.chars().map(cover));
            rest = &behind["://".len() + user.len()..];
            continue;
        }
        if !is_secret(name) {
            continue;
        }
        let gap = behind.len() - behind.trim_start_matches(['"', '\'', ' ', '\t']).len();
        // The value of a switch follows a comma: `'--password', 'value'`.
        if behind[gap..].starts_with(['=', ':', ',']) {
            let value = gap + 1;
            let end = value + value_length(&behind[value..]);
            masked.push_str(&behind[..value]);
            masked.extend(behind[value..end].chars().map(cover));
            rest = &behind[end..];
        }
    }
    masked.push_str(rest);
    masked
}

/// The user name and password in `://user:password@host`.
fn user(text: &str) -> Option<&str> {
    let behind = text.strip_prefix("://")?;
    let end = behind.find(|c: char| matches!(c, '"' | '\'') || c.is_whitespace()).unwrap_or(behind.len());
    behind[..end].rfind('@').map(|at| &behind[..at])
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// The length of the value at the start of `text`: a string up to its closing quotes, brackets up to their end,
/// anything else (and whatever is not closed) up to the end of the line or, if it spans lines, of the file.
fn value_length(text: &str) -> usize {
    let line = text.find('\n').unwrap_or(text.len());
    let blank = text.len() - text.trim_start_matches([' ', '\t']).len();
    let value = &text[blank..];
    match value.chars().next() {
        Some('"' | '\'') => {
            let end = blank + string_length(value);
            let behind = text[end..].trim_start_matches([' ', '\t']);
            // A secret that contains quotes seems to end early: what follows is still part of it.
            let ended = behind.is_empty() || behind.starts_with([',', '}', ']', '#', '\r', '\n']);
            if ended { end } else { end + text[end..].find('\n').unwrap_or(text.len() - end) }
        }
        Some('[' | '{') => {
            let (mut depth, mut at) = (0_usize, 0);
            while let Some(c) = value[at..].chars().next() {
                match c {
                    '"' | '\'' => at += string_length(&value[at..]),
                    _ => at += c.len_utf8(),
                }
                match c {
                    '[' | '{' => depth += 1,
                    ']' | '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
            blank + at
        }
        _ => line,
    }
}

/// The length of the TOML string at the start of `text`, which begins with a quote.
fn string_length(text: &str) -> usize {
    let quote = &text[..1];
    let triple = quote.repeat(3);
    let (open, close, end) = if text.starts_with(&triple) {
        (3, triple.as_str(), text.len())
    } else {
        (1, quote, text.find('\n').unwrap_or(text.len()))
    };
    let mut at = open;
    while at < end {
        if text[at..].starts_with(close) {
            return at + close.len();
        }
        let escaped = quote == "\"" && text[at..].starts_with('\\');
        let mut chars = text[at..].chars();
        at += chars.next().map_or(0, char::len_utf8);
        at += if escaped { chars.next().map_or(0, char::len_utf8) } else { 0 };
    }
    end
}

/// A masking character with the same length as `c` in bytes.
fn cover(c: char) -> char {
    match c.len_utf8() {
        _ if c.is_whitespace() || matches!(c, '"' | '\'') => c,
        1 => '*',
        2 => '\u{b7}',
        3 => '\u{2022}',
        _ => '\u{1f7ca}',
    }
}
