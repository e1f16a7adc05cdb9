//! pfupgrade

pub mod webconfig;
pub mod winpath;
