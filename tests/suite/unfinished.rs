//! A run that is not finished: with its journal every command says so, and without it its traces are found.

use crate::support::matrix::{self, Played};
use crate::support::program::Program;
use crate::support::*;

use pfupgrade::finding::Finding;
use pfupgrade::plan::{Component, Plan};
use pfupgrade::platform::disk::{self, MemoryDisk, ReadDisk};
use pfupgrade::prepare::prepare;
use pfupgrade::survey::survey;

/// While a run is not finished, every command that could be about another one says what `status` says, and no more.
#[track_caller]
fn says_that_it_is_not_finished(program: &Program, verified: i32) {
    let status = program.ends("status", 0);
    let told = program.ends("status --json", 0).document()["runs"][0].clone();
    let (run, says) = (told["run"].as_str().unwrap(), told["says"].as_str().unwrap());
    let message = format!("run {run} is not finished: {says}");
    std::fs::write(program.beside("other.toml"), "format = 1\nname = 'another plan'\n").unwrap();
    for command in ["plan", "plan other.toml", "plan other.toml --detailed-exitcode"] {
        let ran = program.ends(command, 4);
        assert!(ran.out.contains(&format!("[unfinished-run] run {run} is not finished\n")), "{}", ran.out);
        assert!(ran.out.contains(&format!("seen: {says}\n")), "{}", ran.out);
        assert!(!ran.out.contains("There is nothing to do") && !ran.out.contains("Components"), "{}", ran.out);
        assert_eq!(ran.next(), status.next(), "{command}");
    }
    for command in ["init new.toml", "run other.toml --yes"] {
        let ran = program.ends(command, 4);
        assert!(ran.err.contains(&message), "{}", ran.err);
        assert_eq!(ran.next(), status.next(), "{command}");
    }
    assert!(!program.beside("new.toml").exists());
    let ran = program.ends("verify", verified);
    assert!(ran.out.contains(&format!("FAILED  run {run} is finished: {says}\n")), "{}", ran.out);
    assert_eq!(ran.next(), status.next());
    let preview = program.ends("plan --json", 4).document();
    assert_eq!((&preview["unfinished_run"], &preview["steps"]), (&told["run"], &serde_json::json!([])));
    assert_eq!(preview["findings"][0]["id"], "unfinished-run");
    let error = program.ends("init new.toml --json", 4).document();
    assert_eq!((&error["findings"][0], &error["exit_code"]), (&preview["findings"][0], &serde_json::json!(4)));
}

#[test]
fn a_run_that_is_not_finished_is_said_to_be_so_by_every_command() {
    let program = Program::after("run --yes --ask --quiet", 5);
    says_that_it_is_not_finished(&program, 11);
    // A step that failed, and a rollback that did.
    program.ends("resume --confirm server-setup --quiet --fail-at configure-portal=error", 1);
    says_that_it_is_not_finished(&program, 11);
    program.ends("resume --quiet", 0);
    program.ends("plan", 0);
    program.ends("verify", 0);
    program.ends("init new.toml", 0);
}

#[test]
fn a_rollback_that_is_not_finished_is_said_to_be_so_by_every_command() {
    let program = Program::after("run --yes --ask --quiet", 5);
    let file = program.at("machine.toml");
    let trouble = "\n[[trouble]]\nwith = 'portal-package.msi'\nwhen = 'install'\ncode = 1603\n";
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + trouble).unwrap();
    program.ends("rollback --yes --quiet", 10);
    says_that_it_is_not_finished(&program, 11);
    program.ends("rollback --yes --quiet", 0);
    program.ends("plan", 0);
    let verified = program.ends("verify", 0);
    assert!(verified.err.contains("was rolled back: its backups and the old state were checked"), "{}", verified.err);
}

const STATE: &str = r"C:\ProgramData\pfupgrade";

/// The checks where the journals are in another state folder.
fn refusals_of_another_state(disk: &MemoryDisk, plan: &Plan) -> Vec<String> {
    let (machine, clock) = (boot(disk), clock());
    let preview = prepare(&machine, &*clock, plan, &path(r"C:\ProgramData\other")).unwrap().preview;
    preview.findings.into_iter().filter(Finding::refuses).map(|finding| finding.id).collect()
}

/// Whether every component of the demo machine has exactly one product, and no application of it is closed.
fn is_whole(disk: &MemoryDisk) -> bool {
    let found = survey(&boot(disk)).unwrap().components;
    let has_one = |component: &Component| found.get(component).is_some_and(|found| found.products.len() == 1);
    Component::ALL.iter().all(has_one) && !is_closed(disk)
}

