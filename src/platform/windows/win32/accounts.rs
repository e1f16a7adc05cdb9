//! Accounts and groups by name.
#![allow(unsafe_code, reason = "calls of the Windows API, each with the reason why it holds")]

use super::{check, wide};
use std::io;
use std::ptr;
use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, ERROR_NONE_MAPPED};
use windows_sys::Win32::Security::LookupAccountNameW;

/// Whether an account or group with this name exists; `None` if no domain controller is reachable. A name without a
/// domain is searched on this machine first.
pub(in crate::platform::windows) fn exists(name: &str) -> io::Result<Option<bool>> {
    let (mut sid, mut domain) = (0, 0);
    let mut kind = 0;
    // SAFETY: the name is terminated; without buffers only their sizes are written.
    let found = check(unsafe {
        LookupAccountNameW(
            ptr::null(),
            wide(name).as_ptr(),
            ptr::null_mut(),
            &mut sid,
            ptr::null_mut(),
            &mut domain,
            &mut kind,
        )
    });
    match found.map_err(|error| error.raw_os_error().map(i32::cast_unsigned)) {
        // It exists; the buffer is just too small.
        Ok(()) | Err(Some(ERROR_INSUFFICIENT_BUFFER)) => Ok(Some(true)),
        Err(Some(ERROR_NONE_MAPPED)) => Ok(Some(false)),
        // The domain is unknown or not reachable.
        Err(_) => Ok(None),
    }
}
