//! Checks before anything is changed.
//!
//! `check` checks everything the procedure needs. The procedure itself reports what it cannot choose (no product, no
//! site, a name that is taken), also as [`Finding`]s.

mod agent;
mod baseline;
mod folders;
mod installers;
mod launch;
mod leftovers;
mod machine;
mod others;
mod settings;

use crate::finding::{FINDINGS, Finding, Level};
use crate::platform::Failure;
use crate::procedure::{CompileContext, Compiled, Target};
use crate::survey::answers::Baseline;
pub(crate) use baseline::baseline;

/// Returns the findings for a compiled procedure, blocking ones first: those of compiling, and those of the machine's
/// checks. If there is nothing to do, only what speaks against that is checked.
pub(crate) fn check(compiled: &Compiled<'_>, baseline: &[Baseline]) -> Result<Vec<Finding>, Failure> {
    let Compiled { context, targets, procedure } = compiled;
    let mut findings: Vec<Finding> = another_machine(context).into_iter().collect();
    findings.extend(procedure.findings.iter().cloned());
    findings.extend(leftovers::check(context, targets)?);
    if !procedure.steps.is_empty() {
        findings.extend(needs(context, targets)?);
        findings.extend(baseline::silent(baseline));
    }
    for finding in &mut findings {
        finding.allowed = context.plan.preflight.allow.contains(&finding.id);
    }
    findings.sort_by_key(|finding| !finding.refuses());
    Ok(findings)
}

/// A plan that names a server is for no other one, even if there is nothing to do.
fn another_machine(context: &CompileContext<'_>) -> Option<Finding> {
    let (wanted, name) = (context.plan.machine.as_ref()?, &context.survey.system.name);
    // Names of computers are not case-sensitive.
    let is_it = name.is_empty() || wanted.eq_ignore_ascii_case(name);
    let advice = format!("run it on {wanted}, or write a plan for this server: pfupgrade init");
    let finding = || Finding::refuse("another-machine", format!("the plan is for {wanted}, and this server is {name}"));
    (!is_it).then(|| finding().evidence([format!("machine = \"{wanted}\" in the plan")]).advice(advice))
}

fn needs(ground: &CompileContext<'_>, targets: &[Target]) -> Result<Vec<Finding>, Failure> {
    let mut findings = machine::check(ground, targets)?;
    agent::check(ground, &mut findings)?;
    folders::check(ground, &mut findings)?;
    settings::check(ground, targets, &mut findings);
    others::check(ground, targets, &mut findings);
    findings.extend(installers::check(ground, targets)?);
    findings.extend(launch::check(ground, targets));
    findings.push(
        Finding::warn("service-retired", "Microsoft's cloud has not processed MFA Server requests since 2024-09-30")
            .advice(
                "the upgraded server keeps its users and settings, but Microsoft's cloud no longer verifies sign-ins",
            ),
    );
    findings.extend(ground.plan.preflight.allow.iter().filter_map(|id| unknown_allowance(id)));
    Ok(findings)
}

/// An entry without effect is most likely misspelled.
fn unknown_allowance(id: &str) -> Option<Finding> {
    let title = match FINDINGS.iter().find(|(known, ..)| *known == id) {
        Some((_, Level::RefuseUnlessAllowed, _)) => return None,
        Some((_, Level::Refuse, _)) => format!("the plan allows the check `{id}`, which cannot be allowed"),
        Some((_, Level::Warn, _)) => format!("the plan allows the check `{id}`, which is only a warning"),
        None => format!("the plan allows the unknown check `{id}`"),
    };
    let can = FINDINGS.iter().filter(|(_, level, _)| *level == Level::RefuseUnlessAllowed).map(|(id, ..)| *id);
    let can = can.collect::<Vec<_>>().join(", ");
    let advice = format!("remove it from `allow` in [preflight], or fix it; these checks can be allowed: {can}");
    Some(Finding::warn("unknown-allowance", title).advice(advice))
}
