//! The calls of Windows that Rust cannot check, each behind a function that can be called safely.
//!
//! Every file here allows `unsafe` for itself and says beside each call why it holds. Nothing is decided here.

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

/// A text as Windows takes it: UTF-16 with a terminator. A text that holds one itself is cut there, which no path or
/// name of ours does.
fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// The text in a buffer, up to its terminator.
fn narrow(units: &[u16]) -> String {
    let end = units.iter().position(|unit| *unit == 0).unwrap_or(units.len());
    String::from_utf16_lossy(&units[..end])
}

/// True of a BOOL is success; else the error of this thread.
fn check(done: i32) -> io::Result<()> {
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// An error code is turned into an error; 0 is success.
fn check_code(code: u32) -> io::Result<()> {
    match code {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code.cast_signed())),
    }
}
