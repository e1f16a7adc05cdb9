//! Texts with properties in brackets, which Windows Installer calls formatted.

/// No property of a real package comes near this.
const MAX_LENGTH: usize = 64 << 10;
const MAX_DEPTH: usize = 32;

enum Part {
    /// Outside of everything.
    Text,
    /// Behind `[`.
    Reference,
    /// Behind `{`: what was referred to decides whether the braces mean something.
    Group { references: usize, empty: usize },
}

/// Fills in `[Name]`, `[\x]` and `{groups}`; `None` where the result is unreasonably long or deep.
///
/// `lookup` is asked for what stands in the brackets, with a leading `#`, `$`, `!` or `%` where there is one. What it
/// does not know is empty, and a group in braces that refers to something empty vanishes.
pub(super) fn fill_in(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut open = vec![(Part::Text, String::new())];
    for c in text.chars() {
        let (kind, buffer) = open.last_mut()?;
        match (c, kind) {
            ('[', _) => open.push((Part::Reference, String::new())),
            ('{', Part::Text | Part::Group { .. }) => {
                open.push((Part::Group { references: 0, empty: 0 }, String::new()))
            }
            (']', Part::Reference) => {
                let (_, name) = open.pop()?;
                resolve(&mut open, &name, lookup)?;
            }
            ('}', Part::Group { references, empty }) => {
                let (references, empty) = (*references, *empty);
                let (_, content) = open.pop()?;
                let (_, outer) = open.last_mut()?;
                match (references, empty) {
                    (0, _) => *outer += &format!("{{{content}}}"),
                    (_, 0) => *outer += &content,
                    _ => {}
                }
            }
            _ => buffer.push(c),
        }
        let length: usize = open.iter().map(|(_, buffer)| buffer.len()).sum();
        if open.len() > MAX_DEPTH || length > MAX_LENGTH {
            return None;
        }
    }
    // What was opened and never closed stays as it was written.
    while open.len() > 1 {
        let (kind, content) = open.pop()?;
        let bracket = if matches!(kind, Part::Reference) { '[' } else { '{' };
        let (_, outer) = open.last_mut()?;
        outer.push(bracket);
        *outer += &content;
    }
    open.pop().map(|(_, text)| text)
}

fn resolve(open: &mut [(Part, String)], name: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Option<()> {
    let (kind, outer) = open.last_mut()?;
    if let Some(escaped) = name.strip_prefix('\\') {
        outer.extend(escaped.chars().next());
        return Some(());
    }
    let value = if name == "~" { Some("\0".to_owned()) } else { lookup(name) }.unwrap_or_default();
    if let Part::Group { references, empty } = kind {
        *references += 1;
        *empty += usize::from(value.is_empty());
    }
    *outer += &value;
    Some(())
}

/// The names in brackets, without looking them up.
pub(super) fn references(text: &str) -> impl Iterator<Item = &str> {
    text.split('[').skip(1).filter_map(|part| part.split_once(']').map(|(name, _)| name))
}
