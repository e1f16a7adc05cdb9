//! Files: their real names, attributes, durable renames, and the programs that use them.
#![allow(unsafe_code, reason = "calls of the Windows API, each with the reason why it holds")]

use super::{check, check_code, narrow, wide};
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use windows_sys::Win32::Foundation::{ERROR_MORE_DATA, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    FindClose, FindFirstFileW, MOVEFILE_REPLACE_EXISTING, MOVEFILE_WRITE_THROUGH, MoveFileExW, SetFileAttributesW,
    WIN32_FIND_DATAW,
};
use windows_sys::Win32::System::RestartManager::{
    CCH_RM_SESSION_KEY, RM_PROCESS_INFO, RmEndSession, RmGetList, RmRegisterResources, RmStartSession,
};

fn wide_path(path: &Path) -> Vec<u16> {
    path.as_os_str().encode_wide().chain([0]).collect()
}

/// The name of a file or folder in its case on disk.
pub(in crate::platform::windows) fn real_name(path: &Path) -> io::Result<String> {
    let mut found = WIN32_FIND_DATAW::default();
    // SAFETY: the path is terminated and holds no pattern, since no name does; the handle is closed once.
    unsafe {
        let handle = FindFirstFileW(wide_path(path).as_ptr(), &mut found);
        if handle == INVALID_HANDLE_VALUE {
            return Err(io::Error::last_os_error());
        }
        FindClose(handle);
    }
    Ok(narrow(&found.cFileName))
}

/// Renames a file or folder durably, replacing an existing file.
pub(in crate::platform::windows) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (wide_path(from), wide_path(to));
    // SAFETY: both paths are terminated.
    check(unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) })
}

/// Sets the attributes of a file or folder: read-only, hidden and the like.
pub(in crate::platform::windows) fn set_attributes(path: &Path, attributes: u32) -> io::Result<()> {
    // SAFETY: the path is terminated.
    check(unsafe { SetFileAttributesW(wide_path(path).as_ptr(), attributes) })
}

/// The programs that have a file open, with their PIDs, from the Restart Manager.
pub(in crate::platform::windows) fn holders(path: &str) -> io::Result<Vec<(String, u32)>> {
    let mut session = 0;
    let mut key = [0; CCH_RM_SESSION_KEY as usize + 1];
    // SAFETY: the key has the length that the call wants.
    check_code(unsafe { RmStartSession(&mut session, 0, key.as_mut_ptr()) })?;
    let found = list(session, path);
    // SAFETY: the session was started above and is ended once.
    unsafe { RmEndSession(session) };
    found
}

fn list(session: u32, path: &str) -> io::Result<Vec<(String, u32)>> {
    let path = wide(path);
    let paths = [path.as_ptr()];
    // SAFETY: one path, which is terminated and outlives the call.
    check_code(unsafe { RmRegisterResources(session, 1, paths.as_ptr(), 0, ptr::null(), 0, ptr::null()) })?;
    let mut found = vec![RM_PROCESS_INFO::default(); 16];
    let (mut needed, mut reasons) = (0, 0);
    let mut count = u32::try_from(found.len()).unwrap_or_default();
    // SAFETY: the buffer has as many places as is said.
    let code = unsafe { RmGetList(session, &mut needed, &mut count, found.as_mut_ptr(), &mut reasons) };
    if code != ERROR_MORE_DATA {
        check_code(code)?;
    }
    let found = found.iter().take(usize::try_from(count).unwrap_or_default());
    Ok(found.map(|process| (narrow(&process.strAppName), process.Process.dwProcessId)).collect())
}
