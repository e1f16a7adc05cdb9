//! Merges appSettings: keys with values, and what takes keys back that files further up say.

use crate::webconfig::merge::walk::Walk;
use crate::webconfig::merge::{
    Change, Draft, Fate, Scene, Triple, Value, Verdict, comments, decide, refused, reported, walk,
};
use crate::webconfig::schema::collections;
use crate::webconfig::schema::values::{AppEntries, AppEntry};
use crate::webconfig::text::edit::{Line, escape_attribute, insert_behind, set_attribute};
use crate::webconfig::text::{children, edit, elements, node};
use roxmltree::{Attribute, Node};
use std::collections::HashMap;

/// Merges appSettings.
pub(crate) fn app_settings<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>) {
    if scene.by_hand.holds(&["appsettings".to_owned()]) {
        return;
    }
    let [old, new] = [scene.old, scene.new].map(AppEntries::of);
    let base = scene.base.map(AppEntries::of);
    let section = children(scene.new, "appSettings").next();
    let is_outside = section.is_some_and(|section| section.has_attribute("configSource"));
    // Where they have been moved to another file, nobody has removed them.
    let is_moved = children(scene.old, "appSettings").any(|section| section.has_attribute("configSource"));
    // Whatever comes to the top of the section as well comes behind what takes back.
    let may_have_heads = !is_outside && (old.takes_back || base.as_ref().is_some_and(|base| base.takes_back));
    let heads = if may_have_heads { heads(scene, draft, &new) } else { Vec::new() };
    let first = section.and_then(|section| section.children().find(node::is_markup));
    if let (Some(first), false) = (first, heads.is_empty()) {
        draft.splice(edit::insert_before(scene.sources.new, first, &heads));
    }
    let mut places = Places { previous: None, waiting: Vec::new(), is_free: !new.takes_back };
    let shipped = base.iter().flat_map(|base| &base.entries);
    let removed = shipped.filter(|entry| !is_moved && old.get(entry.key).is_none());
    let kept = old.entries.iter().map(|entry| (entry, Some(entry)));
    for (entry, of_old) in kept.chain(removed.map(|entry| (entry, None))) {
        let key = entry.key;
        let target = new.get(key);
        if let (Some(of_old), Some(target)) = (of_old, target) {
            places.pass(scene, draft, (of_old.node, target.node));
        }
        let shipped = base.as_ref().and_then(|base| base.get(key));
        let values = [of_old, shipped, target].map(|entry| entry.map(|entry| &*entry.value));
        if values[0].is_some() && values.iter().all(|value| *value == values[0]) {
            other_attributes(scene, draft, key, [of_old, shipped, target].map(|entry| Some(entry?.node)));
            continue;
        }
        let is_same = |(shipped, target): (&AppEntry<'_, '_>, &AppEntry<'_, '_>)| match of_old {
            Some(_) => shipped.value == target.value,
            None => node::same(shipped.node, target.node, &|_, _| false),
        };
        let case = Value {
            path: draft.path(format!("appSettings/{key}")),
            old: of_old.map(|entry| &*entry.value),
            base: shipped.map(|entry| &*entry.value),
            new: target.map(|entry| &*entry.value),
            has_base: base.is_some(),
            is_changed: shipped.is_some() != target.is_some() || !shipped.zip(target).is_none_or(is_same),
            is_sdk_setting: false,
        };
        other_attributes(scene, draft, key, [of_old, shipped, target].map(|entry| Some(entry?.node)));
        let verdict = case.decide(scene.rules);
        match verdict {
            Verdict::Nothing => continue,
            Verdict::Leave(fate) => {
                draft.change(case.change(key, case.new, fate));
            }
            Verdict::Write(..) | Verdict::Remove(_) if is_outside => {
                let why = "the new file keeps its appSettings in another file (configSource); set it there";
                draft.change(case.change(key, case.new, reported(why)));
            }
            Verdict::Remove(fate) => {
                draft.change(case.change(key, None, fate));
                let beside = (of_parent(scene.old, "appSettings"), shipped.map(|entry| entry.node));
                for node in target.iter().flat_map(|target| &target.all) {
                    comments::take_out(scene, draft, beside, *node);
                }
            }
            Verdict::Write(value, fate) => {
                draft.change(case.change(key, Some(&value), fate));
                match target {
                    Some(target) if target.value == value => {}
                    Some(target) => {
                        let splice = set_attribute(scene.sources.new, target.node, (None, "value"), &value);
                        splice.into_iter().for_each(|splice| draft.splice(splice));
                    }
                    None => {
                        let line = (0, added(scene, &new, (entry, &value), section));
                        places.add(scene, draft, entry.node, line);
                    }
                }
            }
        }
    }
    if let (None, false) = (first, heads.is_empty()) {
        drop(places.waiting.splice(0..0, heads));
    }
    if !places.waiting.is_empty() {
        add_keys(scene, draft, section, places.waiting);
    }
}

