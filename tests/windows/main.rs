//! The Windows program, driven under Wine on a server that real Windows Installer packages have made, and looked at from
//! outside. `.ci/windows` builds what it needs and runs it; plain `cargo test` does not.
#![allow(clippy::panic, reason = "a scenario ends with a panic that says what is not so")]

mod apart;
mod capture;
mod complete;
mod installers;
mod interrupted;
mod machine;
mod merging;
mod odd_products;
mod packages;
mod prepare;
mod simulation;
mod state;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "only a part of it is used here")]
mod support;

use machine::Machine;
use prepare::Programs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;
use std::{env, fs, io, panic, thread};

type Scenario = fn(&Machine) -> io::Result<()>;

macro_rules! scenarios {
    ($($room:ident: $($name:ident)+;)+) => {
        &[$($((stringify!($name), $room::$name as Scenario)),+),+]
    };
}

const SCENARIOS: &[(&str, Scenario)] = scenarios! {
    complete: a_preview_changes_nothing one_server_complete names_that_are_kept a_person_runs_the_setup;
    capture: a_captured_machine_previews_the_same;
    merging: a_file_that_is_merged_by_hand;
    simulation: the_simulation_ends_as_the_same_machine;
    apart: agent_only web_server_only;
    interrupted: a_killed_run_goes_on a_run_is_stopped_by_its_operator a_file_that_is_held_open;
    installers: a_package_that_fails a_package_that_wants_a_restart a_restart_that_comes_first an_unsigned_installer;
    odd_products: a_product_of_one_user a_product_with_an_uninstaller_of_its_own a_product_that_a_person_uninstalls;
};

fn main() -> io::Result<()> {
    let built = env::var_os("PFUPGRADE_WINDOWS").map(PathBuf::from);
    let Some(built) = built else {
        eprintln!("PFUPGRADE_WINDOWS has to name the folder of the Windows programs: run .ci/windows");
        std::process::exit(2);
    };
    let wanted: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted.as_str()));
    let folder = env::temp_dir().join(format!("pfupgrade-wine-{}", std::process::id()));
    println!("preparing a server in {}", folder.display());
    let begun = Instant::now();
    let base = Machine::prepare(folder.join("base"), &Programs(built))?;
    println!("prepared ({} s)", begun.elapsed().as_secs());
    let left = Mutex::new(SCENARIOS.iter().filter(|(name, _)| is_wanted(name)));
    let failed = Mutex::new(Vec::new());
    let work = || {
        while let Some((name, scenario)) = left.lock().ok().and_then(|mut left| left.next()) {
            if !plays(name, *scenario, &base) {
                failed.lock().expect("nobody panics with it").push(*name);
            }
        }
    };
    // Each machine has processes of its own, and most of the time one of them is waited for.
    thread::scope(|scope| {
        (0..thread::available_parallelism().map_or(1, usize::from)).for_each(|_| drop(scope.spawn(work)))
    });
    drop(base);
    let failed = failed.into_inner().expect("nobody panics with it");
    if failed.is_empty() {
        return fs::remove_dir_all(&folder);
    }
    eprintln!("failed: {}; their machines are in {}", failed.join(", "), folder.display());
    std::process::exit(1);
}

/// What is said where Wine itself could not start a process, as happens on a machine that has too much to do.
const STUMBLED: [&str; 3] = ["(os error 1359)", "ended with 1627", "Wine could not start"];

fn plays(name: &str, scenario: Scenario, base: &Machine) -> bool {
    let begun = Instant::now();
    let play = || {
        let machine = base.copy(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        scenario(&machine).unwrap_or_else(|error| panic!("{name}: {error}"));
    };
    let mut ended = panic::catch_unwind(panic::AssertUnwindSafe(play));
    let why = ended.as_ref().err().and_then(|why| why.downcast_ref::<String>());
    if why.is_some_and(|why| STUMBLED.iter().any(|sign| why.contains(sign))) {
        println!("scenario {name}: Wine could not start a process; once more");
        ended = panic::catch_unwind(panic::AssertUnwindSafe(play));
    }
    println!("scenario {name} {} ({} s)", if ended.is_ok() { "ok" } else { "FAILED" }, begun.elapsed().as_secs());
    ended.is_ok()
}
