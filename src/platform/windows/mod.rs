//! The Windows server that this program runs on.
//!
//! What asks Windows or changes it exists on Windows only. The texts it reads and writes are taken apart in [`text`],
//! which every host tests; the calls that Rust cannot check are in [`win32`], one small file a subject.

#[cfg(any(windows, test))]
mod text;
