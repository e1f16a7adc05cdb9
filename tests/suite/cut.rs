//! Kills and power cuts between any two changes of the disk, inside installers too: `resume` ends in the undisturbed
//! result, `rollback` in the machine before.
//!
//! By default a sample is played; `PFUPGRADE_FAULTS=all cargo test cut::` plays every case.

use crate::support::matrix::*;
use crate::support::mixes::*;
use crate::support::*;

use pfupgrade::plan::Component;
use pfupgrade::platform::disk::{self, MemoryDisk, ReadDisk, Synced, Unsynced};
use pfupgrade::platform::facts::Bits;
use pfupgrade::platform::op::Op;
use pfupgrade::platform::{FailureKind, Platform, manifest_of, verify_backup};

/// Plays every kind of fault at every k-th change of the disk, the next kind beginning a little later.
fn survives(played: &Played) {
    let every = sample(40, 10, 1);
    let mut verdict = Verdict::default();
    let last = played.states.len() - 1;
    for at in 0..=last {
        for (number, kind) in Kind::all(at as u64).into_iter().enumerate() {
            for (ending, then) in Then::BOTH.into_iter().enumerate() {
                let offset = (2 * number + ending) * every / 14;
                if (seed() + at + offset).is_multiple_of(every) || at == last {
                    let left = played.left(at, kind);
                    verdict.take(played.ends_well(&left, then), || format!("change {at}, {kind:?}, {then:?}"));
                }
            }
        }
    }
    verdict.give(&format!("{}, {last} changes", played.name), "cut");
}

#[test]
fn one_server_survives_being_cut_anywhere() {
    survives(&Played::of("one-server"));
}

#[test]
fn kept_directory_names_survive_being_cut_anywhere() {
    survives(&Played::of("keep-directory-names"));
}

#[test]
fn an_agent_server_survives_being_cut_anywhere() {
    survives(&Played::of("agent-server"));
}

#[test]
fn a_web_server_survives_being_cut_anywhere() {
    survives(&Played::of("web-server"));
}

#[test]
fn mixes_of_components_survive_being_cut_anywhere() {
    let [server, sdk, portal, mobile] = Component::ALL;
    let mut cases = vec![
        Case { bits: Bits::X86, ..Case::of(vec![server, portal]) },
        Case { keeps_names: true, ..Case::of(vec![server, sdk]) },
        Case::of(vec![sdk, mobile]),
    ];
    let mut wishes = Case::of(Component::ALL.into());
    wishes.actions.extend([(portal, "keep"), (mobile, "remove")]);
    wishes.places.insert(sdk, other_site("PfSdk"));
    cases.push(wishes);
    for case in cases {
        survives(&Played::new(&format!("{case:?}"), case.machine(), case.plan()));
    }
}

/// Found by the matrix: what was left stayed for ever, since the next run has a folder of its own.
#[test]
fn a_first_record_that_was_cut_off_is_not_left_behind() {
    let left = |disk: &MemoryDisk| {
        let runs = path(r"C:\ProgramData\pfupgrade\runs");
        let all = disk.walk(&runs).unwrap();
        all.iter().filter(|entry| entry.path.name().contains("pfupgrade-new")).count()
    };
    let played = Played::of("web-server");
    let has_runs = |disk: &&MemoryDisk| disk.entry(&path(r"C:\ProgramData\pfupgrade\runs")).unwrap().is_some();
    let cut = played.states.iter().filter(has_runs).find(|disk| left(disk) > 0);
    let cut = cut.expect("a first record is written beside its name");
    assert_eq!(last_run(cut).map(|run| run.standing()), None);
    run(cut, &played.plan).unwrap();
    assert_eq!(left(cut), 0);
}

