//! The parts of the document that say what came of the run on the machine.

use super::document::{Block, Cell, Kind, Table, code, sentence, words};
use super::{Evidence, IisFacts, Now};
use crate::journal::{Span, Standing, milliseconds};
use crate::report::evidence::document::took;
use crate::report::text::bytes;
use crate::step::Checked;
use std::collections::BTreeSet;

const UNKNOWN: &str = "not recorded";

/// What a rollback has undone is told all the same, as what the run had done.
pub(super) fn since_undone(evidence: &Evidence) -> Option<Block> {
    let says = match evidence.story.standing() {
        Standing::RolledBack => "This is what the run had done. It was rolled back afterwards.",
        Standing::RollingBack => {
            "This is what the run had done. A rollback was started afterwards and is not complete."
        }
        Standing::Unfinished | Standing::Finished => return None,
    };
    Some(Block::Words(says.to_owned()))
}

pub(super) fn components(evidence: &Evidence) -> Vec<Block> {
    let row = |component: &super::ComponentEvidence| {
        let kind = match component.now {
            Now::Untouched => Kind::Words,
            Now::Upgraded | Now::Removed | Now::RolledBack => Kind::Good,
            _ => Kind::Open,
        };
        let now = Cell { text: component.fate.clone(), kind };
        vec![words(sentence(component.title)), words(&component.before), words(&component.intended), now]
    };
    let head = vec!["Component", "Before", "Intended", "Now"];
    let rows = evidence.components.iter().map(row).collect();
    let caption = "Every component that was found, as of the last record of the run";
    vec![Block::Table(Table { caption, head, rows })]
}

/// What the last step has checked, check by check.
pub(super) fn verified(evidence: &Evidence) -> Vec<Block> {
    let Some(verified) = &evidence.verified else {
        let is_over = |step: &crate::journal::StepState| step.id == *"verify" && step.how.is_some();
        let says = match evidence.story.steps.iter().any(is_over) {
            true => "The upgraded machine was checked; this journal does not list the checks.",
            false => "The run has not come to the checks of the upgraded machine.",
        };
        return vec![Block::Words(says.to_owned())];
    };
    let row = |check: &Checked| {
        let result = match &check.fault {
            None => Cell { text: "passed".to_owned(), kind: Kind::Good },
            Some(fault) => Cell { text: format!("failed: {fault}"), kind: Kind::Open },
        };
        vec![words(&check.what), result]
    };
    let when = format!("Checked at {}.", evidence.time.both(verified.time));
    let rows = verified.checks.iter().map(row).collect();
    let caption = "Every check of the upgraded machine";
    let table = Table { caption, head: vec!["Check", "Result"], rows };
    let undone = since_undone(evidence);
    [Block::Words(when), Block::Table(table)].into_iter().chain(undone).collect()
}

/// The files that the new versions were installed from.
pub(super) fn installers(evidence: &Evidence) -> Vec<Block> {
    if evidence.installers_used.is_empty() {
        return vec![Block::Words("The run has not come to an installer of a new version.".to_owned())];
    }
    let row = |used: &super::UsedInstallerEvidence| {
        let signed_by = match used.signed_by.as_deref() {
            None => words(UNKNOWN),
            Some("") => Cell { text: "no valid signature".to_owned(), kind: Kind::Open },
            Some(by) => words(by),
        };
        let size = used.size.map_or_else(|| UNKNOWN.to_owned(), bytes);
        let sum = used.sha256.as_ref().map(|sum| format!(", SHA-256 `{sum}`")).unwrap_or_default();
        let unknown = || UNKNOWN.to_owned();
        vec![
            used.file.as_ref().map_or_else(|| words(UNKNOWN), code),
            words(used.product.clone().unwrap_or_else(unknown)),
            signed_by,
            words(format!("{size}{sum}")),
            words(&used.says),
        ]
    };
    let head = vec!["File", "Product", "Signed by", "Size, SHA-256", "What happened"];
    let rows = evidence.installers_used.iter().map(row).collect();
    let caption = "Each file as it was when it was about to be run, or when the manual step that names it was reached";
    let mut blocks = vec![Block::Table(Table { caption, head, rows })];
    if evidence.installers_used.iter().any(|used| used.by_hand) {
        let says = "In a manual step, the journal does not show which file was actually run.";
        blocks.push(Block::Words(says.to_owned()));
    }
    blocks
}

