//! The owner of a simulated machine's lock: a process of the host.

/// Whether this program is still running on the host with a PID. PIDs are reused, so the program's name is compared as
/// well. If that is unknown, the result is false.
#[cfg(not(windows))]
pub(super) fn is_alive(id: u32) -> bool {
    let name = |who: String| std::fs::read_link(format!("/proc/{who}/exe")).ok()?.file_name().map(ToOwned::to_owned);
    name(id.to_string()).is_some_and(|program| Some(program) == name("self".to_owned()))
}

/// Whether a process with a PID is still running on the host.
#[cfg(windows)]
pub(super) fn is_alive(id: u32) -> bool {
    crate::platform::windows::runs(id)
}
