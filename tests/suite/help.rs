//! The help of every command: it fits a screen, says what the command does and ends with examples; and the README has
//! it. `PFUPGRADE_WRITE=1 cargo test help::` writes it there anew.

use std::fs;
use std::process::{Command, Stdio};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const HEADING: &str = "### Every command\n";
/// Lines of a screen on which a page of help stands whole; that of the program itself lists all commands as well.
const SCREEN: usize = 40;
const OVERVIEW: usize = 50;

fn help(arguments: &[&str], columns: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
    command.args(arguments).env("COLUMNS", columns).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    // On Windows the program has an ending.
    String::from_utf8(output.stdout).unwrap().replace("pfupgrade.exe", "pfupgrade")
}

/// The commands, as the help of the program itself lists them.
fn commands() -> Vec<String> {
    let all = help(&["--help"], "80");
    let (_, list) = all.split_once("\nCommands:\n").unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    // What goes on below stands further in.
    let names = lines.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}

#[test]
fn every_page_fits_a_screen_and_ends_with_examples() {
    let commands = commands();
    assert!(commands.len() >= 11, "{commands:?}");
    for command in commands.iter().map(String::as_str).chain([""]) {
        let arguments: Vec<&str> = [command, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
        let page = help(&arguments, "80");
        let most = if command.is_empty() { OVERVIEW } else { SCREEN };
        assert!(page.lines().count() <= most, "{} lines:\n{page}", page.lines().count());
        assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
        let first = page.lines().next().unwrap();
        assert!(first.len() > 20 && !first.starts_with("Usage"), "{page}");
        let (_, examples) = page.split_once("\nExamples:\n").unwrap_or_else(|| panic!("no examples:\n{page}"));
        assert!(examples.contains(&format!("pfupgrade {command}")), "{page}");
        // All ways to ask are the same.
        assert_eq!(help(&[command, "-h"].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>(), "80"), page);
        assert_eq!(
            help(&["help", command].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>(), "80"),
            page
        );
    }
}

/// What is the same for every command.
const EVERYWHERE: [&str; 2] = ["\nGlobal options:\n", "\nSimulated machines:\n"];

/// A page without the options that every command has.
fn own_part(page: &str) -> String {
    let mut own = page.to_owned();
    for heading in EVERYWHERE {
        let Some((head, tail)) = own.split_once(heading) else { continue };
        let rest = tail.split_once("\n\n").map_or("", |(_, rest)| rest);
        own = format!("{head}\n{rest}");
    }
    own.trim_end().replace("\n\n\n", "\n\n")
}

/// The reference as the README has it.
fn reference() -> String {
    let mut text = String::from("\nThe output of `--help`, generated from the same source.\n\n```text\n");
    text += &format!("{}\n```\n", help(&["--help"], "100").trim_end());
    for command in commands() {
        text += &format!("\n```text\n{}\n```\n", own_part(&help(&[&command, "--help"], "100")));
    }
    text
}

#[test]
fn the_readme_has_the_help_of_every_command() {
    let readme = fs::read_to_string(README).unwrap();
    let (head, rest) = readme.split_once(HEADING).unwrap_or_else(|| panic!("the README has no {HEADING}"));
    let end = rest.find("\n### ").unwrap_or(rest.len());
    let (found, tail) = rest.split_at(end);
    let wanted = reference();
    if std::env::var_os("PFUPGRADE_WRITE").is_some() {
        fs::write(README, format!("{head}{HEADING}{wanted}{tail}")).unwrap();
        return;
    }
    let diff = similar::TextDiff::from_lines(found, wanted.as_str());
    assert!(found == wanted, "PFUPGRADE_WRITE=1 cargo test help:::\n{}", diff.unified_diff().context_radius(2));
}
