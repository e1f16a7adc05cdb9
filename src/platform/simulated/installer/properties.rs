//! The properties that Windows Installer sets itself.

use crate::platform::facts::Bits;
use crate::platform::simulated::MachineFacts;
use crate::winpath::WinPath;
use std::collections::BTreeMap;

type Properties = BTreeMap<String, String>;

/// The properties that Windows Installer sets itself. `package` is installed for one user or for all.
pub(super) fn of_machine(facts: &MachineFacts, package: &WinPath, per_user: bool) -> Properties {
    let variable = |name: &str, otherwise: &str| with_backslash(facts.variable(name).unwrap_or(otherwise));
    let windows = variable("SystemRoot", r"C:\Windows");
    let programs = variable("ProgramFiles", r"C:\Program Files");
    let version = facts.system.version_nt().unwrap_or_else(|| "603".to_owned());
    let mut all = shell_folders(facts, per_user);
    all.extend(facts.variables.iter().map(|(name, value)| (format!("%{}", name.to_uppercase()), value.clone())));
    let mut set = |name: &str, value: &str| drop(all.insert(name.to_owned(), value.to_owned()));
    if facts.system.bits == Bits::X64 {
        set("VersionNT64", &version);
        set("Msix64", "6");
        set("ProgramFiles64Folder", &programs);
        set("CommonFiles64Folder", &format!(r"{programs}Common Files\"));
        let programs = variable("ProgramFiles(x86)", r"C:\Program Files (x86)");
        set("ProgramFilesFolder", &programs);
        set("CommonFilesFolder", &format!(r"{programs}Common Files\"));
        set("System64Folder", &format!(r"{windows}System32\"));
        set("SystemFolder", &format!(r"{windows}SysWOW64\"));
    } else {
        set("ProgramFilesFolder", &programs);
        set("CommonFilesFolder", &format!(r"{programs}Common Files\"));
        set("SystemFolder", &format!(r"{windows}System32\"));
    }
    set("VersionNT", &version);
    set("WindowsFolder", &windows);
    set("WindowsVolume", windows.get(..3).unwrap_or(r"C:\"));
    set("ROOTDRIVE", windows.get(..3).unwrap_or(r"C:\"));
    set("CommonAppDataFolder", &variable("ProgramData", r"C:\ProgramData"));
    set("FontsFolder", &format!(r"{windows}Fonts\"));
    set("TempFolder", &variable("TEMP", r"C:\Windows\Temp"));
    set("SourceDir", &package.parent().map_or(String::new(), |folder| with_backslash(folder.as_str())));
    set("OriginalDatabase", package.as_str());
    set("ProductState", "-1");
    set("VersionMsi", "5.00");
    set("MsiNTProductType", "3");
    set("UILevel", "2");
    set("ComputerName", &facts.system.name);
    set("Privileged", "1");
    set("AdminUser", "1");
    all
}

fn with_backslash(folder: &str) -> String {
    format!(r"{}\", folder.trim_end_matches('\\'))
}

/// The folders of a user, or those shared by all users.
fn shell_folders(facts: &MachineFacts, per_user: bool) -> Properties {
    let profile = facts.variable("USERPROFILE").unwrap_or(r"C:\Users\Administrator").to_owned();
    let roaming = format!(r"{profile}\AppData\Roaming");
    let (start, desktop) = match per_user {
        true => (format!(r"{roaming}\Microsoft\Windows\Start Menu"), format!(r"{profile}\Desktop")),
        false => (r"C:\ProgramData\Microsoft\Windows\Start Menu".to_owned(), r"C:\Users\Public\Desktop".to_owned()),
    };
    let folders = [
        ("LocalAppDataFolder", format!(r"{profile}\AppData\Local")),
        ("PersonalFolder", format!(r"{profile}\Documents")),
        ("FavoritesFolder", format!(r"{profile}\Favorites")),
        ("SendToFolder", format!(r"{roaming}\Microsoft\Windows\SendTo")),
        ("TemplateFolder", format!(r"{roaming}\Microsoft\Windows\Templates")),
        ("AppDataFolder", roaming),
        ("AdminToolsFolder", format!(r"{start}\Programs\Administrative Tools")),
        ("StartupFolder", format!(r"{start}\Programs\Startup")),
        ("ProgramMenuFolder", format!(r"{start}\Programs")),
        ("StartMenuFolder", start),
        ("DesktopFolder", desktop),
    ];
    folders.map(|(name, folder)| (name.to_owned(), with_backslash(&folder))).into()
}
