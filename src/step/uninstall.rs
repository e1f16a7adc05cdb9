//! Uninstall an old product, and move its leftovers in a web site aside.

use super::{Probe, StepContext, StepId, StepKind};
use crate::names::ProductCode;
use crate::plan::Component;
use crate::platform::op::{Op, WayBack};
use crate::platform::registry::View;
use crate::platform::{Context, Failure, disk};
use crate::survey::products;
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};

/// Uninstalls one product through Windows Installer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uninstall {
    /// Which component.
    pub component: Component,
    /// Product code.
    pub code: ProductCode,
    /// Name and version.
    pub name: String,
    /// The present path of the package for reinstalling it; `None` is the point of no return.
    pub package: Option<WinPath>,
    /// The package to uninstall it with, if Windows Installer has lost its own copy. It is used under its own name,
    /// which Windows Installer may compare with the one it was installed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uninstalls_with: Option<WinPath>,
    /// The properties for reinstalling it.
    pub properties: std::collections::BTreeMap<String, String>,
    /// The state to restore once it is reinstalled.
    pub after: Vec<Op>,
    /// The folder of a web component: its leftovers are moved aside, because they would keep new files of the same name
    /// from being installed.
    pub folder: Option<WinPath>,
    /// The agent's data folder and its registry key with its export: they must be restored before the old agent is
    /// reinstalled.
    pub keeps: Option<(WinPath, View, String, WinPath)>,
}

impl Uninstall {
    fn way_back(&self, context: &StepContext<'_>) -> Option<WayBack> {
        let package = context.old(self.package.as_ref()?);
        // An application is closed before it is reinstalled, and opened once its folder is restored.
        let close = self.folder.iter().map(|folder| Op::Close { folder: folder.clone() });
        let before = self.keeps.iter().flat_map(|(data, view, key, export)| {
            [
                Op::ImportKey { view: *view, key: key.clone(), from: context.key_export(key, export) },
                Op::Restore { from: context.data_backup(data), to: data.clone(), except: Vec::new() },
            ]
        });
        Some(WayBack {
            package,
            properties: self.properties.clone(),
            before: close.chain(before).collect(),
            after: self.after.clone(),
            uninstalls_with: self.uninstalls_with.clone(),
        })
    }
}

impl StepKind for Uninstall {
    fn id(&self) -> StepId {
        StepId::of("uninstall", self.component)
    }

    fn title(&self) -> String {
        format!("Uninstall {}", self.name)
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        if products::is_installed(context.machine, &self.code)? {
            return Ok(Probe::Needed(format!("{} is installed", self.name)));
        }
        if let Some(folder) = &self.folder
            && disk::exists(context.machine.files(), folder).context(format!("look for {folder}"))?
        {
            return Ok(Probe::Needed(format!("{folder} is left over")));
        }
        Ok(Probe::Done)
    }

    /// Leftovers are moved aside once the product is uninstalled.
    fn probe_gate(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        Ok(match products::is_installed(context.machine, &self.code)? {
            true => Probe::Needed(format!("{} is installed", self.name)),
            false => Probe::Done,
        })
    }

    fn operations(&self, context: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        let mut ops = vec![Op::Uninstall {
            code: self.code.clone(),
            name: self.name.clone(),
            log: context.folders.log(self.id().as_str()),
            way_back: self.way_back(context),
        }];
        if let Some(folder) = &self.folder {
            let aside = context.folders.aside(folder);
            ops.push(Op::Move { from: folder.clone(), to: aside.child(self.component.key()), aside: true });
        }
        Ok(Some(ops))
    }

    fn notes(&self, _: &StepContext<'_>) -> Vec<String> {
        match self.package {
            Some(_) => Vec::new(),
            None => vec!["Point of no return: this product cannot be reinstalled.".to_owned()],
        }
    }
}
