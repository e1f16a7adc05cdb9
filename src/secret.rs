//! Which names count as secrets, so that their values are neither accepted in a plan nor shown.

/// Parts of the names of secrets, in lowercase and without separators.
const PARTS: [&str; 21] = [
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
    "licensekey",
    "licencekey",
    "hmac",
];

/// Words that mean a secret if they are separate: between separators, or capitalized as in `SmtpPw`.
const WORDS: [&str; 10] = ["pw", "pass", "pin", "psk", "mdp", "cred", "creds", "sig", "conn", "salt"];

/// Whether a key, property, setting or attribute with this name counts as a credential.
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
    // A request is authorized by a header with that name; longer names mean something else.
    matches!(plain.as_str(), "validationkey" | "authorization" | "proxyauthorization")
        || has_part(plain.as_bytes())
        || has_word(name)
        // Written as one word, it ends in one: `userpw`, `dbpass`.
        || ["pw", "pass"].iter().any(|end| plain.len() > end.len() && plain.ends_with(end) && !plain.ends_with("bypass"))
}

/// The token of an assembly's public key is public, and in every web.config.
const PUBLIC: &str = "publickeytoken";

/// Every value of a large file is checked: one pass for all the parts.
fn has_part(plain: &[u8]) -> bool {
    let is_here = |at: usize| {
        let (rest, known) = (&plain[at..], BEGINNING[usize::from(plain[at])]);
        known != 0 && PARTS.iter().enumerate().any(|(n, part)| known >> n & 1 == 1 && rest.starts_with(part.as_bytes()))
    };
    (0..plain.len()).any(is_here)
}

/// Which of the parts start with a letter: the lowest bit stands for the first part.
const BEGINNING: [u32; 256] = {
    let (mut all, mut at) = ([0; 256], 0);
    while at < PARTS.len() {
        all[PARTS[at].as_bytes()[0] as usize] |= 1 << at;
        at += 1;
    }
    all
};

/// Whether one of the words of a name means a secret: words end at separators and before capitals.
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

/// Whether a value contains a credential, whatever its key: a connection string, a URL with a password, or what follows
/// `Bearer` or `Basic` in a request.
pub fn holds_secret(value: &str) -> bool {
    secret_at(value).is_some()
}

/// The byte position of the first credential in a text.
pub fn secret_at(text: &str) -> Option<usize> {
    let is_named = |at: usize| {
        let name = name_before(&text[..at]);
        is_secret(name) || name.eq_ignore_ascii_case("accountkey")
    };
    let named = text.match_indices(['=', ':']).find(|(at, _)| is_named(*at)).map(|(at, _)| at + 1);
    let in_address = text.match_indices("//").map(|(at, _)| at + 2).find(|at| authority(&text[*at..]).contains('@'));
    named.into_iter().chain(in_address).chain(scheme_in(text)).min()
}

/// The position in a text after `Bearer` or `Basic` of something that does not look like a word.
fn scheme_in(text: &str) -> Option<usize> {
    let (mut at, mut previous) = (0, "");
    for piece in text.split_inclusive(|c: char| c.is_ascii_whitespace()) {
        let word = piece.trim_ascii_end();
        if ["bearer", "basic"].iter().any(|scheme| scheme.eq_ignore_ascii_case(previous)) && is_coded(word) {
            return Some(at);
        }
        if !word.is_empty() {
            previous = word;
        }
        at += piece.len();
    }
    None
}

/// Whether a word is in Base64 or a similar encoding, and not a natural word.
fn is_coded(word: &str) -> bool {
    let is_odd = |pair: &[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
    word.len() >= 8
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~+/=-".contains(&byte))
        && (word.bytes().any(|byte| byte.is_ascii_digit() || b"_~+/=".contains(&byte))
            || word.as_bytes().windows(2).any(is_odd))
}

/// The name at the end of a text, as in `Data Source=db;Pass Word `.
fn name_before(text: &str) -> &str {
    let start = text.rfind([';', ',', '&', '?', '=', ':', '/', '"', '\'', '|']);
    text[start.map_or(0, |at| at + 1)..].trim()
}

/// Host, port and user of a URL, after its slashes.
fn authority(text: &str) -> &str {
    let end = text.find(|c: char| matches!(c, '/' | '?' | '#' | ',' | ';') || c.is_whitespace());
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::{holds_secret, is_secret};

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
            "Authorization",
            "HmacKey",
            "HashSalt",
            "LicenseKey",
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
            "authorizationEndpoint",
            "basalt",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn what_a_request_is_authorised_by_is_recognised_by_its_shape() {
        for value in ["Bearer eyJhbGciOi.J9", "basic dXNlcjpwYXNz", "x: Basic dXNlcjpwYXNzd29yZA=="] {
            assert!(holds_secret(value), "{value}");
        }
        for value in ["Basic Authentication", "basic authorization is off", "Bearer", "Basic http-only", "Basic"] {
            assert!(!holds_secret(value), "{value}");
        }
    }
}
