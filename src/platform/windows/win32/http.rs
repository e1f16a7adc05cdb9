//! The HTTP status of a URL.
#![allow(unsafe_code, reason = "calls of the Windows API, each with the reason why it holds")]

use super::{check, wide};
use std::ffi::c_void;
use std::io;
use std::ptr;
use windows_sys::Win32::Networking::WinHttp::{
    URL_COMPONENTS, WINHTTP_ACCESS_TYPE_NO_PROXY, WINHTTP_DISABLE_AUTHENTICATION, WINHTTP_DISABLE_REDIRECTS,
    WINHTTP_FLAG_SECURE, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_1,
    WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2, WINHTTP_INTERNET_SCHEME_HTTPS, WINHTTP_OPTION_DISABLE_FEATURE,
    WINHTTP_OPTION_SECURE_PROTOCOLS, WINHTTP_QUERY_FLAG_NUMBER, WINHTTP_QUERY_STATUS_CODE, WinHttpCloseHandle,
    WinHttpConnect, WinHttpCrackUrl, WinHttpOpen, WinHttpOpenRequest, WinHttpQueryHeaders, WinHttpReceiveResponse,
    WinHttpSendRequest, WinHttpSetOption, WinHttpSetTimeouts,
};

/// In milliseconds, for each of resolving the host, connecting, sending and receiving. An idle application pool takes a
/// while for the first response.
const LIMITS: [i32; 4] = [10_000, 10_000, 30_000, 60_000];

struct Handle(*mut c_void);

impl Handle {
    fn new(raw: *mut c_void) -> io::Result<Self> {
        check(i32::from(!raw.is_null()))?;
        Ok(Self(raw))
    }

    fn set(&self, option: u32, value: u32) {
        // SAFETY: the handle is open; the value has the size that is given. An option that this Windows does not
        // support is not needed.
        unsafe { WinHttpSetOption(self.0, option, (&raw const value).cast(), 4) };
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is open and closed once.
        unsafe { WinHttpCloseHandle(self.0) };
    }
}

/// Sends a request to a URL, without a proxy and credentials. Returns the status.
pub(in crate::platform::windows) fn status(url: &str) -> io::Result<u16> {
    let url = wide(url);
    let size = u32::try_from(size_of::<URL_COMPONENTS>()).unwrap_or_default();
    let (host_length, path_length) = (u32::MAX, u32::MAX);
    let mut parts = URL_COMPONENTS {
        dwStructSize: size,
        dwHostNameLength: host_length,
        dwUrlPathLength: path_length,
        ..URL_COMPONENTS::default()
    };
    let (none, no_text) = (ptr::null_mut(), ptr::null());
    let mut status = 0_u32;
    // SAFETY: all texts are terminated and outlive the calls; the parts point into the address; every handle is checked
    // and closed by its owner, the innermost first.
    unsafe {
        check(WinHttpCrackUrl(url.as_ptr(), 0, 0, &mut parts))?;
        let host = copied(parts.lpszHostName, parts.dwHostNameLength);
        let path = copied(parts.lpszUrlPath, parts.dwUrlPathLength);
        let agent = wide("pfupgrade");
        let session = Handle::new(WinHttpOpen(agent.as_ptr(), WINHTTP_ACCESS_TYPE_NO_PROXY, no_text, no_text, 0))?;
        let [resolve, connect, send, receive] = LIMITS;
        check(WinHttpSetTimeouts(session.0, resolve, connect, send, receive))?;
        let protocols = WINHTTP_FLAG_SECURE_PROTOCOL_TLS1 | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_1;
        // Windows 7 does not enable the newer ones by default.
        session.set(WINHTTP_OPTION_SECURE_PROTOCOLS, protocols | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2);
        let connection = Handle::new(WinHttpConnect(session.0, host.as_ptr(), parts.nPort, 0))?;
        let secure = if parts.nScheme == WINHTTP_INTERNET_SCHEME_HTTPS { WINHTTP_FLAG_SECURE } else { 0 };
        let verb = wide("GET");
        let request =
            WinHttpOpenRequest(connection.0, verb.as_ptr(), path.as_ptr(), no_text, no_text, ptr::null(), secure);
        let request = Handle::new(request)?;
        // Challenges and redirections are valid responses.
        request.set(WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_DISABLE_AUTHENTICATION | WINHTTP_DISABLE_REDIRECTS);
        check(WinHttpSendRequest(request.0, no_text, 0, ptr::null(), 0, 0, 0))?;
        check(WinHttpReceiveResponse(request.0, none))?;
        let what = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
        let mut size = 4;
        check(WinHttpQueryHeaders(request.0, what, no_text, (&raw mut status).cast(), &mut size, none.cast()))?;
    }
    u16::try_from(status).map_err(io::Error::other)
}

/// A terminated copy of a part of a URL.
///
/// # Safety
/// `text` must point to at least `length` units.
unsafe fn copied(text: *const u16, length: u32) -> Vec<u16> {
    if text.is_null() {
        return vec![0];
    }
    // SAFETY: so many units are there, says the caller.
    let units = unsafe { std::slice::from_raw_parts(text, usize::try_from(length).unwrap_or_default()) };
    units.iter().copied().chain([0]).collect()
}
