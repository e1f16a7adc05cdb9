//! Tests of the whole program: runs on simulated machines, and the program as people and scripts start it.
//!
//! `cargo test MODULE::` runs those of one file.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod bad_input;
mod before;
mod by_hand;
mod capture;
mod cli;
mod cut;
mod demo_packages;
mod encrypted;
mod evidence;
mod gates;
mod help;
mod iis;
mod init;
mod inspect;
mod installers;
mod kill;
mod launch;
mod look;
mod merge;
mod mixes;
mod outside;
mod packages;
mod preflight;
mod procedure;
mod readme;
mod rehearse;
mod report;
mod rooms;
mod schema;
mod scripts;
mod second_thoughts;
mod services;
mod sigkill;
mod status;
mod stopping;
#[path = "../support/mod.rs"]
mod support;
mod truth;
mod twice;
mod unattended;
mod unfinished;
mod upgrade;
mod views;
mod working;
