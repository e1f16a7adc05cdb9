//! Windows and its state.

use super::registry;
use super::text::values;
use super::win32::system as win32;
use crate::platform::facts::{Bits, System};
use crate::platform::registry::View;
use crate::platform::{Context, Failure};

const SESSION_MANAGER: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager";
const VERSION: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion";
const DOTNET: &str = r"HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full";
/// Visual C++ 2015 and all later versions write here, because they share one runtime.
const RUNTIMES: &str = r"HKLM\SOFTWARE\Microsoft\VisualStudio\14.0\VC\Runtimes";

/// Windows and its state, queried every time.
pub(super) fn system() -> Result<System, Failure> {
    let elevated = win32::is_elevated().context("determine whether this program runs as administrator")?;
    let release = registry::key(View::Native, DOTNET)?.and_then(|key| key.number("Release"));
    Ok(System {
        name: std::env::var("COMPUTERNAME").unwrap_or_default(),
        windows: windows()?,
        bits: bits(),
        elevated,
        dotnet_release: release,
        vc_x86: has_runtime("x86")?,
        vc_x64: has_runtime("x64")?,
        user: win32::own_sid().ok(),
        account: win32::own_account().ok(),
        pending_renames: pending_renames()?,
    })
}

/// The architecture of Windows.
pub(super) fn bits() -> Bits {
    if win32::is_32bit() { Bits::X86 } else { Bits::X64 }
}

fn windows() -> Result<String, Failure> {
    let (major, minor, build) = win32::version();
    let name = registry::text(View::Native, VERSION, "ProductName")?.unwrap_or_else(|| "Windows".to_owned());
    Ok(format!("{name} ({major}.{minor}.{build})"))
}

/// The runtimes' setups are 32-bit programs on every Windows, so their keys are in that view; newer ones write both.
fn has_runtime(processor: &str) -> Result<bool, Failure> {
    for view in [View::Wow32, View::Native] {
        let key = registry::key(view, &format!("{RUNTIMES}\\{processor}"))?;
        if key.is_some_and(|key| key.number("Installed") == Some(1)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn pending_renames() -> Result<Vec<String>, Failure> {
    let mut all = Vec::new();
    for name in ["PendingFileRenameOperations", "PendingFileRenameOperations2"] {
        all.extend(values::pending_renames(&registry::strings(View::Native, SESSION_MANAGER, name)?));
    }
    Ok(all)
}
