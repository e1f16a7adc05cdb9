//! pfupgrade

pub mod platform;
pub mod winpath;
