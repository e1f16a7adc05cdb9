//! Faults that an operator asks for on a simulated machine: each is told with what would follow, and `resume` and
//! `rollback` both get out of it.

use pfupgrade::platform::simulated::FailKind;
use std::path::Path;
use std::process::{Command, Stdio};

const PLAN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/one-server.toml");

/// Runs the program on a machine; its exit code and all that it said.
fn pfupgrade(arguments: &[&str], machine: &Path) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
    command.args(arguments).arg(format!("--simulate={}", machine.display())).stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
}

#[track_caller]
fn ends(arguments: &[&str], machine: &Path, code: i32) -> String {
    let (ended, said) = pfupgrade(arguments, machine);
    assert_eq!(ended, code, "{arguments:?}:\n{said}");
    said
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().map(Result::unwrap) {
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        match entry.file_type().is_dir() {
            true => std::fs::create_dir_all(target).unwrap(),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[test]
fn every_kind_of_fault_is_told_and_got_out_of() {
    let folder = tempfile::tempdir().unwrap();
    let start = folder.path().join("start");
    ends(&["plan", PLAN, "--quiet"], &start, 0);
    for (name, kind) in FailKind::ALL {
        let machine = folder.path().join(name);
        copy(&start, &machine);
        let said = ends(&["run", PLAN, "--yes", "--quiet", "--fail-at", &format!("uninstall-sdk={name}")], &machine, 1);
        assert!(said.contains("`resume` would do") && said.contains("`rollback` would do"), "{name}:\n{said}");
        assert!(said.contains("next: ") && said.contains("pfupgrade resume"), "{name}:\n{said}");
        let back = folder.path().join(format!("{name}-back"));
        copy(&machine, &back);
        let resumed = ends(&["resume"], &machine, 0);
        assert_eq!(resumed.contains("Recovered the lock of"), kind.ends_the_program(), "{name}:\n{resumed}");
        assert_eq!(
            resumed.contains("Windows has been restarted since"),
            kind == FailKind::Reboot,
            "{name}:\n{resumed}"
        );
        ends(&["rollback", "--yes", "--quiet"], &back, 0);
    }
}

#[test]
fn a_rollback_can_be_rehearsed_too() {
    let folder = tempfile::tempdir().unwrap();
    let machine = folder.path().join("machine");
    ends(&["run", PLAN, "--yes", "--quiet", "--fail-at", "configure-portal:2"], &machine, 1);
    let said = ends(&["rollback", "--json", "--fail-at", "rollback:5=power-cut"], &machine, 1);
    let event = said.lines().find(|line| line.contains("\"rehearsed\"")).unwrap_or_else(|| panic!("{said}"));
    let event: serde_json::Value = serde_json::from_str(event).unwrap();
    assert_eq!((event["kind"].as_str(), event["resume"].as_array().map(Vec::len)), (Some("power-cut"), Some(0)));
    assert!(event["rollback"].as_array().is_some_and(|left| left.len() > 5), "{event}");
    assert!(said.contains("pfupgrade rollback"), "{said}");
    ends(&["rollback", "--quiet"], &machine, 0);
}

#[test]
fn a_fault_that_cannot_be_had_is_refused_or_told() {
    let folder = tempfile::tempdir().unwrap();
    let machine = folder.path().join("machine");
    let refused = [
        (&["plan", PLAN, "--fail-at", "uninstall-sdk"][..], "works only with run"),
        (&["run", PLAN, "--yes", "--fail-at", "uninstall-everything"], "no step `uninstall-everything`"),
        (&["run", PLAN, "--yes", "--fail-at", "uninstall-sdk=fire"], "unknown kind `fire`"),
    ];
    for (arguments, why) in refused {
        let said = ends(arguments, &machine, 2);
        assert!(said.contains(why), "{arguments:?}:\n{said}");
    }
    let said = ends(&["run", PLAN, "--yes", "--fail-at", "uninstall-sdk:9"], &machine, 0);
    assert!(said.contains("was not triggered"), "{said}");
    let output = Command::new(env!("CARGO_BIN_EXE_pfupgrade")).args(["resume", "--fail-at", "x"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("requires --simulate"));
}
