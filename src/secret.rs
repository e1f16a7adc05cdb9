//! Which names are taken to hold a secret, so that their values are neither accepted in a plan nor shown.

/// What the names of secrets contain, in lower case and without separators.
const PARTS: [&str; 18] = [
    "password",
    "passw",
    "pwd",
    "passphrase",
    "passcode",
    "kennwort",
    "motdepasse",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "sharedkey",
    "privatekey",
    "machinekey",
    "enckey",
    "connectionstring",
    "credential",
    "cryptionkey",
];

/// Words that mean a secret where they stand alone: between separators, or in capitals as in `SmtpPw`.
const WORDS: [&str; 9] = ["pw", "pass", "pin", "psk", "mdp", "cred", "creds", "sig", "conn"];

/// True where a key, property, setting or attribute of this name is taken to hold a credential.
pub fn is_secret(name: &str) -> bool {
    let mut plain = String::with_capacity(name.len());
    if name.is_ascii() {
        plain.extend(name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()));
    } else {
        plain.extend(name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase));
    }
    if plain.contains(PUBLIC) {
        plain = plain.replace(PUBLIC, "");
    }
    plain == "validationkey"
        || has_part(plain.as_bytes())
        || has_word(name)
        // Written as one word, it ends in one: `userpw`, `dbpass`.
        || ["pw", "pass"].iter().any(|end| plain.len() > end.len() && plain.ends_with(end) && !plain.ends_with("bypass"))
}

/// The token of an assembly's public key is public, and stands in every web.config.
const PUBLIC: &str = "publickeytoken";

/// Every value of a large file is asked about: one pass for all the parts.
fn has_part(plain: &[u8]) -> bool {
    let begins =
        |rest: &[u8]| PARTS.iter().any(|part| part.as_bytes()[0] == rest[0] && rest.starts_with(part.as_bytes()));
    (0..plain.len()).any(|at| begins(&plain[at..]))
}

/// Whether one of the words of a name means a secret: they end at separators and where capitals begin.
fn has_word(name: &str) -> bool {
    let is_word = |word: &str| match word.is_ascii() {
        true => WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)),
        false => WORDS.contains(&word.to_lowercase().as_str()),
    };
    let (mut start, mut previous) = (0, ' ');
    for (at, c) in name.char_indices() {
        if !c.is_alphanumeric() || (c.is_uppercase() && previous.is_lowercase()) {
            if is_word(&name[start..at]) {
                return true;
            }
            start = if c.is_alphanumeric() { at } else { at + c.len_utf8() };
        }
        previous = c;
    }
    is_word(&name[start..])
}

/// True where a value holds a credential whatever its key: a connection string, or an address with a password.
pub fn holds_secret(value: &str) -> bool {
    secret_at(value).is_some()
}

/// Where in a text the first credential that it holds begins, in bytes.
pub fn secret_at(text: &str) -> Option<usize> {
    let is_named = |at: usize| {
        let name = name_before(&text[..at]);
        is_secret(name) || name.eq_ignore_ascii_case("accountkey")
    };
    let named = text.match_indices(['=', ':']).find(|(at, _)| is_named(*at)).map(|(at, _)| at + 1);
    let in_address = text.match_indices("//").map(|(at, _)| at + 2).find(|at| authority(&text[*at..]).contains('@'));
    named.into_iter().chain(in_address).min()
}

/// The name that ends a text, as in `Data Source=db;Pass Word `.
fn name_before(text: &str) -> &str {
    let start = text.rfind([';', ',', '&', '?', '=', ':', '/', '"', '\'', '|']);
    text[start.map_or(0, |at| at + 1)..].trim()
}

/// Host, port and user of an address, from behind its slashes.
fn authority(text: &str) -> &str {
    let end = text.find(|c: char| matches!(c, '/' | '?' | '#' | ',' | ';') || c.is_whitespace());
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    #[test]
    fn names_of_credentials_are_recognised_whatever_their_spelling() {
        for name in [
            "WEB_SERVICE_SDK_AUTHENTICATION_PASSWORD",
            "Pwd",
            "api-key",
            "connectionString",
            "PRIVATE KEY",
            "validationKey",
            "decryptionKey",
            "passPhrase",
            "clientSecret",
            "accessToken",
            "SmtpPw",
            "smtp_pass",
            "userpw",
            "SvcCred",
            "MachineKey",
            "RADIUS_PSK",
            "user-pin",
            "Kennwort",
            "dbConn",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "WEB_SERVICE_SDK_AUTHENTICATION_USERNAME",
            "publicKeyToken",
            "TARGETVDIR",
            "key",
            "value",
            "SSL_REQUIRED",
            "spinner",
            "signature",
            "bypass",
            "shipping",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
