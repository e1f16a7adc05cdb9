//! `plans/upgrade.ps1`, run in a real PowerShell on a simulated machine.

use super::HOUSE;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use walkdir::WalkDir;

/// A folder with a plan, and a program that works on the machine `machine` below it.
struct Place(TempDir);

struct Ran {
    code: i32,
    text: String,
}

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::copy(Path::new(HOUSE).join("plans/one-server.toml"), place.at("plan.toml")).unwrap();
        let machine = place.at("machine");
        let program = env!("CARGO_BIN_EXE_pfupgrade");
        let script = format!("#!/bin/sh\nexec '{program}' \"$@\" --simulate='{}'\n", machine.display());
        fs::write(place.at("pfupgrade"), script).unwrap();
        fs::set_permissions(place.at("pfupgrade"), fs::Permissions::from_mode(0o755)).unwrap();
        place
    }

    /// With a run that was interrupted in its outage.
    fn half_upgraded() -> Self {
        let place = Self::new();
        let mut command = Command::new(place.at("pfupgrade"));
        command.args(["run", "plan.toml", "--yes", "--quiet", "--fail-at", "install-portal"]).current_dir(&place.0);
        assert_eq!(command.output().unwrap().status.code(), Some(1));
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn script(&self, arguments: &[&str], typed: &str) -> Ran {
        let mut command = Command::new(Path::new(HOUSE).join(".ci/pwsh"));
        command.args(["-NoProfile", "-File"]).arg(Path::new(HOUSE).join("plans/upgrade.ps1"));
        command.args(["-Plan", "plan.toml"]).args(arguments).current_dir(&self.0).env("NO_COLOR", "1");
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A script that does not ask reads nothing.
        let _ = process.stdin.take().unwrap().write_all(typed.as_bytes());
        let output = process.wait_with_output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        Ran { code: output.status.code().unwrap(), text: String::from_utf8_lossy(&text).into_owned() }
    }

    fn runs(&self, arguments: &[&str]) -> Ran {
        self.script(&[&["-Program", "./pfupgrade"], arguments].concat(), "")
    }

    fn reports(&self) -> usize {
        let files = fs::read_dir(self.0.path()).unwrap();
        files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|kind| kind == "html")).count()
    }

    /// Every file of the machine with its content.
    fn machine(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = WalkDir::new(self.at("machine")).sort_by_file_name().into_iter().map(|entry| entry.unwrap());
        let files = files.filter(|entry| entry.file_type().is_file());
        files.map(|entry| (entry.path().to_owned(), fs::read(entry.path()).unwrap())).collect()
    }
}

#[test]
fn a_half_upgraded_server_is_not_done_and_goes_on() {
    let place = Place::half_upgraded();
    let ran = place.runs(&[]);
    assert_eq!(ran.code, 4, "{}", ran.text);
    assert!(ran.text.contains("-Resume") || ran.text.contains("pfupgrade resume"), "{}", ran.text);
    let ran = place.runs(&["-Resume"]);
    assert_eq!((ran.code, place.reports()), (0, 1), "{}", ran.text);
    assert!(ran.text.contains("The report is beside the events"), "{}", ran.text);
}

#[test]
fn what_cannot_be_started_is_an_error() {
    let place = Place::new();
    fs::write(place.at("no-program"), "").unwrap();
    for program in ["./missing.exe", "./no-program"] {
        for more in [&[][..], &["-Resume"], &["-WhatIf"]] {
            let ran = place.script(&[&["-Program", program], more].concat(), "yes\n");
            assert_eq!(ran.code, 1, "{}", ran.text);
            assert!(ran.text.contains("cannot be started"), "{}", ran.text);
        }
    }
}

#[test]
fn what_if_changes_nothing() {
    let place = Place::half_upgraded();
    let before = place.machine();
    let ran = place.runs(&["-Resume", "-WhatIf"]);
    assert_eq!(ran.code, 0, "{}", ran.text);
    assert!(ran.text.contains("pfupgrade resume"), "{}", ran.text);
    assert!(place.machine() == before && place.reports() == 0, "{}", ran.text);

    let place = Place::new();
    let ran = place.script(&["-Program", "./pfupgrade", "-WhatIf"], "yes\n");
    assert_eq!((ran.code, place.reports()), (0, 0), "{}", ran.text);
    assert!(!place.machine().iter().any(|(path, _)| path.ends_with("journal.jsonl")), "{}", ran.text);
    // A misspelled switch must not start anything either.
    assert_eq!(place.script(&["-Program", "./pfupgrade", "-WhatIff"], "yes\n").code, 1);
}

#[test]
fn there_is_no_report_of_what_did_not_happen() {
    let place = Place::half_upgraded();
    let ran = place.runs(&["-Resume", "-Confirm", "nonsense"]);
    assert_eq!((ran.code, place.reports()), (2, 0), "{}", ran.text);
    assert!(ran.text.contains("there is no report"), "{}", ran.text);

    let place = Place::new();
    let ran = place.script(&["-Program", "./pfupgrade"], "yes\n");
    assert_eq!((ran.code, place.reports()), (0, 1), "{}", ran.text);
}
