//! What must never be shown, and a way to speak of it without showing it.

use crate::secret::{holds_secret, is_secret};
use serde::{Deserialize, Serialize};
use std::fmt;

const MASK: &str = "(masked)";

/// A value of a configuration. It compares, but it prints nothing of itself: showing it needs [`Secret::shown`],
/// which knows the key, or [`Secret::expose`], which can be searched for.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What may be shown of the value of `key`.
    pub fn shown(&self, key: &str) -> Shown {
        Shown::of(key, &self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// A value as it may be shown: the only form in which one leaves this module in a [`super::Change`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Option<String>", from = "Option<String>")]
pub enum Shown {
    /// There is none.
    Absent,
    /// It is no secret.
    Plain(String),
    /// There is one, and it is not shown. Two of these may stand for different values.
    Masked,
}

impl Shown {
    /// What is no secret, where there is any.
    pub(crate) fn plain(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Absent, |text| Self::Plain(text.into()))
    }

    /// What may be shown of `value`, which belongs to `key`.
    pub fn of(key: &str, value: &str) -> Self {
        if is_secret(key) || holds_secret(value) { Self::Masked } else { Self::Plain(value.to_owned()) }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Absent => "(absent)",
            Self::Plain(value) => value,
            Self::Masked => MASK,
        })
    }
}

impl From<Shown> for Option<String> {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::Absent => None,
            Shown::Plain(value) => Some(value),
            Shown::Masked => Some(MASK.to_owned()),
        }
    }
}

impl From<Option<String>> for Shown {
    fn from(text: Option<String>) -> Self {
        match text {
            None => Self::Absent,
            Some(text) if text == MASK => Self::Masked,
            Some(text) => Self::Plain(text),
        }
    }
}
