//! What people look at, as it looks: 100 columns and 60, byte for byte as in `tests/expected`.

use crate::support::steady::steady;
use crate::support::*;

use pfupgrade::engine::{Event, Watcher};
use pfupgrade::finding::Finding;
use pfupgrade::platform::disk::MemoryDisk;
use pfupgrade::platform::simulated::demo;
use pfupgrade::prepare::prepare;
use pfupgrade::prepare::{ComponentPreview, GatePreview, Preview, StepPreview};
use pfupgrade::report::summary::{GateSummary, StepSummary, Summary};
use pfupgrade::report::text::{self, columns, preview, summary};
use pfupgrade::step::{Certainty, FollowUp, MergePreview};
use pfupgrade::webconfig::{Change, DiffLine, Fate, LineKind, Shown};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Compares with a file of `tests/expected`, or writes it anew where that is wanted.
#[track_caller]
fn looks_like(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected").join(file);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        return fs::write(path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let diff = similar::TextDiff::from_lines(expected.as_str(), text).unified_diff().context_radius(2).to_string();
    assert!(
        expected == text,
        "tests/expected/{file} looks different now:\n{diff}\n\
         If that is right, run `UPDATE_EXPECTED=1 cargo test look::` and read `git diff tests/expected`.",
    );
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// The preview of a demo machine.
fn demo_preview(name: &str) -> Preview {
    let disk = MemoryDisk::new();
    let machine = demo::build(name, Arc::new(disk), clock()).unwrap();
    let mut preview =
        prepare(&machine, &*clock(), &plan("one-server"), &path(r"C:\ProgramData\pfupgrade")).unwrap().preview;
    preview.simulated = true;
    preview
}

fn step(id: &str, title: &str, outage: bool) -> StepPreview {
    StepPreview {
        id: id.to_owned(),
        title: title.to_owned(),
        reason: "because the article has it so".to_owned(),
        certainty: Certainty::Exact,
        outage,
        touches: Vec::new(),
        bytes: None,
        gate: None,
        no_return: false,
        merge: None,
        notes: Vec::new(),
    }
}

fn merged() -> MergePreview {
    let plain = |text: &str| Shown::Plain(text.to_owned());
    let change = |path: &str, old, new, result, fate| Change { path: path.to_owned(), old, new, result, fate };
    let line = |kind, text: &str| DiffLine { kind, text: text.to_owned() };
    MergePreview {
        estimate: false,
        file: r"C:\inetpub\wwwroot\MultiFactorAuth\web.config".to_owned(),
        changes: vec![
            change("appSettings/SSL_REQUIRED", plain("false"), Shown::Absent, plain("false"), Fate::Added),
            change("appSettings/PASSWORD", Shown::Masked, Shown::Masked, Shown::Masked, Fate::Carried),
            change(
                "system.web/pages/@theme",
                plain("Contoso"),
                plain("Default"),
                plain("Default"),
                Fate::Reported { why: "the plan leaves themes alone".to_owned() },
            ),
        ],
        diff: vec![
            line(LineKind::Gap, ""),
            line(LineKind::Context, "  <appSettings>"),
            line(LineKind::Added, r#"    <add key="SSL_REQUIRED" value="false" /><!-- behind the load balancer -->"#),
        ],
    }
}

fn sample() -> Preview {
    let mut backup = step("back-up-portal", "Back up the User Portal", false);
    backup.touches =
        vec![r"back up C:\inetpub\wwwroot\PhoneFactor to C:\ProgramData\pfupgrade\backups\1\portal".to_owned()];
    backup.bytes = Some(3_650_722_202);
    backup.notes = vec!["Customized page not migrated (kept in the backup): login.aspx".to_owned()];
    let mut uninstall = step("uninstall-portal", "Uninstall PhoneFactor User Portal 5.2.5", true);
    uninstall.no_return = true;
    let mut configure = step("configure-portal", "Migrate the settings of the User Portal and open it to users", true);
    configure.certainty = Certainty::Estimated;
    configure.merge = Some(merged());
    let mut tell = step("portal-url", "Change the User Portal URL in the MFA Server console", true);
    tell.gate = Some(GatePreview {
        id: "portal-url".to_owned(),
        title: "Change the User Portal URL".to_owned(),
        instructions: vec![
            "Open the console.".to_owned(),
            "Set it to https://mfa.contoso.com/MultiFactorAuth".to_owned(),
        ],
        skipped: None,
    });
    let pending = Finding::refuse_unless_allowed("pending-reboot", "Windows is waiting for a restart")
        .evidence([r"rename of C:\inetpub\wwwroot\PhoneFactor\bin\pfup.dll"])
        .advice("restart Windows first");
    Preview {
        format: 1,
        kind: "preview",
        machine: "MFA01".to_owned(),
        windows: "Windows Server 2012 R2 (6.3.9600)".to_owned(),
        plan: Some("One server".to_owned()),
        simulated: true,
        unfinished_run: None,
        components: vec![
            ComponentPreview {
                id: "server".to_owned(),
                title: "server".to_owned(),
                found: None,
                location: None,
                fate: "not installed: nothing to do".to_owned(),
            },
            ComponentPreview {
                id: "portal".to_owned(),
                title: "User Portal".to_owned(),
                found: Some("PhoneFactor User Portal 5.2.5".to_owned()),
                location: Some("Default Web Site/PhoneFactor".to_owned()),
                fate: "upgraded, as Default Web Site/MultiFactorAuth".to_owned(),
            },
        ],
        findings: vec![
            Finding { allowed: true, ..pending },
            Finding::warn("service-retired", "Microsoft has retired the cloud service"),
        ],
        steps: vec![backup, uninstall, configure, tell],
        no_return: vec!["Windows keeps no copy of the package of PhoneFactor User Portal 5.2.5".to_owned()],
        backup: r"C:\ProgramData\pfupgrade\backups\1".to_owned(),
        backup_free: Some(60 << 30),
    }
}

/// The same, blocked.
fn blocked() -> Preview {
    let mut preview = sample();
    let file = r"C:\Program Files\PhoneFactor\Data\PhoneFactor.pfdata";
    preview.findings[0].allowed = false;
    preview
        .findings
        .insert(0, Finding::refuse("no-data", "the agent's data file is empty").evidence([file]).advice("restore it"));
    preview
}

/// What to do comes last, and there are no steps.
#[test]
fn a_blocked_preview() {
    for width in [60, 100] {
        looks_like(&format!("preview-blocked-{width}.txt"), &plain(&preview(&blocked(), width)));
    }
}

/// An allowance, a point of no return and a hand-made change: what the demo machine has not.
#[test]
fn a_preview_of_trouble() {
    for width in [60, 100] {
        looks_like(&format!("preview-trouble-{width}.txt"), &plain(&preview(&sample(), width)));
    }
}

#[test]
fn the_preview_of_every_demo_machine() {
    for name in demo::NAMES {
        let shown = demo_preview(name);
        for width in [60, 100] {
            looks_like(&format!("preview-{name}-{width}.txt"), &plain(&preview(&shown, width)));
        }
    }
}

#[test]
fn no_word_is_broken_no_line_ends_in_blanks_and_only_single_words_stand_over() {
    let words = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with("----"));
        lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
    };
    for shown in [sample(), blocked(), demo_preview("one-server")] {
        let whole = words(&plain(&preview(&shown, 1000)));
        for width in (40..=120).step_by(5) {
            let text = plain(&preview(&shown, width));
            assert_eq!(words(&text), whole, "at {width} columns");
            for line in text.lines() {
                assert_eq!(line, line.trim_end(), "at {width} columns");
                let word = line.trim_start_matches([' ', '+', '-']);
                let stands_over = !word.contains(' ') || word.contains('\\') || line.starts_with("----");
                assert!(columns(line) <= width || stands_over, "at {width} columns: {line}");
            }
        }
    }
}

