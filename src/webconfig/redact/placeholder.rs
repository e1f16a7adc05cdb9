//! A web.config with a placeholder for every secret: for a copy of a machine that others may have.

use crate::secret::is_secret;
use crate::webconfig::redact::mask;
use crate::webconfig::text::Splice;
use crate::webconfig::{ConfigError, Document};
use std::collections::HashSet;

/// A file of settings with placeholders for its secrets, and how many there are. What `shipped`, the same file as it
/// was shipped, has as well is no secret.
pub fn placeholders(bytes: Vec<u8>, name: &str, shipped: Option<Vec<u8>>) -> Result<(Vec<u8>, usize), ConfigError> {
    let document = Document::fragment(bytes, name)?;
    let shipped = shipped.and_then(|bytes| Document::fragment(bytes, name).ok());
    let known = shipped.iter().flat_map(mask::secrets).map(|secret| (secret.place, secret.value));
    let known: HashSet<(u64, String)> = known.collect();
    let text = document.text();
    let mut splices = Vec::new();
    let secrets = mask::secrets(&document).into_iter();
    for secret in secrets.filter(|secret| !known.contains(&(secret.place, secret.value.clone()))) {
        let raw = &text[secret.range.clone()];
        let before = &text[..secret.range.start];
        let is_comment = before.ends_with("<!--") || before.ends_with("<?");
        let text = if is_comment { comment(raw) } else { markup(raw) };
        splices.push(Splice { range: secret.range, text });
    }
    for range in encrypted(&document) {
        splices.push(Splice { text: markup(&text[range.clone()]), range });
    }
    let count = splices.len();
    Ok((document.apply(splices)?.bytes().to_vec(), count))
}

/// What was encrypted is as good as a secret to whoever has the key.
fn encrypted(document: &Document) -> Vec<std::ops::Range<usize>> {
    let ciphers = document
        .tree()
        .root()
        .descendants()
        .filter(|node| node.is_text())
        .filter(|node| node.parent_element().is_some_and(|parent| parent.tag_name().name() == "CipherValue"));
    ciphers.map(|node| node.range()).collect()
}

/// A text of the same shape: letters for letters, digits for digits, of the same length. What makes a text be taken for
/// a secret, such as the `Password=` of a connection string, is made up again so that it still is.
pub fn placeholder(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(SEPARATORS).unwrap_or(rest.len());
        let (part, tail) = rest.split_at(end);
        let names = tail.starts_with(['=', ':']);
        match () {
            () if tail.starts_with("://") && SCHEMES.contains(&part.to_ascii_lowercase().as_str()) => out += part,
            () if names && (is_secret(part) || part.trim().eq_ignore_ascii_case("accountkey")) => out += &marker(part),
            () => out.extend(part.chars().map(masked)),
        }
        let next = tail.chars().next();
        out.extend(next);
        rest = &tail[next.map_or(0, char::len_utf8)..];
    }
    out
}

const SEPARATORS: [char; 10] = [';', ',', '&', '?', '=', ':', '/', '"', '\'', '|'];

const SCHEMES: [&str; 5] = ["http", "https", "ftp", "ldap", "ldaps"];

/// A character of the same kind that takes the same room.
fn masked(c: char) -> char {
    match c {
        '0'..='9' => '0',
        'A'..='Z' => 'X',
        'a'..='z' => 'x',
        c if !c.is_alphanumeric() => c,
        c => match c.len_utf8() {
            2 => '\u{e9}',
            3 => '\u{5b57}',
            _ => '\u{1d431}',
        },
    }
}

/// A name of the same length that is taken for a secret's, with the blanks around it.
fn marker(name: &str) -> String {
    let trimmed = name.trim();
    let at = name.find(trimmed).unwrap_or_default();
    let length = trimmed.len();
    let mark = match length {
        0..=2 => "pw".get(..length).unwrap_or_default().to_owned(),
        3 => "pwd".to_owned(),
        4 => "pass".to_owned(),
        _ => format!("passw{}", "x".repeat(length - 5)),
    };
    format!("{}{mark}{}", &name[..at], &name[at + length..])
}

/// The same of a comment, whose words may be anything.
fn comment(text: &str) -> String {
    let words = text.split_inclusive(|c: char| !c.is_alphanumeric());
    let shape = |word: &str| {
        let name = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        if is_secret(name) {
            format!("{}{}", marker(name), &word[name.len()..])
        } else {
            word.chars().map(masked).collect()
        }
    };
    words.map(shape).collect()
}

/// [`placeholder`] of text as XML has it: tags and references stay what they are.
fn markup(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['<', '&']) {
        out += &placeholder(&rest[..at]);
        rest = &rest[at..];
        let (begin, end) = match rest {
            _ if rest.starts_with('&') => ("&", ";"),
            _ if rest.starts_with("<![CDATA[") => ("<![CDATA[", "]]>"),
            _ if rest.starts_with("<!--") => ("<!--", "-->"),
            _ => ("<", ">"),
        };
        let inner = rest[begin.len()..].find(end).map_or(&rest[begin.len()..], |at| &rest[begin.len()..][..at]);
        let whole = (begin.len() + inner.len() + end.len()).min(rest.len());
        out += begin;
        match begin {
            "&" => out += &reference(inner),
            "<" => out += &tag(inner),
            "<!--" => out += &comment(inner),
            _ => out += &placeholder(inner),
        }
        out += &rest[begin.len() + inner.len()..whole];
        rest = &rest[whole..];
    }
    out + &placeholder(rest)
}

