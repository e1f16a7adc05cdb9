//! The types of values in a plan, which can only hold valid values.

use crate::names::ProductCode;
use crate::secret::is_secret;
use crate::winpath::{PathError, WinPath};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a value is invalid. It never quotes the value, which may be secret and is shown underlined anyway.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{label}")]
pub struct Invalid {
    /// What is wrong with it.
    pub label: String,
    /// How to fix it.
    pub hint: Option<String>,
}

impl Invalid {
    pub(super) fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Rejects control characters, which mostly come from `"C:\temp"`, and blank text.
pub(super) fn check_text(text: &str) -> Result<(), Invalid> {
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(Invalid::new(format!("contains {c:?}"))
            .hint(r"backslashes are escape characters in double quotes; use single quotes: 'C:\temp'")),
        None if text.trim().is_empty() => Err(Invalid::new("is empty")),
        None => Ok(()),
    }
}

/// A text that is checked when it is created, also from a journal.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks a text.
            pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
                let text = text.into();
                Self::check(&text)?;
                Ok(Self(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// A text chosen by the program itself.
            #[allow(dead_code, reason = "only some kinds have a default")]
            pub(super) fn known(text: &str) -> Self {
                debug_assert!(Self::check(text).is_ok(), "{text}");
                Self(text.to_owned())
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

checked_text! {
    /// A path of the machine as written, which may contain environment variables as `%NAME%`. They are expanded once,
    /// when the run starts.
    MachinePath
}

checked_text! {
    /// A SHA-256 as 64 hexadecimal digits, in any case.
    Sha256Hex
}

checked_text! {
    /// The name of an IIS application: a URL segment that needs no escaping.
    VirtualDirectory
}

checked_text! {
    /// The URL of a Web Service SDK.
    SdkUrl
}

checked_text! {
    /// The URL of a page.
    PageUrl
}

checked_text! {
    /// The name of a public property of Windows Installer that a plan may set.
    PropertyName
}

/// Why a [`MachinePath`] cannot be expanded.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ExpandError {
    /// The machine has no such variable.
    #[error("`{path}` contains the environment variable `{variable}`, which is not set on this server")]
    Unknown {
        /// The path as written.
        path: String,
        /// The variable's name.
        variable: String,
    },
    /// The result is not a path.
    #[error("`{path}` does not expand to a valid path: {reason}")]
    Path {
        /// The path as written.
        path: String,
        /// What is wrong with the result.
        reason: PathError,
    },
}

impl MachinePath {
    fn check(text: &str) -> Result<(), Invalid> {
        check_text(text)?;
        let stand_in = replace_variables(text, |_, at| Some(if at == 0 { "C:" } else { "x" }.to_owned()));
        let example = r"start with the drive: 'C:\Install'";
        WinPath::new(stand_in.unwrap_or_default()).map(drop).map_err(|error| match error {
            PathError::NotAbsolute(_) if text.starts_with(r"\\") || text.starts_with("//") => {
                Invalid::new("is a network path").hint("copy it to a local disk and specify that path")
            }
            PathError::NotAbsolute(_) => Invalid::new("is not an absolute path").hint(example),
            PathError::Dots(_) => Invalid::new("contains `.` or `..` as a folder").hint("write the full path"),
            PathError::Name { name, .. } => {
                Invalid::new(format!("contains the name `{name}`, which Windows reserves or changes"))
            }
            PathError::Character { character, .. } => {
                Invalid::new(format!("contains `{character}`, which is invalid in a Windows path"))
            }
        })
    }

    /// Expands the path. `variable` returns the value of an environment variable, which is not expanded again.
    pub fn expand(&self, variable: impl Fn(&str) -> Option<String>) -> Result<WinPath, ExpandError> {
        let path = || self.0.clone();
        let text = replace_variables(&self.0, |name, _| variable(name))
            .map_err(|name| ExpandError::Unknown { path: path(), variable: name.to_owned() })?;
        WinPath::new(text).map_err(|reason| ExpandError::Path { path: path(), reason })
    }
}

/// Replaces every `%NAME%` in `text` by what `value` returns for the name and its position. Fails with the first
/// unknown name. A `%` that starts no name stands for itself, as in `C:\100%`.
fn replace_variables(text: &str, value: impl Fn(&str, usize) -> Option<String>) -> Result<String, &str> {
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(percent) = text[at..].find('%').map(|offset| at + offset) {
        result.push_str(&text[at..percent]);
        let behind = &text[percent + 1..];
        match behind.split_once('%') {
            Some((name, _)) if is_variable(name) => {
                result.push_str(&value(name, percent).ok_or(name)?);
                at = percent + name.len() + 2;
            }
            _ => {
                result.push('%');
                at = percent + 1;
            }
        }
    }
    result.push_str(&text[at..]);
    Ok(result)
}

/// Whether a text is a variable name, such as `ProgramData` or `ProgramFiles(x86)`.
fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'(' | b')'))
}

