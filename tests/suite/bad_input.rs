//! Bad input of every kind, given to the real program: one error that names the file and says what to do next, the
//! documented exit code, and a machine on which nothing has changed.
//!
//! Single changed bytes and cuts are drawn by the seed of the run; a failure says how to play the same ones again.

mod damage;
mod place;

use crate::support::draw::Draw;
use crate::support::matrix::{replay, seed};
use damage::Damage::*;
use damage::*;
use place::*;

use pfupgrade::platform::facts::ServiceState;
use pfupgrade::platform::registry::Value;
use pfupgrade::platform::simulated::MachineFacts;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

const PLAN: &str = include_str!("../../plans/one-server.toml");
const NAMED: &str = "format = 1\n[server]\ninstaller = 'C:\\Install\\MultiFactorAuthenticationServerSetup.exe'\n\
    [portal]\ninstaller = 'C:\\Install\\portal.msi'\nsigned-by = false\n";
const PORTAL_MSI: &str = "C/Program Files/PhoneFactor/MultiFactorAuthenticationUserPortalSetup64.msi";
const WEB_CONFIG: &str = "C/inetpub/wwwroot/PhoneFactor/web.config";
const STATE: &str = "C/ProgramData/pfupgrade";
const GIB: u64 = 1 << 30;
/// 3010 on a host with one-byte codes.
const REBOOT: i32 = if cfg!(windows) { 3010 } else { 3010 % 256 };

#[test]
fn plans() {
    let place = Place::new();
    let plan = place.path("plan.toml");
    for (damage, words) in [
        (Missing, "could not read the plan plan.toml"),
        (Folder, "could not read the plan plan.toml"),
        (DanglingLink, "could not read the plan plan.toml"),
        (Empty, "hint: start the file with `format = 1`"),
        (Huge, "larger than 1048576 bytes"),
        (Latin1, "hint: save it as UTF-8; in Notepad: File, Save As, Encoding: UTF-8"),
        (Utf16, "hint: save it as UTF-8; in Notepad: File, Save As, Encoding: UTF-8"),
        (Nul, "plan.toml"),
        (Noise, "plan.toml"),
    ] {
        damage.of(&plan);
        place.refuses(&["plan plan.toml", "run plan.toml --yes"], 2, words);
        fs::remove_dir(&plan).or_else(|_| fs::remove_file(&plan)).unwrap_or_default();
        fs::write(&plan, PLAN).unwrap();
    }
    place.refuses(&["plan plan.toml/below", "run nowhere/plan.toml --yes"], 2, "could not read the plan");
    // What Windows puts before a text is no fault.
    fs::write(&plan, format!("\u{feff}{PLAN}").replace('\n', "\r\n")).unwrap();
    place.run("plan plan.toml").ends_with(0);
    fs::write(&plan, PLAN).unwrap();
    play_small_damage(&place, &plan, 60, "plan plan.toml", &[0, 2, 4]);
}

#[test]
fn machine_files() {
    let place = Place::new();
    let file = place.on_machine("machine.toml");
    let good = fs::read(&file).unwrap();
    let all = ["plan plan.toml", "run plan.toml --yes", "resume", "rollback --yes"];
    for (damage, words) in [
        (Folder, "machine.toml is not a regular file"),
        (DanglingLink, "machine.toml is a link"),
        (Empty, "missing field `format`"),
        (Huge, "it is larger than"),
        (Latin1, "is not UTF-8"),
        (Utf16, "the file is UTF-16; save it as UTF-8"),
        (Noise, "machine.toml"),
    ] {
        damage.of(&file);
        place.refuses(&all, 2, words);
        fs::remove_dir(&file).or_else(|_| fs::remove_file(&file)).unwrap();
        fs::write(&file, &good).unwrap();
    }
    let text = String::from_utf8(good).unwrap();
    // Cut off within a line; behind one, it might be the file of another machine.
    for at in ["windows = \"", "[[service]", "InstallPath = '"] {
        fs::write(&file, &text[..text.find(at).unwrap() + at.len()]).unwrap();
        place.refuses(&all, 2, "machine.toml");
    }
    fs::write(&file, text.replace("elevated = true", "elevated = maybe")).unwrap();
    place.refuses(&all, 2, "| elevated = maybe");
    fs::write(&file, text.replace("format = 1", "format = 2")).unwrap();
    place.refuses(&all, 2, "it has format 2, but this pfupgrade reads format 1");
    fs::write(&file, format!("\u{feff}{text}")).unwrap();
    place.run("plan plan.toml").ends_with(0);
    Missing.of(&file);
    place.refuses(&all[..2], 2, "contains files, but no simulated machine");
    place.refuses(&all[2..], 2, "there is no simulated machine in machine");
    fs::write(&file, text).unwrap();
    play_small_damage(&place, &file, 60, "plan plan.toml", &[0, 2, 4]);
}

