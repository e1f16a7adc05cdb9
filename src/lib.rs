//! pfupgrade

pub mod cli;
pub mod engine;
pub mod exit;
pub mod package;
pub mod plan;
pub mod platform;
pub mod preflight;
pub mod procedure;
pub mod report;
pub mod secret;
pub mod step;
pub mod survey;
pub mod webconfig;
pub mod winpath;
