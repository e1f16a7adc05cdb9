//! The values of appSettings and applicationSettings: the administrator's win without conflict.

use super::{
    Shown,
    document::{Splice, children},
    edit::{self, Line, append, escape_attribute, escape_text, insert_behind, set_attribute, set_content},
    merge::{Change, Draft, Fate, Rules, Scene, SdkUrlRule},
    sdk_url,
    values::{AppEntries, SettingEntries, SettingEntry, sections},
};
use roxmltree::{Node, NodeId};
use std::collections::{HashMap, HashSet};

/// One value in all files.
struct Case<'v> {
    /// The path of its change.
    path: String,
    old: Option<&'v str>,
    base: Option<&'v str>,
    new: Option<&'v str>,
    has_base: bool,
    /// The old value is the address of the SDK, which the plan may rewrite; `None` where it is something else.
    is_sdk_setting: bool,
}

/// What is to be done about a value.
enum Verdict {
    /// It is no difference.
    Nothing,
    /// The new file stays as it is, for this reason.
    Leave(Fate),
    /// The new file gets this value.
    Write(String, Fate),
}

fn decide(case: &Case<'_>, rules: &Rules) -> Verdict {
    let superseded = |why: &str| Verdict::Leave(Fate::Superseded { why: why.to_owned() });
    if let (SdkUrlRule::Set(url), true) = (&rules.sdk_url, case.is_sdk_setting) {
        return write(case, url.clone());
    }
    let Some(old) = case.old else {
        return match (case.base, case.new) {
            (Some(_), Some(_)) => Verdict::Leave(Fate::Reported {
                why: "it was removed from the old file and the new file has it; remove it there if that still holds"
                    .to_owned(),
            }),
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

fn reported(why: &str) -> Fate {
    Fate::Reported { why: why.to_owned() }
}

/// The account of one value.
fn change(key: &str, case: &Case<'_>, result: Option<&str>, fate: Fate) -> Change {
    let shown = |value: Option<&str>| value.map_or(Shown::Absent, |value| Shown::of(key, value));
    Change { path: case.path.clone(), old: shown(case.old), new: shown(case.new), result: shown(result), fate }
}

/// Merges appSettings.
pub(super) fn app_settings<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>) {
    let (old, new) = (AppEntries::of(scene.old), AppEntries::of(scene.new));
    let base = scene.base.map(AppEntries::of);
    let section = children(scene.new, "appSettings").next();
    let is_outside = section.is_some_and(|section| section.has_attribute("configSource"));
    let mut added: Vec<Line> = Vec::new();
    let removed = base.iter().flat_map(|base| &base.entries).filter(|entry| old.get(entry.key).is_none());
    for entry in old.entries.iter().chain(removed) {
        let key = entry.key;
        let target = new.get(key);
        let case = Case {
            path: draft.path(format!("appSettings/{key}")),
            old: old.get(key).map(|entry| entry.value),
            base: base.as_ref().and_then(|base| base.get(key)).map(|entry| entry.value),
            new: target.map(|entry| entry.value),
            has_base: base.is_some(),
            is_sdk_setting: false,
        };
        match decide(&case, scene.rules) {
            Verdict::Nothing => {}
            Verdict::Leave(fate) => draft.change(change(key, &case, case.new, fate)),
            Verdict::Write(..) if is_outside => {
                let why = "the new file keeps its appSettings in another file (configSource); set it there";
                draft.change(change(key, &case, case.new, reported(why)));
            }
            Verdict::Write(value, fate) => {
                draft.change(change(key, &case, Some(&value), fate));
                match target {
                    Some(target) if target.value == value => {}
                    Some(target) => draft.splice(set_attribute(scene.sources.new, target.node, "value", &value)),
                    None => added.push((0, add_element(scene, &new, key, &value))),
                }
            }
        }
    }
    if !added.is_empty() {
        draft.splice(added_keys(scene, section, added));
    }
}

/// `<add key="" value="" />`, closed as the new file closes its own.
fn add_element(scene: &Scene<'_>, new: &AppEntries<'_, '_>, key: &str, value: &str) -> String {
    let document = scene.sources.new;
    let markup = |entry: &super::values::AppEntry<'_, '_>| &document.text()[entry.node.range()];
    let is_tight = new.entries.last().map(markup).is_some_and(|text| text.ends_with("/>") && !text.ends_with(" />"));
    let escaped = |text| escape_attribute(document, text, '"');
    format!(r#"<add key="{}" value="{}"{}/>"#, escaped(key), escaped(value), if is_tight { "" } else { " " })
}

fn added_keys(scene: &Scene<'_>, section: Option<Node<'_, '_>>, added: Vec<Line>) -> Splice {
    let document = scene.sources.new;
    if let Some(section) = section {
        return append(document, section, &added);
    }
    let mut lines = vec![(0, "<appSettings>".to_owned())];
    lines.extend(added.into_iter().map(|(_, line)| (1, line)));
    lines.push((0, "</appSettings>".to_owned()));
    match children(scene.new, "configSections").next() {
        Some(declarations) => insert_behind(document, declarations, &lines),
        None => append(document, scene.new, &lines),
    }
}

/// Where a setting of the old file goes.
enum Target<'r, 't> {
    Setting(&'r SettingEntry<'t, 't>),
    Section(Node<'t, 't>),
    Nowhere(&'static str),
}

/// The places of the new file that settings may go to.
struct Places<'t> {
    entries: SettingEntries<'t, 't>,
    by_name: HashMap<&'t str, Node<'t, 't>>,
    /// Sections that the old file has not, by what is behind the first dot of their name; `None` where several are
    /// alike.
    by_tail: HashMap<&'t str, Option<Node<'t, 't>>>,
    /// The one setting for the address of the SDK that no other setting of the old file has by its name.
    sdk: Option<usize>,
    /// What goes there: the element of the old file's address.
    old_sdk: Option<NodeId>,
}

impl<'t> Places<'t> {
    fn of(scene: &Scene<'t>, old: &SettingEntries<'t, 't>) -> Self {
        let entries = SettingEntries::of(scene.sources.new, scene.new);
        let (mut by_name, mut by_tail) = (HashMap::new(), HashMap::new());
        let of_old: HashSet<&str> = sections(scene.old).map(|node| node.tag_name().name()).collect();
        for node in sections(scene.new) {
            let name = node.tag_name().name();
            by_name.insert(name, node);
            if !of_old.contains(name) {
                by_tail.entry(tail(name)).and_modify(|unique| *unique = None).or_insert(Some(node));
            }
        }
        let old_sdk = old.sdk().map(|entry| entry.node.id());
        let others = old.entries.iter().filter(|entry| Some(entry.node.id()) != old_sdk);
        let others: HashSet<&str> = others.map(|entry| entry.name).collect();
        let only = |is_it: &dyn Fn(&SettingEntry<'_, '_>) -> bool| {
            let is_free = |entry: &SettingEntry<'_, '_>| !others.contains(entry.name);
            let mut found = entries.entries.iter().enumerate().filter(|(_, entry)| is_it(entry) && is_free(entry));
            found.next().filter(|_| found.next().is_none()).map(|(at, _)| at)
        };
        let sdk = only(&|entry| sdk_url::is_setting(entry.name)).or_else(|| only(&|entry| entry.is_sdk_url()));
        Self { entries, by_name, by_tail, sdk, old_sdk }
    }

    fn target(&self, old: &SettingEntry<'_, '_>) -> Target<'_, 't> {
        if let Some(entry) = self.entries.get(old.section, old.name) {
            return Target::Setting(entry);
        }
        if let Some(at) = self.sdk.filter(|_| self.old_sdk == Some(old.node.id())) {
            return Target::Setting(&self.entries.entries[at]);
        }
        let alike = || self.by_tail.get(tail(old.section)).copied().flatten();
        match self.by_name.get(old.section).copied().or_else(alike) {
            None => Target::Nowhere("the new file has no such section; set it where the new version expects it"),
            Some(section) if section.has_attribute("configSource") => {
                Target::Nowhere("the new file keeps this section in another file (configSource); set it there")
            }
            Some(section) => match self.entries.get(section.tag_name().name(), old.name) {
                Some(entry) => Target::Setting(entry),
                None => Target::Section(section),
            },
        }
    }
}

fn tail(section: &str) -> &str {
    section.split_once('.').map_or(section, |(_, tail)| tail)
}

/// Merges applicationSettings.
pub(super) fn application_settings<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>) {
    let old = SettingEntries::of(scene.sources.old, scene.old);
    let base = scene.sources.base.zip(scene.base).map(|(document, root)| SettingEntries::of(document, root));
    let places = Places::of(scene, &old);
    // The address of the SDK takes its place first: its counterpart may be one that only its value gives away.
    let (first, others): (Vec<_>, Vec<_>) =
        old.entries.iter().partition(|entry| Some(entry.node.id()) == places.old_sdk);
    for entry in first.into_iter().chain(others) {
        let shipped = base.as_ref().and_then(|base| base.get(entry.section, entry.name));
        let target = places.target(entry);
        merge_setting(scene, draft, &Found { entry, shipped, has_base: base.is_some(), target });
    }
    let removed = base.iter().flat_map(|base| &base.entries);
    for entry in removed.filter(|entry| old.get(entry.section, entry.name).is_none()) {
        let target = places.target(entry);
        let new = if let Target::Setting(target) = &target { Some(target.value.as_str()) } else { None };
        let path = draft.path(entry.path());
        let case = Case { path, old: None, base: Some(&entry.value), new, has_base: true, is_sdk_setting: false };
        if let Verdict::Leave(fate) = decide(&case, scene.rules) {
            draft.change(change(entry.name, &case, case.new, fate));
        }
    }
    set_unclaimed(scene, draft, &places);
}

/// A setting of the old file with its counterparts.
struct Found<'r, 't> {
    entry: &'r SettingEntry<'t, 't>,
    shipped: Option<&'r SettingEntry<'t, 't>>,
    has_base: bool,
    target: Target<'r, 't>,
}

fn merge_setting<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>, found: &Found<'_, 't>) {
    let Found { entry, shipped, has_base, ref target } = *found;
    let counterpart = match target {
        Target::Setting(counterpart) => Some(*counterpart),
        _ => None,
    };
    // A value of another kind is another value, whatever its characters.
    let base = shipped.filter(|shipped| shipped.serialize_as == entry.serialize_as).map(|entry| entry.value.as_str());
    let case = Case {
        path: draft.path(counterpart.unwrap_or(entry).path()),
        old: Some(&entry.value),
        base,
        new: counterpart.map(|entry| entry.value.as_str()),
        has_base,
        is_sdk_setting: entry.is_sdk_url(),
    };
    let verdict = decide(&case, scene.rules);
    if let (Some(counterpart), Verdict::Nothing | Verdict::Leave(_)) = (counterpart, &verdict) {
        draft.claim(counterpart.node);
    }
    let (result, fate) = match &verdict {
        Verdict::Nothing => return,
        Verdict::Leave(fate) => (case.new, fate.clone()),
        Verdict::Write(value, fate) => match write_setting(scene, draft, found, value) {
            Ok(()) => (Some(value.as_str()), fate.clone()),
            Err(why) => (case.new, reported(why)),
        },
    };
    draft.change(change(entry.name, &case, result, fate));
}

const TAKEN: &str = "another setting of the old file took the place of this one in the new file; decide by hand";

/// Writes a setting's value where it belongs, or says why that is not possible.
fn write_setting<'t>(
    scene: &Scene<'t>,
    draft: &mut Draft<'t>,
    found: &Found<'_, 't>,
    value: &str,
) -> Result<(), &'static str> {
    let document = scene.sources.new;
    let entry = found.entry;
    match found.target {
        Target::Nowhere(why) => Err(why),
        Target::Section(_) if !entry.is_text() => {
            Err("its value is markup (serializeAs is not String) and the new file has no such setting; add it by hand")
        }
        Target::Section(section) if !draft.claim_name(section, entry.name) => Err(TAKEN),
        Target::Section(section) => {
            let name = escape_attribute(document, entry.name, '"');
            let start = format!(r#"<setting name="{name}" serializeAs="String">"#);
            let value = format!("<value>{}</value>", escape_text(document, value));
            draft.append(section, [(0, start), (1, value), (0, "</setting>".to_owned())]);
            Ok(())
        }
        Target::Setting(counterpart) if counterpart.serialize_as != entry.serialize_as => {
            Err("the new file stores it in another form (serializeAs); set it by hand")
        }
        Target::Setting(counterpart) if !draft.claim(counterpart.node) => Err(TAKEN),
        Target::Setting(counterpart) if counterpart.value == value => Ok(()),
        Target::Setting(counterpart) if entry.is_text() => {
            draft.splice(set_value(document, counterpart.node, &escape_text(document, value)));
            Ok(())
        }
        Target::Setting(_) if !value.chars().all(|c| document.encoding().holds(c)) => {
            Err("its markup has characters that the new file's encoding cannot hold; copy it by hand")
        }
        Target::Setting(counterpart) => {
            // Markup may lean on a namespace that is declared further out in the old file only.
            roxmltree::Document::parse(&format!("<value>{value}</value>"))
                .map_err(|_| "its markup does not stand on its own; copy it by hand")?;
            draft.splice(set_value(document, counterpart.node, value));
            Ok(())
        }
    }
}

fn set_value(document: &super::Document, setting: Node<'_, '_>, markup: &str) -> Splice {
    match children(setting, "value").next() {
        Some(value) => set_content(document, value, markup),
        None => edit::append(document, setting, &[(0, format!("<value>{markup}</value>"))]),
    }
}

/// An address that the plan sets goes into the new file also where the old one has no such setting.
fn set_unclaimed<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>, places: &Places<'t>) {
    let SdkUrlRule::Set(url) = &scene.rules.sdk_url else { return };
    let Some(entry) = places.sdk.map(|at| &places.entries.entries[at]) else { return };
    if !draft.claim(entry.node) || !entry.is_text() || entry.value == *url {
        return;
    }
    let path = draft.path(entry.path());
    let case = Case { path, old: None, base: None, new: Some(&entry.value), has_base: false, is_sdk_setting: true };
    if let Verdict::Write(value, fate) = decide(&case, scene.rules) {
        draft.change(change(entry.name, &case, Some(&value), fate));
        let markup = escape_text(scene.sources.new, &value);
        draft.splice(set_value(scene.sources.new, entry.node, &markup));
    }
}
