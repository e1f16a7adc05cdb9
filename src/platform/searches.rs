//! What the searches of a package find in the registry.

use super::Failure;
use super::facts::Bits;
use super::registry::{Key, Value, View};
use crate::package::{Place, Property, RegistryRoot, Search};
use std::collections::BTreeMap;

/// Reads a registry key.
type ReadKey<'a> = dyn Fn(View, &str) -> Result<Option<Key>, Failure> + 'a;

/// The properties that searches set, with what becomes of them on a Windows of `bits`, whose keys `key` reads.
pub fn found(searches: &[Search], bits: Bits, key: &ReadKey<'_>) -> BTreeMap<String, Property> {
    let mut all = BTreeMap::new();
    for search in searches {
        let found = find(&search.place, bits, key);
        let known = all.entry(search.property.clone()).or_insert(Property::Absent);
        *known = match (&*known, found) {
            (Property::Absent, found) => found,
            (known, Property::Absent) => known.clone(),
            (known, found) if *known == found => found,
            _ => Property::Unknown("several searches find different values".to_owned()),
        };
    }
    all
}

/// The place of a search, in words.
pub fn place(place: &Place) -> String {
    match place {
        Place::Registry { root: RegistryRoot::LocalMachine, key, name, .. } => {
            let name = if name.is_empty() { "(Default)" } else { name };
            format!(r"HKLM\{key}, {name}")
        }
        Place::Registry { .. } => "the registry, outside HKLM".to_owned(),
        Place::Elsewhere => "files, folders or components".to_owned(),
    }
}

fn find(searched: &Place, bits: Bits, read: &ReadKey<'_>) -> Property {
    let unknown = |why: String| Property::Unknown(why);
    let Place::Registry { root: RegistryRoot::LocalMachine, key, name, wide } = searched else {
        return unknown(format!("it is searched for in {}", place(searched)));
    };
    if key.contains('[') || name.contains('[') {
        return unknown(format!("its place depends on other properties: {}", place(searched)));
    }
    let view = if *wide || bits == Bits::X86 { View::Native } else { View::Wow32 };
    match read(view, &format!(r"HKLM\{key}")) {
        Err(failure) => unknown(failure.to_string()),
        Ok(found) => match found.as_ref().and_then(|found| found.value(name)) {
            None => Property::Absent,
            Some(value) => formatted(value)
                .map_or_else(|| unknown(format!("{} has an unusual type", place(searched))), Property::Is),
        },
    }
}

/// A registry value as Windows Installer gives it to a property; `None` for a type that its documentation (table
/// RegLocator, "Remarks") does not name.
pub fn formatted(value: &Value) -> Option<String> {
    const BINARY: u32 = 3;
    match value {
        Value::Text(text) if text.starts_with('#') => Some(format!("#{text}")),
        Value::Text(text) => Some(text.clone()),
        Value::Number(number) => Some(format!("#{}", number.cast_signed())),
        Value::List(texts) => Some(format!("[~]{}[~]", texts.join("[~]"))),
        Value::Expand { expand } => Some(format!("#%{expand}")),
        Value::Binary { kind: BINARY, bytes } => {
            Some(bytes.iter().fold("#x".to_owned(), |text, byte| format!("{text}{byte:02X}")))
        }
        Value::Binary { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_marks_of_their_types() {
        let cases = [
            (Value::Text("Version 8.5".to_owned()), Some("Version 8.5")),
            (Value::Text("#4".to_owned()), Some("##4")),
            (Value::Number(10), Some("#10")),
            (Value::Number(u32::MAX), Some("#-1")),
            (Value::Expand { expand: r"%windir%\x".to_owned() }, Some(r"#%%windir%\x")),
            (Value::Binary { kind: 3, bytes: vec![0, 0xAB] }, Some("#x00AB")),
            (Value::Binary { kind: 11, bytes: vec![0] }, None),
            (Value::List(vec!["a".to_owned(), "b".to_owned()]), Some("[~]a[~]b[~]")),
        ];
        for (value, expected) in cases {
            assert_eq!(formatted(&value).as_deref(), expected, "{value:?}");
        }
    }

    #[test]
    fn each_search_reads_its_own_view_and_nothing_else_is_guessed() {
        let search = |root, key: &str, wide| Search {
            property: "P".to_owned(),
            place: Place::Registry { root, key: key.to_owned(), name: "Major".to_owned(), wide },
        };
        let read = |view: View, path: &str| {
            let number = if view == View::Native { 10 } else { 8 };
            let key = Key { values: [("major".to_owned(), Value::Number(number))].into(), keys: Vec::new() };
            Ok((path == r"HKLM\Soft").then_some(key))
        };
        let machine = RegistryRoot::LocalMachine;
        let cases = [
            (search(machine, "Soft", true), Bits::X64, Property::Is("#10".to_owned())),
            (search(machine, "Soft", false), Bits::X64, Property::Is("#8".to_owned())),
            (search(machine, "Soft", false), Bits::X86, Property::Is("#10".to_owned())),
            (search(machine, "Other", true), Bits::X64, Property::Absent),
        ];
        for (search, bits, expected) in cases {
            assert_eq!(found(&[search], bits, &read)["P"], expected);
        }
        let elsewhere = Search { property: "P".to_owned(), place: Place::Elsewhere };
        let user = search(RegistryRoot::CurrentUser, "Soft", true);
        for search in [elsewhere, user, search(machine, "[KEY]", true)] {
            assert!(matches!(found(&[search], Bits::X64, &read)["P"], Property::Unknown(_)));
        }
        let both = [search(machine, "Soft", true), search(machine, "Soft", false)];
        assert!(matches!(found(&both, Bits::X64, &read)["P"], Property::Unknown(_)));
    }
}
