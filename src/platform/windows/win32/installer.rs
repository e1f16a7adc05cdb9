//! Direct queries of Windows Installer.
#![allow(unsafe_code, reason = "calls of the Windows API, each with the reason why it holds")]

use super::wide;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use windows_sys::Win32::Foundation::WAIT_TIMEOUT;
use windows_sys::Win32::System::ApplicationInstallationAndServicing::{INSTALLSTATE_DEFAULT, MsiQueryProductStateW};
use windows_sys::Win32::System::Threading::{
    OpenMutexW, ReleaseMutex, SYNCHRONIZATION_SYNCHRONIZE, WaitForSingleObject,
};

/// Whether a product with this code is installed according to Windows Installer.
pub(in crate::platform::windows) fn is_installed(code: &str) -> bool {
    // SAFETY: the code is terminated.
    unsafe { MsiQueryProductStateW(wide(code).as_ptr()) == INSTALLSTATE_DEFAULT }
}

/// Whether Windows Installer is busy: it holds this mutex while an installation changes the machine.
pub(in crate::platform::windows) fn is_at_work() -> bool {
    let name = wide(r"Global\_MSIExecute");
    // SAFETY: the name is terminated; the handle is owned, and what was taken for a moment is given back.
    unsafe {
        let mutex = OpenMutexW(SYNCHRONIZATION_SYNCHRONIZE, 0, name.as_ptr());
        if mutex.is_null() {
            return false;
        }
        let mutex = OwnedHandle::from_raw_handle(mutex);
        let at_work = WaitForSingleObject(mutex.as_raw_handle(), 0) == WAIT_TIMEOUT;
        if !at_work {
            ReleaseMutex(mutex.as_raw_handle());
        }
        at_work
    }
}