/// Where new keys go: behind the key that they stand behind in the old file.
struct Places<'t> {
    /// The last key of the old file that the new one has, too, there and here.
    previous: Option<(Node<'t, 't>, Node<'t, 't>)>,
    /// Keys that have no such place yet.
    waiting: Vec<Line>,
    /// Nothing in the section takes back what stands before it.
    is_free: bool,
}

impl<'t> Places<'t> {
    /// The old file goes on with a key that the new one has.
    fn pass(&mut self, scene: &Scene<'t>, draft: &mut Draft<'t>, (old, key): (Node<'t, 't>, Node<'t, 't>)) {
        if self.is_free && self.previous.is_none() && !self.waiting.is_empty() {
            draft.splice(edit::insert_before(scene.sources.new, key, &std::mem::take(&mut self.waiting)));
        }
        self.previous = Some((old, key));
    }

    fn add(&mut self, scene: &Scene<'t>, draft: &mut Draft<'t>, old: Node<'t, 't>, line: Line) {
        draft.add(old, true);
        match self.previous.filter(|_| self.is_free) {
            Some((of_old, previous)) => {
                let previous = comments::behind(old, of_old, previous);
                draft.splice(insert_behind(scene.sources.new, previous, &[line]));
            }
            None => self.waiting.push(line),
        }
    }
}

/// Attributes besides key and value mean nothing to ASP.NET, but something to whoever wrote them.
fn other_attributes<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>, key: &str, nodes: [Option<Node<'t, 't>>; 3]) {
    let [Some(old), Some(base), new] = nodes else { return };
    if [old, base].iter().all(|node| node.attributes().len() <= 2) {
        return;
    }
    let mut walk = Walk::new(scene, draft);
    walk.path = vec!["appSettings".to_owned(), key.to_owned()];
    let entry = Triple { old: Some(old), base: Some(base), new, is_unique: true };
    for attribute in walk::attributes(entry, false).into_iter().filter(is_other) {
        walk.attribute(entry, attribute);
    }
}

fn is_other(attribute: &Attribute<'_, '_>) -> bool {
    attribute.namespace().is_some() || !matches!(attribute.name(), "key" | "value")
}

