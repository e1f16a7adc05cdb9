//! The preview, in the order in which the run would happen.

use super::page::{BOLD, CYAN, DIM, GREEN, PLAIN, Page, RED, YELLOW, columns};
use super::{bytes, count, instructions, merge};
use crate::finding::{Finding, Level};
use crate::prepare::{GatePreview, Preview, StepPreview};
use crate::step::Certainty;

/// The whole preview, `width` columns wide. A blocked one ends with what to do about it, and has no steps: they could not
/// be right.
pub fn preview(preview: &Preview, width: usize) -> String {
    let mut page = Page::new(width);
    header(&mut page, preview);
    components(&mut page, preview);
    let (blocking, others): (Vec<_>, Vec<_>) = preview.findings.iter().partition(|finding| finding.refuses());
    findings(&mut page, &format!("Checks: {}", count(others.len(), "warning")), &others);
    if blocking.is_empty() {
        no_return(&mut page, preview);
        steps(&mut page, preview);
        closing(&mut page, preview);
    } else {
        findings(&mut page, &count(blocking.len(), "blocking check"), &blocking);
        blocked(&mut page, &blocking);
    }
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
    if !preview.steps.is_empty() && !preview.refused() {
        page.line(2, "backups  ", DIM, &format!("{}, called <backups> below", preview.backup), PLAIN);
        let sizes = preview.steps.iter().filter_map(|step| step.bytes);
        if let (Some(size), Some(free)) = (sizes.reduce(u64::saturating_add), preview.backup_free) {
            page.line(2, "space    ", DIM, &format!("{} to back up, {} free there", bytes(size), bytes(free)), PLAIN);
        }
    }
}

fn components(page: &mut Page, preview: &Preview) {
    // What happens to them is up to a run that is not finished.
    if preview.components.is_empty() {
        return;
    }
    page.heading("Components");
    let longest = preview.components.iter().map(|component| columns(&component.title)).max().unwrap_or(0);
    for component in &preview.components {
        let label = format!("{:longest$}  ", component.title);
        let Some(found) = &component.found else {
            page.line(2, &label, BOLD, &component.fate, PLAIN);
            continue;
        };
        let location = component.location.iter().map(|location| format!(", {location}")).collect::<String>();
        page.line(2, &label, BOLD, &format!("{found}{location}"), PLAIN);
        page.line(2 + columns(&label), "-> ", DIM, &component.fate, PLAIN);
    }
}

fn findings(page: &mut Page, heading: &str, findings: &[&Finding]) {
    if findings.is_empty() {
        return;
    }
    page.heading(heading);
    for finding in findings {
        one_finding(page, finding);
    }
}

fn one_finding(page: &mut Page, finding: &Finding) {
    let (word, style) = match (finding.refuses(), finding.level) {
        (true, _) => ("blocking ", RED),
        (false, Level::Warn) => ("warning  ", YELLOW),
        (false, _) => ("allowed  ", YELLOW),
    };
    page.line(2, word, style, &format!("[{}] {}", finding.id, finding.title), PLAIN);
    for seen in &finding.evidence {
        page.line(11, "seen: ", DIM, seen, PLAIN);
    }
    if !finding.advice.is_empty() {
        page.line(11, "advice: ", DIM, &finding.advice, PLAIN);
    }
    if finding.refuses() && finding.level == Level::RefuseUnlessAllowed {
        let line = format!("allow it in the plan: [preflight] allow = [\"{}\"]", finding.id);
        page.line(11, "or: ", DIM, &line, PLAIN);
    }
}

fn no_return(page: &mut Page, preview: &Preview) {
    if preview.no_return.is_empty() {
        return;
    }
    page.heading("No full rollback");
    for why in &preview.no_return {
        page.line(2, "- ", RED, why, PLAIN);
    }
    page.words(2, "`run` needs --accept-no-return, or a `rollback-installer` in the plan.");
}

