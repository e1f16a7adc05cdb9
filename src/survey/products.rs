//! Installed products, and their components.

use crate::names::ProductCode;
use crate::package::{packed_code, unpacked_code};
use crate::plan::Component;
use crate::platform::registry::{Key, Value, View};
use crate::platform::{Context, Failure, Inspect, disk};
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};

const UNINSTALL: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall";
/// The data of Windows Installer: one key for each user, and `S-1-5-18` for all of them together.
const USER_DATA: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData";
const ALL_USERS: &str = "S-1-5-18";
/// The keys with the package codes of products: of products for all users, and of those for this user.
pub const ADVERTISED: [&str; 2] =
    [r"HKLM\SOFTWARE\Classes\Installer\Products", r"HKCU\SOFTWARE\Microsoft\Installer\Products"];

/// A product in "Programs and Features".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// The name of its uninstall key: a product code for a Windows Installer product.
    pub code: ProductCode,
    /// Its name.
    pub name: String,
    /// Its version; empty if it has none.
    pub version: String,
    /// Its publisher.
    pub publisher: String,
    /// The registry view it was found in.
    pub view: View,
    /// Whether it is a Windows Installer product.
    pub windows_installer: bool,
    /// Its package in the cache of Windows Installer.
    pub package: Option<WinPath>,
    /// The user it is installed for; `None` if it is installed for all users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

impl Product {
    /// Name and version.
    pub fn title(&self) -> String {
        format!("{} {}", self.name, self.version).trim_end().to_owned()
    }

    /// Whether the manufacturer of the agent published it, whatever its name.
    pub fn is_of_the_makers(&self) -> bool {
        let publisher = normalized(&self.publisher);
        publisher.contains("phonefactor") || publisher.contains("positive networks")
    }

    /// The first number of the version.
    pub fn major(&self) -> Option<u32> {
        major(&self.version)
    }

    /// Version 6 (2013) is the first Multi-Factor Authentication Server. A product without a readable version is
    /// classified by its name.
    pub fn is_new_era(&self) -> bool {
        self.major().map_or_else(|| !normalized(&self.name).contains("phonefactor"), |major| major >= NEW_ERA)
    }

    /// The component of this product, by its name.
    pub fn component(&self) -> Option<Component> {
        component_of(&self.name)
    }
}

/// The first version of Multi-Factor Authentication Server.
pub const NEW_ERA: u32 = 6;

/// The first number of a version.
pub fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.trim().parse().ok()
}

/// The component of a product, by its name. The names of the old products are not known for certain: the match is
/// shown, and the plan can specify a product by its code.
pub fn component_of(name: &str) -> Option<Component> {
    let name = normalized(name);
    if !(name.contains("phonefactor") || name.contains("multi factor authentication")) || name.contains("ad fs") {
        return None;
    }
    let has = |words: &str| name.contains(words);
    match () {
        () if has("adfs") => None,
        () if has("user portal") => Some(Component::Portal),
        () if has("web service sdk") => Some(Component::Sdk),
        () if has("mobile app web service") || has("phone app web service") => Some(Component::MobileApp),
        () if name.ends_with("agent") || name.ends_with("server") => Some(Component::Server),
        () => None,
    }
}

