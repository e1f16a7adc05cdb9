//! A linear look over a file before it is parsed: what would make the parser slow or overflow its stack is refused.

use super::ConfigError;
use memchr::{memchr, memchr2, memchr3, memmem};
use std::collections::HashSet;

/// The largest file that is read.
pub(super) const MAX_BYTES: usize = 128 << 20;
/// The deepest nesting of elements.
pub(super) const MAX_DEPTH: usize = 256;
const MAX_ATTRIBUTES: usize = 256;
/// The parser looks at every prefix that holds for each of them, wherever namespaces are declared anew: so many looks
/// are a fraction of a second. The same few declarations may stand in any number of elements.
const MAX_LOOKS: usize = 1 << 28;

/// Refuses document types, and more depth, attributes or namespaces than a configuration has. It is no judge of what is
/// well-formed: where it cannot go on, the parser cannot either, and says why. Only references to characters that XML
/// does not have are found here, for the parser reads others in their place.
pub(super) fn check(text: &str, name: &str) -> Result<(), ConfigError> {
    let limit = |why: String| Err(ConfigError::Limit { name: name.to_owned(), why });
    let (mut depth, mut prefixes, mut looks) = (0_usize, HashSet::new(), 0_usize);
    let mut rest = text.as_bytes();
    let has_references = memmem::find(rest, b"&#").is_some();
    let has_namespaces = memmem::find(rest, b"xmlns").is_some();
    let check_references = |at: usize, piece: &[u8]| match piece {
        piece if has_references => no_character(piece).map_or(Ok(()), |found| Err(malformed(text, at + found, name))),
        _ => Ok(()),
    };
    while let Some(at) = memchr(b'<', rest) {
        check_references(text.len() - rest.len(), &rest[..at])?;
        rest = &rest[at..];
        let end = match rest {
            [b'<', b'!', b'-', b'-', rest @ ..] => memmem::find(rest, b"-->").map(|at| at + 7),
            [b'<', b'!', b'[', ..] => memmem::find(rest, b"]]>").map(|at| at + 3),
            [b'<', b'!', ..] => return Err(ConfigError::DocType { name: name.to_owned() }),
            [b'<', b'?', ..] => memmem::find(rest, b"?>").map(|at| at + 2),
            [b'<', b'/', ..] => {
                depth = depth.saturating_sub(1);
                memchr(b'>', rest).map(|at| at + 1)
            }
            _ => {
                let tag = if has_namespaces { None } else { Tag::short(rest) };
                let tag = tag.unwrap_or_else(|| Tag::of(rest));
                check_references(text.len() - rest.len(), &rest[..tag.end.unwrap_or(0)])?;
                if !tag.prefixes.is_empty() {
                    prefixes.extend(tag.prefixes);
                    looks = looks.saturating_add(prefixes.len().pow(2));
                }
                if tag.attributes > MAX_ATTRIBUTES {
                    return limit(format!("an element has more than {MAX_ATTRIBUTES} attributes"));
                }
                if looks > MAX_LOOKS {
                    return limit("it declares more namespaces than any configuration".to_owned());
                }
                depth += usize::from(!tag.is_empty);
                if depth > MAX_DEPTH {
                    return limit(format!("its elements are nested deeper than {MAX_DEPTH}"));
                }
                tag.end
            }
        };
        match end {
            Some(end) => rest = &rest[end..],
            None => return Ok(()),
        }
    }
    Ok(())
}

/// Where a reference stands to a character that XML does not have.
fn no_character(piece: &[u8]) -> Option<usize> {
    memmem::find_iter(piece, b"&#").find(|at| {
        let number = piece[at + 2..].split(|byte| *byte == b';').next().and_then(|it| std::str::from_utf8(it).ok());
        let number = number.unwrap_or_default();
        let code = match number.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        let is_character =
            |c: char| (' '..'\u{FFFE}').contains(&c) || c > '\u{FFFF}' || matches!(c, '\t' | '\n' | '\r');
        !code.ok().and_then(char::from_u32).is_some_and(is_character)
    })
}

fn malformed(text: &str, at: usize, name: &str) -> ConfigError {
    let before = &text[..at];
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    ConfigError::Malformed {
        name: name.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before[line..].chars().count() + 1,
        why: "a reference (`&#...;`) stands for no character that XML has".to_owned(),
    }
}

/// What a start tag has.
#[derive(Default)]
struct Tag<'a> {
    attributes: usize,
    /// What namespaces are declared for: empty for that of elements without a prefix.
    prefixes: Vec<&'a [u8]>,
    /// It ends itself.
    is_empty: bool,
    /// Behind it; `None` where it does not end.
    end: Option<usize>,
}

impl<'a> Tag<'a> {
    /// A tag without namespaces that is too short for many attributes, and beyond doubt ends at its first `>`: most are
    /// like that. Its attributes are not counted.
    fn short(text: &'a [u8]) -> Option<Self> {
        // The shortest is ` a=""`.
        const LONGEST: usize = MAX_ATTRIBUTES * 5;
        let at = memchr(b'>', &text[..text.len().min(LONGEST)])?;
        // A `>` may stand in an attribute, but a `<` may not.
        let is_its_end = matches!(memchr2(b'<', b'>', &text[at + 1..]), Some(next) if text[at + 1 + next] == b'<');
        is_its_end.then(|| Self { is_empty: text[..at].ends_with(b"/"), end: Some(at + 1), ..Self::default() })
    }

    fn of(text: &'a [u8]) -> Self {
        let mut tag = Self::default();
        let mut at = 0;
        while let Some(next) = memchr3(b'>', b'"', b'\'', &text[at..]).map(|next| at + next) {
            if text[next] == b'>' {
                tag.is_empty = text[..next].ends_with(b"/");
                tag.end = Some(next + 1);
                break;
            }
            tag.attributes += 1;
            tag.prefixes.extend(declared(&text[at..next]));
            let Some(length) = memchr(text[next], &text[next + 1..]) else { break };
            at = next + 1 + length + 1;
        }
        tag
    }
}

/// What a namespace is declared for by the attribute whose value comes next.
fn declared(before: &[u8]) -> Option<&[u8]> {
    let name = before.trim_ascii_end().strip_suffix(b"=")?.trim_ascii_end();
    let start = name.iter().rposition(u8::is_ascii_whitespace).map_or(0, |space| space + 1);
    let prefix = name[start..].strip_prefix(b"xmlns")?;
    Some(prefix.strip_prefix(b":").unwrap_or(prefix))
}