fn is_closed(disk: &MemoryDisk) -> bool {
    ["C:\\", "D:\\"].iter().any(|drive| {
        let files = disk.walk(&path(drive)).unwrap();
        files.iter().any(|entry| entry.path.name() == "app_offline.htm" && !entry.path.is_within(&path(STATE)))
    })
}

#[test]
fn a_machine_that_is_half_upgraded_is_refused_wherever_its_journal_is() {
    let played = Played::of("one-server");
    let is_aside = |disk: &MemoryDisk, component: &Component| {
        let found = survey(&boot(disk)).unwrap().components;
        let is_missing = found.get(component).is_none_or(|found| found.products.is_empty());
        let place = |drive: &&str| path(&format!(r"{drive}:\pfupgrade-aside\20160305-220000\{}", component.key()));
        is_missing && ["C", "D"].iter().any(|drive| disk.entry(&place(drive)).unwrap().is_some())
    };
    let (mut half, mut whole) = (0, 0);
    for (words, at, _) in &played.ops {
        let disk = played.left(*at as usize, matrix::Kind::Killed);
        let is_half = !is_whole(&disk);
        let told = |ids: Vec<String>| ids.contains(&"leftovers".to_owned());
        assert_eq!(told(refusals_of_another_state(&disk, &played.plan)), is_half, "before {words}");
        // The state folder is gone, and the backups with it.
        disk::remove(&disk, &path(STATE)).unwrap();
        assert_eq!(
            told(refusals(&disk, &played.plan)),
            is_half && (is_closed(&disk) || Component::ALL.iter().any(|component| is_aside(&disk, component))),
            "before {words}"
        );
        if is_half { half += 1 } else { whole += 1 }
    }
    assert!(half > 20 && whole > 8, "{half} {whole}");
}

#[test]
fn what_is_left_of_a_finished_run_blocks_nothing() {
    let finished = one_server();
    run(&finished, &plan("one-server")).unwrap();
    let portal = r"C:\inetpub\wwwroot\MultiFactorAuth\app_offline.htm";
    for gone in [r"C:\ProgramData\pfupgrade\runs", STATE, r"C:\pfupgrade-aside"] {
        let disk = finished.snapshot();
        disk::remove(&disk, &path(gone)).unwrap();
        assert_eq!(refusals(&disk, &plan("one-server")), [""; 0], "{gone}");
        // The administrator may close the portal, with a page of another content.
        put(&disk, portal, "<p>Back on Monday.</p>");
        assert_eq!(refusals(&disk, &plan("one-server")), [""; 0], "{gone}");
    }
    assert_eq!(refusals_of_another_state(&finished, &plan("one-server")), [""; 0]);
    // A component that was removed on purpose is one that the plan removes, or that it allows to be missing.
    let disk = one_server();
    let removed = plan_with("[mobile-app]\naction = 'remove'\n");
    run(&disk, &removed).unwrap();
    assert_eq!(refusals_of_another_state(&disk, &removed), [""; 0]);
    assert_eq!(refusals_of_another_state(&disk, &plan_with("")), ["leftovers"]);
    assert_eq!(refusals_of_another_state(&disk, &plan_with("[preflight]\nallow = ['leftovers']")), [""; 0]);
    assert_eq!(refusals(&disk, &plan_with("")), [""; 0], "its journal tells that it is finished");
}

#[test]
fn a_half_upgraded_machine_has_nothing_that_a_run_could_begin_with() {
    let program = Program::after("run --yes --ask --quiet", 5);
    let elsewhere = r"--state C:\Elsewhere";
    let ran = program.ends(&format!("plan {elsewhere}"), 4);
    assert!(ran.out.contains("[leftovers] files of an earlier upgrade were left behind"), "{}", ran.out);
    assert!(ran.out.contains("find its state folder"), "{}", ran.out);
    program.ends(&format!("run --yes {elsewhere}"), 4);
    let ran = program.ends(&format!("init new.toml {elsewhere}"), 0);
    assert!(ran.err.contains("[leftovers]"), "{}", ran.err);
    assert!(!program.at("C/Elsewhere/runs").exists());
    // The state folder knows the run, but not what it has done.
    std::fs::remove_file(program.last_run().join("journal.jsonl")).unwrap();
    for command in ["plan", "init other.toml", "run --yes", "verify", "status"] {
        program.ends(command, 13);
    }
    std::fs::remove_dir_all(program.at("C/ProgramData/pfupgrade/runs")).unwrap();
    program.ends("plan", 4);
}
