//! Plan and survey compiled into ordered steps.
//!
//! `compile` is the only place that defines the order, which is that of Microsoft's article: back up; stop; uninstall
//! portal, mobile app, SDK and agent; install the server and then the web components; verify; update the console.

mod choice;
mod context;
pub(crate) mod encrypted;
mod server;
mod target;
mod web;

pub use choice::{Choice, Replaced};
pub(crate) use context::CompileContext;
pub(crate) use target::Target;

use crate::finding::Finding;
use crate::plan::{Component, Hook, Plan, When};
use crate::platform::{Failure, Inspect, disk};
use crate::step::{Expected, Folders, RunHook, Step, StepId, Verify, Work};
use crate::survey::products::Product;
use crate::survey::{Survey, packages};
use serde::{Deserialize, Serialize};

/// The steps, and the findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Procedure {
    /// The steps, in order; empty if there is nothing to do.
    pub steps: Vec<Step>,
    /// The findings of compiling.
    pub findings: Vec<Finding>,
    /// What happens to each component.
    pub fates: Vec<Fate>,
    /// Why a full rollback is impossible after the first uninstall of such a product.
    pub no_return: Vec<String>,
}

/// A component: what was found, and what happens to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fate {
    /// Which component.
    pub component: Component,
    /// The product that was found.
    pub found: Option<String>,
    /// Where it is served from.
    pub location: Option<String>,
    /// What happens to it.
    pub fate: String,
}

/// A compiled procedure, with its input, for the preflight checks.
pub(crate) struct Compiled<'a> {
    pub(crate) context: CompileContext<'a>,
    pub(crate) targets: Vec<Target>,
    pub(crate) procedure: Procedure,
}

/// Compiles the procedure. If something blocks the run, the result has the steps that are known anyway.
pub(crate) fn compile<'a>(
    plan: &'a Plan,
    survey: &'a Survey,
    machine: &'a dyn Inspect,
    folders: &'a Folders,
) -> Result<Compiled<'a>, Failure> {
    let (choices, mut findings) = choice::choose(plan, survey, machine)?;
    let context = CompileContext { plan, survey, machine, folders, choices };
    let targets = target::targets(&context, &mut findings);

    let mut steps = Vec::new();
    if Component::ALL.iter().any(|component| context.replaced(*component).is_some()) {
        // 1. Back up, services running.
        steps.extend(web::back_up(&context));
        steps.extend(server::back_up(&context));
        steps.extend(targets.iter().filter_map(|target| encrypted::decrypt(&context, target)));
        // 2. The outage starts.
        steps.extend(server::stop_and_back_up_data(&context));
        // 3. Uninstall what talks to the server first, the server last.
        for component in [Component::Portal, Component::MobileApp, Component::Sdk] {
            steps.extend(web::uninstall(&context, component));
        }
        steps.extend(server::uninstall(&context));
        // 4. The server, then what talks to it.
        steps.extend(server::install(&context, &mut findings));
        let targets_told = || targets.iter().filter(|target| can_be_told(&context, target));
        steps.extend(targets_told().filter_map(|target| web::await_package(&context, target)));
        for target in targets_told() {
            steps.extend(web::install(&context, target));
        }
        steps.extend(encrypted::remove(&steps));
        steps.extend(server::start_dependents(&context));
        // 5. Verify; the outage ends.
        steps.push(verify(&context, &targets));
        // 6. What only the console can change. The web servers are next.
        steps.extend(targets.iter().filter_map(|target| web::tell_console(&context, target)));
        steps.extend(server::hand_over(&context, &targets));
        add_hooks(plan, machine, &mut steps, &mut findings);
    }
    let fates =
        context.choices.iter().map(|(component, choice)| fate(&context, *component, choice, &targets)).collect();
    let no_return = Component::ALL.iter().filter_map(|component| context.replaced(*component)?.way_back.clone().err());
    let procedure = Procedure { steps, findings, fates, no_return: no_return.collect() };
    Ok(Compiled { context, targets, procedure })
}

/// Whether the steps of a component are known: an unreadable installer cannot be previewed.
fn can_be_told(context: &CompileContext<'_>, target: &Target) -> bool {
    let faults = match target.comes_along {
        true => Vec::new(),
        false => packages::web_faults(context.machine, &target.package, target.component, context.survey.system.bits),
    };
    faults.iter().all(|fault| fault.id != "installer-unreadable") && encrypted::can_be_migrated(context, target)
}

