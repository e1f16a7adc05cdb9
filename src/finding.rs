//! The results of checks before a run: findings with stable ids and levels.
//!
//! [`FINDINGS`] is the table of all ids. Every check reports its results as [`Finding`]s, which the screen shows as
//! checks: blocking ones and warnings.
//!
#![doc = include_str!("guide/checks.md")]

use serde::{Deserialize, Serialize};
use std::fmt;

/// The level of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The run is blocked.
    Refuse,
    /// The run is blocked unless the plan allows it: `[preflight] allow = ["id"]`.
    RefuseUnlessAllowed,
    /// A warning.
    Warn,
}

/// Every finding: its stable id, its highest level, and its meaning.
pub const FINDINGS: &[(&str, Level, &str)] = &[
    ("account-missing", Level::RefuseUnlessAllowed, "an account or group of the old configuration does not exist"),
    ("another-machine", Level::Refuse, "the plan is for another server"),
    ("application-pool", Level::Refuse, "no application pool can run the new version"),
    ("cannot-back-up", Level::Refuse, "a folder contains links or overlong names, which a rollback could not restore"),
    ("cannot-uninstall", Level::Refuse, "Windows Installer has lost the package that it needs to uninstall a product"),
    ("component-absent", Level::Refuse, "the plan upgrades a component that is not installed"),
    ("decision-without-conflict", Level::Warn, "a decision in the plan matches no conflict"),
    ("directory-taken", Level::Refuse, "the virtual directory of a component, or its folder, is already in use"),
    ("encrypted-web-config", Level::Refuse, "a web.config has encrypted sections"),
    ("folders-disagree", Level::Refuse, "the registry, the services and Windows Installer place the agent differently"),
    ("folders-overlap", Level::Refuse, "a folder that is backed up or moved aside contains something else"),
    ("hook-without-program", Level::Refuse, "the program of a hook is missing"),
    ("hook-without-step", Level::Refuse, "a hook names an unknown step"),
    ("installer-architecture", Level::Refuse, "an installer is for another processor architecture"),
    ("installer-directory", Level::Warn, "an installer has no option for the virtual directory: you must run it"),
    ("installer-hash", Level::Refuse, "the hash of an installer is not the one in the plan"),
    ("installer-missing", Level::Refuse, "an installer is missing"),
    ("installer-product", Level::Refuse, "an installer is for another component, or for the old version"),
    ("installer-signature", Level::Refuse, "an installer is not signed by the expected signer"),
    ("installer-unreadable", Level::Refuse, "an installer cannot be read or installed"),
    ("interrupted-upgrade", Level::Refuse, "the old and the new version of a component are both installed"),
    ("interruptions", Level::Warn, "clients of the agent are affected during the upgrade"),
    (
        "launch-condition",
        Level::RefuseUnlessAllowed,
        "a package would not install on this server, by its own conditions",
    ),
    ("launch-condition-unknown", Level::Warn, "it is unknown whether a package's conditions allow an installation"),
    ("leftovers", Level::RefuseUnlessAllowed, "files of an earlier upgrade were left behind"),
    ("merge-conflict", Level::Refuse, "a setting is customized, and the new version changed it as well"),
    ("method-console", Level::Refuse, "the plan installs a component in the MFA Server console, which is not here"),
    ("mobile-app-dropped", Level::Refuse, "the MFA Server setup may not include the Mobile App Web Service"),
    ("no-answer", Level::Warn, "a component does not respond before the upgrade"),
    ("no-asp-net", Level::Refuse, "ASP.NET is not installed in IIS"),
    ("no-data", Level::Refuse, "the agent's data file is missing or empty"),
    ("no-dotnet-4", Level::Refuse, ".NET Framework 4.5 or later is missing"),
    ("no-install-path", Level::Refuse, "the registry does not contain the agent's folder"),
    ("no-installer", Level::Refuse, "the plan names no usable installer for a component"),
    ("no-metabase", Level::Refuse, "IIS 6 Metabase Compatibility is not installed"),
    ("no-sdk-url", Level::Refuse, "the new URL of the Web Service SDK is required, but unknown"),
    ("no-service", Level::Refuse, "the agent is installed, but no service of it was found"),
    ("no-single-application", Level::Refuse, "IIS does not serve a component from exactly one application"),
    ("no-single-product", Level::Refuse, "the product of a component is ambiguous or unknown"),
    ("no-site", Level::Refuse, "IIS does not have the site named in the plan"),
    ("no-space", Level::Refuse, "a drive does not have enough free space"),
    ("no-theme", Level::RefuseUnlessAllowed, "the theme selected in a web.config is missing"),
    ("no-visual-cpp", Level::Refuse, "the Visual C++ 2015 redistributables are missing"),
    ("no-way-back", Level::RefuseUnlessAllowed, "a rollback could not reinstall a component"),
    ("no-web-config", Level::Warn, "an application has no web.config, so there are no settings to migrate"),
    ("not-elevated", Level::Refuse, "this process has no administrator rights"),
    ("other-user", Level::Refuse, "a product is installed only for another user"),
    ("outside-configuration", Level::Refuse, "a web.config refers to files outside its folder"),
    ("pending-reboot", Level::RefuseUnlessAllowed, "Windows is waiting for a restart"),
    ("rollback-installer", Level::Refuse, "the rollback installer cannot reinstall the old product"),
    ("sdk-url-silent", Level::RefuseUnlessAllowed, "the Web Service SDK does not respond at the URL in the plan"),
    ("service-retired", Level::Warn, "Microsoft has retired the cloud service"),
    ("unfinished-run", Level::Refuse, "an earlier run is not finished: resume it, or roll it back"),
    ("unknown-allowance", Level::Warn, "the plan allows a check that needs no permission"),
    ("unreadable-web-config", Level::Refuse, "the settings in a web.config cannot be migrated"),
];

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable id, such as `pending-reboot`.
    pub id: String,
    /// How much it matters.
    pub level: Level,
    /// Whether the plan allows it.
    pub allowed: bool,
    /// The problem, in a sentence.
    pub title: String,
    /// What was seen.
    pub evidence: Vec<String>,
    /// What to do about it.
    pub advice: String,
}

/// The id of the finding with its own exit code: only a decision is needed.
pub const MERGE_CONFLICT: &str = "merge-conflict";

impl Finding {
    /// A finding that blocks the run.
    pub fn refuse(id: &str, title: impl Into<String>) -> Self {
        Self::of(Level::Refuse, id, title)
    }

    /// A finding that blocks the run unless the plan allows it.
    pub fn refuse_unless_allowed(id: &str, title: impl Into<String>) -> Self {
        Self::of(Level::RefuseUnlessAllowed, id, title)
    }

    /// A warning.
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

    /// Whether this finding blocks the run.
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