/// Accounts for `remove` and `clear`, which take back what files further up say. Those that the administrator added are
/// returned: they come first in the new file, for they must not take back what that says.
fn heads<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>, of_new: &AppEntries<'t, 't>) -> Vec<Line> {
    let Some(base) = scene.base else { return Vec::new() };
    let (old, base, new) = (Heads::of(scene.old), Heads::of(base), Heads::of(scene.new));
    let mut lines = Vec::new();
    for step in old.order.iter().filter(|step| !base.all.contains_key(*step)) {
        let (of_old, of_new) = (old.first(step), new.first(step));
        let fate = decide([Some(()), None, of_new.map(drop)], || None, || Fate::Added);
        if let (true, Some(node)) = (fate.carries(), of_old) {
            let key = node.attribute("key").map(|key| escape_attribute(scene.sources.new, key, '"'));
            let key = key.map(|key| format!(r#" key="{key}""#)).unwrap_or_default();
            lines.push((0, format!("<{}{key} />", node.tag_name().name())));
        }
        let path = draft.path(format!("appSettings/{step}"));
        draft.change(Change::of_element(path, of_old, of_new, fate));
    }
    for step in base.order.iter().filter(|step| !old.all.contains_key(*step)) {
        let all = new.all.get(step).map_or(&[][..], Vec::as_slice);
        let takes = all.iter().any(|node| of_new.taking.contains(&node.id()));
        let guard = || refused(&[(takes, "it removes what the new file adds before it; check it manually")]);
        let fate = decide([None, Some(()), all.first().map(drop)], guard, || Fate::Removed);
        if fate.carries() {
            let cut = all.iter().map(|node| edit::take_out(scene.sources.new, node.range()));
            cut.for_each(|splice| draft.splice(splice));
        }
        let path = draft.path(format!("appSettings/{step}"));
        draft.change(Change::of_element(path, None, new.first(step), fate));
    }
    lines
}

/// The `remove` and `clear` of a file, by what they are called.
struct Heads<'t> {
    order: Vec<String>,
    all: HashMap<String, Vec<Node<'t, 't>>>,
}

impl<'t> Heads<'t> {
    fn of(root: Node<'t, 't>) -> Self {
        let mut heads = Self { order: Vec::new(), all: HashMap::new() };
        let nodes = children(root, "appSettings").flat_map(elements);
        for node in nodes.filter(|node| matches!(node.tag_name().name(), "remove" | "clear")) {
            let step = collections::step(node).to_string();
            let known = heads.all.entry(step.clone()).or_default();
            if known.is_empty() {
                heads.order.push(step);
            }
            known.push(node);
        }
        heads
    }

    fn first(&self, step: &str) -> Option<Node<'t, 't>> {
        self.all.get(step)?.first().copied()
    }
}

fn of_parent<'t>(root: Node<'t, 't>, section: &'static str) -> Option<Node<'t, 't>> {
    children(root, section).next()
}

/// `<add key="" value="" />`, closed as the new file closes its own, with the other attributes that the old one has.
fn added<'t>(
    scene: &Scene<'t>,
    new: &AppEntries<'_, '_>,
    (entry, value): (&AppEntry<'t, 't>, &str),
    section: Option<Node<'t, 't>>,
) -> String {
    let (from, document) = (scene.sources.old, scene.sources.new);
    let markup = |entry: &AppEntry<'_, '_>| &document.text()[entry.node.range()];
    let is_tight = new.entries.last().map(markup).is_some_and(|text| text.ends_with("/>") && !text.ends_with(" />"));
    let escaped = |text| escape_attribute(document, text, '"');
    let mut element = format!(r#"<add key="{}""#, escaped(entry.key));
    if entry.node.has_attribute("value") || !value.is_empty() {
        element += &format!(r#" value="{}""#, escaped(value));
    }
    for attribute in entry.node.attributes().filter(is_other) {
        let place = section.unwrap_or(scene.new);
        let is_declared = attribute.namespace().is_none_or(|space| place.lookup_prefix(space).is_some());
        if let (Some(name), true) = (from.text().get(attribute.range_qname()), is_declared) {
            element += &format!(r#" {name}="{}""#, escaped(attribute.value()));
        }
    }
    element += if is_tight { "/>" } else { " />" };
    element
}

fn add_keys<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>, section: Option<Node<'t, 't>>, added: Vec<Line>) {
    if let Some(section) = section {
        return draft.append(section, added);
    }
    let mut lines = vec![(0, "<appSettings>".to_owned())];
    lines.extend(added.into_iter().map(|(depth, line)| (depth + 1, line)));
    lines.push((0, "</appSettings>".to_owned()));
    match children(scene.new, "configSections").next() {
        Some(declarations) => draft.splice(insert_behind(scene.sources.new, declarations, &lines)),
        None => draft.append(scene.new, lines),
    }
}
