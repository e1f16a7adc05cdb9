#![allow(clippy::unwrap_used)]

use super::*;

mod accepted;
mod properties;
mod refused_tables;
mod refused_values;
mod shown;
mod unsaid;

/// Reads a plan that is only its text.
fn read(text: &str) -> Result<Plan, Diagnostics> {
    Plan::read(text.as_bytes(), "plan.toml")
}

/// Expects all of `shown` to be said of the plan `text`, and nothing else.
fn refused(text: &str, shown: &str) {
    assert_eq!(read(text).unwrap_err().render(false, 120), shown.trim());
}

/// Reads `text` behind the line `format = 1`, and expects it to be good.
fn good(text: &str) -> Plan {
    read(&format!("format = 1\n{text}")).unwrap_or_else(|errors| unreachable!("{text}\n{errors}"))
}
