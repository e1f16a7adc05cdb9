//! Durations: `90s`, `30m`, `2h`, `1h30m`.

use super::Invalid;
use serde::{Deserialize, Deserializer, Serializer, de::Error};
use std::time::Duration;

/// The longest duration.
const LONGEST: u64 = 24 * 60 * 60;

/// Reads `1h30m`: whole hours, minutes and seconds, each at most once and in this order; one second to one day.
pub fn parse(text: &str) -> Result<Duration, Invalid> {
    let wrong =
        || Invalid::new("is not a duration").hint("write hours, minutes and seconds, such as \"1h30m\" or \"90s\"");
    let mut rest = text;
    let mut seconds = 0_u64;
    for (unit, length) in [('h', 3600), ('m', 60), ('s', 1)] {
        if let Some((number, behind)) = rest.split_once(unit) {
            if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
                return Err(wrong());
            }
            let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(length));
            seconds = part.and_then(|part| seconds.checked_add(part)).unwrap_or(u64::MAX);
            rest = behind;
        }
    }
    match seconds {
        _ if text.is_empty() || !rest.is_empty() => Err(wrong()),
        0 => Err(Invalid::new("is too short").hint("the shortest duration is \"1s\"")),
        1..=LONGEST => Ok(Duration::from_secs(seconds)),
        _ => Err(Invalid::new("is too long").hint("the longest duration is \"24h\"")),
    }
}

/// Formats a duration of whole seconds so that [`parse`] reads it back.
pub fn format(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [(seconds / 3600, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    let text: String = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

pub(super) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&format(*duration))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    parse(&String::deserialize(from)?).map_err(D::Error::custom)
}