/// Nothing is said by colour alone: that is what the tests above see to. With colour, not a character more is there.
#[test]
fn colour_adds_nothing_but_colour() {
    let styled = preview(&sample(), 100);
    assert!(styled.contains('\u{1b}'));
    assert!(!plain(&styled).contains('\u{1b}'));
    for line in styled.lines() {
        let (_, last) = line.rsplit_once('\u{1b}').unwrap_or(("", "[0m"));
        assert!(last.starts_with("[0m"), "a colour runs on: {line:?}");
    }
}

#[test]
fn nothing_to_do_is_said() {
    let nothing = Preview { steps: Vec::new(), findings: Vec::new(), no_return: Vec::new(), ..sample() };
    let text = plain(&preview(&nothing, 100));
    assert!(text.ends_with("\nThere is nothing to do. Nothing was changed.\n"), "{text}");
    assert!(!text.contains("backups"), "{text}");
}

#[test]
fn a_summary() {
    let done = |title: &str, how: &str| StepSummary { id: String::new(), title: title.to_owned(), how: how.to_owned() };
    let run = Summary {
        run: "20160301-200000".to_owned(),
        machine: "MFA01".to_owned(),
        steps: vec![
            done("Back up the PhoneFactor Agent", "done"),
            done("Activate the server", "skipped: done beforehand"),
        ],
        gates: vec![GateSummary {
            id: "portal-url".to_owned(),
            by: "operator".to_owned(),
            text: "portal-url confirmed by FABRIKAM\\admin at 22:41 UTC".to_owned(),
        }],
        by_hand: vec![FollowUp { title: "Tell the users".to_owned(), lines: vec!["the new address".to_owned()] }],
        outage_ms: Some(1_625_400),
        backup: r"C:\backups\1".to_owned(),
        web_server_backup: Some("pfupgrade-1".to_owned()),
        journal: r"C:\runs\1\journal.jsonl".to_owned(),
    };
    let expected = r"Run 20160301-200000 on MFA01 is finished.
The outage lasted 27 min 05 s.

What was done: 1 step
  - Back up the PhoneFactor Agent
  - Activate the server (skipped: done beforehand)

Manual steps
  - portal-url confirmed by FABRIKAM\admin at 22:41 UTC

Left to do by hand
  - Tell the users
      the new address

Files
  backups   C:\backups\1
  IIS       configuration backup pfupgrade-1, with all sites
  journal   C:\runs\1\journal.jsonl
  roll back pfupgrade rollback
";
    assert_eq!(plain(&summary(&run, "pfupgrade rollback", 60)), expected);
}