#[test]
fn places_for_machines_that_are_none() {
    let place = Place::new();
    fs::remove_dir_all(place.path("machine")).unwrap();
    fs::write(place.path("machine"), "a file").unwrap();
    for command in ["plan plan.toml", "run plan.toml --yes", "resume", "rollback"] {
        place.run(command).ends_with(2).tells_once("machine");
    }
}

#[test]
fn web_configs() {
    let place = Place::new();
    let file = place.on_machine(WEB_CONFIG);
    let good = fs::read(&file).unwrap();
    let both = ["plan plan.toml", "run plan.toml --yes"];
    let refused = |words: &str| place.refuses(&both, 4, words);
    for damage in [Folder, DanglingLink, Empty, Huge, Latin1, Nul, Noise, Cut(20), Cut(90)] {
        damage.of(&file);
        refused("[unreadable-web-config]");
        fs::remove_dir(&file).or_else(|_| fs::remove_file(&file)).unwrap();
        fs::write(&file, &good).unwrap();
    }
    for (text, words) in [
        ("<!DOCTYPE x [<!ENTITY a \"b\">]><configuration>&a;</configuration>".to_owned(), "remove that declaration"),
        (format!("<c>{}{}</c>", "<a>".repeat(100_000), "</a>".repeat(100_000)), "nested deeper than 256"),
        (format!("<c {}/>", (0..3000).map(|n| format!("a{n}='' ")).collect::<String>()), "[unreadable-web-config]"),
        (
            "<configuration><appSettings configProtectionProvider='RsaProtectedConfigurationProvider'><EncryptedData/>\
             </appSettings></configuration>"
                .to_owned(),
            "aspnet_regiis -pdf",
        ),
    ] {
        fs::write(&file, text).unwrap();
        refused(words);
    }
    Missing.of(&file);
    place.run("plan plan.toml").ends_with(0).says("[no-web-config]");
    fs::write(&file, &good).unwrap();
    Utf16.of(&file);
    place.run("plan plan.toml").ends_with(0);
    fs::write(&file, &good).unwrap();
    play_small_damage(&place, &file, 60, "plan plan.toml", &[0, 4]);
}

#[test]
fn packages_that_the_plan_names() {
    let place = Place::new();
    fs::write(place.path("plan.toml"), NAMED).unwrap();
    let file = place.on_machine("C/Install/portal.msi");
    let good = fs::read(Place::finished().on_machine(PORTAL_MSI)).unwrap();
    for (damage, words) in [
        (Missing, "[installer-missing]"),
        (Folder, "[installer-unreadable]"),
        (DanglingLink, "[installer-unreadable]"),
        (Empty, "[installer-unreadable]"),
        (Huge, "[installer-unreadable]"),
        (Noise, "[installer-unreadable]"),
        (Cut(30), "[installer-unreadable]"),
        (Cut(80), "[installer-unreadable]"),
    ] {
        fs::write(&file, &good).unwrap();
        damage.of(&file);
        place.refuses(&["plan plan.toml", "run plan.toml --yes"], 4, words);
        fs::remove_dir(&file).or_else(|_| fs::remove_file(&file)).unwrap_or_default();
    }
    fs::write(&file, &good).unwrap();
    place.run("plan plan.toml").ends_with(0);
    play_small_damage(&place, &file, 60, "plan plan.toml", &[0, 4]);
}

#[test]
fn packages_that_windows_keeps_of_old_products() {
    let place = Place::new();
    let kept = place.facts().installed.into_values().find(|product| product.name == "PhoneFactor User Portal").unwrap();
    let file = place.on_machine(&kept.package.as_str().replace("C:\\", "C/").replace('\\', "/"));
    let good = fs::read(&file).unwrap();
    for damage in [Missing, Folder, DanglingLink, Empty, Huge, Noise, Cut(30), Cut(70)] {
        damage.of(&file);
        place.refuses(&["plan plan.toml", "run plan.toml --yes"], 4, "[cannot-uninstall]");
        fs::remove_dir(&file).or_else(|_| fs::remove_file(&file)).unwrap_or_default();
        fs::write(&file, &good).unwrap();
    }
    play_small_damage(&place, &file, 60, "plan plan.toml", &[0, 4]);
}

