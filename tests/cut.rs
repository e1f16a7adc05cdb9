//! Kills and power cuts between any two changes of the disk, inside installers too.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod support;
use support::*;

use pfupgrade::engine::End;
use pfupgrade::plan::Plan;
use pfupgrade::platform::disk::MemoryDisk;

/// The machine as it is left where the process dies, or the power goes, after so many changes of the disk.
fn cut(start: &MemoryDisk, plan: &Plan, after: u64, power: bool) -> Option<MemoryDisk> {
    let disk = start.snapshot();
    disk.stop_after(after);
    let died =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&disk, plan))).is_err() || disk.changes() >= after;
    died.then(|| if power { disk.after_power_cut() } else { disk.snapshot() })
}

#[test]
fn a_run_survives_being_cut_anywhere() {
    let plan = plan("one-server");
    let start = one_server();
    let before = without_what_stays(whole(&start));
    let undisturbed = start.snapshot();
    run(&undisturbed, &plan).unwrap();
    let changes = undisturbed.changes();
    let after = whole(&undisturbed);
    println!("{changes} changes");
    let every: usize = std::env::var("PFUPGRADE_CUT_EVERY").ok().and_then(|n| n.parse().ok()).unwrap_or(53);
    let mut bad = Vec::new();
    for at in (0..changes).step_by(every) {
        for power in [false, true] {
            let Some(left) = cut(&start, &plan, at, power) else { continue };
            let r = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let resumed = left.snapshot();
                match resume(&resumed) {
                    None => drop(run(&resumed, &plan).unwrap()),
                    Some(end) => assert_eq!(end.unwrap(), End::Done { reboot: false }),
                }
                assert_same(&after, &whole(&resumed), &format!("resumed, cut after {at}, power {power}"));
                if let Some(end) = rollback(&left) {
                    end.unwrap();
                }
                assert_same(
                    &before,
                    &without_what_stays(whole(&left)),
                    &format!("rolled back, cut after {at}, {power}"),
                );
            }));
            if r.is_err() {
                bad.push((at, power));
            }
        }
    }
    assert!(bad.is_empty(), "{bad:?}");
}
