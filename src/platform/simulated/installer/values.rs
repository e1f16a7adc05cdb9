//! Registry rows of a package as values of a registry (learn.microsoft.com, "Registry Table": the prefixes of values, and
//! `+`, `-` and `*` in the place of a name).

use crate::package::{Layout, RegistryRoot, RegistryRow};
use crate::platform::facts::Bits;
use crate::platform::registry::{Value, View};
use crate::platform::simulated::Registry;
use crate::platform::simulated::registry::real_path;

/// The effect of rows of the Registry table.
#[derive(Debug, Default)]
pub(super) struct RegistryWork {
    /// Values to write: key, as a 64-bit program sees it, name and value.
    pub(super) values: Vec<(String, String, Value)>,
    /// Keys to create.
    pub(super) made: Vec<String>,
    /// The values that are removed when the package is uninstalled.
    pub(super) own_values: Vec<(String, String)>,
    /// The keys that are removed then, with all subkeys.
    pub(super) own_keys: Vec<String>,
}

impl RegistryWork {
    /// The effect of rows on a machine with this registry.
    pub(super) fn new<'a>(
        rows: impl Iterator<Item = &'a RegistryRow>,
        layout: &Layout,
        bits: Bits,
        per_user: bool,
        registry: &Registry,
    ) -> Self {
        let mut work = Self::default();
        for row in rows {
            // A text that grows without limit is not a valid name or value.
            let _: Option<()> = work.add(row, layout, bits, per_user, registry);
        }
        work
    }

    fn add(
        &mut self,
        row: &RegistryRow,
        layout: &Layout,
        bits: Bits,
        per_user: bool,
        registry: &Registry,
    ) -> Option<()> {
        let root = match row.root {
            RegistryRoot::UserOrMachine if per_user => "HKCU",
            RegistryRoot::UserOrMachine | RegistryRoot::LocalMachine => "HKLM",
            RegistryRoot::ClassesRoot if per_user => r"HKCU\SOFTWARE\Classes",
            RegistryRoot::ClassesRoot => r"HKLM\SOFTWARE\Classes",
            RegistryRoot::CurrentUser => "HKCU",
            RegistryRoot::Users => "HKU",
            RegistryRoot::Unknown => return None,
        };
        let view = if row.wide { View::Native } else { View::Wow32 };
        let key = real_path(bits, view, &format!(r"{root}\{}", layout.fill_in(&row.key)?));
        let name = row.name.as_deref().unwrap_or_default();
        if row.value.is_none() && matches!(name, "+" | "-" | "*") {
            if name != "-" {
                self.made.push(key.clone());
            }
            if name != "+" && !row.permanent {
                self.own_keys.push(key);
            }
            return Some(());
        }
        let name = layout.fill_in(name)?;
        let value = typed(&layout.fill_in(row.value.as_deref().unwrap_or_default())?, registry.value(&key, &name));
        if !row.permanent {
            self.own_values.push((key.clone(), name.clone()));
        }
        self.values.push((key, name, value));
        Some(())
    }
}

/// The prefixes of the Registry table's values define their type. A list may extend an existing one.
fn typed(text: &str, there: Option<&Value>) -> Value {
    let plain = || Value::Text(text.strip_prefix("##").map_or(text.to_owned(), |rest| format!("#{rest}")));
    if text.contains('\0') {
        return Value::List(list(text, there));
    }
    let Some(rest) = text.strip_prefix('#') else { return plain() };
    if let Some(expand) = rest.strip_prefix('%') {
        return Value::Expand { expand: expand.to_owned() };
    }
    if let Some(hex) = rest.strip_prefix('x') {
        let digits: Vec<u8> = hex.chars().filter_map(|c| c.to_digit(16)).filter_map(|d| u8::try_from(d).ok()).collect();
        let bytes = digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
        return Value::Binary { kind: 3, bytes };
    }
    // A negative number has the same 32 bits.
    match rest.parse::<i64>() {
        Ok(number) => Value::Number(u32::try_from(number & 0xffff_ffff).unwrap_or_default()),
        Err(_) => plain(),
    }
}

/// A list that starts with a separator is appended to the existing one, one that ends with it is prepended. Items are
/// never duplicated, so writing it again changes nothing.
fn list(text: &str, there: Option<&Value>) -> Vec<String> {
    let own: Vec<String> = text.split('\0').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let (behind, before) = (text.starts_with('\0'), text.ends_with('\0'));
    let Some(Value::List(there)) = there.filter(|_| behind != before) else { return own };
    let others = there.iter().filter(|part| !own.contains(part)).cloned();
    match behind {
        true => others.chain(own.iter().cloned()).collect(),
        false => own.iter().cloned().chain(others).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_type_of_their_prefix() {
        assert_eq!(typed("#10", None), Value::Number(10));
        assert_eq!(typed("#-1", None), Value::Number(u32::MAX));
        assert_eq!(typed("##10", None), Value::Text("#10".to_owned()));
        assert_eq!(typed("#%%ProgramData%\\x", None), Value::Expand { expand: "%ProgramData%\\x".to_owned() });
        assert_eq!(typed("#x0aFF", None), Value::Binary { kind: 3, bytes: vec![10, 255] });
        assert_eq!(typed("a\0b\0", None), Value::List(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(typed("plain", None), Value::Text("plain".to_owned()));
    }

    #[test]
    fn a_list_may_add_to_the_one_that_is_there() {
        let list = |parts: &[&str]| Value::List(parts.iter().map(|part| (*part).to_owned()).collect());
        let there = list(&["x", "a"]);
        for (text, expected) in [
            ("\0a\0b", &["x", "a", "b"][..]),
            ("a\0b\0", &["a", "b", "x"]),
            ("a\0b", &["a", "b"]),
            ("\0a\0b\0", &["a", "b"]),
        ] {
            assert_eq!(typed(text, Some(&there)), list(expected), "{text:?}");
            assert_eq!(typed(text, Some(&typed(text, Some(&there)))), list(expected), "{text:?} again");
        }
        assert_eq!(typed("\0a", Some(&Value::Number(1))), list(&["a"]));
    }
}
