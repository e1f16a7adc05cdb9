//! What a real PowerShell makes of what this project writes for it, and what Microsoft's own configuration reader makes
//! of merged files. `.ci/powershell` runs them; plain `cargo test` does not, since PowerShell is not everywhere.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

#[path = "../support/draw.rs"]
mod draw;
mod language;
#[path = "../netconfig/check.rs"]
mod netconfig;
mod upgrade;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const HOUSE: &str = env!("CARGO_MANIFEST_DIR");

/// Runs a script of this project in PowerShell, with lines on its standard input, and returns what it prints.
fn powershell(script: &str, input: &str) -> String {
    let house = Path::new(HOUSE);
    let mut command = Command::new(house.join(".ci/pwsh"));
    command.args(["-NoProfile", "-NonInteractive", "-File"]).arg(house.join(script)).current_dir(house);
    command.env("PATH", with_program()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    // Written from a thread of its own: a script may print before it has read everything.
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input.as_bytes()).unwrap());
        process.wait_with_output().unwrap()
    });
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{script} ended with {}:\n{printed}", output.status);
    printed
}

/// The PATH with the program's folder in front, so that scripts find it by its name.
fn with_program() -> std::ffi::OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_pfupgrade")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([program].into_iter().chain(std::env::split_paths(&path))).unwrap()
}
