//! The content of the demo machines' files.

/// The text files of Windows programs have a carriage return in every line, and many a byte order mark.
pub fn windows_text(text: &str) -> Vec<u8> {
    format!("\u{feff}{}", text.replace('\n', "\r\n")).into_bytes()
}

/// Something that looks like a picture, different for every seed.
pub fn picture(seed: u8) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.extend(noise(seed, 256));
    bytes
}

/// The same bytes every time.
pub fn noise(seed: u8, len: usize) -> Vec<u8> {
    let mut state = u32::from(seed) | 1;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(len).collect()
}
