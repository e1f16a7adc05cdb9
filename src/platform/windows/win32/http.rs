//! The response of a URL.
#![allow(unsafe_code, reason = "calls of the Windows API, each with the reason why it holds")]

use super::{check, wide};
use crate::platform::Response;
use std::ffi::c_void;
use std::net::{ToSocketAddrs, UdpSocket};
use std::time::Duration;
use std::{io, ptr};
use windows_sys::Win32::Networking::WinHttp::{
    ERROR_WINHTTP_SECURE_FAILURE, SECURITY_FLAG_IGNORE_CERT_CN_INVALID, SECURITY_FLAG_IGNORE_CERT_DATE_INVALID,
    SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE, SECURITY_FLAG_IGNORE_UNKNOWN_CA, URL_COMPONENTS,
    WINHTTP_ACCESS_TYPE_NO_PROXY, WINHTTP_DISABLE_AUTHENTICATION, WINHTTP_DISABLE_REDIRECTS, WINHTTP_FLAG_SECURE,
    WINHTTP_FLAG_SECURE_PROTOCOL_TLS1, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_1, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2,
    WINHTTP_INTERNET_SCHEME_HTTPS, WINHTTP_OPTION_CLIENT_CERT_CONTEXT, WINHTTP_OPTION_DISABLE_FEATURE,
    WINHTTP_OPTION_SECURE_PROTOCOLS, WINHTTP_OPTION_SECURITY_FLAGS, WINHTTP_QUERY_FLAG_NUMBER, WINHTTP_QUERY_LOCATION,
    WINHTTP_QUERY_STATUS_CODE, WinHttpCloseHandle, WinHttpConnect, WinHttpCrackUrl, WinHttpOpen, WinHttpOpenRequest,
    WinHttpQueryHeaders, WinHttpReceiveResponse, WinHttpSendRequest, WinHttpSetOption, WinHttpSetTimeouts,
};

/// In milliseconds, for each of resolving the host, connecting and sending: the server is this machine, or near.
const STEP_LIMIT: i32 = 5_000;

/// Faults of a certificate that a repeated request ignores, because the caller compares them with those of before.
const IGNORED: u32 = SECURITY_FLAG_IGNORE_UNKNOWN_CA
    | SECURITY_FLAG_IGNORE_CERT_DATE_INVALID
    | SECURITY_FLAG_IGNORE_CERT_CN_INVALID
    | SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE;

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

/// Sends a GET request to a URL, without a proxy, credentials and a client certificate; redirects are not followed. The
/// response may take `limit`.
pub(in crate::platform::windows) fn get(url: &str, limit: Duration) -> io::Result<Response> {
    match send(url, limit, 0) {
        Err(error) if error.raw_os_error() == code(ERROR_WINHTTP_SECURE_FAILURE) => {
            let response = send(url, limit, IGNORED)?;
            Ok(Response { certificate: Some(error.to_string()), ..response })
        }
        response => response,
    }
}

fn code(error: u32) -> Option<i32> {
    i32::try_from(error).ok()
}

fn send(url: &str, limit: Duration, ignored: u32) -> io::Result<Response> {
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
    // SAFETY: all texts are terminated and outlive the calls; the parts point into the address; every handle is checked
    // and closed by its owner, the innermost first.
    unsafe {
        check(WinHttpCrackUrl(url.as_ptr(), 0, 0, &mut parts))?;
        let host = copied(parts.lpszHostName, parts.dwHostNameLength);
        let path = copied(parts.lpszUrlPath, parts.dwUrlPathLength);
        let agent = wide("pfupgrade");
        let session = Handle::new(WinHttpOpen(agent.as_ptr(), WINHTTP_ACCESS_TYPE_NO_PROXY, no_text, no_text, 0))?;
        let receive = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
        check(WinHttpSetTimeouts(session.0, STEP_LIMIT, STEP_LIMIT, STEP_LIMIT, receive))?;
        let protocols = WINHTTP_FLAG_SECURE_PROTOCOL_TLS1 | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_1;
        // Windows 7 does not enable the newer ones by default.
        session.set(WINHTTP_OPTION_SECURE_PROTOCOLS, protocols | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2);
        let connection = Handle::new(WinHttpConnect(session.0, host.as_ptr(), parts.nPort, 0))?;
        let secure = if parts.nScheme == WINHTTP_INTERNET_SCHEME_HTTPS { WINHTTP_FLAG_SECURE } else { 0 };
        let verb = wide("GET");
        let request =
            WinHttpOpenRequest(connection.0, verb.as_ptr(), path.as_ptr(), no_text, no_text, ptr::null(), secure);
        let request = Handle::new(request)?;
        // The caller follows redirects, and a challenge is a valid response.
        request.set(WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_DISABLE_AUTHENTICATION | WINHTTP_DISABLE_REDIRECTS);
        if ignored != 0 {
            request.set(WINHTTP_OPTION_SECURITY_FLAGS, ignored);
        }
        // A server that accepts client certificates must be told that there is none: "SSL in WinHTTP".
        WinHttpSetOption(request.0, WINHTTP_OPTION_CLIENT_CERT_CONTEXT, ptr::null(), 0);
        check(WinHttpSendRequest(request.0, no_text, 0, ptr::null(), 0, 0, 0))?;
        check(WinHttpReceiveResponse(request.0, none))?;
        let (mut status, mut size) = (0_u32, 4);
        let what = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
        check(WinHttpQueryHeaders(request.0, what, no_text, (&raw mut status).cast(), &mut size, none.cast()))?;
        let status = u16::try_from(status).map_err(io::Error::other)?;
        Ok(Response { status, location: location(&request), certificate: None })
    }
}

/// The target of a redirect, if the response has one of up to 4,096 characters.
fn location(request: &Handle) -> Option<String> {
    let mut text = [0_u16; 4097];
    let mut size = u32::try_from(size_of_val(&text)).ok()?;
    // SAFETY: the handle is open, and the size is that of the text.
    let read = unsafe {
        WinHttpQueryHeaders(
            request.0,
            WINHTTP_QUERY_LOCATION,
            ptr::null(),
            text.as_mut_ptr().cast(),
            &mut size,
            ptr::null_mut(),
        )
    };
    check(read).ok()?;
    String::from_utf16(text.get(..usize::try_from(size).ok()? / 2)?).ok()
}

/// Whether a host name resolves to an address of this machine: only such an address can be bound.
pub(in crate::platform::windows) fn is_own(host: &str) -> bool {
    let addresses = (host.trim_matches(['[', ']']), 0).to_socket_addrs();
    addresses.is_ok_and(|mut all| all.any(|address| UdpSocket::bind(address).is_ok()))
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