#[test]
fn sizes_and_times_read_as_people_say_them() {
    let sizes = [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (1_048_575, "1.0 MiB"),
        (3_650_722_202, "3.4 GiB"),
        (u64::MAX, "16384.0 PiB"),
    ];
    for (number, expected) in sizes {
        assert_eq!(text::bytes(number), expected, "{number}");
    }
    for (seconds, expected) in
        [(0, "0 s"), (59, "59 s"), (60, "1 min 00 s"), (3599, "59 min 59 s"), (7380, "2 h 03 min")]
    {
        assert_eq!(text::elapsed(Duration::from_secs(seconds)), expected);
    }
    assert_eq!(text::cut("as it is", 8), "as it is");
    assert_eq!(text::cut("no room for it", 10), "no room...");
    assert_eq!(text::cut("\u{6771}\u{4eac}\u{6771}\u{4eac}", 7), "\u{6771}\u{4eac}...");
}

/// What a run, a gate, a stop there and a rollback say where there is no terminal: plain lines, as a log keeps them.
#[test]
fn plain_lines_where_there_is_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/one-server.toml");
    fs::copy(plan, folder.path().join("pfupgrade.toml")).unwrap();
    let mut all = String::new();
    for arguments in [
        "plan --simulate=machine --quiet",
        "run --yes --ask --simulate=machine",
        "resume --confirm server-setup --simulate=machine",
        "rollback --yes --simulate=machine",
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
        command.args(arguments.split(' ')).current_dir(folder.path()).stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains(['\r', '\u{1b}']), "{said:?}");
        // The preview is looked at above; what it ends with is the first line that is not of it.
        let said = said.split_once("Nothing was changed.\n").map_or(said.as_str(), |(_, said)| said);
        all += &format!("$ pfupgrade {arguments}\n{said}(ends with {})\n\n", output.status.code().unwrap());
    }
    let runs = folder.path().join("machine/C/ProgramData/pfupgrade/runs");
    let id = fs::read_dir(runs).unwrap().next().unwrap().unwrap().file_name();
    looks_like("said.txt", &steady(&all.replace(&*id.to_string_lossy(), "<run>")));
}

