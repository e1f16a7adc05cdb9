//! Who works on a simulated machine: a process of the host.

/// Whether the host still runs this program as the process of that number. Numbers are used again, so the program's name
/// counts too. Where that cannot be told, nobody is said to be at work.
#[cfg(not(windows))]
pub(super) fn is_alive(id: u32) -> bool {
    let name = |who: String| std::fs::read_link(format!("/proc/{who}/exe")).ok()?.file_name().map(ToOwned::to_owned);
    name(id.to_string()).is_some_and(|program| Some(program) == name("self".to_owned()))
}

/// Whether the host still runs the process of that number.
#[cfg(windows)]
pub(super) fn is_alive(id: u32) -> bool {
    crate::platform::windows::runs(id)
}
