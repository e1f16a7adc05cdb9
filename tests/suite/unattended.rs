//! What goes on without anybody, after a restart of Windows; and what the event log hears of it.

use pfupgrade::platform::simulated::{MachineFacts, Task, Trouble};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// 3010 on a host with one-byte codes.
const REBOOT: i32 = if cfg!(windows) { 3010 } else { 3010 % 256 };
const NEW_PORTAL: &str = r"C:\inetpub\wwwroot\MultiFactorAuth\bin\x.dll";
const OLD_PORTAL: &str = r"C:\inetpub\wwwroot\PhoneFactor\bin\x.dll";

/// A folder with a machine in it, and nobody at its terminal.
struct Place(TempDir);

impl Place {
    /// A machine on which uninstalling `product` leaves `file` to be replaced at the next restart.
    fn where_a_restart_is_wanted(product: &str, file: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/one-server.toml");
        fs::copy(plan, place.0.path().join("pfupgrade.toml")).unwrap();
        place.run("plan", 0);
        place.leave(product, file);
        place
    }

    /// Has the next uninstall of `product` leave `file`.
    fn leave(&self, product: &str, file: &str) {
        let text = format!("with = '{product}'\nwhen = 'uninstall'\ncode = 3010\nleaves = ['{file}']");
        let trouble: Trouble = toml::from_str(&text).unwrap();
        self.change(|facts| facts.troubles.push(trouble));
    }

    fn toml(&self) -> PathBuf {
        self.0.path().join("machine/machine.toml")
    }

    fn facts(&self) -> MachineFacts {
        MachineFacts::from_text(&fs::read_to_string(self.toml()).unwrap()).unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut MachineFacts)) {
        let mut facts = self.facts();
        change(&mut facts);
        fs::write(self.toml(), facts.to_text().unwrap()).unwrap();
    }

    /// What is said by a command that ends with `code`.
    #[track_caller]
    fn run(&self, command: &str, code: i32) -> String {
        let words = command.split_whitespace();
        let output = Command::new(env!("CARGO_BIN_EXE_pfupgrade"))
            .args(words.chain(["--simulate=machine"]))
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{command}\n{said}");
        said
    }

    /// The entries of the event log: their numbers.
    fn entries(&self) -> Vec<String> {
        self.event_log().lines().map(|line| line.split(' ').nth(2).unwrap().to_owned()).collect()
    }

    fn event_log(&self) -> String {
        fs::read_to_string(self.0.path().join("machine/event-log.txt")).unwrap_or_default()
    }

    /// What Windows does at its next start.
    fn tasks(&self) -> Vec<Task> {
        self.facts().tasks
    }

    /// Restarts Windows, which does what it has to; that ends with `code`.
    #[track_caller]
    fn restart(&self, code: i32) -> String {
        self.change(|facts| facts.system.pending_renames.clear());
        let [task] = self.tasks().try_into().unwrap();
        self.run(&task.arguments.join(" "), code)
    }
}

