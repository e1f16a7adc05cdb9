//! The evidence as a document of few kinds of blocks, the same for every form in which it is read.

use super::time_line::TimeLine;
use super::{Evidence, Tone, Verdict, outcome};
use crate::finding::{Finding, Level};
use crate::journal::{Answered, Failed, Part, Passed, Rollback, Session, Stands, milliseconds};
use crate::report::text::{bytes, count, elapsed, moment};
use crate::step::Account;
use crate::webconfig::{Change, DiffLine, Fate, Shown, Side};
use std::time::Duration;

/// The whole of it.
pub(super) struct Document {
    pub(super) title: String,
    pub(super) verdict: Verdict,
    pub(super) simulated: bool,
    pub(super) facts: Vec<(&'static str, Cell)>,
    pub(super) sections: Vec<Section>,
}

/// A part with a heading.
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) blocks: Vec<Block>,
}

/// What a part is made of.
pub(super) enum Block {
    /// A heading below that of the section.
    Heading(String),
    /// A paragraph.
    Words(String),
    /// A table with a line that says what it is.
    Table(Table),
    /// Things with details.
    List(Vec<(String, Vec<String>)>),
    /// Lines as they are.
    Lines(Vec<String>),
    /// The differences of two files.
    Diff(Vec<DiffLine>),
    /// The steps.
    TimeLine(TimeLine),
}

/// A table. Every row has as many cells as the head.
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

/// How the text of a cell is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Words,
    /// A path, a name or a value, which is not wrapped at blanks alone.
    Code,
    /// A word that says that all is well.
    Good,
    /// A word that says that somebody should look.
    Open,
}

pub(super) fn words(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), kind: Kind::Words }
}

pub(super) fn code(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), kind: Kind::Code }
}

/// How long something took, as people say it.
pub(super) fn took(milliseconds: i64) -> String {
    let milliseconds = milliseconds.unsigned_abs();
    if milliseconds < 1000 { "under 1 s".to_owned() } else { elapsed(Duration::from_millis(milliseconds)) }
}

