//! Two or three faults, one after the other: in a run, while it is resumed, while it is rolled back. All of a case is
//! drawn from its seed.
//!
//! `PFUPGRADE_TWICE=20000 cargo test twice::` plays so many seeds, one after the other from `PFUPGRADE_SEED`, which is
//! another one in every run by default.

use crate::support::matrix::*;
use crate::support::views::agree;

use pfupgrade::platform::disk::{DiskFault, MemoryDisk};

const PLANS: [&str; 4] = ["one-server", "keep-directory-names", "agent-server", "web-server"];

/// Plays one seed: what happens, and how it ends.
fn play(played: &Played, seed: u64) -> (String, Result<(), String>) {
    let kind = |what: &str| Kind::all(seed)[draw(seed, what, 7)];
    let (at, first) = (draw(seed, "at", played.states.len()), kind("first"));
    let mut left = played.left(at, first);
    let mut what = format!("change {at}, {first:?}");
    let mut then = Then::Resume;
    for round in 0..=draw(seed, "rounds", 2) {
        // A rollback that has begun can only be brought to its end.
        if draw(seed, &format!("back {round}"), 2) == 1 {
            then = Then::RollBack;
        }
        let undisturbed = left.snapshot();
        if let Err(why) = played.go_on(&undisturbed, then) {
            return (format!("{what}, {then:?}"), Err(why));
        }
        let after = draw(seed, &format!("after {round}"), undisturbed.changes() as usize + 1) as u64;
        let kind = kind(&format!("kind {round}"));
        left = disturbed(played, left, then, after, kind);
        what += &format!(", {then:?} with change {after} {kind:?}");
        if let Err(why) = agree(&left) {
            return (what, Err(why));
        }
    }
    if draw(seed, "last", 2) == 1 {
        then = Then::RollBack;
    }
    let ended = played.ends_well(&left, then);
    (format!("{what}, {then:?}"), ended)
}

/// Goes on with a fault at a change of the disk.
fn disturbed(played: &Played, left: MemoryDisk, then: Then, after: u64, kind: Kind) -> MemoryDisk {
    let fault = match kind {
        Kind::Fails(fault) => fault,
        Kind::Killed | Kind::PowerCut(_) => DiskFault::Dies,
    };
    left.fail_after(after, fault);
    // What it says is not looked at: how it goes on from there is.
    let _ = played.go_on(&left, then);
    match kind {
        Kind::PowerCut(unsynced) => left.after_power_cut(unsynced),
        _ => left.snapshot(),
    }
}

/// Plays the seeds of one plan.
fn survives_more_faults(plan: usize) {
    let seeds = seed()..seed() + setting("PFUPGRADE_TWICE", sample(300, 1000, 1000));
    let mine: Vec<usize> = seeds.filter(|seed| seed % PLANS.len() == plan).collect();
    if mine.is_empty() {
        return;
    }
    let played = Played::of(PLANS[plan]);
    let mut verdict = Verdict::default();
    for seed in mine {
        let (what, ended) = play(&played, seed as u64);
        verdict.take(ended, || format!("PFUPGRADE_TWICE=1 PFUPGRADE_SEED={seed} cargo test twice::\n{what}"));
    }
    verdict.give(&format!("{}, several faults", played.name), "twice");
}

#[test]
fn one_server_survives_fault_upon_fault() {
    survives_more_faults(0);
}

#[test]
fn kept_directory_names_survive_fault_upon_fault() {
    survives_more_faults(1);
}

#[test]
fn an_agent_server_survives_fault_upon_fault() {
    survives_more_faults(2);
}

#[test]
fn a_web_server_survives_fault_upon_fault() {
    survives_more_faults(3);
}

/// Rolls a machine back, killed at each of the last `changes` changes of that, and rolls it back again.
fn rolls_back_again(played: &Played, machine: &MemoryDisk, changes: u64) {
    let undisturbed = machine.snapshot();
    played.ends_well(&undisturbed, Then::RollBack).unwrap();
    let mut verdict = Verdict::default();
    for after in undisturbed.changes().saturating_sub(changes)..undisturbed.changes() {
        let left = disturbed(played, machine.snapshot(), Then::RollBack, after, Kind::Killed);
        verdict.take(played.ends_well(&left, Then::RollBack), || format!("killed at change {after} of the rollback"));
    }
    verdict.give(&played.name, "twice");
}

/// Found by seed 108: going on with the rollback stopped the agent, and no operation of it started that again.
#[test]
fn an_interrupted_rollback_that_has_nothing_to_start_leaves_the_agent_running() {
    let played = Played::of("one-server");
    let first_backup = played.ops[1].1 as usize;
    rolls_back_again(&played, &played.states[first_backup], u64::MAX);
}

/// The same at the other end: everything was undone, the services ran again, and only the last record was missing.
#[test]
fn a_rollback_that_lacks_its_last_record_leaves_the_agent_running() {
    let played = Played::of("agent-server");
    rolls_back_again(&played, played.states.last().unwrap(), 20);
}
