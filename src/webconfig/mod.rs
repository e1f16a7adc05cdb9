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

mod app_settings;
mod check;
mod comments;
mod diff;
mod document;
mod draft;
mod edit;
mod encoding;
mod limits;
mod machine;
mod mask;
mod merge;
mod notes;
mod order;
mod other;
mod outside;
mod own;
mod pairs;
mod place;
mod placeholder;
mod sdk_url;
mod secret;
mod settings;
mod step;
mod together;
mod values;
mod walk;
mod whole;
mod wraps;

#[cfg(test)]
mod tests;

pub use check::{check, check_merged, missing};
pub use diff::{DiffLine, LineKind, masked_diff};
pub use document::Document;
pub use merge::{Change, Fate, Merged, OnConflict, OtherChanges, Rules, SdkUrlRule, Side, Sources, ThemeRule, merge};
pub use outside::{Gathered, OutsideFile, ReadOutside};
pub use placeholder::{placeholder, placeholders};
pub(crate) use sdk_url::{is_placeholder as is_placeholder_sdk_url, is_setting as is_sdk_setting};
pub use secret::{Secret, Shown};
pub use together::{Place, Together};
pub use values::{AppSetting, Outside, Setting, Values};

/// The largest web.config that is read, in bytes. One has a few kilobytes, and IIS refuses more than 250 KB unless a
/// registry value raises its own limit.
pub const CONFIG_LIMIT: u64 = limits::MAX_BYTES as u64;

/// Why a web.config could not be read or merged. Messages quote no values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The bytes are no text in the encoding the file has or claims.
    #[error("reading {name}: {why}")]
    Encoding {
        /// The file.
        name: String,
        /// What is wrong, and where.
        why: String,
    },
    /// Larger or deeper than any configuration that IIS reads.
    #[error("reading {name}: {why}")]
    Limit {
        /// The file.
        name: String,
        /// Which limit, and what to do.
        why: String,
    },
    /// A document type, which ASP.NET does not need and which can pull in other files.
    #[error("reading {name}: it has a document type (<!DOCTYPE>), which is refused; remove that declaration")]
    DocType {
        /// The file.
        name: String,
    },
    /// Not well-formed XML.
    #[error("reading {name}, line {line}, column {column}: {why}")]
    Malformed {
        /// The file.
        name: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What the parser says.
        why: String,
    },
    /// XML, but no configuration.
    #[error("reading {name}: its outermost element is <{root}>, not <configuration>; this is no web.config")]
    NotConfiguration {
        /// The file.
        name: String,
        /// The outermost element's name.
        root: String,
    },
    /// Encrypted sections: their values can be merged once they are decrypted.
    #[error(
        "merging {name}: {} encrypted; decrypt with `aspnet_regiis -pdf` on the server that encrypted it",
        list(sections)
    )]
    Encrypted {
        /// The file.
        name: String,
        /// The paths of the encrypted sections.
        sections: Vec<String>,
    },
    /// A file that a web.config refers to.
    #[error("reading {name}: {why}")]
    Outside {
        /// The file.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// Well-formed, but ASP.NET would not start the application with it.
    #[error("checking {name}: {}", problems.join("; "))]
    Faulty {
        /// The file.
        name: String,
        /// What is wrong, a sentence each.
        problems: Vec<String>,
    },
    /// The merged file does not say what it was meant to say. This is a fault of this program.
    #[error(
        "merging into {name}: {path} does not read back as it was written; nothing was changed. Merge this file by hand"
    )]
    Unsound {
        /// The file.
        name: String,
        /// The value.
        path: String,
    },
}

fn list(sections: &[String]) -> String {
    let verb = if sections.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", sections.join(", "))
}
