//! pfupgrade

pub mod plan;
pub mod winpath;
