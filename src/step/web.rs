//! Install a web component, closed to users.

use super::{Certainty, Probe, StepContext, StepId, StepKind};
use crate::names::{ProductCode, SiteName};
use crate::plan::{Component, Method};
use crate::platform::facts::Application;
use crate::platform::op::{Gate, Op};
use crate::platform::{Context, Failure, OFFLINE, disk};
use crate::survey::{packages, products, survey};
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Installs the package of a web component into a folder that is already closed to users, so that the application is
/// never live with a default configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallWeb {
    /// Which component.
    pub component: Component,
    /// The package: from the plan, or from the MFA Server setup.
    pub package: WinPath,
    /// Whether the package comes with the MFA Server setup.
    pub comes_along: bool,
    /// How it is installed: by this program, or by the operator in the MFA Server console.
    #[serde(default)]
    pub method: Method,
    /// The required hash of the package, if the plan specifies one.
    #[serde(default)]
    pub sha256: Option<String>,
    /// The required signer of the package; `None` if the plan accepts any.
    #[serde(default)]
    pub signed_by: Option<String>,
    /// TARGETVDIR, TARGETSITE, TARGETAPPPOOL and the properties in the plan.
    pub properties: BTreeMap<String, String>,
    /// The site.
    pub site: SiteName,
    /// The application's path below it, with the leading slash.
    pub path: String,
    /// The folder the package will use: the site's with the name of the virtual directory.
    pub folder: WinPath,
    /// The path for a copy of the web.config as shipped.
    pub shipped: WinPath,
    /// Product codes of the old version: any other product installed afterwards is the new one.
    pub old_codes: Vec<ProductCode>,
}

/// The ID of the step that installs a component.
pub(super) fn install_id(component: Component) -> StepId {
    StepId::of("install", component)
}

impl InstallWeb {
    /// Checks the package right before it is needed: it may be new, or may have changed since the preview.
    fn faults(&self, context: &StepContext<'_>) -> Result<Vec<String>, Failure> {
        let (sha256, signed_by) = (self.sha256.as_deref(), self.signed_by.as_deref());
        packages::refusals(context.machine, &self.package, self.component, sha256, signed_by)
    }

    /// Whether the operator must install it: the plan says so, or the package has no option for its virtual directory.
    fn by_hand(&self, context: &StepContext<'_>) -> Result<bool, Failure> {
        if self.method == Method::Console {
            return Ok(true);
        }
        context.memo.by_hand(&self.package, || {
            Ok(packages::open(context.machine, &self.package)?.map(|package| !package.takes("TARGETVDIR")))
        })
    }

    fn is_named(&self, context: &StepContext<'_>) -> Result<bool, Failure> {
        let iis = context.machine.web_server()?;
        Ok(iis.is_some_and(|iis| iis.application(&self.site, &self.path).is_some()))
    }

    /// The application that the operator installed: under the planned name, or as the only application of the site that
    /// serves the component.
    fn placed(&self, context: &StepContext<'_>) -> Result<Option<Application>, Failure> {
        if !products::is_newer_installed(context.machine, self.component, &self.old_codes)? {
            return Ok(None);
        }
        let iis = context.machine.web_server()?.unwrap_or_default();
        if let Some(found) = iis.application(&self.site, &self.path) {
            return Ok(Some(found.clone()));
        }
        let mut survey = survey(context.machine)?;
        let found = survey.components.remove(&self.component).unwrap_or_default();
        let mut here = found.applications.into_iter().filter(|served| served.site == self.site);
        Ok(here.next().filter(|_| here.next().is_none()).map(|served| served.application))
    }

    fn gate(&self, install: Op) -> Gate {
        let begin = match self.method {
            Method::Console => format!(
                "Open the Multi-Factor Authentication Server console and install the {} there.",
                self.component.title()
            ),
            Method::Msi => format!("Run {} as administrator.", self.package),
        };
        let pool = self.properties.get("TARGETAPPPOOL").map_or("", String::as_str);
        Gate {
            id: self.id().to_string(),
            title: format!("Install the {} by hand", self.component.title()),
            instructions: vec![
                begin,
                format!("Site: {}", self.site),
                format!("Virtual directory: {}", self.path.trim_start_matches('/')),
                format!("Application pool: {pool}"),
                format!("{OFFLINE} in {} keeps it closed to users until its settings are migrated.", self.folder),
            ],
            by_hand: Some(Box::new(install)),
            watch: None,
        }
    }
}

