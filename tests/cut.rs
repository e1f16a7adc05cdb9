//! Kills and power cuts between any two changes of the disk, inside installers too: `resume` ends in the undisturbed
//! result, `rollback` in the machine before.
//!
//! `PFUPGRADE_CUT_EVERY=1 cargo test --release --test cut` plays every one of them; by default it is every 5th.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod support;
use support::*;

use pfupgrade::engine::{End, EngineError, Standing};
use pfupgrade::plan::Plan;
use pfupgrade::platform::disk::{self, MemoryDisk, ReadDisk};
use pfupgrade::platform::op::Op;
use pfupgrade::platform::{FailureKind, Platform, manifest_of, verify_backup};

/// The machine as it is left where the process dies, or the power goes, after so many changes of the disk.
fn cut(start: &MemoryDisk, plan: &Plan, after: u64, power: bool) -> MemoryDisk {
    let disk = start.snapshot();
    disk.stop_after(after);
    let ended = run(&disk, plan);
    assert!(ended.is_err() || disk.changes() >= after, "cut after {after}: {ended:?}");
    if power { disk.after_power_cut() } else { disk.snapshot() }
}

fn survives_cuts(name: &str) {
    let plan = plan(name);
    let start = one_server();
    let before = without_what_stays(whole(&start));
    let undisturbed = start.snapshot();
    run(&undisturbed, &plan).unwrap();
    let after = whole(&undisturbed);
    let every = std::env::var("PFUPGRADE_CUT_EVERY").map_or(5, |every| every.parse().unwrap());
    let mut cases = 0;
    // The last change is always among them.
    for at in (0..undisturbed.changes()).rev().step_by(every) {
        for power in [false, true] {
            let what = format!("{name}, cut after {at}{}", if power { " by a power cut" } else { "" });
            let left = cut(&start, &plan, at, power);
            let resumed = left.snapshot();
            match resume(&resumed) {
                // Nothing of the run had been noted: it is begun again.
                None => drop(run(&resumed, &plan).unwrap()),
                // Cut after its last record it is over.
                Some(Err(EngineError::NotNow { .. })) => {
                    assert_eq!(last_run(&resumed).unwrap().standing, Standing::Finished, "{what}");
                }
                Some(end) => assert_eq!(end.unwrap(), End::Done { reboot: false }, "{what}"),
            }
            assert_same(&after, &whole(&resumed), &format!("{what}, resumed"));
            if let Some(end) = rollback(&left) {
                end.unwrap_or_else(|error| panic!("{what}: {error}"));
            }
            assert_same(&before, &without_what_stays(whole(&left)), &format!("{what}, rolled back"));
            cases += 1;
        }
    }
    println!("{name}: {cases} cuts survived, of {} changes", undisturbed.changes());
}

#[test]
fn one_server_survives_being_cut_anywhere() {
    survives_cuts("one-server");
}

#[test]
fn kept_directory_names_survive_being_cut_anywhere() {
    survives_cuts("keep-directory-names");
}

fn back_up(disk: &MemoryDisk) -> Result<(), pfupgrade::platform::Failure> {
    let op = Op::BackUp {
        from: path(r"C:\inetpub\wwwroot\PhoneFactor"),
        to: path(r"C:\ProgramData\pfupgrade\backups\cut\portal"),
        except: Vec::new(),
    };
    boot(disk).perform(&op, &mut |_| {}).map(drop)
}

/// What a power cut leaves of a backup: nothing that counts, or all of it.
fn is_whole_or_none(disk: &MemoryDisk) -> bool {
    let to = path(r"C:\ProgramData\pfupgrade\backups\cut\portal");
    let after = disk.after_power_cut();
    let there = disk::exists(&after, &manifest_of(&to)).unwrap();
    !there || verify_backup(&after, &to).is_ok()
}

#[test]
fn a_backup_has_its_manifest_only_where_every_file_of_it_is_safe() {
    let undisturbed = one_server();
    back_up(&undisturbed).unwrap();
    assert!(is_whole_or_none(&undisturbed));
    let to = path(r"C:\ProgramData\pfupgrade\backups\cut\portal");
    let manifest = verify_backup(&undisturbed.after_power_cut(), &to).unwrap();
    assert!(manifest.entries.len() > 10);
    for at in 0..undisturbed.changes() {
        let disk = one_server();
        disk.stop_after(at);
        back_up(&disk).unwrap_err();
        assert!(is_whole_or_none(&disk), "cut after {at}");
        let disk = disk.snapshot();
        back_up(&disk).unwrap();
        let found = verify_backup(&disk.after_power_cut(), &to);
        assert_eq!(found.as_ref(), Ok(&manifest), "cut after {at} and done anew");
    }
}

#[test]
fn a_disk_that_does_not_sync_a_backup_is_found_out() {
    let disk = one_server();
    disk.forget_batches();
    let failure = back_up(&disk).unwrap_err();
    assert_eq!(failure.kind, FailureKind::DamagedBackup, "{failure}");
    assert!(is_whole_or_none(&disk));
    let to = path(r"C:\ProgramData\pfupgrade\backups\cut\portal");
    assert!(disk.entry(&manifest_of(&to)).unwrap().is_none(), "a backup that is not safe must not count as one");
}
