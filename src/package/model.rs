//! What a package holds, as plain data.

use serde::{Deserialize, Serialize};

/// A file of the package: its row of the File table, with what its component says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackagedFile {
    /// The key in the File table, which is also its name inside the cabinet.
    pub key: String,
    /// The long name it gets on disk.
    pub name: String,
    /// The key of its folder in the Directory table.
    pub directory: String,
    /// The key of its component.
    pub component: String,
    /// Its size in bytes when unpacked.
    pub size: u64,
    /// Its version, for files that have one.
    pub version: Option<String>,
    /// Its place in the order of all files, which decides the cabinet it is in.
    pub sequence: i32,
    /// False for a file that lies loose beside the package.
    pub compressed: bool,
    /// The name it has where it lies loose.
    pub source_name: String,
    /// True where it stays when the package is uninstalled.
    pub permanent: bool,
    /// True where a file that is there already stays as it is.
    pub never_overwrite: bool,
}

/// When a service starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceStart {
    /// With the machine.
    Auto,
    /// When asked to.
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
    /// Arguments behind the program's path; formatted text.
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

/// The root a registry row is written below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistryRoot {
    /// The machine's or the user's software, as the installation is for all users or for one.
    UserOrMachine,
    /// HKEY_CLASSES_ROOT
    ClassesRoot,
    /// HKEY_CURRENT_USER
    CurrentUser,
    /// HKEY_LOCAL_MACHINE
    LocalMachine,
    /// HKEY_USERS
    Users,
    /// A number that means nothing to Windows Installer, which does not write such a value.
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
    /// The value with its type prefix, as it stands in the table; formatted text.
    pub value: Option<String>,
    /// The key of its component.
    pub component: String,
    /// True where it goes to the 64-bit view of the registry.
    pub wide: bool,
    /// True where it stays when the package is uninstalled.
    pub permanent: bool,
}

/// A part of the product that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// The name by which ADDLOCAL and REMOVE call it.
    pub name: String,
    /// The feature it is part of.
    pub parent: Option<String>,
    /// The name people see.
    pub title: String,
    /// It is installed where INSTALLLEVEL is at least this; never where it is 0.
    pub level: i32,
    /// True where it is installed whenever its parent is.
    pub follows_parent: bool,
    /// The keys of its components.
    pub components: Vec<String>,
}

/// A folder of the package: its row of the Directory table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// Its key, which is also the property that holds its path.
    pub key: String,
    /// The key of the folder it lies in; empty for a root.
    pub parent: String,
    /// The long name it gets; `.` where it is the folder it lies in.
    pub name: String,
}

/// A custom action in the order of an installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRow {
    /// Its name.
    pub name: String,
    /// Its type as it stands in the table, options included.
    pub kind: i32,
    /// What it works on; its meaning depends on the type.
    pub source: String,
    /// What it does with that.
    pub target: String,
    /// The condition under which it runs.
    pub condition: String,
}
