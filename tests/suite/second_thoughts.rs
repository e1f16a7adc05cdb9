//! What happens between an interruption and `resume` or `rollback`: each a fault that was found once.

use crate::support::*;

use crate::support::faulty::{Fault, Faulty};
use pfupgrade::engine::{End, EngineError, Silent};
use pfupgrade::journal::{Entry, Journal, Record, Standing};
use pfupgrade::platform::disk::{self, MemoryDisk, ReadDisk};
use pfupgrade::platform::facts::{ServiceState, StartType};
use pfupgrade::platform::op::Op;
use pfupgrade::platform::{FailureKind, Platform, verify_backup};
use pfupgrade::prepare::prepare;

const USERS: &str = r"C:\Program Files\PhoneFactor\Data\users.txt";
const SETUP: &str = r"C:\Install\MultiFactorAuthenticationServerSetup.exe";
const HOOK: &str = "[[hook]]\nbefore = \"uninstall-portal\"\nrun = ['C:\\Scripts\\hook.exe']\n";

/// A run that fails in a hook before anything is uninstalled; the services run again.
fn called_off() -> MemoryDisk {
    let disk = one_server();
    put_hook(&disk, 1);
    put(&disk, USERS, "before");
    let ended = run(&disk, &plan_with(HOOK));
    assert!(matches!(ended, Err(EngineError::Step { nothing_lost: true, .. })), "{ended:?}");
    let services = boot(&disk).facts().services;
    assert_eq!(services.iter().find(|service| service.name == "PFSvc").unwrap().state, ServiceState::Running);
    disk
}

/// The machine as a program of journal format 1 would have left it.
fn with_format_1(disk: &MemoryDisk) -> MemoryDisk {
    let found = last_run(disk).unwrap();
    disk::remove(disk, &found.journal).unwrap();
    let mut records = found.records.into_iter();
    let Some(Record { time, entry: Entry::Opened(mut frozen), .. }) = records.next() else { panic!("no first record") };
    frozen.format = 1;
    let mut journal = Journal::begin(disk, &found.journal, time, Entry::Opened(frozen)).unwrap();
    for record in records {
        journal.write(record.time, record.entry).unwrap();
    }
    disk.sync_all();
    disk.snapshot()
}

/// Its journal does not say that an outage is called off: a failure alone was taken for that.
#[test]
fn a_run_that_an_older_program_began_starts_the_services_again_when_it_fails() {
    let disk = with_format_1(&killed_before(&one_server(), &plan_with(""), r"PhoneFactor\Data to"));
    let runs = |disk: &MemoryDisk| {
        boot(disk).facts().services.iter().any(|it| it.name == "PFSvc" && it.state == ServiceState::Running)
    };
    assert!(!runs(&disk));
    let (machine, clock) = (boot(&disk), clock());
    let faulty = Faulty::new(&machine, 0, Fault::Fails, || ());
    let engine = engine(&faulty, &clock);
    let found = engine.last_run().unwrap().unwrap();
    engine.resume(&found, &mut Person::at(&machine), &mut Silent).unwrap_err();
    assert!(runs(&disk));
    let again = resume(&disk).unwrap();
    assert!(matches!(again, Ok(End::Done { .. })), "{again:?}");
}

#[test]
fn a_rollback_of_a_called_off_run_leaves_what_was_written_since() {
    let disk = called_off();
    put(&disk, USERS, "a week later");
    rollback(&disk).unwrap().unwrap();
    assert_eq!(get(&disk, USERS).unwrap(), "a week later");
}

