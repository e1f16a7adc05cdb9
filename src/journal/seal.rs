//! JSON on one line with a checksum that detects changes.

use serde::Serialize;
use sha2::{Digest, Sha256};

fn chain(previous: &str, text: &str) -> String {
    let mut sum = Sha256::new();
    sum.update(previous);
    sum.update(text);
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value as a line, and its checksum, which is chained over `previous`.
pub(crate) fn seal(previous: &str, value: &impl Serialize) -> serde_json::Result<(String, String)> {
    let text = serde_json::to_string(value)?;
    let sum = chain(previous, &text);
    // The checksum is appended to the same text that it covers, so that reading needs no second serialization.
    Ok((format!("{},\"sum\":\"{sum}\"}}\n", &text[..text.len() - 1]), sum))
}

/// Returns the sealed text and its checksum. Fails if they do not match.
pub(crate) fn unseal<'a>(previous: &str, line: &'a str) -> Result<(String, &'a str), &'static str> {
    let (text, found) =
        line.strip_suffix("\"}").and_then(|line| line.rsplit_once(",\"sum\":\"")).ok_or("it has no checksum")?;
    let text = format!("{text}}}");
    match chain(previous, &text) == found {
        true => Ok((text, found)),
        false => Err("its checksum does not match"),
    }
}
