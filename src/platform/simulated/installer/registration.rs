//! The registration of a product in the registry (learn.microsoft.com, "Uninstall Registry Key" and "Installation
//! Context"). Where Windows Installer keeps its own data below `UserData` is not documented; it is so on every server.

use super::plan::InstallPlan;
use crate::package::{packed_code, unpacked_code};
use crate::platform::facts::Bits;
use crate::platform::registry::{Key, Value, View};
use crate::platform::simulated::registry::real_path;
use crate::platform::simulated::{Installed, MachineFacts};
use crate::winpath::WinPath;

const UNINSTALL: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall";
const USER_DATA: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData";
/// The account for all users, and the administrator of a machine without an account.
const EVERYBODY: &str = "S-1-5-18";
const ADMINISTRATOR: &str = "S-1-5-21-1004336348-1177238915-682003330-500";

/// The scope of a registered product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) wow32: bool,
    pub(super) per_user: bool,
}

impl Scope {
    pub(super) fn of(record: &Installed) -> Self {
        Self { wow32: record.wow32, per_user: record.per_user }
    }

    fn uninstall_key(self, code: &str, bits: Bits) -> String {
        let view = if self.wow32 { View::Wow32 } else { View::Native };
        let root = if self.per_user { "HKCU" } else { "HKLM" };
        real_path(bits, view, &format!(r"{root}\{UNINSTALL}\{code}"))
    }

    fn product_key(self, code: &str, facts: &MachineFacts) -> String {
        let user = facts.system.user.as_deref().unwrap_or(ADMINISTRATOR);
        product_key(if self.per_user { user } else { EVERYBODY }, code)
    }
}

fn product_key(user: &str, code: &str) -> String {
    format!(r"{USER_DATA}\{user}\Products\{}", packed_code(code).unwrap_or_default())
}

/// The key of a product's advertisement, which has the code of its package: per machine below HKLM, per user below HKCU.
/// `MsiGetProductInfo` (INSTALLPROPERTY_PACKAGECODE) reads it there.
fn advertised_key(scope: Scope, code: &str) -> String {
    let root = if scope.per_user { r"HKCU\SOFTWARE\Microsoft" } else { r"HKLM\SOFTWARE\Classes" };
    format!(r"{root}\Installer\Products\{}", packed_code(code).unwrap_or_default())
}

/// A registered product.
pub(super) struct Registered {
    /// Its registered cached package.
    pub(super) package: Option<WinPath>,
    /// The code of the package it was installed from; unknown on a machine that was captured without it.
    pub(super) package_code: Option<String>,
    pub(super) scope: Scope,
}

impl Registered {
    /// A product without a registration.
    pub(super) fn by(record: &Installed) -> Self {
        Self { package: Some(record.package.clone()), package_code: None, scope: Scope::of(record) }
    }
}

/// The registration of a product; `None` if it is not registered.
pub(super) fn registered(facts: &MachineFacts, code: &str) -> Option<Registered> {
    let scopes = [(false, false), (true, false), (false, true)].map(|(wow32, per_user)| Scope { wow32, per_user });
    let is_there = |scope: &Scope| facts.registry.key(&scope.uninstall_key(code, facts.system.bits)).is_some();
    let scope = scopes.into_iter().find(is_there)?;
    let users = facts.registry.key(USER_DATA).map_or(Vec::new(), |key| key.keys);
    // A captured machine has its own users.
    let package = users.iter().filter(|user| (*user == EVERYBODY) != scope.per_user).find_map(|user| {
        let properties = format!(r"{}\InstallProperties", product_key(user, code));
        WinPath::new(facts.registry.value(&properties, "LocalPackage")?.text()?).ok()
    });
    let advertised = advertised_key(scope, code);
    let package_code = facts.registry.value(&advertised, "PackageCode").and_then(|value| unpacked_code(value.text()?));
    Some(Registered { package, package_code, scope })
}

/// Whether a product has another kind of setup, without a silent uninstall command.
pub(super) fn asks_questions(facts: &MachineFacts, code: &str) -> bool {
    let scopes = [(false, false), (true, false), (false, true)].map(|(wow32, per_user)| Scope { wow32, per_user });
    let keys = scopes.iter().filter_map(|scope| facts.registry.key(&scope.uninstall_key(code, facts.system.bits)));
    let asks = |key: Key| key.number("WindowsInstaller") != Some(1) && key.text("QuietUninstallString").is_none();
    keys.map(asks).next().unwrap_or_default()
}

