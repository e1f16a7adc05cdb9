//! JSON for scripts: ASCII only, since Windows PowerShell reads what a program prints in the OEM code page.

use serde::Serialize;
use serde_json::ser::Formatter;
use std::io;

struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut units = [0; 2];
        for c in fragment.chars() {
            if c.is_ascii() {
                writer.write_all(&[c as u8])?;
                continue;
            }
            for unit in c.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

/// `value` on one line, without its end.
pub fn line(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Ascii))?;
    Ok(bytes.into_iter().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_comes_back_from_ascii() {
        let text = "Müller \"C:\\Straße\"\n\u{7f}\u{1F511} \u{0}";
        let json = line(&text).expect("a string");
        assert!(json.is_ascii(), "{json}");
        assert!(json.contains(r"M\u00fcller") && json.contains(r"\ud83d\udd11"), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), text);
    }
}
