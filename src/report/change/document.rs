//! The report as a document with a few kinds of blocks, the same for every output format.

use super::time_line::TimeLine;
use super::{ChangeReport, Tone, Verdict, outcome};
use crate::finding::{Finding, Level};
use crate::journal::{Answered, Failed, Part, Passed, Rollback, Session, Stands, milliseconds};
use crate::report::text::{bytes, count, elapsed, moment};
use crate::step::SettingsReport;
use crate::webconfig::{Change, DiffLine, Fate, Shown, Side};
use std::time::Duration;

/// The document.
pub(super) struct Document {
    pub(super) title: String,
    pub(super) verdict: Verdict,
    pub(super) simulated: bool,
    pub(super) facts: Vec<(&'static str, Cell)>,
    pub(super) sections: Vec<Section>,
}

/// A section.
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) blocks: Vec<Block>,
}

/// A block of a section.
pub(super) enum Block {
    /// A subheading.
    Heading(String),
    /// A paragraph.
    Words(String),
    /// A table with a caption.
    Table(Table),
    /// Items with details.
    List(Vec<(String, Vec<String>)>),
    /// Preformatted lines.
    Lines(Vec<String>),
    /// A diff of two files.
    Diff(Vec<DiffLine>),
    /// The steps.
    TimeLine(TimeLine),
}

/// A table. Every row has as many cells as the header.
pub(super) struct Table {
    pub(super) caption: &'static str,
    pub(super) head: Vec<&'static str>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Clone)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) kind: Kind,
}

/// The kind of text in a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Words,
    /// A path, a name or a value, which may be wrapped anywhere.
    Code,
    /// A good result.
    Good,
    /// A result that needs attention.
    Open,
}

pub(super) fn words(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), kind: Kind::Words }
}

pub(super) fn code(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), kind: Kind::Code }
}

/// A duration in words.
pub(super) fn took(milliseconds: i64) -> String {
    let milliseconds = milliseconds.unsigned_abs();
    if milliseconds < 1000 { "under 1 s".to_owned() } else { elapsed(Duration::from_millis(milliseconds)) }
}

