//! The Windows server that this program runs on.
//!
//! What asks Windows or changes it exists on Windows only. The texts it reads and writes are taken apart in `text`, which
//! every host tests; the calls that Rust cannot check are in `win32`, one small file a subject.

#[cfg(windows)]
mod disk;
#[cfg(windows)]
mod event_log;
#[cfg(windows)]
mod iis;
#[cfg(windows)]
mod installer;
#[cfg(windows)]
mod machine;
#[cfg(windows)]
mod program;
#[cfg(windows)]
mod registry;
#[cfg(windows)]
mod services;
#[cfg(windows)]
mod system;
#[cfg(windows)]
mod tasks;
#[cfg(all(windows, test))]
mod tests;
#[cfg(any(windows, test))]
#[cfg_attr(not(windows), allow(dead_code, reason = "used on Windows, tested everywhere"))]
mod text;
#[cfg(windows)]
mod win32;

#[cfg(windows)]
pub use machine::Windows;
#[cfg(windows)]
pub(super) use program::runs;
