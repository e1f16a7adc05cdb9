//! Plan and survey compiled into ordered steps.
//!
//! [`compile`] is the one place where the order lives, and it reads like Microsoft's article: back up; stop; uninstall
//! portal, mobile app, SDK and agent; install the server and then the web parts; tell the console; verify.

mod choice;
pub(crate) mod encrypted;
mod server;
mod web;

pub use choice::{Choice, Replaced};
pub(crate) use web::{Target, address};

use crate::plan::{Component, Hook, Plan, When};
use crate::platform::{Failure, Inspect, disk};
use crate::preflight::{self, Finding};
use crate::step::{Expected, Folders, Item, RunHook, Step, Verify, Work};
use crate::survey::Survey;
use crate::survey::products::Product;
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};

/// What would be done, and what stands against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Procedure {
    /// The steps, in order. Empty where there is nothing to do.
    pub steps: Vec<Step>,
    /// What preflight has to say.
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

/// Everything a part of the procedure is compiled from.
pub(crate) struct Ground<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) survey: &'a Survey,
    pub(crate) machine: &'a dyn Inspect,
    pub(crate) folders: &'a Folders,
    pub(crate) choices: Vec<(Component, Choice)>,
}

impl Ground<'_> {
    /// The component, where it is uninstalled.
    pub(crate) fn replaced(&self, component: Component) -> Option<&Replaced> {
        self.choices.iter().find(|(found, _)| *found == component).and_then(|(_, choice)| match choice {
            Choice::Replaced(replaced) => Some(&**replaced),
            _ => None,
        })
    }

    /// The component, where its new version is installed.
    pub(crate) fn upgraded(&self, component: Component) -> Option<&Replaced> {
        self.replaced(component).filter(|replaced| replaced.again)
    }

    /// What is backed up of packages: the one that brings the product back, and the one that Windows Installer keeps, of
    /// which the merge has the web.config as it was shipped.
    fn packages(&self, component: Component) -> Vec<Item> {
        let Some(replaced) = self.replaced(component) else { return Vec::new() };
        let item = |from: &WinPath, what: &str| Item {
            from: from.clone(),
            to: self.folders.backup.child(&format!("{component}-{what}.msi")),
            except: Vec::new(),
        };
        let way_back = replaced.way_back.as_ref().ok();
        let is_there = |path: &&WinPath| disk::exists(self.machine.files(), path).unwrap_or(false);
        let cached = replaced.product.package.as_ref().filter(|path| Some(*path) != way_back).filter(is_there);
        let items = [way_back.map(|path| item(path, "package")), cached.map(|path| item(path, "cached-package"))];
        items.into_iter().flatten().collect()
    }

    /// The codes of the old products of a component: whatever else is installed later is the new one.
    pub(crate) fn old_codes(&self, component: Component) -> Vec<String> {
        let found = self.survey.components.get(&component);
        let named = self.replaced(component).map(|replaced| &replaced.product);
        let mut codes: Vec<String> =
            found.into_iter().flat_map(|found| found.old()).chain(named).map(|old| old.code.clone()).collect();
        codes.sort();
        codes.dedup();
        codes
    }
}

/// Compiles the procedure. Where preflight refuses, the steps are those that could be told all the same.
pub fn compile(plan: &Plan, survey: &Survey, machine: &dyn Inspect, folders: &Folders) -> Result<Procedure, Failure> {
    let (choices, mut findings) = choice::choose(plan, survey, machine)?;
    let ground = Ground { plan, survey, machine, folders, choices };
    let targets = web::targets(&ground, &mut findings);

    let mut steps = Vec::new();
    if Component::ALL.iter().any(|component| ground.replaced(*component).is_some()) {
        // 1. Back up, services running.
        steps.extend(web::back_up(&ground));
        steps.extend(server::back_up(&ground));
        steps.extend(targets.iter().filter_map(|target| encrypted::decrypt(&ground, target)));
        // 2. The outage starts.
        steps.extend(server::stop_and_back_up_data(&ground));
        // 3. Uninstall what talks to the server first, the server last.
        for component in [Component::Portal, Component::MobileApp, Component::Sdk] {
            steps.extend(web::uninstall(&ground, component));
        }
        steps.extend(server::uninstall(&ground));
        // 4. The server, then what talks to it.
        steps.extend(server::install(&ground, &mut findings));
        let targets_told = || targets.iter().filter(|target| preflight::can_be_told(&ground, target));
        steps.extend(targets_told().filter_map(|target| web::await_package(&ground, target)));
        for target in targets_told() {
            steps.extend(web::install(&ground, target));
        }
        steps.extend(encrypted::remove(&steps));
        // 5. What only the console knows.
        steps.extend(targets.iter().filter_map(|target| web::tell_console(&ground, target)));
        steps.extend(server::start_dependents(&ground));
        // 6. Verify; the outage ends. Then it is the turn of the web servers.
        steps.push(verify(&ground, &targets));
        steps.extend(server::hand_over(&ground, &targets));
        add_hooks(plan, machine, &mut steps, &mut findings);
        findings.extend(preflight::check(&ground, &targets)?);
    }
    findings.sort_by_key(|finding| !finding.refuses());
    let fates = ground.choices.iter().map(|(component, choice)| fate(&ground, *component, choice, &targets)).collect();
    let no_return = Component::ALL.iter().filter_map(|component| ground.replaced(*component)?.way_back.clone().err());
    Ok(Procedure { steps, findings, fates, no_return: no_return.collect() })
}

fn verify(ground: &Ground<'_>, targets: &[web::Target]) -> Step {
    let mut expected = Vec::new();
    for component in Component::ALL {
        let Some(replaced) = ground.replaced(component) else { continue };
        expected.push(Expected::OldGone { component, codes: vec![replaced.product.code.clone()] });
        if replaced.again {
            expected.push(Expected::NewInstalled { component });
        }
        if replaced.again && component == Component::Server {
            expected.push(Expected::Runs { service: server::SERVICE.to_owned() });
        }
    }
    expected.extend(targets.iter().map(|target| Expected::Application {
        site: target.site.clone(),
        path: target.path.clone(),
        folder: target.folder.clone(),
    }));
    Step {
        id: "verify".to_owned(),
        reason: "what was installed has to be there, open, and running".to_owned(),
        component: None,
        outage: true,
        skip: None,
        work: Work::Verify(Verify { expected, other_holders: web::other_holders(ground) }),
    }
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
    let Some(at) = steps.iter().position(|step| step.id == *id) else {
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
    let step_id = format!("hook-{number}-{side}-{id}");
    let work = RunHook { id: step_id.clone(), program, arguments: hook.run.arguments.clone(), timeout: hook.timeout };
    let step = Step {
        id: step_id,
        reason: format!("the plan has it run {side} {id}"),
        component: steps[at].component,
        outage: steps[at].outage,
        skip: None,
        work: Work::Hook(work),
    };
    Ok((at + behind, step))
}

fn fate(ground: &Ground<'_>, component: Component, choice: &Choice, targets: &[web::Target]) -> Fate {
    let found = ground.survey.components.get(&component);
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
