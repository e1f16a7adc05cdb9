//! An ASP.NET web.config: a document that keeps every byte, and the merge of an administrator's old values into the
//! file that a new version brings.
//!
//! # One file through all stages
//!
//! A merge takes three files: the administrator's (*old*), the same file as the old version shipped it (*base*), and
//! the new version's (*new*). What differs between old and base is what the administrator did. It is migrated into new
//! where the new version has left the same place alone, it is a conflict where both changed it, and either way it is
//! told.
//!
//! **Text.** No XML writer leaves a file as it was, so nothing is ever written from a tree. [`Document::parse`] checks
//! the limits (`text::limits`), decodes the bytes without loss (`text::encoding`) and parses them; the tree only says
//! *where* things lie in the text. A change is a splice of that text (`text::edit`). What no splice touches keeps its
//! bytes: byte order mark, line ends, comments, quotes. `text::beside` knows which comments belong to an element.
//!
//! **Schema.** What ASP.NET and IIS mean by that text stands in `schema`: one table says which elements are lists, what
//! the keys of their items are, with their defaults, and in which of them order is meaning (`collections`); others say which
//! sections a machine declares and which IIS locks (`sections`), and what belongs to the new version and is never copied
//! (`of_version`). Further: where values lie in other files or are encrypted (`elsewhere`), which `<location>` holds for
//! the whole application and is looked through (`wrapper`), what the value sections say (`values`), what the SDK URL
//! looks like (`sdk_url`), and what ASP.NET does not load (`validation`).
//!
//! **Matching.** The `merge` goes through all three files at once. At each element `matching` asks which children are
//! the same: by tag and key, and by more where several are called alike (`naming`). The result is a list of triples:
//! the same element in old, base and new, each of which may be missing.
//!
//! **Walk.** `merge::walk` compares the parts of each triple. A changed attribute is in `walk::attribute`, a changed
//! text in `walk::text`, an added section, rule or item in `walk::added`, a removed one in `walk::removed`, another
//! order in `walk::order`, a section that moved to another file in `walk::moved_out`, a comment in
//! `walk::loose_comments`. The two value sections come first and have rules of their own, because in an
//! upgrade the administrator's values win: `app_settings` and `application_settings`. `without_base` starts the walk,
//! and where there is no base, it reports what can be said.
//!
//! **By hand.** A shape that the merge does not model is behind one gate (`merge::by_hand`): a section in several parts, a
//! section that IIS locks and that old and new both have and do not have alike, a place that the proof below has found
//! wrong. It stays as the new version has it, is reported as a whole, and is counted.
//!
//! **Decide.** Each of these asks the one truth table in `merge::decide` what becomes of the difference, and gives it
//! its guards: reasons not to migrate it. The answer is a [`Fate`]; with the path and both values it is the [`Change`]
//! that the administrator reads.
//!
//! **Placement.** What is added needs a place in new: where something was removed, behind what it stands behind in old,
//! or before what it stands before (`placement`). `insert` puts it there and refuses where ASP.NET would not accept it
//! or where it would mean something else; `transplant` gives the markup new's line ends, indentation and characters.
//! A comment on something new is written in the next round, when what it stands beside is there.
//!
//! **Splices.** All this collects in a `merge::draft`: splices, the moves of elements that change places, and the
//! account. The splices are made to lie apart and applied at once, and the result is encoded and parsed again.
//!
//! **Proof.** The result is merged again, as if it were new, until there is nothing left to do. Then `merge::proof` reads
//! all four files as ASP.NET and IIS do, with keys, defaults, `remove` and `clear`. Each attribute, item and order must be
//! the new version's where the administrator changed nothing, and the administrator's where he did, or be reported. (The
//! value sections and sections in other files have their own checks; without base there is nothing to compare with.) A
//! place where that is not so goes behind the gate, and the merge starts again (`merge_proven`). What cannot be left to
//! the administrator is an error ([`ConfigError::Unsound`]). [`check_merged`] then refuses what ASP.NET would not start
//! with.
//!
//! # Around the merge
//!
//! [`Together`] puts sections that lie in other files into their places before the merge and takes them out again
//! behind it (`merge::gather`, `merge::external`). [`masked_diff`] shows two files side by side. No value leaves this
//! module unmasked unless [`crate::secret::is_secret`] lets it: [`Secret`] cannot print itself, and [`Shown`] has
//! forgotten what it hides.

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
pub use schema::{AppSetting, Outside, Setting, Values, check, check_merged, declared_sections, missing};
pub(crate) use schema::{is_placeholder_sdk_url, is_sdk_setting};
pub use secret::{Secret, Shown};
pub use text::Document;
pub(crate) use text::limits::check as check_limits;

/// The largest web.config that is read, in bytes. One has a few kilobytes, and IIS refuses more than 250 KB unless a
/// registry value raises its own limit.
pub const CONFIG_LIMIT: u64 = text::MAX_BYTES as u64;
