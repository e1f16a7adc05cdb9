//! What every part of the procedure is compiled from.

use super::choice::{Choice, Replaced};
use crate::names::ProductCode;
use crate::plan::{Component, Plan};
use crate::platform::{Inspect, disk};
use crate::step::{Folders, Item};
use crate::survey::Survey;
use crate::winpath::WinPath;

/// Everything a part of the procedure is compiled from.
pub(crate) struct CompileContext<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) survey: &'a Survey,
    pub(crate) machine: &'a dyn Inspect,
    pub(crate) folders: &'a Folders,
    pub(crate) choices: Vec<(Component, Choice)>,
}

impl CompileContext<'_> {
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

    /// The codes of the old products of a component: whatever else is installed later is the new one.
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
