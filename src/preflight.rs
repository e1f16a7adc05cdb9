//! What stands in the way of an upgrade, found before anything is changed.
//!
//! Every finding has a stable id and a level. [`check`] looks at what the procedure needs; what cannot even be chosen
//! (no product, no site, a name that is taken) the procedure reports itself, as findings too.

mod installers;
mod machine;

pub use installers::way_back;

use crate::platform::Failure;
use crate::procedure::{Ground, Target};
use serde::{Deserialize, Serialize};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The run is refused.
    Refuse,
    /// The run is refused unless the plan allows it: `[preflight] allow = ["id"]`.
    RefuseUnlessAllowed,
    /// The administrator should know.
    Warn,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable id, such as `pending-reboot`.
    pub id: String,
    /// How much it matters.
    pub level: Level,
    /// True where the plan allows it.
    pub allowed: bool,
    /// What is the matter, in a sentence.
    pub title: String,
    /// What was seen.
    pub evidence: Vec<String>,
    /// What to do about it.
    pub advice: String,
}

impl Finding {
    /// A finding that refuses the run.
    pub fn refuse(id: &str, title: impl Into<String>) -> Self {
        Self::of(Level::Refuse, id, title)
    }

    /// A finding that refuses the run unless the plan allows it.
    pub fn refuse_unless_allowed(id: &str, title: impl Into<String>) -> Self {
        Self::of(Level::RefuseUnlessAllowed, id, title)
    }

    /// A finding that the administrator should know.
    pub fn warn(id: &str, title: impl Into<String>) -> Self {
        Self::of(Level::Warn, id, title)
    }

    fn of(level: Level, id: &str, title: impl Into<String>) -> Self {
        let (id, title) = (id.to_owned(), title.into());
        Self { id, level, allowed: false, title, evidence: Vec::new(), advice: String::new() }
    }

    /// With what was seen.
    #[must_use]
    pub fn evidence(mut self, seen: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.evidence = seen.into_iter().map(Into::into).collect();
        self
    }

    /// With what to do about it.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }

    /// True where this finding alone refuses the run.
    pub fn refuses(&self) -> bool {
        match self.level {
            Level::Refuse => true,
            Level::RefuseUnlessAllowed => !self.allowed,
            Level::Warn => false,
        }
    }
}

/// Looks at everything the procedure needs.
pub(crate) fn check(ground: &Ground<'_>, targets: &[Target]) -> Result<Vec<Finding>, Failure> {
    let mut findings = machine::check(ground, targets)?;
    findings.extend(installers::check(ground, targets)?);
    findings.push(
        Finding::warn("service-retired", "Microsoft's service has answered no MFA Server requests since 2024-09-30")
            .advice(
                "the upgraded server keeps its users and settings, but cannot have Microsoft's cloud verify anybody",
            ),
    );
    for finding in &mut findings {
        finding.allowed = ground.plan.preflight.allow.contains(&finding.id);
    }
    Ok(findings)
}