#[test]
fn packages_that_came_along_with_the_setup() {
    let good = fs::read(Place::finished().on_machine(PORTAL_MSI)).unwrap();
    for damage in [Empty, Noise, Cut(50)] {
        let place = Place::at_the_gate();
        // The setup puts something else at the place of the package.
        let setup = place.on_machine("C/Install/MultiFactorAuthenticationServerSetup.exe");
        let bad = place.on_machine("C/Install/bad.msi");
        fs::write(&bad, &good).unwrap();
        damage.of(&bad);
        let target = PORTAL_MSI.replace("C/", "C:\\").replace('/', "\\");
        let action = format!("\n[[action]]\ndo = \"copy\"\nfrom = 'bad.msi'\nto = '{target}'\n");
        fs::write(&setup, fs::read_to_string(&setup).unwrap() + &action).unwrap();
        // Everything else is done, and the portal waits for a package that can be used.
        place.run("resume --confirm server-setup --ask").ends_with(5);
        place.run("resume").ends_with(5).says("MultiFactorAuthenticationUserPortalSetup64.msi");
        let file = place.on_machine(PORTAL_MSI);
        fs::write(&file, &good).unwrap();
        let back = Place(tempfile::tempdir().unwrap());
        copy(place.0.path(), back.0.path());
        place.run("resume").ends_with(0);
        back.run("rollback").ends_with(0);
    }
}

#[test]
fn journals() {
    let all = ["plan plan.toml", "run plan.toml --yes", "resume", "rollback --yes"];
    for damage in [Missing, Folder, DanglingLink, Empty, Huge, Latin1, Noise, Cut(10), Cut(60)] {
        let place = Place::at_the_gate();
        damage.of(&place.journal());
        if matches!(damage, Cut(60)) && fs::read(place.journal()).unwrap().contains(&b'\n') {
            continue; // Cut behind its first record it only ends earlier.
        }
        place.refuses(&all, 13, "journal.jsonl");
        place.run("resume").ends_with(13).says("next: restore a good copy of the journal");
    }
    // A last record that was cut short is as if it had not been written.
    let place = Place::at_the_gate();
    let whole = fs::read(place.journal()).unwrap();
    fs::write(place.journal(), &whole[..whole.len() - 5]).unwrap();
    place.run("resume").ends_with(0);
    // Any other change is noticed.
    let place = Place::at_the_gate();
    let whole = fs::read(place.journal()).unwrap();
    let mut draw = Draw::of(seed());
    for _ in 0..40 {
        let at = draw.below(whole.len() - 1);
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << draw.below(8);
        fs::write(place.journal(), bytes).unwrap();
        let what = format!("byte {at}; {}", replay("bad_input"));
        place.run("rollback").ends_with_one_of(&[13], &what).tells_once("journal.jsonl");
    }
}

#[test]
fn state_folders() {
    let all = ["plan plan.toml", "run plan.toml --yes", "resume", "rollback --yes"];
    let place = Place::at_the_gate();
    fs::remove_dir_all(place.on_machine(STATE).join("runs")).unwrap();
    fs::write(place.on_machine(STATE).join("runs"), "a file").unwrap();
    place.refuses(&all, 2, r"C:\ProgramData\pfupgrade\runs");
    let place = Place::new();
    fs::write(place.on_machine(STATE), "a file").unwrap();
    place.refuses(&all[1..], 2, r"C:\ProgramData\pfupgrade");
    let place = Place::new();
    fs::create_dir_all(place.on_machine(STATE).join("lock")).unwrap();
    place.refuses(&all[1..], 2, r"C:\ProgramData\pfupgrade\lock");
}

#[test]
fn backups() {
    let place = Place::finished();
    let backups = fs::read_dir(place.on_machine(STATE).join("backups")).unwrap().next().unwrap().unwrap().path();
    for name in ["portal/web.config", "data/PhoneFactor.pfdata", "portal.manifest.json", "registry-key.json"] {
        for damage in [Missing, Folder, DanglingLink, Empty, Huge, Noise, Cut(50)] {
            let file = backups.join(name);
            let good = fs::read(&file).unwrap();
            damage.of(&file);
            place.refuses(&["rollback --yes"], 13, name.rsplit('/').next().unwrap());
            fs::remove_dir(&file).or_else(|_| fs::remove_file(&file)).unwrap_or_default();
            fs::write(&file, good).unwrap();
        }
    }
    // Put back as they were, they serve.
    let restored = backups.join("portal/web.config");
    let manifest = fs::read_to_string(backups.join("portal.manifest.json")).unwrap();
    assert!(manifest.contains("web.config") && restored.exists());
}