fn steps(page: &mut Page, preview: &Preview) {
    if preview.steps.is_empty() {
        return;
    }
    page.heading("What a run will do");
    if preview.steps.iter().any(|step| step.certainty == Certainty::Estimated) {
        page.line(2, "[expected]  ", PLAIN, "based on defaults; checked again before it is applied", DIM);
    }
    let outage = outage(preview);
    for (at, step) in preview.steps.iter().enumerate() {
        page.blank();
        if outage.is_some_and(|(first, _)| first == at) {
            page.rule("the outage starts: users cannot sign in", YELLOW);
            page.blank();
        }
        if step.no_return {
            page.rule("no full rollback after this point", RED);
            page.blank();
        }
        one_step(page, at + 1, preview);
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

fn one_step(page: &mut Page, number: usize, preview: &Preview) {
    let (step, backup) = (&preview.steps[number - 1], preview.backup.as_str());
    page.line(0, &format!("{number:>3}. "), BOLD, &format!("{}{}", step.title, mark(step, preview)), BOLD);
    page.line(5, "", PLAIN, &step.reason, DIM);
    for touched in &step.touches {
        page.line(5, "- ", DIM, &touched.replace(backup, "<backups>"), PLAIN);
    }
    if let Some(size) = step.bytes {
        page.line(5, "size: ", DIM, &bytes(size), PLAIN);
    }
    for note in &step.notes {
        page.line(5, "note: ", YELLOW, note, PLAIN);
    }
    if let Some(gate) = &step.gate {
        one_gate(page, gate, &step.title);
    }
    if let Some(merged) = &step.merge {
        merge::merge(page, merged);
    }
}

fn one_gate(page: &mut Page, gate: &GatePreview, step: &str) {
    let label = format!("gate {}: ", gate.id);
    let title = if gate.title == step { "the run waits until this is done" } else { &gate.title };
    match &gate.skipped {
        Some(why) => page.line(5, &label, CYAN, &format!("skipped by the plan: {why}"), PLAIN),
        None => {
            page.line(5, &label, CYAN, title, PLAIN);
            instructions(page, 7, &gate.instructions);
        }
    }
}

/// How certain a step is. What is unknown is known once the new server has been installed, or the old file decrypted.
fn mark(step: &StepPreview, preview: &Preview) -> String {
    let number = |id: &str| preview.steps.iter().position(|step| step.id == id).map(|at| at + 1);
    let earlier = || number("install-server").or_else(|| number(&step.id.replace("configure", "decrypt")));
    match step.certainty {
        Certainty::Exact => String::new(),
        Certainty::Estimated => " [expected]".to_owned(),
        Certainty::KnownLater => earlier().map_or_else(String::new, |number| format!(" [known after step {number}]")),
    }
}

/// The end of a blocked preview.
fn blocked(page: &mut Page, blocking: &[&Finding]) {
    let mut ids: Vec<&str> = blocking.iter().map(|finding| finding.id.as_str()).collect();
    ids.dedup();
    page.blank();
    page.line(0, "", PLAIN, &format!("The run is blocked: {}. See the checks above.", ids.join(", ")), RED);
    page.line(0, "", PLAIN, "Nothing was changed.", BOLD);
}

/// The summary, which a terminal shows last.
fn closing(page: &mut Page, preview: &Preview) {
    page.blank();
    let steps = &preview.steps;
    if steps.is_empty() {
        page.line(0, "", PLAIN, "There is nothing to do. Nothing was changed.", BOLD);
        return;
    }
    page.line(2, "steps    ", DIM, &steps.len().to_string(), PLAIN);
    let waits =
        |step: &StepPreview| step.gate.as_ref().filter(|gate| gate.skipped.is_none()).map(|gate| gate.id.clone());
    let gates: Vec<String> =
        steps.iter().enumerate().filter_map(|(at, step)| Some(format!("{} ({})", waits(step)?, at + 1))).collect();
    if !gates.is_empty() {
        // Only the first number needs a label.
        page.line(2, "gates    ", DIM, &gates.join(", ").replacen('(', "(step ", 1), PLAIN);
    }
    if let Some((first, last)) = outage(preview) {
        page.line(2, "outage   ", DIM, &format!("from step {} to step {}", first + 1, last + 1), PLAIN);
    }
    if let Some(at) = steps.iter().position(|step| step.no_return) {
        page.line(2, "rollback ", DIM, &format!("incomplete from step {} on", at + 1), RED);
    }
    page.blank();
    page.line(0, "", PLAIN, "Nothing was changed.", BOLD);
}
