//! Operations that are cut off at any change of the disk end as if nothing had happened once they are done again.

use super::*;
use crate::platform::disk::{DiskFault, Unsynced};
use crate::platform::op::{Blob, WayBack};

/// Kills the operation at every single change of the disk, once as a process that dies and once as a power cut, and does
/// it again: the end must be the same as without.
fn survives_every_cut(before: &MemoryDisk, op: &Op) {
    before.sync_all();
    let undisturbed = before.snapshot();
    perform(&open(&undisturbed), op).unwrap();
    // What a program prints the second time may well differ.
    let result = |disk: &MemoryDisk| {
        let mut all = state(disk);
        all.retain(|at, _| at != LOG || !matches!(op, Op::Run { .. }));
        all
    };
    let wanted = result(&undisturbed);
    assert!(result(&undisturbed.after_power_cut(Unsynced::Dropped)) == wanted, "{op} is not safe when it is over");
    assert_ne!(wanted, state(before), "{op} changes nothing");
    for changes in 0.. {
        let disk = before.snapshot();
        let machine = open(&disk);
        disk.stop_after(changes);
        let end = perform(&machine, op);
        if end.is_ok() {
            assert!(changes > 10, "{changes} changes only");
            break;
        }
        let power =
            [Unsynced::Dropped, Unsynced::InPart(changes), Unsynced::Torn(changes), Unsynced::Reordered(changes)];
        let without_power = power.map(|unsynced| (format!("{unsynced:?}"), disk.after_power_cut(unsynced)));
        for (how, left) in without_power.into_iter().chain([("killed".to_owned(), disk.snapshot())]) {
            let machine = open(&left);
            machine.refresh().unwrap();
            perform(&machine, op).unwrap_or_else(|failure| panic!("{op}, {how} at {changes}: {failure}"));
            check(&wanted, &result(&left), &format!("{op}, {how} at change {changes}"));
            // What had been done before, and was only found so now, has to be as safe as what was done now.
            let after = left.after_power_cut(Unsynced::Dropped);
            check(&wanted, &result(&after), &format!("{op}, {how} at change {changes}, and a power cut after it"));
        }
        let disk = before.snapshot();
        let machine = open(&disk);
        disk.fail_after(changes, DiskFault::FailsOnce);
        perform(&machine, op).unwrap_err();
        perform(&machine, op).unwrap();
        check(&wanted, &result(&disk), &format!("{op}, with a fault at change {changes}"));
    }
}

fn check(wanted: &BTreeMap<String, Vec<u8>>, found: &BTreeMap<String, Vec<u8>>, when: &str) {
    let differing: Vec<_> = wanted.keys().chain(found.keys()).filter(|at| wanted.get(*at) != found.get(*at)).collect();
    assert!(differing.is_empty(), "{when}: {differing:?}");
}

#[test]
fn what_could_not_be_written_has_not_happened() {
    let (disk, _) = demo();
    let machine = open(&disk);
    disk.stop();
    let before = machine.facts();
    assert!(perform(&machine, &service("PFSvc", ServiceState::Stopped)).is_err());
    assert_eq!(machine.facts(), before);
    let write = Op::Write { path: path(LOG), content: Blob::new(*b"x") };
    assert!(perform(&machine, &write).is_err());
}

#[test]
fn removals_survive_every_cut() {
    let (disk, machine) = demo();
    for name in ["PhoneFactor User Portal", "PhoneFactor Agent"] {
        survives_every_cut(&disk, &uninstall(&machine, name));
    }
}

#[test]
fn the_setup_survives_every_cut() {
    let (disk, machine) = demo();
    perform(&machine, &uninstall(&machine, "PhoneFactor Agent")).unwrap();
    survives_every_cut(&disk, &run(SETUP));
}

#[test]
fn installations_survive_every_cut() {
    let (disk, _) = with_server();
    let package = format!(r"{AGENT}\MultiFactorAuthenticationWebServiceSdkSetup64.msi");
    survives_every_cut(&disk, &install(&package, &[("TARGETAPPPOOL", "PhoneFactor")]));
}

