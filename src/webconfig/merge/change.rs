//! The account of a merge: each difference and what became of it.

use crate::webconfig::merge::{Rules, Side};
use crate::webconfig::redact::mask;
use crate::webconfig::{Document, Shown};
use roxmltree::Node;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// A merged file and the account of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Merged {
    /// The new file with splices; exactly its bytes where nothing was to be carried.
    pub document: Document,
    /// Every difference of the old file that was found, carried or not.
    pub changes: Vec<Change>,
}

/// One difference of the old file and what became of it.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq, Debug)]
pub struct Change {
    /// Where: `appSettings/KEY`, `applicationSettings/SECTION/NAME`, `system.web/pages/@theme`. No other change of the
    /// merge has the same, and the same files always give the same.
    pub path: String,
    /// In the old file.
    pub old: Shown,
    /// In the new file before the merge.
    pub new: Shown,
    /// In the result.
    pub result: Shown,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a difference.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fate {
    /// The old value replaced the new file's.
    Carried,
    /// The new file had no such place; the old value was added.
    Added,
    /// The administrator had removed it, and so it was taken out of the new file.
    Removed,
    /// The administrator and the new version changed it differently.
    Conflict {
        /// Which side holds; `None` as long as nobody has decided: then it is the new file's.
        taken: Option<Side>,
    },
    /// The new file says the same.
    AlreadySo,
    /// The old value was carried in another form.
    Rewritten {
        /// What changed it.
        why: String,
    },
    /// The new file's value stands, as it should.
    Superseded {
        /// Why.
        why: String,
    },
    /// Not carried; a person has to look at it.
    Reported {
        /// Why, and what to do.
        why: String,
    },
}

impl Fate {
    /// Whether the old file's side is in the result.
    pub(crate) fn carries(&self) -> bool {
        matches!(self, Fate::Carried | Fate::Added | Fate::Removed | Fate::Conflict { taken: Some(Side::Old) })
    }
}

impl Merged {
    /// Where somebody has to decide.
    pub fn undecided(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.is_undecided())
    }

    /// The decisions of `rules` that decided nothing, because no conflict has their path.
    pub fn unused_decisions<'a>(&self, rules: &'a Rules) -> Vec<&'a str> {
        let conflicts = self.changes.iter().filter(|change| change.is_conflict());
        let paths: HashSet<&str> = conflicts.map(|change| change.path.as_str()).collect();
        rules.decisions.keys().map(String::as_str).filter(|path| !paths.contains(path)).collect()
    }
}

impl Change {
    /// The account of a difference. The result is the side that its fate takes.
    pub(crate) fn of(path: String, old: Shown, new: Shown, fate: Fate) -> Self {
        let result = if fate.carries() { old.clone() } else { new.clone() };
        Self { path, old, new, result, fate }
    }

    /// The account of a whole element.
    pub(crate) fn of_element(path: String, old: Option<Node<'_, '_>>, new: Option<Node<'_, '_>>, fate: Fate) -> Self {
        let [old, new] = [old, new].map(|node| node.map_or(Shown::Absent, mask::shown_element));
        Self::of(path, old, new, fate)
    }

    /// The same with another result.
    pub(crate) fn with(self, result: Shown) -> Self {
        Self { result, ..self }
    }

    /// Whether both sides changed the same, whoever holds.
    pub fn is_conflict(&self) -> bool {
        matches!(self.fate, Fate::Conflict { .. })
    }

    /// A conflict in words.
    pub fn conflict(&self) -> String {
        format!("{}: {} in the old file, {} in the new one", self.path, self.old, self.new)
    }

    /// Whether both sides changed the same, and nobody has decided which holds.
    pub fn is_undecided(&self) -> bool {
        self.fate == Fate::Conflict { taken: None }
    }
}

/// The fate of what is left to somebody, and why.
pub(crate) fn reported(why: &str) -> Fate {
    Fate::Reported { why: why.to_owned() }
}
