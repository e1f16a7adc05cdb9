//! What outlives a run: approved previews, backups that are read again, and files of formats that were released.

use crate::support::{path, put};
use pfupgrade::journal::{Entry, Journal};
use pfupgrade::platform::disk::MemoryDisk;
use pfupgrade::prepare::{Approved, Fingerprint};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const PLAN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/one-server.toml");

/// A demo machine on the host's disk.
struct Server(TempDir);

impl Server {
    fn new() -> Self {
        let server = Self(tempfile::tempdir().unwrap());
        server.ends(&["plan", PLAN, "--quiet"], 0);
        server
    }

    fn upgraded() -> Self {
        let server = Self::new();
        server.ends(&["run", PLAN, "--yes", "--quiet"], 0);
        server
    }

    fn at(&self, file: &str) -> PathBuf {
        self.0.path().join("machine").join(file)
    }

    /// A file beside the machine.
    fn beside(&self, file: &str) -> String {
        self.0.path().join(file).to_str().unwrap().to_owned()
    }

    /// Runs the program; all that it said, where it ended with this code.
    #[track_caller]
    fn ends(&self, arguments: &[&str], code: i32) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
        command.args(arguments).arg(format!("--simulate={}", self.at("").display())).stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}:\n{said}");
        said
    }

    #[track_caller]
    fn says(&self, arguments: &[&str], code: i32, words: &[&str]) {
        let said = self.ends(arguments, code);
        for words in words {
            assert!(said.contains(words), "{arguments:?} does not say `{words}`:\n{said}");
        }
    }

    fn append(&self, file: &str, text: &str) {
        let mut file = fs::OpenOptions::new().append(true).open(self.at(file)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// The folder of the only run.
    fn run(&self) -> PathBuf {
        let runs: Vec<_> = fs::read_dir(self.at("C/ProgramData/pfupgrade/runs")).unwrap().map(Result::unwrap).collect();
        assert_eq!(runs.len(), 1, "there should be one run");
        runs[0].path()
    }
}

const PORTAL_CONFIG: &str = "C/inetpub/wwwroot/PhoneFactor/web.config";
const DATA: &str = "C/Program Files/PhoneFactor/Data/PhoneFactor.pfdata";

#[test]
fn an_approved_preview_is_carried_out_once() {
    let server = Server::new();
    let file = server.beside("approved.json");
    server.says(&["plan", PLAN, "--out", &file], 0, &["Saved the preview to"]);
    server.says(&["plan", PLAN, "--out", &file], 2, &["specify a new file"]);
    server.says(&["run", PLAN, "--approved", &file], 2, &["cannot be used with"]);
    // Data lives.
    server.append(DATA, "another user\n");
    server.ends(&["run", "--approved", &file, "--yes", "--quiet"], 0);
    server.says(&["run", "--approved", &file, "--yes"], 7, &["already been carried out", "next:"]);
    server.ends(&["rollback", "--yes", "--quiet"], 0);
    server.says(&["run", "--approved", &file, "--yes"], 7, &["already been carried out"]);
}

#[test]
fn an_approved_preview_that_was_interrupted_goes_on() {
    let server = Server::new();
    let file = server.beside("approved.json");
    server.ends(&["plan", PLAN, "--quiet", "--out", &file], 0);
    server.ends(&["run", "--approved", &file, "--yes", "--quiet", "--fail-at", "uninstall-server=kill"], 1);
    server.says(&["run", "--approved", &file, "--yes"], 0, &["Continuing run"]);
}

#[test]
fn an_approved_preview_of_a_machine_that_has_changed_is_refused() {
    let server = Server::new();
    let file = server.beside("approved.json");
    server.ends(&["plan", PLAN, "--quiet", "--out", &file], 0);
    let (config, theme) = (server.at(PORTAL_CONFIG), "C/inetpub/wwwroot/PhoneFactor/App_Themes/Contoso/more.css");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("theme=", "buffer=\"true\" theme=")).unwrap();
    fs::write(server.at(theme), "body { }").unwrap();
    server.says(
        &["run", "--approved", &file, "--yes"],
        7,
        &["nothing was changed", r"PhoneFactor\web.config: was SHA-256 ", r"theme C:\inetpub", "next:"],
    );
    assert!(!server.at("C/ProgramData/pfupgrade/runs").exists(), "a refused run leaves nothing behind");
}

#[test]
fn a_saved_preview_that_somebody_has_edited_is_none() {
    let server = Server::new();
    let file = server.beside("approved.json");
    server.ends(&["plan", PLAN, "--quiet", "--out", &file], 0);
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains("hunter2"), "a secret is in the saved preview");
    fs::write(&file, text.replacen("MultiFactorAuth", "MultiFactorAuthX", 1)).unwrap();
    server.says(&["run", "--approved", &file, "--yes"], 2, &["its checksum does not match", "plan --out"]);
    fs::write(&file, "format = 1").unwrap();
    server.says(&["run", "--approved", &file, "--yes"], 2, &["not a saved preview"]);
    server.says(&["run", "--approved", &server.beside("none.json"), "--yes"], 2, &["could not read"]);
}

