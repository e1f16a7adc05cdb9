//! Registry rows of a package as values of a registry.

/// A row of the Registry table as key, name and value; `None` where it only names a key.
fn value(row: &RegistryRow, layout: &Layout, bits: Bits) -> Option<(String, String, Value)> {
    let root = match row.root {
        RegistryRoot::UserOrMachine | RegistryRoot::LocalMachine => "HKLM",
        RegistryRoot::ClassesRoot => r"HKLM\SOFTWARE\Classes",
        RegistryRoot::CurrentUser => "HKCU",
        RegistryRoot::Users => "HKU",
    };
    let view = if row.wide { View::Native } else { View::Wow32 };
    let key = real_path(bits, view, &format!(r"{root}\{}", layout.fill_in(&row.key)?));
    let name = row.name.as_deref().unwrap_or_default();
    if row.value.is_none() && matches!(name, "+" | "-" | "*") {
        return None;
    }
    let text = layout.fill_in(row.value.as_deref().unwrap_or_default())?;
    Some((key, layout.fill_in(name)?, typed(&text)))
}

/// The prefixes of the Registry table's values say their type.
fn typed(text: &str) -> Value {
    let plain = || Value::Text(text.strip_prefix("##").map_or(text.to_owned(), |rest| format!("#{rest}")));
    if text.contains('\0') {
        return Value::List(text.split('\0').filter(|part| !part.is_empty()).map(str::to_owned).collect());
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
    // A negative number is the same 32 bits.
    match rest.parse::<i64>() {
        Ok(number) => Value::Number(u32::try_from(number & 0xffff_ffff).unwrap_or_default()),
        Err(_) => plain(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_type_of_their_prefix() {
        assert_eq!(typed("#10"), Value::Number(10));
        assert_eq!(typed("#-1"), Value::Number(u32::MAX));
        assert_eq!(typed("##10"), Value::Text("#10".to_owned()));
        assert_eq!(typed("#%%ProgramData%\\x"), Value::Expand { expand: "%ProgramData%\\x".to_owned() });
        assert_eq!(typed("#x0aFF"), Value::Binary { kind: 3, bytes: vec![10, 255] });
        assert_eq!(typed("a\0b\0"), Value::List(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(typed("plain"), Value::Text("plain".to_owned()));
    }
}
