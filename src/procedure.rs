//! Plan and survey compiled into ordered steps.
//!
//! `compile` is the one place where the order lives, and it reads like Microsoft's article: back up; stop; uninstall
//! portal, mobile app, SDK and agent; install the server and then the web parts; tell the console; verify.

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

/// What would be done, and what stands against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Procedure {
    /// The steps, in order. Empty where there is nothing to do.
    pub steps: Vec<Step>,
    /// What stands against it, as far as compiling shows it.
    pub findings: Vec<Finding>,
    /// What becomes of each component.
    pub fates: Vec<Fate>,
    /// Why there is no way back, from the first uninstall of such a product on.
    pub no_return: Vec<String>,
}

/// One component: what was found, and what becomes of it, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fate {
    /// Which component.
    pub component: Component,
    /// The product that was found.
    pub found: Option<String>,
    /// Where it is served from.
    pub location: Option<String>,
    /// What becomes of it.
    pub fate: String,
}

/// A compiled procedure, with what it was compiled from: preflight looks at both.
pub(crate) struct Compiled<'a> {
    pub(crate) context: CompileContext<'a>,
    pub(crate) targets: Vec<Target>,
    pub(crate) procedure: Procedure,
}

/// Compiles the procedure. Where something blocks the run, the steps are those that can be told all the same.
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
        // 5. What only the console knows.
        steps.extend(targets.iter().filter_map(|target| web::tell_console(&context, target)));
        steps.extend(server::start_dependents(&context));
        // 6. Verify; the outage ends. Then it is the turn of the web servers.
        steps.push(verify(&context, &targets));
        steps.extend(server::hand_over(&context, &targets));
        add_hooks(plan, machine, &mut steps, &mut findings);
    }
    let fates =
        context.choices.iter().map(|(component, choice)| fate(&context, *component, choice, &targets)).collect();
    let no_return = Component::ALL.iter().filter_map(|component| context.replaced(*component)?.way_back.clone().err());
    let procedure = Procedure { steps, findings, fates, no_return: no_return.collect() };
    Ok(Compiled { context, targets, procedure })
}

/// Whether the steps of a component can be told: what is refused as unreadable cannot be previewed either.
fn can_be_told(context: &CompileContext<'_>, target: &Target) -> bool {
    let faults = match target.comes_along {
        true => Vec::new(),
        false => packages::web_faults(context.machine, &target.package, target.component, context.survey.system.bits),
    };
    faults.iter().all(|fault| fault.id != "installer-unreadable") && encrypted::can_be_carried_over(context, target)
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
        "what was installed has to be there, open, and running",
        Work::Verify(Verify { expected, other_holders: web::other_holders(context) }),
    )
    .in_outage()
}

/// Puts the plan's own programs around the steps they name. Several on one side of a step keep the plan's order.
fn add_hooks(plan: &Plan, machine: &dyn Inspect, steps: &mut Vec<Step>, findings: &mut Vec<Finding>) {
    let (before, after): (Vec<_>, Vec<_>) =
        plan.hooks.iter().enumerate().partition(|(_, hook)| matches!(hook.when, When::Before(_)));
    // Each goes next to its step: before it, the last one added is the nearest; after it, the first.
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
        let title = format!("a hook is to run {side} `{id}`, and there is no such step");
        return Err(Box::new(
            Finding::refuse("hook-without-step", title)
                .evidence([format!("the steps are: {known}")])
                .advice("name one of these steps, or take the hook out of the plan"),
        ));
    };
    let refuse =
        |title: String| Box::new(Finding::refuse("hook-without-program", title).advice("correct the hook's `run`"));
    let program = hook.run.path.expand(|name| machine.variable(name)).map_err(|error| refuse(error.to_string()))?;
    let entry = machine.files().entry(&program).ok().flatten();
    if entry.is_none_or(|entry| entry.kind != disk::Kind::File) {
        return Err(refuse(format!("the program {program} of the hook {side} `{id}` is not there")));
    }
    let step_id = StepId::named(&format!("hook-{number}-{side}-{id}"));
    let work = RunHook { id: step_id, program, arguments: hook.run.arguments.clone(), timeout: hook.timeout };
    let step = Step::new(format!("the plan has it run {side} {id}"), Work::Hook(work));
    Ok((at + behind, Step { component: steps[at].component, outage: steps[at].outage, ..step }))
}

fn fate(context: &CompileContext<'_>, component: Component, choice: &Choice, targets: &[Target]) -> Fate {
    let found = context.survey.components.get(&component);
    let location = found.and_then(|found| found.applications.first()).map(|served| served.location());
    let (product, fate) = match choice {
        Choice::Absent => (None, "not installed: nothing to do".to_owned()),
        Choice::AlreadyNew(product) => (Some(product.title()), "upgraded already: nothing to do".to_owned()),
        Choice::Kept(product) => (product.as_ref().map(Product::title), "kept as it is, as the plan says".to_owned()),
        Choice::Unclear => (
            found.and_then(|found| found.products.first()).map(|product| product.title()),
            "unclear: see preflight".to_owned(),
        ),
        Choice::Replaced(replaced) => {
            let target = targets.iter().find(|target| target.component == component);
            let fate = match (replaced.again, target) {
                (false, _) => "uninstalled, as the plan says".to_owned(),
                (true, Some(target)) => format!("upgraded, as {}{}", target.site, target.path),
                (true, None) if component == Component::Server => "upgraded, in the same folder".to_owned(),
                (true, None) => "to be upgraded: see preflight".to_owned(),
            };
            (Some(replaced.product.title()), fate)
        }
    };
    Fate { component, found: product, location, fate }
}
