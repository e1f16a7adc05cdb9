//! The values of appSettings and applicationSettings: the administrator's win, unless both sides count alike; and the
//! merge of applicationSettings.

use crate::webconfig::merge::reasons::{KEPT_OUTSIDE, LEANING};
use crate::webconfig::merge::walk::Walk;
use crate::webconfig::merge::{
    Change, Draft, Fate, Scene, SdkUrlRule, Triple, Value, Verdict, comments, reported, transplant, walk,
};
use crate::webconfig::redact::mask;
use crate::webconfig::schema::values::{SettingEntries, SettingEntry, sections};
use crate::webconfig::schema::{sdk_url, validation};
use crate::webconfig::text::edit::{Line, escape_attribute, escape_text, set_content};
use crate::webconfig::text::{Splice, children, layout, markup};
use crate::webconfig::{Document, Shown};
use roxmltree::{Attribute, Node, NodeId};
use std::collections::{HashMap, HashSet};

/// The account of a setting, whose markup may hold a secret of any name.
fn change_of(
    entries: [Option<&SettingEntry<'_, '_>>; 2],
    case: &Value<'_>,
    result: Option<&str>,
    fate: Fate,
) -> Change {
    let name = entries.into_iter().flatten().next().map_or("", |entry| entry.name);
    let mut change = case.change(name, result, fate);
    if entries.into_iter().flatten().any(|entry| !entry.is_text() && mask::holds_any(entry.node)) {
        for shown in [&mut change.old, &mut change.new, &mut change.result] {
            if matches!(shown, Shown::Plain(_)) {
                *shown = Shown::Masked;
            }
        }
    }
    change
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
    fn of(scene: &Scene<'t>, old: &SettingEntries<'t, 't>, base: Option<&SettingEntries<'t, 't>>) -> Self {
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
            // What the administrator removed is no place either.
            let is_removed = |entry: &SettingEntry<'_, '_>| {
                let is_in = |all: &SettingEntries<'_, '_>| all.get(entry.section, entry.name).is_some();
                base.is_some_and(is_in) && !is_in(old)
            };
            let is_free = |entry: &SettingEntry<'_, '_>| !others.contains(entry.name) && !is_removed(entry);
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
            Some(section) if section.has_attribute("configSource") => Target::Nowhere(KEPT_OUTSIDE),
            Some(section) => match self.entries.get(section.tag_name().name(), old.name) {
                Some(entry) => Target::Setting(entry),
                None => Target::Section(section),
            },
        }
    }
}

/// The sections of a file, the first of each name.
fn by_name<'t>(root: Node<'t, 't>) -> HashMap<&'t str, Node<'t, 't>> {
    let mut all = HashMap::new();
    for section in sections(root) {
        all.entry(section.tag_name().name()).or_insert(section);
    }
    all
}

fn tail(section: &str) -> &str {
    section.split_once('.').map_or(section, |(_, tail)| tail)
}

/// Merges applicationSettings.
pub(crate) fn application_settings<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>) {
    if scene.by_hand.holds(&["applicationsettings".to_owned()]) {
        return;
    }
    let old = SettingEntries::of(scene.sources.old, scene.old);
    let base = scene.sources.base.zip(scene.base).map(|(document, root)| SettingEntries::of(document, root));
    let places = Places::of(scene, &old, base.as_ref());
    // The address of the SDK takes its place first: its counterpart may be one that only its value gives away.
    let (first, others): (Vec<_>, Vec<_>) =
        old.entries.iter().partition(|entry| Some(entry.node.id()) == places.old_sdk);
    for entry in first.into_iter().chain(others) {
        let shipped = base.as_ref().and_then(|base| base.get(entry.section, entry.name));
        let target = places.target(entry);
        merge_setting(scene, draft, &Found { entry, shipped, has_base: base.is_some(), target });
    }
    let removed = base.iter().flat_map(|base| &base.entries);
    let old_sections = by_name(scene.old);
    for entry in removed.filter(|entry| old.get(entry.section, entry.name).is_none()) {
        let section = old_sections.get(entry.section).copied();
        remove_setting(scene, draft, (entry, section), &places);
    }
    set_unclaimed(scene, draft, &places);
}

