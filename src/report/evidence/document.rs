//! The evidence as a document of few kinds of blocks, the same for every form in which it is read.

use super::time_line::TimeLine;
use super::{Evidence, Tone, Verdict};
use crate::finding::{Finding, Level};
use crate::journal::{Answered, Failed, Part, Rollback, Session, Stands, milliseconds};
use crate::report::text::{bytes, count, elapsed, moment};
use crate::step::Account;
use crate::webconfig::{Change, DiffLine, Fate, Shown, Side};
use jiff::Timestamp;
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

fn words(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), kind: Kind::Words }
}

fn code(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), kind: Kind::Code }
}

fn time(time: Timestamp) -> Cell {
    words(moment(time))
}

/// How long something took, as people say it.
pub(super) fn took(milliseconds: i64) -> String {
    let milliseconds = milliseconds.unsigned_abs();
    if milliseconds < 1000 { "under 1 s".to_owned() } else { elapsed(Duration::from_millis(milliseconds)) }
}

pub(super) fn document(evidence: &Evidence) -> Document {
    let section = |id, title, blocks| Section { id, title, blocks };
    let mut sections = vec![
        section("components", "What was upgraded", components(evidence)),
        section("left-to-do", "What is left to do", left_to_do(evidence)),
        section("steps", "Steps and times", vec![Block::TimeLine(TimeLine::of(&evidence.story))]),
        section("settings", "Settings carried over", settings(&evidence.settings)),
        section("gates", "Confirmed by people", gates(&evidence.story.gates)),
        section("checks", "Checks before the start", checks(&evidence.findings)),
        section("failures", "What went wrong", failures(&evidence.story.failures)),
        section("installers", "What the installers logged", installers(evidence)),
        section("backups", "Backups", backups(evidence)),
    ];
    if let Some(rollback) = &evidence.story.rollback {
        sections.push(section("rollback", "Rollback", rolled_back(rollback)));
    }
    sections.push(section("plan", "The plan as it was used", vec![Block::Lines(lines(&evidence.plan))]));
    sections.push(section("origin", "How this report came about", origin(evidence)));
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
    let outage = match (story.outages.first(), story.outage_ms()) {
        (None, _) => "none".to_owned(),
        (Some(_), Some(length)) => took(length),
        (Some(begun), None) => format!("since {}, not over", moment(begun.begun)),
    };
    let steps = format!("{} of {}", story.done(), story.steps.len());
    let latest = story.latest.unwrap_or(evidence.begun);
    let facts = [
        ("Ticket", evidence.ticket.clone().map(words)),
        ("Machine", Some(words(format!("{}, {}", evidence.machine, evidence.windows)))),
        ("Begun by", evidence.user.clone().map(words)),
        ("Begun", Some(time(evidence.begun))),
        (
            "Last record",
            Some(words(format!("{}, after {}", moment(latest), took(milliseconds(evidence.begun, latest))))),
        ),
        ("Outage", Some(words(outage))),
        ("Steps done", Some(words(steps))),
        ("Plan", evidence.plan_name.clone().map(words)),
        ("Run", Some(code(evidence.run.clone()))),
    ];
    facts.into_iter().filter_map(|(label, fact)| Some((label, fact?))).collect()
}

fn components(evidence: &Evidence) -> Vec<Block> {
    let row = |component: &super::ComponentEvidence| {
        let found = if component.found.is_empty() { "not installed" } else { &component.found };
        vec![words(sentence(component.title)), words(found), words(&component.location), words(&component.fate)]
    };
    let head = vec!["Component", "Found", "Served from", "What the run does with it"];
    let rows = evidence.components.iter().map(row).collect();
    vec![Block::Table(Table { caption: "Every component that was found", head, rows })]
}

/// With a capital letter.
fn sentence(text: &str) -> String {
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
        let how = "The run is not over. `pfupgrade status` on the machine says how it goes on, or back.";
        blocks.push(Block::Words(how.to_owned()));
    }
    match list.is_empty() {
        true if is_over => blocks.push(Block::Words("Nothing that is known here.".to_owned())),
        true => {}
        false => blocks.push(Block::List(list)),
    }
    blocks
}

fn settings(accounts: &[Account]) -> Vec<Block> {
    if accounts.is_empty() {
        return vec![Block::Words("No web.config has been written.".to_owned())];
    }
    accounts.iter().flat_map(one_file).collect()
}

fn one_file(account: &Account) -> Vec<Block> {
    let mut blocks = vec![
        Block::Heading(account.after.clone()),
        Block::Words(format!("Before the upgrade it was {}. Secrets are masked.", account.before)),
    ];
    if account.changes.is_empty() {
        blocks.push(Block::Words("The old file differed in nothing from the one that was shipped.".to_owned()));
    } else {
        let head = vec!["Setting", "Old value", "As shipped now", "Value now", "What became of it"];
        let rows = account.changes.iter().map(change).collect();
        blocks.push(Block::Table(Table { caption: "Every old setting that was not as shipped", head, rows }));
    }
    if !account.diff.is_empty() {
        blocks.push(Block::Words("The file before (-) and now (+):".to_owned()));
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
        Fate::Carried => (Kind::Good, "carried over".to_owned()),
        Fate::Added => (Kind::Good, "added".to_owned()),
        Fate::Removed => (Kind::Good, "removed, as in the old file".to_owned()),
        Fate::AlreadySo => (Kind::Good, "already so".to_owned()),
        Fate::Rewritten { why } => (Kind::Good, format!("rewritten: {why}")),
        Fate::Superseded { why } => (Kind::Words, format!("superseded: {why}")),
        Fate::Conflict { taken: None } => (Kind::Open, "conflict: to be decided".to_owned()),
        Fate::Conflict { taken: Some(Side::Old) } => (Kind::Words, "conflict: the old value is kept".to_owned()),
        Fate::Conflict { taken: Some(Side::New) } => (Kind::Words, "conflict: the new value is kept".to_owned()),
        Fate::Reported { why } => (Kind::Open, format!("by hand: {why}")),
    };
    let fate = Cell { text: what, kind };
    vec![code(&change.path), value(&change.old), value(&change.new), value(&change.result), fate]
}

