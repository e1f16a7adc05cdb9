//! The content of a package, as plain data.

use serde::{Deserialize, Serialize};

/// A file of the package: its row of the File table, with the attributes of its component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackagedFile {
    /// The key in the File table, which is also its name inside the cabinet.
    pub key: String,
    /// Its long name on disk.
    pub name: String,
    /// The key of its folder in the Directory table.
    pub directory: String,
    /// The key of its component.
    pub component: String,
    /// Its size in bytes when unpacked.
    pub size: u64,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// Its sequence number, which determines its cabinet.
    pub sequence: i32,
    /// False for a loose file beside the package.
    pub compressed: bool,
    /// Its name as a loose file.
    pub source_name: String,
    /// Whether it stays when the package is uninstalled.
    pub permanent: bool,
    /// Whether an existing file is kept.
    pub never_overwrite: bool,
}

/// When a service starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceStart {
    /// With Windows.
    Auto,
    /// On demand.
    Manual,
    /// Never.
    Disabled,
}

/// A service the package installs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceInstall {
    /// The name programs use; formatted text.
    pub name: String,
    /// The name people see; formatted text.
    pub display_name: String,
    /// When it starts.
    pub start: ServiceStart,
    /// The account it runs as; none for LocalSystem.
    pub account: Option<String>,
    /// Arguments after the program's path; formatted text.
    pub arguments: String,
    /// The key of its program in the File table.
    pub file: String,
    /// The key of its component.
    pub component: String,
}

/// What happens to a service around installing and uninstalling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceControl {
    /// The service's name; formatted text.
    pub name: String,
    /// Started when the package is installed.
    pub start_on_install: bool,
    /// Stopped when the package is installed.
    pub stop_on_install: bool,
    /// Deleted when the package is installed.
    pub delete_on_install: bool,
    /// Started when the package is uninstalled.
    pub start_on_uninstall: bool,
    /// Stopped when the package is uninstalled.
    pub stop_on_uninstall: bool,
    /// Deleted when the package is uninstalled.
    pub delete_on_uninstall: bool,
    /// The key of its component.
    pub component: String,
}

/// The root key of a registry row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistryRoot {
    /// HKEY_LOCAL_MACHINE or HKEY_CURRENT_USER, if the installation is for all users or for one.
    UserOrMachine,
    /// HKEY_CLASSES_ROOT
    ClassesRoot,
    /// HKEY_CURRENT_USER
    CurrentUser,
    /// HKEY_LOCAL_MACHINE
    LocalMachine,
    /// HKEY_USERS
    Users,
    /// An unknown number; Windows Installer does not write such a value.
    Unknown,
}

/// A value the package writes into the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryRow {
    /// The root key.
    pub root: RegistryRoot,
    /// The key below it; formatted text.
    pub key: String,
    /// The value's name; none for the key's default value. Formatted text.
    pub name: Option<String>,
    /// The value with its type prefix, as in the table; formatted text.
    pub value: Option<String>,
    /// The key of its component.
    pub component: String,
    /// Whether it is in the 64-bit view of the registry.
    pub wide: bool,
    /// Whether it stays when the package is uninstalled.
    pub permanent: bool,
}

/// A search for the value of a property before an installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// The property.
    pub property: String,
    /// Where its value is.
    pub place: Place,
}

/// Where Windows Installer searches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// A value in the registry.
    Registry {
        /// The root key.
        root: RegistryRoot,
        /// The key below it; formatted text.
        key: String,
        /// The value's name; empty for the key's default value. Formatted text.
        name: String,
        /// Whether it is in the 64-bit view of the registry.
        wide: bool,
    },
    /// A file, a folder, an INI file, a component, or what a registry value refers to.
    Elsewhere,
}

/// A feature of the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// Its name in ADDLOCAL and REMOVE.
    pub name: String,
    /// The feature it is part of.
    pub parent: Option<String>,
    /// Its display name.
    pub title: String,
    /// It is installed if INSTALLLEVEL is at least this; never if it is 0.
    pub level: i32,
    /// Whether it is installed whenever its parent is.
    pub follows_parent: bool,
    /// The keys of its components.
    pub components: Vec<String>,
}

/// A folder of the package: its row of the Directory table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// Its key, which is also the property with its path.
    pub key: String,
    /// The key of its parent folder; empty for a root.
    pub parent: String,
    /// Its long name; `.` if it is the parent folder itself.
    pub name: String,
}

/// A custom action in the order of an installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRow {
    /// Its name.
    pub name: String,
    /// Its type in the table, including options.
    pub kind: i32,
    /// Its source; the meaning depends on the type.
    pub source: String,
    /// Its target.
    pub target: String,
    /// The condition under which it runs.
    pub condition: String,
}
