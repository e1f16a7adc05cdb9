//! The address of the Web Service SDK, which changes its virtual directory with the upgrade.

const SERVICE: &str = "pfwssdk.asmx";

const SETTING_SUFFIX: &str = "_pfwssdk_pfwssdk";

/// Whether a setting of this name holds the address, whatever the application's prefix.
pub(crate) fn is_setting(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(SETTING_SUFFIX)
}

/// Whether an address ends in `/PfWsSdk.asmx`, a query behind it or not.
pub(crate) fn is_url(value: &str) -> bool {
    path(value).is_some()
}

/// A value that was shipped and that nobody can have meant.
pub(crate) fn is_placeholder(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    value == "http://localhost:4898/pfwssdk.asmx" || value.contains("www.contoso.com")
}

/// Whether a client can call it: a web address with a server in it that ends in `/PfWsSdk.asmx`. One that was never
/// filled in is a shipped value, and no mistake.
pub(crate) fn is_plausible(value: &str) -> bool {
    let value = value.trim();
    let lower = value.to_ascii_lowercase();
    let host = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    let has_host = host.is_some_and(|rest| !rest.starts_with(['/', ':', '?']) && !rest.contains(char::is_whitespace));
    value.is_empty() || is_placeholder(value) || (has_host && is_url(value))
}

/// The address with the directory `old` as `new`, everything else as it was; `None` where `old` is not in it.
/// The last such directory counts, for that is the one the service lies in.
pub(crate) fn replace_directory(value: &str, old: &str, new: &str) -> Option<String> {
    let (old, new) = (old.trim_matches('/'), new.trim_matches('/'));
    let path = path(value)?;
    // Without the service's own name, and with the slashes around each directory.
    let directories = &value[path.start..path.end - SERVICE.len()];
    let wanted = format!("/{}/", old.to_ascii_lowercase());
    let found = directories.to_ascii_lowercase().rfind(&wanted).filter(|_| !old.is_empty())?;
    let start = path.start + found + 1;
    Some(format!("{}{new}{}", &value[..start], &value[start + old.len()..]))
}

/// Where the path of an address lies: from the slash behind the host to the end of the service's name.
fn path(value: &str) -> Option<std::ops::Range<usize>> {
    let value = value.trim_end();
    let end = value.find(['?', '#']).unwrap_or(value.len());
    let host = value[..end].find("://").map_or(0, |at| at + 3);
    let start = host + value[host..end].find('/')?;
    let path = value[start..end].to_ascii_lowercase();
    path.strip_suffix(SERVICE).is_some_and(|rest| rest.ends_with('/')).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_directory_changes() {
        let replaced = |value| replace_directory(value, "PhoneFactorWebServiceSdk", "MultiFactorAuthWebServiceSdk");
        for (before, after) in [
            (
                "https://host/PhoneFactorWebServiceSdk/PfWsSdk.asmx",
                Some("https://host/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx"),
            ),
            (
                "HTTPS://Host:8443/a/phonefactorwebservicesdk/pfwssdk.ASMX?WSDL=/PhoneFactorWebServiceSdk/#x",
                Some("HTTPS://Host:8443/a/MultiFactorAuthWebServiceSdk/pfwssdk.ASMX?WSDL=/PhoneFactorWebServiceSdk/#x"),
            ),
            (
                " https://phonefactorwebservicesdk/PhoneFactorWebServiceSdk/b/PfWsSdk.asmx\n",
                Some(" https://phonefactorwebservicesdk/MultiFactorAuthWebServiceSdk/b/PfWsSdk.asmx\n"),
            ),
            ("https://phonefactorwebservicesdk/PfWsSdk.asmx", None),
            ("https://host/PhoneFactorWebServiceSdk2/PfWsSdk.asmx", None),
            ("https://host/PhoneFactorWebServiceSdk/Other.asmx", None),
            ("http://localhost:4898/PfWsSdk.asmx", None),
            ("", None),
        ] {
            assert_eq!(replaced(before).as_deref(), after, "{before}");
        }
        assert_eq!(replace_directory("https://h//PfWsSdk.asmx", "", "x"), None);
    }

    #[test]
    fn addresses_settings_and_placeholders_are_recognized() {
        assert!(is_setting("pfup_pfwssdk_PfWsSdk") && is_setting("pfpaws_PFWSSDK_PfWsSdk") && !is_setting("PfWsSdk"));
        assert!(is_url("https://h/PfWsSdk.asmx") && !is_url("PfWsSdk.asmx") && !is_url("https://h/xPfWsSdk.asmx"));
        assert!(is_placeholder("http://localhost:4898/PfWsSdk.asmx"));
        assert!(is_placeholder("https://WWW.contoso.com/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx"));
        assert!(!is_placeholder("https://localhost:4898/PfWsSdk.asmx"));
        for url in ["", "https://h/PfWsSdk.asmx", " HTTP://h:8443/a/pfwssdk.asmx?wsdl ", "http://www.contoso.com/x"] {
            assert!(is_plausible(url), "{url}");
        }
        for url in [
            "h/PfWsSdk.asmx",
            "https:///PfWsSdk.asmx",
            "https://h/",
            "ftp://h/PfWsSdk.asmx",
            "https://h h/PfWsSdk.asmx",
        ] {
            assert!(!is_plausible(url), "{url}");
        }
    }
}
