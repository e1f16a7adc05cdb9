//! Which features of a package are installed.

use super::condition::holds;
use super::error::Problem;
use super::model::Feature;
use super::tables::{MAX_DEPTH, Tables};
use std::collections::{BTreeMap, BTreeSet};

type Properties = BTreeMap<String, String>;

/// If one of these properties is set, only the features in it are installed, not those of the default level.
const ASKED: [&str; 3] = ["ADDLOCAL", "ADDSOURCE", "ADDDEFAULT"];
const REMOVED: [&str; 2] = ["REMOVE", "ADVERTISE"];
/// More than any real package has.
const MAX_FEATURES: usize = 10_000;

/// The names of the features that a first installation installs.
pub(super) fn selected(tables: &Tables, properties: &Properties) -> Result<BTreeSet<String>, Problem> {
    let work = Selection::new(tables, properties)?;
    let list = |name: &&str| properties.get(*name).filter(|list| !list.is_empty());
    let asked_for = ASKED.iter().chain(&REMOVED).any(|name| list(name).is_some());
    let mut chosen = BTreeSet::new();
    if asked_for {
        for name in &ASKED {
            let features = work.named(list(name))?;
            chosen.extend(features.iter().flat_map(|feature| work.with_parents(feature)));
        }
        for name in &REMOVED {
            let features = work.named(list(name))?;
            chosen.retain(|feature| !features.contains(feature));
        }
        // Removing a feature also removes those below it.
        let whole = chosen.clone();
        chosen.retain(|feature| work.with_parents(feature).all(|parent| whole.contains(parent)));
    } else {
        let usual = properties.get("INSTALLLEVEL").and_then(|level| level.trim().parse().ok()).unwrap_or(1);
        let is_usual = |feature: &str| work.level(feature) <= usual;
        chosen.extend(work.available.iter().copied().filter(|feature| work.with_parents(feature).all(is_usual)));
    }
    work.follow(&mut chosen);
    Ok(chosen.into_iter().map(str::to_owned).collect())
}

struct Selection<'a> {
    features: &'a BTreeMap<String, Feature>,
    levels: BTreeMap<&'a str, i32>,
    /// The features that are not disabled, directly or through a parent.
    available: BTreeSet<&'a str>,
}

impl<'a> Selection<'a> {
    fn new(tables: &'a Tables, properties: &Properties) -> Result<Self, Problem> {
        let features = &tables.features;
        if features.len() > MAX_FEATURES {
            return Err(Problem::TooMuch("features"));
        }
        let mut levels: BTreeMap<&str, i32> = features.iter().map(|(name, row)| (name.as_str(), row.level)).collect();
        for (feature, level, condition) in &tables.levels {
            if holds(condition, properties)? {
                levels.insert(feature, *level);
            }
        }
        let mut work = Self { features, levels, available: BTreeSet::new() };
        for name in features.keys() {
            if work.with_parents(name).nth(MAX_DEPTH).is_some() {
                return Err(Problem::Contradiction(format!("the feature `{name}` is below itself")));
            }
        }
        let is_on = |name: &&str| work.with_parents(name).all(|feature| work.level(feature) > 0);
        work.available = features.keys().map(String::as_str).filter(is_on).collect();
        Ok(work)
    }

    fn level(&self, feature: &str) -> i32 {
        self.levels.get(feature).copied().unwrap_or_default()
    }

    /// A feature and its parents.
    fn with_parents(&self, feature: &'a str) -> impl Iterator<Item = &'a str> {
        let features = self.features;
        std::iter::successors(Some(feature), move |feature| features.get(*feature)?.parent.as_deref())
            .filter(move |feature| features.contains_key(*feature))
    }

    /// The available features of a list. Fails for an unknown one.
    fn named(&self, list: Option<&String>) -> Result<Vec<&'a str>, Problem> {
        let Some(list) = list else { return Ok(Vec::new()) };
        if list.trim() == "ALL" {
            return Ok(self.available.iter().copied().collect());
        }
        let mut found = Vec::new();
        for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let (key, _) = self.features.get_key_value(name).ok_or_else(|| Problem::NoFeature(name.to_owned()))?;
            found.extend(self.available.get(key.as_str()));
        }
        Ok(found)
    }

    /// Adds the features that are installed whenever their parent is.
    fn follow(&self, chosen: &mut BTreeSet<&'a str>) {
        let followers: Vec<&str> = self.available.iter().copied().filter(|feature| self.follows(feature)).collect();
        for _ in 0..MAX_DEPTH {
            let before = chosen.len();
            for feature in &followers {
                if self.with_parents(feature).nth(1).is_some_and(|parent| chosen.contains(parent)) {
                    chosen.insert(feature);
                }
            }
            if chosen.len() == before {
                break;
            }
        }
    }

    fn follows(&self, feature: &str) -> bool {
        self.features.get(feature).is_some_and(|feature| feature.follows_parent)
    }
}