#[test]
fn a_resumed_run_carries_over_and_brings_back_what_was_written_since_it_was_called_off() {
    let disk = called_off();
    let (theme, config) = (r"App_Themes\Contoso\Contoso.css", "web.config");
    let old = |file: &str| format!(r"C:\inetpub\wwwroot\PhoneFactor\{file}");
    let new = |file: &str| format!(r"C:\inetpub\wwwroot\MultiFactorAuth\{file}");
    put(&disk, USERS, "a week later");
    put(&disk, &old(theme), "a new look");
    let edited =
        get(&disk, &old(config)).unwrap().replace("</appSettings>", "<add key=\"LATER\" value=\"1\"/></appSettings>");
    put(&disk, &old(config), &edited);
    put_hook(&disk, 0);
    let before = without_what_stays(whole(&disk));

    assert_eq!(resume(&disk).unwrap().unwrap(), End::Done { reboot: false });
    assert_eq!(get(&disk, USERS).unwrap(), "a week later");
    assert_eq!(get(&disk, &new(theme)).unwrap(), "a new look");
    assert!(get(&disk, &new(config)).unwrap().contains("LATER"));
    assert_eq!(rollback(&disk).unwrap().unwrap(), End::RolledBack);
    assert_same(&before, &without_what_stays(whole(&disk)), "rolled back");
}

#[test]
fn the_backup_of_what_a_person_has_uninstalled_since_is_kept() {
    let disk = called_off();
    let (code, _) = product(&disk, "PhoneFactor User Portal");
    let log = path(r"C:\Install\uninstall.log");
    let uninstall = Op::Uninstall { code: code.into(), name: "the portal".to_owned(), log, way_back: None };
    boot(&disk).perform(&uninstall, &mut |_| {}).unwrap();
    disk::remove(&disk, &path(r"C:\inetpub\wwwroot\PhoneFactor")).unwrap();
    put_hook(&disk, 0);
    // No record tells of what a person has done.
    let (machine, clock) = (boot(&disk), clock());
    let engine = engine(&machine, &clock);
    let found = engine.last_run().unwrap().unwrap();
    let ended = engine.resume(&found, &mut Person::at(&machine), &mut Silent);
    assert_eq!(ended.unwrap(), End::Done { reboot: false });
    let config = get(&disk, r"C:\inetpub\wwwroot\MultiFactorAuth\web.config").unwrap();
    assert!(config.contains(r"FABRIKAM\svc-pfportal") && config.contains("theme=\"Contoso\""), "{config}");
    assert!(get(&disk, r"C:\inetpub\wwwroot\MultiFactorAuth\App_Themes\Contoso\Contoso.css").is_some());
}

#[test]
fn data_that_the_agent_wrote_after_a_restart_of_windows_is_kept() {
    let start = one_server();
    put(&start, USERS, "before");
    let disk = killed_before(&start, &plan("one-server"), "uninstall PhoneFactor Agent");
    boot(&disk).restart().unwrap();
    put(&disk, USERS, "written after the restart");
    assert_eq!(resume(&disk).unwrap().unwrap(), End::Done { reboot: false });
    assert_eq!(get(&disk, USERS).unwrap(), "written after the restart");
    rollback(&disk).unwrap().unwrap();
    assert_eq!(get(&disk, USERS).unwrap(), "written after the restart");
}

#[test]
fn a_rollback_that_could_only_take_away_is_refused() {
    let disk = one_server();
    change(&disk, |facts| apply_patch(facts, "PhoneFactor Agent"));
    run(&disk, &plan_with("[preflight]\nallow = [\"no-way-back\"]\n")).unwrap();
    let after = whole(&disk);
    let ended = rollback(&disk).unwrap();
    assert!(matches!(&ended, Err(EngineError::NoWayBack(name)) if name.contains("Agent")), "{ended:?}");
    assert_same(&after, &whole(&disk), "refused");
}

#[test]
fn a_rollback_stops_the_new_server_before_it_copies_its_data() {
    let disk = one_server();
    run(&disk, &plan("one-server")).unwrap();
    rollback(&disk).unwrap().unwrap();
    let records = last_run(&disk).unwrap().records;
    let text = records.iter().map(|record| serde_json::to_string(record).unwrap());
    let started = text.into_iter().find(|text| text.contains("rollback-started")).unwrap();
    let (stop, copy) =
        (started.find("MultiFactorAuth\",\"state\":\"stopped\"").unwrap(), started.find("back-up").unwrap());
    assert!(stop < copy, "{started}");
}

