//! Formatted texts of Windows Installer, with properties in brackets.

/// No real property is that long.
const MAX_LENGTH: usize = 64 << 10;
const MAX_DEPTH: usize = 32;

enum Part {
    /// Outside of brackets and braces.
    Text,
    /// After `[`.
    Reference,
    /// After `{`: the references inside decide whether the braces are special.
    Group { references: usize, empty: usize },
}

/// Expands `[Name]`, `[\x]` and `{groups}`; `None` if the result is unreasonably long or deep.
///
/// `lookup` gets the text in the brackets, with a leading `#`, `$`, `!` or `%` if there is one. An unknown reference is
/// empty, and a group in braces with an empty reference disappears.
pub(super) fn fill_in(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut open = vec![(Part::Text, String::new())];
    for c in text.chars() {
        let (kind, buffer) = open.last_mut()?;
        match (c, kind) {
            (_, Part::Reference) if buffer == "\\" => buffer.push(c),
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
    // What is not closed stays as written.
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

/// The names in brackets.
pub(super) fn references(text: &str) -> impl Iterator<Item = &str> {
    text.split('[').skip(1).filter_map(|part| part.split_once(']').map(|(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(text: &str) -> Option<String> {
        fill_in(text, &|name| match name {
            "A" => Some("alpha".to_owned()),
            "Which" => Some("A".to_owned()),
            "#file" => Some(r"C:\a.txt".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn brackets_and_braces() {
        let cases = [
            ("plain", "plain"),
            (r"C:\[A]\x", r"C:\alpha\x"),
            ("[A][Unknown][A]", "alphaalpha"),
            ("[[Which]]", "alpha"),
            ("[#file]", r"C:\a.txt"),
            (r"[\[]A[\]]", "[A]"),
            ("{-[A]}{-[Unknown]}", "-alpha"),
            ("{80F4}", "{80F4}"),
            ("open [A", "open [A"),
            ("open {[A]", "open {alpha"),
            ("A] }", "A] }"),
            ("a[~]b", "a\0b"),
            ("ä[A]ß", "äalphaß"),
        ];
        for (text, expected) in cases {
            assert_eq!(filled(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_result_without_measure_is_refused() {
        assert_eq!(filled(&"[".repeat(100)), None);
        assert_eq!(filled(&"[A]".repeat(20_000)), None);
    }

    proptest! {
        #[test]
        fn texts_without_brackets_stay(text in r"[^\[\]{}]{0,40}") {
            prop_assert_eq!(filled(&text), Some(text));
        }

        #[test]
        fn no_text_panics(text in r"[\[\]{}A#~\\ä]{0,60}") {
            let _ = filled(&text);
        }
    }
}