impl Sha256Hex {
    fn check(text: &str) -> Result<(), Invalid> {
        let hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        if hex && text.len() == 64 {
            return Ok(());
        }
        let label = if hex { format!("has {} digits instead of 64", text.len()) } else { "is no SHA-256".to_owned() };
        Err(Invalid::new(label).hint("write the 64 hexadecimal digits that `Get-FileHash` prints"))
    }

    /// Whether `digest` is this hash.
    pub fn matches(&self, digest: &[u8]) -> bool {
        let text: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.0.eq_ignore_ascii_case(&text)
    }
}

/// A Windows Installer product code: a GUID in braces.
pub(super) fn product_code(text: &str) -> Result<ProductCode, Invalid> {
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    let groups: Vec<&str> = inner.split('-').collect();
    let lengths = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]);
    if lengths && groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Ok(ProductCode::from(text));
    }
    Err(Invalid::new("is not a product code").hint("write a GUID in braces: '{01234567-89AB-CDEF-0123-456789ABCDEF}'"))
}

impl VirtualDirectory {
    fn check(text: &str) -> Result<(), Invalid> {
        check_text(text)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
        match text.chars().find(|c| !plain(*c)) {
            Some('/' | '\\') => Err(Invalid::new("is more than one name").hint("write the name only, without slashes")),
            Some(c) => Err(Invalid::new(format!("contains `{c}`"))
                .hint("allowed: the letters a to z, digits, `-`, `_`, `.` and `~`")),
            None if text.starts_with('.') || text.ends_with('.') => {
                Err(Invalid::new("begins or ends with a dot").hint("Windows drops or hides such folders"))
            }
            None => Ok(()),
        }
    }
}

impl SdkUrl {
    fn check(text: &str) -> Result<(), Invalid> {
        let example = "such as \"https://mfa.example.com/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx\"";
        let path = path_of_url(text, "which belongs in web.config", example)?;
        match path == "pfwssdk.asmx" || path.ends_with("/pfwssdk.asmx") {
            true => Ok(()),
            false => Err(Invalid::new("does not end in /PfWsSdk.asmx").hint(example)),
        }
    }
}

impl PageUrl {
    fn check(text: &str) -> Result<(), Invalid> {
        path_of_url(text, "but requests have no credentials", "such as \"https://mfa.example.com/portal/\"").map(drop)
    }
}

/// The path of a URL, in lowercase. `user`: why it may not contain a user name.
fn path_of_url(text: &str, user: &str, example: &str) -> Result<String, Invalid> {
    check_text(text)?;
    let wrong = |label: String| Err(Invalid::new(label).hint(example));
    let lower = text.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")) else {
        return wrong("does not start with https:// or http://".to_owned());
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let odd = |c: char| c.is_whitespace() || "\"<>\\^`{|}".contains(c);
    if authority.is_empty() || authority.starts_with(':') {
        wrong("has no host name".to_owned())
    } else if authority.contains('@') {
        wrong(format!("contains a user name, {user}"))
    } else if text.contains(odd) {
        wrong("contains a character that is invalid in a URL".to_owned())
    } else {
        Ok(path.to_owned())
    }
}

