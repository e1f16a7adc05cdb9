//! The map of the house.
//!
//! `pfupgrade` moves a server from the PhoneFactor Agent to Multi-Factor Authentication Server. This page says which
//! room does what and where to begin; the `README.md` beside the sources says what the program does for its users.
//!
//! # How data flows
//!
//! The administrator's TOML file becomes a [`plan::Plan`]: what is wanted. A look at the machine becomes a
//! [`survey::Survey`]: what is there. [`procedure::compile`] makes of both an ordered list of [`step::Step`]s, with
//! the findings of [`preflight`]. [`engine::prepare`] puts that into a preview ([`report`]) and, where a run begins,
//! into the journal, frozen: nothing is ever compiled anew on a machine that is half done. The [`engine`] asks each
//! step for its operations ([`platform::op::Op`]), writes each into the journal with what was there before, and has
//! the [`platform::Platform`] carry it out. `resume` reads the journal and goes on; `rollback` reads it backwards.
//!
//! ```text
//! plan + survey -> procedure -> engine -> platform
//! ```
//!
//! What is used stands below what uses it: [`cli`], [`capture`], [`draft`], [`engine`], [`procedure`] with [`preflight`], [`step`],
//! [`survey`], then [`platform`] and [`webconfig`], [`package`], and [`winpath`] and [`secret`] at the bottom.
//! [`plan`] is read by all of them down to [`survey`]; [`report`] stands beside them, since a preview is filled by
//! steps and a summary tells of a run. Nothing below [`cli`] prints or knows a terminal.
//!
//! # The rooms
//!
//! - [`cli`]: arguments in, text and an exit code out. One file a command.
//! - [`exit`]: every exit code, and what ends with which.
//! - [`plan`]: the file format. [`plan::KEYS`] is the one table of what may stand in it.
//! - [`draft`]: machine to plan, for `init`. [`capture`]: machine to simulated machine, without its secrets.
//! - [`survey`]: machine to facts. Names and codes of the old products are not published, so everything is
//!   discovered.
//! - [`preflight`]: what stands in the way of a run.
//! - [`procedure`]: the order of the steps, in one place, which reads like Microsoft's article.
//! - [`step`]: one file a kind of step. A step looks, and yields operations; it has no undo of its own.
//! - [`engine`]: run, resume, rollback; the journal; the lock.
//! - [`platform`]: the machine behind two traits, the operations, and the disk. [`platform::simulated`] is a machine
//!   in a folder, and on Windows `platform::Windows` the one this program runs on; [`platform::faulty`] wraps any
//!   machine and has one operation go wrong.
//! - [`package`]: reads Windows Installer packages on any host.
//! - [`webconfig`]: reads and merges `web.config` files without touching a byte that need not change.
//! - [`report`]: previews and summaries as data, as text and as JSON.
//! - [`winpath`], [`secret`]: paths of the machine on every host; which names are taken to hold a credential.
//!
//! # Where to go for a change
//!
//! | to change | go to |
//! |---|---|
//! | what a step does | its file in [`step`], and the test that plays it |
//! | which steps there are, or their order | [`procedure::compile`] |
//! | what is refused before a run | [`preflight`], and its row in [`finding::FINDINGS`] |
//! | a key of the plan | [`plan::KEYS`], then `plan/parse.rs` |
//! | how an old setting is carried over | [`webconfig::merge`] |
//! | how products are recognised | [`survey::products`] |
//! | what the machine can be asked or told | [`platform::Inspect`], [`platform::op::Op`] |
//! | what is said, and how | [`report::text`]; [`cli`] only decides when |
//!
//! # What the types promise
//!
//! - [`platform::Inspect`] has questions only. A preview is given nothing else, so the compiler sees to it that it
//!   changes nothing; [`platform::Platform::perform`] is the one way to change a machine.
//! - An [`platform::op::Op`] is a goal, not a command: performing one that is done or half done completes it. Going
//!   on after a kill needs no more than that.
//! - Undo follows from an operation and from what it met ([`journal::Before`]); no step has an inverse that
//!   could be forgotten.
//! - [`webconfig::Secret`] cannot print itself and [`webconfig::Shown`] has forgotten what it hides;
//!   [`platform::op::Blob`] is stored and shown as its size and hash only.
//! - [`winpath::WinPath`] is an absolute path of the machine. A path of the host is a [`std::path::Path`], and
//!   neither becomes the other by accident.
//! - [`platform::disk::Disk`] tells what is written from what is durable, so that a power cut can be played in
//!   memory.

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

// What tests of the library share with those of the program names it from outside.
#[cfg(test)]
extern crate self as pfupgrade;