/// A reference of the same length: a character that is named by its number may be part of the secret.
fn reference(name: &str) -> String {
    let (head, number, letter) = match name.strip_prefix("#x") {
        Some(number) => ("#x", number, "58"),
        None => ("#", name.strip_prefix('#').unwrap_or_default(), "88"),
    };
    match number.len() {
        0 | 1 => name.to_owned(),
        length => format!("{head}{letter:0>length$}"),
    }
}

/// A tag whose attributes have placeholders.
fn tag(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find(['"', '\'']) {
        let quote = &rest[at..=at];
        let (head, tail) = (&rest[..=at], &rest[at + 1..]);
        let end = tail.find(quote).unwrap_or(tail.len());
        out += head;
        out += &markup(&tail[..end]);
        out += &tail[end..(end + 1).min(tail.len())];
        rest = &tail[(end + 1).min(tail.len())..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webconfig::{LineKind, Shown, masked_diff};
    use proptest::prelude::*;

    #[test]
    fn placeholders_have_the_shape_of_what_they_stand_for() {
        for (text, wanted) in [
            ("Blue&\"Horse\"'42", "Xxxx&\"Xxxxx\"'00"),
            ("Data Source=db1;Pass Word=abc", "Xxxx Xxxxxx=xx0;passwxxxx=xxx"),
            ("https://user:hunter2@host/x", "https://xxxx:xxxxxx0@xxxx/x"),
            ("pwd: \u{fc}b\u{5b57}", "pwd: \u{e9}x\u{5b57}"),
        ] {
            assert_eq!(placeholder(text), wanted);
        }
    }

    const FILE: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<!-- the old password was hunter2 -->\r\n\
        <configuration>\r\n<appSettings>\r\n<add key='PASSWORD' value='Blue&amp;&#x48;orse'/>\r\n\
        <add key='SHIPPED_PASSWORD' value='changeit'/><add key='Plain' value='stays'/>\r\n\
        <add key='Db' value='Server=s;Password=abc1'/></appSettings>\r\n\
        <applicationSettings><a.Settings><setting name='token' serializeAs='Xml'><value><x y='q1'>z<![CDATA[w]]></x>\
        </value></setting></a.Settings></applicationSettings></configuration>";

    #[test]
    fn a_file_keeps_everything_but_its_secrets() {
        let shipped = FILE.replace("Blue&amp;&#x48;orse", "").into_bytes();
        let (made, count) = placeholders(FILE.into(), "web.config", Some(shipped)).expect("made");
        let made = String::from_utf8(made).expect("text");
        assert_eq!(made.len(), FILE.len(), "{made}");
        // What was shipped with the file is no secret; all but the first password were.
        assert_eq!(count, 1, "{made}");
        assert!(made.contains("value='Xxxx&amp;&#x58;xxxx'"), "{made}");

        let (made, count) = placeholders(FILE.into(), "web.config", None).expect("made");
        let made = String::from_utf8(made).expect("text");
        assert_eq!((made.len(), count), (FILE.len(), 5), "{made}");
        for secret in ["hunter2", "Blue", "orse", "changeit", "abc1", "q1", ">z<", "[w]"] {
            assert!(!made.contains(secret), "{secret}: {made}");
        }
        assert!(made.contains("value='stays'") && made.contains("<x y='x0'>x<![CDATA[x]]></x>"), "{made}");
        // What was masked still is: both files look alike.
        let document = |text: &str| Document::parse(text.into(), "web.config").expect("a file");
        let (old, new) = (document(FILE), document(&made));
        let diff = masked_diff(&old, &new, 0);
        let plain: Vec<_> =
            diff.iter().filter(|line| line.kind != LineKind::Gap && !line.text.contains("(masked")).collect();
        assert!(plain.is_empty(), "{plain:?}");
    }

    #[test]
    fn files_that_a_web_config_includes_are_read_as_well() {
        let file = "<appSettings><add key='pwd' value='abc'/></appSettings>";
        let (made, count) = placeholders(file.into(), "secrets.config", None).expect("made");
        assert_eq!((String::from_utf8(made).expect("text"), count), (file.replace("abc", "xxx"), 1));
    }

    proptest! {
        #[test]
        fn a_placeholder_takes_the_same_room_and_is_a_secret_where_the_text_was(text in "[a-zA-Z0-9;=:/@ \u{e9}]{0,40}") {
            let made = placeholder(&text);
            prop_assert_eq!(made.len(), text.len());
            // Room is bytes: the name of a secret with other letters in it becomes an ASCII one of as many bytes.
            if !is_secret(&text) && !text.contains(SEPARATORS) {
                prop_assert_eq!(made.chars().count(), text.chars().count());
            }
            if Shown::of("", &text) == Shown::Masked {
                prop_assert_eq!(Shown::of("", &made), Shown::Masked, "{}", made);
            }
        }
    }
}