fn verify(context: &CompileContext<'_>, targets: &[Target]) -> Step {
    let mut expected = Vec::new();
    for component in Component::ALL {
        let Some(replaced) = context.replaced(component) else { continue };
        expected.push(Expected::OldGone { component, codes: vec![replaced.product.code.clone()] });
        if replaced.again {
            expected.push(Expected::NewInstalled { component });
        }
        if replaced.again && component == Component::Server {
            expected.push(Expected::Runs { service: server::SERVICE.into() });
        }
    }
    expected.extend(targets.iter().map(|target| Expected::Application {
        site: target.site.clone(),
        path: target.path.clone(),
        folder: target.folder.clone(),
    }));
    Step::new(
        "Everything that was installed must be present, open to users, and running.",
        Work::Verify(Verify { expected, other_holders: web::other_holders(context) }),
    )
    .in_outage()
}

/// Adds the plan's hooks before and after the steps they name. Several on one side of a step keep the plan's order.
fn add_hooks(plan: &Plan, machine: &dyn Inspect, steps: &mut Vec<Step>, findings: &mut Vec<Finding>) {
    let (before, after): (Vec<_>, Vec<_>) =
        plan.hooks.iter().enumerate().partition(|(_, hook)| matches!(hook.when, When::Before(_)));
    // Each is added next to its step: before it, the last one added is the nearest; after it, the first.
    for (number, hook) in before.into_iter().chain(after.into_iter().rev()) {
        match hook_step(number + 1, hook, machine, steps) {
            Ok((at, step)) => steps.insert(at, step),
            Err(finding) => findings.push(*finding),
        }
    }
}

/// The step that runs a hook, and its place.
fn hook_step(number: usize, hook: &Hook, machine: &dyn Inspect, steps: &[Step]) -> Result<(usize, Step), Box<Finding>> {
    let (side, id, behind) = match &hook.when {
        When::Before(id) => ("before", id, 0),
        When::After(id) => ("after", id, 1),
    };
    let Some(at) = steps.iter().position(|step| step.id == id.as_str()) else {
        let known = steps.iter().filter(|step| !matches!(step.work, Work::Hook(_))).map(|step| step.id.as_str());
        let known = known.collect::<Vec<_>>().join(", ");
        let title = format!("a hook runs {side} the step `{id}`, which does not exist");
        return Err(Box::new(
            Finding::refuse("hook-without-step", title)
                .evidence([format!("the steps are: {known}")])
                .advice("specify one of these steps, or remove the hook from the plan"),
        ));
    };
    let refuse =
        |title: String| Box::new(Finding::refuse("hook-without-program", title).advice("fix the hook's `run`"));
    let program = hook.run.path.expand(|name| machine.variable(name)).map_err(|error| refuse(error.to_string()))?;
    let entry = machine.files().entry(&program).ok().flatten();
    if entry.is_none_or(|entry| entry.kind != disk::Kind::File) {
        return Err(refuse(format!("the program {program} of the hook {side} `{id}` is missing")));
    }
    let step_id = StepId::named(&format!("hook-{number}-{side}-{id}"));
    let work = RunHook { id: step_id, program, arguments: hook.run.arguments.clone(), timeout: hook.timeout };
    let step = Step::new(format!("Hook in the plan, {side} {id}."), Work::Hook(work));
    Ok((at + behind, Step { component: steps[at].component, outage: steps[at].outage, ..step }))
}

fn fate(context: &CompileContext<'_>, component: Component, choice: &Choice, targets: &[Target]) -> Fate {
    let found = context.survey.components.get(&component);
    let location = found.and_then(|found| found.applications.first()).map(|served| served.location());
    let (product, fate) = match choice {
        Choice::Absent => (None, "not installed: nothing to do".to_owned()),
        Choice::AlreadyNew(product) => (Some(product.title()), "already upgraded: nothing to do".to_owned()),
        Choice::Kept(product) => (product.as_ref().map(Product::title), "kept, as specified in the plan".to_owned()),
        Choice::Unclear => (
            found.and_then(|found| found.products.first()).map(|product| product.title()),
            "unclear: see the checks below".to_owned(),
        ),
        Choice::Replaced(replaced) => {
            let target = targets.iter().find(|target| target.component == component);
            let fate = match (replaced.again, target) {
                (false, _) => "uninstalled, as specified in the plan".to_owned(),
                (true, Some(target)) => format!("upgraded, as {}{}", target.site, target.path),
                (true, None) if component == Component::Server => "upgraded, in the same folder".to_owned(),
                (true, None) => "to be upgraded: see the checks below".to_owned(),
            };
            (Some(replaced.product.title()), fate)
        }
    };
    Fate { component, found: product, location, fate }
}
