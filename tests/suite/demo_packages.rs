//! The packages of the demo machines: what they hold, and the cabinets with them that the program brings along.
//! `PFUPGRADE_WRITE=1 cargo test demo_packages::` makes those anew.

use crate::support::package_builder::{PackageBuilder, Registry, Service, cabinet};
use content::{noise, picture, windows_text};
use pfupgrade::package::{Architecture, RegistryRoot, ServiceStart};
use pfupgrade::platform::facts::Bits;
use std::env;
use std::fs;
use std::path::Path;

#[path = "../../src/platform/simulated/demo/content.rs"]
mod content;

macro_rules! demo {
    ($path:literal) => {
        include_str!(concat!("../../src/platform/simulated/demo/", $path))
    };
}

#[test]
fn the_program_brings_the_packages_along_as_they_are_described() {
    for bits in [Bits::X86, Bits::X64] {
        let packages = Builder { bits }.packages();
        let made = cabinet(packages.iter().map(|(name, content)| (name.clone(), content.as_slice()))).unwrap();
        let name = format!("src/platform/simulated/demo/packages-{}.cab", bits.number());
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(&name);
        if env::var_os("PFUPGRADE_WRITE").is_some() {
            fs::write(file, made).unwrap();
        } else {
            assert!(fs::read(file).unwrap() == made, "PFUPGRADE_WRITE=1 cargo test demo_packages:: makes {name} anew");
        }
    }
}

/// Version of the agent and the web parts that a demo machine begins with.
const OLD: &str = "5.2.5";
/// The last line of versions that brought the mobile app's web service along.
const NEW: &str = "7.3.0.3";

/// Builds the packages for one kind of Windows.
#[derive(Clone, Copy)]
struct Builder {
    bits: Bits,
}

const METABASE: (&str, &str) = (r"SOFTWARE\Microsoft\InetStp\Components", "Metabase");
const DOTNET: (&str, &str) = (r"SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full", "Install");
const RUNTIMES: &str = r"SOFTWARE\Microsoft\VisualStudio\14.0\VC\Runtimes";
const NEEDS_METABASE: (&str, &str) =
    ("METABASE OR Installed", "[ProductName] needs the IIS 6 Metabase Compatibility role service of IIS.");

impl Builder {
    /// Every package, with the name of its file.
    fn packages(self) -> Vec<(String, Vec<u8>)> {
        let parts = [
            ("UserPortal", self.new_portal()),
            ("MobileAppWebService", self.new_mobile()),
            ("WebServiceSdk", self.new_sdk()),
        ];
        let name = |part: &str| format!("MultiFactorAuthentication{part}Setup{}.msi", self.bits.number());
        let web = parts.map(|(part, package)| (name(part), package.build().unwrap()));
        let others = [
            ("server.msi", self.server(&web)),
            ("agent.msi", self.agent()),
            ("old-sdk.msi", self.old_sdk()),
            ("old-portal.msi", self.old_portal()),
            ("old-mobile.msi", self.old_mobile()),
        ];
        let others = others.map(|(name, package)| (name.to_owned(), package.build().unwrap()));
        web.into_iter().chain(others).collect()
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
        // On 64-bit Windows the key is that of a 32-bit program.
        let phonefactor = match self.bits {
            Bits::X64 => r"SOFTWARE\Wow6432Node\Positive Networks\PhoneFactor",
            Bits::X86 => r"SOFTWARE\Positive Networks\PhoneFactor",
        };
        Registry {
            root: RegistryRoot::LocalMachine,
            key: phonefactor.to_owned(),
            name: Some("InstallPath".to_owned()),
            value: "[TARGETDIR]".to_owned(),
            permanent: true,
        }
    }

    fn agent(self) -> PackageBuilder {
        self.old_package("PhoneFactor Agent")
            .program_folder("PhoneFactor")
            .versioned_file("pfsvc.exe", OLD, demo!("old/service.toml"))
            .versioned_file("PhoneFactorAgent.exe", OLD, demo!("old/console.toml"))
            .file("license.txt", "Simulated: the licence of the agent.\r\n")
            .file(r"Resources\greeting.wav", noise(3, 400))
            .registry(self.install_path())
            .service(service("PFSvc", "PhoneFactor", "pfsvc.exe"))
    }

