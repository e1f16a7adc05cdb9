//! Signatures and version resources.
#![allow(unsafe_code, reason = "calls of the Windows API, each with the reason why it holds")]

use super::{narrow, wide};
use std::ptr;
use windows_sys::Win32::Security::Cryptography::{CERT_NAME_ATTR_TYPE, CertGetNameStringW};
use windows_sys::Win32::Security::WinTrust::{
    WINTRUST_ACTION_GENERIC_VERIFY_V2, WINTRUST_DATA, WINTRUST_DATA_0, WINTRUST_FILE_INFO,
    WTD_CACHE_ONLY_URL_RETRIEVAL, WTD_CHOICE_FILE, WTD_REVOCATION_CHECK_NONE, WTD_REVOKE_NONE, WTD_STATEACTION_CLOSE,
    WTD_STATEACTION_VERIFY, WTD_UI_NONE, WTHelperGetProvCertFromChain, WTHelperGetProvSignerFromChain,
    WTHelperProvDataFromStateData, WinVerifyTrust,
};
use windows_sys::Win32::Storage::FileSystem::{
    GetFileVersionInfoSizeW, GetFileVersionInfoW, VS_FIXEDFILEINFO, VerQueryValueW,
};

/// The attribute of a certificate's subject that is its common name, as a byte string.
const COMMON_NAME: &[u8] = b"2.5.4.3\0";

fn size_of_u32<T>() -> u32 {
    u32::try_from(size_of::<T>()).unwrap_or_default()
}

/// The common name of a file's signer, if the signature is valid and leads to a trusted root. The network is not used,
/// so a revoked certificate is not detected.
pub(in crate::platform::windows) fn signer(path: &str) -> Option<String> {
    let path = wide(path);
    let mut file = WINTRUST_FILE_INFO {
        cbStruct: size_of_u32::<WINTRUST_FILE_INFO>(),
        pcwszFilePath: path.as_ptr(),
        ..WINTRUST_FILE_INFO::default()
    };
    let mut data = WINTRUST_DATA {
        cbStruct: size_of_u32::<WINTRUST_DATA>(),
        dwUIChoice: WTD_UI_NONE,
        fdwRevocationChecks: WTD_REVOKE_NONE,
        dwUnionChoice: WTD_CHOICE_FILE,
        Anonymous: WINTRUST_DATA_0 { pFile: &mut file },
        dwStateAction: WTD_STATEACTION_VERIFY,
        dwProvFlags: WTD_REVOCATION_CHECK_NONE | WTD_CACHE_ONLY_URL_RETRIEVAL,
        ..WINTRUST_DATA::default()
    };
    let mut action = WINTRUST_ACTION_GENERIC_VERIFY_V2;
    // SAFETY: all structures say their size and outlive both calls; what the first one allocates is freed by the second.
    unsafe {
        let verified = WinVerifyTrust(ptr::null_mut(), &mut action, (&raw mut data).cast());
        let signer = if verified == 0 { signer_of(&data) } else { None };
        data.dwStateAction = WTD_STATEACTION_CLOSE;
        WinVerifyTrust(ptr::null_mut(), &mut action, (&raw mut data).cast());
        signer
    }
}

/// The name in the certificate of a verification.
///
/// # Safety
/// The state of `data` must be that of a verification that has succeeded and is not closed yet.
unsafe fn signer_of(data: &WINTRUST_DATA) -> Option<String> {
    let mut name = [0; 256];
    // SAFETY: each pointer is checked before it is followed, and lives as long as the state does.
    unsafe {
        let provider = WTHelperProvDataFromStateData(data.hWVTStateData);
        let signer = (!provider.is_null()).then(|| WTHelperGetProvSignerFromChain(provider, 0, 0, 0))?;
        let certificate = (!signer.is_null()).then(|| WTHelperGetProvCertFromChain(signer, 0))?;
        let context = (!certificate.is_null()).then(|| (*certificate).pCert).filter(|context| !context.is_null())?;
        let kind = COMMON_NAME.as_ptr().cast();
        CertGetNameStringW(context, CERT_NAME_ATTR_TYPE, 0, kind, name.as_mut_ptr(), 256);
    }
    Some(narrow(&name)).filter(|name| !name.is_empty())
}

/// Product name and version in a program's version resource.
pub(in crate::platform::windows) fn version(path: &str) -> Option<(String, String)> {
    let path = wide(path);
    // SAFETY: the path is terminated; the block has the size that is given.
    let block = unsafe {
        let size = GetFileVersionInfoSizeW(path.as_ptr(), ptr::null_mut());
        let mut block = vec![0_u8; usize::try_from(size).ok().filter(|size| *size > 0)?];
        (GetFileVersionInfoW(path.as_ptr(), 0, size, block.as_mut_ptr().cast()) != 0).then_some(block)?
    };
    let number = query(&block, "\\").and_then(|(at, length)| {
        // SAFETY: the resource says how long the part is; it is copied, since nothing is known of its alignment.
        (length as usize >= size_of::<VS_FIXEDFILEINFO>())
            .then(|| unsafe { ptr::read_unaligned(at.cast::<VS_FIXEDFILEINFO>()) })
    })?;
    let [major, minor, build, revision] = [
        number.dwProductVersionMS >> 16,
        number.dwProductVersionMS & 0xFFFF,
        number.dwProductVersionLS >> 16,
        number.dwProductVersionLS & 0xFFFF,
    ];
    let product =
        language(&block).and_then(|language| text(&block, &format!("\\StringFileInfo\\{language}\\ProductName")));
    Some((product.unwrap_or_default(), format!("{major}.{minor}.{build}.{revision}")))
}

fn query(block: &[u8], what: &str) -> Option<(*const u8, u32)> {
    let (mut at, mut length) = (ptr::null_mut(), 0);
    // SAFETY: the block was filled by Windows; the pointer that comes back points into it.
    let found = unsafe { VerQueryValueW(block.as_ptr().cast(), wide(what).as_ptr(), &mut at, &mut length) };
    (found != 0 && !at.is_null() && length > 0).then_some((at.cast_const().cast(), length))
}

/// The first language and code page of the texts, as eight digits.
fn language(block: &[u8]) -> Option<String> {
    let (at, length) = query(block, "\\VarFileInfo\\Translation")?;
    // SAFETY: two numbers of 16 bits are there, says the length.
    (length >= 4).then(|| unsafe {
        let at = at.cast::<u16>();
        format!("{:04x}{:04x}", ptr::read_unaligned(at), ptr::read_unaligned(at.add(1)))
    })
}

fn text(block: &[u8], what: &str) -> Option<String> {
    let (at, length) = query(block, what)?;
    // SAFETY: so many units are there, says the length, which counts units for texts.
    let units: Vec<u16> =
        (0..length as usize).map(|index| unsafe { ptr::read_unaligned(at.cast::<u16>().add(index)) }).collect();
    Some(narrow(&units))
}
