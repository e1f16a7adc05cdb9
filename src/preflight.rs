//! What stands in the way of an upgrade, found before anything is changed.
//!
//! `check` looks at everything the procedure needs. What cannot even be chosen (no product, no site, a name that is
//! taken) the procedure reports itself, as [`Finding`]s too.

mod folders;
mod installers;
mod machine;
mod others;
mod settings;

use crate::finding::{FINDINGS, Finding, Level};
use crate::platform::Failure;
use crate::procedure::{CompileContext, Compiled, Target};

/// Everything that stands against a compiled procedure, blocking findings first: what compiling showed, and what the
/// procedure needs of the machine. Where there is nothing to do, nothing more is needed.
pub(crate) fn check(compiled: &Compiled<'_>) -> Result<Vec<Finding>, Failure> {
    let Compiled { context, targets, procedure } = compiled;
    let mut findings = procedure.findings.clone();
    if !procedure.steps.is_empty() {
        findings.extend(needs(context, targets)?);
    }
    findings.sort_by_key(|finding| !finding.refuses());
    Ok(findings)
}

fn needs(ground: &CompileContext<'_>, targets: &[Target]) -> Result<Vec<Finding>, Failure> {
    let mut findings = machine::check(ground, targets)?;
    folders::check(ground, &mut findings)?;
    settings::check(ground, targets, &mut findings);
    others::check(ground, targets, &mut findings);
    findings.extend(installers::check(ground, targets)?);
    findings.push(
        Finding::warn("service-retired", "Microsoft's service has answered no MFA Server requests since 2024-09-30")
            .advice(
                "the upgraded server keeps its users and settings, but cannot have Microsoft's cloud verify anybody",
            ),
    );
    findings.extend(ground.plan.preflight.allow.iter().filter_map(|id| unknown_allowance(id)));
    for finding in &mut findings {
        finding.allowed = ground.plan.preflight.allow.contains(&finding.id);
    }
    Ok(findings)
}

/// An allowance that can never have an effect is most likely misspelt.
fn unknown_allowance(id: &str) -> Option<Finding> {
    let title = match FINDINGS.iter().find(|(known, ..)| *known == id) {
        Some((_, Level::RefuseUnlessAllowed, _)) => return None,
        Some((_, Level::Refuse, _)) => format!("the plan allows `{id}`, which cannot be allowed"),
        Some((_, Level::Warn, _)) => format!("the plan allows `{id}`, which needs no allowance"),
        None => format!("the plan allows `{id}`, which no finding is called"),
    };
    let can = FINDINGS.iter().filter(|(_, level, _)| *level == Level::RefuseUnlessAllowed).map(|(id, ..)| *id);
    let can = can.collect::<Vec<_>>().join(", ");
    let advice = format!("take it out of `allow` in [preflight], or correct it: what can be allowed is {can}");
    Some(Finding::warn("unknown-allowance", title).advice(advice))
}
