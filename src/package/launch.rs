//! Launch conditions, evaluated before an installation as far as possible.

use super::condition::{may_hold, names};
use super::model::Search;
use super::{Package, SET_PROPERTY};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

type Properties = BTreeMap<String, String>;

/// What is known of a property before an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Property {
    /// It has this value.
    Is(String),
    /// It is not set.
    Absent,
    /// Its value is unknown, for this reason.
    Unknown(String),
}

/// A launch condition, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The condition.
    pub condition: String,
    /// What Windows Installer says if it is false, as the author wrote it.
    pub message: String,
    /// Whether it is true; `None` if that is unknown.
    pub holds: Option<bool>,
    /// The properties that it refers to.
    pub properties: Vec<(String, Property)>,
}

/// Custom actions of these types set a property or a folder, or stop the installation: they run no program.
const RUNS_NOTHING: [i32; 3] = [SET_PROPERTY, super::SET_DIRECTORY, 19];
/// Custom actions with this option run after the conditions were evaluated.
const DEFERRED: i32 = 0x400;

/// Public properties that Windows Installer sets itself (Microsoft, "Property Reference").
const OF_WINDOWS_INSTALLER: [&str; 10] = [
    "ACTION",
    "CLIENTPROCESSID",
    "CLIENTUILEVEL",
    "COMPANYNAME",
    "CURRENTDIRECTORY",
    "EXECUTEACTION",
    "ROOTDRIVE",
    "SECONDSEQUENCE",
    "SOURCEDIR",
    "USERNAME",
];
/// Private properties that a first installation does not have.
const ABSENT_AT_FIRST: [&str; 4] = ["Installed", "MsiPatchRemovalList", "OutOfDiskSpace", "Preselected"];

impl<R: Read + Seek> Package<R> {
    /// Its searches, if it performs them before its launch conditions.
    pub fn searches(&self) -> &[Search] {
        let first = |name: &str| self.tables.sequence.iter().position(|(action, _)| action == name);
        match (first("AppSearch"), first("LaunchConditions")) {
            (Some(searched), launch) if launch.is_none_or(|launch| searched < launch) => &self.tables.searches,
            _ => &[],
        }
    }

    /// Evaluates its launch conditions for a first installation: `given` is the command line, `machine` what Windows
    /// Installer sets itself, as far as known, and `found` what its searches find.
    pub fn launch(&self, given: &Properties, machine: &Properties, found: &BTreeMap<String, Property>) -> Vec<Launch> {
        let sequence = &self.tables.sequence;
        let Some(at) = sequence.iter().position(|(action, _)| action == "LaunchConditions") else {
            return Vec::new();
        };
        let property = |name: &str| self.known(name, at, (given, machine, found));
        let evaluate = |condition: &str| {
            let properties: Vec<(String, Property)> =
                names(condition).into_iter().map(|name| (name.clone(), property(&name))).collect();
            let (mut known, mut unknown) = (Properties::new(), BTreeSet::new());
            for (name, property) in &properties {
                match property {
                    Property::Is(value) => drop(known.insert(name.clone(), value.clone())),
                    Property::Absent => {}
                    Property::Unknown(_) => drop(unknown.insert(name.clone())),
                }
            }
            // Windows Installer fails with an invalid condition.
            (may_hold(condition, &known, &unknown).unwrap_or(Some(false)), properties)
        };
        let applies = evaluate(&sequence[at].1).0;
        if applies == Some(false) {
            return Vec::new();
        }
        let judged = self.tables.launch_conditions.iter().map(|(condition, message)| {
            let (holds, properties) = evaluate(condition);
            let holds = holds.filter(|holds| *holds || applies.is_some());
            Launch { condition: condition.clone(), message: message.clone(), holds, properties }
        });
        judged.collect()
    }

    /// What is known of a property at the place `at` of the sequence.
    fn known(
        &self,
        name: &str,
        at: usize,
        (given, machine, found): (&Properties, &Properties, &BTreeMap<String, Property>),
    ) -> Property {
        let earlier = self.tables.sequence[..at].iter().filter_map(|(action, _)| {
            let custom = self.tables.actions.get(action)?;
            (custom.kind & DEFERRED == 0).then_some((action, custom))
        });
        if let Some((action, _)) =
            earlier.clone().find(|(_, custom)| custom.kind() == SET_PROPERTY && custom.source == name)
        {
            return Property::Unknown(format!("the custom action {action} sets it"));
        }
        match found.get(name) {
            None | Some(Property::Absent) => {}
            Some(property) => return property.clone(),
        }
        if self.tables.related.contains(name) {
            return Property::Unknown("it is set if a related product is installed".to_owned());
        }
        let set = given.get(name).or_else(|| machine.get(name)).or_else(|| self.tables.properties.get(name));
        if let Some(value) = set {
            return Property::Is(value.clone());
        }
        if ABSENT_AT_FIRST.contains(&name) {
            return Property::Absent;
        }
        if let Some((action, _)) = earlier.clone().find(|(_, custom)| !RUNS_NOTHING.contains(&custom.kind())) {
            return Property::Unknown(format!("the custom action {action} may set it"));
        }
        let is_private = name.contains(|c: char| c.is_ascii_lowercase());
        if name.starts_with('%') {
            Property::Unknown("it is an environment variable".to_owned())
        } else if is_private || OF_WINDOWS_INSTALLER.contains(&name) {
            Property::Unknown("Windows Installer may set it".to_owned())
        } else {
            Property::Absent
        }
    }
}