/// Properties that have their own key in the plan.
const KEYED: [(&str, &str); 3] =
    [("TARGETVDIR", "virtual-directory"), ("TARGETSITE", "site"), ("TARGETAPPPOOL", "application-pool")];

/// Properties that would change the purpose of the installer, or restart the machine.
const RESERVED: [&str; 10] = [
    "ACTION",
    "ADVERTISE",
    "PATCH",
    "REBOOT",
    "REBOOTPROMPT",
    "REINSTALL",
    "REINSTALLMODE",
    "REMOVE",
    "TARGETDIR",
    "TRANSFORMS",
];

impl PropertyName {
    fn check(text: &str) -> Result<(), Invalid> {
        let mut bytes = text.bytes();
        let begins = bytes.next().is_some_and(|b| b.is_ascii_uppercase() || b == b'_');
        let goes_on = bytes.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.'));
        let keyed = KEYED.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
        if let Some((_, key)) = keyed {
            Err(Invalid::new("has its own key in the plan").hint(format!("write `{key} = \"...\"` instead")))
        } else if RESERVED.iter().any(|name| text.eq_ignore_ascii_case(name)) {
            Err(Invalid::new("is set by pfupgrade or must not be set"))
        } else if is_secret(text) {
            Err(Invalid::new("looks like a secret; the plan is stored with the run, so it must not contain any")
                .hint("use method = \"console\" and type it there"))
        } else if !begins || !goes_on {
            Err(Invalid::new("is not a public property")
                .hint("names of public properties have only capital letters, digits, `_` and `.`"))
        } else {
            Ok(())
        }
    }
}

/// The required signer of an installer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "Signer", into = "Signer")]
pub enum SignedBy {
    /// The name in the certificate of the signature.
    Name(String),
    /// None: `signed-by = false`.
    Unsigned,
}

impl Default for SignedBy {
    fn default() -> Self {
        Self::Name("Microsoft Corporation".to_owned())
    }
}

/// [`SignedBy`] as it is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Signer {
    Checked(bool),
    Name(String),
}

impl From<Signer> for SignedBy {
    fn from(signer: Signer) -> Self {
        match signer {
            Signer::Checked(false) => Self::Unsigned,
            Signer::Checked(true) => Self::default(),
            Signer::Name(name) => Self::Name(name),
        }
    }
}

impl From<SignedBy> for Signer {
    fn from(signed: SignedBy) -> Self {
        match signed {
            SignedBy::Unsigned => Self::Checked(false),
            SignedBy::Name(name) => Self::Name(name),
        }
    }
}

/// A program of the machine and its arguments: an absolute path of an `.exe`, then arguments that are passed unchanged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Program {
    /// The `.exe`.
    pub path: MachinePath,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl TryFrom<Vec<String>> for Program {
    type Error = Invalid;

    fn try_from(words: Vec<String>) -> Result<Self, Invalid> {
        const EXAMPLE: &str = r"['C:\Windows\System32\cmd.exe', '/d', '/c', 'C:\Scripts\drain.cmd']";
        let mut words = words.into_iter();
        let path = words
            .next()
            .ok_or_else(|| Invalid::new("is empty").hint(format!("write a program and its arguments: {EXAMPLE}")))?;
        if !path.to_ascii_lowercase().ends_with(".exe") {
            return Err(Invalid::new("does not start with an `.exe`").hint(format!("add the interpreter: {EXAMPLE}")));
        }
        let path = MachinePath::new(path)?;
        Ok(Self { path, arguments: words.collect() })
    }
}

impl From<Program> for Vec<String> {
    fn from(program: Program) -> Self {
        std::iter::once(program.path.into()).chain(program.arguments).collect()
    }
}
