//! The ids of steps.

use crate::plan::Component;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Stable id of a step, such as `uninstall-portal`: journals, reports and `--fail-at` name steps by it.
///
/// A kind of step makes its own in `StepKind::id`, and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(String);

impl StepId {
    /// An id that is a name by itself.
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The id of what is done to a component.
    pub fn of(verb: &str, component: Component) -> Self {
        Self(format!("{verb}-{component}"))
    }

    /// What stands in the place of a step where a rollback is meant.
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
