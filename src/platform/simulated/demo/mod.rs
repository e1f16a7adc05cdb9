//! Demo machines: servers as they were in 2016, for rehearsals and tests.

mod content;
mod packages;
mod server;

use super::{MachineFacts, Signed, Simulated, facts};
use crate::platform::clock::Clock;
use crate::platform::disk::{self, Disk, Kind, MemoryDisk, ReadDisk, hash_bytes};
use crate::platform::facts::{Application, Bits};
use crate::platform::{Context, Failure, Inspect, iis};
use crate::winpath::WinPath;
use content::{noise, picture, windows_text};
use packages::{Packages, packages, setup};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

/// The names of the demo machines; the first is the default.
pub const NAMES: &[&str] = &["one-server", "agent-server", "web-server"];

/// The simulated `aspnet_regiis.exe`.
pub(crate) const REGIIS: &str = include_str!("regiis.toml");

/// The stand-in for the MFA Server setup, because the real one cannot run.
pub(crate) struct StandIn {
    /// The setup, a simulated program with the version resource of the real one.
    pub(crate) setup: String,
    /// The package that it installs, with its relative path.
    pub(crate) package: (&'static str, &'static [u8]),
    /// The SHA-256 of the included packages.
    pub(crate) along: Vec<String>,
}

/// The demo's setup, with this product and version.
pub(crate) fn stand_in(bits: Bits, product: &str, version: &str) -> Result<StandIn, Failure> {
    let built = packages(bits).context("build a stand-in for the MFA Server setup")?;
    let text = |text: &str| toml::Value::from(text).to_string();
    let line = |line: &str| match line.split_once(" = ") {
        Some(("product", _)) => format!("product = {}\n", text(product)),
        Some(("version", _)) => format!("version = {}\n", text(version)),
        _ => format!("{line}\n"),
    };
    Ok(StandIn {
        setup: setup(bits).lines().map(line).collect(),
        package: (r"data\MultiFactorAuthenticationServer.msi", &built.server),
        along: built.web.iter().map(|(_, package)| hash_bytes(package)).collect(),
    })
}

/// The roles of a demo machine.
#[derive(Clone, Copy)]
struct Roles {
    /// The agent and the web service SDK.
    agent: bool,
    /// The user portal and the mobile app's web service.
    web: bool,
    /// The kind of Windows.
    bits: Bits,
}

/// A server with all components: agent, Web Service SDK, User Portal and Mobile App Web Service.
pub fn one_server(disk: Arc<dyn Disk>, clock: Arc<dyn Clock>) -> Result<Simulated, Failure> {
    build("one-server", disk, clock)
}

/// Builds the demo machine `name` on an empty disk. The same clock gives the same machine, byte for byte.
pub fn build(name: &str, disk: Arc<dyn Disk>, clock: Arc<dyn Clock>) -> Result<Simulated, Failure> {
    build_for(Bits::X64, name, disk, clock)
}

/// Builds the demo machine `name`, with 32-bit or 64-bit Windows.
pub fn build_for(bits: Bits, name: &str, disk: Arc<dyn Disk>, clock: Arc<dyn Clock>) -> Result<Simulated, Failure> {
    let doing = format!("build the demo machine {name}");
    let roles = match name {
        "one-server" => Roles { agent: true, web: true, bits },
        "agent-server" => Roles { agent: true, web: false, bits },
        "web-server" => Roles { agent: false, web: true, bits },
        _ => return Err(Failure::new(doing, format!("it does not exist; there are {}", NAMES.join(", ")))),
    };
    if disk::exists(disk.as_read(), &facts::path()).context(&doing)? {
        return Err(Failure::new(doing, "a machine already exists").next("choose another folder"));
    }
    // Installing syncs every file; in memory that is free, and a machine under construction does not need it.
    let workshop = MemoryDisk::new();
    let facts = server::facts(roles).context(&doing)?;
    let machine = Simulated::create(Arc::new(workshop.clone()), Arc::clone(&clock), facts)?;
    Workshop { machine: &machine, roles, packages: packages(bits).context(&doing)? }.furnish()?;
    for drive in machine.facts().free_space.keys() {
        deliver(&workshop, &*disk, *drive).context(&doing)?;
    }
    let facts = machine.facts();
    facts.write(&*disk)?;
    Ok(Simulated::with(disk, clock, facts))
}