/// Lowercase, with single spaces, without version numbers or a suffix in parentheses.
fn normalized(name: &str) -> String {
    let name = name.split('(').next().unwrap_or_default().to_lowercase();
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words = words.filter(|word| !word.chars().all(|c| c.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}

/// Every product in both registry views, and those installed for one user only.
pub fn all(machine: &dyn Inspect) -> Result<Vec<Product>, Failure> {
    let mut all: Vec<Product> = Vec::new();
    let is_known = |all: &[Product], code: &str| all.iter().any(|seen| seen.code == *code);
    for view in [View::Native, View::Wow32] {
        let Some(uninstall) = machine.registry_key(view, UNINSTALL)? else { continue };
        for code in uninstall.keys {
            let Some(key) = machine.registry_key(view, &format!("{UNINSTALL}\\{code}"))? else { continue };
            if is_known(&all, &code) {
                continue; // On 32-bit Windows both views are the same.
            }
            all.extend(product(machine, view, code, &key, false)?);
        }
    }
    for user in machine.registry_key(View::Native, USER_DATA)?.unwrap_or_default().keys {
        let products = format!(r"{USER_DATA}\{user}\Products");
        for packed in machine.registry_key(View::Native, &products)?.unwrap_or_default().keys {
            if let Some(code) = unpacked_code(&packed)
                && !is_known(&all, &code)
            {
                all.extend(product_of_user(machine, &user, &code)?);
            }
        }
    }
    Ok(all)
}

/// The product with a code, whatever its name.
pub fn of_code(machine: &dyn Inspect, code: &str) -> Result<Option<Product>, Failure> {
    for view in [View::Native, View::Wow32] {
        if let Some(key) = machine.registry_key(view, &format!("{UNINSTALL}\\{code}"))? {
            return product(machine, view, code.to_ascii_uppercase(), &key, true);
        }
    }
    match user_of(machine, code)? {
        Some(user) => product_of_user(machine, &user, code),
        None => Ok(None),
    }
}

fn product(
    machine: &dyn Inspect,
    view: View,
    code: String,
    key: &Key,
    wanted: bool,
) -> Result<Option<Product>, Failure> {
    let Some(name) = key.text("DisplayName") else { return Ok(None) };
    let windows_installer = key.number("WindowsInstaller") == Some(1);
    let mut product = Product {
        name: name.to_owned(),
        version: key.text("DisplayVersion").unwrap_or_default().to_owned(),
        publisher: key.text("Publisher").unwrap_or_default().to_owned(),
        view,
        windows_installer,
        package: None,
        user: None,
        code: code.into(),
    };
    // Thousands of products may be installed; only ours need another query.
    if windows_installer && (wanted || product.component().is_some()) {
        let properties = installer_key(machine, &product.code, "InstallProperties")?;
        product.package = properties.and_then(|(_, key)| local_package(&key));
    }
    Ok(Some(product))
}

fn local_package(key: &Key) -> Option<WinPath> {
    key.text("LocalPackage").and_then(|path| WinPath::new(path).ok())
}

/// A product installed for one user.
fn product_of_user(machine: &dyn Inspect, user: &str, code: &str) -> Result<Option<Product>, Failure> {
    let Some(packed) = packed_code(code) else { return Ok(None) };
    let path = format!(r"{USER_DATA}\{user}\Products\{packed}\InstallProperties");
    let Some(key) = machine.registry_key(View::Native, &path)? else { return Ok(None) };
    let Some(name) = key.text("DisplayName") else { return Ok(None) };
    Ok(Some(Product {
        code: code.to_ascii_uppercase().into(),
        name: name.to_owned(),
        version: key.text("DisplayVersion").unwrap_or_default().to_owned(),
        publisher: key.text("Publisher").unwrap_or_default().to_owned(),
        view: View::Native,
        windows_installer: true,
        package: local_package(&key),
        user: (user != ALL_USERS).then(|| user.to_owned()),
    }))
}

/// The user a product is installed for.
fn user_of(machine: &dyn Inspect, code: &str) -> Result<Option<String>, Failure> {
    Ok(installer_key(machine, code, "InstallProperties")?.map(|(user, _)| user))
}

/// A key of Windows Installer below a product, with its user.
fn installer_key(machine: &dyn Inspect, code: &str, name: &str) -> Result<Option<(String, Key)>, Failure> {
    let Some(packed) = packed_code(code) else { return Ok(None) };
    let users = machine.registry_key(View::Native, USER_DATA)?.unwrap_or_default().keys;
    // Most are installed for all users.
    let all = users.iter().filter(|user| *user == ALL_USERS);
    for user in all.chain(users.iter().filter(|user| *user != ALL_USERS)) {
        let path = format!(r"{USER_DATA}\{user}\Products\{packed}\{name}");
        if let Some(key) = machine.registry_key(View::Native, &path)? {
            return Ok(Some((user.clone(), key)));
        }
    }
    Ok(None)
}

/// The patches and transforms applied to a product, by the names of their keys. Reinstalling the package would not
/// restore them.
pub fn applied(machine: &dyn Inspect, code: &str) -> Result<Vec<String>, Failure> {
    let mut all = Vec::new();
    if let Some((_, patches)) = installer_key(machine, code, "Patches")? {
        all.extend(patches.keys.iter().map(|patch| format!("patch {patch}")));
    }
    if let Some((_, transforms)) = installer_key(machine, code, "Transforms")? {
        let names = transforms.values.values().filter_map(Value::text).filter(|name| !name.is_empty());
        all.extend(names.map(|name| format!("transform {name}")));
    }
    Ok(all)
}

/// The patches of a product that Windows Installer has lost, by their paths. It needs them to uninstall the product.
pub fn lost_patches(machine: &dyn Inspect, code: &str) -> Result<Vec<String>, Failure> {
    let Some((user, patches)) = installer_key(machine, code, "Patches")? else { return Ok(Vec::new()) };
    let mut lost = Vec::new();
    for patch in patches.keys {
        let key = machine.registry_key(View::Native, &format!(r"{USER_DATA}\{user}\Patches\{patch}"))?;
        let Some(path) = key.as_ref().and_then(local_package) else { continue };
        if !disk::exists(machine.files(), &path).context(format!("look for the patch {path}"))? {
            lost.push(path.to_string());
        }
    }
    Ok(lost)
}

/// The code of the package that a product was installed from, if Windows Installer knows it.
pub fn package_code(machine: &dyn Inspect, code: &str) -> Result<Option<String>, Failure> {
    let Some(packed) = packed_code(code) else { return Ok(None) };
    for products in ADVERTISED {
        let key = machine.registry_key(View::Native, &format!(r"{products}\{packed}"))?;
        if let Some(code) = key.as_ref().and_then(|key| key.text("PackageCode")).and_then(unpacked_code) {
            return Ok(Some(code));
        }
    }
    Ok(None)
}

/// The folder that a product was installed from, as far as known.
pub fn install_source(machine: &dyn Inspect, code: &str) -> Result<Option<String>, Failure> {
    let found = installer_key(machine, code, "InstallProperties")?;
    let source = found.and_then(|(_, key)| key.text("InstallSource").map(str::to_owned));
    Ok(source.filter(|folder| !folder.is_empty()))
}

/// The folder of a product, if its setup registered one.
pub fn install_location(machine: &dyn Inspect, product: &Product) -> Result<Option<WinPath>, Failure> {
    let own = machine.registry_key(product.view, &format!("{UNINSTALL}\\{}", product.code))?;
    let properties = installer_key(machine, &product.code, "InstallProperties")?.map(|(_, key)| key);
    let keys = [own, properties];
    let folder = |key: &Key| WinPath::new(key.text("InstallLocation")?.trim_matches('"')).ok();
    Ok(keys.iter().flatten().find_map(folder))
}

/// The products whose names match `component`.
pub fn of(machine: &dyn Inspect, component: Component) -> Result<Vec<Product>, Failure> {
    let mut found = all(machine)?;
    found.retain(|product| product.component() == Some(component));
    Ok(found)
}

/// Whether a product of a component is installed that is not one of the old ones.
pub fn is_newer_installed(
    machine: &dyn Inspect,
    component: Component,
    old_codes: &[ProductCode],
) -> Result<bool, Failure> {
    let is_old = |product: &Product| old_codes.contains(&product.code);
    Ok(of(machine, component)?.iter().any(|product| !is_old(product)))
}

/// Whether a product with this code is registered, whatever its name.
pub fn is_installed(machine: &dyn Inspect, code: &str) -> Result<bool, Failure> {
    for view in [View::Native, View::Wow32] {
        if machine.registry_key(view, &format!("{UNINSTALL}\\{code}"))?.is_some() {
            return Ok(true);
        }
    }
    Ok(user_of(machine, code)?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, version: &str) -> Product {
        Product {
            code: ProductCode::default(),
            name: name.to_owned(),
            version: version.to_owned(),
            publisher: String::new(),
            view: View::Native,
            windows_installer: true,
            package: None,
            user: None,
        }
    }

    #[test]
    fn names_of_both_eras_are_recognised() {
        for (name, component) in [
            ("PhoneFactor Agent", Some(Component::Server)),
            ("PhoneFactor User Portal", Some(Component::Portal)),
            ("PhoneFactor Web Service SDK", Some(Component::Sdk)),
            ("PhoneFactor Phone App Web Service", Some(Component::MobileApp)),
            ("PhoneFactor Mobile App Web Service 5.2", Some(Component::MobileApp)),
            ("Multi-Factor Authentication Server", Some(Component::Server)),
            ("Azure Multi-Factor Authentication Server (x64)", Some(Component::Server)),
            ("Windows Azure Multi-Factor Authentication User Portal", Some(Component::Portal)),
            ("Multi-Factor Authentication AD FS Adapter", None),
            ("Multi-Factor Authentication ADFS Adapter Server", None),
            ("Microsoft SQL Server", None),
        ] {
            assert_eq!(named(name, "").component(), component, "{name}");
        }
    }

    #[test]
    fn the_era_is_told_by_the_version_or_else_by_the_name() {
        assert!(!named("PhoneFactor Agent", "5.2.5").is_new_era());
        assert!(named("PhoneFactor Agent", "6.0.0").is_new_era());
        assert!(!named("PhoneFactor Agent", "").is_new_era());
        assert!(named("Multi-Factor Authentication Server", "").is_new_era());
    }
}
