//! What may be shown of a file: secrets masked, or with placeholders in their place.

mod diff;
pub(crate) mod mask;
mod placeholder;

pub use diff::{DiffLine, LineKind, masked_diff};
pub use placeholder::{placeholder, placeholders};
