//! The packages of the demo machines: small, and made up of what is publicly known of the real ones.

use crate::package::{Architecture, BuildError, PackageBuilder, Registry, RegistryRoot, Service, ServiceStart};
use crate::platform::facts::Bits;
use std::sync::OnceLock;

/// Version of the agent and the web parts that a demo machine begins with.
const OLD: &str = "5.2.5";
/// The last line of versions that brought the mobile app's web service along.
const NEW: &str = "7.3.0.3";

/// The key of the product as native programs see it: on 64-bit Windows it is that of a 32-bit program.
pub(super) fn phonefactor(bits: Bits) -> &'static str {
    match bits {
        Bits::X64 => r"SOFTWARE\Wow6432Node\Positive Networks\PhoneFactor",
        Bits::X86 => r"SOFTWARE\Positive Networks\PhoneFactor",
    }
}

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
pub(super) fn setup(bits: Bits) -> String {
    include_str!("new/setup.toml").replace(phonefactor(Bits::X64), phonefactor(bits))
}

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

/// Builds all packages for a Windows, once for the whole process.
pub(super) fn packages(bits: Bits) -> Result<&'static Packages, BuildError> {
    static BUILT: [OnceLock<Packages>; 2] = [const { OnceLock::new() }; 2];
    let built = match bits {
        Bits::X86 => &BUILT[0],
        Bits::X64 => &BUILT[1],
    };
    if let Some(built) = built.get() {
        return Ok(built);
    }
    let packages = Builder { bits }.packages()?;
    Ok(built.get_or_init(|| packages))
}

/// Builds the packages for one kind of Windows.
#[derive(Clone, Copy)]
struct Builder {
    bits: Bits,
}

const NEEDS_METABASE: (&str, &str) =
    ("METABASE OR Installed", "[ProductName] needs the IIS 6 Metabase Compatibility role service of IIS.");

impl Builder {
    fn packages(self) -> Result<Packages, BuildError> {
        let parts = [
            ("UserPortal", self.new_portal()),
            ("MobileAppWebService", self.new_mobile()),
            ("WebServiceSdk", self.new_sdk()),
        ];
        let mut web = Vec::new();
        for (part, package) in parts {
            web.push((format!("MultiFactorAuthentication{part}Setup{}.msi", self.bits.number()), package.build()?));
        }
        Ok(Packages {
            agent: self.agent().build()?,
            old_sdk: self.old_sdk().build()?,
            old_portal: self.old_portal().build()?,
            old_mobile: self.old_mobile().build()?,
            server: self.server(&web).build()?,
            web,
        })
    }

    fn package(self, name: &str, version: &str) -> PackageBuilder {
        PackageBuilder::new("demo", name, version).architecture(match self.bits {
            Bits::X86 => Architecture::X86,
            Bits::X64 => Architecture::X64,
        })
    }

    fn old_package(self, name: &str) -> PackageBuilder {
        self.package(name, OLD).manufacturer("PhoneFactor, Inc.")
    }

    fn new_package(self, name: &str) -> PackageBuilder {
        self.package(name, NEW).manufacturer("Microsoft Corporation")
    }

    fn install_path(self) -> Registry {
        Registry {
            root: RegistryRoot::LocalMachine,
            key: phonefactor(self.bits).to_owned(),
            name: Some("InstallPath".to_owned()),
            value: "[TARGETDIR]".to_owned(),
            permanent: true,
        }
    }

    fn agent(self) -> PackageBuilder {
        self.old_package("PhoneFactor Agent")
            .program_folder("PhoneFactor")
            .versioned_file("pfsvc.exe", OLD, include_str!("old/service.toml"))
            .versioned_file("PhoneFactorAgent.exe", OLD, include_str!("old/console.toml"))
            .file("license.txt", "Simulated: the licence of the agent.\r\n")
            .file(r"Resources\greeting.wav", noise(3, 400))
            .registry(self.install_path())
            .service(service("PFSvc", "PhoneFactor", "pfsvc.exe"))
    }

    fn server(self, web: &[(String, Vec<u8>)]) -> PackageBuilder {
        let server = self
            .new_package("Multi-Factor Authentication Server")
            .program_folder("Multi-Factor Authentication Server")
            .versioned_file("MultiFactorAuthSvc.exe", NEW, include_str!("new/service.toml"))
            .versioned_file("MultiFactorAuthAdSync.exe", NEW, include_str!("new/adsync.toml"))
            .versioned_file("MultiFactorAuthUI.exe", NEW, include_str!("new/console.toml"))
            .file("license.rtf", r"{\rtf1 Simulated: the licence of the server.}")
            .registry(self.install_path())
            .service(service("MultiFactorAuth", "Multi-Factor Authentication Service", "MultiFactorAuthSvc.exe"))
            .service(service(
                "MultiFactorAuthAdSync",
                "Multi-Factor Authentication AdSync",
                "MultiFactorAuthAdSync.exe",
            ));
        web.iter().fold(server, |server, (name, package)| server.versioned_file(name, NEW, package.clone()))
    }