pub(super) fn web(evidence: &Evidence) -> Vec<Block> {
    if evidence.web.is_empty() {
        return vec![Block::Words("No web component was found in IIS.".to_owned())];
    }
    let one = |web: &super::WebEvidence| {
        let rows = |facts: &Option<IisFacts>| facts.as_ref().map(IisFacts::rows).unwrap_or_default();
        let (before, after) = (rows(&web.before), rows(&web.after));
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let order = |name: &&String| ["Site", "Path", "Folder", "Pool"].iter().position(|first| first == name);
        let mut names: Vec<&String> = names.into_iter().collect();
        names.sort_by_key(|name| (order(name).unwrap_or(usize::MAX), *name));
        let cell = |value: Option<&String>| value.map_or_else(|| words("(not set)"), code);
        let row = |name: &String| {
            let label = if name.contains('/') { code(name) } else { words(name) };
            let after = web.after.is_some().then(|| cell(after.get(name)));
            [label, cell(before.get(name))].into_iter().chain(after).collect()
        };
        let rows = names.into_iter().map(row).collect();
        let (head, caption) = match web.after {
            Some(_) => {
                (vec!["Property", "Before the run", "Set by the run"], "Before the run, and as the run configured it")
            }
            None => (vec!["Property", "Before the run"], "Before the run, which has not configured it"),
        };
        [Block::Heading(sentence(web.title)), Block::Table(Table { caption, head, rows })]
    };
    let says = "The application of each web component in IIS, with the settings of its location. Secrets are masked.";
    let first = [Block::Words(says.to_owned())].into_iter().chain(since_undone(evidence));
    first.chain(evidence.web.iter().flat_map(one)).collect()
}

pub(super) fn themes(evidence: &Evidence) -> Vec<Block> {
    if evidence.themes.is_empty() {
        return vec![Block::Words("No custom theme was copied.".to_owned())];
    }
    let row =
        |theme: &super::ThemeEvidence| vec![code(&theme.from), code(&theme.to), words(evidence.time.both(theme.time))];
    let rows = evidence.themes.iter().map(row).collect();
    let table = Table { caption: "Custom themes that were copied", head: vec!["From", "To", "When"], rows };
    since_undone(evidence).into_iter().chain([Block::Table(table)]).collect()
}

/// Every outage, in UTC and in the server's own time.
pub(super) fn outages(evidence: &Evidence) -> Vec<Block> {
    let row = |outage: &Span| {
        let ended = outage.ended.map_or_else(|| "not over".to_owned(), |ended| evidence.time.both(ended));
        let length = outage.ended.map(|ended| took(milliseconds(outage.begun, ended))).unwrap_or_default();
        vec![words(evidence.time.both(outage.begun)), words(ended), words(length)]
    };
    let rows: Vec<Vec<Cell>> = evidence.story.outages.iter().map(row).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let caption = "Outages: users could not sign in";
    vec![Block::Table(Table { caption, head: vec!["Began", "Ended", "Length"], rows })]
}

/// Lines to be filled in on paper.
pub(super) fn signatures() -> Vec<Block> {
    let row = |what: &str| vec![words(what), words(""), words(""), words("")];
    let rows = ["Carried out by", "Checked by", "Approved by"].map(row).into();
    let head = vec!["", "Name", "Date", "Signature"];
    vec![Block::Table(Table { caption: "To be filled in", head, rows })]
}
