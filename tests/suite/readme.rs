//! The README says what is so: its commands run, its output is the program's, its tables are those of the code.

use crate::support::steady::steady;

use pfupgrade::finding::{FINDINGS, Level};
use pfupgrade::plan::{KEYS, KeyDoc};
use pfupgrade::platform::own::Notice;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const HOUSE: &str = env!("CARGO_MANIFEST_DIR");
const README: &str = include_str!("../../README.md");
const OWN: &str = include_str!("../../src/platform/own.rs");
const NOTICES: [Notice; 9] = [
    Notice::Begun,
    Notice::GoesOn,
    Notice::Done,
    Notice::Restart,
    Notice::Gate,
    Notice::Stopped,
    Notice::Failed,
    Notice::GoesBack,
    Notice::RolledBack,
];
const EXIT: &str = include_str!("../../src/exit.rs");

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("\n```{language}\n");
    README.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

/// The part below a heading, up to the next one of any level.
fn below(heading: &str) -> &'static str {
    let (_, rest) = README.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no heading `{heading}`"));
    rest.split("\n#").next().unwrap()
}

/// The rows of the first table below a heading, without its head. No cell holds a bar.
fn table(heading: &str) -> Vec<Vec<String>> {
    let lines = below(heading).lines().skip_while(|line| !line.starts_with('|'));
    let rows = lines.take_while(|line| line.starts_with('|')).skip(2);
    let cell = |cell: &str| cell.trim().trim_matches('`').to_owned();
    rows.map(|row| row.trim_matches('|').split('|').map(cell).collect()).collect()
}

/// Runs the program in a folder. Nobody sits at its terminal.
fn pfupgrade<'a>(folder: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
    command.args(arguments).current_dir(folder).env("TMPDIR", folder).env("TMP", folder).stdin(Stdio::null());
    command.output().unwrap()
}

/// A folder with the plans of this house and those that the README has one write.
fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("plans")).unwrap();
    for plan in fs::read_dir(Path::new(HOUSE).join("plans")).unwrap().map(Result::unwrap) {
        fs::copy(plan.path(), place.path().join("plans").join(plan.file_name())).unwrap();
    }
    for block in blocks("toml") {
        if let Some(name) = block.lines().next().and_then(|line| line.strip_prefix("# ")) {
            fs::write(place.path().join(name), block).unwrap();
        }
    }
    place
}

/// Holds what was printed to what is shown of it, part by part where `[...]` marks what is left out.
#[track_caller]
fn is_shown(shown: &str, printed: &str, separator: char) {
    let mut rest = format!("{separator}{}{separator}", steady(printed).trim_matches(separator));
    let (begins_late, ends_early) = (shown.starts_with("[...]"), shown.ends_with("[...]"));
    let shown = steady(shown);
    let parts = shown.split("[...]").map(|part| part.trim_matches(separator)).filter(|part| !part.is_empty());
    for (number, part) in parts.enumerate() {
        let part = format!("{separator}{part}{separator}");
        let at = rest.find(&part).unwrap_or_else(|| panic!("not printed, or not in this order:{part}\nbut\n{rest}"));
        assert!(number > 0 || begins_late || at == 0, "left out without a mark:{}", &rest[..at]);
        rest.drain(..at + part.len() - 1);
    }
    assert!(ends_early || rest.trim().is_empty(), "left out without a mark:{rest}");
}

#[test]
fn the_preview_shown_is_the_programs() {
    let place = place();
    let output = pfupgrade(place.path(), ["plan", "plans/one-server.toml", "--simulate"]);
    let printed = String::from_utf8(output.stdout).unwrap();
    let shown = blocks("text").into_iter().find(|block| block.starts_with("Upgrade of PhoneFactor")).unwrap();
    is_shown(shown, &printed, '\n');
}

