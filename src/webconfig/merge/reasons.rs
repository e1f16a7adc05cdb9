//! Why a difference is not migrated, in the words of the account; reasons with one place in the code stand there.

pub(crate) const NO_PLACE: &str = "the new file has no such element; add it manually if you still need it";
pub(crate) const DOUBT: &str = "more than one element of the new file matches; check it manually";
pub(crate) const OUTSIDE: &str =
    "this other file holds values of the old file; merge them manually, or copy the file and refer to it";
pub(crate) const KEPT_OUTSIDE: &str = "the new file keeps this section in another file (configSource); set it there";
pub(crate) const OF_NEW: &str = "this belongs to the new version and is never migrated";
pub(crate) const ONLY_REPORTED: &str = "the plan only reports such changes";
pub(crate) const NO_BASE: &str =
    "the original default file is not available, so it is not known who changed this; compare manually";
pub(crate) const LEANING: &str =
    "it uses a namespace or characters that the new file does not support; add it manually";
