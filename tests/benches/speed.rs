//! How fast: whole runs in memory, previews as whole processes, and backups on the host's disk beside what others need
//! for the same. It measures and judges nothing.
//!
//! `cargo bench` runs all of it; `cargo bench -- runs`, `-- plan`, `-- backup` or `-- memory` a part. The files are made
//! in the temporary folder (`TMPDIR`): 4 GiB at most, for the rivals `cp` with `sha256sum` and `restic` need room too.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on says so by panicking")]

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "only a part of it is used here")]
mod support;
use support::*;

use pfupgrade::platform::Platform;
use pfupgrade::platform::disk::HostDisk;
use pfupgrade::platform::op::Op;
use pfupgrade::platform::simulated::{Simulated, demo};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const PLAN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/one-server.toml");
/// The argument with which this program calls itself, to measure the memory that a backup alone takes.
const BACK_UP: &str = "back-up";

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if let [command, folder] = wanted.as_slice()
        && command == BACK_UP
    {
        return back_up(Path::new(folder));
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    if is_wanted("runs") {
        runs();
    }
    if is_wanted("plan") {
        previews();
    }
    if is_wanted("backup") {
        backups(&[("1 file of 1 GiB", 1, 1 << 30), ("10,000 files of 20 KiB", 10_000, 20 << 10)], true);
    }
    if is_wanted("memory") {
        backups(&[("1 file of 2 GiB", 1, 2 << 30), ("100,000 files of 100 bytes", 100_000, 100)], false);
    }
}

fn runs() {
    let (start, plan) = (one_server(), plan("one-server"));
    let begun = Instant::now();
    let mut count = 0;
    while begun.elapsed() < Duration::from_secs(5) {
        run(&start.snapshot(), &plan).unwrap();
        count += 1;
    }
    println!(
        "whole runs of the demo machine in memory: {:.0} a second",
        f64::from(count) / begun.elapsed().as_secs_f64()
    );
}

/// Whole processes, from their start to their end.
fn previews() {
    let plan = |machine: String| {
        let mut times: Vec<Duration> = (0..21)
            .map(|_| {
                let mut program = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
                program.args(["plan", PLAN, &machine]).stdout(Stdio::null());
                let begun = Instant::now();
                assert!(program.status().unwrap().success());
                begun.elapsed()
            })
            .collect();
        times.sort();
        format!("{:.0} ms, {:.0} ms at best", times[10].as_secs_f64() * 1e3, times[0].as_secs_f64() * 1e3)
    };
    println!("plan of the demo machine: {}", plan("--simulate".to_owned()));
    let folder = tempfile::tempdir().unwrap();
    demo::build("one-server", Arc::new(HostDisk::below(folder.path())), clock()).unwrap();
    let theme = folder.path().join("C/inetpub/wwwroot/PhoneFactor/App_Themes/Contoso");
    files(&theme.join("more"), 10_000, 100);
    println!("plan with 10,000 theme files: {}", plan(format!("--simulate={}", folder.path().display())));
}

/// Files with content that cannot be compressed, made with little memory.
fn files(folder: &Path, count: usize, size: usize) {
    fs::create_dir_all(folder).unwrap();
    let mut state = 1_u64;
    let mut piece = vec![0_u8; size.min(1 << 20)];
    for number in 0..count {
        let mut file = fs::File::create(folder.join(format!("file-{number}"))).unwrap();
        for _ in 0..size / piece.len() {
            for word in piece.chunks_mut(8) {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                word.copy_from_slice(&state.to_le_bytes()[..word.len()]);
            }
            file.write_all(&piece).unwrap();
        }
    }
}

/// Copy, hash, sync and re-read, as a run does it, and what others take for the same.
fn backups(cases: &[(&str, usize, usize)], rivals: bool) {
    for (name, count, size) in cases {
        let folder = tempfile::tempdir().unwrap();
        demo::build("one-server", Arc::new(HostDisk::below(folder.path())), clock()).unwrap();
        files(&folder.path().join("C/source"), *count, *size);
        shell(folder.path(), "sync");
        let own = Command::new(std::env::current_exe().unwrap()).arg(BACK_UP).arg(folder.path()).output().unwrap();
        assert!(own.status.success(), "{}", String::from_utf8_lossy(&own.stderr));
        println!("backup of {name}: {}", String::from_utf8_lossy(&own.stdout).trim());
        if !rivals {
            continue;
        }
        let sums = "find C/source copy -type f -print0 | xargs -0 sha256sum";
        let restic = "restic -q -r repository --no-cache";
        let rivals = [
            ("cp -a, sync, sha256sum of both", "true", format!("cp -a C/source copy && sync && {sums}")),
            (
                "restic backup, check --read-data",
                &*format!("{restic} init"),
                format!("{restic} backup C/source && {restic} check --read-data"),
            ),
        ];
        for (rival, prepare, command) in rivals {
            let ready = shell(folder.path(), &format!("{prepare} && sync"));
            let took = ready.and_then(|_| shell(folder.path(), &command));
            let took = took.map_or("not on this machine".to_owned(), |took| format!("{:.2} s", took.as_secs_f64()));
            println!("  {rival}: {took}");
        }
    }
}

/// How long a command took; `None` where it cannot be run.
fn shell(folder: &Path, command: &str) -> Option<Duration> {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder).env("RESTIC_PASSWORD", "bench");
    let begun = Instant::now();
    let ended = shell.stdout(Stdio::null()).stderr(Stdio::null()).status();
    ended.is_ok_and(|status| status.success()).then(|| begun.elapsed())
}

/// One backup, with its time and the most memory that this process has had.
fn back_up(folder: &Path) {
    let machine = Simulated::open(Arc::new(HostDisk::below(folder)), clock()).unwrap();
    let op = Op::BackUp { from: path(r"C:\source"), to: path(r"C:\backups\bench"), except: Vec::new() };
    let begun = Instant::now();
    machine.perform(&op, &mut |_| {}).unwrap();
    let took = begun.elapsed().as_secs_f64();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    let peak = peak.and_then(|peak| peak.parse::<u64>().ok()).map_or(0, |peak| peak >> 10);
    println!("{took:.2} s, {peak} MiB at most");
}
