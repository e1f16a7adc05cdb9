//! A linear look over a file before it is parsed: what would make the parser slow or overflow its stack is refused.

use crate::webconfig::ConfigError;
use std::{collections::HashSet, ops::Range};

/// The largest file that is read.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// The deepest nesting of elements.
pub(crate) const MAX_DEPTH: usize = 256;

const MAX_ATTRIBUTES: usize = 256;

/// The parser looks at every prefix that holds for each of them, wherever namespaces are declared anew: so many looks
/// are a fraction of a second. The same few declarations may stand in any number of elements.
const MAX_LOOKS: usize = 1 << 28;

/// Refuses a file that is larger than any that IIS reads without being told to.
pub(crate) fn check_size(bytes: usize, name: &str) -> Result<(), ConfigError> {
    let why = || {
        format!(
            "it is larger than {} MiB; IIS refuses a web.config above 250 KB unless the registry value \
             MaxWebConfigFileSizeInKB raises that limit. Move large sections to files of their own (configSource), or \
             merge it manually",
            MAX_BYTES >> 20
        )
    };
    if bytes > MAX_BYTES { Err(ConfigError::Limit { name: name.to_owned(), why: why() }) } else { Ok(()) }
}

/// Refuses document types, and more depth, attributes or namespaces than a configuration has. It does not judge what is
/// well-formed: where it cannot go on, the parser cannot either, and says why. Only references to characters that XML
/// does not have are found here, because the parser reads others in their place.
pub(crate) fn check(text: &str, name: &str) -> Result<(), ConfigError> {
    let limit = |why: String| Err(ConfigError::Limit { name: name.to_owned(), why: why + "; this is no web.config" });
    let (mut depth, mut prefixes, mut looks) = (0_usize, HashSet::new(), 0_usize);
    let check_references = |piece: Range<usize>| match no_character(&text[piece.clone()]) {
        Some(found) => Err(malformed(text, piece.start + found, name)),
        None => Ok(()),
    };
    let mut at = 0;
    while let Some(next) = text[at..].find('<').map(|next| at + next) {
        check_references(at..next)?;
        let rest = &text[next..];
        let length = match rest.as_bytes() {
            [b'<', b'!', b'-', b'-', ..] => rest[4..].find("-->").map(|end| end + 7),
            [b'<', b'!', b'[', ..] => rest.find("]]>").map(|end| end + 3),
            [b'<', b'!', ..] => return Err(ConfigError::DocType { name: name.to_owned() }),
            [b'<', b'?', ..] => rest.find("?>").map(|end| end + 2),
            [b'<', b'/', ..] => {
                depth = depth.saturating_sub(1);
                rest.find('>').map(|end| end + 1)
            }
            _ => {
                let tag = Tag::of(rest);
                check_references(next..next + tag.end.unwrap_or(0))?;
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
        match length {
            Some(length) => at = next + length,
            None => return Ok(()),
        }
    }
    Ok(())
}

/// Where a reference stands to a character that XML does not have.
fn no_character(piece: &str) -> Option<usize> {
    piece.match_indices("&#").map(|(at, _)| at).find(|at| {
        let number = piece[at + 2..].split(';').next().unwrap_or_default();
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
pub(crate) struct Tag<'a> {
    attributes: usize,
    /// What namespaces are declared for: empty for that of elements without a prefix.
    prefixes: Vec<&'a str>,
    /// It ends itself.
    is_empty: bool,
    /// Behind it; `None` where it does not end.
    pub(crate) end: Option<usize>,
}

impl<'a> Tag<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let mut tag = Self::default();
        let mut at = 0;
        while let Some(next) = text[at..].find(['>', '"', '\'']).map(|next| at + next) {
            if text[next..].starts_with('>') {
                tag.is_empty = text[..next].ends_with('/');
                tag.end = Some(next + 1);
                break;
            }
            tag.attributes += 1;
            tag.prefixes.extend(declared(&text[at..next]));
            let quote = char::from(text.as_bytes()[next]);
            let Some(length) = text[next + 1..].find(quote) else { break };
            at = next + 1 + length + 1;
        }
        tag
    }
}

/// What a namespace is declared for by the attribute whose value comes next.
fn declared(before: &str) -> Option<&str> {
    let name = before.trim_ascii_end().strip_suffix('=')?.trim_ascii_end();
    let start = name.rfind(|c: char| c.is_ascii_whitespace()).map_or(0, |space| space + 1);
    let prefix = name[start..].strip_prefix("xmlns")?;
    Some(prefix.strip_prefix(':').unwrap_or(prefix))
}
