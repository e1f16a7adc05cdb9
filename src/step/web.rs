//! Install a web component under its name, closed to users.

use super::{Probe, Scene, StepKind};
use crate::plan::{Component, Method};
use crate::platform::op::{Gate, Op};
use crate::platform::{Doing, Failure, OFFLINE, disk};
use crate::report::preview::Certainty;
use crate::survey::{packages, products};
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Installs the package of a web component into a folder that already says that it is closed, so that the application
/// is never live with a default configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallWeb {
    /// Which component.
    pub component: Component,
    /// The package: named in the plan, or where the server's setup puts it.
    pub package: WinPath,
    /// True where the package comes with the server's setup.
    pub comes_along: bool,
    /// Who installs it: this program, or a person in the server's console.
    #[serde(default)]
    pub method: Method,
    /// The hash the package must have, where the plan pins it.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Who must have signed the package, unless the plan accepts anybody.
    #[serde(default)]
    pub signed_by: Option<String>,
    /// TARGETVDIR, TARGETSITE, TARGETAPPPOOL and what the plan adds.
    pub properties: BTreeMap<String, String>,
    /// The site's name.
    pub site: String,
    /// The application's path below it, with the leading slash.
    pub path: String,
    /// The folder the package will use: the site's with the name of the virtual directory.
    pub folder: WinPath,
    /// Where the web.config as shipped is kept.
    pub shipped: WinPath,
    /// Product codes of the old era: what else is installed afterwards is the new one.
    pub old_codes: Vec<String>,
}

impl InstallWeb {
    fn id(&self) -> String {
        format!("install-{}", self.component)
    }

    /// What is wrong with the package now that it is needed: it has only just come, or may have been exchanged since the
    /// preview.
    fn faults(&self, scene: &Scene<'_>) -> Result<Vec<String>, Failure> {
        let (sha256, signed_by) = (self.sha256.as_deref(), self.signed_by.as_deref());
        packages::refusals(scene.machine, &self.package, self.component, sha256, signed_by)
    }

    /// True where a person has to install it: the plan says so, or the package would choose its own place in IIS.
    fn by_hand(&self, scene: &Scene<'_>) -> Result<bool, Failure> {
        if self.method == Method::Console {
            return Ok(true);
        }
        Ok(packages::open(scene.machine, &self.package)?.is_some_and(|package| !package.takes("TARGETVDIR")))
    }

    fn gate(&self, install: Op) -> Gate {
        let begin = match self.method {
            Method::Console => format!(
                "Open the Multi-Factor Authentication Server console and have it install the {}.",
                self.component.title()
            ),
            Method::Msi => format!("Run {} as administrator.", self.package),
        };
        let pool = self.properties.get("TARGETAPPPOOL").map_or("", String::as_str);
        Gate {
            id: self.id(),
            title: format!("Install the {} by hand", self.component.title()),
            instructions: vec![
                begin,
                format!("Site: {}", self.site),
                format!("Virtual directory: {}", self.path.trim_start_matches('/')),
                format!("Application pool: {pool}"),
                format!(
                    "It stays closed to users by the {OFFLINE} in {} until its settings are in place.",
                    self.folder
                ),
            ],
            by_hand: Some(Box::new(install)),
            watch: None,
        }
    }
}

impl StepKind for InstallWeb {
    fn title(&self) -> String {
        let by_hand = if self.method == Method::Console { " (by the operator)" } else { "" };
        format!("Install the {} as {}{}{by_hand}", self.component.title(), self.site, self.path)
    }

    fn probe(&self, scene: &Scene<'_>) -> Result<Probe, Failure> {
        let installed = self.probe_gate(scene)?;
        let kept = disk::exists(scene.machine.files(), &self.shipped).doing(format!("look for {}", self.shipped))?;
        Ok(match installed {
            Probe::Done if !kept => Probe::Needed("its web.config has not been kept yet".to_owned()),
            installed => installed,
        })
    }

    fn probe_gate(&self, scene: &Scene<'_>) -> Result<Probe, Failure> {
        let there = |path: &WinPath| disk::exists(scene.machine.files(), path).doing(format!("look for {path}"));
        if !products::is_newer_installed(scene.machine, self.component, &self.old_codes)? {
            if self.method == Method::Console {
                return Ok(Probe::Needed("it is not installed yet".to_owned()));
            }
            if !there(&self.package)? {
                return Ok(Probe::Blocked(format!(
                    "the package {} is not there. Put the {} installer of the new version at that path and run \
                     `pfupgrade resume`",
                    self.package,
                    self.component.title()
                )));
            }
            let faults = self.faults(scene)?;
            return Ok(match faults.is_empty() {
                true => Probe::Needed("it is not installed yet".to_owned()),
                false => Probe::Blocked(faults.join("; ")),
            });
        }
        // Where a person chose the place, that person can still choose the right one.
        let misplaced = |why: String| {
            Ok(match self.by_hand(scene)? {
                true => Probe::Needed(why),
                false => Probe::Blocked(why),
            })
        };
        let iis = scene.machine.web_server()?.unwrap_or_default();
        match iis.application(&self.site, &self.path) {
            None => misplaced(format!(
                "the product is installed, but the site \"{}\" has no application {}",
                self.site, self.path
            )),
            Some(found) if found.folder != self.folder => misplaced(format!(
                "the application {} is served from {} instead of {}",
                self.path, found.folder, self.folder
            )),
            Some(_) => Ok(Probe::Done),
        }
    }

    fn operations(&self, scene: &Scene<'_>) -> Result<Option<Vec<Op>>, Failure> {
        let install = Op::Install {
            package: self.package.clone(),
            properties: self.properties.clone(),
            log: scene.folders.log(&self.id()),
        };
        Ok(Some(vec![
            Op::Close { folder: self.folder.clone() },
            if self.by_hand(scene)? { Op::Ask { gate: self.gate(install) } } else { install },
            Op::Copy { from: self.folder.child("web.config"), to: self.shipped.clone() },
        ]))
    }

    fn certainty(&self, _: &Scene<'_>) -> Certainty {
        if self.comes_along { Certainty::Estimated } else { Certainty::Exact }
    }

    fn notes(&self, scene: &Scene<'_>) -> Vec<String> {
        let mut notes = Vec::new();
        if self.comes_along {
            notes.push(format!("{} comes with the server's setup and is checked then", self.package.name()));
        }
        let left_out = scene.machine.leaves_out(&self.package, &self.properties);
        if !left_out.is_empty() {
            notes.push(format!("this rehearsal leaves out: {}", left_out.join(", ")));
        }
        notes
    }

    fn installs(&self) -> Option<Component> {
        Some(self.component)
    }
}
