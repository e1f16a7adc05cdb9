//! The ids of steps.

use crate::plan::Component;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Stable id of a step, such as `uninstall-portal`: journals, reports and `--fail-at` name steps by it.
///
/// Each kind of step defines its ID in `StepKind::id`, and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(String);

impl StepId {
    /// An ID with a fixed name.
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The ID of an action on a component.
    pub fn of(verb: &str, component: Component) -> Self {
        Self(format!("{verb}-{component}"))
    }

    /// The ID that stands for a rollback.
    pub fn rollback() -> Self {
        Self::named("rollback")
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl PartialEq<str> for StepId {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for StepId {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}
