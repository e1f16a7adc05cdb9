//! pfupgrade

pub mod package;
pub mod winpath;
