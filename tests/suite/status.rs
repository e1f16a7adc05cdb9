//! `status`: every way a run can stand, what it says of it, and that it says what the run itself said.

use crate::support::program::{Program, Ran};
use crate::support::{boot, clock, engine, last_run, one_server, plan, rollback};
use pfupgrade::engine::{Answer, End, Operator, Silent};
use pfupgrade::journal::Stands;
use pfupgrade::platform::op::Gate;
use pfupgrade::prepare::prepare;
use std::fs::{self, OpenOptions};
use std::io::Write;

const RUN: &str = "run --yes --quiet";

/// What `status` says where a command ended with `ended`: the state, words of it, and the same next steps.
#[track_caller]
fn stands(program: &Program, ended: &Ran, state: &str, words: &[&str]) -> serde_json::Value {
    let shown = program.ends("status", 0);
    for words in words {
        assert!(shown.out.contains(words), "not said: {words}\n{}", shown.out);
    }
    assert_eq!(shown.next(), ended.next(), "the next step has to be the one that was told\n{}", ended.err);
    let document = program.ends("status --json", 0).document();
    let run = document["runs"][0].clone();
    assert_eq!((document["format"].as_u64(), document["kind"].as_str()), (Some(1), Some("status")));
    assert_eq!(run["state"], state, "{run:#}");
    for (label, key) in [("next: ", "next"), ("  or: ", "or")] {
        let said = ended.next().iter().find_map(|line| line.strip_prefix(label).map(str::to_owned));
        assert_eq!(run[key].as_str().unwrap(), said.unwrap_or_default());
    }
    run
}

#[test]
fn without_a_run_there_is_nothing_to_tell() {
    let program = Program::after("plan --quiet", 0);
    let said = program.ends("status", 2);
    assert!(said.err.contains("there is no run on this server"), "{}", said.err);
    assert_eq!(program.ends("status --all --json", 2).document()["kind"], "error");
}

#[test]
fn a_run_that_waits_at_a_gate() {
    let program = Program::new();
    let ended = program.ends("run --yes --quiet --ask --ticket CHG0012345", 5);
    let words =
        ["waiting for a manual step (server-setup)", "CHG0012345", r"by FABRIKAM\admin", "ongoing", "1) Run C:"];
    // `--ask` is an argument of the simulation, which goes on as it began.
    let shown = program.ends("status --ask", 0);
    for words in words {
        assert!(shown.out.contains(words), "not said: {words}\n{}", shown.out);
    }
    assert_eq!(shown.next(), ended.next());
    let run = &program.ends("status --json", 0).document()["runs"][0];
    assert_eq!((&run["state"], &run["gate"]["id"]), (&"waiting".into(), &"server-setup".into()));
    assert_eq!((&run["step"], &run["ticket"]), (&"install-server".into(), &"CHG0012345".into()));
}

#[test]
fn a_finished_run_and_its_rollback() {
    let program = Program::new();
    let ended = program.ends("run --yes --quiet", 0);
    let shown = program.ends("status", 0);
    assert!(shown.out.contains(": finished") && shown.out.contains("25 of 25 done"), "{}", shown.out);
    assert!(ended.next().is_empty() && shown.next() == ["  or: pfupgrade rollback --simulate=machine"]);
    let run = &program.ends("status --json", 0).document()["runs"][0];
    assert!(run["outage_ms"].as_i64().is_some() && run["step"].is_null(), "{run:#}");

    let ended = program.ends("rollback --yes --fail-at rollback:5 --quiet", 10);
    let run = stands(&program, &ended, "failed", &["rollback failed", "rollback: could not"]);
    assert_eq!((&run["goes_back"], &run["step"]), (&true.into(), &"rollback".into()));

    program.ends("rollback --yes --quiet", 0);
    let shown = program.ends("status", 0);
    assert!(shown.out.contains("rolled back: products, web applications and services are"), "{}", shown.out);
    assert_eq!(shown.next(), ["next: start a new run: pfupgrade run"]);
}

#[test]
fn a_run_that_failed_and_one_that_was_cut_off() {
    let program = Program::new();
    let ended = program.ends("run --yes --quiet --fail-at uninstall-sdk", 1);
    let words = ["failed at step uninstall-sdk", "uninstall-sdk: could not"];
    stands(&program, &ended, "failed", &words);
    let ended = program.ends("resume --quiet --fail-at install-sdk=power-cut", 1);
    let words = ["interrupted at step install-sdk; the cause is not recorded", "`resume` started by FABRIKAM"];
    stands(&program, &ended, "interrupted", &words);
    let ended = program.ends("rollback --quiet --fail-at rollback:3=kill", 1);
    stands(&program, &ended, "interrupted", &["rollback interrupted"]);
}

/// Has something go wrong with what is done with a file or product.
fn trouble(program: &Program, lines: &str) {
    program.ends("plan --quiet", 0);
    let mut machine = OpenOptions::new().append(true).open(program.at("machine.toml")).unwrap();
    writeln!(machine, "\n[[trouble]]\n{lines}").unwrap();
}

#[test]
fn a_restart_comes_first_and_then_it_has_been() {
    let program = Program::new();
    let leaves = r#"leaves = ['C:\inetpub\wwwroot\MultiFactorAuth\bin\x.dll']"#;
    trouble(&program, &format!("with = \"MultiFactorAuthenticationWebServiceSdkSetup64.msi\"\n{leaves}"));
    let ended = program.ends(RUN, 3010 & 0xff);
    stands(
        &program,
        &ended,
        "restart",
        &["waiting for a restart of Windows", "Windows must be restarted to replace C:"],
    );
}

