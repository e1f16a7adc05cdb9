//! An ASP.NET web.config: a document that keeps every byte, and the merge of an administrator's old values into the
//! file that a new version brings.
//!
//! No XML writer leaves a file as it was, so nothing is ever written from a tree. A [`Document`] is decoded text; a
//! parser says where things lie in it, changes are splices of that text, and the result is encoded, parsed and read
//! again before anyone gets it. What no splice touches keeps its bytes: byte order mark, line ends, comments, quotes.
//!
//! - [`Document`] reads a file and its [`Values`]; [`check`] finds what ASP.NET would refuse.
//! - [`merge`] carries the old file's meaning over and accounts for every difference in a [`Change`].
//! - [`masked_diff`] shows two files side by side. No value leaves this module unmasked unless
//!   [`crate::secret::is_secret`] lets it: [`Secret`] cannot print itself and [`Shown`] has forgotten what it hides.

mod error;
mod merge;
mod redact;
mod schema;
mod secret;
mod text;

#[cfg(test)]
mod tests;

pub use error::ConfigError;
pub use merge::{
    Change, Fate, Gathered, Merged, OnConflict, OtherChanges, OutsideFile, Place, ReadOutside, Rules, SdkUrlRule, Side,
    Sources, ThemeRule, Together, merge,
};
pub use redact::{DiffLine, LineKind, masked_diff, placeholder, placeholders};
pub use schema::{AppSetting, Outside, Setting, Values, check, check_merged, missing};
pub(crate) use schema::{is_placeholder_sdk_url, is_sdk_setting};
pub use secret::{Secret, Shown};
pub use text::Document;

/// The largest web.config that is read, in bytes. One has a few kilobytes, and IIS refuses more than 250 KB unless a
/// registry value raises its own limit.
pub const CONFIG_LIMIT: u64 = text::MAX_BYTES as u64;
