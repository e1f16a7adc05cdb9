//! The package cache of Windows Installer.

use crate::platform::disk::hash_bytes;
use crate::platform::simulated::MachineFacts;
use crate::winpath::{PathError, WinPath};

/// The path of a product's package in the cache. The name is always the same for a product.
pub(super) fn cached(code: &str, facts: &MachineFacts) -> Result<WinPath, PathError> {
    let windows = facts.variable("SystemRoot").unwrap_or(r"C:\Windows");
    let name: String = hash_bytes(code.as_bytes()).chars().take(7).collect();
    WinPath::new(format!(r"{windows}\Installer\{name}.msi"))
}
