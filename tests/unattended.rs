//! What goes on without anybody: after a restart of Windows.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

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
    assert!(said.contains("next: restart Windows; after that it goes on by itself\n"), "{said}");
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
    assert!(said.contains(OLD_PORTAL) && said.contains("after that it goes on by itself"), "{said}");
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
    assert!(said.contains("next: restart Windows, then pfupgrade resume --simulate=machine\n"), "{said}");
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
