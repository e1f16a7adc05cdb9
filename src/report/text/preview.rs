//! The preview, as a careful administrator reads it: from top to bottom, in the order in which it would happen.

use super::page::{BOLD, CYAN, DIM, GREEN, PLAIN, Page, RED, YELLOW};
use super::{count, instructions, merge};
use crate::preflight::{Finding, Level};
use crate::report::preview::{Certainty, GatePreview, Preview, StepPreview};

/// The whole preview, `width` columns wide.
pub fn preview(preview: &Preview, width: usize) -> String {
    let mut page = Page::new(width);
    header(&mut page, preview);
    components(&mut page, preview);
    findings(&mut page, preview);
    no_return(&mut page, preview);
    steps(&mut page, preview);
    page.blank();
    page.line(0, "", PLAIN, &closing(preview), BOLD);
    page.into_text()
}

fn header(page: &mut Page, preview: &Preview) {
    page.line(0, "", PLAIN, "Upgrade of PhoneFactor to Azure Multi-Factor Authentication Server", BOLD);
    page.blank();
    let simulated = if preview.simulated { " (simulated)" } else { "" };
    page.line(2, "machine  ", DIM, &format!("{}{simulated}", preview.machine), PLAIN);
    page.line(2, "windows  ", DIM, &preview.windows, PLAIN);
    if let Some(plan) = &preview.plan {
        page.line(2, "plan     ", DIM, plan, PLAIN);
    }
    if !preview.steps.is_empty() {
        page.line(2, "backups  ", DIM, &preview.backup, PLAIN);
    }
}

fn components(page: &mut Page, preview: &Preview) {
    page.heading("Components");
    let longest = preview.components.iter().map(|component| component.title.chars().count()).max().unwrap_or(0);
    for component in &preview.components {
        let label = format!("{:longest$}  ", component.title);
        let Some(found) = &component.found else {
            page.line(2, &label, BOLD, &component.fate, PLAIN);
            continue;
        };
        let location = component.location.iter().map(|location| format!(", {location}")).collect::<String>();
        page.line(2, &label, BOLD, &format!("{found}{location}"), PLAIN);
        page.line(2 + label.chars().count(), "-> ", DIM, &component.fate, PLAIN);
    }
}

fn findings(page: &mut Page, preview: &Preview) {
    let findings = &preview.findings;
    if findings.is_empty() {
        return;
    }
    let refusals = findings.iter().filter(|finding| finding.refuses()).count();
    let heading = match (refusals, findings.len() - refusals) {
        (0, others) => format!("Checks: {}", count(others, "remark")),
        (refusals, 0) => format!("Checks: {}", count(refusals, "refusal")),
        (refusals, others) => format!("Checks: {}, {}", count(refusals, "refusal"), count(others, "remark")),
    };
    page.heading(&heading);
    for finding in findings {
        one_finding(page, finding);
    }
}

fn one_finding(page: &mut Page, finding: &Finding) {
    let (word, style) = match (finding.refuses(), finding.level) {
        (true, _) => ("refused  ", RED),
        (false, Level::Warn) => ("warning  ", YELLOW),
        (false, _) => ("allowed  ", YELLOW),
    };
    page.line(2, word, style, &format!("{} [{}]", finding.title, finding.id), PLAIN);
    for seen in &finding.evidence {
        page.line(11, "seen: ", DIM, seen, PLAIN);
    }
    if !finding.advice.is_empty() {
        page.line(11, "advice: ", DIM, &finding.advice, PLAIN);
    }
    if finding.refuses() && finding.level == Level::RefuseUnlessAllowed {
        let line = format!("allow = [\"{}\"] below [preflight] in the plan lets it pass", finding.id);
        page.line(11, "or: ", DIM, &line, PLAIN);
    }
}

fn no_return(page: &mut Page, preview: &Preview) {
    if preview.no_return.is_empty() {
        return;
    }
    page.heading("No way back");
    for why in &preview.no_return {
        page.line(2, "- ", RED, why, PLAIN);
    }
    page.words(2, "`run` needs --accept-no-return. The plan's `rollback-installer` gives the way back.");
}

fn steps(page: &mut Page, preview: &Preview) {
    if preview.steps.is_empty() {
        return;
    }
    page.heading(&format!("What {} do", if preview.refused() { "it would" } else { "a run will" }));
    let outage = outage(preview);
    for (at, step) in preview.steps.iter().enumerate() {
        page.blank();
        if outage.is_some_and(|(first, _)| first == at) {
            page.rule("the outage starts: users cannot sign in", YELLOW);
            page.blank();
        }
        if step.no_return {
            page.rule("no way back from here on", RED);
            page.blank();
        }
        one_step(page, at + 1, step);
        if outage.is_some_and(|(_, last)| last == at) {
            page.blank();
            page.rule("the outage ends", GREEN);
        }
    }
}

/// The first and the last step of the outage.
fn outage(preview: &Preview) -> Option<(usize, usize)> {
    let steps = &preview.steps;
    Some((steps.iter().position(|step| step.outage)?, steps.iter().rposition(|step| step.outage)?))
}

fn one_step(page: &mut Page, number: usize, step: &StepPreview) {
    let certainty = match step.certainty {
        Certainty::Exact => "",
        Certainty::Estimated => " (estimated)",
        Certainty::KnownLater => " (known later)",
    };
    page.line(0, &format!("{number:>3}. "), BOLD, &format!("{}{certainty}", step.title), BOLD);
    page.line(5, "", PLAIN, &step.reason, DIM);
    for touched in &step.touches {
        page.line(5, "- ", DIM, touched, PLAIN);
    }
    for note in &step.notes {
        page.line(5, "note: ", YELLOW, note, PLAIN);
    }
    if let Some(gate) = &step.gate {
        one_gate(page, gate);
    }
    if let Some(merged) = &step.merge {
        merge::merge(page, merged);
    }
}

fn one_gate(page: &mut Page, gate: &GatePreview) {
    let label = format!("gate {}: ", gate.id);
    if let Some(why) = &gate.skipped {
        page.line(5, &label, CYAN, &format!("skipped, as the plan says: {why}"), PLAIN);
        return;
    }
    page.line(5, &label, CYAN, &gate.title, PLAIN);
    instructions(page, 7, &gate.instructions);
}

fn closing(preview: &Preview) -> String {
    if preview.steps.is_empty() {
        return match preview.refused() {
            true => "Refused. Nothing has been changed.".to_owned(),
            false => "There is nothing to do. Nothing has been changed.".to_owned(),
        };
    }
    let gates =
        preview.steps.iter().filter(|step| step.gate.as_ref().is_some_and(|gate| gate.skipped.is_none())).count();
    let mut text = format!("{}, {} among them. ", count(preview.steps.len(), "step"), count(gates, "gate"));
    if let Some((first, last)) = outage(preview) {
        text += &format!("Outage from step {} to step {}. ", first + 1, last + 1);
    }
    if preview.refused() {
        text += "A run is refused: see the checks above. ";
    }
    text + "Nothing has been changed."
}