/// Accounts for a setting that the file as shipped has and the old one has not.
fn remove_setting<'t>(
    scene: &Scene<'t>,
    draft: &mut Draft<'t>,
    (shipped, section): (&SettingEntry<'t, 't>, Option<Node<'t, 't>>),
    places: &Places<'t>,
) {
    if section.is_some_and(|section| section.has_attribute("configSource")) {
        // It has been moved to another file.
        return;
    }
    let target = if let Target::Setting(target) = places.target(shipped) { Some(target) } else { None };
    if target.is_some_and(|target| matches!(scene.rules.sdk_url, SdkUrlRule::Set(_)) && target.is_sdk_url()) {
        // The plan says what it is to be.
        return;
    }
    let (path, new) = (draft.path(shipped.path()), target.map(|target| &*target.value));
    let is_changed = new != Some(&*shipped.value);
    let base = Some(&*shipped.value);
    let case = Value { path, old: None, base, new, has_base: true, is_changed, is_sdk_setting: false };
    match (case.decide(scene.rules), target) {
        (Verdict::Remove(fate), Some(target)) => {
            if !draft.claim(target.node) {
                return draft.change(change_of([Some(shipped), Some(target)], &case, case.new, reported(TAKEN)));
            }
            draft.change(change_of([Some(shipped), Some(target)], &case, None, fate));
            for node in places.entries.all(target) {
                comments::take_out(scene, draft, (section, Some(shipped.node)), node);
            }
        }
        (Verdict::Leave(fate) | Verdict::Remove(fate) | Verdict::Write(_, fate), _) => {
            draft.change(change_of([Some(shipped), target], &case, case.new, fate));
        }
        (Verdict::Nothing, _) => {}
    }
}

/// A setting of the old file with its counterparts.
struct Found<'r, 't> {
    entry: &'r SettingEntry<'t, 't>,
    shipped: Option<&'r SettingEntry<'t, 't>>,
    has_base: bool,
    target: Target<'r, 't>,
}

fn merge_setting<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>, found: &Found<'_, 't>) {
    let Found { entry, shipped, has_base, ref target, .. } = *found;
    let counterpart = match target {
        Target::Setting(counterpart) => Some(*counterpart),
        _ => None,
    };
    // A value of another kind is another value, whatever its characters.
    let base = shipped.filter(|shipped| shipped.serialize_as == entry.serialize_as).map(|entry| &*entry.value);
    let new = counterpart.map(|entry| &*entry.value);
    let case = Value {
        path: draft.path(counterpart.unwrap_or(entry).path()),
        old: Some(&entry.value),
        base,
        new,
        has_base,
        is_changed: base != new,
        is_sdk_setting: entry.is_sdk_url(),
    };
    let verdict = case.decide(scene.rules);
    if let (Some(counterpart), Verdict::Nothing | Verdict::Leave(_)) = (counterpart, &verdict) {
        draft.claim(counterpart.node);
    }
    let (result, fate) = match &verdict {
        Verdict::Leave(Fate::AlreadySo) if counterpart.is_some_and(|it| it.serialize_as != entry.serialize_as) => {
            (case.new, reported(OTHER_FORM))
        }
        Verdict::Nothing => return beside_value(scene, draft, found, counterpart),
        Verdict::Leave(fate) | Verdict::Remove(fate) => (case.new, fate.clone()),
        Verdict::Write(value, fate) => match write_setting(scene, draft, found, value) {
            Ok(()) => (Some(value.as_str()), fate.clone()),
            Err(why) => {
                // It stays what it is, also where the old version's setting of that name was removed.
                if let Some(counterpart) = counterpart {
                    draft.claim(counterpart.node);
                }
                (case.new, reported(why))
            }
        },
    };
    beside_value(scene, draft, found, counterpart);
    draft.change(change_of([Some(entry), counterpart], &case, result, fate));
}

/// What a setting holds besides its value means nothing to ASP.NET, but something to whoever wrote it.
fn beside_value<'t>(
    scene: &Scene<'t>,
    draft: &mut Draft<'t>,
    found: &Found<'_, 't>,
    counterpart: Option<&SettingEntry<'t, 't>>,
) {
    let Some(base) = found.shipped.map(|shipped| shipped.node) else { return };
    let (old, new) = (found.entry.node, counterpart.map(|entry| entry.node));
    if markup(old) == markup(base) {
        return;
    }
    let mut walk = Walk::new(scene, draft);
    walk.path = vec!["applicationSettings".to_owned(), found.entry.section.to_owned(), found.entry.name.to_owned()];
    let setting = Triple { old: Some(old), base: Some(base), new, is_unique: true };
    let is_other = |attribute: &Attribute<'_, '_>| !matches!(attribute.name(), "name" | "serializeAs");
    for attribute in walk::attributes(setting, false).into_iter().filter(is_other) {
        walk.attribute(setting, attribute);
    }
    walk.notes(setting);
}