#[test]
fn a_rollback_brings_back_how_a_service_is_started() {
    let disk = one_server();
    change(&disk, |facts| {
        let service = facts.services.iter_mut().find(|service| service.name == "PFSvc").unwrap();
        service.start = StartType::Manual;
    });
    let before = without_what_stays(whole(&disk));
    run(&disk, &plan("one-server")).unwrap();
    rollback(&disk).unwrap().unwrap();
    assert_same(&before, &without_what_stays(whole(&disk)), "rolled back");
}

#[test]
fn a_rollback_removes_the_new_portal_though_its_package_is_gone() {
    let upgraded = one_server();
    run(&upgraded, &plan("one-server")).unwrap();
    let package = path(r"C:\Program Files\PhoneFactor\MultiFactorAuthenticationUserPortalSetup64.msi");
    let package = disk::read(&upgraded, &package, u64::MAX - 1).unwrap();

    let disk = one_server();
    let before = without_what_stays(whole(&disk));
    put(&disk, r"C:\Install\portal.msi", package);
    let plan = plan_with("[portal]\ninstaller = 'C:\\Install\\portal.msi'\nsigned-by = false\n");
    run(&disk, &plan).unwrap();
    disk::remove(&disk, &path(r"C:\Install\portal.msi")).unwrap();
    rollback(&disk).unwrap().unwrap();
    assert_same(&before, &without_what_stays(whole(&disk)), "rolled back");
}

#[test]
fn an_installation_that_cannot_be_completed_does_not_stop_a_rollback() {
    let start = one_server();
    let before = without_what_stays(whole(&start));
    let disk = killed_before(&start, &plan("one-server"), "UserPortalSetup64.msi");
    let package = path(r"C:\Program Files\PhoneFactor\MultiFactorAuthenticationUserPortalSetup64.msi");
    disk::remove(&disk, &package).unwrap();
    rollback(&disk).unwrap().unwrap();
    assert_same(&before, &without_what_stays(whole(&disk)), "rolled back");
}

#[test]
fn a_damaged_backup_is_found_before_anything_is_taken_away() {
    let finished = one_server();
    run(&finished, &plan("one-server")).unwrap();
    let backups = finished.walk(&path(r"C:\ProgramData\pfupgrade\backups")).unwrap();
    for name in ["registry-key.json", r"\data\PhoneFactor.pfdata", "portal.manifest.json"] {
        let disk = finished.snapshot();
        let file = backups.iter().find(|entry| entry.path.as_str().ends_with(name)).unwrap();
        put(&disk, file.path.as_str(), "null");
        let after = whole(&disk);
        let ended = rollback(&disk).unwrap();
        let Err(EngineError::Failure(failure)) = &ended else { panic!("{name}: {ended:?}") };
        assert_eq!(failure.kind, FailureKind::DamagedBackup, "{name}");
        assert_same(&after, &whole(&disk), name);
    }
}

#[test]
fn a_setup_that_did_nothing_can_be_run_again() {
    let disk = one_server();
    let setup = get(&disk, SETUP).unwrap();
    let nothing = "simulated-program = 1\nproduct = \"Multi-Factor Authentication Server\"\nversion = \"7.3.0.3\"\n";
    let plan = plan_with("arguments = ['/quiet']\nsigned-by = false\n");
    put(&disk, SETUP, nothing);
    assert!(run(&disk, &plan).is_err());
    assert!(resume(&disk).unwrap().is_err());
    put(&disk, SETUP, setup);
    assert_eq!(resume(&disk).unwrap().unwrap(), End::Done { reboot: false });
}