fn gates(gates: &[Answered]) -> Vec<Block> {
    if gates.is_empty() {
        return vec![Block::Words("No gate has been passed.".to_owned())];
    }
    let row = |gate: &Answered| {
        let user = gate.user.clone().unwrap_or_default();
        vec![code(&gate.gate), words(&gate.by), words(user), time(gate.time)]
    };
    let head = vec!["Gate", "Who answered", "Account at work", "When"];
    vec![Block::Table(Table { caption: "Every gate that was passed", head, rows: gates.iter().map(row).collect() })]
}

fn checks(findings: &[Finding]) -> Vec<Block> {
    if findings.is_empty() {
        return vec![Block::Words("They found nothing to name.".to_owned())];
    }
    let row = |finding: &Finding| {
        let level = match (finding.level, finding.allowed) {
            (Level::Warn, _) => words("warning"),
            (_, true) => Cell { text: "allowed by the plan".to_owned(), kind: Kind::Open },
            (_, false) => words("refused"),
        };
        let mut text = finding.title.clone();
        if !finding.evidence.is_empty() {
            text += &format!(": {}", finding.evidence.join("; "));
        }
        vec![code(&finding.id), level, words(text), words(&finding.advice)]
    };
    let head = vec!["Finding", "Level", "What was seen", "Advice"];
    vec![Block::Table(Table { caption: "What the checks found", head, rows: findings.iter().map(row).collect() })]
}

fn failures(failures: &[Failed]) -> Vec<Block> {
    if failures.is_empty() {
        return vec![Block::Words("Nothing.".to_owned())];
    }
    let one = |failed: &Failed| {
        let advice = if failed.advice.is_empty() { None } else { Some(format!("Next step: {}.", failed.advice)) };
        let words = [Some(format!("{}.", sentence(&failed.why))), advice].into_iter().flatten().map(Block::Words);
        let log = (!failed.log.is_empty()).then(|| Block::Lines(failed.log.clone()));
        let heading = Block::Heading(format!("{}, {}", failed.step, moment(failed.time)));
        [heading].into_iter().chain(words).chain(log).collect::<Vec<_>>()
    };
    failures.iter().flat_map(one).collect()
}

fn installers(evidence: &Evidence) -> Vec<Block> {
    if evidence.installers.is_empty() {
        return vec![Block::Words("No installer has left a log that tells anything.".to_owned())];
    }
    let one = |log: &super::InstallerEvidence| {
        let heading = Block::Heading(format!("{}, {}", log.step, moment(log.time)));
        [heading, Block::Words(format!("{}:", sentence(&log.what))), Block::Lines(log.lines.clone())]
    };
    evidence.installers.iter().flat_map(one).collect()
}

fn backups(evidence: &Evidence) -> Vec<Block> {
    if evidence.backups.is_empty() {
        return vec![Block::Words("None has been made, or none counts any more.".to_owned())];
    }
    let row = |backup: &super::BackupEvidence| {
        let size = backup.size.map_or_else(String::new, |size| {
            format!("{}, {}", count(usize::try_from(size.files).unwrap_or(usize::MAX), "file"), bytes(size.bytes))
        });
        let sum = backup.sha256.clone().unwrap_or_default();
        vec![code(&backup.of), words(size), code(sum), time(backup.time)]
    };
    let head = vec!["What", "Size", "SHA-256 of its manifest", "Copied, read again and matched"];
    let rows = evidence.backups.iter().map(row).collect();
    let place = format!("They are in {}, each beside a manifest with the SHA-256 of every file.", evidence.backup);
    vec![Block::Words(place), Block::Table(Table { caption: "The backups of this run", head, rows })]
}

fn rolled_back(rollback: &Rollback) -> Vec<Block> {
    let done = rollback.done();
    let mut says = format!("Begun {}, {done} of {} parts done", moment(rollback.span.begun), rollback.parts.len());
    if let Some(ended) = rollback.span.ended {
        says += &format!(", over {} later", took(milliseconds(rollback.span.begun, ended)));
    }
    let row = |part: &Part| vec![words(sentence(&part.what)), part.done.map_or_else(|| words("not done"), time)];
    let rows = rollback.parts.iter().map(row).collect();
    let table = Table { caption: "What was put back, in this order", head: vec!["What", "Done"], rows };
    let mut blocks = vec![Block::Words(format!("{says}.")), Block::Table(table)];
    if !rollback.not_restored.is_empty() {
        let what = "Not restored, and not promised".to_owned();
        blocks.push(Block::List(vec![(what, rollback.not_restored.clone())]));
    }
    blocks
}

fn origin(evidence: &Evidence) -> Vec<Block> {
    let mut says = format!(
        "Told by pfupgrade from the journal of the run, {}, in which every record carries a checksum over all before it. \
         The run was begun by pfupgrade {}. All times are UTC. Values that look like credentials are not in the journal, \
         and so are not here.",
        evidence.journal, evidence.program
    );
    if let Some(approved) = &evidence.approved {
        says += &format!(" It carried out the approved preview {approved}.");
    }
    let row = |session: &Session| {
        vec![code(&session.command), words(session.user.clone().unwrap_or_default()), time(session.time)]
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
