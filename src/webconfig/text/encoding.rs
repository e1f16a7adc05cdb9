//! Bytes to text and back, without loss: a file whose text would not give the same bytes again is refused.

use encoding_rs::Encoding as CodePage;

/// How a file's characters are stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Encoding {
    Utf8 {
        mark: bool,
    },
    Utf16 {
        big: bool,
        mark: bool,
    },
    /// Bytes that are their own code points, up to `last`: ASCII and ISO 8859-1. They are not left to `encoding_rs`,
    /// which follows browsers and reads both as windows-1252.
    Direct {
        last: u8,
        mark: bool,
    },
    CodePage {
        page: &'static CodePage,
        mark: bool,
    },
}

/// What UTF-8 marks itself with. The readers of the .NET Framework follow the declaration all the same
/// (XmlTextReaderImpl.CheckEncoding), so that a mark may stand before bytes of another encoding.
const MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// The encoding and the text without a byte order mark; otherwise why the bytes cannot be read.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Encoding, String), String> {
    let encoding = detect(bytes)?;
    let text = match encoding {
        Encoding::Utf8 { mark } => {
            let why = |at| format!("byte {at} is not UTF-8; the file declares no other encoding");
            let text = std::str::from_utf8(bytes).map_err(|error| why(error.valid_up_to()))?;
            text.get(if mark { 3 } else { 0 }..).unwrap_or_default().to_owned()
        }
        Encoding::Utf16 { big, mark } => decode_utf16(&bytes[if mark { 2 } else { 0 }..], big)?,
        Encoding::Direct { last, mark } => {
            let bytes = if mark { &bytes[MARK.len()..] } else { bytes };
            match bytes.iter().position(|byte| *byte > last) {
                Some(at) => return Err(format!("byte {at} is not ASCII, which the file declares as its encoding")),
                None => bytes.iter().map(|byte| char::from(*byte)).collect(),
            }
        }
        Encoding::CodePage { page, mark } => {
            let bytes = if mark { &bytes[MARK.len()..] } else { bytes };
            let text = page.decode_without_bom_handling(bytes).0;
            if *page.encode(&text).0 != *bytes {
                return Err(format!("its bytes are not clean {}, which it declares as its encoding", page.name()));
            }
            text.into_owned()
        }
    };
    check_declaration(encoding, &text)?;
    Ok((encoding, text))
}

/// Refuses declarations that ASP.NET refuses, or follows where they are wrong.
fn check_declaration(encoding: Encoding, text: &str) -> Result<(), String> {
    const UTF_16: [&str; 5] = ["utf-16", "utf-16le", "utf-16be", "unicode", "ucs-2"];
    let said = |name| declared(text.as_bytes(), name);
    if let Some(version) = said("version").filter(|version| version != "1.0") {
        return Err(format!("it declares XML {}, which ASP.NET does not read; declare 1.0", version.escape_debug()));
    }
    let is_wrong = |label: &String| !UTF_16.contains(&label.to_ascii_lowercase().as_str());
    match said("encoding").filter(is_wrong) {
        Some(label) if matches!(encoding, Encoding::Utf16 { .. }) => Err(format!(
            "it is UTF-16 but declares {}, so ASP.NET cannot read it; save it as UTF-8",
            label.escape_debug()
        )),
        _ => Ok(()),
    }
}

impl Encoding {
    /// The bytes of `text`. Characters the encoding cannot hold become references, so they must not stand in names.
    pub(crate) fn encode(self, mut text: String) -> Vec<u8> {
        match self {
            Self::Utf8 { mark } => {
                if mark {
                    text.insert(0, '\u{FEFF}');
                }
                text.into_bytes()
            }
            Self::Utf16 { big, mark } => {
                let unit = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
                mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16()).flat_map(unit).collect()
            }
            Self::Direct { last, mark } => {
                let mut bytes = if mark { MARK.to_vec() } else { Vec::new() };
                for c in text.chars() {
                    match u8::try_from(c) {
                        Ok(byte) if byte <= last => bytes.push(byte),
                        _ => bytes.extend(reference(c).bytes()),
                    }
                }
                bytes
            }
            Self::CodePage { page, mark } => [if mark { MARK } else { &[] }, &page.encode(&text).0].concat(),
        }
    }

    /// Whether a character can be stored. Others are written as references.
    pub(crate) fn holds(self, c: char) -> bool {
        match self {
            Self::Utf8 { .. } | Self::Utf16 { .. } => true,
            Self::Direct { last, .. } => u32::from(c) <= u32::from(last),
            Self::CodePage { page, .. } => c.is_ascii() || !page.encode(c.encode_utf8(&mut [0; 4])).2,
        }
    }
}