/// Every command is carried out, one after the other, and what it prints is held to what is shown, word for word.
#[test]
fn the_session_shown_is_what_happens() {
    let place = tempfile::tempdir().unwrap();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut ran = 0;
    for shown in
        format!("\n{}", below("## One whole session").split("```").nth(1).unwrap()).split("\n$ pfupgrade ").skip(1)
    {
        let (line, shown) = shown.split_once('\n').unwrap();
        let (command, comment) = line.split_once("    # ends with ").unwrap_or((line, "0"));
        // Both channels in one, as on a terminal.
        let file = place.path().join("printed");
        let printed = fs::File::create(&file).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
        program.args(command.split_whitespace()).current_dir(place.path()).stdin(Stdio::null());
        let status = program.stdout(printed.try_clone().unwrap()).stderr(printed).status().unwrap();
        let printed = fs::read_to_string(&file).unwrap();
        let expected = comment.split(':').next().unwrap();
        assert_eq!(status.code().unwrap().to_string(), expected, "{command}\n{printed}");
        is_shown(&words(shown), &words(&printed), ' ');
        ran += 1;
    }
    assert_eq!(ran, 9);
}

#[test]
fn every_command_runs_and_ends_as_the_readme_says() {
    let place = place();
    let mut ran = 0;
    for line in blocks("sh").into_iter().flat_map(str::lines) {
        let (command, comment) = line.split_once('#').unwrap_or((line, ""));
        let expected =
            comment.split_once("ends with ").map_or("0", |(_, code)| code.split(&[' ', ':']).next().unwrap());
        let mut words = command.split_whitespace();
        let arguments: Vec<&str> = match words.next() {
            None => continue,
            Some("pfupgrade") => words.collect(),
            // This very program, and this very test: the words before the program's own are all there is to check.
            Some("cargo") => match command.trim().strip_prefix("cargo run -- ") {
                Some(arguments) => arguments.split_whitespace().collect(),
                None => {
                    let known = ["cargo build --release", "cargo test"];
                    assert!(known.contains(&command.trim()), "{line}");
                    continue;
                }
            },
            Some(_) => panic!("what is this: {line}"),
        };
        let output = pfupgrade(place.path(), arguments);
        let (code, said) = (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr));
        assert_eq!(code.to_string(), expected, "{line}\n{said}");
        ran += 1;
    }
    assert!(ran >= 10, "only {ran} commands were found");
}

/// The two commands of a fresh clone are what every change has to pass.
#[test]
fn the_first_two_commands_are_those_of_the_checks() {
    let checks = fs::read_to_string(Path::new(HOUSE).join(".ci/run")).unwrap();
    for command in blocks("sh")[0].lines() {
        assert!(checks.lines().any(|line| line == command), ".ci/run does not run `{command}`");
    }
}

#[test]
fn commands_for_other_shells_are_understood() {
    let place = place();
    let mut read = 0;
    for line in blocks("powershell").into_iter().flat_map(str::lines) {
        let Some((_, command)) = line.split_once("pfupgrade.exe ") else { continue };
        let words = command.split('|').next().unwrap().split_whitespace();
        let output = pfupgrade(place.path(), words.chain(["--help"]));
        assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
        read += 1;
    }
    assert!(read > 0, "no command was found");
}

/// Variant by variant: the number from `code`, the meaning from the line of documentation.
#[test]
fn the_exit_codes_are_those_of_the_code() {
    let variants = EXIT.split_once("pub enum Exit {").unwrap().1.split_once("\n}").unwrap().0;
    let mut expected = Vec::new();
    let mut meaning = "";
    for line in variants.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            meaning = text.trim_end_matches('.');
        } else if let Some(variant) = line.strip_suffix(',') {
            let (_, code) = EXIT.split_once(&format!("Exit::{variant} => ")).unwrap();
            expected.push(vec![code.split(',').next().unwrap().to_owned(), meaning.replace('`', "")]);
        }
    }
    let found: Vec<Vec<String>> = table("### Exit codes")
        .into_iter()
        .map(|row| row.into_iter().map(|cell| cell.replace('`', "")).collect())
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_entries_of_the_event_log_are_those_of_the_code() {
    let variants = OWN.split_once("pub enum Notice {").unwrap().1.split_once("\n}").unwrap().0;
    let lines: Vec<&str> = variants.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut expected = Vec::new();
    for pair in lines.chunks(2) {
        let [meaning, variant] = pair else { panic!("{pair:?}") };
        let (meaning, variant) =
            (meaning.trim_start_matches("/// ").trim_end_matches('.'), variant.trim_end_matches(','));
        let notice = NOTICES.iter().find(|notice| format!("{notice:?}") == variant).unwrap();
        expected.push(vec![notice.id().to_string(), notice.severity().name().to_owned(), meaning.to_owned()]);
    }
    assert_eq!(expected.len(), NOTICES.len());
    assert_eq!(table("### The event log"), expected);
}

