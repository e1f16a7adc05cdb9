#![doc = include_str!("guide/house.md")]

pub mod capture;
pub mod cli;
pub mod draft;
pub mod engine;
pub mod exit;
pub mod finding;
pub mod journal;
pub mod names;
pub mod package;
pub mod plan;
pub mod platform;
pub mod preflight;
pub mod prepare;
pub mod procedure;
pub mod report;
pub mod secret;
pub mod step;
pub mod survey;
pub mod webconfig;
pub mod winpath;

// Code shared by the unit and integration tests uses the library by its external name.
#[cfg(test)]
extern crate self as pfupgrade;
