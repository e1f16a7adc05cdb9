//! A linear look over a file before it is parsed: what would make the parser slow or overflow its stack is refused.

use super::ConfigError;
use quick_xml::{Reader, events::BytesStart, events::Event};

/// The largest file that is read.
pub(super) const MAX_BYTES: usize = 128 << 20;
/// The deepest nesting of elements.
pub(super) const MAX_DEPTH: usize = 256;
const MAX_ATTRIBUTES: usize = 256;
const MAX_NAMESPACES: usize = 512;

/// Refuses document types, and more depth, attributes or namespaces than a configuration has.
pub(super) fn check(text: &str, name: &str) -> Result<(), ConfigError> {
    let limit = |why: String| ConfigError::Limit { name: name.to_owned(), why };
    let mut reader = Reader::from_str(text);
    let (mut depth, mut namespaces) = (0_usize, 0_usize);
    loop {
        let at = reader.buffer_position();
        let malformed = |why: String| malformed(text, name, at, why);
        let event = reader.read_event().map_err(|error| malformed(error.to_string()))?;
        match &event {
            Event::Start(tag) | Event::Empty(tag) => {
                let (attributes, declared) = count(tag).map_err(malformed)?;
                namespaces += declared;
                if attributes > MAX_ATTRIBUTES {
                    return Err(limit(format!("an element has more than {MAX_ATTRIBUTES} attributes")));
                }
                if namespaces > MAX_NAMESPACES {
                    return Err(limit(format!("it declares more than {MAX_NAMESPACES} namespaces")));
                }
                depth += usize::from(matches!(event, Event::Start(_)));
                if depth > MAX_DEPTH {
                    return Err(limit(format!("its elements are nested deeper than {MAX_DEPTH}")));
                }
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::DocType(_) => return Err(ConfigError::DocType { name: name.to_owned() }),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// The attributes of a start tag, and how many of them declare namespaces.
fn count(tag: &BytesStart<'_>) -> Result<(usize, usize), String> {
    let (mut all, mut namespaces) = (0, 0);
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| error.to_string())?;
        all += 1;
        namespaces += usize::from(attribute.key.as_ref().starts_with("xmlns"));
    }
    Ok((all, namespaces))
}

fn malformed(text: &str, name: &str, at: u64, why: String) -> ConfigError {
    let before = usize::try_from(at).ok().and_then(|at| text.get(..at)).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    ConfigError::Malformed { name: name.to_owned(), line, column, why }
}
