//! Bad input of every kind, given to the real program: one error that names the file and says what to do next, the
//! documented exit code, and a machine on which nothing has changed.
//!
//! Single changed bytes and cuts are drawn by a seed, which a failure names: `PFUPGRADE_SEED=... cargo test --test
//! bad_input`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

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

const PLAN: &str = include_str!("../plans/one-server.toml");
const NAMED: &str = "format = 1\n[server]\ninstaller = 'C:\\Install\\MultiFactorAuthenticationServerSetup.exe'\n\
    [portal]\ninstaller = 'C:\\Install\\portal.msi'\nsigned-by = false\n";
const PORTAL_MSI: &str = "C/Program Files/PhoneFactor/MultiFactorAuthenticationUserPortalSetup64.msi";
const WEB_CONFIG: &str = "C/inetpub/wwwroot/PhoneFactor/web.config";
const STATE: &str = "C/ProgramData/pfupgrade";
const GIB: u64 = 1 << 30;
/// 3010 on a host with one-byte codes.
const REBOOT: i32 = if cfg!(windows) { 3010 } else { 3010 % 256 };

/// A folder of its own with a plan and a machine.
struct Place(TempDir);

/// What a command came to.
struct Run {
    words: String,
    code: i32,
    out: String,
    err: String,
}

/// A folder that was made once: the demo machine, or one with a run that waits at the gate of the server's setup.
fn once(made: &'static OnceLock<TempDir>, commands: &[&str]) -> &'static Path {
    let place = made.get_or_init(|| {
        let place = Place(tempfile::tempdir().unwrap());
        fs::write(place.path("plan.toml"), PLAN).unwrap();
        for command in commands {
            place.run(command);
        }
        place.0
    });
    place.path()
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().map(Result::unwrap) {
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        match entry.file_type().is_dir() {
            true => fs::create_dir_all(target).unwrap(),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

impl Place {
    /// The demo machine, with the plan for it.
    fn new() -> Self {
        static MADE: OnceLock<TempDir> = OnceLock::new();
        let place = Self(tempfile::tempdir().unwrap());
        copy(once(&MADE, &["plan plan.toml --quiet"]), place.0.path());
        place
    }

    /// A machine whose old products are uninstalled and whose run waits for somebody to run the server's setup.
    fn at_the_gate() -> Self {
        static MADE: OnceLock<TempDir> = OnceLock::new();
        let place = Self(tempfile::tempdir().unwrap());
        copy(once(&MADE, &["run plan.toml --yes --ask --quiet"]), place.0.path());
        place
    }

    /// A machine whose run is finished.
    fn finished() -> Self {
        static MADE: OnceLock<TempDir> = OnceLock::new();
        let place = Self(tempfile::tempdir().unwrap());
        copy(once(&MADE, &["run plan.toml --yes --quiet"]), place.0.path());
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file or folder of the machine.
    fn on_machine(&self, name: &str) -> PathBuf {
        self.path("machine").join(name)
    }

    fn journal(&self) -> PathBuf {
        let run = fs::read_dir(self.on_machine(STATE).join("runs")).unwrap().next().unwrap().unwrap();
        run.path().join("journal.jsonl")
    }

    /// Runs the program here, on the machine here. Nobody sits at its terminal.
    fn run(&self, words: &str) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
        command.args(words.split_whitespace()).arg("--simulate=machine");
        Run::of(words, &command.current_dir(self.0.path()).stdin(Stdio::null()).output().unwrap())
    }

    fn change(&self, change: impl FnOnce(&mut MachineFacts)) {
        let file = self.on_machine("machine.toml");
        let mut facts = MachineFacts::from_text(&fs::read_to_string(&file).unwrap()).unwrap();
        change(&mut facts);
        fs::write(file, facts.to_text().unwrap()).unwrap();
    }

    fn facts(&self) -> MachineFacts {
        MachineFacts::from_text(&fs::read_to_string(self.on_machine("machine.toml")).unwrap()).unwrap()
    }

    fn agent_runs(&self) -> bool {
        let facts = self.facts();
        facts.service("PFSvc").is_some_and(|service| service.state == ServiceState::Running)
    }

    /// Every file of the machine with its content, as far as it is small; the lock may come, and the event log grow.
    fn files(&self) -> BTreeMap<PathBuf, (u64, Vec<u8>)> {
        let entries = walkdir::WalkDir::new(self.path("machine")).into_iter().map(Result::unwrap);
        let grows = |name: &OsStr| name == "lock" || name == "event-log.txt";
        let files = entries.filter(|entry| !entry.file_type().is_dir() && !grows(entry.file_name()));
        let content = |path: &Path| {
            let len = path.symlink_metadata().unwrap().len();
            let small = len < GIB && !path.is_symlink();
            (len, if small { fs::read(path).unwrap() } else { Vec::new() })
        };
        files.map(|entry| (entry.path().to_owned(), content(entry.path()))).collect()
    }

    /// Each command ends with the code, with one error that names the file and says what to do; nothing changes.
    #[track_caller]
    fn refuses(&self, commands: &[&str], code: i32, names: &str) {
        let before = self.files();
        for command in commands {
            self.run(command).ends_with(code).tells_once(names);
            let run = self.run(&format!("{command} --json")).ends_with(code);
            let documents: Vec<serde_json::Value> =
                run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let errors: Vec<_> = documents.iter().filter(|document| document["kind"] == "error").collect();
            // A preview with findings is no error but an answer.
            if code != 4 || !command.starts_with("plan") {
                assert_eq!(errors.len(), 1, "{command}: {}", run.out);
                assert_eq!(errors[0]["exit_code"], code);
                assert_ne!(errors[0]["next"], "", "{command}: {}", run.out);
            }
        }
        assert!(before == self.files(), "{commands:?} changed the machine");
    }
}

impl Run {
    fn of(words: &str, output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let code = output.status.code().unwrap_or(-1);
        let run = Self { words: words.to_owned(), code, out, err };
        for word in ["panicked", "RUST_BACKTRACE", "Err(", "Error {", "Some(", "unwrap"] {
            assert!(!run.err.contains(word) && !run.out.contains(word), "{word}: {}", run.whole());
        }
        run
    }

    fn whole(&self) -> String {
        format!("pfupgrade {}\ncode {}\nstdout:\n{}\nstderr:\n{}", self.words, self.code, self.out, self.err)
    }

    #[track_caller]
    fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.whole());
        self
    }

    #[track_caller]
    fn ends_with_one_of(self, codes: &[i32], what: &str) -> Self {
        assert!(codes.contains(&self.code), "{what}: {}", self.whole());
        self
    }

    #[track_caller]
    fn says(self, words: &str) -> Self {
        let all = format!("{} {}", self.out, self.err).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(all.contains(words), "not said: {words}\n{}", self.whole());
        self
    }

    /// One error with its next step; the errors inside a plan are shown before it, and findings stand in the preview.
    #[track_caller]
    fn tells_once(self, names: &str) -> Self {
        let all = format!("{}{}", self.out, self.err);
        let joined = all.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(joined.contains(names), "not named: {names}\n{}", self.whole());
        if self.words.starts_with("plan") && self.code == 4 {
            assert!(all.contains("advice:"), "{}", self.whole());
            return self;
        }
        let excerpts = self.err.lines().filter(|line| line.trim_start().starts_with("--> ")).count();
        let errors = self.err.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors - excerpts.min(errors - 1), 1, "{}", self.whole());
        assert_eq!(self.err.matches("\nnext: ").count(), 1, "{}", self.whole());
        self
    }
}

/// What is done to a file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Missing,
    Folder,
    DanglingLink,
    Empty,
    Huge,
    Latin1,
    Utf16,
    Nul,
    Noise,
    Cut(usize),
}