impl StepKind for InstallWeb {
    fn id(&self) -> StepId {
        install_id(self.component)
    }

    fn title(&self) -> String {
        let by_hand = if self.method == Method::Console { " (manual step)" } else { "" };
        format!("Install the {} as {}{}{by_hand}", self.component.title(), self.site, self.path)
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        let installed = self.probe_gate(context)?;
        let kept =
            disk::exists(context.machine.files(), &self.shipped).context(format!("look for {}", self.shipped))?;
        Ok(match installed {
            Probe::Done if !self.is_named(context)? => {
                Probe::Needed(format!("its application does not have the name {} yet", self.path))
            }
            Probe::Done if !kept => Probe::Needed("its web.config has not been saved yet".to_owned()),
            installed => installed,
        })
    }

    fn probe_gate(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        let there = |path: &WinPath| disk::exists(context.machine.files(), path).context(format!("look for {path}"));
        if !products::is_newer_installed(context.machine, self.component, &self.old_codes)? {
            if self.method == Method::Console {
                return Ok(Probe::Needed("it is not installed yet".to_owned()));
            }
            if !there(&self.package)? {
                return Ok(Probe::Blocked(format!(
                    "the package {} is missing. Copy the {} installer of the new version there and run `pfupgrade \
                     resume`",
                    self.package,
                    self.component.title()
                )));
            }
            let faults = self.faults(context)?;
            return Ok(match faults.is_empty() {
                true => Probe::Needed("it is not installed yet".to_owned()),
                false => Probe::Blocked(faults.join("; ")),
            });
        }
        if self.by_hand(context)? {
            // If the operator chose the location, the operator can still fix it.
            let nowhere = format!(
                "the product is installed, but its application in the site \"{}\" is ambiguous or missing",
                self.site
            );
            return Ok(self.placed(context)?.map_or(Probe::Needed(nowhere), |_| Probe::Done));
        }
        let iis = context.machine.web_server()?.unwrap_or_default();
        Ok(match iis.application(&self.site, &self.path) {
            None => Probe::Blocked(format!(
                "the product is installed, but the site \"{}\" has no application {}",
                self.site, self.path
            )),
            Some(found) if found.folder != self.folder => Probe::Blocked(format!(
                "the application {} is served from {} instead of {}",
                self.path, found.folder, self.folder
            )),
            Some(_) => Probe::Done,
        })
    }

    fn operations(&self, context: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        let install = Op::Install {
            package: self.package.clone(),
            properties: self.properties.clone(),
            log: context.folders.log(self.id().as_str()),
        };
        let close = |folder: &WinPath| Op::Close { folder: folder.clone() };
        let keep = |folder: &WinPath| Op::Copy { from: folder.child("web.config"), to: self.shipped.clone() };
        if !self.by_hand(context)? {
            return Ok(Some(vec![close(&self.folder), install, keep(&self.folder)]));
        }
        let placed = self.placed(context)?;
        let (from, folder) = match &placed {
            Some(placed) => (&placed.path, &placed.folder),
            None => (&self.path, &self.folder),
        };
        let rename = Op::RenameApplication { site: self.site.clone(), from: from.clone(), to: self.path.clone() };
        let ask = Op::Ask { gate: self.gate(install) };
        Ok(Some(vec![close(&self.folder), ask, close(folder), rename, keep(folder)]))
    }

    fn certainty(&self, _: &StepContext<'_>) -> Certainty {
        if self.comes_along { Certainty::Estimated } else { Certainty::Exact }
    }

    fn notes(&self, context: &StepContext<'_>) -> Vec<String> {
        let mut notes = Vec::new();
        if self.comes_along {
            notes.push(format!("{} comes with the MFA Server setup and is checked then.", self.package.name()));
        }
        let left_out = context.machine.leaves_out(&self.package, &self.properties);
        if !left_out.is_empty() {
            notes.push(format!("Not simulated in this rehearsal: {}", left_out.join(", ")));
        }
        notes
    }

    fn installs(&self) -> Option<Component> {
        Some(self.component)
    }
}
