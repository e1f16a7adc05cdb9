//! The Windows server that this program runs on.
//!
//! Code that queries or changes Windows exists only on Windows. The texts that it reads and writes are parsed in
//! `text`, which is tested on every host; unsafe calls are in `win32`, one small file per subject.

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
