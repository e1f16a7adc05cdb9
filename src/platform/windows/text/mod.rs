//! The texts of Windows: what is read from its programs and what they are told. Nothing here asks Windows anything, so
//! all of it is tested on every host.

pub(super) mod appcmd;
pub(super) mod arguments;
pub(super) mod console;
pub(super) mod sddl;
pub(super) mod task;
pub(super) mod values;
