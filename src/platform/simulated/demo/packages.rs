//! The packages of the demo machines: small, and made up of what is publicly known of the real ones.

use crate::package::{BuildError, PackageBuilder, Registry, RegistryRoot, Service, ServiceStart};
use std::sync::OnceLock;

/// Version of the agent and the web parts that a demo machine begins with.
const OLD: &str = "5.2.5";
/// The last line of versions that brought the mobile app's web service along.
const NEW: &str = "7.3.0.3";

const PHONEFACTOR: &str = r"SOFTWARE\Wow6432Node\Positive Networks\PhoneFactor";

/// All packages of the demo, built.
pub(super) struct Packages {
    pub(super) agent: Vec<u8>,
    pub(super) old_sdk: Vec<u8>,
    pub(super) old_portal: Vec<u8>,
    pub(super) old_mobile: Vec<u8>,
    pub(super) server: Vec<u8>,
    /// The web packages that come along with the server: name and content.
    pub(super) web: Vec<(String, Vec<u8>)>,
}

/// The simulated setup of the server.
pub(super) const SETUP: &str = include_str!("new/setup.toml");

/// The text files of Windows programs have a carriage return in every line, and many a byte order mark.
pub(super) fn windows_text(text: &str) -> Vec<u8> {
    format!("\u{feff}{}", text.replace('\n', "\r\n")).into_bytes()
}

/// Something that looks like a picture from afar, different for every seed.
pub(super) fn picture(seed: u8) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.extend(noise(seed, 256));
    bytes
}

/// The same bytes every time.
pub(super) fn noise(seed: u8, len: usize) -> Vec<u8> {
    let mut state = u32::from(seed) | 1;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// Builds all packages, once for the whole process.
pub(super) fn packages() -> Result<&'static Packages, BuildError> {
    static BUILT: OnceLock<Packages> = OnceLock::new();
    if let Some(built) = BUILT.get() {
        return Ok(built);
    }
    let mut web = Vec::new();
    let parts = [("UserPortal", new_portal()), ("MobileAppWebService", new_mobile()), ("WebServiceSdk", new_sdk())];
    for (part, package) in parts {
        web.push((format!("MultiFactorAuthentication{part}Setup64.msi"), package.build()?));
    }
    let built = Packages {
        agent: agent().build()?,
        old_sdk: old_sdk().build()?,
        old_portal: old_portal().build()?,
        old_mobile: old_mobile().build()?,
        server: server(&web).build()?,
        web,
    };
    Ok(BUILT.get_or_init(|| built))
}

fn old(name: &str) -> PackageBuilder {
    PackageBuilder::new("demo", name, OLD).manufacturer("PhoneFactor, Inc.")
}

fn new(name: &str) -> PackageBuilder {
    PackageBuilder::new("demo", name, NEW).manufacturer("Microsoft Corporation")
}

fn install_path() -> Registry {
    Registry {
        root: RegistryRoot::LocalMachine,
        key: PHONEFACTOR.to_owned(),
        name: Some("InstallPath".to_owned()),
        value: "[TARGETDIR]".to_owned(),
        permanent: true,
    }
}

fn service(name: &str, display_name: &str, file: &str) -> Service {
    Service {
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        start: ServiceStart::Auto,
        account: None,
        file: file.to_owned(),
        start_on_install: true,
    }
}

fn agent() -> PackageBuilder {
    old("PhoneFactor Agent")
        .program_folder("PhoneFactor")
        .versioned_file("pfsvc.exe", OLD, include_str!("old/service.toml"))
        .versioned_file("PhoneFactorAgent.exe", OLD, include_str!("old/console.toml"))
        .file("license.txt", "Simulated: the licence of the agent.\r\n")
        .file(r"Resources\greeting.wav", noise(3, 400))
        .registry(install_path())
        .service(service("PFSvc", "PhoneFactor", "pfsvc.exe"))
}

fn server(web: &[(String, Vec<u8>)]) -> PackageBuilder {
    let server = new("Multi-Factor Authentication Server")
        .program_folder("Multi-Factor Authentication Server")
        .versioned_file("MultiFactorAuthSvc.exe", NEW, include_str!("new/service.toml"))
        .versioned_file("MultiFactorAuthAdSync.exe", NEW, include_str!("new/adsync.toml"))
        .versioned_file("MultiFactorAuthUI.exe", NEW, include_str!("new/console.toml"))
        .file("license.rtf", r"{\rtf1 Simulated: the licence of the server.}")
        .registry(install_path())
        .service(service("MultiFactorAuth", "Multi-Factor Authentication Service", "MultiFactorAuthSvc.exe"))
        .service(service("MultiFactorAuthAdSync", "Multi-Factor Authentication AdSync", "MultiFactorAuthAdSync.exe"));
    web.iter().fold(server, |server, (name, package)| server.versioned_file(name, NEW, package.clone()))
}

