//! A kill, a failure, or an installer that makes trouble at every operation: `resume` ends in the undisturbed result,
//! `rollback` in the machine before. The report is true of the machine before and after that.
//!
//! By default a sample is played; `PFUPGRADE_FAULTS=all cargo test kill::` plays every case.

use crate::support::matrix::*;
use crate::support::views::agree;
use crate::support::*;
use crate::truth;

use crate::support::faulty::{Fault, Faulty};
use pfupgrade::engine::{End, EngineError};
use pfupgrade::journal::Standing;
use pfupgrade::plan::Plan;
use pfupgrade::platform::disk::MemoryDisk;
use pfupgrade::platform::simulated::{Trouble, Works};

/// Runs the plan on a copy of `start` that dies at operation `at`; what is left on the disk, and whether it died.
fn killed(start: &MemoryDisk, plan: &Plan, at: usize, fault: Fault) -> (MemoryDisk, bool) {
    let disk = start.snapshot();
    let machine = boot(&disk);
    let faulty = Faulty::new(&machine, at, fault, || disk.stop());
    let ended = run_on(&machine, &faulty, plan);
    let died = faulty.performed().len() > at;
    assert_eq!(died, ended.is_err(), "operation {at}: {ended:?}");
    agree(&disk.snapshot()).unwrap();
    (disk.snapshot(), died)
}

/// What goes wrong at an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// The machine fails it, or the process dies around it.
    Fault(Fault),
    /// An installer or program makes trouble.
    Trouble(Ends),
}

/// How an installer or program does not end as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// It outlives the run, and does its work in the end.
    LateAndDone,
    /// It outlives the run that has seen all its work done.
    DoneAndLate,
    /// It outlives the run, and nothing comes of it.
    LateForNothing,
    /// Its process ends at once, and the work is done later.
    Early,
    /// It has done its work and says that it failed.
    DoneAndFailed,
    /// It fails.
    Failed,
}

const ALL: [At; 10] = [
    At::Fault(Fault::KilledBefore),
    At::Fault(Fault::KilledAfter),
    At::Fault(Fault::Fails),
    At::Fault(Fault::FailsFromNowOn),
    At::Trouble(Ends::LateAndDone),
    At::Trouble(Ends::DoneAndLate),
    At::Trouble(Ends::LateForNothing),
    At::Trouble(Ends::Early),
    At::Trouble(Ends::DoneAndFailed),
    At::Trouble(Ends::Failed),
];

/// The trouble with what an operation starts; `None` where it starts nothing.
fn trouble(words: &str, ends: Ends) -> Option<Trouble> {
    let with = match words.strip_prefix("uninstall ") {
        Some(product) => product.split_whitespace().last()?.to_owned(),
        None if words.starts_with("install ") || words.starts_with("run ") => {
            words.rsplit_once('\\')?.1.split_whitespace().next()?.to_owned()
        }
        None => return None,
    };
    let (works, minutes, code) = match ends {
        Ends::LateAndDone => (Works::AtTheEnd, 90, 0),
        Ends::DoneAndLate => (Works::AtTheBeginning, 90, 0),
        Ends::LateForNothing => (Works::Never, 90, 0),
        Ends::Early => (Works::AtTheEnd, 10, 0),
        Ends::DoneAndFailed => (Works::AtTheBeginning, 0, 1603),
        Ends::Failed => (Works::Never, 0, 1603),
    };
    Some(Trouble {
        with,
        when: None,
        code,
        times: 1,
        takes: jiff::SignedDuration::from_mins(minutes),
        works,
        returns_early: ends == Ends::Early,
        leaves: Vec::new(),
    })
}

/// The machine as trouble at one operation leaves it; `None` where there can be none of the kind.
fn left_by(played: &Played, at: usize, kind: At) -> Option<MemoryDisk> {
    let (words, before, after) = &played.ops[at];
    let fault = match kind {
        At::Fault(Fault::KilledBefore) => return Some(played.states[*before as usize].snapshot()),
        At::Fault(Fault::KilledAfter) => return Some(played.states[*after as usize].snapshot()),
        At::Fault(fault) => fault,
        At::Trouble(_) => Fault::Troubled,
    };
    let made = match kind {
        At::Trouble(ends) => Some(trouble(words, ends)?),
        At::Fault(_) => None,
    };
    let disk = played.start.snapshot();
    let machine = boot(&disk);
    let faulty = Faulty::new(&machine, at, fault, || {
        change(&disk, |facts| facts.troubles.extend(made.clone()));
        machine.refresh().unwrap();
    });
    let ended = run_on(&machine, &faulty, &played.plan);
    assert!(ended.is_err() || kind != At::Fault(fault), "{}: {words}: {kind:?}: {ended:?}", played.name);
    assert!(boot(&disk).facts().troubles.is_empty(), "{}: {words}: {kind:?} met nothing", played.name);
    Some(disk.snapshot())
}