#[test]
fn a_run_goes_on_by_itself_after_a_restart_and_leaves_no_task() {
    let place = Place::where_a_restart_is_wanted("PhoneFactor User Portal", NEW_PORTAL);
    let said = place.run("run --yes --after-reboot resume", REBOOT);
    assert!(said.contains("next: restart Windows; the run then resumes automatically\n"), "{said}");
    assert!(said.contains("or: pfupgrade resume --simulate=machine\n"), "{said}");
    let [task] = place.tasks().try_into().unwrap();
    assert_eq!(task.arguments, ["resume", "--after-reboot", "resume", "--state", r"C:\ProgramData\pfupgrade"]);
    assert!(task.program.as_str().starts_with(r"C:\ProgramData\pfupgrade\runs\"), "{}", task.program);
    place.restart(0);
    assert!(place.tasks().is_empty());
}

#[test]
fn a_rollback_goes_on_by_itself_after_a_restart_and_leaves_no_task() {
    let place = Place::where_a_restart_is_wanted("PhoneFactor User Portal", r"C:\Windows\Temp\x");
    let before = place.facts().services;
    place.run("run --yes", REBOOT);
    // A file that a setup has left for the restart would replace what the rollback puts back.
    place.change(|facts| facts.system.pending_renames.push(OLD_PORTAL.to_owned()));
    let said = place.run("rollback --yes --after-reboot resume", REBOOT);
    assert!(said.contains(OLD_PORTAL) && said.contains("the run then resumes automatically"), "{said}");
    let [task] = place.tasks().try_into().unwrap();
    assert_eq!(task.arguments[0], "rollback");
    place.restart(0);
    assert!(place.tasks().is_empty());
    assert_eq!(place.facts().services, before);
}

#[test]
fn a_person_is_told_unless_something_else_is_asked_for() {
    let place = Place::where_a_restart_is_wanted("PhoneFactor User Portal", NEW_PORTAL);
    let said = place.run("run --yes", REBOOT);
    assert!(said.contains("next: restart Windows, then run: pfupgrade resume --simulate=machine\n"), "{said}");
    assert!(place.tasks().is_empty());
    // Whoever goes on by hand and says nothing of the next restart has changed that.
    place.run("resume --after-reboot resume", REBOOT);
    assert_eq!(place.tasks().len(), 1);
    place.run("resume", REBOOT);
    assert!(place.tasks().is_empty());
}

#[test]
fn a_gate_after_the_restart_ends_what_goes_on_by_itself() {
    let place = Place::where_a_restart_is_wanted("PhoneFactor User Portal", NEW_PORTAL);
    place.run("run --yes --after-reboot resume", REBOOT);
    // On a real server nobody is there to answer.
    place.change(|facts| facts.system.pending_renames.clear());
    let [task] = place.tasks().try_into().unwrap();
    place.run(&format!("{} --ask", task.arguments.join(" ")), 5);
    assert!(place.tasks().is_empty(), "a person has to come first");
    place.run("rollback", 0);
}

#[test]
fn a_rolled_back_run_has_no_task() {
    let place = Place::where_a_restart_is_wanted("PhoneFactor User Portal", NEW_PORTAL);
    place.run("run --yes --after-reboot resume", REBOOT);
    assert_eq!(place.tasks().len(), 1);
    place.run("rollback", 0);
    assert!(place.tasks().is_empty());
}

#[test]
fn the_event_log_hears_what_a_run_comes_to() {
    let place = Place::where_a_restart_is_wanted("PhoneFactor User Portal", NEW_PORTAL);
    // What only looks, is declined or is refused tells nobody.
    place.run("plan", 0);
    place.run("run", 2);
    place.run("run small.toml --yes", 2);
    assert_eq!(place.event_log(), "");

    place.run("run --yes --after-reboot resume", REBOOT);
    assert_eq!(place.entries(), ["100", "103"]);
    place.change(|facts| facts.system.pending_renames.clear());
    place.run("resume --ask", 5);
    place.run("rollback", 0);
    assert_eq!(place.entries()[2..], ["101", "104", "107", "108"]);
    place.run("run --yes", 0);
    assert_eq!(place.entries()[6..], ["100", "102"]);
    place.run("resume", 0);
    place.run("run --yes", 0);
    assert_eq!(place.entries().len(), 8, "nothing was left to do");
    let log = place.event_log();
    for words in [" warning 103 Run ", " warning 104 ", "a manual step (server-setup): ", NEW_PORTAL] {
        assert!(log.contains(words), "{words}\n{log}");
    }
}

#[test]
fn the_event_log_hears_of_failures_and_never_of_secrets() {
    let place = Place::where_a_restart_is_wanted("PhoneFactor User Portal", r"C:\Windows\Temp\x");
    let trouble: Trouble =
        toml::from_str("with = 'MultiFactorAuthenticationUserPortalSetup64.msi'\ncode = 1603").unwrap();
    place.change(|facts| facts.troubles.push(trouble));
    place.run("run --yes", 1);
    let log = place.event_log();
    let failed = log.lines().nth(1).unwrap();
    assert!(failed.contains(" error 106 install-portal: could not install") && failed.contains("1603"), "{failed}");
    assert!(failed.contains("pfupgrade resume"), "{failed}");
    let journal = place.0.path().join("machine/C/ProgramData/pfupgrade/runs");
    let journal = fs::read_dir(journal).unwrap().next().unwrap().unwrap().path().join("journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replacen("User Portal", "User portal", 1)).unwrap();
    place.run("resume", 13);
    assert!(place.event_log().lines().last().unwrap().contains(" error 106 the journal "));
    for secret in ["Horse", "Boat"] {
        assert!(!place.event_log().contains(secret));
    }
}
