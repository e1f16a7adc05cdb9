//! Verify: the outage ends.

use super::{FollowUp, Probe, StepContext, StepId, StepKind};
use crate::names::{ProductCode, ServiceName, SiteName, list};
use crate::plan::Component;
use crate::platform::facts::ServiceState;
use crate::platform::op::Op;
use crate::platform::{Context, Failure, OFFLINE, disk};
use crate::survey::products;
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};

/// Checks the upgraded machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verify {
    /// What is expected.
    pub expected: Vec<Expected>,
    /// What else contains the old URL of the SDK and must be changed by hand.
    pub other_holders: Vec<String>,
}

/// A check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// What is expected.
    pub what: String,
    /// What is wrong; `None` if the check passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// An expectation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Expected {
    /// The component's old products are uninstalled.
    OldGone {
        /// Which component.
        component: Component,
        /// Their codes.
        codes: Vec<ProductCode>,
    },
    /// The component's new product is installed.
    NewInstalled {
        /// Which component.
        component: Component,
    },
    /// A service runs.
    Runs {
        /// Its name.
        service: ServiceName,
    },
    /// An application exists and is open. The operator may have chosen another folder for it.
    Application {
        /// The site's name.
        site: SiteName,
        /// The application's path.
        path: String,
        /// The planned folder.
        folder: WinPath,
    },
}

impl Expected {
    /// The expectation, in a sentence.
    fn says(&self) -> String {
        match self {
            Expected::OldGone { component, codes } => {
                format!("The old {} is no longer installed ({})", component.old_title(), list(codes))
            }
            Expected::NewInstalled { component } => format!("A new {} is installed", component.title()),
            Expected::Runs { service } => format!("The service {service} is running"),
            Expected::Application { site, path, .. } => {
                format!("The site \"{site}\" has the application {path}, and no maintenance page closes it")
            }
        }
    }

    /// What is wrong; `None` if it is met.
    fn fault(&self, context: &StepContext<'_>) -> Result<Option<String>, Failure> {
        let machine = context.machine;
        Ok(match self {
            Expected::OldGone { component, codes } => {
                let mut left = None;
                for code in codes {
                    if products::is_installed(machine, code)? {
                        left = Some(format!("the old {} ({code}) is still installed", component.old_title()));
                    }
                }
                left
            }
            Expected::NewInstalled { component } => {
                let found = products::of(machine, *component)?;
                let none = !found.iter().any(products::Product::is_new_era);
                none.then(|| format!("the new {} is not installed", component.title()))
            }
            Expected::Runs { service } => {
                let services = machine.services()?;
                let running =
                    services.iter().any(|found| found.name == *service && found.state == ServiceState::Running);
                (!running).then(|| format!("the service {service} is not running"))
            }
            Expected::Application { site, path, folder } => {
                let iis = machine.web_server()?.unwrap_or_default();
                let found = iis.application(site, path);
                let closed = found.map_or(folder, |found| &found.folder).child(OFFLINE);
                if found.is_none() {
                    Some(format!("the site \"{site}\" has no application {path}"))
                } else if disk::exists(machine.files(), &closed).context(format!("look for {closed}"))? {
                    Some(format!("{path} is still closed by {closed}"))
                } else {
                    None
                }
            }
        })
    }
}

impl StepKind for Verify {
    fn id(&self) -> StepId {
        StepId::named("verify")
    }

    fn title(&self) -> String {
        "Verify the upgraded server: the outage ends".to_owned()
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        Ok(Probe::of(&self.checks(context)?))
    }

    fn checks(&self, context: &StepContext<'_>) -> Result<Vec<Checked>, Failure> {
        let check = |expected: &Expected| Ok(Checked { what: expected.says(), fault: expected.fault(context)? });
        self.expected.iter().map(check).collect()
    }

    fn operations(&self, _: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        Ok(Some(Vec::new()))
    }

    /// This step only checks.
    fn words_when_done(&self) -> &'static str {
        "done"
    }

    fn follow_ups(&self, _: &StepContext<'_>) -> Result<Vec<FollowUp>, Failure> {
        let title = "Change the Web Service SDK URL elsewhere";
        let left = (!self.other_holders.is_empty()).then(|| FollowUp::new(title, self.other_holders.clone()));
        Ok(left.into_iter().collect())
    }

    fn notes(&self, _: &StepContext<'_>) -> Vec<String> {
        self.other_holders.clone()
    }
}
