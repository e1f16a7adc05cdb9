//! Conversion between registry values and their bytes.
//!
//! A value is decoded as a text, a number or a list only if encoding it gives the same bytes; any other is kept raw. So
//! an exported key is restored byte for byte.

use crate::platform::registry::Value;

/// Types of values, as defined in `winnt.h`.
pub(in crate::platform::windows) const SZ: u32 = 1;
const EXPAND_SZ: u32 = 2;
const DWORD: u32 = 4;
const MULTI_SZ: u32 = 7;

/// Decodes a value from its type and bytes.
pub(in crate::platform::windows) fn decode(kind: u32, bytes: &[u8]) -> Value {
    let raw = || Value::Binary { kind, bytes: bytes.to_vec() };
    let value = match kind {
        SZ => text(bytes).map(Value::Text),
        EXPAND_SZ => text(bytes).map(|expand| Value::Expand { expand }),
        DWORD => bytes.try_into().ok().map(|number| Value::Number(u32::from_le_bytes(number))),
        MULTI_SZ => list(bytes).map(Value::List),
        _ => None,
    };
    value.filter(|value| encode(value) == (kind, bytes.to_vec())).unwrap_or_else(raw)
}

/// Encodes a value to its type and bytes.
pub(in crate::platform::windows) fn encode(value: &Value) -> (u32, Vec<u8>) {
    match value {
        Value::Text(text) => (SZ, terminated(text).collect()),
        Value::Expand { expand } => (EXPAND_SZ, terminated(expand).collect()),
        Value::Number(number) => (DWORD, number.to_le_bytes().to_vec()),
        Value::List(all) => (MULTI_SZ, all.iter().flat_map(|text| terminated(text)).chain([0, 0]).collect()),
        Value::Binary { kind, bytes } => (*kind, bytes.clone()),
    }
}

/// The strings of a REG_MULTI_SZ, including empty ones; anything after the terminator of the list is ignored.
pub(in crate::platform::windows) fn list(bytes: &[u8]) -> Option<Vec<String>> {
    let units = units(bytes);
    let inner = units.strip_suffix(&[0]).unwrap_or(&units);
    let inner = inner.strip_suffix(&[0]).map_or(inner, |inner| inner);
    if units.len() <= 1 {
        return Some(Vec::new());
    }
    inner.split(|unit| *unit == 0).map(|text| String::from_utf16(text).ok()).collect()
}

/// The text of a value, up to the terminator, which may be missing.
pub(in crate::platform::windows) fn text(bytes: &[u8]) -> Option<String> {
    let units = units(bytes);
    String::from_utf16(units.strip_suffix(&[0]).unwrap_or(&units)).ok()
}

fn units(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect()
}

fn terminated(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes)
}

/// The files that the next restart of Windows renames or deletes, from PendingFileRenameOperations: pairs of a file and
/// its new name, which is empty for a deletion.
pub(in crate::platform::windows) fn pending_renames(pairs: &[String]) -> Vec<String> {
    let plain = |path: &str| {
        let path = path.trim_start_matches(['!', '*', '1', '2']);
        path.strip_prefix(r"\??\").unwrap_or(path).to_owned()
    };
    pairs.iter().map(|path| plain(path)).filter(|path| !path.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn every_type_is_told() {
        assert_eq!(decode(1, &wide("C:\\x\\\0")), Value::Text("C:\\x\\".to_owned()));
        assert_eq!(decode(2, &wide("%TEMP%\0")), Value::Expand { expand: "%TEMP%".to_owned() });
        assert_eq!(decode(4, &[5, 0, 0, 0]), Value::Number(5));
        assert_eq!(decode(7, &wide("a\0b\0\0")), Value::List(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(decode(3, &[1, 2]), Value::Binary { kind: 3, bytes: vec![1, 2] });
        assert_eq!(decode(11, &[0; 8]), Value::Binary { kind: 11, bytes: vec![0; 8] });
    }

    #[test]
    fn what_would_not_come_back_is_kept_raw() {
        for (kind, bytes) in
            [(1, wide("unterminated")), (1, vec![65]), (4, vec![1, 2]), (7, wide("a")), (1, wide("\u{0}\u{0}"))]
        {
            assert_eq!(encode(&decode(kind, &bytes)), (kind, bytes));
        }
        assert_eq!(decode(1, &wide("unterminated")), Value::Binary { kind: 1, bytes: wide("unterminated") });
        assert_eq!(decode(1, &[0x00, 0xD8, 0, 0]), Value::Binary { kind: 1, bytes: vec![0x00, 0xD8, 0, 0] });
    }

    #[test]
    fn pending_renames_name_both_files() {
        let bytes = wide("\\??\\C:\\a\\x.dll\0\0\\??\\C:\\new.tmp\0!\\??\\C:\\b\\y.dll\0\0");
        let pairs = list(&bytes).expect("a list");
        assert_eq!(pending_renames(&pairs), [r"C:\a\x.dll", r"C:\new.tmp", r"C:\b\y.dll"]);
        assert!(pending_renames(&[]).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn every_value_comes_back_byte_for_byte(kind in 0u32..13, bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
            prop_assert_eq!(encode(&decode(kind, &bytes)), (kind, bytes));
        }
        #[test]
        fn lists_come_back(all in proptest::collection::vec("[^\\x00]{0,6}", 0..5)) {
            let value = Value::List(all);
            let (kind, bytes) = encode(&value);
            prop_assert_eq!(encode(&decode(kind, &bytes)), (kind, bytes));
        }
    }
}
