//! Absolute Windows paths, the same on every host.
//!
//! The machine is a Windows server even if it is simulated on another system, so its paths are never `std::path` paths:
//! those would split at the wrong character and compare by the wrong rules. NTFS preserves the case of a name and
//! ignores it in comparisons, and so do `Eq`, `Ord` and `Hash` of [`WinPath`].

use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt, hash::Hash, hash::Hasher};

/// An absolute path of the machine, such as `C:\inetpub\wwwroot`: a drive letter and no `.` or `..` in it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WinPath(String);

/// Why a text is not an absolute Windows path. The message is for the author of the path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// No drive letter: relative, rooted without a drive, or a network path.
    #[error("`{0}` is not an absolute path with a drive letter, such as C:\\Install")]
    NotAbsolute(String),
    /// `.` or `..` as a component.
    #[error("`{0}` contains `.` or `..`; write the full path")]
    Dots(String),
    /// A name that Windows changes, or reserves for a device.
    #[error("`{path}` contains the name `{name}`, which Windows reserves or changes")]
    Name {
        /// The text as given.
        path: String,
        /// The name.
        name: String,
    },
    /// A character that NTFS does not allow, including control characters.
    #[error("`{path}` contains {character:?}, which is invalid in a Windows path")]
    Character {
        /// The text as given.
        path: String,
        /// The first offending character.
        character: char,
    },
}

impl WinPath {
    /// Reads an absolute path. Slashes become backslashes; doubled and trailing ones are removed.
    pub fn new(text: impl AsRef<str>) -> Result<Self, PathError> {
        let text = text.as_ref();
        let bytes = text.as_bytes();
        let has_drive = bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
        if !has_drive || !matches!(bytes.get(2), None | Some(b'\\' | b'/')) {
            return Err(PathError::NotAbsolute(text.to_owned()));
        }
        let mut path = String::with_capacity(text.len() + 1);
        path.push(char::from(bytes[0]).to_ascii_uppercase());
        path.push(':');
        for part in text[2..].split(['\\', '/']).filter(|part| !part.is_empty()) {
            Self::check_name(text, part)?;
            path.push('\\');
            path.push_str(part);
        }
        if path.len() == 2 {
            path.push('\\');
        }
        Ok(Self(path))
    }

    /// A file beside the drives of a simulated machine, such as its `machine.toml`. No parsed path can refer to it.
    pub(crate) fn outside_drives(name: &str) -> Self {
        Self(format!("?:\\{name}"))
    }

    /// Whether this path was created by [`WinPath::outside_drives`].
    pub(crate) fn is_outside_drives(&self) -> bool {
        self.0.starts_with('?')
    }

    /// The root of the drive of `path`.
    pub(crate) fn root_of(path: &Self) -> Self {
        Self(path.0[..3].to_owned())
    }

    /// Whether `name` is a valid name of a file or folder on Windows.
    pub fn is_name(name: &str) -> bool {
        !name.is_empty() && Self::check_name(name, name).is_ok()
    }

    fn check_name(whole: &str, name: &str) -> Result<(), PathError> {
        if name == "." || name == ".." {
            return Err(PathError::Dots(whole.to_owned()));
        }
        if name.ends_with(['.', ' ']) || is_device(name) {
            return Err(PathError::Name { path: whole.to_owned(), name: name.to_owned() });
        }
        match name.chars().find(|c| c.is_control() || r#"<>:"|?*\/"#.contains(*c)) {
            Some(character) => Err(PathError::Character { path: whole.to_owned(), character }),
            None => Ok(()),
        }
    }

    /// The path as text, without a trailing backslash except for a drive's root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The drive letter, in uppercase.
    pub fn drive(&self) -> char {
        self.0.chars().next().unwrap_or('C')
    }

    /// Appends a relative path, which may have several components.
    pub fn join(&self, relative: impl AsRef<str>) -> Result<Self, PathError> {
        Self::new(format!("{}\\{}", self.0, relative.as_ref()))
    }

    /// [`WinPath::join`] for names from the program itself or from the file system.
    pub fn child(&self, name: &str) -> Self {
        debug_assert!(Self::check_name(name, name).is_ok(), "not one plain name: {name}");
        let slash = if self.0.ends_with('\\') { "" } else { "\\" };
        Self(format!("{}{slash}{name}", self.0))
    }

    /// The parent folder; `None` for a drive's root.
    pub fn parent(&self) -> Option<Self> {
        let at = self.0.rfind('\\')?;
        match at {
            2 if self.0.len() == 3 => None,
            2 => Some(Self(self.0[..3].to_owned())),
            _ => Some(Self(self.0[..at].to_owned())),
        }
    }

    /// The last component; empty for a drive's root.
    pub fn name(&self) -> &str {
        self.0.rsplit('\\').next().unwrap_or_default()
    }

