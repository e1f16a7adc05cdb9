//! Windows itself: its version, this process and its console.
#![allow(unsafe_code, reason = "calls of the Windows API, each with the reason why it holds")]

use super::{check, narrow, wide};
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::time::Duration;
use windows_sys::Wdk::System::SystemServices::RtlGetVersion;
use windows_sys::Win32::Foundation::{HANDLE, LUID, LocalFree};
use windows_sys::Win32::Globalization::{CP_UTF8, GetOEMCP, MultiByteToWideChar};
use windows_sys::Win32::Security::Authorization::ConvertSidToStringSidW;
use windows_sys::Win32::Security::{
    AdjustTokenPrivileges, GetTokenInformation, LUID_AND_ATTRIBUTES, LookupAccountSidW, LookupPrivilegeValueW, PSID,
    SE_PRIVILEGE_ENABLED, TOKEN_ADJUST_PRIVILEGES, TOKEN_ELEVATION, TOKEN_PRIVILEGES, TOKEN_QUERY, TOKEN_USER,
    TokenElevation, TokenUser,
};
use windows_sys::Win32::Storage::FileSystem::GetDiskFreeSpaceExW;
use windows_sys::Win32::System::Console::{GetConsoleOutputCP, SetConsoleOutputCP};
use windows_sys::Win32::System::SystemInformation::{
    GetNativeSystemInfo, GetSystemWindowsDirectoryW, GetTickCount64, OSVERSIONINFOW, PROCESSOR_ARCHITECTURE_INTEL,
    SYSTEM_INFO,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};
use windows_sys::Win32::System::Time::{GetTimeZoneInformation, TIME_ZONE_INFORMATION};

/// Major and minor version and build, independent of the manifest.
pub(in crate::platform::windows) fn version() -> (u32, u32, u32) {
    let size = u32::try_from(size_of::<OSVERSIONINFOW>()).unwrap_or_default();
    let mut info = OSVERSIONINFOW { dwOSVersionInfoSize: size, ..OSVERSIONINFOW::default() };
    // SAFETY: the structure says how large it is, and lives for the call.
    unsafe { RtlGetVersion(&mut info) };
    (info.dwMajorVersion, info.dwMinorVersion, info.dwBuildNumber)
}

/// Whether Windows is 32-bit, independent of this program.
pub(in crate::platform::windows) fn is_32bit() -> bool {
    let mut info = SYSTEM_INFO::default();
    // SAFETY: the structure lives for the call, which fills it whole.
    unsafe {
        GetNativeSystemInfo(&mut info);
        info.Anonymous.Anonymous.wProcessorArchitecture == PROCESSOR_ARCHITECTURE_INTEL
    }
}

/// How long Windows has been running.
pub(in crate::platform::windows) fn since_start() -> Duration {
    // SAFETY: the call only answers.
    Duration::from_millis(unsafe { GetTickCount64() })
}

/// The server's present UTC offset, in seconds east of UTC.
pub(in crate::platform::windows) fn utc_offset() -> Option<i32> {
    let mut zone = TIME_ZONE_INFORMATION::default();
    // SAFETY: the structure lives for the call, which fills it.
    let season = unsafe { GetTimeZoneInformation(&mut zone) };
    let minutes = match season {
        0 => zone.Bias,
        1 => zone.Bias.checked_add(zone.StandardBias)?,
        2 => zone.Bias.checked_add(zone.DaylightBias)?,
        _ => return None,
    };
    // Windows reports what must be added to local time to get UTC.
    minutes.checked_mul(-60)
}

/// The folder of Windows, such as `C:\Windows`, independent of the environment.
pub(in crate::platform::windows) fn windows_folder() -> String {
    let mut buffer = [0; 260];
    // SAFETY: the buffer has the length that is given.
    unsafe { GetSystemWindowsDirectoryW(buffer.as_mut_ptr(), 260) };
    narrow(&buffer)
}

fn own_token(access: u32) -> io::Result<OwnedHandle> {
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: the handle is written by the call and then owned by nobody else.
    unsafe {
        check(OpenProcessToken(GetCurrentProcess(), access, &mut token))?;
        Ok(OwnedHandle::from_raw_handle(token))
    }
}

/// Whether this process is elevated.
pub(in crate::platform::windows) fn is_elevated() -> io::Result<bool> {
    let token = own_token(TOKEN_QUERY)?;
    let mut elevation = TOKEN_ELEVATION::default();
    let size = u32::try_from(size_of::<TOKEN_ELEVATION>()).unwrap_or_default();
    let mut written = 0;
    // SAFETY: the buffer is a structure of the class that is asked for, with its size.
    unsafe {
        let buffer = (&raw mut elevation).cast();
        check(GetTokenInformation(token.as_raw_handle(), TokenElevation, buffer, size, &mut written))?;
    }
    Ok(elevation.TokenIsElevated != 0)
}

/// The SID of the account that this process runs as.
pub(in crate::platform::windows) fn own_sid() -> io::Result<String> {
    // SAFETY: the SID lives for the call; the text is freed as the call that made it wants it.
    with_own_sid(|sid| unsafe {
        let mut text = ptr::null_mut();
        check(ConvertSidToStringSidW(sid, &mut text))?;
        Ok(take_text(text))
    })
}

