//! The truth table of a three-way merge. Every difference between the old file and the file as shipped goes through it:
//! a value, an attribute, a text, an element, an order, a comment.
//!
//! | old file | as shipped | new file | what becomes of it |
//! |---|---|---|---|
//! | a | b | a | [`Fate::AlreadySo`] |
//! | a | b | b | [`Fate::Carried`] |
//! | a | nothing | nothing | [`Fate::Added`] |
//! | nothing | b | b | [`Fate::Removed`] |
//! | a | b | c | [`Fate::Conflict`] |
//!
//! A guard comes before all but the first line: it says why a difference is not carried although it could be.

use crate::webconfig::Shown;
use crate::webconfig::merge::{Change, Fate, Rules, SdkUrlRule, reported};
use crate::webconfig::schema::sdk_url;

/// What becomes of a difference, which lies in the old file, in the file as shipped and in the new file.
pub(crate) fn decide<T: PartialEq>(
    [old, base, new]: [Option<T>; 3],
    guard: impl FnOnce() -> Option<Fate>,
    conflict: impl FnOnce() -> Fate,
) -> Fate {
    if old == new {
        return Fate::AlreadySo;
    }
    guard().unwrap_or_else(|| if new == base { carried(&old, &new) } else { conflict() })
}

/// The fate of what takes the place of the new file's side.
pub(crate) fn carried<T>(old: &Option<T>, new: &Option<T>) -> Fate {
    match (old, new) {
        (None, _) => Fate::Removed,
        (_, None) => Fate::Added,
        _ => Fate::Carried,
    }
}

/// A guard: the first of these reasons that holds.
pub(crate) fn refused(reasons: &[(bool, &str)]) -> Option<Fate> {
    reasons.iter().find(|(holds, _)| *holds).map(|(_, why)| reported(why))
}

/// One value of appSettings or applicationSettings in all files. The administrator's wins, unless the rules are strict:
/// then both sides count alike.
pub(crate) struct Value<'v> {
    /// The path of its change.
    pub(crate) path: String,
    pub(crate) old: Option<&'v str>,
    pub(crate) base: Option<&'v str>,
    pub(crate) new: Option<&'v str>,
    pub(crate) has_base: bool,
    /// The new version has changed it.
    pub(crate) is_changed: bool,
    /// The old value is the address of the SDK, which the plan may rewrite.
    pub(crate) is_sdk_setting: bool,
}

/// What is to be done about a value.
pub(crate) enum Verdict {
    /// It is no difference.
    Nothing,
    /// The new file stays as it is, for this reason.
    Leave(Fate),
    /// The new file gets this value.
    Write(String, Fate),
    /// The new file loses its value.
    Remove(Fate),
}

impl Value<'_> {
    pub(crate) fn decide(&self, rules: &Rules) -> Verdict {
        if let (SdkUrlRule::Set(url), true) = (&rules.sdk_url, self.is_sdk_setting) {
            return self.write(url.clone(), false, rules);
        }
        let superseded = |why: &str| Verdict::Leave(Fate::Superseded { why: why.to_owned() });
        // A shipped placeholder is nobody's value, so that another one in its place is no change.
        let is_shipped = |value: Option<&str>| value.is_some_and(sdk_url::is_placeholder);
        let is_contested =
            rules.strict && self.has_base && self.is_changed && !(is_shipped(self.base) && is_shipped(self.new));
        let is_placeholder = |old: &str| !self.has_base && sdk_url::is_placeholder(old);
        match self.old {
            None if self.base.is_none() => Verdict::Nothing,
            None => match self.fate(false, is_contested, rules) {
                fate if fate.carries() => Verdict::Remove(fate),
                fate => Verdict::Leave(fate),
            },
            Some(old) if self.base == Some(old) || is_placeholder(old) => match self.has_base {
                _ if self.new == Some(old) => Verdict::Nothing,
                true => superseded("the old file has the default value"),
                false => superseded("it is a placeholder that was never filled in"),
            },
            Some(old) => {
                let replaced = match &rules.sdk_url {
                    SdkUrlRule::ReplaceDirectory { old: directory, new } => {
                        sdk_url::replace_directory(old, directory, new)
                    }
                    SdkUrlRule::Keep | SdkUrlRule::Set(_) => None,
                };
                match self.write(replaced.unwrap_or_else(|| old.to_owned()), is_contested, rules) {
                    // Without the file as shipped, what is alike in both files is no difference.
                    Verdict::Leave(Fate::AlreadySo) if !self.has_base => Verdict::Nothing,
                    verdict => verdict,
                }
            }
        }
    }

    /// The account of it.
    pub(crate) fn change(&self, key: &str, result: Option<&str>, fate: Fate) -> Change {
        let shown = |value: Option<&str>| value.map_or(Shown::Absent, |value| Shown::of(key, value));
        Change::of(self.path.clone(), shown(self.old), shown(self.new), fate).with(shown(result))
    }

    fn write(&self, value: String, is_contested: bool, rules: &Rules) -> Verdict {
        match self.fate(self.old != Some(&value), is_contested, rules) {
            fate if fate.carries() || matches!(fate, Fate::Rewritten { .. }) => Verdict::Write(value, fate),
            fate => Verdict::Leave(fate),
        }
    }

    fn fate(&self, is_rewritten: bool, is_contested: bool, rules: &Rules) -> Fate {
        /// What neither of the other sides is.
        const OTHER: Option<Option<&str>> = Some(None);
        let old = if is_rewritten { OTHER } else { self.old.map(Some) };
        let base = if is_contested { OTHER } else { self.new.map(Some) };
        match decide([old, base, self.new.map(Some)], || None, || rules.conflict(&self.path)) {
            Fate::Carried | Fate::Added if is_rewritten => {
                Fate::Rewritten { why: "the Web Service SDK has a new URL".to_owned() }
            }
            fate => fate,
        }
    }
}