#[test]
fn the_findings_are_those_of_the_code() {
    let mut expected = String::new();
    for (id, level, meaning) in FINDINGS {
        let level = match level {
            Level::Refuse => "blocking",
            Level::RefuseUnlessAllowed => "blocking unless allowed",
            Level::Warn => "warning",
        };
        writeln!(expected, "| `{id}` | {level} | {meaning} |").unwrap();
    }
    assert!(below("### What is checked").contains(&expected), "the table has to be:\n{expected}");
}

#[test]
fn the_steps_are_those_of_the_procedure() {
    let place = place();
    let output = pfupgrade(place.path(), ["plan", "plans/one-server.toml", "--simulate", "--json"]);
    let preview: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let steps = preview["steps"].as_array().unwrap().iter().enumerate();
    let of = |(at, step): (usize, &serde_json::Value)| {
        let outage = if step["outage"] == true { "yes" } else { "" };
        [(at + 1).to_string(), step["id"].as_str().unwrap().to_owned(), outage.to_owned()].to_vec()
    };
    let expected: Vec<Vec<String>> = steps.map(of).collect();
    let found: Vec<Vec<String>> = table("### The steps").into_iter().map(|row| row[..3].to_vec()).collect();
    assert_eq!(found, expected);
}

/// One key as the reference has it: its values, its default and its meaning behind it.
fn key(doc: &KeyDoc) -> String {
    let kind = match doc.values {
        [] => doc.kind.to_owned(),
        values => values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(", "),
    };
    let default = if doc.default.is_empty() { String::new() } else { format!("; default {}", doc.default) };
    let mut text = String::new();
    let mut line = format!("  {:22}", doc.key);
    for word in format!("{kind}{default}: {}", doc.meaning).split(' ') {
        if line.len() + word.len() > 116 {
            writeln!(text, "{}", line.trim_end()).unwrap();
            line = " ".repeat(24);
        }
        line += word;
        line.push(' ');
    }
    writeln!(text, "{}", line.trim_end()).unwrap();
    text
}

#[test]
fn the_reference_of_the_plan_has_every_key() {
    let mut expected = String::new();
    let mut tables: &[&str] = &[];
    for doc in KEYS {
        if doc.tables != tables {
            tables = doc.tables;
            let name = |table: &&str| match *table {
                "" => "(top of the file)".to_owned(),
                "hook" => "[[hook]]".to_owned(),
                table => format!("[{table}]"),
            };
            writeln!(expected, "{}", tables.iter().map(name).collect::<Vec<_>>().join(" ")).unwrap();
        }
        expected += &key(doc);
    }
    assert!(README.contains(&format!("\n```text\n{expected}```\n")), "the reference has to be:\n{expected}");
}

#[test]
fn every_proof_named_is_there() {
    let names = README.split('`').skip(1).step_by(2);
    let proofs: Vec<_> = names.filter_map(|name| name.split_once(".rs: ")).collect();
    assert!(proofs.len() > 10, "only {} proofs", proofs.len());
    for (file, test) in proofs {
        let source = fs::read_to_string(Path::new(HOUSE).join(format!("{file}.rs"))).unwrap_or_default();
        assert!(source.contains(&format!("fn {test}(")), "{file}.rs has no test {test}");
    }
}

#[test]
fn every_place_named_is_there() {
    let names = README.split('`').skip(1).step_by(2);
    let places = ["src/", "tests/", "plans/"];
    for name in names.filter(|name| places.iter().any(|place| name.starts_with(place))) {
        let name = name.split(':').next().unwrap();
        assert!(Path::new(HOUSE).join(name).exists(), "{name}");
    }
}

#[test]
fn no_line_is_too_wide() {
    for (number, line) in README.lines().enumerate() {
        assert!(line.chars().count() <= 120, "line {}: {line}", number + 1);
    }
}

#[test]
fn the_guide_says_of_every_check_what_it_rests_on() {
    let guide = include_str!("../../src/guide/checks.md");
    let rows: Vec<&str> = guide.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let ids: Vec<&str> = pfupgrade::finding::FINDINGS.iter().map(|(id, ..)| *id).collect();
    assert_eq!(rows, ids);
}
