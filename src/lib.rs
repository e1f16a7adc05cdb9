//! pfupgrade

pub mod package;
pub mod platform;
pub mod winpath;