#[test]
fn a_preview_that_is_refused_is_not_saved() {
    let server = Server::new();
    let file = server.beside("approved.json");
    fs::remove_dir_all(server.at("C/Install")).unwrap();
    server.ends(&["plan", PLAN, "--quiet", "--out", &file], 4);
    assert!(!Path::new(&file).exists());
}

#[test]
fn verify_finds_all_well_after_a_run() {
    let server = Server::new();
    server.says(&["verify"], 2, &["no run to verify"]);
    server.ends(&["run", PLAN, "--yes", "--quiet"], 0);
    server.says(&["verify"], 0, &["backup of C:", "install-portal: ", " checks passed."]);
    let said = server.ends(&["verify", "--json"], 0);
    let document: serde_json::Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert_eq!(document["kind"], "verify");
    assert!(document["checks"].as_array().is_some_and(|checks| checks.len() > 10), "{document}");
}

#[test]
fn verify_asks_the_applications_and_looks_for_what_should_be_gone() {
    let server = Server::upgraded();
    let answer =
        ["passed  the Web Service SDK responds", "the User Portal responds", "passed  the data file is upgraded"];
    server.says(&["verify"], 0, &answer);
    // A closed application does not answer, and one without an application of IIS neither.
    let offline = server.at("C/inetpub/wwwroot/MultiFactorAuth/app_offline.htm");
    fs::write(&offline, "").unwrap();
    server.says(&["verify"], 11, &["FAILED  the User Portal responds", "/MultiFactorAuth/ responds with 503"]);
    fs::remove_file(offline).unwrap();
    let config = server.at("C/inetpub/wwwroot/MultiFactorAuth/web.config");
    let good = fs::read_to_string(&config).unwrap();
    let old = good.replace("/MultiFactorAuthWebServiceSdk/", "/phonefactorwebservicesdk/");
    assert_ne!(old, good);
    fs::write(&config, old).unwrap();
    let told =
        ["FAILED  no URL in the settings of the User Portal contains PhoneFactorWebServiceSdk", "still named in"];
    server.says(&["verify"], 11, &told);
    fs::write(&config, good).unwrap();
    let data = server.at("C/Program Files/PhoneFactor/Data/PhoneFactor.pfdata");
    fs::remove_file(data).unwrap();
    server.says(&["verify"], 11, &["FAILED  the data file is upgraded", "is missing"]);
}

#[test]
fn verify_tells_a_fault_of_the_machine_from_a_damaged_backup() {
    let server = Server::upgraded();
    let facts = fs::read_to_string(server.at("machine.toml")).unwrap();
    fs::write(server.at("machine.toml"), facts.replace("state = \"running\"", "state = \"stopped\"")).unwrap();
    server.says(&["verify"], 11, &["FAILED", "the service MultiFactorAuth is not", "next:"]);
    fs::write(server.at("machine.toml"), facts).unwrap();
    server.ends(&["verify", "--quiet"], 0);

    let id = server.run().file_name().unwrap().to_str().unwrap().to_owned();
    let backup = format!("C/ProgramData/pfupgrade/backups/{id}/portal/web.config");
    server.append(&backup, " ");
    server.says(&["verify"], 13, &["FAILED", "backup of C:\\inetpub\\wwwroot\\PhoneFactor:", "next:"]);
}

#[test]
fn a_rollback_says_that_the_data_has_changed_since() {
    let server = Server::upgraded();
    server.append(DATA, "a user of the new version\n");
    server.says(&["rollback"], 2, &["The data file has changed since the upgrade", "no terminal to ask on"]);
    server.says(&["rollback", "--yes"], 0, &["The data file has changed since the upgrade", "Rolled back"]);
    let other = Server::upgraded();
    let said = other.ends(&["rollback", "--yes"], 0);
    assert!(!said.contains("has changed since"), "{said}");
}

/// Files of the formats that have been released; they never change again.
#[test]
fn files_of_every_released_format_stay_readable() {
    let disk = MemoryDisk::new();
    put(&disk, r"C:\journal.jsonl", include_str!("../samples/journal-1.jsonl"));
    let records = Journal::read(&disk, &path(r"C:\journal.jsonl")).unwrap();
    let Entry::Opened(frozen) = &records[0].entry else { panic!("{:?}", records[0]) };
    assert_eq!((frozen.format, frozen.steps.len()), (1, 25));
    assert!(matches!(records.last().unwrap().entry, Entry::RolledBack { .. }));

    let approved = Approved::read(include_str!("../samples/approved-1.json")).unwrap();
    assert_eq!(approved.plan, frozen.plan);
    let name = r"file C:\inetpub\wwwroot\PhoneFactor\web.config";
    assert!(Fingerprint::get(&approved.fingerprint, name).is_some_and(|sum| sum.len() == 64));
}

