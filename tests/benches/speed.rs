//! How fast: whole runs in memory, and backups on the host's disk. It measures and judges nothing.
//!
//! `cargo bench` runs all of it; `cargo bench -- runs` or `-- backup` a part. The files for the backup are made in the
//! temporary folder (`TMPDIR`), 1.2 GiB in all.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on says so by panicking")]

#[path = "../support/mod.rs"]
mod support;
use support::*;

use pfupgrade::platform::Platform;
use pfupgrade::platform::disk::HostDisk;
use pfupgrade::platform::op::Op;
use pfupgrade::platform::simulated::{Simulated, demo};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    if is_wanted("runs") {
        runs();
    }
    if is_wanted("backup") {
        backup();
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

/// Copy, hash, sync and re-read, as a run does it: one large file, and many small ones.
fn backup() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(HostDisk::below(folder.path()));
    let machine = demo::build("one-server", disk, clock()).unwrap();
    let source = folder.path().join("C/source");
    for (name, files, size) in [("1 file of 1 GiB", 1, 1 << 30), ("10,000 files of 20 KiB", 10_000, 20 << 10)] {
        std::fs::create_dir_all(&source).unwrap();
        let mut content = vec![0_u8; size];
        for number in 0..files {
            let mut state = number as u64 + 1;
            for piece in content.chunks_mut(8) {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                piece.copy_from_slice(&state.to_le_bytes()[..piece.len()]);
            }
            std::fs::write(source.join(format!("file-{number}")), &content).unwrap();
        }
        drop(content);
        timed(name, &machine);
        std::fs::remove_dir_all(&source).unwrap();
    }
}

fn timed(name: &str, machine: &Simulated) {
    let to = path(r"C:\ProgramData\pfupgrade\backups\bench").child(&name.replace(['.', ','], ""));
    let op = Op::BackUp { from: path(r"C:\source"), to, except: Vec::new() };
    let begun = Instant::now();
    machine.perform(&op, &mut |_| {}).unwrap();
    println!("backup of {name}: {:.2} s", begun.elapsed().as_secs_f64());
}
