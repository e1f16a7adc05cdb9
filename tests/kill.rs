//! A kill at every operation: `resume` ends in the undisturbed result, `rollback` in the machine before.
mod support;
use support::*;

use pfupgrade::engine::{End, Standing};
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

fn survives_a_kill_at_every_operation(plan: &Plan) {
    let start = one_server();
    let before = without_what_stays(whole(&start));
    let undisturbed = start.snapshot();
    run(&undisturbed, plan).unwrap();
    let after = whole(&undisturbed);
    let mut cases = 0;
    for fault in [Fault::KilledBefore, Fault::KilledAfter] {
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
    println!("{cases} kills survived");
    assert!(cases > 100, "only {cases} cases: the faults did not reach the operations");
}

#[test]
fn one_server_survives_a_kill_at_every_operation() {
    survives_a_kill_at_every_operation(&plan("one-server"));
}

#[test]
fn kept_directory_names_survive_a_kill_at_every_operation() {
    survives_a_kill_at_every_operation(&plan("keep-directory-names"));
}
