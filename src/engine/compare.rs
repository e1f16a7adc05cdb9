//! Compares the machine with its state before a run.

use crate::names::{ProductCode, list};
use crate::plan::Component;
use crate::platform::facts::{Application, Service};
use crate::survey::products::Product;
use crate::survey::{FoundComponent, Served, Survey};
use crate::webconfig::Shown;

/// The differences to the state before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Differences {
    /// The promises of a rollback that are not met.
    pub(super) faults: Vec<String>,
    /// What a rollback cannot restore and does not promise.
    pub(super) not_restored: Vec<String>,
}

/// Compares what a rollback promises: products, applications, services, InstallPath. `old_codes` are the products that
/// the run uninstalls, whose names may be unknown.
pub(super) fn compare(before: &Survey, old_codes: &[ProductCode], now: &Survey) -> Differences {
    let mut all = Differences::default();
    for component in Component::ALL {
        let (nothing, title) = (FoundComponent::default(), component.title());
        let was = before.components.get(&component).unwrap_or(&nothing);
        let is = now.components.get(&component).unwrap_or(&nothing);
        products(&was.products, old_codes, &is.products, &mut all.faults);
        let applications =
            |found: &FoundComponent| found.applications.iter().map(described).collect::<Vec<_>>().join(", ");
        differ(&mut all.faults, &format!("the application of the {title}"), &applications(was), &applications(is));
    }
    let path = |survey: &Survey| survey.install.as_ref().map(|install| install.text.clone()).unwrap_or_default();
    differ(&mut all.faults, "InstallPath", &path(before), &path(now));
    for was in before.services.iter().chain(&before.dependents) {
        let name = format!("the service {}", was.name);
        match now.services.iter().chain(&now.dependents).find(|is| is.name == was.name) {
            None => all.faults.push(format!("{name} is missing")),
            Some(is) => {
                differ(&mut all.faults, &name, &format!("{:?}", was.state), &format!("{:?}", is.state));
                differ(&mut all.faults, &name, &format!("{:?}", was.start), &format!("{:?}", is.start));
                differ(&mut all.not_restored, &format!("the account of {name}"), &was.account, &is.account);
                let needs = |service: &Service| list(&service.depends_on);
                differ(&mut all.not_restored, &format!("what {name} depends on"), &needs(was), &needs(is));
            }
        }
    }
    all
}

/// A description of an application, with secrets masked.
fn described(served: &Served) -> String {
    let Application { folder, pool, settings, .. } = &served.application;
    let settings = settings.iter().map(|(name, value)| format!(", {name} = {}", Shown::of(name, value)));
    format!("{} in {folder}, pool {pool}{}", served.location(), settings.collect::<String>())
}

fn products(was: &[Product], old_codes: &[ProductCode], is: &[Product], faults: &mut Vec<String>) {
    let same = |a: &Product, b: &Product| a.code == b.code && a.version == b.version;
    let missing = was.iter().filter(|was| !is.iter().any(|is| same(was, is)));
    faults.extend(missing.map(|product| format!("{} {} is missing", product.title(), product.code)));
    let known = |product: &Product| old_codes.contains(&product.code);
    let extra = is.iter().filter(|is| !known(is) && !was.iter().any(|was| same(was, is)));
    faults.extend(extra.map(|product| format!("unexpected product installed: {} {}", product.title(), product.code)));
}

fn differ(into: &mut Vec<String>, what: &str, was: &str, is: &str) {
    if was != is {
        let shown = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
        into.push(format!("{what} was {} and is {}", shown(was), shown(is)));
    }
}
