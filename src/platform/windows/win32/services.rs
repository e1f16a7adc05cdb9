//! Calls of the service manager that `windows-service` does not offer.
#![allow(unsafe_code, reason = "calls of the Windows API, each with the reason why it holds")]

use super::check;
use std::io;
use std::ptr;
use windows_service::service::Service;
use windows_sys::Win32::Foundation::ERROR_MORE_DATA;
use windows_sys::Win32::System::Services::{
    ChangeServiceConfigW, CloseServiceHandle, ENUM_SERVICE_STATUS_PROCESSW, ENUM_SERVICE_STATUSW,
    EnumDependentServicesW, EnumServicesStatusExW, OpenSCManagerW, SC_ENUM_PROCESS_INFO, SC_HANDLE, SC_MANAGER_CONNECT,
    SC_MANAGER_ENUMERATE_SERVICE, SERVICE_ACTIVE, SERVICE_NO_CHANGE, SERVICE_STATE_ALL, SERVICE_STOPPED, SERVICE_WIN32,
};

/// A service in the service manager's list.
pub(in crate::platform::windows) struct Listed {
    pub(in crate::platform::windows) name: String,
    pub(in crate::platform::windows) display_name: String,
    /// False only for a stopped service: one that is starting or stopping is still running.
    pub(in crate::platform::windows) runs: bool,
}

struct Manager(SC_HANDLE);

impl Drop for Manager {
    fn drop(&mut self) {
        // SAFETY: the handle is open and closed once.
        unsafe { CloseServiceHandle(self.0) };
    }
}

/// Copies a terminated text.
///
/// # Safety
/// `text` must be null, or point to units with a terminator among them.
unsafe fn copied(text: *const u16) -> String {
    let mut units = Vec::new();
    // SAFETY: every unit up to the terminator may be read, says the caller.
    unsafe {
        let mut at = text;
        while !at.is_null() && *at != 0 {
            units.push(*at);
            at = at.add(1);
        }
    }
    String::from_utf16_lossy(&units)
}

/// All services, without drivers.
pub(in crate::platform::windows) fn all() -> io::Result<Vec<Listed>> {
    // SAFETY: this machine's manager, with the rights that are named.
    let manager =
        unsafe { OpenSCManagerW(ptr::null(), ptr::null(), SC_MANAGER_CONNECT | SC_MANAGER_ENUMERATE_SERVICE) };
    check(i32::from(!manager.is_null()))?;
    let manager = Manager(manager);
    let mut all = Vec::new();
    let mut resume = 0;
    // The largest buffer that the call takes, aligned as its structures need it.
    let mut buffer = vec![0_u64; 32 * 1024];
    loop {
        let size = u32::try_from(buffer.len() * 8).unwrap_or_default();
        let (mut needed, mut count) = (0, 0);
        // SAFETY: the buffer has the size that is given and the alignment that is needed; the texts lie in it.
        unsafe {
            let done = EnumServicesStatusExW(
                manager.0,
                SC_ENUM_PROCESS_INFO,
                SERVICE_WIN32,
                SERVICE_STATE_ALL,
                buffer.as_mut_ptr().cast(),
                size,
                &mut needed,
                &mut count,
                &mut resume,
                ptr::null(),
            );
            let error = io::Error::last_os_error();
            let more = done == 0 && error.raw_os_error() == Some(ERROR_MORE_DATA.cast_signed());
            if done == 0 && !more {
                return Err(error);
            }
            let first = buffer.as_ptr().cast::<ENUM_SERVICE_STATUS_PROCESSW>();
            for index in 0..count as usize {
                let found = &*first.add(index);
                all.push(Listed {
                    name: copied(found.lpServiceName),
                    display_name: copied(found.lpDisplayName),
                    runs: found.ServiceStatusProcess.dwCurrentState != SERVICE_STOPPED,
                });
            }
            if !more || count == 0 {
                return Ok(all);
            }
        }
    }
}

/// The running services that depend on this one, in the order in which they must be stopped.
pub(in crate::platform::windows) fn running_dependents(service: &Service) -> io::Result<Vec<String>> {
    let mut buffer = vec![0_u64; 32 * 1024];
    let size = u32::try_from(buffer.len() * 8).unwrap_or_default();
    let (mut needed, mut count) = (0, 0);
    // SAFETY: the buffer has the size that is given and the alignment that is needed; the texts lie in it.
    unsafe {
        let into = buffer.as_mut_ptr().cast::<ENUM_SERVICE_STATUSW>();
        check(EnumDependentServicesW(service.raw_handle(), SERVICE_ACTIVE, into, size, &mut needed, &mut count))?;
        Ok((0..count as usize).map(|index| copied((*into.add(index)).lpServiceName)).collect())
    }
}

/// Sets only the start type of a service.
pub(in crate::platform::windows) fn set_start(service: &Service, start: u32) -> io::Result<()> {
    let (same, none) = (SERVICE_NO_CHANGE, ptr::null());
    // SAFETY: the handle is open; a null means that nothing is changed.
    check(unsafe {
        ChangeServiceConfigW(
            service.raw_handle(),
            same,
            start,
            same,
            none,
            none,
            ptr::null_mut(),
            none,
            none,
            none,
            none,
        )
    })
}
