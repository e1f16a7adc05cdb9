//! A kill or a failure at every operation: `resume` ends in the undisturbed result, `rollback` in the machine before.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod support;
use support::*;

use pfupgrade::engine::{End, EngineError, Standing};
use pfupgrade::plan::Plan;
use pfupgrade::platform::disk::MemoryDisk;
use pfupgrade::platform::faulty::{Fault, Faulty};

/// Runs the plan on a copy of `start` that dies at operation `at`; what is left on the disk, and whether it died.
fn killed(start: &MemoryDisk, plan: &Plan, at: usize, fault: Fault) -> (MemoryDisk, bool) {
    let disk = start.snapshot();
    let machine = boot(&disk);
    let faulty = Faulty::new(&machine, at, fault, || disk.stop());
    let ended = run_on(&machine, &faulty, plan);
    let died = faulty.performed().len() > at;
    assert_eq!(died, ended.is_err(), "operation {at}: {ended:?}");
    (disk.snapshot(), died)
}

fn survives_a_fault_at_every_operation(plan: &Plan) {
    let start = one_server();
    let before = without_what_stays(whole(&start));
    let undisturbed = start.snapshot();
    run(&undisturbed, plan).unwrap();
    let after = whole(&undisturbed);
    let mut cases = 0;
    for fault in [Fault::KilledBefore, Fault::KilledAfter, Fault::Fails, Fault::FailsFromNowOn] {
        for at in 0.. {
            let (left, died) = killed(&start, plan, at, fault);
            if !died {
                break;
            }
            let resumed = left.snapshot();
            let end = resume(&resumed).map(Result::unwrap);
            assert_eq!(end, Some(End::Done { reboot: false }), "{fault:?} {at}");
            assert_same(&after, &whole(&resumed), &format!("resumed, {fault:?} {at}"));
            assert_eq!(last_run(&resumed).unwrap().standing, Standing::Finished);

            let end = rollback(&left).unwrap();
            assert!(matches!(end, Ok(End::RolledBack)), "{fault:?} {at}: {end:?}");
            assert_same(&before, &without_what_stays(whole(&left)), &format!("rolled back, {fault:?} {at}"));
            cases += 2;
        }
    }
    println!("{cases} faults survived");
    assert!(cases > 100, "only {cases} cases: the faults did not reach the operations");
}

#[test]
fn one_server_survives_a_fault_at_every_operation() {
    survives_a_fault_at_every_operation(&plan("one-server"));
}

#[test]
fn kept_directory_names_survive_a_fault_at_every_operation() {
    survives_a_fault_at_every_operation(&plan("keep-directory-names"));
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
    for start in [finished, half] {
        for fault in [Fault::KilledBefore, Fault::KilledAfter, Fault::Fails] {
            for at in 0.. {
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
                assert_eq!(last_run(&disk).unwrap().standing, Standing::RollingBack);
                assert_eq!(rollback(&disk).unwrap().unwrap(), End::RolledBack, "{fault:?} {at}");
                assert_same(&before, &without_what_stays(whole(&disk)), &format!("{fault:?} {at}"));
            }
        }
    }
}