/// The name of the account that this process runs as, with its domain.
pub(in crate::platform::windows) fn own_account() -> io::Result<String> {
    // Names of accounts have at most 256 characters, those of domains 255.
    let (mut name, mut domain) = ([0; 257], [0; 257]);
    let (mut name_length, mut domain_length, mut kind) = (257, 257, 0);
    // SAFETY: the SID lives for the call; both buffers have the lengths that are given.
    with_own_sid(|sid| unsafe {
        let (name, domain) = (name.as_mut_ptr(), domain.as_mut_ptr());
        check(LookupAccountSidW(ptr::null(), sid, name, &mut name_length, domain, &mut domain_length, &mut kind))
    })?;
    Ok(format!("{}\\{}", narrow(&domain), narrow(&name)))
}

/// Passes the SID of this process's account to a function. It is valid for the call.
fn with_own_sid<T>(hand: impl FnOnce(PSID) -> io::Result<T>) -> io::Result<T> {
    let token = own_token(TOKEN_QUERY)?;
    // Aligned as the structure at its beginning needs it.
    let mut buffer = [0_u64; 32];
    let mut written = 0;
    // SAFETY: the buffer is large enough for the structure and the longest SID behind it, and is aligned.
    unsafe {
        let size = u32::try_from(size_of_val(&buffer)).unwrap_or_default();
        check(GetTokenInformation(token.as_raw_handle(), TokenUser, buffer.as_mut_ptr().cast(), size, &mut written))?;
        let user = &*buffer.as_ptr().cast::<TOKEN_USER>();
        hand(user.User.Sid)
    }
}

/// Copies a text that Windows has allocated, and frees it.
///
/// # Safety
/// `text` must be terminated and have been allocated with `LocalAlloc`; it is not valid afterwards.
pub(super) unsafe fn take_text(text: *mut u16) -> String {
    let mut units = Vec::new();
    // SAFETY: every unit up to the terminator belongs to the text, says the caller.
    unsafe {
        let mut at = text;
        while *at != 0 {
            units.push(*at);
            at = at.add(1);
        }
        LocalFree(text.cast());
    }
    String::from_utf16_lossy(&units)
}

/// Enables the privileges to read and restore files regardless of access rights. Most works without them, so a failure
/// is ignored.
pub(in crate::platform::windows) fn enable_backup_privileges() {
    for name in ["SeBackupPrivilege", "SeRestorePrivilege"] {
        let _ = enable(name);
    }
}

fn enable(privilege: &str) -> io::Result<()> {
    let token = own_token(TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY)?;
    let mut luid = LUID::default();
    // SAFETY: the name is terminated; the structures live for the calls.
    unsafe {
        check(LookupPrivilegeValueW(ptr::null(), wide(privilege).as_ptr(), &mut luid))?;
        let one = LUID_AND_ATTRIBUTES { Luid: luid, Attributes: SE_PRIVILEGE_ENABLED };
        let wanted = TOKEN_PRIVILEGES { PrivilegeCount: 1, Privileges: [one] };
        check(AdjustTokenPrivileges(token.as_raw_handle(), 0, &wanted, 0, ptr::null_mut(), ptr::null_mut()))
    }
}

/// The free bytes on a drive that are available to this process.
pub(in crate::platform::windows) fn free_space(drive: char) -> io::Result<u64> {
    let mut free = 0;
    // SAFETY: the path is terminated; only the number that is asked for is written.
    unsafe {
        let root = wide(&format!("{drive}:\\"));
        check(GetDiskFreeSpaceExW(root.as_ptr(), &mut free, ptr::null_mut(), ptr::null_mut()))?;
    }
    Ok(free)
}

/// Sets the console to UTF-8 while this exists, also for child processes, and restores it afterwards.
pub(in crate::platform::windows) struct Utf8Console {
    before: u32,
}

impl Utf8Console {
    /// Sets the console to UTF-8.
    pub(in crate::platform::windows) fn begin() -> Self {
        // SAFETY: a number is handed over. Where there is no console both fail, and nothing is lost.
        unsafe {
            let before = GetConsoleOutputCP();
            SetConsoleOutputCP(CP_UTF8);
            Self { before }
        }
    }
}

impl Drop for Utf8Console {
    fn drop(&mut self) {
        if self.before != 0 {
            // SAFETY: a number is handed over.
            unsafe { SetConsoleOutputCP(self.before) };
        }
    }
}

/// Decodes text in the OEM code page.
pub(in crate::platform::windows) fn from_console_code_page(bytes: &[u8]) -> String {
    let Ok(length) = i32::try_from(bytes.len()) else { return String::new() };
    // A byte becomes one UTF-16 unit at most.
    let mut units = vec![0; bytes.len()];
    // SAFETY: both buffers have the lengths that are given.
    let written = unsafe { MultiByteToWideChar(GetOEMCP(), 0, bytes.as_ptr(), length, units.as_mut_ptr(), length) };
    String::from_utf16_lossy(units.get(..usize::try_from(written).unwrap_or_default()).unwrap_or_default())
}
