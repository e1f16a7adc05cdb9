//! Names that Windows compares without regard to case: they compare themselves.
//!
//! Windows Installer keeps product codes in upper case and takes either ("Product Codes", Windows Installer
//! documentation); the service controller preserves the case of a service's name and ignores it in comparisons
//! (CreateServiceW); IIS finds sites by names without regard to case (`IIS_schema.xml`: `caseSensitive` is not set).

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::{fmt, ops};

/// Names in a sentence.
pub fn list(names: impl IntoIterator<Item: fmt::Display>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The name as it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn folded(&self) -> impl Iterator<Item = u8> + '_ {
                self.0.bytes().map(|byte| byte.to_ascii_lowercase())
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.eq_ignore_ascii_case(&other.0)
            }
        }

        impl Eq for $name {}

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0.eq_ignore_ascii_case(other)
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                *self == **other
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.folded().cmp(other.folded())
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.folded().for_each(|byte| byte.hash(state));
            }
        }

        impl<T: Into<String>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )*};
}

names! {
    /// A product of Windows Installer: a GUID in braces.
    ProductCode,
    /// A service, by the name by which it is controlled.
    ServiceName,
    /// A site of IIS.
    SiteName,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_that_differ_by_case_only_are_one() {
        let (one, other) = (ServiceName::from("PFSvc"), ServiceName::from("pfsvc"));
        assert_eq!(one, other);
        assert_eq!(one, "PFSVC");
        assert_eq!(BTreeSet::from([one, other]).len(), 1);
        assert_ne!(SiteName::from("Default Web Site"), "Default Web Sites");
        assert_eq!(serde_json::to_string(&SiteName::from("Default Web Site")).expect("JSON"), "\"Default Web Site\"");
    }
}
