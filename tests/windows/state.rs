//! What of a machine is compared: the machine before, and what an upgrade has to have made of it.

use crate::machine::{File, Machine};
use std::io;

/// The products of the old version, with their versions.
pub(crate) const OLD: [&str; 4] = [
    "PhoneFactor Agent 5.2.5",
    "PhoneFactor Mobile App Web Service 5.2.5",
    "PhoneFactor User Portal 5.2.5",
    "PhoneFactor Web Service SDK 5.2.5",
];
/// The products of the new one.
pub(crate) const NEW: [&str; 4] = [
    "Multi-Factor Authentication Mobile App Web Service 7.3.0.3",
    "Multi-Factor Authentication Server 7.3.0.3",
    "Multi-Factor Authentication User Portal 7.3.0.3",
    "Multi-Factor Authentication Web Service SDK 7.3.0.3",
];

/// Everything a rollback brings back.
pub(crate) struct State {
    products: Vec<String>,
    registry: String,
    services: [Option<String>; 2],
    iis: Vec<String>,
    files: Vec<File>,
}

impl State {
    /// The state a machine is in.
    pub(crate) fn of(machine: &Machine) -> io::Result<Self> {
        let folders = [r"C:\inetpub", r"C:\Program Files", r"C:\Install", r"C:\windows\system32\inetsrv\backup"];
        let files = folders.iter().flat_map(|folder| machine.tree(folder));
        Ok(Self {
            products: machine.products()?,
            registry: machine.registry(r"HKLM\Software\Wow6432Node\Positive Networks")?,
            services: [machine.service("PFSvc")?, machine.service("MultiFactorAuth")?],
            iis: iis(machine),
            files: files.filter(|file| !stays(file)).collect(),
        })
    }

    /// Holds a machine to this state, file by file, so that a difference is told by its name.
    pub(crate) fn is_that_of(&self, machine: &Machine) -> io::Result<()> {
        let now = Self::of(machine)?;
        assert_eq!(self.products, now.products);
        assert_eq!(self.registry, now.registry);
        assert_eq!(self.services, now.services);
        assert_eq!(self.iis, now.iis);
        assert_same_files(&self.files, &now.files);
        Ok(())
    }
}

/// Logs, and the backup of IIS's configuration that a run leaves for people.
fn stays(file: &File) -> bool {
    let path = file.path.to_string_lossy();
    path.contains("/Logs/") || path.contains("/inetsrv/backup/pfupgrade-")
}

/// Compares file by file.
pub(crate) fn assert_same_files(before: &[File], after: &[File]) {
    let names = |files: &[File]| files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
    assert_eq!(names(before), names(after));
    for (before, after) in before.iter().zip(after) {
        assert!(before == after, "{} is not what it was", before.path.display());
    }
}

/// The lines of IIS's configuration in an order of their own: where an application stands in it means nothing.
pub(crate) fn iis(machine: &Machine) -> Vec<String> {
    let config = machine.read(r"C:\windows\system32\inetsrv\config\applicationHost.config");
    let mut lines: Vec<String> = config.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// The virtual directories of the SDK and the portal.
pub(crate) const NEW_NAMES: (&str, &str) = ("MultiFactorAuthWebServiceSdk", "MultiFactorAuth");

/// Looks at everything that the upgrade of the whole server has to have done.
pub(crate) fn is_upgraded(machine: &Machine) -> io::Result<()> {
    assert!(!machine.exists(r"C:\inetpub\wwwroot\PhoneFactor"));
    is_upgraded_as(machine, NEW_NAMES)
}

/// The same, with these virtual directories.
pub(crate) fn is_upgraded_as(machine: &Machine, (sdk, portal): (&str, &str)) -> io::Result<()> {
    assert_eq!(machine.products()?, NEW);
    assert_eq!(machine.service("MultiFactorAuth")?.as_deref(), Some("RUNNING"));
    assert_eq!(machine.service("PFSvc")?, None);
    assert!(machine.read(r"C:\Program Files\PhoneFactor\Data\PhoneFactor.pfdata").starts_with("PFDATA 7"));
    portal_is_upgraded(machine, portal, &format!("https://mfa.fabrikam.example:443/{sdk}/pfwssdk.asmx"))?;
    let config = machine.read(r"C:\windows\system32\inetsrv\config\applicationHost.config");
    // One element has all settings of the location.
    let location = config.split_once(&format!("<location path=\"Default Web Site/{sdk}\">"));
    let location = location.and_then(|(_, rest)| rest.split_once("</location>")).map_or("", |(inner, _)| inner);
    for setting in ["<access sslFlags=\"Ssl\" />", "<basicAuthentication enabled=\"true\" />"] {
        assert!(location.contains(setting), "{config}");
    }
    Ok(())
}

/// Looks at the new portal: its settings, its theme, its application.
pub(crate) fn portal_is_upgraded(machine: &Machine, name: &str, sdk: &str) -> io::Result<()> {
    let folder = format!(r"C:\inetpub\wwwroot\{name}");
    let config = machine.read(&format!(r"{folder}\web.config"));
    for carried in [r"FABRIKAM\svc-pfportal", "theme=\"Contoso\"", sdk] {
        assert!(config.to_lowercase().contains(&carried.to_lowercase()), "{carried} is not in {config}");
    }
    assert!(machine.read(&format!(r"{folder}\App_Themes\Default\Default.css")).contains("#222"), "the old one");
    assert!(machine.exists(&format!(r"{folder}\App_Themes\Contoso\Contoso.css")));
    assert!(!machine.exists(&format!(r"{folder}\app_offline.htm")));
    let config = iis(machine).join("\n");
    let application = format!("path=\"/{name}\" applicationPool=\"PhoneFactor Pool\"");
    assert!(config.contains(&application), "{config}");
    Ok(())
}
