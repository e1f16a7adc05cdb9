//! Texts without what is another one each time.

/// What is another one each time: ids of runs, dates, times, numbers of processes, how long it took and how much was
/// written of it. `0` stands for a digit, and behind words for one or none.
const CHANGING: [&str; 8] = [
    "00000000-000000",
    "0000-00-00",
    "00:00:00",
    "PID 0000000",
    "at 00:00 UTC",
    "lasted 00 s",
    "outage  00 s",
    "files (000.0 KiB)",
];

/// Text with whatever [`CHANGING`] describes as it stands there.
pub fn steady(text: &str) -> String {
    let fits = |text: &str, shape: &str| -> Option<usize> {
        let mut chars = text.chars();
        for expected in shape.chars() {
            match (expected, chars.clone().next()) {
                ('0', Some('0'..='9')) => _ = chars.next(),
                // Such a number has any length.
                ('0', _) if shape.starts_with(char::is_alphabetic) && chars.as_str().len() < text.len() => {}
                (_, Some(found)) if found == expected && expected != '0' => _ = chars.next(),
                _ => return None,
            }
        }
        Some(text.len() - chars.as_str().len())
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        match CHANGING.iter().find_map(|shape| Some((shape, fits(rest, shape)?))) {
            Some((shape, length)) => {
                out += shape;
                rest = &rest[length..];
            }
            None => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}
