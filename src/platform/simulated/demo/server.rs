//! The facts of the demo machines.

use super::packages::phonefactor;
use super::{MachineFacts, Roles};
use crate::platform::facts::{Bits, Pool, Site, System, WebServer};
use crate::platform::registry::Value;
use crate::winpath::{PathError, WinPath};
use std::collections::BTreeMap;

const UNINSTALL: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall";

/// The server before PhoneFactor is installed.
pub(super) fn facts(roles: Roles) -> Result<MachineFacts, PathError> {
    let name = if roles.agent { "MFA01" } else { "WEB01" };
    let mut facts = MachineFacts::new(System {
        name: name.to_owned(),
        // The last Windows Server for 32-bit processors.
        windows: match roles.bits {
            Bits::X64 => "Windows Server 2012 R2 (6.3.9600)".to_owned(),
            Bits::X86 => "Windows Server 2008 (6.0.6002)".to_owned(),
        },
        bits: roles.bits,
        elevated: true,
        dotnet_release: Some(379_893),
        // Without the MFA Server setup, nothing would install the runtimes that the web components need.
        vc_x86: !roles.agent,
        vc_x64: !roles.agent,
        user: None,
        account: Some(r"FABRIKAM\admin".to_owned()),
        pending_renames: Vec::new(),
    });
    let variables = [
        ("COMPUTERNAME", name),
        ("ProgramData", r"C:\ProgramData"),
        ("ProgramFiles", r"C:\Program Files"),
        ("ProgramFiles(x86)", r"C:\Program Files (x86)"),
        ("SystemDrive", "C:"),
        ("SystemRoot", r"C:\Windows"),
        ("TEMP", r"C:\Windows\Temp"),
        ("windir", r"C:\Windows"),
    ];
    facts.variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    if roles.bits == Bits::X86 {
        facts.variables.remove("ProgramFiles(x86)");
    }
    // It is on the west coast of the United States, in winter.
    facts.utc_offset_minutes = Some(-8 * 60);
    facts.free_space = BTreeMap::from([('C', 40 << 30), ('D', 100 << 30)]);
    let accounts = [r"FABRIKAM\svc-pfpool", r"FABRIKAM\svc-pfportal", r"FABRIKAM\svc-pfmobile", "PhoneFactor Admins"];
    facts.accounts = Some(accounts.map(str::to_owned).into());
    if roles.agent {
        facts.host_names = Some(vec!["mfa.fabrikam.example".to_owned()]);
    } else {
        // The agent's server is already upgraded, and requires credentials.
        let sdk = "https://mfa.fabrikam.example/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx";
        facts.answers.insert(sdk.to_owned(), 401.into());
    }
    facts.web_server = Some(web_server(WinPath::new(r"C:\inetpub\wwwroot")?, WinPath::new(r"D:\Sites\Mobile")?));
    // The version of IIS is that of Windows.
    let (major, minor) = if roles.bits == Bits::X64 { (8, 5) } else { (7, 0) };
    for key in [r"HKLM\SOFTWARE\Microsoft\InetStp", r"HKLM\SOFTWARE\Wow6432Node\Microsoft\InetStp"] {
        if roles.bits == Bits::X86 && key.contains("Wow6432Node") {
            continue;
        }
        facts.registry.set(key, "MajorVersion", Value::Number(major));
        facts.registry.set(key, "MinorVersion", Value::Number(minor));
        facts.registry.set(key, "VersionString", Value::Text(format!("Version {major}.{minor}")));
    }
    let other = format!(r"{UNINSTALL}\7-Zip");
    facts.registry.set(&other, "DisplayName", Value::Text("7-Zip 9.20 (x64 edition)".to_owned()));
    facts.registry.set(&other, "Publisher", Value::Text("Igor Pavlov".to_owned()));
    Ok(facts)
}

fn web_server(wwwroot: WinPath, mobile: WinPath) -> WebServer {
    let pool = |name: &str, clr: &str, pipeline: &str, identity: &str| Pool {
        name: name.to_owned(),
        clr: clr.to_owned(),
        pipeline: pipeline.to_owned(),
        identity: identity.to_owned(),
        enable_32bit: false,
    };
    let site = |id, name: &str, folder: WinPath, bindings: &[&str]| Site {
        id,
        name: name.into(),
        folder,
        bindings: bindings.iter().map(|binding| (*binding).to_owned()).collect(),
        applications: Vec::new(),
    };
    WebServer {
        features: vec!["asp-net".to_owned(), "metabase-compatibility".to_owned()],
        global_modules: BTreeMap::new(),
        pools: vec![
            pool("DefaultAppPool", "v2.0", "Classic", "ApplicationPoolIdentity"),
            pool("PhoneFactor", "v4.0", "Integrated", r"FABRIKAM\svc-pfpool"),
            pool("PhoneFactorMobile", "v4.0", "Integrated", "ApplicationPoolIdentity"),
        ],
        sites: vec![
            site(1, "Default Web Site", wwwroot, &["http/*:80:", "https/*:443:"]),
            site(2, "Mobile", mobile, &["https/*:8443:"]),
        ],
    }
}

/// The configuration since the installation.
pub(super) fn configure(facts: &mut MachineFacts, bits: Bits) {
    let key = format!(r"HKLM\{}", phonefactor(bits));
    if facts.registry.key(&key).is_some() {
        facts.registry.set(&key, "Pfsvc_ncan_ip_tcp_port", Value::Number(4899));
        facts.registry.set(&key, "pfsvc_pendingSmsTimeoutSeconds", Value::Number(300));
    }
}

/// The settings of an application in IIS since then.
pub(super) fn settings(path: &str) -> BTreeMap<String, String> {
    let settings = [
        ("system.webServer/security/access/@sslFlags", "Ssl"),
        ("system.webServer/security/authentication/anonymousAuthentication/@enabled", "false"),
        ("system.webServer/security/authentication/basicAuthentication/@enabled", "true"),
    ];
    let wanted = if path.ends_with("WebServiceSdk") { &settings[..] } else { &settings[..1] };
    wanted.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
