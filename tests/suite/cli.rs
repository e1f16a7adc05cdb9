//! The program as people and scripts use it: its arguments, what it prints, its exit codes.

use crate::support::apply_patch;

use pfupgrade::platform::simulated::MachineFacts;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder of its own, with a plan in it and room for a machine.
struct Place(TempDir);

/// What a command came to.
struct Run {
    code: i32,
    out: String,
    err: String,
}

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/one-server.toml");
        fs::copy(plan, place.0.path().join("pfupgrade.toml")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the program here. Nobody sits at its terminal.
    fn run(&self, arguments: &str) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_pfupgrade"))
            .args(arguments.split_whitespace())
            .current_dir(self.0.path())
            .env("TMPDIR", self.0.path())
            .env("TMP", self.0.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Run::of(&output)
    }

    /// Every file here with its content.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = walkdir::WalkDir::new(self.0.path()).into_iter().map(Result::unwrap);
        let files = entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
        files.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }
}

impl Run {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    fn says(self, words: &str) -> Self {
        assert!(self.err.contains(words), "not said: {words}\nstderr:\n{}", self.err);
        self
    }

    #[track_caller]
    fn prints(self, words: &str) -> Self {
        assert!(self.out.contains(words), "not printed: {words}\nstdout:\n{}", self.out);
        self
    }