const NEEDS_METABASE: (&str, &str) =
    ("METABASE OR Installed", "[ProductName] needs the IIS 6 Metabase Compatibility role service of IIS.");

fn old_web(name: &str, directory: &str) -> PackageBuilder {
    let (condition, message) = NEEDS_METABASE;
    old(name).web_setup(directory, "DefaultAppPool").launch_condition(condition, message)
}

fn new_web(name: &str, directory: &str) -> PackageBuilder {
    let (condition, message) = NEEDS_METABASE;
    new(name)
        .web_setup(directory, "DefaultAppPool")
        .launch_condition(condition, message)
        .launch_condition(
            "(VCRUNTIME_X86 AND VCRUNTIME_X64) OR Installed",
            "[ProductName] needs the Visual C++ 2015 Update 1 redistributables, x86 and x64.",
        )
        .launch_condition("NETFRAMEWORK40FULL OR Installed", "[ProductName] needs the .NET Framework 4.")
}

fn old_sdk() -> PackageBuilder {
    old_web("PhoneFactor Web Service SDK", "PhoneFactorWebServiceSdk")
        .file("web.config", windows_text(include_str!("old/sdk.config")))
        .file("PfWsSdk.asmx", "<%@ WebService Language=\"C#\" Class=\"pfwssdk.PfWsSdk\" %>\r\n")
        .versioned_file(r"bin\pfwssdk.dll", OLD, noise(11, 900))
}

fn new_sdk() -> PackageBuilder {
    new_web("Multi-Factor Authentication Web Service SDK", "MultiFactorAuthWebServiceSdk")
        .file("web.config", windows_text(include_str!("new/sdk.config")))
        .file("PfWsSdk.asmx", "<%@ WebService Language=\"C#\" Class=\"pfwssdk.PfWsSdk\" %>\r\n")
        .versioned_file(r"bin\pfwssdk.dll", NEW, noise(13, 1000))
}

fn old_portal() -> PackageBuilder {
    old_web("PhoneFactor User Portal", "PhoneFactor")
        .file("web.config", windows_text(include_str!("old/portal.config")))
        .file("login.aspx", windows_text(include_str!("old/login.aspx")))
        .file("error.aspx", "<html><body>Simulated: something went wrong.</body></html>\r\n")
        .file(r"App_Themes\Default\Default.css", "/* Simulated */ body { color: #333 }\r\n")
        .file(r"App_Themes\Default\images\logo.png", picture(17))
        .versioned_file(r"bin\pfup.dll", OLD, noise(19, 1200))
}

fn new_portal() -> PackageBuilder {
    new_web("Multi-Factor Authentication User Portal", "MultiFactorAuth")
        .file("web.config", windows_text(include_str!("new/portal.config")))
        .file("login.aspx", windows_text(include_str!("new/login.aspx")))
        .file("error.aspx", "<html><body>Simulated: something went wrong.</body></html>\r\n")
        .file(r"App_Themes\Default\Default.css", "/* Simulated */ body { color: #222; font-family: Segoe UI }\r\n")
        .file(r"App_Themes\Default\images\logo.png", picture(23))
        .file(r"App_Themes\HighContrast\HighContrast.css", "/* Simulated */ body { color: #fff; background: #000 }\r\n")
        .versioned_file(r"bin\pfup.dll", NEW, noise(29, 1300))
}

fn old_mobile() -> PackageBuilder {
    old_web("PhoneFactor Mobile App Web Service", "PhoneFactorPhoneAppWebService")
        .file("web.config", windows_text(include_str!("old/mobile.config")))
        .file("PfPaWs.asmx", "<%@ WebService Language=\"C#\" Class=\"pfpaws.PfPaWs\" %>\r\n")
        .versioned_file(r"bin\pfpaws.dll", OLD, noise(31, 700))
}

fn new_mobile() -> PackageBuilder {
    new_web("Multi-Factor Authentication Mobile App Web Service", "MultiFactorAuthMobileAppWebService")
        .file("web.config", windows_text(include_str!("new/mobile.config")))
        .file("PfPaWs.asmx", "<%@ WebService Language=\"C#\" Class=\"pfpaws.PfPaWs\" %>\r\n")
        .versioned_file(r"bin\pfpaws.dll", NEW, noise(37, 800))
}
