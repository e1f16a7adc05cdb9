//! What happens to each component: the plan applied to what was found.

use crate::finding::Finding;
use crate::plan::{Action, Common, Component, MachinePath, Plan};
use crate::platform::{Failure, Inspect};
use crate::survey::products::{self, Product};
use crate::survey::reinstall::{installs_again, uninstalls_with, way_back};
use crate::survey::{FoundComponent, Served, Survey};
use crate::winpath::WinPath;

/// What happens to a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// It is not on this machine.
    Absent,
    /// It is already upgraded.
    AlreadyNew(Product),
    /// The plan keeps it.
    Kept(Option<Product>),
    /// A finding says why nothing can be done.
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
    /// Whether the new version is installed afterwards.
    pub again: bool,
    /// The package for reinstalling the old product, or why there is none.
    pub way_back: Result<WinPath, String>,
    /// The package to uninstall the old product with, if Windows Installer has lost its own copy; or why it cannot be
    /// uninstalled.
    pub uninstalls_with: Result<Option<WinPath>, String>,
}

/// Every component with its choice.
pub(super) type Choices = Vec<(Component, Choice)>;

/// Returns the choice for every component, and the findings.
pub(super) fn choose(plan: &Plan, survey: &Survey, machine: &dyn Inspect) -> Result<(Choices, Vec<Finding>), Failure> {
    let mut findings = Vec::new();
    let mut choices = Vec::new();
    for component in Component::ALL {
        let mut found = survey.components.get(&component).cloned().unwrap_or_default();
        let wanted = plan.common(component);
        if let Some(code) = &wanted.product_code {
            take_named(&mut found, products::of_code(machine, code.as_str())?);
        }
        let unrecognized = match found.products.as_slice() {
            [] if !found.evidence.is_empty() => unrecognized(machine)?,
            _ => Vec::new(),
        };
        let choice = choose_one(component, wanted, &found, &unrecognized, survey, machine).unwrap_or_else(|finding| {
            findings.push(*finding);
            Choice::Unclear
        });
        choices.push((component, choice));
    }
    Ok((choices, findings))
}

/// If the plan names an old product, only that one counts, whatever its name.
fn take_named(found: &mut FoundComponent, named: Option<Product>) {
    found.products.retain(Product::is_new_era);
    if let Some(named) = named
        && !found.products.iter().any(|known| known.code == named.code)
    {
        found.products.push(named);
    }
}

/// Old products of the same manufacturer with unknown names.
fn unrecognized(machine: &dyn Inspect) -> Result<Vec<Product>, Failure> {
    let mut all = products::all(machine)?;
    all.retain(|product| product.component().is_none() && product.is_of_the_makers() && product.windows_installer);
    Ok(all)
}

