//! Which names are taken to hold a secret, so that their values are neither accepted in a plan nor shown.

/// What the names of secrets contain, in lower case and without separators.
const WORDS: [&str; 14] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "sharedkey",
    "privatekey",
    "connectionstring",
    "credential",
    "cryptionkey",
];

/// True where a key, property, setting or attribute of this name is taken to hold a credential.
pub fn is_secret(name: &str) -> bool {
    let name: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    // The token of an assembly's public key is public, and stands in every web.config.
    let name = name.replace("publickeytoken", "");
    name == "validationkey" || WORDS.iter().any(|word| name.contains(word))
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
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in
            ["WEB_SERVICE_SDK_AUTHENTICATION_USERNAME", "publicKeyToken", "TARGETVDIR", "key", "value", "SSL_REQUIRED"]
        {
            assert!(!is_secret(name), "{name}");
        }
    }
}
