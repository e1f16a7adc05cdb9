//! The merge: what the administrator had, spliced into the file the new version brings, and an account of it.

use super::limits::MAX_DEPTH;
use super::{
    ConfigError, Document, Shown, app_settings, check,
    document::Splice,
    draft::{Draft, Plan},
    other,
    pairs::Triple,
    settings,
    values::elsewhere,
    wraps,
};
use roxmltree::Node;
use serde::{Deserialize, Serialize};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
    ops::Range,
};

/// The files of a merge. The result is `new` with splices.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The administrator's file.
    pub old: &'a Document,
    /// The administrator's file as it was shipped: what differs from it is the administrator's.
    pub base: Option<&'a Document>,
    /// The file of the new version.
    pub new: &'a Document,
}

/// What the plan wants of a merge.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq, Debug)]
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
    /// True where values of appSettings and applicationSettings can be in conflict too; in an upgrade the
    /// administrator's win.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// What has been decided of conflicts, by their [`Change::path`]; `on_conflict` holds for the others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub decisions: BTreeMap<String, Side>,
}

impl Rules {
    /// What becomes of the conflict at `path`.
    pub(super) fn conflict(&self, path: &str) -> Fate {
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
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum SdkUrlRule {
    /// It is a value like any other.
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
#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeRule {
    /// The one the administrator selected in the old file.
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
    /// True where the old file's side is in the result.
    pub(super) fn carries(&self) -> bool {
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
    /// True where both sides changed the same, whoever holds.
    pub fn is_conflict(&self) -> bool {
        matches!(self.fate, Fate::Conflict { .. })
    }

    /// A conflict in words.
    pub fn conflict(&self) -> String {
        format!("{}: {} in the old file, {} in the new one", self.path, self.old, self.new)
    }

    /// True where both sides changed the same, and nobody has decided which holds.
    pub fn is_undecided(&self) -> bool {
        self.fate == Fate::Conflict { taken: None }
    }
}

/// Merges the administrator's values into the new file. The result is parsed and read again before it is returned.
pub fn merge(sources: &Sources<'_>, rules: &Rules) -> Result<Merged, ConfigError> {
    let files: Vec<&Document> = [Some(sources.old), Some(sources.new), sources.base].into_iter().flatten().collect();
    match wraps::as_they_are(&files)?.as_deref() {
        Some([old, new, base @ ..]) => merge_seen(&Sources { old, base: base.first(), new }, rules),
        _ => merge_seen(sources, rules),
    }
}

fn merge_seen(sources: &Sources<'_>, rules: &Rules) -> Result<Merged, ConfigError> {
    refuse(sources.old)?;
    refuse(sources.new)?;
    let Plan { splices, moves, mut changes } = plan(sources, rules);
    if splices.is_empty() && moves.is_empty() {
        return Ok(Merged { document: sources.new.clone(), changes });
    }
    let is_moving = splices.is_empty();
    let mut merged = sources.new.apply(if is_moving { outermost(sources.new, moves) } else { splices })?;
    // What was carried must read back as carried: seen from the old file, nothing is left to do in the result but what
    // one change makes room for, and to move what is in its final form, level by level.
    let mut rounds = ROUNDS;
    for _ in 0..MAX_DEPTH {
        let left = plan(&Sources { new: &merged, ..*sources }, rules);
        if left.splices.is_empty() && left.moves.is_empty() {
            return Ok(Merged { document: merged, changes });
        }
        let splices = match left.splices.is_empty() {
            true => outermost(&merged, left.moves),
            false if rounds == 0 => return Err(unsound(sources, &left.changes)),
            false => {
                rounds -= 1;
                amend(&mut changes, left.changes);
                left.splices
            }
        };
        merged = merged.apply(splices)?;
    }
    Err(unsound(sources, &[]))
}

/// How often one change may make room for another before the result has to stand.
const ROUNDS: usize = 4;

/// Adds what a further round has done to the account.
fn amend(changes: &mut Vec<Change>, further: Vec<Change>) {
    let at: HashMap<String, usize> = changes.iter().enumerate().map(|(at, known)| (known.path.clone(), at)).collect();
    for change in further.into_iter().filter(|change| change.fate.carries()) {
        match at.get(&change.path).map(|at| &mut changes[*at]) {
            Some(known) if known.fate.carries() => {}
            Some(known) => (known.result, known.fate) = (change.result, change.fate),
            None => changes.push(change),
        }
    }
}

fn unsound(sources: &Sources<'_>, left: &[Change]) -> ConfigError {
    let is_unsound = |change: &&Change| change.new != change.result || change.fate == Fate::Carried;
    let path = left.iter().find(is_unsound).map_or("a value", |change| &change.path).to_owned();
    ConfigError::Unsound { name: sources.new.name().to_owned(), path }
}

/// Moves as splices; those within another wait until that is done.
fn outermost(new: &Document, mut moves: Vec<(Range<usize>, Range<usize>)>) -> Vec<Splice> {
    moves.sort_by_key(|(place, _)| (place.start, Reverse(place.end)));
    let mut end = 0;
    let mut splices = Vec::new();
    for (place, from) in moves {
        if place.start >= end {
            end = place.end;
            splices.push(Splice { range: place, text: new.text()[from].to_owned() });
        }
    }
    splices
}

/// What a merge cannot see through: encrypted sections and sections given twice.
fn refuse(document: &Document) -> Result<(), ConfigError> {
    let (name, root) = (|| document.name().to_owned(), document.tree().root_element());
    let (sections, _) = elsewhere(root);
    if !sections.is_empty() {
        return Err(ConfigError::Encrypted { name: name(), sections });
    }
    let problems = check::repeated_settings(root);
    if problems.is_empty() { Ok(()) } else { Err(ConfigError::Faulty { name: name(), problems }) }
}

fn plan(sources: &Sources<'_>, rules: &Rules) -> Plan {
    let base = sources.base.map(|base| base.tree().root_element());
    let [old, new] = [sources.old, sources.new].map(|file| file.tree().root_element());
    let scene = Scene { sources, rules, old, base, new };
    let mut draft = Draft::new();
    app_settings::app_settings(&scene, &mut draft);
    settings::application_settings(&scene, &mut draft);
    other::outside(&scene, &mut draft);
    let (ends, starts) = wraps::compare(&scene, &mut draft);
    ends.into_iter().for_each(|splice| draft.splice(splice));
    other::changes(&scene, &mut draft);
    starts.into_iter().for_each(|splice| draft.splice(splice));
    draft.finish(sources.new)
}

/// The three files side by side.
pub(super) struct Scene<'t> {
    pub(super) sources: &'t Sources<'t>,
    pub(super) rules: &'t Rules,
    pub(super) old: Node<'t, 't>,
    pub(super) base: Option<Node<'t, 't>>,
    pub(super) new: Node<'t, 't>,
}

impl<'t> Scene<'t> {
    /// The outermost element.
    pub(super) fn root(&self) -> Triple<'t> {
        Triple { old: Some(self.old), base: self.base, new: Some(self.new), is_unique: true }
    }
}