#[test]
fn a_restart_that_an_installer_has_started_is_over_with_the_next_command() {
    let program = Program::new();
    trouble(&program, "with = \"MultiFactorAuthenticationWebServiceSdkSetup64.msi\"\ncode = 1641");
    let ended = program.ends(RUN, 3010 & 0xff);
    stands(
        &program,
        &ended,
        "restart",
        &["waiting for a restart of Windows", "Windows must be restarted, as an installer requested"],
    );
    let restarting = || fs::read_to_string(program.at("machine.toml")).unwrap().contains("restarting = true");
    assert!(restarting());
    program.ends("resume --quiet", 0);
    assert!(!restarting());
}

#[test]
fn an_installer_that_failed_and_restarts_windows_goes_on_with_the_next_command() {
    for (code, resumed) in [(3018, 0), (3017, 3010 & 0xff)] {
        let program = Program::new();
        trouble(&program, &format!("with = \"MultiFactorAuthenticationWebServiceSdkSetup64.msi\"\ncode = {code}"));
        let ended = program.ends(RUN, 1);
        let run = stands(&program, &ended, "failed", &["failed at step install-sdk", "ERROR_FAIL_REBOOT_"]);
        assert!(run["next"].as_str().unwrap().starts_with("let Windows restart first"), "{run:#}");
        program.ends("resume --quiet", resumed);
    }
}

#[test]
fn an_installer_that_hangs_is_named() {
    let program = Program::new();
    let ended = program.ends("run --yes --quiet --fail-at install-portal:2=hang", 1);
    stands(&program, &ended, "failed", &["timed out at step", "PID", "install-portal"]);
}

#[test]
fn a_run_that_the_operator_has_stopped() {
    struct Stops;
    impl Operator for Stops {
        fn at_gate(&mut self, _: &Gate, _: &str) -> Answer {
            Answer::Later
        }
        fn wants_to_stop(&self) -> bool {
            true
        }
    }
    let disk = one_server();
    let (machine, clock) = (boot(&disk), clock());
    let engine = engine(&machine, &clock);
    let prepared = prepare(&machine, &*clock, &plan("one-server"), &engine.state).unwrap();
    assert_eq!(engine.run(&prepared.frozen, &mut Stops, &mut Silent).unwrap(), End::Stopped);
    let state = last_run(&disk).unwrap().state;
    assert_eq!((state.stands, state.outages.len()), (Stands::Stopped, 0));
    rollback(&disk).unwrap().unwrap();
    assert_eq!(last_run(&disk).unwrap().state.stands, Stands::RolledBack);
}

#[test]
fn a_damaged_journal_ends_with_13_and_does_not_hide_the_other_runs() {
    let program = Program::after("run --yes --quiet --fail-at uninstall-sdk", 1);
    program.ends("rollback --quiet", 0);
    let first = program.last_run();
    program.ends(RUN, 0);
    let journal = program.last_run().join("journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replacen("\"seq\":3", "\"seq\":4", 1)).unwrap();
    let said = program.ends("status", 13);
    assert!(said.err.contains("is damaged in line 4") && said.err.contains("restore a good copy"), "{}", said.err);
    let all = program.ends("status --all", 13);
    let first = first.file_name().unwrap().to_str().unwrap();
    // Lines may break anywhere.
    let words = all.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("is damaged in line 4") && words.contains(first), "{words}");
    assert!(all.next()[0].contains("restore a good copy"), "{}", all.err);
    let runs = program.ends("status --all --json", 13).document()["runs"].clone();
    assert_eq!((&runs[0]["state"], &runs[1]["state"]), (&"damaged".into(), &"rolled-back".into()));
}

/// A process of this program that does nothing: it waits for somebody to read what it would log.
#[cfg(target_os = "linux")]
#[test]
fn while_a_process_works_it_is_named_and_left_alone() {
    let program = Program::after("run --yes --quiet --fail-at uninstall-sdk", 1);
    let pipe = program.beside("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut busy = program.command("resume --log-file pipe").spawn().unwrap();
    let owner = format!(
        "{{\"process\":{{\"id\":{},\"program\":\"pfupgrade\",\"started\":\"2016-03-05T22:00:00Z\"}},\"booted\":null}}",
        busy.id()
    );
    fs::write(program.at("C/ProgramData/pfupgrade/owner.json"), owner).unwrap();
    let shown = program.run("status");
    let said = format!("PID {}", busy.id());
    busy.kill().unwrap();
    busy.wait().unwrap();
    assert!(shown.code == 0 && shown.out.contains(": running") && shown.out.contains(&said), "{}", shown.out);
    assert_eq!(shown.next(), ["next: wait until that process has ended"]);
    // It is gone: whoever comes next goes on.
    let after = program.ends("status", 0);
    assert!(after.out.contains("failed at step uninstall-sdk"), "{}", after.out);
}

#[test]
fn the_ticket_of_a_run_is_that_with_which_it_began() {
    let program = Program::after("run --yes --quiet --ticket CHG1 --fail-at uninstall-sdk", 1);
    let said = program.ends("run --yes --quiet --ticket CHG2", 2);
    assert!(said.err.contains("it was started with the ticket CHG1"), "{}", said.err);
    program.ends("run --yes --quiet --ticket CHG1", 0);
    assert_eq!(program.ends("status --json", 0).document()["runs"][0]["ticket"], "CHG1");
    for wrong in ["--ticket=", "--ticket=a\u{7}b"] {
        assert!(program.ends(&format!("run --yes {wrong}"), 2).err.contains("--ticket"));
    }
}