#[test]
fn a_skipped_gate_skips_the_question_and_nothing_else() {
    // The setup runs by its switches, whatever the plan says of the gate.
    let silent = one_server();
    run(&silent, &plan_with("arguments = ['/quiet']\n[gates]\nserver-setup = { skip = 'we have switches' }")).unwrap();
    assert_eq!(last_run(&silent).unwrap().standing(), Standing::Finished);

    // Without switches somebody has to have run it; a rollback takes its product away all the same.
    let disk = one_server();
    let before = without_what_stays(whole(&disk));
    let ended = run(&disk, &plan_with("[gates]\nserver-setup = { skip = 'by hand' }"));
    assert!(matches!(&ended, Err(EngineError::Step { step, .. }) if step == "install-server"), "{ended:?}");
    assert_eq!(boot(&disk).run_program(&path(SETUP), &[]).unwrap(), 0);
    assert_eq!(resume(&disk).unwrap().unwrap(), End::Done { reboot: false });
    rollback(&disk).unwrap().unwrap();
    assert_same(&before, &without_what_stays(whole(&disk)), "rolled back");
}

#[test]
fn what_is_over_is_not_begun_again() {
    let disk = one_server();
    let (machine, clock) = (boot(&disk), clock());
    let engine = engine(&machine, &clock);
    let prepared = prepare(machine.inspect(), &*clock, &plan("one-server"), &engine.state).unwrap();
    engine.run(&prepared.frozen, &mut Person::at(&machine), &mut Silent).unwrap();
    let ended = engine.run(&prepared.frozen, &mut Person::at(&machine), &mut Silent);
    assert!(matches!(&ended, Err(EngineError::State(_))), "the same run twice: {ended:?}");

    let found = engine.last_run().unwrap().unwrap();
    let ended = engine.resume(&found, &mut Person::at(&machine), &mut Silent);
    assert!(matches!(&ended, Err(EngineError::NotNow { .. })), "resumed when finished: {ended:?}");
    engine.rollback(&found, &mut Silent).unwrap();
    let found = engine.last_run().unwrap().unwrap();
    let back = whole(&disk);
    let ended = engine.resume(&found, &mut Person::at(&machine), &mut Silent);
    assert!(matches!(&ended, Err(EngineError::NotNow { .. })), "resumed when rolled back: {ended:?}");
    let ended = engine.rollback(&found, &mut Silent);
    assert!(matches!(&ended, Err(EngineError::NotNow { .. })), "rolled back twice: {ended:?}");
    assert_same(&back, &whole(&disk), "refused");
}

#[test]
fn a_rollback_that_does_not_reach_the_state_before_says_so() {
    let disk = one_server();
    run(&disk, &plan("one-server")).unwrap();
    // Somebody removed the pool's application meanwhile in a way no operation of the run can have known.
    let machine = boot(&disk);
    let clock = clock();
    let engine = engine(&machine, &clock);
    let mut found = engine.last_run().unwrap().unwrap();
    let service = found.frozen.survey.services[0].clone();
    found.frozen.survey.services.push(pfupgrade::platform::facts::Service { name: "Gone".into(), ..service });
    let ended = engine.rollback(&found, &mut Silent);
    let Err(EngineError::Rollback { failure, .. }) = &ended else { panic!("{ended:?}") };
    assert!(failure.why.contains("the service Gone is missing"), "{failure}");
    assert_eq!(engine.last_run().unwrap().unwrap().standing(), Standing::RollingBack);
}

#[test]
fn a_failed_start_does_not_hide_why_a_run_failed() {
    let disk = one_server();
    put_hook(&disk, 1);
    // It runs, and once stopped it cannot be started again.
    change(&disk, |facts| facts.services.iter_mut().for_each(|service| service.start = StartType::Disabled));
    let ended = run(&disk, &plan_with(HOOK));
    assert!(matches!(&ended, Err(EngineError::Step { step, .. }) if step.as_str().starts_with("hook")), "{ended:?}");
}

/// Where a file of this name and content lies below the backups.
fn kept(disk: &MemoryDisk, name: &str, content: &str) -> bool {
    let all = disk.walk(&path(r"C:\ProgramData\pfupgrade\backups")).unwrap();
    let mut named = all.iter().filter(|entry| entry.path.name() == name);
    named.any(|entry| get(disk, entry.path.as_str()).as_deref() == Some(content))
}

