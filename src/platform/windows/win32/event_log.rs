//! Entries in the event log.
#![allow(unsafe_code, reason = "calls of the Windows API, each with the reason why it holds")]

use super::{check, wide};
use std::io;
use std::ptr;
use windows_sys::Win32::System::EventLog::{DeregisterEventSource, RegisterEventSourceW, ReportEventW};

/// Writes an entry of a source, with its `EVENTLOG_..._TYPE`, its ID and its text.
pub(in crate::platform::windows) fn report(source: &str, kind: u16, id: u16, text: &str) -> io::Result<()> {
    let (source, text) = (wide(source), wide(text));
    let texts = [text.as_ptr()];
    // SAFETY: the texts are terminated and live for the calls; the handle is open and closed once.
    unsafe {
        let log = RegisterEventSourceW(ptr::null(), source.as_ptr());
        check(i32::from(!log.is_null()))?;
        let reported = check(ReportEventW(log, kind, 0, id.into(), ptr::null_mut(), 1, 0, texts.as_ptr(), ptr::null()));
        DeregisterEventSource(log);
        reported
    }
}
