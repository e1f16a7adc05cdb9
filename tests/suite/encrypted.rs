//! Encrypted sections of a web.config: refused, or decrypted for the merge and encrypted again.

use crate::support::matrix::{sample, seed};
use crate::support::*;

use pfupgrade::engine::{End, EngineError};
use pfupgrade::journal::Standing;
use pfupgrade::plan::Plan;
use pfupgrade::platform::disk::{Disk, DiskFault, MemoryDisk, ReadDisk};
use std::sync::OnceLock;

const OLD: &str = r"C:\inetpub\wwwroot\PhoneFactor";
const NEW: &str = r"C:\inetpub\wwwroot\MultiFactorAuth";
const PROGRAM: &str = r"C:\Windows\Microsoft.NET\Framework64\v4.0.30319\aspnet_regiis.exe";

fn regiis(disk: &MemoryDisk, verb: &str, folder: &str) {
    for section in ["appSettings", "applicationSettings/pfup.Properties.Settings"] {
        let arguments = [verb, section, folder].map(str::to_owned);
        assert_eq!(boot(disk).run_program(&path(PROGRAM), &arguments).unwrap(), 0);
    }
}

/// A machine on which somebody has encrypted what the portal keeps.
fn encrypted() -> MemoryDisk {
    let disk = one_server();
    regiis(&disk, "-pef", OLD);
    disk.sync_all();
    disk
}

fn decrypting() -> Plan {
    plan_with("[merge]\non-encrypted = \"decrypt\"")
}

/// What the portal has after an upgrade of the same machine on which nothing is encrypted.
fn upgraded_in_clear() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let disk = one_server();
        run(&disk, &decrypting()).unwrap();
        get(&disk, &format!(r"{NEW}\web.config")).unwrap()
    })
}

/// Every file of the machine that holds something that is secret in the portal's settings.
fn files_in_clear(disk: &MemoryDisk) -> Vec<String> {
    let clear = upgraded_in_clear();
    let start = clear.find("WEB_SERVICE_SDK_AUTHENTICATION_PASSWORD").unwrap();
    let secret = clear[start..].split('"').nth(2).unwrap().to_owned();
    assert!(secret.len() > 4, "{secret}");
    let all = disk.walk(&path(r"C:\")).unwrap().into_iter();
    let holds = |file: &String| get(disk, file).is_some_and(|text| text.contains(&secret));
    all.map(|entry| entry.path.to_string()).filter(holds).collect()
}

#[test]
fn encrypted_sections_refuse_a_run_unless_the_plan_has_them_decrypted() {
    let disk = encrypted();
    let told = finding(&disk, &plan("one-server"), "encrypted-web-config");
    assert!(told.refuses() && told.advice.contains("on-encrypted"), "{told:?}");
    assert_eq!(refusals(&disk, &decrypting()), Vec::<String>::new());
    let ids = steps(&disk, &decrypting());
    let at = |id: &str| ids.iter().position(|step| step == id).unwrap_or_else(|| panic!("{id}: {ids:?}"));
    assert!(at("back-up-portal") < at("decrypt-portal") && at("decrypt-portal") < at("stop-services"));
    assert!(at("configure-portal") < at("remove-decrypted") && at("remove-decrypted") < at("verify"));
    // Without the program that decrypts it cannot be done.
    disk.remove_file(&path(PROGRAM)).unwrap();
    let told = finding(&disk, &decrypting(), "encrypted-web-config");
    assert!(told.refuses() && told.title.contains("aspnet_regiis"), "{told:?}");
}

#[test]
fn what_was_encrypted_is_merged_and_encrypted_again() {
    let disk = encrypted();
    let before = whole(&disk);
    assert_eq!(files_in_clear(&disk), Vec::<String>::new());
    assert_eq!(run(&disk, &decrypting()).unwrap(), End::Done { reboot: false });
    assert_eq!(files_in_clear(&disk), Vec::<String>::new());
    let after = disk.snapshot();
    regiis(&after, "-pdf", NEW);
    assert_eq!(get(&after, &format!(r"{NEW}\web.config")).unwrap(), upgraded_in_clear());
    rollback(&disk).unwrap().unwrap();
    assert_same(&without_what_stays(before), &without_what_stays(whole(&disk)), "rolled back");
    assert_eq!(files_in_clear(&disk), Vec::<String>::new());
}

/// Killed at many places, the run goes on to the same end, and a rollback leaves nothing in clear either.
#[test]
fn nothing_stays_in_clear_wherever_a_run_is_killed() {
    let start = encrypted();
    let undisturbed = start.snapshot();
    run(&undisturbed, &decrypting()).unwrap();
    let wanted = whole(&undisturbed);
    let before = without_what_stays(whole(&start));
    let changes = undisturbed.changes() as usize;
    let every = changes / sample(15, 60, changes);
    for after in (seed() % every..changes).step_by(every) {
        let disk = start.snapshot();
        disk.fail_after(after as u64, DiskFault::Dies);
        let _ = run(&disk, &decrypting());
        let left = disk.snapshot();
        let back = left.snapshot();
        let is_finished = last_run(&left).is_some_and(|run| run.standing() == Standing::Finished);
        match resume(&left) {
            // All that was left to do was to give the lock back.
            Some(Err(EngineError::NotNow { .. })) if is_finished => {}
            Some(end) => assert_eq!(end.unwrap(), End::Done { reboot: false }, "killed at change {after}"),
            None => continue,
        }
        assert_same(&wanted, &whole(&left), &format!("killed at change {after}, resumed"));
        assert_eq!(files_in_clear(&left), Vec::<String>::new(), "killed at change {after}, resumed");
        rollback(&back).unwrap().unwrap();
        assert_same(&before, &without_what_stays(whole(&back)), &format!("killed at change {after}, rolled back"));
        assert_eq!(files_in_clear(&back), Vec::<String>::new(), "killed at change {after}, rolled back");
    }
}