/// Plays every kind of trouble at every k-th operation, the next kind beginning at the next one. Few operations start
/// something: of the trouble with those, more is played.
fn survives_trouble_at_every_operation(played: &Played) {
    let (every, every_trouble) = (sample(6, 2, 1), sample(2, 1, 1));
    let mut verdict = Verdict::default();
    for at in 0..played.ops.len() {
        for (number, kind) in ALL.into_iter().enumerate() {
            let is_trouble = matches!(kind, At::Trouble(_));
            for (ending, then) in Then::BOTH.into_iter().enumerate() {
                let every = if is_trouble { every_trouble } else { every };
                if (seed() + at + number + ending).is_multiple_of(every)
                    && let Some(left) = left_by(played, at, kind)
                {
                    let what = || format!("operation {at}, {}, {kind:?}, {then:?}", played.ops[at].0);
                    let told = truth::is_true(&boot(&left)).and_then(|()| played.ends_well(&left, then));
                    verdict.take(told.and_then(|()| truth::is_true(&boot(&left))), what);
                }
            }
        }
    }
    verdict.give(&format!("{}, {} operations", played.name, played.ops.len()), "kill");
}

#[test]
fn one_server_survives_a_fault_at_every_operation() {
    survives_trouble_at_every_operation(&Played::of("one-server"));
}

#[test]
fn kept_directory_names_survive_a_fault_at_every_operation() {
    survives_trouble_at_every_operation(&Played::of("keep-directory-names"));
}

#[test]
fn an_agent_server_survives_a_fault_at_every_operation() {
    survives_trouble_at_every_operation(&Played::of("agent-server"));
}

#[test]
fn a_web_server_survives_a_fault_at_every_operation() {
    survives_trouble_at_every_operation(&Played::of("web-server"));
}

#[test]
fn a_failure_before_the_first_uninstall_leaves_the_machine_as_it_was() {
    let (start, plan) = (one_server(), plan("one-server"));
    let before = whole(&start);
    let mut seen = 0;
    for at in 0.. {
        let disk = start.snapshot();
        let machine = boot(&disk);
        let faulty = Faulty::new(&machine, at, Fault::Fails, || ());
        let Err(EngineError::Step { nothing_lost, step, .. }) = run_on(&machine, &faulty, &plan) else {
            panic!("operation {at} did not fail");
        };
        if !nothing_lost {
            assert_eq!(step, "uninstall-portal");
            break;
        }
        assert_same(&before, &whole(&disk), &format!("{step} failed"));
        seen += 1;
    }
    // Every backup, the service that stops, the data.
    assert!(seen >= 10, "only {seen} operations before the first uninstall");
}

#[test]
fn a_rollback_survives_a_fault_at_every_operation() {
    let plan = plan("one-server");
    let finished = one_server();
    let before = without_what_stays(whole(&finished));
    run(&finished, &plan).unwrap();
    let half = killed(&one_server(), &plan, 40, Fault::KilledAfter).0;
    let every = sample(5, 1, 1);
    for start in [finished, half] {
        for (number, fault) in [Fault::KilledBefore, Fault::KilledAfter, Fault::Fails].into_iter().enumerate() {
            for at in ((seed() + number) % every..).step_by(every) {
                let disk = start.snapshot();
                let machine = boot(&disk);
                let faulty = Faulty::new(&machine, at, fault, || disk.stop());
                let clock = clock();
                let engine = engine(&faulty, &clock);
                let found = engine.last_run().unwrap().unwrap();
                let ended = engine.rollback(&found, &mut pfupgrade::engine::Silent);
                let died = faulty.performed().len() > at;
                assert_eq!(died, ended.is_err(), "{fault:?} {at}: {ended:?}");
                if !died {
                    break;
                }
                let disk = disk.snapshot();
                assert_eq!(last_run(&disk).unwrap().standing(), Standing::RollingBack);
                assert_eq!(rollback(&disk).unwrap().unwrap(), End::RolledBack, "{fault:?} {at}");
                assert_same(&before, &without_what_stays(whole(&disk)), &format!("{fault:?} {at}"));
            }
        }
    }
}
