//! What stands in the way of a run, or is worth knowing before it: findings with stable ids and levels.
//!
//! [`FINDINGS`] is the one table of ids. Whoever looks at something reports what it finds as a [`Finding`]; on the
//! screen a finding is a check that is blocking or a warning.

use serde::{Deserialize, Serialize};
use std::fmt;

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

/// Every finding: its stable id, the most it can matter, and what it means.
pub const FINDINGS: &[(&str, Level, &str)] = &[
    ("account-missing", Level::RefuseUnlessAllowed, "an account or group of the old configuration does not exist"),
    ("application-pool", Level::Refuse, "there is no application pool that the new version could run in"),
    ("cannot-back-up", Level::Refuse, "a folder holds what could not be put back: links, or names that are too long"),
    ("component-absent", Level::Refuse, "the plan wants a component upgraded that is not installed"),
    ("decision-without-conflict", Level::Warn, "a decision of the plan is about no conflict"),
    ("directory-taken", Level::Refuse, "the virtual directory for a component, or its folder, is taken"),
    ("encrypted-web-config", Level::Refuse, "a web.config has encrypted sections"),
    ("folders-overlap", Level::Refuse, "a folder that is backed up or moved aside holds what does not belong to it"),
    ("hook-without-program", Level::Refuse, "the program of a hook is not there"),
    ("hook-without-step", Level::Refuse, "a hook names a step that this procedure does not have"),
    ("installer-architecture", Level::Refuse, "an installer is made for another processor"),
    ("installer-directory", Level::Warn, "an installer takes no virtual directory: a person has to run it"),
    ("installer-hash", Level::Refuse, "an installer is not the one that the plan pins"),
    ("installer-missing", Level::Refuse, "an installer is not where the plan says"),
    ("installer-product", Level::Refuse, "an installer is not that of the component, or of the old version"),
    ("installer-signature", Level::Refuse, "an installer is not signed by whom the plan says"),
    ("installer-unreadable", Level::Refuse, "an installer cannot be read"),
    ("interrupted-upgrade", Level::Refuse, "a component is installed in its old and its new version"),
    ("interruptions", Level::Warn, "what the agent secures or proxies is interrupted meanwhile"),
    ("leftovers", Level::RefuseUnlessAllowed, "an earlier attempt left files behind"),
    ("merge-conflict", Level::Refuse, "the administrator and the new version changed the same setting differently"),
    ("method-console", Level::Refuse, "the plan wants a component installed in a server's console that is not here"),
    ("mobile-app-dropped", Level::Refuse, "the server's setup may bring no Mobile App Web Service"),
    ("no-asp-net", Level::Refuse, "IIS has no ASP.NET"),
    ("no-dotnet-4", Level::Refuse, "there is no .NET Framework 4.5 or later"),
    ("no-install-path", Level::Refuse, "the registry does not name the agent's folder"),
    ("no-installer", Level::Refuse, "the plan names no usable installer for a component"),
    ("no-metabase", Level::Refuse, "IIS has no IIS 6 metabase compatibility"),
    ("no-sdk-url", Level::Refuse, "the new address of the Web Service SDK is needed and not known"),
    ("no-single-application", Level::Refuse, "a component is not served by exactly one application of IIS"),
    ("no-single-product", Level::Refuse, "which product a component is cannot be told"),
    ("no-site", Level::Refuse, "IIS has no site of the name that the plan gives"),
    ("no-space", Level::Refuse, "a drive has too little space"),
    ("no-theme", Level::RefuseUnlessAllowed, "the theme that a web.config selects is not there"),
    ("no-visual-cpp", Level::Refuse, "the Visual C++ 2015 redistributables are missing"),
    ("no-way-back", Level::RefuseUnlessAllowed, "a component could not be installed again by a rollback"),
    ("no-web-config", Level::Warn, "an application has no web.config, so there are no settings to carry over"),
    ("not-elevated", Level::Refuse, "this process may not change the machine"),
    ("other-user", Level::Refuse, "a product is installed for another user only"),
    ("outside-configuration", Level::Refuse, "a web.config refers to files that are not in its folder"),
    ("pending-reboot", Level::RefuseUnlessAllowed, "Windows waits for a restart"),
    ("rollback-installer", Level::Refuse, "the installer for a rollback cannot bring the old product back"),
    ("sdk-url-silent", Level::RefuseUnlessAllowed, "the Web Service SDK does not answer at the plan's address"),
    ("service-retired", Level::Warn, "Microsoft's service answers no more"),
    ("unknown-allowance", Level::Warn, "the plan allows what no finding needs an allowance for"),
    ("unreadable-web-config", Level::Refuse, "the settings in a web.config cannot be carried over"),
];

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

/// The id of what ends with a code of its own: a decision is needed, and nothing else.
pub const MERGE_CONFLICT: &str = "merge-conflict";

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
        debug_assert!(
            FINDINGS.iter().any(|(known, most, _)| *known == id && *most <= level),
            "{id} is not in the table"
        );
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

    /// Whether this finding alone refuses the run.
    pub fn refuses(&self) -> bool {
        match self.level {
            Level::Refuse => true,
            Level::RefuseUnlessAllowed => !self.allowed,
            Level::Warn => false,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.title)?;
        if !self.evidence.is_empty() {
            write!(f, " ({})", self.evidence.join(", "))?;
        }
        write!(f, "; {}", self.advice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_findings_are_sorted_unique_and_kebab_case() {
        assert!(FINDINGS.is_sorted_by(|one, other| one.0 < other.0));
        for (id, _, meaning) in FINDINGS {
            let plain = |part: &str| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            };
            assert!(id.split('-').all(plain), "{id}");
            assert!(!meaning.is_empty(), "{id}");
        }
    }

    #[test]
    #[should_panic(expected = "not in the table")]
    #[cfg(debug_assertions)]
    fn a_finding_that_the_table_does_not_have_is_a_fault() {
        let _ = Finding::warn("made-up", "nobody knows this one");
    }
}
