//! The input for compiling a procedure.

use super::choice::{Choice, Replaced};
use crate::names::ProductCode;
use crate::plan::{Component, Plan};
use crate::platform::{Inspect, disk};
use crate::step::{Folders, Item};
use crate::survey::Survey;
use crate::winpath::WinPath;

/// The input for compiling a procedure.
pub(crate) struct CompileContext<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) survey: &'a Survey,
    pub(crate) machine: &'a dyn Inspect,
    pub(crate) folders: &'a Folders,
    pub(crate) choices: Vec<(Component, Choice)>,
}

impl CompileContext<'_> {
    /// The component, if it is uninstalled.
    pub(crate) fn replaced(&self, component: Component) -> Option<&Replaced> {
        self.choices.iter().find(|(found, _)| *found == component).and_then(|(_, choice)| match choice {
            Choice::Replaced(replaced) => Some(&**replaced),
            _ => None,
        })
    }

    /// The component, if its new version is installed.
    pub(crate) fn upgraded(&self, component: Component) -> Option<&Replaced> {
        self.replaced(component).filter(|replaced| replaced.again)
    }

    /// The packages to back up: the one for reinstalling the product, and the one that Windows Installer caches, from
    /// which the merge reads the web.config as shipped.
    pub(super) fn packages(&self, component: Component) -> Vec<Item> {
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

    /// The codes of the old products of a component: any other product installed later is the new one.
    pub(crate) fn old_codes(&self, component: Component) -> Vec<ProductCode> {
        let found = self.survey.components.get(&component);
        let named = self.replaced(component).map(|replaced| &replaced.product);
        let mut codes: Vec<ProductCode> =
            found.into_iter().flat_map(|found| found.old()).chain(named).map(|old| old.code.clone()).collect();
        codes.sort();
        codes.dedup();
        codes
    }
}
