//! Texts of Windows: the output of its programs and their arguments. Nothing here calls Windows, so all of it is tested
//! on every host.

pub(super) mod arguments;
pub(super) mod console;
pub(super) mod sddl;
pub(super) mod task;
pub(super) mod values;
