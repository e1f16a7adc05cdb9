//! The packages of the demo machines: small, and based on what is publicly known about the real ones.
//!
//! `tests/suite/demo_packages.rs` defines them, and builds the cabinets that contain them here.

use crate::platform::facts::Bits;
use std::io::{self, Cursor, Read};
use std::sync::OnceLock;

/// The product's key for native programs: on 64-bit Windows it is that of a 32-bit program.
pub(super) fn phonefactor(bits: Bits) -> &'static str {
    match bits {
        Bits::X64 => r"SOFTWARE\Wow6432Node\Positive Networks\PhoneFactor",
        Bits::X86 => r"SOFTWARE\Positive Networks\PhoneFactor",
    }
}

/// All packages of the demo.
pub(super) struct Packages {
    pub(super) agent: Vec<u8>,
    pub(super) old_sdk: Vec<u8>,
    pub(super) old_portal: Vec<u8>,
    pub(super) old_mobile: Vec<u8>,
    pub(super) server: Vec<u8>,
    /// The web packages included with the server: name and content.
    pub(super) web: Vec<(String, Vec<u8>)>,
}

/// The simulated MFA Server setup.
pub(super) fn setup(bits: Bits) -> String {
    include_str!("new/setup.toml").replace(phonefactor(Bits::X64), phonefactor(bits))
}

/// Unpacks all packages for a Windows, once per process.
pub(super) fn packages(bits: Bits) -> io::Result<&'static Packages> {
    static UNPACKED: [OnceLock<Packages>; 2] = [const { OnceLock::new() }; 2];
    let (unpacked, cabinet): (_, &[u8]) = match bits {
        Bits::X86 => (&UNPACKED[0], include_bytes!("packages-32.cab")),
        Bits::X64 => (&UNPACKED[1], include_bytes!("packages-64.cab")),
    };
    if let Some(unpacked) = unpacked.get() {
        return Ok(unpacked);
    }
    let mut cabinet = cab::Cabinet::new(Cursor::new(cabinet))?;
    let mut package = |name: &str| {
        let mut content = Vec::new();
        cabinet.read_file(name)?.read_to_end(&mut content)?;
        io::Result::Ok(content)
    };
    let mut web = Vec::new();
    for part in ["UserPortal", "MobileAppWebService", "WebServiceSdk"] {
        let name = format!("MultiFactorAuthentication{part}Setup{}.msi", bits.number());
        let content = package(&name)?;
        web.push((name, content));
    }
    let packages = Packages {
        agent: package("agent.msi")?,
        old_sdk: package("old-sdk.msi")?,
        old_portal: package("old-portal.msi")?,
        old_mobile: package("old-mobile.msi")?,
        server: package("server.msi")?,
        web,
    };
    Ok(unpacked.get_or_init(|| packages))
}
