//! The registry, as far as this program reads and restores it.

use super::disk::{self, Disk, ReadDisk};
use super::{Context, Failure, Inspect};
use crate::winpath::{WinPath, fold};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A registry view of 64-bit Windows. On 32-bit Windows both are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    /// What 64-bit programs see.
    Native,
    /// What 32-bit programs see: `HKLM\SOFTWARE\Wow6432Node` on 64-bit Windows.
    Wow32,
}

/// A registry value with its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// REG_SZ.
    Text(String),
    /// REG_DWORD.
    Number(u32),
    /// REG_MULTI_SZ.
    List(Vec<String>),
    /// REG_EXPAND_SZ.
    Expand {
        /// The text, not expanded.
        expand: String,
    },
    /// REG_BINARY, or any type without its own variant.
    Binary {
        /// The number of the type in `winnt.h`; 3 is REG_BINARY.
        kind: u32,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

impl Value {
    /// The text of REG_SZ and REG_EXPAND_SZ.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) | Value::Expand { expand: text } => Some(text),
            _ => None,
        }
    }
}

/// A key: its values and the names of its subkeys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Key {
    /// The values; the default value has the empty name.
    #[serde(default)]
    pub values: BTreeMap<String, Value>,
    /// The names of the keys below.
    #[serde(default)]
    pub keys: Vec<String>,
}

impl Key {
    /// A value by its name, which the registry matches ignoring case.
    pub fn value(&self, name: &str) -> Option<&Value> {
        let name = fold(name);
        self.values.iter().find(|(key, _)| fold(key) == name).map(|(_, value)| value)
    }

    /// The text of a value; `None` if it is missing or empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::text).filter(|text| !text.is_empty())
    }

    /// The number of a value.
    pub fn number(&self, name: &str) -> Option<u32> {
        match self.value(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }
}

/// A key with all subkeys, as it is exported, stored and restored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tree {
    /// The values of the key itself.
    #[serde(default)]
    pub values: BTreeMap<String, Value>,
    /// The keys below, by their names.
    #[serde(default)]
    pub keys: BTreeMap<String, Tree>,
}

/// The maximum size of an exported key.
const EXPORT_LIMIT: u64 = 64 << 20;

/// Exports a key with all subkeys to a file.
pub(super) fn export(
    machine: &dyn Inspect,
    disk: &dyn Disk,
    view: View,
    key: &str,
    to: &WinPath,
) -> Result<(), Failure> {
    let doing = format!("export the registry key {key} to {to}");
    let text = serde_json::to_vec_pretty(&machine.registry_tree(view, key)?).context(&doing)?;
    disk::replace(disk, to, &text).context(&doing)
}

/// Reads what an export of a key wrote; `None` if there was no such key.
pub fn exported(disk: &dyn ReadDisk, key: &str, from: &WinPath) -> Result<Option<Tree>, Failure> {
    let doing = format!("restore the registry key {key} from {from}");
    let text = disk::read(disk, from, EXPORT_LIMIT).context(&doing)?;
    serde_json::from_slice(&text).context(&doing)
}