use Damage::*;

impl Damage {
    fn of(self, file: &Path) {
        let good = fs::read(file).unwrap_or_default();
        match file.symlink_metadata() {
            Ok(there) if there.is_dir() => fs::remove_dir_all(file).unwrap(),
            Ok(_) => fs::remove_file(file).unwrap(),
            Err(_) => {}
        }
        let content = match self {
            Missing => return,
            Folder => return fs::create_dir(file).unwrap(),
            DanglingLink => return link(file),
            Huge => return File::create(file).unwrap().set_len(10 * GIB).unwrap(),
            Empty => Vec::new(),
            Latin1 => [&good[..], b"\n# Gr\xfc\xdfe\n"].concat(),
            Utf16 => {
                let text = String::from_utf8_lossy(&good).into_owned();
                [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
            }
            Nul => [&good[..], b"\n\0\n"].concat(),
            Noise => {
                let mut draw = Draw(7);
                (0..50_000).map(|_| draw.below(256) as u8).collect()
            }
            Cut(percent) => good[..good.len() * percent / 100].to_vec(),
        };
        fs::write(file, content).unwrap();
    }
}

#[cfg(unix)]
fn link(file: &Path) {
    std::os::unix::fs::symlink("nowhere", file).unwrap();
}

/// Links need a privilege there.
#[cfg(not(unix))]
fn link(_: &Path) {}

/// Numbers that follow from a seed (xorshift).
struct Draw(u64);

impl Draw {
    /// A seed of the day, or the one that is to be played again.
    fn seeded() -> (u64, Self) {
        let today = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() / 86_400;
        let seed = std::env::var("PFUPGRADE_SEED").map_or_else(|_| today(), |seed| seed.parse().unwrap());
        (seed, Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1))
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// Plays cuts and single changed bytes of a file; each must end with one of the codes, and without a panic.
fn play_small_damage(place: &Place, file: &Path, times: usize, command: &str, codes: &[i32]) {
    let good = fs::read(file).unwrap();
    let (seed, mut draw) = Draw::seeded();
    for _ in 0..times {
        let mut bytes = good.clone();
        let at = draw.below(bytes.len());
        let what = match draw.below(3) {
            0 => {
                bytes.truncate(at);
                format!("cut at {at}")
            }
            _ => {
                bytes[at] ^= 1 << draw.below(8);
                format!("byte {at} is {}", bytes[at])
            }
        };
        fs::write(file, bytes).unwrap();
        let what = format!("{}: {what}; PFUPGRADE_SEED={seed} cargo test --test bad_input", file.display());
        let run = place.run(command).ends_with_one_of(codes, &what);
        if run.code == 2 || run.code == 13 {
            run.tells_once("");
        }
    }
    fs::write(file, good).unwrap();
}

#[test]
fn plans() {
    let place = Place::new();
    let plan = place.path("plan.toml");
    for (damage, words) in [
        (Missing, "could not read the plan plan.toml"),
        (Folder, "could not read the plan plan.toml"),
        (DanglingLink, "could not read the plan plan.toml"),
        (Empty, "hint: begin the file with `format = 1`"),
        (Huge, "more than 1048576 bytes"),
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
        (Folder, "machine.toml is no regular file"),
        (DanglingLink, "machine.toml is a link"),
        (Empty, "missing field `format`"),
        (Huge, "it is larger than"),
        (Latin1, "is not UTF-8"),
        (Utf16, "the file is UTF-16; save it as UTF-8"),
        (Noise, "machine.toml"),
        (Cut(50), "machine.toml"),
        (Cut(65), "machine.toml"),
    ] {
        damage.of(&file);
        place.refuses(&all, 2, words);
        fs::remove_dir(&file).or_else(|_| fs::remove_file(&file)).unwrap();
        fs::write(&file, &good).unwrap();
    }
    let text = String::from_utf8(good).unwrap();
    fs::write(&file, text.replace("elevated = true", "elevated = maybe")).unwrap();
    place.refuses(&all, 2, "| elevated = maybe");
    fs::write(&file, text.replace("format = 1", "format = 2")).unwrap();
    place.refuses(&all, 2, "it has format 2, and this program knows format 1");
    fs::write(&file, format!("\u{feff}{text}")).unwrap();
    place.run("plan plan.toml").ends_with(0);
    Missing.of(&file);
    place.refuses(&all[..2], 2, "holds files but no simulated machine");
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
        place.refuses(&["plan plan.toml", "run plan.toml --yes"], 4, "[no-way-back]");
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
        place.run("resume").ends_with(13).says("next: put a good copy of the journal back");
    }
    // A last record that was cut short is as if it had not been written.
    let place = Place::at_the_gate();
    let whole = fs::read(place.journal()).unwrap();
    fs::write(place.journal(), &whole[..whole.len() - 5]).unwrap();
    place.run("resume").ends_with(0);
    // Any other change is noticed.
    let place = Place::at_the_gate();
    let whole = fs::read(place.journal()).unwrap();
    let (seed, mut draw) = Draw::seeded();
    for _ in 0..40 {
        let at = draw.below(whole.len() - 1);
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << draw.below(8);
        fs::write(place.journal(), bytes).unwrap();
        let what = format!("byte {at}; PFUPGRADE_SEED={seed} cargo test --test bad_input");
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
        let uninstalled = place.facts().installed.len() < 4;
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
        (portal, "code = 1602", 1, "1602 (ERROR_INSTALL_USEREXIT: it was cancelled)"),
        (portal, "code = 1638", 1, "another version is installed"),
        (portal, "code = 1618\ntimes = 99", 1, "tried again for 15 min"),
        (portal, "takes = \"90m\"", 1, "process 4242 still runs"),
        ("PFSvc", "when = \"stop\"\ncode = 1061", 1, "the services that ran have been started again"),
        ("PhoneFactor User Portal", "code = 1612", 1, "the services that ran have been started again"),
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
        place.run(command).ends_with(REBOOT).says("next: restart Windows, then pfupgrade resume");
    }
    place.change(|facts| facts.system.pending_renames.clear());
    place.run("resume").ends_with(0);
}