#[test]
fn what_a_rollback_overwrites_or_removes_is_kept() {
    let disk = one_server();
    run(&disk, &plan("one-server")).unwrap();
    let places = [
        (r"C:\Program Files\PhoneFactor\Custom\report.txt", "below InstallPath"),
        (r"C:\Program Files\PhoneFactor\Data\since.txt", "in the data folder"),
        (r"C:\inetpub\wwwroot\MultiFactorAuth\logo.txt", "in the new portal"),
        (r"C:\pfupgrade-aside\20160305-220000\portal\late.txt", "in what was moved aside"),
    ];
    for (file, content) in places {
        put(&disk, file, content);
    }
    rollback(&disk).unwrap().unwrap();
    for (file, content) in places {
        assert_eq!(get(&disk, file), None, "{file} was not there before");
        assert!(kept(&disk, path(file).name(), content), "{file} is lost");
    }
}

#[test]
fn what_was_written_while_a_rollback_was_interrupted_is_kept() {
    let finished = one_server();
    run(&finished, &plan("one-server")).unwrap();
    // Stopped, data saved: and now the process dies.
    let disk = finished.snapshot();
    let machine = boot(&disk);
    let faulty = Faulty::new(&machine, 6, Fault::KilledBefore, || disk.stop());
    let clock = clock();
    let engine = engine(&faulty, &clock);
    let found = engine.last_run().unwrap().unwrap();
    engine.rollback(&found, &mut Silent).unwrap_err();
    let disk = disk.snapshot();
    boot(&disk).restart().unwrap();
    put(&disk, USERS, "written after the restart");
    rollback(&disk).unwrap().unwrap();
    assert!(kept(&disk, "users.txt", "written after the restart"));
}

#[test]
fn a_rollback_needs_no_copy_of_what_goes_with_its_folder() {
    let disk = one_server();
    let before = without_what_stays(whole(&disk));
    run(&disk, &plan("one-server")).unwrap();
    disk::remove(&disk, &path(r"C:\ProgramData\pfupgrade\backups\20160305-220000\before")).unwrap();
    // What was kept of the data before it was restored is a courtesy; the files of new folders go with them.
    rollback(&disk).unwrap().unwrap();
    assert_same(&before, &without_what_stays(whole(&disk)), "rolled back");
}

#[test]
fn a_manifest_with_a_time_that_there_is_not_is_damage_and_no_panic() {
    let disk = one_server();
    run(&disk, &plan("one-server")).unwrap();
    let file = r"C:\ProgramData\pfupgrade\backups\20160305-220000\portal.manifest.json";
    let manifest: serde_json::Value = serde_json::from_str(&get(&disk, file).unwrap()).unwrap();
    for modified in [serde_json::json!([u64::MAX, 0]), serde_json::json!([0, u32::MAX])] {
        let mut manifest = manifest.clone();
        manifest["entries"][0]["modified"] = modified;
        put(&disk, file, manifest.to_string());
        let failure = verify_backup(&disk, &path(file.strip_suffix(".manifest.json").unwrap()), &|_| {}).unwrap_err();
        assert_eq!(failure.kind, FailureKind::DamagedBackup);
    }
}

#[test]
fn a_service_of_the_new_server_that_has_the_old_name_is_left_alone() {
    let disk = killed_before(&one_server(), &plan("one-server"), "WebServiceSdkSetup64.msi");
    change(&disk, |facts| {
        let service = facts.services.iter_mut().find(|service| service.name == "MultiFactorAuthAdSync").unwrap();
        service.name = "PFSvc".into();
        service.state = ServiceState::Running;
    });
    resume(&disk).unwrap().unwrap();
    let services = boot(&disk).facts().services;
    assert_eq!(services.iter().find(|service| service.name == "PFSvc").unwrap().state, ServiceState::Running);
}