    /// Every line of stdout as JSON, which is ASCII.
    #[track_caller]
    fn json(&self) -> Vec<serde_json::Value> {
        assert!(self.out.is_ascii(), "{}", self.out);
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn plan_shows_everything_and_writes_nothing() {
    let place = Place::new();
    let before = place.files();
    place
        .run("plan --simulate")
        .ends_with(0)
        .prints("PhoneFactor Agent 5.2.5")
        .prints("the outage starts")
        .prints("gate portal-url")
        .prints("Nothing was changed.");
    place.run("plan --simulate --detailed-exitcode").ends_with(3);
    assert_eq!(place.files(), before);
}

#[test]
fn plan_of_a_machine_in_a_folder_changes_nothing_there() {
    let place = Place::new();
    place.run("plan --simulate=machine").ends_with(0).says("Created a demo machine in machine");
    let before = place.files();
    place.run("plan --simulate=machine").ends_with(0);
    place.run("plan --simulate=machine --json").ends_with(0);
    assert_eq!(place.files(), before);
}

#[test]
fn plan_as_json_is_one_document_in_ascii() {
    let place = Place::new();
    fs::write(place.path("wide.toml"), "format = 1\nname = \"Grüße \u{1F511}\"\n").unwrap();
    let run = place.run("plan wide.toml --simulate --json");
    let documents = run.json();
    assert_eq!(documents.len(), 1);
    assert_eq!(documents[0]["kind"], "preview");
    assert_eq!(documents[0]["format"], 1);
    assert_eq!(documents[0]["plan"], "Grüße \u{1F511}");
    assert_eq!(documents[0]["simulated"], true);
}

#[test]
fn plan_ends_with_4_where_a_run_would_be_refused() {
    let place = Place::new();
    let run = place.run("plan --simulate --demo web-server").ends_with(4).prints("blocking ");
    assert!(run.out.contains("The run is blocked: no-installer"), "{}", run.out);
    let run = place.run("run --yes --simulate --demo web-server --json").ends_with(4);
    let documents = run.json();
    assert_eq!(documents[0]["kind"], "error");
    assert_eq!(documents[0]["findings"][0]["level"], "refuse");
    assert_eq!(documents[1]["exit_code"], 4);
}

#[test]
fn a_run_is_done_once_and_can_be_rolled_back() {
    let place = Place::new();
    place
        .run("run --yes --simulate=machine")
        .ends_with(0)
        .says("[ 1/25] Back up the Web Service SDK")
        .says("server-setup confirmed by the simulated operator at")
        .prints("is finished.")
        .prints("Tell users the new portal URL")
        .prints("new: https://")
        .prints("pfupgrade rollback --simulate=machine");
    place.run("run --yes --simulate=machine").ends_with(0).says("There is nothing to do.");
    assert_eq!(fs::read_dir(place.path("machine/C/ProgramData/pfupgrade/runs")).unwrap().count(), 1);
    place.run("resume --simulate=machine").ends_with(0).says("is already finished");
    place.run("rollback --simulate=machine").ends_with(2).says("next: add --yes");
    place.run("rollback --yes --simulate=machine").ends_with(0).prints("Rolled back").prints(r"\before-rollback");
    place.run("rollback --simulate=machine").ends_with(0).says("already been rolled back");
    place.run("resume --simulate=machine").ends_with(2);
    place.run("plan --simulate=machine --detailed-exitcode").ends_with(3);
}

#[test]
fn gates_stop_where_nobody_can_be_asked_and_go_on_when_confirmed() {
    let place = Place::new();
    place
        .run("run --yes --ask --simulate=machine")
        .ends_with(5)
        .says("manual step server-setup: Run the MFA Server setup")
        .says("next: pfupgrade resume --confirm server-setup --simulate=machine --ask");
    place
        .run("resume --confirm portals --ask --simulate=machine")
        .ends_with(2)
        .says("has no gate `portals`")
        .says("its gates are: server-setup, activation, package-sdk, package-portal, package-mobile-app, portal-url, mobile-app-url");
    fs::write(place.path("other.toml"), "format = 1\nname = \"another plan\"\n").unwrap();
    place
        .run("run other.toml --yes --ask --simulate=machine")
        .ends_with(4)
        .says("is not finished: waiting for a manual step (server-setup)")
        .says("pfupgrade rollback --simulate=machine");
    place.run("resume --confirm server-setup --ask --simulate=machine").ends_with(5).says("manual step portal-url");
    place
        .run("run --yes --simulate=machine")
        .ends_with(0)
        .says("Continuing run")
        .prints("server-setup confirmed by FABRIKAM\\admin")
        .prints("portal-url confirmed by the simulated operator");
}

#[test]
fn an_unfinished_run_can_be_rolled_back_without_being_asked() {
    let place = Place::new();
    place.run("run --yes --ask --simulate=machine").ends_with(5);
    place.run("rollback --simulate=machine").ends_with(0).prints("Rolled back");
    let quiet = place.run("run --yes --quiet --simulate=machine").ends_with(0).prints("is finished.");
    assert_eq!(quiet.err, "");
}

#[test]
fn events_say_what_they_are_first_and_how_it_ended_last() {
    let place = Place::new();
    let run = place.run("run --yes --ask --json --simulate=machine --log-file log.jsonl").ends_with(5);
    let events = run.json();
    let (first, last) = (events.first().unwrap(), events.last().unwrap());
    assert_eq!((&first["format"], &first["kind"], &first["event"]), (&1.into(), &"events".into(), &"started".into()));
    assert_eq!((&last["event"], &last["exit_code"]), (&"end".into(), &5.into()));
    assert_eq!(last["next"], "pfupgrade resume --confirm server-setup --simulate=machine --ask");
    assert!(events[1..].iter().all(|event| event.get("kind").is_none() && event["event"].is_string()));
    let gate = events.iter().find(|event| event["event"] == "gate").unwrap();
    assert_eq!(gate["gate"]["id"], "server-setup");
    let log = fs::read_to_string(place.path("log.jsonl")).unwrap();
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{log}");
    assert!(log.contains("server-setup"), "{log}");

    let events = place.run("resume --confirm server-setup --json --simulate=machine").ends_with(0).json();
    assert!(events.iter().any(|event| event["event"] == "summary"));
    assert_eq!(events.last().unwrap()["exit_code"], 0);
}

#[test]
fn a_run_is_declined_where_nobody_can_say_yes() {
    let place = Place::new();
    place.run("run --simulate=machine").ends_with(2).says("no terminal to ask on").says("next: add --yes");
    assert!(!place.path("machine/C/ProgramData/pfupgrade/runs").exists());
}

#[test]
fn a_wrong_plan_is_shown_with_its_lines() {
    let place = Place::new();
    fs::write(place.path("wrong.toml"), "format = 1\n[portal]\nvirtual-direktory = \"x\"\n").unwrap();
    place
        .run("run wrong.toml --yes --simulate")
        .ends_with(2)
        .says("virtual-direktory")
        .says("hint: ")
        .says("wrong.toml:3");
    let run = place.run("plan wrong.toml --simulate --json").ends_with(2);
    let documents = run.json();
    assert_eq!(documents.len(), 1);
    assert_eq!((&documents[0]["kind"], &documents[0]["exit_code"]), (&"error".into(), &2.into()));
    assert_eq!(documents[0]["diagnostics"]["errors"][0]["line"], 3);
    place.run("plan missing.toml --simulate").ends_with(2).says("could not read the plan missing.toml");
}

#[test]
fn arguments_that_make_no_sense_end_with_2_and_touch_nothing() {
    let place = Place::new();
    let before = place.files();
    fs::create_dir(place.path("full")).unwrap();
    let hint = "next: add --simulate";
    if !cfg!(windows) {
        place.run("plan").ends_with(2).says("this is not Windows").says(hint);
    }
    place.run("plan --ask").ends_with(2).says("--ask").says(hint);
    place.run("plan --demo one-server").ends_with(2).says("--demo").says(hint);
    place.run("plan --demo nowhere --simulate").ends_with(2).says("one-server");
    place.run("resume --simulate").ends_with(2).says("--simulate=DIR");
    place.run("resume --simulate=nowhere").ends_with(2).says("there is no simulated machine in nowhere");
    place.run("rollback --simulate=nowhere").ends_with(2);
    place.run("plan --simulate --state relative").ends_with(2).says("`relative` is not an absolute path");
    place.run("plan --simulate --state %NOWHERE%").ends_with(2).says("the environment variable %NOWHERE% is not set");
    place.run("plan --simulate=.").ends_with(2).says("contains files, but no simulated machine");
    fs::write(place.path("full/machine.toml"), "format = \"none\"").unwrap();
    place.run("plan --simulate=full").ends_with(2).says("machine.toml");
    fs::remove_dir_all(place.path("full")).unwrap();
    let documents = place.run("plan --frobnicate --json").ends_with(2).json();
    assert_eq!((documents.len(), &documents[0]["kind"]), (1, &"error".into()));
    for command in ["run", "resume", "rollback"] {
        let documents = place.run(&format!("{command} --frobnicate --json")).ends_with(2).json();
        assert_eq!((documents.len(), &documents[0]["kind"]), (2, &"error".into()));
        assert_eq!((&documents[1]["event"], &documents[1]["exit_code"]), (&"end".into(), &2.into()));
    }
    place.run("--version").ends_with(0).prints("pfupgrade ");
    assert_eq!(place.files(), before);
}

#[test]
fn a_machine_that_never_ran_anything_has_nothing_to_resume_or_roll_back() {
    let place = Place::new();
    place.run("plan --simulate=machine --quiet").ends_with(0);
    place.run("resume --simulate=machine").ends_with(2).says("there is no run to resume");
    place.run("rollback --simulate=machine").ends_with(0).says("There is no run to roll back.");
}

#[test]
fn colour_is_used_only_where_it_is_wanted() {
    let place = Place::new();
    assert!(!place.run("plan --simulate").out.contains('\u{1b}'));
    assert!(place.run("plan --simulate --color always").out.contains('\u{1b}'));
    assert!(!place.run("plan --simulate --json --color always").out.contains('\u{1b}'));
}

#[test]
fn a_damaged_journal_ends_with_13_and_a_held_machine_with_6() {
    let place = Place::new();
    place.run("run --yes --ask --simulate=machine").ends_with(5);
    let state = place.path("machine/C/ProgramData/pfupgrade");
    let lock = fs::File::options().append(true).open(state.join("lock")).unwrap();
    lock.lock().unwrap();
    place.run("resume --simulate=machine").ends_with(6).says("another instance is running on this machine");
    drop(lock);
    let run = fs::read_dir(state.join("runs")).unwrap().next().unwrap().unwrap().path();
    let journal = run.join("journal.jsonl");
    let damaged = fs::read_to_string(&journal).unwrap().replacen("step-started", "step-stopped", 1);
    fs::write(&journal, damaged).unwrap();
    place.run("resume --simulate=machine").ends_with(13).says("is damaged in line 3");
}

#[test]
fn a_run_without_a_way_back_has_to_be_accepted() {
    let place = Place::new();
    place.run("plan --simulate=machine --quiet").ends_with(0);
    let file = place.path("machine/machine.toml");
    let mut facts = MachineFacts::from_text(&fs::read_to_string(&file).unwrap()).unwrap();
    apply_patch(&mut facts, "User Portal");
    fs::write(&file, facts.to_text().unwrap()).unwrap();
    place.run("run --yes --simulate=machine").ends_with(4).says("[no-way-back]");
    let plan = fs::read_to_string(place.path("pfupgrade.toml")).unwrap();
    fs::write(place.path("allowed.toml"), plan + "\n[preflight]\nallow = [\"no-way-back\"]\n").unwrap();
    place
        .run("run allowed.toml --yes --simulate=machine")
        .ends_with(4)
        .says("---- no full rollback after this point")
        .says("add --accept-no-return");
    assert!(!place.path("machine/C/ProgramData/pfupgrade/runs").exists());
    place.run("run allowed.toml --yes --accept-no-return --simulate=machine").ends_with(0);
}
