//! How a product is registered: the keys by which Windows and its administrators find it.

use super::plan::Plan;
use crate::platform::disk::hash_bytes;
use crate::platform::facts::Bits;
use crate::platform::registry::{Value, View};
use crate::platform::simulated::MachineFacts;
use crate::platform::simulated::registry::real_path;
use crate::winpath::{PathError, WinPath};

const UNINSTALL: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall";
const PRODUCTS: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData\S-1-5-18\Products";

/// A product code as Windows Installer writes it in the names of its own keys: without punctuation, the first three
/// groups reversed, the digits of the rest swapped in pairs.
pub fn packed(code: &str) -> String {
    let digits: Vec<char> = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let mut rest = &digits[..];
    let mut out = String::with_capacity(32);
    for group in [8, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2] {
        let (head, tail) = rest.split_at(group.min(rest.len()));
        out.extend(head.iter().rev());
        rest = tail;
    }
    out
}

fn uninstall_key(code: &str, wow32: bool, bits: Bits) -> String {
    let view = if wow32 { View::Wow32 } else { View::Native };
    real_path(bits, view, &format!(r"{UNINSTALL}\{code}"))
}

fn product_key(code: &str) -> String {
    format!(r"{PRODUCTS}\{}", packed(code))
}

/// Where Windows Installer keeps its copy of a product's package. The name is the same whenever it is installed.
pub(super) fn cached(code: &str, facts: &MachineFacts) -> Result<WinPath, PathError> {
    let windows = facts.variable("SystemRoot").unwrap_or(r"C:\Windows");
    let name: String = hash_bytes(code.as_bytes()).chars().take(7).collect();
    WinPath::new(format!(r"{windows}\Installer\{name}.msi"))
}

/// The registered copy of a product's package, and whether it is a product of 32-bit Windows; `None` where no such
/// product is registered.
pub(super) fn registered(facts: &MachineFacts, code: &str) -> Option<(Option<WinPath>, bool)> {
    let has = |wow32| facts.registry.key(&uninstall_key(code, wow32, facts.system.bits)).is_some();
    let wow32 = !has(false);
    if wow32 && !has(true) {
        return None;
    }
    let value = facts.registry.value(&format!(r"{}\InstallProperties", product_key(code)), "LocalPackage");
    Some((value.and_then(Value::text).and_then(|path| WinPath::new(path).ok()), wow32))
}

/// Registers a product. `date` is the day, such as 2016-03-01.
pub(super) fn register(facts: &mut MachineFacts, plan: &Plan, source: &WinPath, size: u64, date: &str) {
    let info = &plan.info;
    let code = &info.product_code;
    let location = plan.layout.properties.get("ARPINSTALLLOCATION").cloned().unwrap_or_default();
    let folder =
        source.parent().map_or(String::new(), |folder| format!(r"{}\", folder.as_str().trim_end_matches('\\')));
    let text = |text: &str| Value::Text(text.to_owned());
    let values = [
        ("DisplayName", text(&info.product_name)),
        ("DisplayVersion", text(&info.product_version)),
        ("Publisher", text(&info.manufacturer)),
        ("InstallDate", Value::Text(date.replace('-', ""))),
        ("InstallLocation", Value::Text(location)),
        ("InstallSource", Value::Text(folder)),
        ("UninstallString", Value::Text(format!("MsiExec.exe /X{code}"))),
        ("EstimatedSize", Value::Number(u32::try_from(size.div_ceil(1024)).unwrap_or(u32::MAX))),
        ("WindowsInstaller", Value::Number(1)),
    ];
    let own = uninstall_key(code, plan.record.wow32, facts.system.bits);
    let properties = format!(r"{}\InstallProperties", product_key(code));
    for (name, value) in values {
        facts.registry.set(&properties, name, value.clone());
        facts.registry.set(&own, name, value);
    }
    facts.registry.set(&properties, "LocalPackage", text(plan.record.package.as_str()));
}

/// Takes a product out of the registry.
pub(super) fn unregister(facts: &mut MachineFacts, code: &str, wow32: bool) {
    facts.registry.remove(&uninstall_key(code, wow32, facts.system.bits));
    facts.registry.remove(&product_key(code));
    facts.installed.retain(|known, _| !known.eq_ignore_ascii_case(code));
}

#[cfg(test)]
mod tests {
    use super::packed;

    #[test]
    fn a_code_is_packed_as_windows_installer_does_it() {
        // .NET Framework 4.7.2 as it is found on real machines.
        assert_eq!(packed("{09CCBE8E-B964-30EF-AE84-6537AB4197F9}"), "E8EBCC90469BFE03EA485673BA14799F");
        assert_eq!(packed("{}"), "");
        // Packing is its own inverse.
        assert_eq!(packed("E8EBCC90469BFE03EA485673BA14799F"), "09CCBE8EB96430EFAE846537AB4197F9");
    }
}