/// A character as XML reference.
pub(crate) fn reference(c: char) -> String {
    format!("&#x{:X};", u32::from(c))
}

fn detect(bytes: &[u8]) -> Result<Encoding, String> {
    Ok(match bytes {
        [0xFF, 0xFE, ..] => Encoding::Utf16 { big: false, mark: true },
        [0xFE, 0xFF, ..] => Encoding::Utf16 { big: true, mark: true },
        [0x3C, 0x00, ..] => Encoding::Utf16 { big: false, mark: false },
        [0x00, 0x3C, ..] => Encoding::Utf16 { big: true, mark: false },
        _ => {
            let (mark, rest) = bytes.strip_prefix(MARK).map_or((false, bytes), |rest| (true, rest));
            match declared(rest, "encoding") {
                Some(label) => named(&label, mark)?,
                None => Encoding::Utf8 { mark },
            }
        }
    })
}

fn named(label: &str, mark: bool) -> Result<Encoding, String> {
    match label.to_ascii_lowercase().as_str() {
        "utf-8" => return Ok(Encoding::Utf8 { mark }),
        "utf8" => return Err("it declares the encoding `UTF8`, which ASP.NET does not know; write `utf-8`".to_owned()),
        "us-ascii" | "ascii" => return Ok(Encoding::Direct { last: 0x7F, mark }),
        "iso-8859-1" | "latin1" | "iso_8859-1" => return Ok(Encoding::Direct { last: 0xFF, mark }),
        _ => {}
    }
    match CodePage::for_label(label.as_bytes()) {
        Some(page) if page == encoding_rs::UTF_16LE || page == encoding_rs::UTF_16BE => {
            Err(format!("it declares {} but its characters are single bytes", page.name()))
        }
        Some(page) if page != encoding_rs::REPLACEMENT => Ok(Encoding::CodePage { page, mark }),
        _ => Err(format!("it declares the encoding `{}`, which is not known; save it as UTF-8", label.escape_debug())),
    }
}

/// What stands behind `name` in `<?xml ... name="VALUE"?>`, read as ASCII.
fn declared(bytes: &[u8], name: &str) -> Option<String> {
    let rest = bytes.strip_prefix(b"<?xml")?;
    // A declaration is a line; the bound keeps a file without `?>` from being searched whole.
    let rest = &rest[..rest.len().min(1024)];
    let end = rest.windows(2).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(&rest[..end]).ok()?;
    let value = declaration.split_once(name)?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some(value[1..].split_once(quote)?.0.to_owned())
}

fn decode_utf16(bytes: &[u8], big: bool) -> Result<String, String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("it is UTF-16 with half a character at its end".to_owned());
    }
    let units = pairs.iter().map(|pair| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) });
    char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| "it is UTF-16 with a broken character".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_encoding_cannot_hold_becomes_a_reference() {
        let (ascii, latin) =
            (Encoding::Direct { last: 0x7F, mark: false }, Encoding::Direct { last: 0xFF, mark: false });
        assert_eq!(ascii.encode("aé語".to_owned()), b"a&#xE9;&#x8A9E;");
        assert_eq!(latin.encode("aé語".to_owned()), b"a\xE9&#x8A9E;");
        let windows = Encoding::CodePage { page: encoding_rs::WINDOWS_1252, mark: false };
        let holding = |encoding: Encoding| ['a', 'é', '€', '語'].map(|c| encoding.holds(c));
        assert_eq!(holding(ascii), [true, false, false, false]);
        assert_eq!(holding(latin), [true, true, false, false]);
        assert_eq!(holding(windows), [true, true, true, false]);
        assert_eq!(holding(Encoding::Utf16 { big: true, mark: false }), [true; 4]);
    }
}
