//! A linear look over a file before it is parsed: what would make the parser slow or overflow its stack is refused.

use super::ConfigError;
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
/// well-formed: where it cannot go on, the parser cannot either, and says why.
pub(super) fn check(text: &str, name: &str) -> Result<(), ConfigError> {
    let limit = |why: String| Err(ConfigError::Limit { name: name.to_owned(), why });
    let (mut depth, mut prefixes, mut looks) = (0_usize, HashSet::new(), 0_usize);
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let end = match rest.as_bytes() {
            [b'<', b'!', b'-', b'-', ..] => rest.get(4..).and_then(|rest| rest.find("-->")).map(|at| at + 7),
            [b'<', b'!', b'[', ..] => rest.find("]]>").map(|at| at + 3),
            [b'<', b'!', ..] => return Err(ConfigError::DocType { name: name.to_owned() }),
            [b'<', b'?', ..] => rest.find("?>").map(|at| at + 2),
            [b'<', b'/', ..] => {
                depth = depth.saturating_sub(1);
                rest.find('>').map(|at| at + 1)
            }
            _ => {
                let tag = Tag::of(rest);
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
            Some(end) => rest = rest.get(end..).unwrap_or_default(),
            None => return Ok(()),
        }
    }
    Ok(())
}

/// What a start tag has.
#[derive(Default)]
struct Tag<'a> {
    attributes: usize,
    /// What namespaces are declared for: empty for that of elements without a prefix.
    prefixes: Vec<&'a str>,
    /// It ends itself.
    is_empty: bool,
    /// Behind it; `None` where it does not end.
    end: Option<usize>,
}

impl<'a> Tag<'a> {
    fn of(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let mut tag = Self::default();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'>' => {
                    tag.is_empty = bytes[..at].ends_with(b"/");
                    tag.end = Some(at + 1);
                    break;
                }
                b'"' | b'\'' => {
                    tag.attributes += 1;
                    let Some(length) = text[at + 1..].find(char::from(*byte)) else { break };
                    at += length + 1;
                }
                b'x' if bytes[at..].starts_with(b"xmlns") && bytes[at - 1].is_ascii_whitespace() => {
                    let name = text[at..].split(['=', '"', '\'', '>']).next().unwrap_or_default();
                    tag.prefixes.push(name.trim_end().trim_start_matches("xmlns").trim_start_matches(':'));
                }
                _ => {}
            }
            at += 1;
        }
        tag
    }
}
