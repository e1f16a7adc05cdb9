//! The main job: a whole run on the demo machine.
mod support;
use support::*;

use pfupgrade::engine::{End, Standing};

#[test]
fn a_run_ends_in_the_upgraded_machine() {
    let disk = one_server();
    assert_eq!(run(&disk, &plan("one-server")).unwrap(), End::Done { reboot: false });
    assert_eq!(last_run(&disk).unwrap().standing, Standing::Finished);
    for (name, content) in whole(&disk) {
        println!("{name} {}", content.map_or(0, |c| c.len()));
    }
}

#[test]
fn a_rollback_of_a_finished_run_ends_in_the_machine_before() {
    let disk = one_server();
    let before = whole(&disk);
    run(&disk, &plan("one-server")).unwrap();
    assert_eq!(rollback(&disk).unwrap().unwrap(), End::RolledBack);
    assert_same(&without_what_stays(before), &without_what_stays(whole(&disk)), "rolled back");
}
