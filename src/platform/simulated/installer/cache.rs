//! Windows Installer's cache of packages.

use crate::platform::disk::hash_bytes;
use crate::platform::simulated::MachineFacts;
use crate::winpath::{PathError, WinPath};

/// Where Windows Installer keeps its copy of a product's package. The name is the same whenever it is installed.
pub(super) fn cached(code: &str, facts: &MachineFacts) -> Result<WinPath, PathError> {
    let windows = facts.variable("SystemRoot").unwrap_or(r"C:\Windows");
    let name: String = hash_bytes(code.as_bytes()).chars().take(7).collect();
    WinPath::new(format!(r"{windows}\Installer\{name}.msi"))
}
