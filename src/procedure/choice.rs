//! What becomes of each component: the plan's wishes applied to what was found.

use crate::plan::{Action, Common, Component, Plan};
use crate::platform::Inspect;
use crate::preflight::{Finding, rollback_installer, way_back};
use crate::survey::products::Product;
use crate::survey::{Found, Served, Survey};
use crate::winpath::WinPath;

/// What becomes of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// It is not on this machine.
    Absent,
    /// It is of the new era already.
    AlreadyNew(Product),
    /// The plan leaves it alone.
    Kept(Product),
    /// Preflight says why nothing can be done with it.
    Unclear,
    /// It is uninstalled; `again` says whether the new version follows.
    Replaced(Box<Replaced>),
}

/// A component that is uninstalled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// Its old product.
    pub product: Product,
    /// The application that serves it, for a web component.
    pub served: Option<Served>,
    /// Whether the new version is installed.
    pub again: bool,
    /// The package by which the old product can come back, or why it cannot.
    pub way_back: Result<WinPath, String>,
}

/// The choice for every component, and what stands against it.
pub(super) fn choose(plan: &Plan, survey: &Survey, machine: &dyn Inspect) -> (Vec<(Component, Choice)>, Vec<Finding>) {
    let mut findings = Vec::new();
    let choices = Component::ALL.map(|component| {
        let found = survey.components.get(&component).cloned().unwrap_or_default();
        let choice = choose_one(component, plan.common(component), &found, machine);
        (
            component,
            choice.unwrap_or_else(|finding| {
                findings.push(*finding);
                Choice::Unclear
            }),
        )
    });
    (choices.into(), findings)
}

fn choose_one(
    component: Component,
    wanted: &Common,
    found: &Found,
    machine: &dyn Inspect,
) -> Result<Choice, Box<Finding>> {
    let old: Vec<&Product> = match &wanted.product_code {
        Some(code) => found.old().filter(|product| product.code.eq_ignore_ascii_case(code.as_str())).collect(),
        None => found.old().collect(),
    };
    let product = match (old.as_slice(), found.new_era()) {
        ([], None) if found.evidence.is_empty() && found.products.is_empty() => {
            return match wanted.action {
                Action::Upgrade => Err(Box::new(absent(component))),
                _ => Ok(Choice::Absent),
            };
        }
        ([], Some(new)) => return Ok(Choice::AlreadyNew(new.clone())),
        ([_, ..], Some(new)) => return Err(Box::new(interrupted(component, &old, new))),
        ([product], None) => *product,
        (several, None) => return Err(Box::new(no_single_product(component, several, found))),
    };
    if wanted.action == Action::Keep {
        return Ok(Choice::Kept(product.clone()));
    }
    let served = match (component, found.applications.as_slice()) {
        (Component::Server, _) => None,
        (_, [served]) => Some(served.clone()),
        (_, several) => return Err(Box::new(no_single_application(component, product, several))),
    };
    let way_back = match &wanted.rollback_installer {
        Some(path) => Ok(rollback_installer(machine, component, path, product)?),
        None => way_back(machine, product),
    };
    let again = wanted.action != Action::Remove;
    Ok(Choice::Replaced(Box::new(Replaced { product: product.clone(), served, again, way_back })))
}

fn absent(component: Component) -> Finding {
    Finding::refuse(
        "component-absent",
        format!("the plan wants the {} upgraded, and it is not installed", component.title()),
    )
    .advice(format!("set `action = \"auto\"` in [{component}], or take that line out"))
}

fn interrupted(component: Component, old: &[&Product], new: &Product) -> Finding {
    Finding::refuse(
        "interrupted-upgrade",
        format!("old and new {} are both installed: an earlier upgrade was interrupted", component.title()),
    )
    .evidence(old.iter().copied().chain([new]).map(describe))
    .advice("finish or undo that upgrade by hand first: uninstall one of the two in Programs and Features")
}

fn no_single_product(component: Component, products: &[&Product], found: &Found) -> Finding {
    let none = products.is_empty();
    let title = match none {
        true => format!("there are traces of the {}, but no installed product whose name says so", component.title()),
        false => format!("more than one product may be the {}", component.title()),
    };
    let lines: Vec<String> = products.iter().map(|product| format!("product-code = \"{}\"", product.code)).collect();
    Finding::refuse("no-single-product", title)
        .evidence(products.iter().copied().map(describe).chain(found.evidence.iter().cloned()))
        .advice(match none {
            true => format!(
                "look its code up in Programs and Features and add to [{component}]: product-code = \"{{...}}\""
            ),
            false => format!("add one of these lines to [{component}]: {}", lines.join("  or  ")),
        })
}

fn no_single_application(component: Component, product: &Product, several: &[Served]) -> Finding {
    let title = match several {
        [] => format!("{} is installed, but no application of IIS serves it", product.title()),
        _ => format!("more than one application of IIS serves the {}", component.title()),
    };
    Finding::refuse("no-single-application", title)
        .evidence(several.iter().map(|served| format!("{} in {}", served.location(), served.application.folder)))
        .advice("this program upgrades a component that IIS serves exactly once; remove what is not in use")
}

fn describe(product: &Product) -> String {
    format!("{} {}", product.title(), product.code)
}