    fn server(self, web: &[(String, Vec<u8>)]) -> PackageBuilder {
        let server = self
            .new_package("Multi-Factor Authentication Server")
            .program_folder("Multi-Factor Authentication Server")
            .versioned_file("MultiFactorAuthSvc.exe", NEW, demo!("new/service.toml"))
            .versioned_file("MultiFactorAuthAdSync.exe", NEW, demo!("new/adsync.toml"))
            .versioned_file("MultiFactorAuthUI.exe", NEW, demo!("new/console.toml"))
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
        let package = self.old_package(name).web_setup(directory, "DefaultAppPool");
        self.with_search(package, "METABASE", METABASE).launch_condition(condition, message)
    }

    /// Searched for in the view of the package's own kind.
    fn with_search(self, package: PackageBuilder, property: &str, (key, name): (&str, &str)) -> PackageBuilder {
        package.registry_search(property, key, name, self.bits == Bits::X64)
    }

    fn new_web(self, name: &str, directory: &str) -> PackageBuilder {
        let (condition, message) = NEEDS_METABASE;
        let package = self.new_package(name).web_setup(directory, "DefaultAppPool");
        let package = self.with_search(package, "METABASE", METABASE);
        // The runtimes' setups are 32-bit programs on every Windows.
        let package = [("VCRUNTIME_X86", "x86"), ("VCRUNTIME_X64", "x64")].into_iter().fold(
            self.with_search(package, "NETFRAMEWORK40FULL", DOTNET),
            |package, (property, processor)| {
                package.registry_search(property, &format!(r"{RUNTIMES}\{processor}"), "Installed", false)
            },
        );
        package
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
            .file("web.config", windows_text(demo!("old/sdk.config")))
            .file("PfWsSdk.asmx", "<%@ WebService Language=\"C#\" Class=\"pfwssdk.PfWsSdk\" %>\r\n")
            .versioned_file(r"bin\pfwssdk.dll", OLD, noise(11, 900))
    }

    fn new_sdk(self) -> PackageBuilder {
        self.new_web("Multi-Factor Authentication Web Service SDK", "MultiFactorAuthWebServiceSdk")
            .file("web.config", windows_text(demo!("new/sdk.config")))
            .file("PfWsSdk.asmx", "<%@ WebService Language=\"C#\" Class=\"pfwssdk.PfWsSdk\" %>\r\n")
            .versioned_file(r"bin\pfwssdk.dll", NEW, noise(13, 1000))
    }

    fn old_portal(self) -> PackageBuilder {
        self.old_web("PhoneFactor User Portal", "PhoneFactor")
            .file("web.config", windows_text(demo!("old/portal.config")))
            .file("login.aspx", windows_text(demo!("old/login.aspx")))
            .file("error.aspx", "<html><body>Simulated: something went wrong.</body></html>\r\n")
            .file(r"App_Themes\Default\Default.css", "/* Simulated */ body { color: #333 }\r\n")
            .file(r"App_Themes\Default\images\logo.png", picture(17))
            .versioned_file(r"bin\pfup.dll", OLD, noise(19, 1200))
    }

    fn new_portal(self) -> PackageBuilder {
        self.new_web("Multi-Factor Authentication User Portal", "MultiFactorAuth")
            .file("web.config", windows_text(demo!("new/portal.config")))
            .file("login.aspx", windows_text(demo!("new/login.aspx")))
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
            .file("web.config", windows_text(demo!("old/mobile.config")))
            .file("PfPaWs.asmx", "<%@ WebService Language=\"C#\" Class=\"pfpaws.PfPaWs\" %>\r\n")
            .versioned_file(r"bin\pfpaws.dll", OLD, noise(31, 700))
    }

    fn new_mobile(self) -> PackageBuilder {
        self.new_web("Multi-Factor Authentication Mobile App Web Service", "MultiFactorAuthMobileAppWebService")
            .file("web.config", windows_text(demo!("new/mobile.config")))
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
