//! JSON on one line that says itself when it has been changed.

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
    // The sum is appended to the very text it was made over, so that reading needs no second serialisation.
    Ok((format!("{},\"sum\":\"{sum}\"}}\n", &text[..text.len() - 1]), sum))
}

/// The text that was sealed, and its checksum; an error in words where that is not what stands here.
pub(crate) fn unseal<'a>(previous: &str, line: &'a str) -> Result<(String, &'a str), &'static str> {
    let (text, found) =
        line.strip_suffix("\"}").and_then(|line| line.rsplit_once(",\"sum\":\"")).ok_or("it has no checksum")?;
    let text = format!("{text}}}");
    match chain(previous, &text) == found {
        true => Ok((text, found)),
        false => Err("its checksum does not fit"),
    }
}
