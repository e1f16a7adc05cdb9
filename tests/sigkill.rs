//! The real program, killed at some moment on a machine on the host's disk, then resumed or rolled back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const PLAN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/one-server.toml");

fn pfupgrade(arguments: &[&str], machine: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
    command.args(arguments).arg(format!("--simulate={}", machine.display())).arg("--quiet");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

#[track_caller]
fn ends_well(output: &Output, what: &str) {
    assert!(output.status.success(), "{what}: {:?}: {}", output.status, String::from_utf8_lossy(&output.stderr));
}

/// Everything of a machine but the tool's own folder, with what depends on the time of day taken out.
fn whole(machine: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for entry in walkdir::WalkDir::new(machine).into_iter().map(Result::unwrap) {
        let name = entry.path().strip_prefix(machine).unwrap().to_string_lossy().replace('\\', "/");
        // The tool's own folders are named after the time, and logs and machine.toml hold times. The event log and IIS's
        // own backups stay.
        let left_out =
            ["ProgramData/pfupgrade", "pfupgrade-aside", "/Logs/", "event-log.txt", "Windows/System32/inetsrv"];
        if left_out.iter().any(|left_out| name.contains(left_out)) {
            continue;
        }
        let content = if entry.file_type().is_file() { std::fs::read(entry.path()).unwrap() } else { Vec::new() };
        let text = String::from_utf8_lossy(&content).into_owned();
        let passing = ["InstallDate", "InstallSource", "vc-x86", "vc-x64", "upgraded from"];
        let lasting = |line: &&str| !passing.iter().any(|start| line.starts_with(start));
        let text = match entry.file_name().to_str() {
            Some("machine.toml" | "PhoneFactor.pfdata") => text.lines().filter(lasting).collect::<Vec<_>>().join("\n"),
            _ => text,
        };
        all.insert(name, text);
    }
    all
}

#[track_caller]
fn assert_same(expected: &BTreeMap<String, String>, found: &BTreeMap<String, String>, what: &str) {
    let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let differ: Vec<String> = names
        .into_iter()
        .filter(|name| expected.get(*name) != found.get(*name))
        .map(|name| {
            let text = |all: &BTreeMap<String, String>| all.get(name).cloned().unwrap_or("(missing)".to_owned());
            let diff = similar::TextDiff::from_lines(text(expected), text(found)).unified_diff().to_string();
            format!("{name}\n{diff}")
        })
        .collect();
    assert!(differ.is_empty(), "{what}:\n{}", differ.join("\n"));
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().map(Result::unwrap) {
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(target).unwrap();
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_killed_run_is_resumed_and_rolled_back() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    // The first run builds the machine; its rollback gives the state before.
    let start = place("start");
    ends_well(&pfupgrade(&["plan", PLAN], &start).output().unwrap(), "build");
    let before = whole(&start);
    let undisturbed = place("undisturbed");
    copy(&start, &undisturbed);
    let begun = Instant::now();
    ends_well(&pfupgrade(&["run", PLAN, "--yes"], &undisturbed).output().unwrap(), "run");
    let takes = begun.elapsed();
    let after = whole(&undisturbed);

    let kills = std::env::var("PFUPGRADE_KILLS").map_or(20, |kills| kills.parse::<u32>().unwrap());
    for kill in 0..kills {
        let killed = place(&format!("killed-{kill}"));
        copy(&start, &killed);
        let moment = takes * (kill + 1) / (kills + 1);
        kill_after(&mut pfupgrade(&["run", PLAN, "--yes"], &killed), moment);

        let back = place(&format!("back-{kill}"));
        copy(&killed, &back);
        ends_well(&pfupgrade(&["rollback", "--yes"], &back).output().unwrap(), "rollback");
        assert_same(&before, &whole(&back), &format!("rolled back after a kill at {moment:?}"));
        // `run` goes on with what is there, or begins.
        ends_well(&pfupgrade(&["run", PLAN, "--yes"], &killed).output().unwrap(), "resume");
        assert_same(&after, &whole(&killed), &format!("resumed after a kill at {moment:?}"));
    }
}

/// Starts a program and kills it once so much time has passed, unless it has ended by then.
fn kill_after(command: &mut Command, moment: Duration) {
    let begun = Instant::now();
    let mut child = command.spawn().unwrap();
    while begun.elapsed() < moment && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let _ = child.kill();
    child.wait().unwrap();
}