/// Copies a drive, file by file, without a sync for each.
pub(super) fn deliver(from: &dyn ReadDisk, to: &dyn Disk, drive: char) -> io::Result<()> {
    let root = WinPath::new(format!(r"{drive}:\")).map_err(io::Error::other)?;
    if !disk::exists(from, &root)? {
        return Ok(());
    }
    for entry in from.walk(&root)? {
        if entry.kind == Kind::Folder {
            to.create_folder(&entry.path)?;
            continue;
        }
        let mut content = Vec::new();
        from.open(&entry.path)?.read_to_end(&mut content)?;
        let mut file = to.create(&entry.path)?;
        file.write_all(&content)?;
        file.set_modified(entry.modified)?;
    }
    Ok(())
}

/// A machine under construction.
struct Workshop<'a> {
    machine: &'a Simulated,
    roles: Roles,
    packages: &'static Packages,
}

impl Workshop<'_> {
    fn furnish(&self) -> Result<(), Failure> {
        self.write(r"C:\Windows\System32\cmd.exe", include_str!("cmd.toml"))?;
        for version in ["v2.0.50727", "v4.0.30319"] {
            let program = format!(r"C:\Windows\Microsoft.NET\Framework64\{version}\aspnet_regiis.exe");
            self.write(&program, REGIIS)?;
        }
        self.write(r"C:\ProgramData\ntuser.pol", "")?;
        self.write(
            r"C:\inetpub\wwwroot\iisstart.htm",
            "<html><body>Simulated: the start page of IIS.</body></html>\r\n",
        )?;
        self.write(r"D:\Sites\Mobile\default.htm", "<html><body>Simulated: nothing to see.</body></html>\r\n")?;
        if self.roles.agent {
            self.activated_agent()?;
            self.web_part("PhoneFactorWebServiceSdk", &self.packages.old_sdk, 1, "PhoneFactor")?;
        }
        if self.roles.web {
            self.web_part("PhoneFactor", &self.packages.old_portal, 1, "PhoneFactor")?;
            self.customised_portal()?;
            self.web_part("PhoneFactorPhoneAppWebService", &self.packages.old_mobile, 2, "PhoneFactorMobile")?;
            let folder = r"D:\Sites\Mobile\PhoneFactorPhoneAppWebService";
            self.write(&format!(r"{folder}\web.config"), windows_text(include_str!("admin/mobile.config")))?;
        }
        self.new_installers()?;
        for site in self.machine.web_server()?.unwrap_or_default().sites {
            for application in site.applications {
                let wanted = Application { settings: server::settings(&application.path), ..application };
                iis::configure(self.machine, &site.name, &wanted)?;
            }
        }
        self.machine.change(|facts| server::configure(facts, self.roles.bits))
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Result<(), Failure> {
        let doing = format!("write {path}");
        let path = WinPath::new(path).context(&doing)?;
        let disk = &*self.machine.disk;
        path.parent().map_or(Ok(()), |folder| disk::create_folders(disk, &folder)).context(&doing)?;
        disk::replace(disk, &path, content.as_ref()).context(doing)
    }

    /// Installs an old package from a path that no longer exists.
    fn install(&self, name: &str, package: &[u8], properties: &BTreeMap<String, String>) -> Result<(), Failure> {
        let downloads = r"C:\Users\Administrator\Downloads";
        let place = |name: String| WinPath::new(format!(r"{downloads}\{name}")).context("build a demo machine");
        let (source, log) = (place(format!("{name}.msi"))?, place(format!("{name}.log"))?);
        self.write(source.as_str(), package)?;
        self.machine.install(&source, properties, &log, &mut |_| ())?;
        for gone in [source, log] {
            disk::remove(&*self.machine.disk, &gone).context("build a demo machine")?;
        }
        Ok(())
    }

    fn web_part(&self, directory: &str, package: &[u8], site: u32, pool: &str) -> Result<(), Failure> {
        let site = format!("/LM/W3SVC/{site}");
        let properties = [("TARGETVDIR", directory), ("TARGETSITE", &site), ("TARGETAPPPOOL", pool)];
        self.install(directory, package, &properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    fn activated_agent(&self) -> Result<(), Failure> {
        let folder = r"C:\Program Files\PhoneFactor";
        let mut data = b"PFDATA 5\n".to_vec();
        data.extend(noise(41, 8192));
        self.write(&format!(r"{folder}\Data\PhoneFactor.pfdata"), data)?;
        let names = ["caCert", "cert", "groupCACert", "groupKey", "groupName", "licenseKey", "pkey"];
        for (seed, name) in (43..).step_by(2).zip(names) {
            self.write(&format!(r"{folder}\Data\{name}"), noise(seed, 300))?;
        }
        self.write(&format!(r"{folder}\Data\groupName"), "Fabrikam\r\n")?;
        self.install("PhoneFactorAgent", &self.packages.agent, &BTreeMap::new())
    }

    /// The portal with its customizations.
    fn customised_portal(&self) -> Result<(), Failure> {
        let folder = r"C:\inetpub\wwwroot\PhoneFactor";
        self.write(&format!(r"{folder}\web.config"), windows_text(include_str!("admin/portal.config")))?;
        self.write(&format!(r"{folder}\login.aspx"), windows_text(include_str!("admin/login.aspx")))?;
        let theme = format!(r"{folder}\App_Themes\Contoso");
        self.write(&format!(r"{theme}\Contoso.css"), "/* Simulated */ body { background: url(images/logo.png) }\r\n")?;
        self.write(&format!(r"{theme}\images\logo.png"), picture(61))?;
        self.write(&format!(r"{theme}\images\icons\key.png"), picture(67))
    }

    /// The signed new installers, which keep their signature when copied.
    fn new_installers(&self) -> Result<(), Failure> {
        let setup = setup(self.roles.bits);
        let mut signed = vec![hash_bytes(setup.as_bytes()), hash_bytes(&self.packages.server)];
        signed.extend(self.packages.web.iter().map(|(_, package)| hash_bytes(package)));
        if self.roles.agent {
            self.write(r"C:\Install\MultiFactorAuthenticationServerSetup.exe", &setup)?;
            self.write(r"C:\Install\data\MultiFactorAuthenticationServer.msi", &self.packages.server)?;
        } else {
            for (name, package) in &self.packages.web {
                self.write(&format!(r"C:\Install\{name}"), package)?;
            }
        }
        self.machine.change(|facts| {
            let by = |sha256| Signed { path: None, sha256: Some(sha256), by: "Microsoft Corporation".to_owned() };
            facts.signatures.extend(signed.into_iter().map(by));
        })
    }
}