#[test]
fn a_half_upgraded_machine_whose_run_is_lost_is_refused() {
    let disk = killed_before(&one_server(), &plan("one-server"), "restore the registry key");
    disk::remove(&disk, &path(r"C:\ProgramData\pfupgrade")).unwrap();
    let (machine, clock) = (boot(&disk), clock());
    let prepared = prepare(&machine, &*clock, &plan("one-server"), &path(r"C:\ProgramData\pfupgrade")).unwrap();
    assert!(prepared.preview.refused(), "{:?}", prepared.preview.findings);
}

#[test]
fn a_machine_has_one_lock_whatever_the_state_folder() {
    let disk = one_server();
    let (machine, clock) = (boot(&disk), clock());
    let one = engine(&machine, &clock);
    let other = pfupgrade::engine::Engine { state: path(r"C:\other"), ..engine(&machine, &clock) };
    let held = one.lock().unwrap();
    let Err(EngineError::Locked { owner: Some(owner), .. }) = other.lock() else { panic!("it is not told who has it") };
    assert_eq!(owner.process.id, std::process::id());
    assert_eq!(held.died, None);
    drop(held);
    assert_eq!(other.lock().unwrap().died, None);
}

#[test]
fn a_machine_is_taken_over_from_a_process_that_was_killed() {
    let disk = one_server();
    let died = |disk: &MemoryDisk| {
        let (machine, clock) = (boot(disk), clock());
        engine(&machine, &clock).lock().unwrap().died.clone()
    };
    let killed = || {
        let machine = boot(&disk);
        let clock = clock();
        let engine = engine(&machine, &clock);
        let held = engine.lock().unwrap();
        let left = disk.snapshot();
        drop(held);
        left
    };
    let left = killed();
    // Whoever asks is not at work itself, though it may have been given the number of the process that was killed.
    assert_eq!(engine(&boot(&left), &clock()).at_work(), None);
    let told = died(&left).unwrap();
    assert_eq!(told.owner.as_ref().map(|owner| owner.process.id), Some(std::process::id()));
    assert!(told.to_string().ends_with("which exited unexpectedly"), "{told}");
    // Who gave the machine back is no longer of interest.
    assert_eq!(died(&left), None);

    let left = killed();
    change(&left, |facts| facts.booted = Some("2016-03-05T23:00:00Z".parse().unwrap()));
    assert!(died(&left).unwrap().restarted);

    let left = killed();
    put(&left, r"C:\ProgramData\pfupgrade\owner.json", "{\"process\":");
    assert_eq!(died(&left).unwrap().owner, None);
}

#[test]
fn iis_keeps_a_backup_of_its_own_from_before_the_first_change_and_a_rollback_leaves_it_alone() {
    let kept = |disk: &MemoryDisk, name: &str| {
        get(disk, &format!(r"C:\Windows\System32\inetsrv\backup\pfupgrade-{name}\applicationHost.config"))
    };
    let disk = called_off();
    let configuration = get(&disk, r"C:\Windows\System32\inetsrv\config\applicationHost.config").unwrap();
    assert_eq!(kept(&disk, "20160305-220000").as_ref(), Some(&configuration));
    // Where the steps begin anew, what has changed since is in a backup of its own.
    change(&disk, |facts| facts.web_server.as_mut().unwrap().sites[0].bindings.push("http/*:81:".to_owned()));
    put_hook(&disk, 0);
    resume(&disk).unwrap().unwrap();
    assert_eq!(kept(&disk, "20160305-220000").as_ref(), Some(&configuration));
    let again = kept(&disk, "20160305-220000-2").unwrap();
    assert!(again.contains("bindingInformation=\"*:81:\"") && again.contains("/PhoneFactor\""), "{again}");
    rollback(&disk).unwrap().unwrap();
    assert_eq!(kept(&disk, "20160305-220000-2"), Some(again));
    // Windows without IIS has nothing to keep.
    let disk = one_server();
    let plan = plan_with("[sdk]\naction = 'keep'\n[portal]\naction = 'keep'\n[mobile-app]\naction = 'keep'");
    run(&disk, &plan).unwrap();
    assert_eq!(kept(&disk, "20160305-220000"), None);
}