#[test]
fn an_upgrade_of_the_data_survives_every_cut() {
    let (disk, machine) = with_server();
    perform(&machine, &service("MultiFactorAuth", ServiceState::Stopped)).unwrap();
    disk::replace(&disk, &path(AGENT).child("Data").child("PhoneFactor.pfdata"), b"PFDATA 6\nnames and numbers")
        .unwrap();
    survives_every_cut(&disk, &service("MultiFactorAuth", ServiceState::Running));
}

#[test]
fn a_half_done_installation_can_be_taken_away_and_a_half_done_removal_undone() {
    let (before, machine) = with_server();
    let package = format!(r"{AGENT}\MultiFactorAuthenticationWebServiceSdkSetup64.msi");
    let op = install(&package, &[("TARGETAPPPOOL", "PhoneFactor")]);
    let done = before.snapshot();
    perform(&open(&done), &op).unwrap();
    let undo = uninstall(&open(&done), "Multi-Factor Authentication Web Service SDK");
    drop(machine);
    let same = |one: &MemoryDisk, two: &MemoryDisk| {
        let (mut one, mut two) = (state(one), state(two));
        one.remove(LOG);
        two.remove(LOG);
        one == two
    };
    for changes in 0.. {
        let (installing, removing) = (before.snapshot(), done.snapshot());
        let cuts = [(&installing, &op), (&removing, &undo)].map(|(disk, op)| {
            let machine = open(disk);
            disk.stop_after(changes);
            perform(&machine, op).is_err()
        });
        let (installing, removing) = (installing.snapshot(), removing.snapshot());
        perform(&open(&installing), &undo).unwrap();
        assert!(same(&installing, &before), "installation cut at {changes}");
        perform(&open(&removing), &op).unwrap();
        assert!(same(&removing, &done), "removal cut at {changes}");
        if cuts == [false, false] {
            break;
        }
    }
}

/// Found by playing faults upon faults: an installation that was cut off is undone before another product is worked on,
/// and that undoing was cut off as well.
#[test]
fn a_suspended_installation_is_gone_however_often_its_undoing_is_cut_off() {
    let (before, machine) = with_server();
    let portal = uninstall(&machine, "PhoneFactor User Portal");
    let package = format!(r"{AGENT}\MultiFactorAuthenticationWebServiceSdkSetup64.msi");
    let half = before.snapshot();
    let machine = open(&half);
    half.stop_after(12);
    perform(&machine, &install(&package, &[("TARGETAPPPOOL", "PhoneFactor")])).unwrap_err();
    let suspended = |disk: &MemoryDisk| open(disk).facts().installed.values().any(|own| own.stage != Stage::Installed);
    assert!(suspended(&half.snapshot()));
    for changes in 0.. {
        let disk = half.snapshot();
        let machine = open(&disk);
        disk.stop_after(changes);
        let ended = perform(&machine, &portal);
        let disk = disk.snapshot();
        perform(&open(&disk), &portal).unwrap();
        assert!(!suspended(&disk), "cut at {changes}");
        if ended.is_ok() {
            break;
        }
    }
}

#[test]
fn a_product_of_a_captured_machine_is_removed_by_its_package() {
    let (disk, machine) = demo();
    let code = code(&machine, "PhoneFactor User Portal");
    let package = machine.facts().product(&code).unwrap().package.clone();
    machine.change(|facts| drop(facts.installed.remove(&code))).unwrap();
    let before = machine.facts();
    perform(&machine, &install(package.as_str(), &[])).unwrap();
    assert_eq!(machine.facts(), before, "it is installed already");
    let way_back = WayBack {
        package: path(r"C:\Temp\portal.msi"),
        properties: properties(&[("TARGETVDIR", "PhoneFactor"), ("TARGETSITE", "/LM/W3SVC/1")]),
        before: Vec::new(),
        after: Vec::new(),
        uninstalls_with: None,
    };
    let op = Op::Uninstall { code: code.into(), name: "portal".to_owned(), log: path(LOG), way_back: Some(way_back) };
    survives_every_cut(&disk, &op);
    perform(&machine, &op).unwrap();
    assert!(machine.web_server().unwrap().unwrap().application("Default Web Site", "/PhoneFactor").is_none());
    assert!(!is_there(&disk, &format!(r"{PORTAL}\login.aspx")));
}
