//! The sections about the result on the machine.

use super::document::{Block, Cell, Kind, Table, code, sentence, words};
use super::{ChangeReport, IisFacts, Now};
use crate::journal::{Span, Standing, milliseconds};
use crate::report::change::document::took;
use crate::report::text::bytes;
use crate::step::Checked;
use std::collections::BTreeSet;

const UNKNOWN: &str = "not recorded";

/// What a rollback has undone is still reported, as what the run had done.
pub(super) fn since_undone(report: &ChangeReport) -> Option<Block> {
    let says = match report.story.standing() {
        Standing::RolledBack => "This is what the run had done. It was rolled back afterwards.",
        Standing::RollingBack => {
            "This is what the run had done. A rollback was started afterwards and is not complete."
        }
        Standing::Unfinished | Standing::Finished => return None,
    };
    Some(Block::Words(says.to_owned()))
}

pub(super) fn components(report: &ChangeReport) -> Vec<Block> {
    let row = |component: &super::ComponentReport| {
        let kind = match component.now {
            Now::Untouched => Kind::Words,
            Now::Upgraded | Now::Removed | Now::RolledBack => Kind::Good,
            _ => Kind::Open,
        };
        let now = Cell { text: component.fate.clone(), kind };
        vec![words(sentence(component.title)), words(&component.before), words(&component.intended), now]
    };
    let head = vec!["Component", "Before", "Intended", "Now"];
    let rows = report.components.iter().map(row).collect();
    let caption = "Every component that was found, as of the last record of the run";
    vec![Block::Table(Table { caption, head, rows })]
}

/// The individual checks of the last step.
pub(super) fn verified(report: &ChangeReport) -> Vec<Block> {
    let Some(verified) = &report.verified else {
        let is_over = |step: &crate::journal::StepState| step.id == *"verify" && step.how.is_some();
        let says = match report.story.steps.iter().any(is_over) {
            true => "The upgraded machine was checked; this journal does not list the checks.",
            false => "The run has not reached the checks of the upgraded machine.",
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
    let when = format!("Checked at {}.", report.time.both(verified.time));
    let rows = verified.checks.iter().map(row).collect();
    let caption = "Every check of the upgraded machine";
    let table = Table { caption, head: vec!["Check", "Result"], rows };
    let undone = since_undone(report);
    [Block::Words(when), Block::Table(table)].into_iter().chain(undone).collect()
}

/// The installers of the new versions.
pub(super) fn installers(report: &ChangeReport) -> Vec<Block> {
    if report.installers_used.is_empty() {
        return vec![Block::Words("The run has not reached an installer of a new version.".to_owned())];
    }
    let row = |used: &super::UsedInstallerReport| {
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
    let rows = report.installers_used.iter().map(row).collect();
    let caption = "Each file right before it was run, or when the manual step that names it was reached";
    let mut blocks = vec![Block::Table(Table { caption, head, rows })];
    if report.installers_used.iter().any(|used| used.by_hand) {
        let says = "In a manual step, the journal does not show which file was actually run.";
        blocks.push(Block::Words(says.to_owned()));
    }
    blocks
}

pub(super) fn web(report: &ChangeReport) -> Vec<Block> {
    if report.web.is_empty() {
        return vec![Block::Words("No web component was found in IIS.".to_owned())];
    }
    let one = |web: &super::WebReport| {
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
    let first = [Block::Words(says.to_owned())].into_iter().chain(since_undone(report));
    first.chain(report.web.iter().flat_map(one)).collect()
}

pub(super) fn themes(report: &ChangeReport) -> Vec<Block> {
    if report.themes.is_empty() {
        return vec![Block::Words("No custom theme was copied.".to_owned())];
    }
    let row =
        |theme: &super::ThemeReport| vec![code(&theme.from), code(&theme.to), words(report.time.both(theme.time))];
    let rows = report.themes.iter().map(row).collect();
    let table = Table { caption: "Custom themes that were copied", head: vec!["From", "To", "When"], rows };
    since_undone(report).into_iter().chain([Block::Table(table)]).collect()
}

/// Every outage, in UTC and in the server's local time.
pub(super) fn outages(report: &ChangeReport) -> Vec<Block> {
    let row = |outage: &Span| {
        let ended = outage.ended.map_or_else(|| "ongoing".to_owned(), |ended| report.time.both(ended));
        let length = outage.ended.map(|ended| took(milliseconds(outage.begun, ended))).unwrap_or_default();
        vec![words(report.time.both(outage.begun)), words(ended), words(length)]
    };
    let rows: Vec<Vec<Cell>> = report.story.outages.iter().map(row).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let caption = "Outages: users could not sign in";
    vec![Block::Table(Table { caption, head: vec!["Began", "Ended", "Length"], rows })]
}

/// Lines to fill in on paper.
pub(super) fn signatures() -> Vec<Block> {
    let row = |what: &str| vec![words(what), words(""), words(""), words("")];
    let rows = ["Carried out by", "Checked by", "Approved by"].map(row).into();
    let head = vec!["", "Name", "Date", "Signature"];
    vec![Block::Table(Table { caption: "To be filled in", head, rows })]
}