/// True where a power cut between a sync that was not made and the next one of the same thing breaks the promise, or
/// the run itself finds out.
fn is_missed(played: &Played, sync: &Synced) -> bool {
    let disk = played.start.snapshot();
    disk.keep_states();
    disk.forget_sync(sync.change);
    if run(&disk, &played.plan).is_err() {
        return true;
    }
    let states = disk.states();
    let next = played.syncs.iter().find(|next| next.change > sync.change && next.path == sync.path);
    let (first, last) = (sync.change as usize + 1, next.map_or(states.len() - 1, |next| next.change as usize));
    // Most windows close soon; the others stay open for long.
    let points = (first..first + 10).chain((4..12).map(|power| first + (1 << power))).filter(|at| *at < last);
    let cut = |at: usize| states[at].after_power_cut(Unsynced::Dropped);
    points.chain([last]).any(|at| Then::BOTH.into_iter().any(|then| played.ends_well(&cut(at), then).is_err()))
}

/// Whether a sync, with its path as text, is one of a kind.
type Concerns<'a> = dyn Fn(&Synced, &str) -> bool + 'a;

/// Takes out one sync at a time: the matrix has to see it. What is not named here can be lost without harm, since it is
/// done again.
#[test]
fn every_sync_that_the_promise_needs_is_missed() {
    let played = Played::of("one-server");
    let (run, backups) =
        (r"C:\ProgramData\pfupgrade\runs\20160305-220000", r"C:\ProgramData\pfupgrade\backups\20160305-220000");
    let before_uninstalls: Vec<u64> =
        played.ops.iter().filter(|op| op.0.starts_with("uninstall")).map(|op| op.1 - 1).collect();
    let portal = r"C:\inetpub\wwwroot\MultiFactorAuth";
    let syncs: [(&str, &Concerns<'_>); 8] = [
        ("the journal's first record", &|_, path| path == format!(r"{run}\journal.jsonl.pfupgrade-new.config")),
        ("the journal's name", &|_, path| path == run),
        ("the record of an uninstall", &|sync, _| before_uninstalls.contains(&sync.change)),
        ("the files of a backup", &|_, path| path == format!(r"{backups}\portal")),
        ("a backed-up package", &|_, path| path == format!(r"{backups}\portal-package.msi")),
        ("a manifest", &|_, path| path == format!(r"{backups}\portal.manifest.json.pfupgrade-new.config")),
        ("a manifest's name", &|_, path| path == backups),
        ("a merged file", &|_, path| path == format!(r"{portal}\web.config.pfupgrade-new.config")),
    ];
    for (what, concerns) in syncs {
        let of_kind: Vec<&Synced> = played.syncs.iter().filter(|sync| concerns(sync, sync.path.as_str())).collect();
        let missed = of_kind.iter().position(|sync| is_missed(&played, sync));
        assert!(missed.is_some(), "{what}: none of {} syncs is missed where it is not made", of_kind.len());
        println!("{what}: missed, {} of {} tried", missed.unwrap() + 1, of_kind.len());
    }
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
    let after = disk.after_power_cut(Unsynced::Dropped);
    let there = disk::exists(&after, &manifest_of(&to)).unwrap();
    !there || verify_backup(&after, &to, &|_| {}).is_ok()
}

#[test]
fn a_backup_has_its_manifest_only_where_every_file_of_it_is_safe() {
    let undisturbed = one_server();
    back_up(&undisturbed).unwrap();
    assert!(is_whole_or_none(&undisturbed));
    let to = path(r"C:\ProgramData\pfupgrade\backups\cut\portal");
    let manifest = verify_backup(&undisturbed.after_power_cut(Unsynced::Dropped), &to, &|_| {}).unwrap();
    assert!(manifest.entries.len() > 10);
    for at in 0..undisturbed.changes() {
        let disk = one_server();
        disk.stop_after(at);
        back_up(&disk).unwrap_err();
        assert!(is_whole_or_none(&disk), "cut after {at}");
        let disk = disk.snapshot();
        back_up(&disk).unwrap();
        let found = verify_backup(&disk.after_power_cut(Unsynced::Dropped), &to, &|_| {});
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