const OTHER_FORM: &str = "the new file stores it in another form (serializeAs); set it manually";

const TAKEN: &str = "another setting of the old file already maps to this one in the new file; decide manually";

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
        // A reference in the place of a character would be other markup.
        Target::Section(_) | Target::Setting(_)
            if !entry.is_text() && !value.chars().all(|c| document.encoding().holds(c)) =>
        {
            Err("its markup has characters that the new file's encoding does not support; copy it manually")
        }
        Target::Section(section) if !draft.claim_name(section, entry.name) => Err(TAKEN),
        Target::Section(section) if !entry.is_text() => {
            let markup = transplant::copied(scene, entry.node, section).ok_or(LEANING)?;
            add_setting(scene, draft, entry.node, section, [(0, markup)]);
            Ok(())
        }
        Target::Section(section) => {
            let name = escape_attribute(document, entry.name, '"');
            let start = format!(r#"<setting name="{name}" serializeAs="String">"#);
            let value = format!("<value>{}</value>", escape_text(document, value));
            add_setting(scene, draft, entry.node, section, [(0, start), (1, value), (0, "</setting>".to_owned())]);
            Ok(())
        }
        Target::Setting(counterpart) if counterpart.serialize_as != entry.serialize_as => Err(OTHER_FORM),
        Target::Setting(counterpart) if !draft.claim(counterpart.node) => Err(TAKEN),
        Target::Setting(counterpart) if counterpart.value == value => Ok(()),
        Target::Setting(counterpart) if entry.is_text() => {
            set_value(document, draft, counterpart.node, &escape_text(document, value));
            Ok(())
        }
        Target::Setting(counterpart) => set_markup(scene, draft, entry.node, counterpart.node).ok_or(LEANING),
    }
}

/// Puts a setting of the old file at the end of a section.
fn add_setting<'t, const N: usize>(
    scene: &Scene<'t>,
    draft: &mut Draft<'t>,
    old: Node<'t, 't>,
    section: Node<'t, 't>,
    mut lines: [Line; N],
) {
    loosen(scene, draft, section, &mut lines);
    draft.append(section, lines);
    draft.add(old, true);
}

/// The reader of settings in the .NET Framework skips an end tag directly behind that of the value
/// (SettingValueElement.DeserializeElement), and takes the next setting for a part of this one. So there is a space
/// between them in what comes, and in what it comes behind.
fn loosen<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>, section: Node<'t, 't>, lines: &mut [Line]) {
    let document = scene.sources.new;
    let last = children(section, "setting").last();
    let is_in_one_line = layout(document.text(), last.unwrap_or(section).range().start).is_none();
    if let Some((_, line)) = lines.last_mut() {
        *line = line.replace("</value></setting>", "</value> </setting>");
        if is_in_one_line && line == "</setting>" {
            line.insert(0, ' ');
        }
    }
    if let Some(last) = last.filter(|last| validation::is_tight(*last))
        && draft.loosen(last)
    {
        let at = last.range().end - "</setting>".len();
        draft.splice(Splice { range: at..at, text: " ".to_owned() });
    }
}

/// Puts the markup that is a setting's value in the old file in the place of that in the new one.
fn set_markup<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>, old: Node<'t, 't>, new: Node<'t, 't>) -> Option<()> {
    let value = |setting| children(setting, "value").next();
    match (value(old), value(new)) {
        (Some(of_old), Some(of_new)) => draft.splice(transplant::content(scene, of_old, of_new)?),
        (Some(of_old), None) => draft.append(new, [(0, transplant::copied(scene, of_old, new)? + " ")]),
        (None, of_new) => draft.splice(set_content(scene.sources.new, of_new?, "")),
    }
    Some(())
}

fn set_value<'t>(document: &Document, draft: &mut Draft<'t>, setting: Node<'t, 't>, markup: &str) {
    match children(setting, "value").next() {
        Some(value) => draft.splice(set_content(document, value, markup)),
        // The space is for the reader, see `loosen`.
        None => draft.append(setting, [(0, format!("<value>{markup}</value> "))]),
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
    let new = Some(&*entry.value);
    let case = Value { path, old: None, base: None, new, has_base: false, is_changed: false, is_sdk_setting: true };
    if let Verdict::Write(value, fate) = case.decide(scene.rules) {
        draft.change(case.change(entry.name, Some(&value), fate));
        let markup = escape_text(scene.sources.new, &value);
        set_value(scene.sources.new, draft, entry.node, &markup);
    }
}