#[test]
fn machines_on_which_a_run_cannot_begin() {
    let both = ["plan plan.toml", "run plan.toml --yes"];
    let place = Place::new();
    place.change(|facts| *facts.free_space.entry('C').or_default() = 1000);
    place.refuses(&both, 4, "[no-space]");

    let place = Place::new();
    place.change(|facts| {
        let key = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{00000000-0000-0000-0000-00000000AAAA}";
        facts.registry.set(key, "DisplayName", Value::Text("PhoneFactor User Portal".to_owned()));
        facts.registry.set(key, "DisplayVersion", Value::Text("5.0.0".to_owned()));
    });
    place.refuses(&both, 4, "[no-single-product]");
    place.run("plan plan.toml").says("product-code = ");

    let place = Place::new();
    fs::create_dir_all(place.on_machine("C/inetpub/wwwroot/MultiFactorAuth")).unwrap();
    fs::write(place.on_machine("C/inetpub/wwwroot/MultiFactorAuth/index.htm"), "somebody's").unwrap();
    place.refuses(&both, 4, "[directory-taken]");
}

/// The host refuses to let files grow beyond some size, as a full disk does.
#[cfg(unix)]
#[test]
fn disks_that_are_full() {
    for kilobytes in [1, 8, 24, 32, 40, 48, 64, 80] {
        let place = Place::new();
        let command = format!(
            "trap '' XFSZ; ulimit -f {kilobytes}; exec '{}' run plan.toml --yes --simulate=machine",
            env!("CARGO_BIN_EXE_pfupgrade")
        );
        let output = Command::new("bash").args(["-c", &command]).current_dir(place.0.path()).output().unwrap();
        let run = Run::of(&command, &output).ends_with_one_of(&[0, 1, 2], "full");
        if run.code != 0 {
            assert!(run.err.contains("\nnext: "), "{}", run.whole());
        }
        let old = place.facts().installed.into_values().filter(|product| product.name.starts_with("PhoneFactor"));
        let uninstalled = old.count() < 4;
        assert!(run.code == 0 || uninstalled || place.agent_runs(), "{}", run.whole());
        let back = Place(tempfile::tempdir().unwrap());
        copy(place.0.path(), back.0.path());
        back.run("rollback --yes").ends_with(0);
        assert_eq!(back.facts().installed.len(), 4);
        place.run("run plan.toml --yes").ends_with(0);
    }
}

#[test]
fn installers_that_fail_end_with_1_and_say_how_to_go_on() {
    let trouble = |with: &str, more: &str| format!("\n[[trouble]]\nwith = \"{with}\"\n{more}\n");
    let portal = "MultiFactorAuthenticationUserPortalSetup64.msi";
    for (with, more, code, words) in [
        (portal, "code = 1603", 1, "1603 (ERROR_INSTALL_FAILURE: fatal error)"),
        (portal, "code = 1602", 1, "1602 (ERROR_INSTALL_USEREXIT: it was canceled)"),
        (portal, "code = 1638", 1, "another version is installed"),
        (portal, "code = 1618\ntimes = 99", 1, "retried for 15 min"),
        (portal, "takes = \"90m\"", 1, "PID 4242 is still running"),
        ("PFSvc", "when = \"stop\"\ncode = 1061", 1, "the stopped services have been started again"),
        ("PhoneFactor User Portal", "code = 1612", 1, "the stopped services have been started again"),
    ] {
        let place = Place::new();
        let file = place.on_machine("machine.toml");
        fs::write(&file, fs::read_to_string(&file).unwrap() + &trouble(with, more)).unwrap();
        let run = place.run("run plan.toml --yes").ends_with(code).tells_once(words);
        assert!(run.err.contains("pfupgrade resume --simulate=machine"), "{}", run.whole());
        assert!(run.err.contains("  or: pfupgrade rollback --simulate=machine"), "{}", run.whole());
        assert_eq!(place.agent_runs(), words.contains("services"), "{}", run.whole());
        place.change(|facts| facts.troubles.clear());
        place.run("resume").ends_with(0);
    }
    let place = Place::new();
    let file = place.on_machine("machine.toml");
    let more = "code = 3010\nleaves = ['C:\\inetpub\\wwwroot\\MultiFactorAuth\\bin\\x.dll']";
    fs::write(&file, fs::read_to_string(&file).unwrap() + &trouble("PhoneFactor User Portal", more)).unwrap();
    for command in ["run plan.toml --yes", "resume"] {
        place.run(command).ends_with(REBOOT).says("next: restart Windows, then run: pfupgrade resume");
    }
    place.change(|facts| facts.system.pending_renames.clear());
    place.run("resume").ends_with(0);
}
