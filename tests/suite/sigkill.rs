//! The real program, killed at some moment of a run on a machine in a folder, then resumed or rolled back.
//!
//! `PFUPGRADE_KILLS` sets how many runs are killed. `/dev/shm` is used where there is one, the temporary folder
//! elsewhere.

use crate::support::matrix::{sample, setting};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// By how many tests beside each other runs are killed.
const PARTS: u32 = 2;

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

/// A machine that is killed again and again, and what becomes of it undisturbed.
struct Scene {
    folder: TempDir,
    before: BTreeMap<String, String>,
    after: BTreeMap<String, String>,
    /// How long a run takes.
    takes: Duration,
}

impl Scene {
    fn new() -> Self {
        // A disk in memory where there is one: a kill loses nothing that was written, so there is nothing to wait for.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
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
        Self { before, after: whole(&undisturbed), takes, folder }
    }

    /// Kills runs at moments spread over their time; every other one is rolled back, the rest goes on. `part` of the
    /// moments is this function's.
    fn survives(&self, part: u32) {
        let kills = setting("PFUPGRADE_KILLS", sample(60, 200, 200)) as u32;
        let mut begun = 0;
        for kill in (0..kills).filter(|kill| kill % PARTS == part) {
            let killed = self.folder.path().join(format!("killed-{kill}"));
            copy(&self.folder.path().join("start"), &killed);
            let moment = self.takes * (kill + 1) / (kills + 1);
            kill_after(&mut pfupgrade(&["run", PLAN, "--yes"], &killed), moment);
            begun += u32::from(killed.join("C/ProgramData/pfupgrade/runs").exists());
            if (kill / PARTS).is_multiple_of(2) {
                ends_well(&pfupgrade(&["rollback", "--yes"], &killed).output().unwrap(), "rollback");
                assert_same(&self.before, &whole(&killed), &format!("rolled back after a kill at {moment:?}"));
            } else {
                // `run` goes on with what is there, or begins.
                ends_well(&pfupgrade(&["run", PLAN, "--yes"], &killed).output().unwrap(), "resume");
                assert_same(&self.after, &whole(&killed), &format!("resumed after a kill at {moment:?}"));
            }
            std::fs::remove_dir_all(killed).unwrap();
        }
        println!("{begun} of {} kills met a run that had begun", kills / PARTS);
    }
}

#[test]
fn killed_runs_are_resumed_and_rolled_back() {
    Scene::new().survives(0);
}

#[test]
fn more_killed_runs_are_resumed_and_rolled_back() {
    Scene::new().survives(1);
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
