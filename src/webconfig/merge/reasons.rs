//! Why a difference is not migrated, in the words of the account; reasons with one place in the code stand there.

pub(crate) const NO_PLACE: &str = "the new file has no such element; add it by hand if it is still wanted";
pub(crate) const DOUBT: &str = "it cannot be told which element of the new file this is; look at it by hand";
pub(crate) const OUTSIDE: &str =
    "values of the old file lie in this other file; merge them by hand, or copy it and refer to it";
pub(crate) const KEPT_OUTSIDE: &str = "the new file keeps this section in another file (configSource); set it there";
pub(crate) const OF_NEW: &str = "this belongs to the new version and is never copied";
pub(crate) const ONLY_REPORTED: &str = "the plan has such changes reported only";
pub(crate) const NO_BASE: &str =
    "the file as shipped could not be had, so it is not known who changed this; compare by hand";
pub(crate) const LEANING: &str = "it uses a namespace or characters that the new file does not support; add it by hand";
