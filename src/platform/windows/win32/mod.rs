//! Unsafe calls of Windows, each behind a safe function.
//!
//! Every file here allows `unsafe` and explains at each call why it is sound. Nothing is decided here.

pub(super) mod accounts;
pub(super) mod event_log;
pub(super) mod files;
pub(super) mod http;
pub(super) mod installer;
pub(super) mod process;
pub(super) mod rights;
pub(super) mod services;
pub(super) mod system;
pub(super) mod trust;

use std::io;

/// A terminated UTF-16 text. A text with an inner terminator is cut there, which never happens with our paths and
/// names.
fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// The text in a buffer, up to its terminator.
fn narrow(units: &[u16]) -> String {
    let end = units.iter().position(|unit| *unit == 0).unwrap_or(units.len());
    String::from_utf16_lossy(&units[..end])
}

/// Turns a BOOL into success or the error of this thread.
fn check(done: i32) -> io::Result<()> {
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Turns an error code into an error; 0 is success.
fn check_code(code: u32) -> io::Result<()> {
    match code {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code.cast_signed())),
    }
}
