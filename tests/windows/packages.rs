//! The packages of both eras, made for a real Windows Installer: the programs in them are stand-ins that run.

use crate::support::package_builder::{PackageBuilder, Registry, Service};
use pfupgrade::package::{RegistryRoot, ServiceStart};
use std::io;

const OLD: &str = "5.2.5";
const NEW: &str = "7.3.0.3";

macro_rules! demo {
    ($path:literal) => {
        include_str!(concat!("../../src/platform/simulated/demo/", $path))
    };
}

/// Every package, by the name of its file.
///
/// The services' programs are given: real ones, or simulated ones.
pub(crate) fn all(old_service: &[u8], new_service: &[u8]) -> io::Result<Vec<(&'static str, Vec<u8>)>> {
    let web = [
        ("MultiFactorAuthenticationWebServiceSdkSetup64.msi", new_sdk().build()?),
        ("MultiFactorAuthenticationUserPortalSetup64.msi", new_portal().build()?),
        ("MultiFactorAuthenticationMobileAppWebServiceSetup64.msi", new_mobile().build()?),
    ];
    let mut all = vec![
        ("agent.msi", agent(old_service).build()?),
        ("old-sdk.msi", old_sdk().build()?),
        ("old-portal.msi", old_portal().build()?),
        ("old-mobile.msi", old_mobile().build()?),
        ("MultiFactorAuthenticationServer.msi", server(new_service, &web).build()?),
    ];
    all.extend(web);
    Ok(all)
}

/// The product code of an old product.
pub(crate) fn old_code(name: &str) -> String {
    PackageBuilder::new("wine", name, OLD).product_code()
}

/// The new portal, whose installation wants a restart of Windows in its end.
pub(crate) fn portal_that_wants_a_restart() -> io::Result<Vec<u8>> {
    // The name is that of a standard action, which is what Windows Installer carries out then.
    new_portal().action("ScheduleReboot", 51, ("WANTED", "1"), 6550, "NOT REMOVE").build()
}

/// The new portal, which is not content with a machine on which REFUSES is set.
pub(crate) fn portal_that_refuses() -> io::Result<Vec<u8>> {
    let why = "The metabase of IIS cannot be written to.";
    new_portal().action("CheckMetabase", 19, ("", why), 6450, "%REFUSES AND NOT REMOVE").build()
}

/// The old portal as one user may have installed it.
pub(crate) fn portal_of_one_user() -> io::Result<Vec<u8>> {
    old_portal().per_user().build()
}

fn windows_text(text: &str) -> Vec<u8> {
    format!("\u{feff}{}", text.replace('\n', "\r\n")).into_bytes()
}

fn install_path() -> Registry {
    Registry {
        root: RegistryRoot::LocalMachine,
        key: r"SOFTWARE\Wow6432Node\Positive Networks\PhoneFactor".to_owned(),
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

fn agent(program: &[u8]) -> PackageBuilder {
    PackageBuilder::new("wine", "PhoneFactor Agent", OLD)
        .manufacturer("PhoneFactor, Inc.")
        .program_folder("PhoneFactor")
        .versioned_file("pfsvc.exe", OLD, program)
        .file("license.txt", "The licence of the agent.\r\n")
        .registry(install_path())
        .service(service("PFSvc", "PhoneFactor", "pfsvc.exe"))
}

fn server(program: &[u8], web: &[(&str, Vec<u8>)]) -> PackageBuilder {
    let server = PackageBuilder::new("wine", "Multi-Factor Authentication Server", NEW)
        .manufacturer("Microsoft Corporation")
        .program_folder("Multi-Factor Authentication Server")
        .versioned_file("MultiFactorAuthSvc.exe", NEW, program)
        .file("license.rtf", r"{\rtf1 The licence of the server.}")
        .registry(install_path())
        .service(service("MultiFactorAuth", "Multi-Factor Authentication Service", "MultiFactorAuthSvc.exe"));
    web.iter().fold(server, |server, (name, package)| server.versioned_file(name, NEW, package.clone()))
}

/// A web package, which has its application made and removed as web setups do.
fn web(name: &str, version: &str, directory: &str) -> PackageBuilder {
    let add = "websetup add [ProductCode] [TARGETSITE] [TARGETVDIR] \"[TARGETDIR].\" \"[TARGETAPPPOOL]\"";
    PackageBuilder::new("wine", name, version)
        .manufacturer(if version == OLD { "PhoneFactor, Inc." } else { "Microsoft Corporation" })
        .web_setup(directory, "DefaultAppPool")
        .property("APPCMD", r"C:\windows\system32\inetsrv\appcmd.exe")
        .action("RemoveApplication", 50, ("APPCMD", "websetup remove [ProductCode]"), 1700, "REMOVE")
        .action("AddApplication", 50, ("APPCMD", add), 6500, "NOT REMOVE")
}

const SDK: &str = "<%@ WebService Language=\"C#\" Class=\"pfwssdk.PfWsSdk\" %>\r\n";
const MOBILE: &str = "<%@ WebService Language=\"C#\" Class=\"pfpaws.PfPaWs\" %>\r\n";

fn old_sdk() -> PackageBuilder {
    web("PhoneFactor Web Service SDK", OLD, "PhoneFactorWebServiceSdk")
        .file("web.config", windows_text(demo!("old/sdk.config")))
        .file("PfWsSdk.asmx", SDK)
}

fn new_sdk() -> PackageBuilder {
    web("Multi-Factor Authentication Web Service SDK", NEW, "MultiFactorAuthWebServiceSdk")
        .file("web.config", windows_text(demo!("new/sdk.config")))
        .file("PfWsSdk.asmx", SDK)
}

fn old_portal() -> PackageBuilder {
    web("PhoneFactor User Portal", OLD, "PhoneFactor")
        .file("web.config", windows_text(demo!("old/portal.config")))
        .file("login.aspx", windows_text(demo!("old/login.aspx")))
        .file(r"App_Themes\Default\Default.css", "body { color: #333 }\r\n")
}

fn new_portal() -> PackageBuilder {
    web("Multi-Factor Authentication User Portal", NEW, "MultiFactorAuth")
        .file("web.config", windows_text(demo!("new/portal.config")))
        .file("login.aspx", windows_text(demo!("new/login.aspx")))
        .file(r"App_Themes\Default\Default.css", "body { color: #222 }\r\n")
}

fn old_mobile() -> PackageBuilder {
    web("PhoneFactor Mobile App Web Service", OLD, "PhoneFactorPhoneAppWebService")
        .file("web.config", windows_text(demo!("old/mobile.config")))
        .file("PfPaWs.asmx", MOBILE)
}

fn new_mobile() -> PackageBuilder {
    web("Multi-Factor Authentication Mobile App Web Service", NEW, "MultiFactorAuthMobileAppWebService")
        .file("web.config", windows_text(demo!("new/mobile.config")))
        .file("PfPaWs.asmx", MOBILE)
}