fn choose_one(
    component: Component,
    wanted: &Common,
    found: &FoundComponent,
    unrecognized: &[Product],
    survey: &Survey,
    machine: &dyn Inspect,
) -> Result<Choice, Box<Finding>> {
    let old: Vec<&Product> = found.old().collect();
    let absent_altogether = found.products.is_empty() && found.evidence.is_empty();
    let product = match (old.as_slice(), found.new_era()) {
        ([], None) if absent_altogether && wanted.product_code.is_none() => {
            return match wanted.action {
                Action::Upgrade => Err(Box::new(absent(component))),
                _ => Ok(Choice::Absent),
            };
        }
        (old, _) if wanted.action == Action::Keep => return Ok(Choice::Kept(old.first().copied().cloned())),
        ([], Some(new)) => return Ok(Choice::AlreadyNew(new.clone())),
        ([_, ..], Some(new)) => return Err(Box::new(interrupted(component, &old, new))),
        ([product], None) => *product,
        ([], None) => return Err(Box::new(no_product(component, wanted, unrecognized, found))),
        (several, None) => return Err(Box::new(several_products(component, several))),
    };
    if let Some(user) = product.user.as_ref().filter(|user| survey.system.user.as_ref() != Some(user)) {
        return Err(Box::new(other_user(component, product, user)));
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
    let at_hand = wanted.rollback_installer.as_ref().and(way_back.as_ref().ok());
    let uninstalls_with = uninstalls_with(machine, product, at_hand);
    let again = wanted.action != Action::Remove;
    Ok(Choice::Replaced(Box::new(Replaced { product: product.clone(), served, again, way_back, uninstalls_with })))
}

/// The plan's installer of the old version: it must be for exactly the installed product, to restore the same state.
fn rollback_installer(
    machine: &dyn Inspect,
    component: Component,
    wanted: &MachinePath,
    product: &Product,
) -> Result<WinPath, Box<Finding>> {
    let path = wanted.expand(|name| machine.variable(name)).map_err(|error| error.to_string());
    path.and_then(|path| installs_again(machine, &path, product).map(|()| path)).map_err(|why| {
        let title = format!("the rollback installer of the {} cannot reinstall the old product", component.title());
        let advice = format!(
            "in [{component}], specify the package that {} was installed from, or remove `rollback-installer`",
            product.title()
        );
        Box::new(Finding::refuse("rollback-installer", title).evidence([why]).advice(advice))
    })
}

fn absent(component: Component) -> Finding {
    Finding::refuse(
        "component-absent",
        format!("the plan upgrades the {}, which is not installed", component.old_title()),
    )
    .advice(format!("set `action = \"auto\"` in [{component}], or remove that line"))
}

fn interrupted(component: Component, old: &[&Product], new: &Product) -> Finding {
    Finding::refuse(
        "interrupted-upgrade",
        format!("the old and the new {} are both installed: an earlier upgrade was interrupted", component.title()),
    )
    .evidence(old.iter().copied().chain([new]).map(describe))
    .advice("finish or undo that upgrade by hand first: uninstall one of the two in Programs and Features")
}

fn no_product(component: Component, wanted: &Common, unrecognized: &[Product], found: &FoundComponent) -> Finding {
    let title = match &wanted.product_code {
        Some(code) => format!("the product {code}, which the plan names for [{component}], is not installed"),
        None => {
            format!("there are traces of the {}, but no installed product with a matching name", component.old_title())
        }
    };
    let advice = match unrecognized {
        [] => format!(
            "find its key below HKLM\\...\\CurrentVersion\\Uninstall and add to [{component}]: product-code = \"{{...}}\""
        ),
        candidates => format!("if it is one of these, add its line to [{component}]: {}", lines(candidates)),
    };
    Finding::refuse("no-single-product", title)
        .evidence(unrecognized.iter().map(describe).chain(found.evidence.iter().cloned()))
        .advice(advice)
}

fn several_products(component: Component, products: &[&Product]) -> Finding {
    Finding::refuse("no-single-product", format!("more than one product may be the {}", component.old_title()))
        .evidence(products.iter().copied().map(describe))
        .advice(format!("add one of these lines to [{component}]: {}", lines(products.iter().copied())))
}

/// The lines to paste into the plan.
fn lines<'a>(products: impl IntoIterator<Item = &'a Product>) -> String {
    let lines = products.into_iter().map(|product| format!("product-code = \"{}\"", product.code));
    lines.collect::<Vec<_>>().join("  or  ")
}

fn other_user(component: Component, product: &Product, user: &str) -> Finding {
    Finding::refuse("other-user", format!("the {} is installed for another user only", component.old_title()))
        .evidence([describe(product), format!("installed for {user}")])
        .advice("only that user can uninstall it: run pfupgrade elevated as that user")
}

fn no_single_application(component: Component, product: &Product, several: &[Served]) -> Finding {
    let title = match several {
        [] => format!("{} is installed, but no application in IIS serves it", product.title()),
        _ => format!("more than one application in IIS serves the {}", component.title()),
    };
    Finding::refuse("no-single-application", title)
        .evidence(several.iter().map(|served| format!("{} in {}", served.location(), served.application.folder)))
        .advice(
            "pfupgrade upgrades a component that IIS serves exactly once; remove the applications that are not in use",
        )
}

fn describe(product: &Product) -> String {
    format!("{} {}", product.title(), product.code)
}
