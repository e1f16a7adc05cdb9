//! What the plan wants of a merge.

use crate::webconfig::merge::Fate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What the plan wants of a merge.
#[derive(Clone, Default, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub struct Rules {
    /// What becomes of the address of the Web Service SDK.
    pub sdk_url: SdkUrlRule,
    /// Which theme is selected.
    pub theme: ThemeRule,
    /// What becomes of changes outside appSettings and applicationSettings.
    pub other_changes: OtherChanges,
    /// What holds where the administrator and the new version changed the same.
    #[serde(default)]
    pub on_conflict: OnConflict,
    /// Whether values of appSettings and applicationSettings can be in conflict too; in an upgrade the
    /// administrator's win.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// The paths of sections that files further up declare, besides those that every machine has.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub declared_above: BTreeSet<String>,
    /// What has been decided of conflicts, by their [path](crate::webconfig::Change::path); `on_conflict` holds for the
    /// others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub decisions: BTreeMap<String, Side>,
}

impl Rules {
    /// What becomes of the conflict at `path`.
    pub(crate) fn conflict(&self, path: &str) -> Fate {
        let by_policy = match self.on_conflict {
            OnConflict::Stop => None,
            OnConflict::KeepNew => Some(Side::New),
            OnConflict::KeepOld => Some(Side::Old),
        };
        Fate::Conflict { taken: self.decisions.get(path).copied().or(by_policy) }
    }
}

/// What holds where the administrator and the new version changed the same.
#[derive(Clone, Copy, Default, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum OnConflict {
    /// Nobody knows: the new file stays, and somebody has to decide.
    #[default]
    Stop,
    /// The new file.
    KeepNew,
    /// The old file.
    KeepOld,
}

/// One side of a conflict.
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The administrator's file.
    Old,
    /// The new version's.
    New,
}

/// What becomes of the address of the Web Service SDK.
#[derive(Clone, Default, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum SdkUrlRule {
    /// It is a value like any other.
    #[default]
    Keep,
    /// In addresses that end in `PfWsSdk.asmx` one directory gets another name; all else in them stays.
    ReplaceDirectory {
        /// The directory, compared without case.
        old: String,
        /// Its new name.
        new: String,
    },
    /// This address, whatever the old file says.
    Set(String),
}

/// Which theme the result selects.
#[derive(Clone, Copy, Default, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeRule {
    /// The one the administrator selected in the old file.
    #[default]
    Carry,
    /// The new file's.
    KeepNew,
}

/// What becomes of changes outside appSettings and applicationSettings.
#[derive(Clone, Copy, Default, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum OtherChanges {
    /// Those that are beyond doubt are carried, the others are reported.
    #[default]
    Apply,
    /// All are reported.
    Report,
}
