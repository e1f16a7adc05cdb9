//! What scripts lean on: JSON in a file beside the talk, completions, and silence where nothing is the matter.

use crate::support::runs::{Program, program};

use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

fn place() -> (TempDir, Program) {
    let place = tempfile::tempdir().unwrap();
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/one-server.toml");
    fs::copy(plan, place.path().join("pfupgrade.toml")).unwrap();
    let program = program(place.path());
    (place, program)
}

/// Ids of runs are times, and so are some words of the events.
fn without_times(text: &str) -> String {
    let parts = text.split(|c: char| !c.is_ascii_digit());
    let times: Vec<&str> = parts.filter(|digits| digits.len() >= 6).collect();
    times.iter().fold(text.to_owned(), |text, time| text.replace(time, "<time>"))
}

#[test]
fn the_file_holds_what_json_would_print_and_people_read_as_usual() {
    let (place, program) = place();
    for (machine, arguments, code) in [
        ("one", "plan", 0),
        ("one", "run --yes --ask", 5),
        ("one", "rollback", 0),
        ("one", "verify", 0),
        ("one", "plan missing.toml", 2),
    ] {
        let printed = program.says(&format!("{arguments} --simulate={machine} --json")).ends_with(code).out;
        let file = place.path().join("events.json");
        let ran = program.says(&format!("{arguments} --simulate=two --json-file events.json")).ends_with(code);
        let written = fs::read_to_string(&file).unwrap();
        let same = |text: &str| {
            let text = without_times(&text.replace("=two", "=one"));
            let is_fixed = |line: &&str| !line.contains("\"bytes\"") && !line.contains("outage_ms");
            text.lines().filter(is_fixed).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(same(&written), same(&printed), "{arguments}");
        assert!(!ran.out.contains("\"format\""), "{}", ran.out);
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn both_at_once_are_the_same_bytes() {
    let (place, program) = place();
    let ran = program.says("run --yes --simulate=machine --json --json-file events.json").ends_with(0);
    assert_eq!(fs::read_to_string(place.path().join("events.json")).unwrap(), ran.out);
    assert!(ran.out.is_ascii());
    assert_eq!(ran.json().last().unwrap()["event"], "end");
}

#[test]
fn a_file_that_is_there_is_never_written_over_and_nothing_is_done() {
    let (place, program) = place();
    fs::write(place.path().join("events.json"), "precious").unwrap();
    program
        .says("run --yes --simulate=machine --json-file events.json")
        .ends_with(2)
        .says("could not create the file events.json for --json-file: it already exists")
        .says("next: specify a new file");
    assert_eq!(fs::read_to_string(place.path().join("events.json")).unwrap(), "precious");
    assert!(!place.path().join("machine").exists());
    program.says("plan --simulate --json-file no/such/folder.json").ends_with(2);
}

#[test]
fn nothing_is_said_on_stderr_in_a_good_run_with_quiet() {
    let (_place, program) = place();
    for arguments in [
        "init own.toml --simulate=machine",
        "plan own.toml --simulate=machine",
        "run own.toml --yes --simulate=machine",
        "verify --simulate=machine",
        "rollback --yes --simulate=machine",
        "run own.toml --yes --simulate=machine --json",
        "schema events",
        "completions bash",
    ] {
        assert_eq!(program.says(&format!("{arguments} --quiet")).ends_with(0).err, "", "{arguments}");
    }
}

#[test]
fn printed_json_is_ascii_whatever_the_names() {
    let (place, program) = place();
    let plan = fs::read_to_string(place.path().join("pfupgrade.toml")).unwrap();
    let plan = plan.replace("name = \"One server, new directory names\"", "name = \"Größe \u{1F511}\"");
    fs::write(place.path().join("Übung.toml"), plan).unwrap();
    for (arguments, code) in [
        ("plan Übung.toml --simulate=Ä --json", 0),
        ("run Übung.toml --yes --ask --simulate=Ä --json", 5),
        ("rollback --simulate=Ä --json", 0),
        ("verify --simulate=Ä --json", 0),
        ("init Ö.toml --simulate=Ä --json", 0),
        ("plan Ü.toml --json", 2),
        ("resume --simulate=Ü --json", 2),
    ] {
        let documents = program.says(arguments).ends_with(code).json();
        assert!(!documents.is_empty(), "{arguments}");
    }
}

#[test]
fn completions_know_every_command() {
    let place = tempfile::tempdir().unwrap();
    let commands = ["plan", "run", "resume", "rollback", "verify", "init", "merge", "inspect", "schema", "completions"];
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = program(place.path()).says(&format!("completions {shell}")).ends_with(0);
        for command in commands {
            assert!(ran.out.contains(command), "{shell}: {command}");
        }
        if shell == "bash" {
            let file = place.path().join("pfupgrade.bash");
            fs::write(&file, &ran.out).unwrap();
            // Where there is no bash, nobody completes with it.
            if let Ok(parsed) = Command::new("bash").arg("-n").arg(&file).output() {
                assert!(parsed.status.success(), "{}", String::from_utf8_lossy(&parsed.stderr));
            }
        }
    }
    program(place.path()).says("completions cmd").ends_with(2);
}
