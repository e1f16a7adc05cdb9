//! What becomes of a value that differs.

use crate::webconfig::{
    merge::{
        change::Fate,
        rules::{Rules, SdkUrlRule},
    },
    schema::sdk_url,
};

/// One value in all files.
pub(crate) struct Case<'v> {
    /// The path of its change.
    pub(crate) path: String,
    pub(crate) old: Option<&'v str>,
    pub(crate) base: Option<&'v str>,
    pub(crate) new: Option<&'v str>,
    pub(crate) has_base: bool,
    /// The old value is the address of the SDK, which the plan may rewrite; `None` where it is something else.
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

pub(crate) fn decide(case: &Case<'_>, rules: &Rules) -> Verdict {
    let superseded = |why: &str| Verdict::Leave(Fate::Superseded { why: why.to_owned() });
    if let (SdkUrlRule::Set(url), true) = (&rules.sdk_url, case.is_sdk_setting) {
        return write(case, url.clone());
    }
    let Some(old) = case.old else {
        return match (case.base, case.new) {
            (Some(base), Some(new)) if rules.strict && base != new => remove_or_keep(case, rules),
            (Some(_), Some(_)) => Verdict::Remove(Fate::Removed),
            (Some(_), None) => Verdict::Leave(Fate::AlreadySo),
            (None, _) => Verdict::Nothing,
        };
    };
    let is_shipped = case.base == Some(old) || (!case.has_base && sdk_url::is_placeholder(old));
    match is_shipped {
        true if case.new == Some(old) => Verdict::Nothing,
        true if case.has_base => superseded("the old file has it as it was shipped"),
        true => superseded("it is a placeholder that nobody filled in"),
        false => match write(case, rewritten(old, &rules.sdk_url)) {
            // Without the file as shipped, what is alike in both files is no difference.
            Verdict::Leave(Fate::AlreadySo) if !case.has_base => Verdict::Nothing,
            Verdict::Write(value, _) if rules.strict && case.has_base && case.new != case.base => {
                match rules.conflict(&case.path) {
                    fate if fate.carries() => Verdict::Write(value, fate),
                    fate => Verdict::Leave(fate),
                }
            }
            verdict => verdict,
        },
    }
}

/// What the administrator removed and the new version changed.
pub(crate) fn remove_or_keep(case: &Case<'_>, rules: &Rules) -> Verdict {
    match rules.conflict(&case.path) {
        fate if fate.carries() => Verdict::Remove(fate),
        fate => Verdict::Leave(fate),
    }
}

fn write(case: &Case<'_>, value: String) -> Verdict {
    let fate = match case.old {
        Some(old) if old == value => match case.new {
            Some(new) if new == value => return Verdict::Leave(Fate::AlreadySo),
            Some(_) => Fate::Carried,
            None => Fate::Added,
        },
        _ => Fate::Rewritten { why: "the Web Service SDK has a new address".to_owned() },
    };
    Verdict::Write(value, fate)
}

fn rewritten(value: &str, rule: &SdkUrlRule) -> String {
    let replaced = match rule {
        SdkUrlRule::ReplaceDirectory { old, new } => sdk_url::replace_directory(value, old, new),
        SdkUrlRule::Keep | SdkUrlRule::Set(_) => None,
    };
    replaced.unwrap_or_else(|| value.to_owned())
}
