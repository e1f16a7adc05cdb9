//! The properties that Windows Installer sets itself.

/// The properties that Windows Installer sets itself, and those that searches of web setups would find.
fn machine_properties(facts: &MachineFacts) -> Properties {
    let variable =
        |name: &str, otherwise: &str| format!(r"{}\", facts.variable(name).unwrap_or(otherwise).trim_end_matches('\\'));
    let windows = variable("SystemRoot", r"C:\Windows");
    let programs = variable("ProgramFiles", r"C:\Program Files");
    let version = windows_version(&facts.system.windows);
    let mut all = Properties::new();
    let mut set = |name: &str, value: &str| drop(all.insert(name.to_owned(), value.to_owned()));
    if facts.system.bits == Bits::X64 {
        set("VersionNT64", &version);
        set("Msix64", "6");
        set("ProgramFiles64Folder", &programs);
        set("ProgramFilesFolder", &variable("ProgramFiles(x86)", r"C:\Program Files (x86)"));
        set("System64Folder", &format!(r"{windows}System32\"));
        set("SystemFolder", &format!(r"{windows}SysWOW64\"));
    } else {
        set("ProgramFilesFolder", &programs);
        set("SystemFolder", &format!(r"{windows}System32\"));
    }
    set("VersionNT", &version);
    set("WindowsFolder", &windows);
    set("WindowsVolume", windows.get(..3).unwrap_or(r"C:\"));
    set("ROOTDRIVE", windows.get(..3).unwrap_or(r"C:\"));
    set("CommonAppDataFolder", &variable("ProgramData", r"C:\ProgramData"));
    set("ComputerName", &facts.system.name);
    set("Privileged", "1");
    set("AdminUser", "1");
    if facts.system.vc_x86 {
        set("VCRUNTIME_X86", "1");
    }
    if facts.system.vc_x64 {
        set("VCRUNTIME_X64", "1");
    }
    if let Some(release) = facts.system.dotnet_release {
        set("NETFRAMEWORK40FULL", "#1");
        set("NETFRAMEWORK45", &format!("#{release}"));
    }
    if let Some(web_server) = &facts.web_server {
        set("IISMAJORVERSION", "#8");
        set("IISMINORVERSION", "#5");
        if web_server.features.iter().any(|feature| feature == "metabase-compatibility") {
            set("METABASE", "1");
        }
    }
    all
}

/// `603` for `Windows Server 2012 R2 (6.3.9600)`; Windows Installer knows nothing later.
fn windows_version(windows: &str) -> String {
    let mut numbers = windows.rsplit('(').next().unwrap_or_default().split('.').map(|part| part.parse::<u32>().ok());
    let version = numbers.next().flatten().zip(numbers.next().flatten()).map(|(major, minor)| major * 100 + minor);
    version.unwrap_or(603).min(603).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_installer_knows_nothing_later_than_its_own_time() {
        assert_eq!(windows_version("Windows Server 2012 R2 (6.3.9600)"), "603");
        assert_eq!(windows_version("Windows Server 2008 R2 (6.1.7601)"), "601");
        assert_eq!(windows_version("Windows Server 2019 (10.0.17763)"), "603");
        assert_eq!(windows_version("Windows"), "603");
    }
}