pub(super) fn document(report: &ChangeReport) -> Document {
    let section = |id, title, blocks| Section { id, title, blocks };
    let mut sections = vec![
        section("components", "Components", outcome::components(report)),
        section("left-to-do", "What is left to do", left_to_do(report)),
        section("verified", "Checks of the upgraded machine", outcome::verified(report)),
        section("steps", "Steps and times", steps(report)),
        section("settings", "Settings migrated", settings(report)),
        section("themes", "Themes restored", outcome::themes(report)),
        section("iis", "IIS before and after", outcome::web(report)),
        section("gates", "Manual steps", gates(report)),
        section("checks", "Checks before the start", checks(&report.findings)),
        section("failures", "What went wrong", failures(report)),
        section("used", "Installers used", outcome::installers(report)),
        section("installers", "What the installers logged", installers(report)),
        section("backups", "Backups", backups(report)),
    ];
    if let Some(rollback) = &report.story.rollback {
        sections.push(section("rollback", "Rollback", rolled_back(report, rollback)));
    }
    sections.push(section("plan", "The plan as it was used", vec![Block::Lines(lines(&report.plan))]));
    sections.push(section("origin", "Source of this report", origin(report)));
    sections.push(section("sign", "Signatures", outcome::signatures()));
    Document {
        title: format!("Upgrade of {} to Azure Multi-Factor Authentication Server", report.machine),
        verdict: report.verdict.clone(),
        simulated: report.simulated,
        facts: facts(report),
        sections,
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn facts(report: &ChangeReport) -> Vec<(&'static str, Cell)> {
    let story = &report.story;
    let outage = match (story.outage_begun(), story.outage_ms()) {
        (None, _) => "none recorded".to_owned(),
        (Some(_), Some(length)) => took(length),
        (Some(begun), None) => format!("since {}, ongoing", report.time.both(begun)),
    };
    let then = if story.rollback.is_some() { ", before the rollback" } else { "" };
    let steps = format!("{} of {}{then}", story.done(), story.steps.len());
    let latest = story.latest.unwrap_or(report.begun);
    let facts = [
        ("Ticket", report.ticket.clone().map(words)),
        ("Machine", Some(words(format!("{}, {}", report.machine, report.windows)))),
        ("Started by", report.user.clone().map(words)),
        ("Started", Some(words(report.time.both(report.begun)))),
        (
            "Last record",
            Some(words(format!("{}, after {}", report.time.both(latest), took(milliseconds(report.begun, latest))))),
        ),
        ("Outage", Some(words(outage))),
        ("Steps done", Some(words(steps))),
        ("Activation", report.activation.as_ref().map(|activation| words(&activation.says))),
        ("Plan", report.plan_name.clone().map(words)),
        ("Run", Some(code(report.run.clone()))),
    ];
    facts.into_iter().filter_map(|(label, fact)| Some((label, fact?))).collect()
}

fn steps(report: &ChangeReport) -> Vec<Block> {
    let line = Block::TimeLine(TimeLine::of(&report.story));
    outcome::since_undone(report).into_iter().chain([line]).chain(outcome::outages(report)).collect()
}

/// Capitalizes a text.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn left_to_do(report: &ChangeReport) -> Vec<Block> {
    let mut list: Vec<(String, Vec<String>)> =
        report.by_hand.iter().map(|left| (left.title.clone(), left.lines.clone())).collect();
    match &report.story.stands {
        Stands::Waiting { gate } => list.insert(0, (gate.title.clone(), gate.instructions.clone())),
        Stands::Restart { files } => {
            list.insert(0, ("Restart Windows, which replaces these files".to_owned(), files.clone()))
        }
        Stands::Finished { reboot: true } => list.insert(0, ("Restart Windows".to_owned(), Vec::new())),
        Stands::Failed { advice, .. } if !advice.is_empty() => list.insert(0, (sentence(advice), Vec::new())),
        _ => {}
    }
    let is_over = matches!(report.story.stands, Stands::Finished { .. } | Stands::RolledBack);
    let mut blocks = Vec::new();
    if !is_over {
        let how = "The run is not complete. `pfupgrade status` on the machine shows how to resume or roll back.";
        blocks.push(Block::Words(how.to_owned()));
    }
    match list.is_empty() {
        true if is_over => blocks.push(Block::Words("Nothing is recorded.".to_owned())),
        true => {}
        false => blocks.push(Block::List(list)),
    }
    blocks
}

fn settings(report: &ChangeReport) -> Vec<Block> {
    if report.settings.is_empty() {
        return vec![Block::Words("No completed migration of a web.config is recorded.".to_owned())];
    }
    outcome::since_undone(report).into_iter().chain(report.settings.iter().flat_map(one_file)).collect()
}

fn one_file(file: &SettingsReport) -> Vec<Block> {
    let mut blocks = vec![
        Block::Heading(file.after.clone()),
        Block::Words(format!("Before the upgrade it was {}. Secrets are masked.", file.before)),
    ];
    if file.changes.is_empty() {
        blocks.push(Block::Words("No customizations were found in the old file.".to_owned()));
    } else {
        let head = vec!["Setting", "Old value", "New default", "Migrated value", "Result"];
        let rows = file.changes.iter().map(change).collect();
        blocks.push(Block::Table(Table { caption: "Every old setting that differed from its default", head, rows }));
    }
    if !file.diff.is_empty() {
        blocks.push(Block::Words("The file before (-) and after the migration (+):".to_owned()));
        blocks.push(Block::Diff(file.diff.clone()));
    }
    blocks
}

fn change(change: &Change) -> Vec<Cell> {
    let value = |shown: &Shown| match shown {
        Shown::Plain(text) if text.is_empty() => words("(empty)"),
        Shown::Plain(text) => code(text),
        Shown::Absent | Shown::Masked => words(shown.to_string()),
    };
    let (kind, what) = match &change.fate {
        Fate::Carried => (Kind::Good, "migrated".to_owned()),
        Fate::Added => (Kind::Good, "added".to_owned()),
        Fate::Removed => (Kind::Good, "removed, as in the old file".to_owned()),
        Fate::AlreadySo => (Kind::Good, "no change needed".to_owned()),
        Fate::Rewritten { why } => (Kind::Good, format!("rewritten: {why}")),
        Fate::Superseded { why } => (Kind::Words, format!("superseded: {why}")),
        Fate::Conflict { taken: None } => (Kind::Open, "conflict: to be decided".to_owned()),
        Fate::Conflict { taken: Some(Side::Old) } => (Kind::Words, "conflict: the old value is kept".to_owned()),
        Fate::Conflict { taken: Some(Side::New) } => (Kind::Words, "conflict: the new value is kept".to_owned()),
        Fate::Reported { why } => (Kind::Open, format!("not migrated: {why}")),
    };
    let fate = Cell { text: what, kind };
    vec![code(&change.path), value(&change.old), value(&change.new), value(&change.result), fate]
}

fn gates(report: &ChangeReport) -> Vec<Block> {
    let activation = report.activation.as_ref().map(|activation| {
        let when = activation.time.map(|time| format!(", {}", report.time.both(time))).unwrap_or_default();
        Block::Words(format!("Activation of MFA Server: {}{when}.", activation.says))
    });
    let gates = &report.story.gates;
    if gates.is_empty() {
        let none = Block::Words("No manual step was completed.".to_owned());
        return activation.into_iter().chain([none]).collect();
    }
    let row = |gate: &Answered| {
        let how = match gate.passed() {
            Passed::Seen => words("detected on this server"),
            Passed::Skipped(reason) => Cell { text: format!("skipped by the plan: {reason}"), kind: Kind::Open },
            Passed::Confirmed(by) => words(format!("confirmed by {by}")),
        };
        let user = gate.user.clone().unwrap_or_else(|| "not recorded".to_owned());
        vec![code(&gate.gate), how, words(user), words(report.time.both(gate.time))]
    };
    let head = vec!["Gate", "How it was completed", "Account of the command", "When"];
    let rows = gates.iter().map(row).collect();
    let table = Block::Table(Table { caption: "Every manual step that was completed", head, rows });
    activation.into_iter().chain([table]).collect()
}

fn checks(findings: &[Finding]) -> Vec<Block> {
    if findings.is_empty() {
        return vec![Block::Words("No warnings are recorded.".to_owned())];
    }
    let row = |finding: &Finding| {
        let level = match (finding.level, finding.allowed) {
            (Level::Warn, _) => words("warning"),
            (_, true) => Cell { text: "allowed by the plan".to_owned(), kind: Kind::Open },
            (_, false) => words("blocking"),
        };
        let mut text = finding.title.clone();
        if !finding.evidence.is_empty() {
            text += &format!(": {}", finding.evidence.join("; "));
        }
        vec![code(&finding.id), level, words(text), words(&finding.advice)]
    };
    let head = vec!["Check", "Result", "What was found", "Advice"];
    vec![Block::Table(Table {
        caption: "Every check that did not pass",
        head,
        rows: findings.iter().map(row).collect(),
    })]
}

fn failures(report: &ChangeReport) -> Vec<Block> {
    let failures = &report.story.failures;
    if failures.is_empty() {
        return vec![Block::Words("No failure is recorded.".to_owned())];
    }
    let one = |failed: &Failed| {
        let advice = if failed.advice.is_empty() { None } else { Some(format!("Next step: {}.", failed.advice)) };
        let words = [Some(format!("{}.", sentence(&failed.why))), advice].into_iter().flatten().map(Block::Words);
        let log = (!failed.log.is_empty()).then(|| Block::Lines(failed.log.clone()));
        let heading = Block::Heading(format!("{}, {}", failed.step, report.time.both(failed.time)));
        [heading].into_iter().chain(words).chain(log).collect::<Vec<_>>()
    };
    failures.iter().flat_map(one).collect()
}

fn installers(report: &ChangeReport) -> Vec<Block> {
    if report.installers.is_empty() {
        return vec![Block::Words("No lines of installer logs are recorded.".to_owned())];
    }
    let one = |log: &super::InstallerReport| {
        let heading = Block::Heading(format!("{}, {}", log.step, moment(log.time)));
        [heading, Block::Words(format!("{}:", sentence(&log.what))), Block::Lines(log.lines.clone())]
    };
    report.installers.iter().flat_map(one).collect()
}

fn backups(report: &ChangeReport) -> Vec<Block> {
    if report.backups.is_empty() {
        return vec![Block::Words("No backup is recorded, or the recorded ones are superseded.".to_owned())];
    }
    let row = |backup: &super::BackupReport| {
        let size = backup.size.map_or_else(
            || "not recorded".to_owned(),
            |size| {
                format!("{}, {}", count(usize::try_from(size.files).unwrap_or(usize::MAX), "file"), bytes(size.bytes))
            },
        );
        let sum = backup.sha256.as_ref().map_or_else(|| words("not recorded"), code);
        vec![code(&backup.of), words(size), sum, words(moment(backup.time))]
    };
    let head = vec!["What", "Size", "SHA-256", "Completed"];
    let rows = report.backups.iter().map(row).collect();
    let place = format!(
        "They are in {}. Beside each copied folder is a manifest with the SHA-256 of every file; the SHA-256 here is that \
         of the manifest, or of the exported registry key. A copy is complete once it has been read again and compared.",
        report.backup
    );
    vec![Block::Words(place), Block::Table(Table { caption: "The backups of this run", head, rows })]
}

fn rolled_back(report: &ChangeReport, rollback: &Rollback) -> Vec<Block> {
    let (done, begun) = (rollback.done(), report.time.both(rollback.span.begun));
    let mut says = format!("Started {begun}; {done} of {} operations done", rollback.parts.len());
    if let Some(ended) = rollback.span.ended {
        says += &format!(", after {}", took(milliseconds(rollback.span.begun, ended)));
    }
    let done = |part: &Part| part.done.map_or_else(|| "not done".to_owned(), moment);
    let row = |part: &Part| vec![words(sentence(&part.what)), words(done(part))];
    let rows = rollback.parts.iter().map(row).collect();
    let table = Table { caption: "The operations of the rollback, in order", head: vec!["What", "Done"], rows };
    let mut blocks = vec![Block::Words(format!("{says}.")), Block::Table(table)];
    if !rollback.not_restored.is_empty() {
        let what = "Not restored".to_owned();
        blocks.push(Block::List(vec![(what, rollback.not_restored.clone())]));
    }
    blocks
}

fn origin(report: &ChangeReport) -> Vec<Block> {
    let mut says = format!(
        "pfupgrade made this report only from the journal of the run: {}, in which every record has a checksum over \
         all records before it. The run was begun by pfupgrade {}. Values that look like credentials are not in the \
         journal, and so are not here.",
        report.journal, report.program
    );
    says += match report.time.is_known() {
        true => {
            " Times are UTC; in parentheses is the server's local time, by the offset that was recorded when each \
             command started."
        }
        false => " All times are UTC; the time zone of the server is not recorded.",
    };
    if let Some(approved) = &report.approved {
        says += &format!(" It carried out the saved preview {approved}.");
    }
    let row = |session: &Session| {
        let user = session.user.clone().unwrap_or_else(|| "not recorded".to_owned());
        vec![code(&session.command), words(user), words(report.time.both(session.time))]
    };
    let rows = report.story.sessions.iter().map(row).collect();
    let head = vec!["Command", "Account", "When"];
    vec![Block::Words(says), Block::Table(Table { caption: "Every command that worked on the run", head, rows })]
}

impl Tone {
    /// Its CSS class.
    pub(super) fn name(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Open => "open",
            Tone::Bad => "bad",
        }
    }
}
