//! The registry of a simulated machine (learn.microsoft.com, "Registry Redirector" and "Registry Element Size Limits":
//! names are not case-sensitive, and 32-bit programs have their own part of `HKLM\SOFTWARE` on 64-bit Windows).

use crate::platform::facts::Bits;
use crate::platform::registry::{Key, Tree, Value, View};
use crate::winpath::fold;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

type Values = BTreeMap<String, Value>;

/// All keys with values or without subkeys; their parents are implied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Values>", into = "BTreeMap<String, Values>")]
pub struct Registry {
    /// By the folded path; then the path as given.
    keys: BTreeMap<String, (String, Values)>,
}

impl From<BTreeMap<String, Values>> for Registry {
    fn from(given: BTreeMap<String, Values>) -> Self {
        let mut registry = Self::default();
        for (path, values) in given {
            let path = tidy(&path);
            let (_, known) = registry.keys.entry(fold(&path)).or_insert_with(|| (path, Values::new()));
            known.extend(values);
        }
        registry
    }
}

impl From<Registry> for BTreeMap<String, Values> {
    fn from(registry: Registry) -> Self {
        registry.keys.into_values().collect()
    }
}

/// A path without doubled or trailing backslashes and with the short name of its root.
fn tidy(path: &str) -> String {
    let mut parts: Vec<&str> = path.split('\\').filter(|part| !part.is_empty()).collect();
    if let Some(root) = parts.first_mut() {
        *root = match root.to_ascii_uppercase().as_str() {
            "HKEY_LOCAL_MACHINE" => "HKLM",
            "HKEY_CURRENT_USER" => "HKCU",
            "HKEY_CLASSES_ROOT" => "HKCR",
            "HKEY_USERS" => "HKU",
            _ => root,
        };
    }
    parts.join("\\")
}

/// The real path of a key in a view: 32-bit programs have their own part of the registry on 64-bit Windows.
pub(super) fn real_path(bits: Bits, view: View, path: &str) -> String {
    const OWN: &str = r"HKLM\SOFTWARE";
    let path = tidy(path);
    if bits == Bits::X86 || view == View::Native {
        return path;
    }
    let Some((head, below)) = path.split_at_checked(OWN.len()) else { return path };
    let redirected = head.eq_ignore_ascii_case(OWN) && (below.is_empty() || below.starts_with('\\'));
    let first = below.trim_start_matches('\\').split('\\').next().unwrap_or_default();
    if redirected && !first.eq_ignore_ascii_case("Wow6432Node") { format!(r"{head}\Wow6432Node{below}") } else { path }
}

impl Registry {
    /// The keys below `path`: their relative paths, as given, and their values.
    fn below<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (&'a str, &'a Values)> {
        let prefix = format!("{}\\", fold(path));
        let parts = path.split('\\').count();
        self.keys.range(prefix.clone()..).take_while(move |(key, _)| key.starts_with(&prefix)).map(
            move |(_, (given, values))| {
                let rest = given.splitn(parts + 1, '\\').last().unwrap_or_default();
                (rest, values)
            },
        )
    }

    /// One key, by its real path.
    pub fn key(&self, path: &str) -> Option<Key> {
        let path = tidy(path);
        let own = self.keys.get(&fold(&path)).map(|(_, values)| values);
        let mut keys: Vec<String> = Vec::new();
        for (rest, _) in self.below(&path) {
            let name = rest.split('\\').next().unwrap_or_default();
            if !keys.iter().any(|known| fold(known) == fold(name)) {
                keys.push(name.to_owned());
            }
        }
        let exists = own.is_some() || !keys.is_empty();
        exists.then(|| Key { values: own.cloned().unwrap_or_default(), keys })
    }

    /// A value, by the real path of its key.
    pub fn value(&self, path: &str, name: &str) -> Option<&Value> {
        let name = fold(name);
        let (_, values) = self.keys.get(&fold(&tidy(path)))?;
        values.iter().find(|(key, _)| fold(key) == name).map(|(_, value)| value)
    }

    /// Writes a value; an existing name keeps its case.
    pub fn set(&mut self, path: &str, name: &str, value: Value) {
        let path = tidy(path);
        let (_, values) = self.keys.entry(fold(&path)).or_insert_with(|| (path, Values::new()));
        let known = values.keys().find(|key| fold(key) == fold(name)).cloned();
        values.insert(known.unwrap_or_else(|| name.to_owned()), value);
    }

