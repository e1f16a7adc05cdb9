//! The output of Windows programs.

/// UTF-16 with a byte order mark, or UTF-8; `None` for anything else, such as an old code page.
pub(in crate::platform::windows) fn decode(bytes: &[u8]) -> Option<String> {
    match bytes {
        [0xFF, 0xFE, rest @ ..] => Some(utf16(rest, u16::from_le_bytes)),
        [0xFE, 0xFF, rest @ ..] => Some(utf16(rest, u16::from_be_bytes)),
        [0xEF, 0xBB, 0xBF, rest @ ..] => std::str::from_utf8(rest).ok().map(str::to_owned),
        _ => std::str::from_utf8(bytes).ok().map(str::to_owned),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_encodings_of_windows_are_read() {
        let little: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain("Größe".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let big: Vec<u8> = [0xFE, 0xFF].into_iter().chain("Größe".encode_utf16().flat_map(u16::to_be_bytes)).collect();
        for bytes in [&little[..], &big, "\u{feff}Größe".as_bytes(), "Größe".as_bytes()] {
            assert_eq!(decode(bytes).as_deref(), Some("Größe"));
        }
        assert_eq!(decode(b"Gr\x94\xE1e"), None, "code page 850");
        assert_eq!(decode(&[0xFF, 0xFE, 0x41, 0, 0x42]).as_deref(), Some("A"), "a cut-off unit");
    }
}
