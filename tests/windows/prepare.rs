//! The server that every scenario begins with: made once, copied for each.

use crate::machine::Machine;
use crate::{packages, simulation};
use pfupgrade::platform::simulated::appcmd::host;
use std::fs;
use std::io;
use std::path::PathBuf;

/// The web.config files as the administrator has left them.
pub(crate) mod admin_config {
    pub(crate) const PORTAL: &str = include_str!("../../src/platform/simulated/demo/admin/portal.config");
    pub(crate) const MOBILE: &str = include_str!("../../src/platform/simulated/demo/admin/mobile.config");
}

/// The administrator's own theme.
pub(crate) const THEME: &[u8] = b"body { }\r\n";

/// A text as editors of Windows write it.
pub(crate) fn windows_text(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

/// Where the Windows programs have been built.
pub(crate) struct Programs(pub(crate) PathBuf);

impl Programs {
    fn read(&self, name: &str) -> Vec<u8> {
        let path = self.0.join(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{} is needed: {error}", path.display()))
    }
}

impl Machine {
    /// A server with everything of version 5 on it, as its administrator has left it.
    pub(crate) fn prepare(folder: PathBuf, programs: &Programs) -> io::Result<Self> {
        let machine = Self::new(folder)?;
        machine.done(&["wineboot", "-i"])?;
        // What makes a new prefix complete goes on for a while.
        machine.wait()?;
        machine.put_programs(programs)?;
        machine.boot()?;
        machine.write(r"C:\inetpub\wwwroot\iisstart.htm", b"the start page\r\n")?;
        machine.write(r"C:\windows.reg", include_bytes!("windows.reg"))?;
        machine.done(&["reg", "import", r"C:\windows.reg"])?;
        let data = r"C:\Program Files\PhoneFactor\Data";
        machine.write(&format!(r"{data}\PhoneFactor.pfdata"), b"PFDATA 5\nusers and settings\n")?;
        machine.write(&format!(r"{data}\licenseKey"), b"a key\n")?;
        for package in ["agent", "old-sdk", "old-portal", "old-mobile"] {
            let package = format!(r"C:\Install\{package}.msi");
            machine.done(&["msiexec", "/i", &package, "/qn"])?;
            // Nobody has the old installers any more.
            machine.remove(&package)?;
        }
        machine.furnish_portal()?;
        let folder = r"C:\inetpub\wwwroot\PhoneFactorPhoneAppWebService";
        machine.write(&format!(r"{folder}\web.config"), &windows_text(admin_config::MOBILE))?;
        for name in ["PhoneFactorWebServiceSdk", "PhoneFactorPhoneAppWebService"] {
            machine.configure(name)?;
        }
        let section = "/section:system.webServer/security/authentication/basicAuthentication";
        let location = "Default Web Site/PhoneFactorWebServiceSdk";
        machine.appcmd(&["set", "config", location, section, "/enabled:true", "/commit:apphost"])?;
        machine.shut_down()?;
        Ok(machine)
    }

    fn put_programs(&self, programs: &Programs) -> io::Result<()> {
        let inetsrv = r"C:\windows\system32\inetsrv";
        for (name, place) in [
            ("pfupgrade.exe", r"C:\pfupgrade.exe".to_owned()),
            ("examples/stand-in-holder.exe", r"C:\holder.exe".to_owned()),
            ("examples/appcmd.exe", format!(r"{inetsrv}\appcmd.exe")),
            ("examples/stand-in-setup.exe", r"C:\Install\MultiFactorAuthenticationServerSetup.exe".to_owned()),
        ] {
            self.write(&place, &programs.read(name))?;
        }
        let iis = simulation::windows().web_server.unwrap_or_default();
        let config = host::config(&iis).map_err(io::Error::other)?;
        self.write(&format!(r"{inetsrv}\config\applicationHost.config"), config.as_bytes())?;
        let service = programs.read("examples/stand-in-service.exe");
        for (name, package) in packages::all(&service, &service).map_err(io::Error::other)? {
            let folder = if name == "MultiFactorAuthenticationServer.msi" { r"C:\Install\data" } else { r"C:\Install" };
            self.write(&format!(r"{folder}\{name}"), &package)?;
        }
        Ok(())
    }

    /// The portal with its customizations.
    pub(crate) fn furnish_portal(&self) -> io::Result<()> {
        let folder = r"C:\inetpub\wwwroot\PhoneFactor";
        self.write(&format!(r"{folder}\web.config"), &windows_text(admin_config::PORTAL))?;
        self.write(&format!(r"{folder}\App_Themes\Contoso\Contoso.css"), THEME)?;
        self.configure("PhoneFactor")
    }

    fn configure(&self, name: &str) -> io::Result<()> {
        let location = format!("Default Web Site/{name}");
        let section = "/section:system.webServer/security/access";
        self.appcmd(&["set", "config", &location, section, "/sslFlags:Ssl", "/commit:apphost"])?;
        self.appcmd(&["set", "app", &location, "/applicationPool:PhoneFactor Pool"])
    }
}