/// What every other command prints, on both channels, where there is no terminal.
#[test]
fn screens() {
    let folder = tempfile::tempdir().unwrap();
    let house = |file: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(file).display().to_string();
    let mut all = String::new();
    for (arguments, code) in [
        ("init --simulate=m", 0),
        ("init --simulate=m", 2),
        ("status --simulate=m", 2),
        ("run --yes --ask --quiet --ticket CHG0012345 --simulate=m", 5),
        ("status --simulate=m", 0),
        ("verify --simulate=m", 11),
        ("plan --simulate=m", 4),
        ("init other.toml --simulate=m", 4),
        ("resume --confirm server-setup --quiet --fail-at configure-portal=error --simulate=m", 1),
        ("status --simulate=m", 0),
        ("resume --quiet --simulate=m", 0),
        ("status --simulate=m", 0),
        ("verify --simulate=m", 0),
        ("run --yes --simulate=m", 0),
        ("status --all --simulate=m", 0),
        ("capture copy --without-packages --simulate=m", 0),
        ("rollback --yes --quiet --simulate=m", 0),
        ("status --simulate=m", 0),
        ("inspect <house>/tests/packages/features.msi", 0),
    ] {
        let file = folder.path().join("printed");
        let printed = fs::File::create(&file).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
        command.args(arguments.split(' ').map(|argument| argument.replace("<house>", &house(""))));
        command.current_dir(folder.path()).stdin(Stdio::null());
        let status = command.stdout(printed.try_clone().unwrap()).stderr(printed).status().unwrap();
        let printed = fs::read_to_string(&file).unwrap();
        assert_eq!(status.code(), Some(code), "{arguments}\n{printed}");
        assert!(!printed.contains(['\r', '\u{1b}']), "{printed:?}");
        all += &format!("$ pfupgrade {arguments}\n{printed}\n");
    }
    looks_like("screens.txt", &steady(&all.replace(&house(""), "<house>/")));
}

/// What a rollback tells while it works.
#[derive(Default)]
struct Told {
    bytes: Vec<(u64, Option<u64>)>,
    actions: Vec<String>,
}

impl Watcher for Told {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Bytes { done, total } => self.bytes.push((*done, *total)),
            Event::Action { text } => self.actions.push(text.clone()),
            _ => {}
        }
    }
}

#[test]
fn a_rollback_tells_how_far_it_is_as_a_run_does() {
    let disk = one_server();
    crate::support::run(&disk, &plan("one-server")).unwrap();
    let (machine, clock) = (boot(&disk), clock());
    let engine = engine(&machine, &clock);
    let found = engine.last_run().unwrap().unwrap();
    let mut told = Told::default();
    engine.rollback(&found, &mut told).unwrap();
    assert!(told.bytes.iter().any(|(done, total)| *total == Some(*done)), "{:?}", told.bytes);
    assert!(told.actions.iter().any(|action| action == "Removing files"), "{:?}", told.actions);
}