    /// Creates a key if it does not exist.
    pub fn create(&mut self, path: &str) {
        let path = tidy(path);
        self.keys.entry(fold(&path)).or_insert_with(|| (path, Values::new()));
    }

    /// Removes a value, and its key if that becomes empty.
    pub fn unset(&mut self, path: &str, name: &str) {
        let path = tidy(path);
        let key = fold(&path);
        let Some((_, values)) = self.keys.get_mut(&key) else { return };
        values.retain(|known, _| fold(known) != fold(name));
        if values.is_empty() {
            self.keys.remove(&key);
        }
    }

    /// Removes a key with all subkeys.
    pub fn remove(&mut self, path: &str) {
        let key = fold(&tidy(path));
        let prefix = format!("{key}\\");
        self.keys.retain(|known, _| *known != key && !known.starts_with(&prefix));
    }

    /// Makes a key identical to `tree`.
    pub fn import(&mut self, path: &str, tree: &Tree) {
        let path = tidy(path);
        self.remove(&path);
        self.put(&path, tree);
    }

    fn put(&mut self, path: &str, tree: &Tree) {
        if !tree.values.is_empty() || tree.keys.is_empty() {
            self.keys.insert(fold(path), (path.to_owned(), tree.values.clone()));
        }
        for (name, below) in &tree.keys {
            self.put(&format!("{path}\\{name}"), below);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Registry {
        let mut registry = Registry::default();
        registry.set(
            r"HKLM\SOFTWARE\Wow6432Node\Positive Networks\PhoneFactor",
            "InstallPath",
            Value::Text("x".into()),
        );
        registry.set(r"HKLM\SOFTWARE\Wow6432Node\positive networks\Other\Deep", "", Value::Number(1));
        registry.set(r"HKLM\SOFTWARE\Wow6432NodeX", "a", Value::Number(2));
        registry
    }

    #[test]
    fn a_32_bit_program_sees_its_own_software_key() {
        let asked = r"HKEY_LOCAL_MACHINE\software\Positive Networks\";
        let wow = real_path(Bits::X64, View::Wow32, asked);
        assert_eq!(wow, r"HKLM\software\Wow6432Node\Positive Networks");
        assert_eq!(real_path(Bits::X64, View::Wow32, &wow), wow);
        assert_eq!(real_path(Bits::X64, View::Wow32, r"HKLM\SOFTWARES\a"), r"HKLM\SOFTWARES\a");
        assert_eq!(real_path(Bits::X86, View::Wow32, asked), r"HKLM\software\Positive Networks");
        assert_eq!(real_path(Bits::X64, View::Native, asked), r"HKLM\software\Positive Networks");
    }

    #[test]
    fn keys_above_are_implied_and_names_ignore_case() {
        let registry = registry();
        let key = registry.key(r"hklm\software\WOW6432NODE\positive networks").expect("implied");
        assert_eq!(key.keys, ["Other", "PhoneFactor"]);
        assert!(key.values.is_empty());
        assert_eq!(
            registry.value(r"HKLM\Software\Wow6432Node\Positive Networks\phonefactor", "INSTALLPATH"),
            Some(&Value::Text("x".into()))
        );
        assert_eq!(registry.key(r"HKLM\SOFTWARE\Wow6432Node\Positive"), None);
    }

    #[test]
    fn unsetting_the_last_value_removes_the_key() {
        let mut registry = registry();
        registry.unset(r"HKLM\SOFTWARE\Wow6432Node\Positive Networks\PhoneFactor", "installpath");
        let key = registry.key(r"HKLM\SOFTWARE\Wow6432Node\Positive Networks").expect("the other one is left");
        assert_eq!(key.keys, ["Other"]);
    }

    #[test]
    fn importing_makes_the_key_exactly_that() {
        let mut registry = registry();
        let empty = Tree { keys: BTreeMap::from([("Sub".to_owned(), Tree::default())]), ..Tree::default() };
        registry.import(r"HKLM\SOFTWARE\Wow6432Node\Positive Networks", &empty);
        let key = registry.key(r"HKLM\SOFTWARE\Wow6432Node\Positive Networks").expect("imported");
        assert_eq!((key.keys, key.values), (vec!["Sub".to_owned()], BTreeMap::new()));
        assert!(registry.key(r"HKLM\SOFTWARE\Wow6432NodeX").is_some());
    }
}
