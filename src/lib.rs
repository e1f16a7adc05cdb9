//! pfupgrade

pub mod winpath;
