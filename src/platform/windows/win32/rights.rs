//! Access rights and owners of files and folders.
#![allow(unsafe_code, reason = "calls of the Windows API, each with the reason why it holds")]

use super::system::take_text;
use super::{check, check_code, wide};
use std::io;
use std::path::Path;
use std::ptr;
use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW, ConvertStringSecurityDescriptorToSecurityDescriptorW,
    GetNamedSecurityInfoW, SDDL_REVISION_1, SE_FILE_OBJECT, SetNamedSecurityInfoW,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GROUP_SECURITY_INFORMATION, GetSecurityDescriptorControl, GetSecurityDescriptorDacl,
    GetSecurityDescriptorGroup, GetSecurityDescriptorOwner, OWNER_SECURITY_INFORMATION,
    PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, SE_DACL_PROTECTED, SECURITY_ATTRIBUTES,
    UNPROTECTED_DACL_SECURITY_INFORMATION,
};
use windows_sys::Win32::Storage::FileSystem::CreateDirectoryW;

const WHAT: u32 = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;

/// A security descriptor that Windows has allocated.
struct Descriptor(PSECURITY_DESCRIPTOR);

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: it was allocated by one of the two calls below, which want it freed like this.
        unsafe { LocalFree(self.0) };
    }
}

impl Descriptor {
    fn read(sddl: &str) -> io::Result<Self> {
        let mut descriptor = ptr::null_mut();
        // SAFETY: the text is terminated; the descriptor is written by the call and owned by the result.
        unsafe {
            let text = wide(sddl);
            check(ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &mut descriptor,
                ptr::null_mut(),
            ))?;
        }
        Ok(Self(descriptor))
    }
}

fn path_of(path: &Path) -> Vec<u16> {
    use std::os::windows::ffi::OsStrExt;
    path.as_os_str().encode_wide().chain([0]).collect()
}

/// Owner, group and access rights of a file or folder, in the security descriptor language.
pub(in crate::platform::windows) fn rights(path: &Path) -> io::Result<String> {
    let mut descriptor = ptr::null_mut();
    let mut text = ptr::null_mut();
    let none = ptr::null_mut;
    // SAFETY: the path is terminated; the descriptor outlives the text that is made of it, and both are freed.
    unsafe {
        let path = path_of(path);
        let nothing = (none(), none(), ptr::null_mut(), ptr::null_mut());
        check_code(GetNamedSecurityInfoW(
            path.as_ptr(),
            SE_FILE_OBJECT,
            WHAT,
            nothing.0,
            nothing.1,
            nothing.2,
            nothing.3,
            &mut descriptor,
        ))?;
        let descriptor = Descriptor(descriptor);
        check(ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor.0,
            SDDL_REVISION_1,
            WHAT,
            &mut text,
            ptr::null_mut(),
        ))?;
        Ok(take_text(text))
    }
}

/// Sets the owner, group and access rights of a file or folder.
pub(in crate::platform::windows) fn set_rights(path: &Path, sddl: &str) -> io::Result<()> {
    let descriptor = Descriptor::read(sddl)?;
    let (mut owner, mut group, mut dacl) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    let (mut control, mut revision, mut present, mut defaulted) = (0, 0, 0, 0);
    // SAFETY: the parts point into the descriptor, which outlives them.
    unsafe {
        check(GetSecurityDescriptorOwner(descriptor.0, &mut owner, &mut defaulted))?;
        check(GetSecurityDescriptorGroup(descriptor.0, &mut group, &mut defaulted))?;
        check(GetSecurityDescriptorDacl(descriptor.0, &mut present, &mut dacl, &mut defaulted))?;
        check(GetSecurityDescriptorControl(descriptor.0, &mut control, &mut revision))?;
    }
    let inherits = match control & SE_DACL_PROTECTED {
        0 => UNPROTECTED_DACL_SECURITY_INFORMATION,
        _ => PROTECTED_DACL_SECURITY_INFORMATION,
    };
    let mut what = inherits;
    for (is_there, flag) in [
        (!owner.is_null(), OWNER_SECURITY_INFORMATION),
        (!group.is_null(), GROUP_SECURITY_INFORMATION),
        (present != 0, DACL_SECURITY_INFORMATION),
    ] {
        what |= if is_there { flag } else { 0 };
    }
    // SAFETY: as above; the path is terminated.
    check_code(unsafe {
        SetNamedSecurityInfoW(path_of(path).as_ptr(), SE_FILE_OBJECT, what, owner, group, dacl, ptr::null())
    })
}

/// Creates a folder with its access rights, atomically.
pub(in crate::platform::windows) fn create_folder(path: &Path, sddl: &str) -> io::Result<()> {
    let descriptor = Descriptor::read(sddl)?;
    let attributes = SECURITY_ATTRIBUTES {
        nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap_or_default(),
        lpSecurityDescriptor: descriptor.0,
        bInheritHandle: 0,
    };
    // SAFETY: the path is terminated; the descriptor outlives the call.
    check(unsafe { CreateDirectoryW(path_of(path).as_ptr(), &attributes) })
}