/// Registers a product. `date` is the day, such as 2016-03-01.
pub(super) fn register(facts: &mut MachineFacts, plan: &InstallPlan, source: &WinPath, size: u64, date: &str) {
    let code = &plan.info.product_code;
    let scope = Scope::of(&plan.record);
    let own = scope.uninstall_key(code, facts.system.bits);
    let properties = format!(r"{}\InstallProperties", scope.product_key(code, facts));
    for (name, value) in entry(plan, source, size, date) {
        facts.registry.set(&properties, name, value.clone());
        facts.registry.set(&own, name, value);
    }
    let package = Value::Text(plan.record.package.to_string());
    facts.registry.set(&properties, "LocalPackage", package);
    let packed = Value::Text(packed_code(&plan.info.package_code).unwrap_or_default());
    facts.registry.set(&advertised_key(scope, code), "PackageCode", packed);
}

/// The entry in "Programs and Features".
fn entry(plan: &InstallPlan, source: &WinPath, size: u64, date: &str) -> Vec<(&'static str, Value)> {
    const FROM_PROPERTIES: [(&str, &str); 10] = [
        ("AuthorizedCDFPrefix", "ARPAUTHORIZEDCDFPREFIX"),
        ("Comments", "ARPCOMMENTS"),
        ("Contact", "ARPCONTACT"),
        ("HelpLink", "ARPHELPLINK"),
        ("HelpTelephone", "ARPHELPTELEPHONE"),
        ("InstallLocation", "ARPINSTALLLOCATION"),
        ("ReadMe", "ARPREADME"),
        ("Size", "ARPSIZE"),
        ("URLInfoAbout", "ARPURLINFOABOUT"),
        ("URLUpdateInfo", "ARPURLUPDATEINFO"),
    ];
    const SWITCHES: [(&str, &str); 4] = [
        ("NoModify", "ARPNOMODIFY"),
        ("NoRemove", "ARPNOREMOVE"),
        ("NoRepair", "ARPNOREPAIR"),
        ("SystemComponent", "ARPSYSTEMCOMPONENT"),
    ];
    let info = &plan.info;
    let property = |name: &str| plan.layout.properties.get(name).map_or("", String::as_str);
    let text = |text: &str| Value::Text(text.to_owned());
    let folder = source.parent().map(|folder| format!(r"{}\", folder.as_str().trim_end_matches('\\')));
    // If the product cannot be modified, its command in the list of programs is removal.
    let switch = if property("ARPNOMODIFY").is_empty() { "I" } else { "X" };
    let command = Value::Expand { expand: format!("MsiExec.exe /{switch}{}", info.product_code) };
    let [major, minor, build] = version(&info.product_version);
    let mut entry = vec![
        ("DisplayName", text(&info.product_name)),
        ("DisplayVersion", text(&info.product_version)),
        ("Publisher", text(&info.manufacturer)),
        ("InstallDate", Value::Text(date.replace('-', ""))),
        ("InstallSource", Value::Text(folder.unwrap_or_default())),
        ("ModifyPath", command.clone()),
        ("UninstallString", command),
        ("EstimatedSize", Value::Number(u32::try_from(size.div_ceil(1024)).unwrap_or(u32::MAX))),
        ("Language", Value::Number(property("ProductLanguage").parse().unwrap_or_default())),
        ("Version", Value::Number(major << 24 | minor << 16 | build)),
        ("VersionMajor", Value::Number(major)),
        ("VersionMinor", Value::Number(minor)),
        ("WindowsInstaller", Value::Number(1)),
    ];
    entry.extend(FROM_PROPERTIES.map(|(name, from)| (name, text(property(from)))));
    let on = SWITCHES.iter().filter(|(_, from)| !property(from).is_empty());
    entry.extend(on.map(|(name, _)| (*name, Value::Number(1))));
    entry
}

/// The first three numbers of a version, as far as Windows Installer stores them.
fn version(text: &str) -> [u32; 3] {
    let mut numbers = text.split('.').map(|part| part.trim().parse::<u32>().unwrap_or_default());
    let mut next = |limit: u32| numbers.next().unwrap_or_default().min(limit);
    [next(0xff), next(0xff), next(0xffff)]
}

/// Removes a product from the registry.
pub(super) fn unregister(facts: &mut MachineFacts, code: &str, scope: Scope) {
    facts.registry.remove(&scope.uninstall_key(code, facts.system.bits));
    let product = scope.product_key(code, facts);
    facts.registry.remove(&product);
    facts.registry.remove(&advertised_key(scope, code));
    facts.installed.retain(|known, _| !known.eq_ignore_ascii_case(code));
}
