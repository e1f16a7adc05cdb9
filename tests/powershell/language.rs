//! Scripts, examples and completions, as PowerShell itself reads them.

use super::{HOUSE, powershell};

use std::fs;
use std::path::Path;
use std::process::Command;

/// What is written for PowerShell: the sample script, the README's examples, and the completions, each with its name.
fn scripts() -> Vec<(String, String)> {
    let house = Path::new(HOUSE);
    let sample = fs::read_to_string(house.join("plans/upgrade.ps1")).unwrap();
    let readme = fs::read_to_string(house.join("README.md")).unwrap();
    let examples = readme.split("\n```powershell\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    let completions = Command::new(env!("CARGO_BIN_EXE_pfupgrade")).args(["completions", "powershell"]).output();
    let completions = String::from_utf8(completions.unwrap().stdout).unwrap();
    let mut all = vec![("upgrade".to_owned(), sample), ("completions".to_owned(), completions)];
    all.extend(examples.enumerate().map(|(number, example)| (format!("readme-{number}"), example.to_owned())));
    all
}

/// The first error in each script; empty where there is none.
fn errors(scripts: &[(String, String)]) -> Vec<String> {
    let place = tempfile::tempdir().unwrap();
    let mut names = String::new();
    for (name, script) in scripts {
        let file = place.path().join(format!("{name}.ps1"));
        fs::write(&file, script).unwrap();
        names += &format!("{}\n", file.display());
    }
    let printed = powershell("tests/powershell/parse.ps1", &names);
    printed.lines().map(|line| line.split_once('\t').unwrap().1.to_owned()).collect()
}

#[test]
fn powershell_parses_everything_that_is_written_for_it() {
    let scripts = scripts();
    assert!(scripts.len() >= 3, "the README has no example");
    // Each once more with a brace missing, which shows that an error would be noticed.
    let broken = scripts.iter().map(|(name, text)| (format!("{name}-broken"), text.replacen('{', "", 1)));
    let all: Vec<(String, String)> = scripts.iter().cloned().chain(broken).collect();
    let errors = errors(&all);
    assert_eq!(errors.len(), all.len());
    for ((name, script), error) in all.iter().zip(&errors) {
        assert_eq!(error.is_empty(), !name.ends_with("-broken"), "{name}: {error}\n{script}");
    }
}

#[test]
fn powershell_offers_commands_and_options() {
    let offered = powershell("tests/powershell/complete.ps1", "pfupgrade me\npfupgrade merge --out\n");
    assert_eq!(offered, "merge\n--output\n");
}