    fn old_web(self, name: &str, directory: &str) -> PackageBuilder {
        let (condition, message) = NEEDS_METABASE;
        self.old_package(name).web_setup(directory, "DefaultAppPool").launch_condition(condition, message)
    }

    fn new_web(self, name: &str, directory: &str) -> PackageBuilder {
        let (condition, message) = NEEDS_METABASE;
        self.new_package(name)
            .web_setup(directory, "DefaultAppPool")
            .launch_condition(condition, message)
            .launch_condition(
                match self.bits {
                    Bits::X86 => "VCRUNTIME_X86 OR Installed",
                    Bits::X64 => "(VCRUNTIME_X86 AND VCRUNTIME_X64) OR Installed",
                },
                "[ProductName] needs the Visual C++ 2015 Update 1 redistributables, x86 and x64.",
            )
            .launch_condition("NETFRAMEWORK40FULL OR Installed", "[ProductName] needs the .NET Framework 4.")
    }

    fn old_sdk(self) -> PackageBuilder {
        self.old_web("PhoneFactor Web Service SDK", "PhoneFactorWebServiceSdk")
            .file("web.config", windows_text(include_str!("old/sdk.config")))
            .file("PfWsSdk.asmx", "<%@ WebService Language=\"C#\" Class=\"pfwssdk.PfWsSdk\" %>\r\n")
            .versioned_file(r"bin\pfwssdk.dll", OLD, noise(11, 900))
    }

    fn new_sdk(self) -> PackageBuilder {
        self.new_web("Multi-Factor Authentication Web Service SDK", "MultiFactorAuthWebServiceSdk")
            .file("web.config", windows_text(include_str!("new/sdk.config")))
            .file("PfWsSdk.asmx", "<%@ WebService Language=\"C#\" Class=\"pfwssdk.PfWsSdk\" %>\r\n")
            .versioned_file(r"bin\pfwssdk.dll", NEW, noise(13, 1000))
    }

    fn old_portal(self) -> PackageBuilder {
        self.old_web("PhoneFactor User Portal", "PhoneFactor")
            .file("web.config", windows_text(include_str!("old/portal.config")))
            .file("login.aspx", windows_text(include_str!("old/login.aspx")))
            .file("error.aspx", "<html><body>Simulated: something went wrong.</body></html>\r\n")
            .file(r"App_Themes\Default\Default.css", "/* Simulated */ body { color: #333 }\r\n")
            .file(r"App_Themes\Default\images\logo.png", picture(17))
            .versioned_file(r"bin\pfup.dll", OLD, noise(19, 1200))
    }

    fn new_portal(self) -> PackageBuilder {
        self.new_web("Multi-Factor Authentication User Portal", "MultiFactorAuth")
            .file("web.config", windows_text(include_str!("new/portal.config")))
            .file("login.aspx", windows_text(include_str!("new/login.aspx")))
            .file("error.aspx", "<html><body>Simulated: something went wrong.</body></html>\r\n")
            .file(r"App_Themes\Default\Default.css", "/* Simulated */ body { color: #222; font-family: Segoe UI }\r\n")
            .file(r"App_Themes\Default\images\logo.png", picture(23))
            .file(
                r"App_Themes\HighContrast\HighContrast.css",
                "/* Simulated */ body { color: #fff; background: #000 }\r\n",
            )
            .versioned_file(r"bin\pfup.dll", NEW, noise(29, 1300))
    }

    fn old_mobile(self) -> PackageBuilder {
        self.old_web("PhoneFactor Mobile App Web Service", "PhoneFactorPhoneAppWebService")
            .file("web.config", windows_text(include_str!("old/mobile.config")))
            .file("PfPaWs.asmx", "<%@ WebService Language=\"C#\" Class=\"pfpaws.PfPaWs\" %>\r\n")
            .versioned_file(r"bin\pfpaws.dll", OLD, noise(31, 700))
    }

    fn new_mobile(self) -> PackageBuilder {
        self.new_web("Multi-Factor Authentication Mobile App Web Service", "MultiFactorAuthMobileAppWebService")
            .file("web.config", windows_text(include_str!("new/mobile.config")))
            .file("PfPaWs.asmx", "<%@ WebService Language=\"C#\" Class=\"pfpaws.PfPaWs\" %>\r\n")
            .versioned_file(r"bin\pfpaws.dll", NEW, noise(37, 800))
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
