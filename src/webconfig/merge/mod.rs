//! The merge: what the administrator had, spliced into the file the new version brings, and an account of it.

mod app_settings;
mod application_settings;
pub(crate) mod by_hand;
mod change;
pub(crate) mod comments;
mod decide;
mod draft;
mod external;
mod gather;
mod insert;
mod matching;
mod naming;
mod placement;
mod proof;
mod reasons;
mod rules;
mod scene;
mod transplant;
mod walk;
mod without_base;
mod wrapping;

pub(crate) use change::reported;
pub use change::{Change, Fate, Merged};
pub(crate) use decide::{Value, Verdict, carried, decide, refused};
pub(crate) use draft::{Draft, File, Plan};
pub use external::{Place, Together};
pub use gather::{Gathered, OutsideFile, ReadOutside};
pub use rules::{OnConflict, OtherChanges, Rules, SdkUrlRule, Side, ThemeRule};
pub use scene::Sources;
pub(crate) use scene::{Scene, Triple};

use crate::webconfig::merge::by_hand::ByHand;
use crate::webconfig::schema::elsewhere::{elsewhere, find};
use crate::webconfig::schema::validation;
use crate::webconfig::text::document::Splice;
use crate::webconfig::text::limits::MAX_DEPTH;
use crate::webconfig::text::markup;
use crate::webconfig::{ConfigError, Document};
use std::{cmp::Reverse, collections::HashMap, ops::Range};

/// Merges the administrator's values into the new file. The result is parsed and read again before it is returned.
pub fn merge(sources: &Sources<'_>, rules: &Rules) -> Result<Merged, ConfigError> {
    let files: Vec<&Document> = [Some(sources.old), Some(sources.new), sources.base].into_iter().flatten().collect();
    let mut by_hand = ByHand::of(&files);
    match wrapping::as_they_are(&files)?.as_deref() {
        Some(seen @ [old, new, base @ ..]) => {
            by_hand.split(seen);
            merge_proven(&Sources { old, base: base.first(), new }, rules, by_hand)
        }
        _ => merge_proven(sources, rules, by_hand),
    }
}

/// Merges, and leaves to the administrator whatever the result does not say as it was meant.
fn merge_proven(sources: &Sources<'_>, rules: &Rules, mut by_hand: ByHand) -> Result<Merged, ConfigError> {
    refuse(sources, sources.old)?;
    refuse(sources, sources.new)?;
    for _ in 0..PROOFS {
        let merged = settled(sources, rules, &by_hand);
        let wrong = match &merged {
            Ok(merged) => proof::wrong(sources, merged, &by_hand),
            Err(ConfigError::Unsound { path, .. }) => by_hand::section_of(path).into_iter().collect(),
            Err(_) => return merged,
        };
        if merged.is_ok() && wrong.is_empty() {
            return merged;
        }
        let left = wrong.into_iter().filter(|place| by_hand.leave(place.clone())).count();
        if left == 0 {
            break;
        }
    }
    Err(unsound(sources, &[]))
}

/// How often the result may turn out to say something else in a place, or in what is around that.
const PROOFS: usize = 16;

fn settled(sources: &Sources<'_>, rules: &Rules, by_hand: &ByHand) -> Result<Merged, ConfigError> {
    let Plan { splices, moves, mut changes } = plan(sources, rules, by_hand);
    if splices.is_empty() && moves.is_empty() {
        return Ok(Merged { document: sources.new.clone(), changes });
    }
    let is_moving = splices.is_empty();
    let mut merged = sources.new.apply(if is_moving { outermost(sources.new, moves) } else { splices })?;
    // What was carried must read back as carried: seen from the old file, nothing is left to do in the result but what
    // one change makes room for, and to move what is in its final form, level by level.
    let mut rounds = ROUNDS;
    for _ in 0..MAX_DEPTH {
        let left = plan(&Sources { new: &merged, ..*sources }, rules, by_hand);
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

/// What a merge cannot see through: encrypted sections and sections given twice. A section that nobody has changed never
/// stands in the way.
fn refuse(sources: &Sources<'_>, document: &Document) -> Result<(), ConfigError> {
    let (name, root) = (|| document.name().to_owned(), document.tree().root_element());
    let (mut sections, _) = elsewhere(root);
    let of =
        |file: &'_ Document, path: &str| find(file.tree().root_element(), path).map(|node| markup(node).to_owned());
    sections.retain(|path| sources.base.is_none_or(|base| of(base, path) != of(sources.old, path)));
    if !sections.is_empty() {
        return Err(ConfigError::Encrypted { name: name(), sections });
    }
    let problems = validation::repeated_settings(root);
    if problems.is_empty() { Ok(()) } else { Err(ConfigError::Faulty { name: name(), problems }) }
}

fn plan(sources: &Sources<'_>, rules: &Rules, by_hand: &ByHand) -> Plan {
    let base = sources.base.map(|base| base.tree().root_element());
    let [old, new] = [sources.old, sources.new].map(|file| file.tree().root_element());
    let scene = Scene { sources, rules, by_hand, old, base, new };
    let mut draft = Draft::default();
    app_settings::app_settings(&scene, &mut draft);
    application_settings::application_settings(&scene, &mut draft);
    without_base::outside(&scene, &mut draft);
    let (ends, starts) = wrapping::compare(&scene, &mut draft);
    ends.into_iter().for_each(|splice| draft.splice(splice));
    without_base::changes(&scene, &mut draft);
    starts.into_iter().for_each(|splice| draft.splice(splice));
    draft.finish(sources.new)
}
