//! Product codes.

/// A product code as Windows Installer writes it in the names of its own keys: without punctuation, the first three
/// groups backwards, the digits of the rest swapped in pairs. `None` for anything but a code in braces.
pub fn packed_code(code: &str) -> Option<String> {
    let digits: Vec<char> = code.strip_prefix('{')?.strip_suffix('}')?.chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 || !digits.iter().all(char::is_ascii_hexdigit) {
        return None;
    }
    let mut rest = digits.as_slice();
    let mut packed = String::with_capacity(32);
    for group in [8, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2] {
        let (head, tail) = rest.split_at(group);
        packed.extend(head.iter().rev());
        rest = tail;
    }
    Some(packed.to_ascii_uppercase())
}

/// The product code that a key's name stands for: the inverse of [`packed_code`].
pub fn unpacked_code(packed: &str) -> Option<String> {
    let digits: Vec<char> = packed.chars().collect();
    if digits.len() != 32 || !digits.iter().all(char::is_ascii_hexdigit) {
        return None;
    }
    let group = |from: usize, len: usize| digits[from..from + len].iter().rev().collect::<String>();
    let pairs = |from: usize, to: usize| (from..to).step_by(2).map(|at| group(at, 2)).collect::<String>();
    let code = format!("{{{}-{}-{}-{}-{}}}", group(0, 8), group(8, 4), group(12, 4), pairs(16, 20), pairs(20, 32));
    Some(code.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::{packed_code, unpacked_code};

    #[test]
    fn a_code_is_packed_as_windows_installer_does_it() {
        // .NET Framework 4.7.2 as it is found on real machines.
        let packed = packed_code("{09CCBE8E-B964-30EF-AE84-6537AB4197F9}");
        assert_eq!(packed.as_deref(), Some("E8EBCC90469BFE03EA485673BA14799F"));
        assert_eq!(
            packed.as_deref().and_then(unpacked_code).as_deref(),
            Some("{09CCBE8E-B964-30EF-AE84-6537AB4197F9}")
        );
        assert_eq!(unpacked_code("E8EBCC90469BFE03EA485673BA14799"), None);
        for text in ["", "{}", "Agent", "{09CCBE8E-B964-30EF-AE84-6537AB4197FG}"] {
            assert_eq!(packed_code(text), None, "{text}");
        }
    }
}