/// Three files as a vendor and an administrator leave them.
fn three(server: &Server) -> [String; 3] {
    let of = |mode: &str, timeout: &str, extra: &str| {
        format!(
            "<configuration>\n  <appSettings>\n    <add key=\"PASSWORD\" value=\"{extra}\" />\n  </appSettings>\n  \
             <system.web>\n    <trace mode=\"{mode}\" />\n    <session timeout=\"{timeout}\" />\n  </system.web>\n\
             </configuration>\n"
        )
    };
    [("old", of("a", "40", "s3cret")), ("new", of("a", "30", "")), ("shipped", of("a", "20", ""))].map(
        |(name, text)| {
            let path = server.beside(&format!("{name}.config"));
            fs::write(&path, text).unwrap();
            path
        },
    )
}

#[test]
fn two_files_are_merged_on_their_own() {
    let server = Server(tempfile::tempdir().unwrap());
    let [old, new, base] = three(&server);
    let output = server.beside("merged.config");
    let merge = |more: &[&str], code: i32| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
        command.args(["merge", &old, &new, "--base", &base]).args(more).stdin(Stdio::null());
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        assert_eq!(ended.status.code(), Some(code), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
        said
    };
    let said = merge(&["--output", &output], 8);
    assert!(said.contains("system.web/session/@timeout") && said.contains("nothing was written"), "{said}");
    assert!(!Path::new(&output).exists());
    let said = merge(&["--json"], 8);
    let document: serde_json::Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert_eq!((document["kind"].as_str(), document["exit_code"].as_i64()), (Some("merge"), Some(8)));
    merge(&["--on-conflict", "keep-old"], 0);
    assert!(!Path::new(&output).exists());
    merge(&["--on-conflict", "keep-old", "--output", &output], 0);
    assert_eq!(fs::read_to_string(&output).unwrap(), fs::read_to_string(&old).unwrap());
    fs::write(&old, "no configuration").unwrap();
    assert!(merge(&[], 2).contains("old.config"));
}

#[test]
fn a_conflict_that_nobody_has_decided_refuses_a_run() {
    let server = Server::new();
    // The setup brings the package along; here it lies there before.
    let package = "MultiFactorAuthenticationUserPortalSetup64.msi";
    let donor = Server::upgraded();
    let brought = donor.at(&format!("C/Program Files/PhoneFactor/{package}"));
    fs::copy(brought, server.at(&format!("C/Install/{package}"))).unwrap();
    let config = server.at(PORTAL_CONFIG);
    // The new version brings this attribute too, with another value.
    let text = fs::read_to_string(&config).unwrap();
    let changed = text.replacen("validateRequest=", "controlRenderingCompatibilityVersion=\"3.5\" validateRequest=", 1);
    assert_ne!(changed, text);
    fs::write(&config, changed).unwrap();
    let plan = |on_conflict: &str| {
        let path = server.beside(&format!("{on_conflict}.toml"));
        let package = format!(r"installer = 'C:\Install\{package}'");
        let text = "format = 1\n[server]\ninstaller = 'C:\\Install\\MultiFactorAuthenticationServerSetup.exe'\n";
        fs::write(&path, format!("{text}[portal]\n{package}\n[merge]\non-conflict = \"{on_conflict}\"\n")).unwrap();
        path
    };
    let place = "system.web/pages/@controlRenderingCompatibilityVersion";
    server.says(&["plan", &plan("stop")], 8, &["merge-conflict", place, "on-conflict"]);
    server.says(&["run", &plan("stop"), "--yes"], 8, &["merge-conflict", "nothing was changed"]);
    assert!(!server.at("C/ProgramData/pfupgrade/runs").exists());
    let merged = server.at("C/inetpub/wwwroot/MultiFactorAuth/web.config");
    for (on_conflict, value) in [("keep-new", "4.0"), ("keep-old", "3.5")] {
        server.ends(&["run", &plan(on_conflict), "--yes", "--quiet"], 0);
        let text = fs::read_to_string(&merged).unwrap();
        assert!(text.contains(&format!("controlRenderingCompatibilityVersion=\"{value}\"")), "{on_conflict}: {text}");
        server.ends(&["rollback", "--yes", "--quiet"], 0);
    }
    let decided = |path: &str| {
        let file = plan("stop");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{text}[[merge.decision]]\npath = \"{path}\"\ntake = \"old\"\n")).unwrap();
        file
    };
    server.says(&["plan", &decided("system.web/pages/@theme")], 8, &["merge-conflict", "[[merge.decision]]"]);
    server.ends(&["run", &decided(place), "--yes", "--quiet"], 0);
    assert!(fs::read_to_string(&merged).unwrap().contains("controlRenderingCompatibilityVersion=\"3.5\""));
}