pub(super) fn document(evidence: &Evidence) -> Document {
    let section = |id, title, blocks| Section { id, title, blocks };
    let mut sections = vec![
        section("components", "Components", outcome::components(evidence)),
        section("left-to-do", "What is left to do", left_to_do(evidence)),
        section("verified", "Checks of the upgraded machine", outcome::verified(evidence)),
        section("steps", "Steps and times", steps(evidence)),
        section("settings", "Settings migrated", settings(evidence)),
        section("themes", "Themes restored", outcome::themes(evidence)),
        section("iis", "IIS before and after", outcome::web(evidence)),
        section("gates", "Manual steps", gates(evidence)),
        section("checks", "Checks before the start", checks(&evidence.findings)),
        section("failures", "What went wrong", failures(evidence)),
        section("used", "Installers used", outcome::installers(evidence)),
        section("installers", "What the installers logged", installers(evidence)),
        section("backups", "Backups", backups(evidence)),
    ];
    if let Some(rollback) = &evidence.story.rollback {
        sections.push(section("rollback", "Rollback", rolled_back(evidence, rollback)));
    }
    sections.push(section("plan", "The plan as it was used", vec![Block::Lines(lines(&evidence.plan))]));
    sections.push(section("origin", "Source of this report", origin(evidence)));
    sections.push(section("sign", "Signatures", outcome::signatures()));
    Document {
        title: format!("Upgrade of {} to Azure Multi-Factor Authentication Server", evidence.machine),
        verdict: evidence.verdict.clone(),
        simulated: evidence.simulated,
        facts: facts(evidence),
        sections,
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn facts(evidence: &Evidence) -> Vec<(&'static str, Cell)> {
    let story = &evidence.story;
    let outage = match (story.outage_begun(), story.outage_ms()) {
        (None, _) => "none recorded".to_owned(),
        (Some(_), Some(length)) => took(length),
        (Some(begun), None) => format!("since {}, not over", evidence.time.both(begun)),
    };
    let then = if story.rollback.is_some() { ", before the rollback" } else { "" };
    let steps = format!("{} of {}{then}", story.done(), story.steps.len());
    let latest = story.latest.unwrap_or(evidence.begun);
    let facts = [
        ("Ticket", evidence.ticket.clone().map(words)),
        ("Machine", Some(words(format!("{}, {}", evidence.machine, evidence.windows)))),
        ("Begun by", evidence.user.clone().map(words)),
        ("Begun", Some(words(evidence.time.both(evidence.begun)))),
        (
            "Last record",
            Some(words(format!(
                "{}, after {}",
                evidence.time.both(latest),
                took(milliseconds(evidence.begun, latest))
            ))),
        ),
        ("Outage", Some(words(outage))),
        ("Steps done", Some(words(steps))),
        ("Activation", evidence.activation.as_ref().map(|activation| words(&activation.says))),
        ("Plan", evidence.plan_name.clone().map(words)),
        ("Run", Some(code(evidence.run.clone()))),
    ];
    facts.into_iter().filter_map(|(label, fact)| Some((label, fact?))).collect()
}

fn steps(evidence: &Evidence) -> Vec<Block> {
    let line = Block::TimeLine(TimeLine::of(&evidence.story));
    outcome::since_undone(evidence).into_iter().chain([line]).chain(outcome::outages(evidence)).collect()
}

/// With a capital letter.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn left_to_do(evidence: &Evidence) -> Vec<Block> {
    let mut list: Vec<(String, Vec<String>)> =
        evidence.by_hand.iter().map(|left| (left.title.clone(), left.lines.clone())).collect();
    match &evidence.story.stands {
        Stands::Waiting { gate } => list.insert(0, (gate.title.clone(), gate.instructions.clone())),
        Stands::Restart { files } => {
            list.insert(0, ("Restart Windows, which replaces these files".to_owned(), files.clone()))
        }
        Stands::Finished { reboot: true } => list.insert(0, ("Restart Windows".to_owned(), Vec::new())),
        Stands::Failed { advice, .. } if !advice.is_empty() => list.insert(0, (sentence(advice), Vec::new())),
        _ => {}
    }
    let is_over = matches!(evidence.story.stands, Stands::Finished { .. } | Stands::RolledBack);
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

fn settings(evidence: &Evidence) -> Vec<Block> {
    if evidence.settings.is_empty() {
        return vec![Block::Words("No completed migration of a web.config is recorded.".to_owned())];
    }
    outcome::since_undone(evidence).into_iter().chain(evidence.settings.iter().flat_map(one_file)).collect()
}

fn one_file(account: &Account) -> Vec<Block> {
    let mut blocks = vec![
        Block::Heading(account.after.clone()),
        Block::Words(format!("Before the upgrade it was {}. Secrets are masked.", account.before)),
    ];
    if account.changes.is_empty() {
        blocks.push(Block::Words("No customizations were found in the old file.".to_owned()));
    } else {
        let head = vec!["Setting", "Old value", "New default", "Migrated value", "Result"];
        let rows = account.changes.iter().map(change).collect();
        blocks.push(Block::Table(Table { caption: "Every old setting that differed from its default", head, rows }));
    }
    if !account.diff.is_empty() {
        blocks.push(Block::Words("The file before (-) and after the migration (+):".to_owned()));
        blocks.push(Block::Diff(account.diff.clone()));
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

fn gates(evidence: &Evidence) -> Vec<Block> {
    let activation = evidence.activation.as_ref().map(|activation| {
        let when = activation.time.map(|time| format!(", {}", evidence.time.both(time))).unwrap_or_default();
        Block::Words(format!("Activation of the new server: {}{when}.", activation.says))
    });
    let gates = &evidence.story.gates;
    if gates.is_empty() {
        let none = Block::Words("No gate was passed.".to_owned());
        return activation.into_iter().chain([none]).collect();
    }
    let row = |gate: &Answered| {
        let how = match gate.passed() {
            Passed::Seen => words("seen on the machine; nobody was asked"),
            Passed::Skipped(reason) => Cell { text: format!("skipped by the plan: {reason}"), kind: Kind::Open },
            Passed::Confirmed(by) => words(format!("confirmed by {by}")),
        };
        let user = gate.user.clone().unwrap_or_else(|| "not recorded".to_owned());
        vec![code(&gate.gate), how, words(user), words(evidence.time.both(gate.time))]
    };
    let head = vec!["Gate", "How it was passed", "Account of the command", "When"];
    let rows = gates.iter().map(row).collect();
    let table = Block::Table(Table { caption: "Every gate that was passed", head, rows });
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

fn failures(evidence: &Evidence) -> Vec<Block> {
    let failures = &evidence.story.failures;
    if failures.is_empty() {
        return vec![Block::Words("No failure is recorded.".to_owned())];
    }
    let one = |failed: &Failed| {
        let advice = if failed.advice.is_empty() { None } else { Some(format!("Next step: {}.", failed.advice)) };
        let words = [Some(format!("{}.", sentence(&failed.why))), advice].into_iter().flatten().map(Block::Words);
        let log = (!failed.log.is_empty()).then(|| Block::Lines(failed.log.clone()));
        let heading = Block::Heading(format!("{}, {}", failed.step, evidence.time.both(failed.time)));
        [heading].into_iter().chain(words).chain(log).collect::<Vec<_>>()
    };
    failures.iter().flat_map(one).collect()
}

fn installers(evidence: &Evidence) -> Vec<Block> {
    if evidence.installers.is_empty() {
        return vec![Block::Words("No lines of installer logs are recorded.".to_owned())];
    }
    let one = |log: &super::InstallerEvidence| {
        let heading = Block::Heading(format!("{}, {}", log.step, moment(log.time)));
        [heading, Block::Words(format!("{}:", sentence(&log.what))), Block::Lines(log.lines.clone())]
    };
    evidence.installers.iter().flat_map(one).collect()
}

fn backups(evidence: &Evidence) -> Vec<Block> {
    if evidence.backups.is_empty() {
        return vec![Block::Words("No backup is recorded, or the recorded ones are superseded.".to_owned())];
    }
    let row = |backup: &super::BackupEvidence| {
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
    let rows = evidence.backups.iter().map(row).collect();
    let place = format!(
        "They are in {}. Beside each copied folder is a manifest with the SHA-256 of every file; the SHA-256 here is that \
         of the manifest, or of the exported registry key. A copy is complete once it has been read again and compared.",
        evidence.backup
    );
    vec![Block::Words(place), Block::Table(Table { caption: "The backups of this run", head, rows })]
}

fn rolled_back(evidence: &Evidence, rollback: &Rollback) -> Vec<Block> {
    let (done, begun) = (rollback.done(), evidence.time.both(rollback.span.begun));
    let mut says = format!("Begun {begun}, {done} of {} parts done", rollback.parts.len());
    if let Some(ended) = rollback.span.ended {
        says += &format!(", complete {} later", took(milliseconds(rollback.span.begun, ended)));
    }
    let done = |part: &Part| part.done.map_or_else(|| "not done".to_owned(), moment);
    let row = |part: &Part| vec![words(sentence(&part.what)), words(done(part))];
    let rows = rollback.parts.iter().map(row).collect();
    let table = Table { caption: "The parts of the rollback, in order", head: vec!["What", "Done"], rows };
    let mut blocks = vec![Block::Words(format!("{says}.")), Block::Table(table)];
    if !rollback.not_restored.is_empty() {
        let what = "Not restored".to_owned();
        blocks.push(Block::List(vec![(what, rollback.not_restored.clone())]));
    }
    blocks
}

fn origin(evidence: &Evidence) -> Vec<Block> {
    let mut says = format!(
        "pfupgrade made this report from the journal of the run alone: {}, in which every record carries a checksum over \
         all records before it. The run was begun by pfupgrade {}. Values that look like credentials are not in the \
         journal, and so are not here.",
        evidence.journal, evidence.program
    );
    says += match evidence.time.is_known() {
        true => {
            " Times are UTC; in parentheses is the server's own time, by the offset that was recorded when each command \
             began."
        }
        false => " All times are UTC; the time zone of the server is not recorded.",
    };
    if let Some(approved) = &evidence.approved {
        says += &format!(" It carried out the saved preview {approved}.");
    }
    let row = |session: &Session| {
        let user = session.user.clone().unwrap_or_else(|| "not recorded".to_owned());
        vec![code(&session.command), words(user), words(evidence.time.both(session.time))]
    };
    let rows = evidence.story.sessions.iter().map(row).collect();
    let head = vec!["Command", "Account", "When"];
    vec![Block::Words(says), Block::Table(Table { caption: "Every command that worked on the run", head, rows })]
}

impl Tone {
    /// Its name, for styles.
    pub(super) fn name(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Open => "open",
            Tone::Bad => "bad",
        }
    }
}