    /// The components behind the drive.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0[3..].split('\\').filter(|part| !part.is_empty())
    }

    /// Whether `self` is `folder` or below it, ignoring case.
    pub fn is_within(&self, folder: &Self) -> bool {
        self.below(folder).is_some()
    }

    /// The rest of `self` after `folder`: empty if they are equal, `None` if it is elsewhere.
    pub fn below(&self, folder: &Self) -> Option<&str> {
        let folder = folder.0.trim_end_matches('\\');
        let (head, tail) = self.0.split_at_checked(folder.len())?;
        let within = folded(head).eq(folded(folder)) && (tail.is_empty() || tail.starts_with('\\'));
        within.then(|| tail.trim_start_matches('\\'))
    }

    /// The form by which paths compare: upper case, as NTFS has it.
    pub fn key(&self) -> String {
        fold(&self.0)
    }
}

/// Whether a name is a device name in every folder, whatever its extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |prefix| stem.strip_prefix(prefix).is_some_and(|number| number.len() == 1 && number != "0");
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

/// The form of a name by which NTFS compares it: upper case, character by character.
pub fn fold(name: &str) -> String {
    // Nearly every name is ASCII, and every question to a disk folds one.
    if name.is_ascii() { name.to_ascii_uppercase() } else { folded(name).collect() }
}

/// How two names compare on NTFS.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    match a.is_ascii() && b.is_ascii() {
        true => a.bytes().map(|byte| byte.to_ascii_uppercase()).cmp(b.bytes().map(|byte| byte.to_ascii_uppercase())),
        false => folded(a).cmp(folded(b)),
    }
}

fn folded(name: &str) -> impl Iterator<Item = char> + '_ {
    // NTFS maps one UTF-16 unit to one; a character whose upper case is longer (such as ß) stays as it is.
    name.chars().map(|c| {
        let mut upper = c.to_uppercase();
        match (upper.next(), upper.next()) {
            (Some(single), None) => single,
            _ => c,
        }
    })
}

impl fmt::Display for WinPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for WinPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq for WinPath {
    fn eq(&self, other: &Self) -> bool {
        folded(&self.0).eq(folded(&other.0))
    }
}

impl Eq for WinPath {}

impl Ord for WinPath {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.0, &other.0)
    }
}

impl PartialOrd for WinPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for WinPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        folded(&self.0).for_each(|c| c.hash(state));
    }
}

impl TryFrom<String> for WinPath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl From<WinPath> for String {
    fn from(path: WinPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> WinPath {
        WinPath::new(text).expect("a good path")
    }

    #[test]
    fn slashes_and_case_make_no_difference() {
        assert_eq!(path(r"c:\InetPub\\wwwroot\"), path("C:/inetpub/WWWROOT"));
        assert_eq!(path(r"c:\InetPub\").as_str(), r"C:\InetPub");
        assert_eq!(path("d:").as_str(), r"D:\");
    }

    #[test]
    fn bad_paths_are_refused() {
        for text in ["", "C", "Install", r"\\server\share", r"\Windows", "C:Install"] {
            assert!(matches!(WinPath::new(text), Err(PathError::NotAbsolute(_))), "{text}");
        }
        assert!(matches!(WinPath::new(r"C:\a\..\b"), Err(PathError::Dots(_))));
        for text in ["C:\\a\tb", r"C:\a*", r"C:\a:b", r#"C:\"a""#] {
            assert!(matches!(WinPath::new(text), Err(PathError::Character { .. })), "{text}");
        }
    }

    #[test]
    fn names_that_windows_takes_for_others_are_refused() {
        for text in [r"C:\CON", r"C:\a\nul.txt", r"C:\com1", r"C:\a. \b", r"C:\a ", r"C:\a."] {
            assert!(matches!(WinPath::new(text), Err(PathError::Name { .. })), "{text}");
        }
        for text in [r"C:\CONfig", r"C:\com", r"C:\.hidden", r"C:\a b.c", r"C:\lpt10"] {
            assert!(WinPath::new(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn parents_children_and_below() {
        let file = path(r"C:\inetpub\wwwroot\PhoneFactor\web.config");
        assert_eq!(file.name(), "web.config");
        assert_eq!(file.below(&path(r"c:\INETPUB")), Some(r"wwwroot\PhoneFactor\web.config"));
        assert_eq!(file.below(&path(r"C:\inet")), None);
        assert!(file.is_within(&path(r"C:\")));
        assert_eq!(path(r"C:\a").parent(), Some(path(r"C:\")));
        assert_eq!(path(r"C:\").parent(), None);
        assert_eq!(path(r"C:\").child("a"), path(r"C:\a"));
    }
}
