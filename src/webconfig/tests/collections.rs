//! Every list of the table: random files of it, merged, and read by a slow and obvious reader that knows keys, defaults,
//! `remove`, `clear` and order. Nothing may be silently something else.
//!
//! `PFUPGRADE_SEED` and `PFUPGRADE_MERGES` choose which merges and how many; `PFUPGRADE_MERGED=DIR` writes them down for
//! Microsoft's reader (`tests/netconfig`).

use super::*;
use crate::webconfig::schema::collections::TABLE;
use roxmltree::Node;
use std::collections::BTreeSet;
use std::path::Path;

struct Draw(u64);

impl Draw {
    fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }

    fn one<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// A line of the table in its parts.
struct List {
    path: String,
    item: &'static str,
    keys: Vec<(&'static str, &'static str)>,
    switch: Option<(&'static str, &'static str)>,
    is_ordered: bool,
    is_exact: bool,
}

fn lists() -> Vec<List> {
    let of = |(lists, items, keys, flags): &(&'static str, &'static str, &'static str, &'static str)| {
        let pair = |text: &'static str| text.split_once('=').unwrap_or((text, ""));
        let flags: Vec<&'static str> = flags.split_whitespace().collect();
        let one = |list: &str| List {
            path: format!("system.webServer/{list}"),
            item: items.split(' ').next().unwrap(),
            keys: keys.split_whitespace().map(pair).collect(),
            switch: flags.iter().find(|flag| flag.contains('=')).map(|flag| pair(flag)),
            is_ordered: flags.contains(&"ordered"),
            is_exact: flags.contains(&"exact"),
        };
        lists.split(' ').map(one).collect::<Vec<_>>()
    };
    TABLE.iter().flat_map(of).collect()
}

/// An element's attributes.
type Attributes = BTreeMap<String, String>;

impl List {
    fn key(&self, draw: &mut Draw) -> Attributes {
        let mut all = Attributes::new();
        for (name, default) in &self.keys {
            let value = draw.one(&["a", "b", "A", *default]);
            if value != *default || (self.keys.len() == 1 || draw.below(2) == 0) {
                all.insert((*name).to_owned(), if value.is_empty() { "c" } else { value }.to_owned());
            }
        }
        if self.keys.is_empty() {
            all.insert("users".to_owned(), draw.one(&["a", "b", "c", "*", "?"]).to_owned());
        }
        all
    }

    fn item(&self, draw: &mut Draw) -> (String, Attributes) {
        let mut all = self.key(draw);
        if let Some((name, default)) = self.switch
            && draw.below(2) == 0
        {
            let other = if default == "true" { "false" } else { "true" };
            all.insert(name.to_owned(), draw.one(&[default, other]).to_owned());
        }
        if draw.below(3) > 0 && !self.keys.is_empty() {
            all.insert("v".to_owned(), draw.one(&["1", "2", "3"]).to_owned());
        }
        (self.item.to_owned(), all)
    }

    fn line(&self, draw: &mut Draw) -> (String, Attributes) {
        match draw.below(12) {
            0 if !self.keys.is_empty() => ("remove".to_owned(), self.key(draw)),
            1 if !self.keys.is_empty() => ("clear".to_owned(), Attributes::new()),
            _ => self.item(draw),
        }
    }

    fn edited(&self, base: &[(String, Attributes)], draw: &mut Draw) -> Vec<(String, Attributes)> {
        let mut lines = base.to_vec();
        for _ in 0..draw.below(3) {
            let at = draw.below(lines.len() + 1);
            match draw.below(5) {
                0 if at < lines.len() => drop(lines.remove(at)),
                1 if at < lines.len() => {
                    let value = draw.one(&["1", "2", "3"]).to_owned();
                    if lines[at].0 == self.item && !self.keys.is_empty() {
                        lines[at].1.insert("v".to_owned(), value);
                    }
                }
                2 if at < lines.len() => {
                    let other = draw.below(lines.len());
                    lines.swap(at, other);
                }
                _ => lines.insert(at, self.line(draw)),
            }
        }
        lines
    }

    fn write(&self, lines: &[(String, Attributes)]) -> String {
        let line = |(tag, attributes): &(String, Attributes)| {
            let all: String = attributes.iter().map(|(name, value)| format!(" {name}=\"{value}\"")).collect();
            format!("\n      <{tag}{all} />")
        };
        let inner: String = lines.iter().map(line).collect();
        let tags: Vec<&str> = self.path.split('/').collect();
        configuration(&tags.iter().rev().fold(inner, |inner, tag| format!("<{tag}>{inner}\n</{tag}>")))
    }
}

/// What a list comes to: whether it takes back all of files further up, which keys besides, and its items in order. `None`
/// where IIS refuses it.
#[derive(PartialEq, Debug)]
struct Meaning {
    is_cleared: bool,
    removed: BTreeSet<String>,
    items: Vec<(String, Attributes)>,
}

impl Meaning {
    fn of(list: &List, text: &str) -> Option<Self> {
        let tree = roxmltree::Document::parse(text).unwrap();
        let find =
            |node: Node<'_, '_>, tag: &str| node.children().find(|child| child.has_tag_name(tag)).map(|it| it.id());
        let node = list.path.split('/').try_fold(tree.root_element(), |node, tag| tree.get_node(find(node, tag)?));
        let mut own = Self { is_cleared: false, removed: BTreeSet::new(), items: Vec::new() };
        for child in node.into_iter().flat_map(|node| node.children()).filter(Node::is_element) {
            let mut all: Attributes =
                child.attributes().map(|it| (it.name().to_owned(), it.value().to_owned())).collect();
            for (name, default) in list.keys.iter().chain(&list.switch) {
                all.entry((*name).to_owned()).or_insert((*default).to_owned());
            }
            let parts = list.keys.iter().map(|(name, _)| all[*name].clone()).collect::<Vec<_>>().join("|");
            let key = if list.keys.is_empty() { format!("{all:?}") } else { parts };
            let key = if list.is_exact { key } else { key.to_lowercase() };
            match child.tag_name().name() {
                "clear" => own = Self { is_cleared: true, removed: BTreeSet::new(), items: Vec::new() },
                "remove" => {
                    own.items.retain(|(known, _)| *known != key);
                    own.removed.insert(key);
                }
                _ if !list.keys.is_empty() && own.items.iter().any(|(known, _)| *known == key) => return None,
                _ => own.items.push((key, all)),
            }
        }
        Some(own)
    }

    fn item(&self, key: &str) -> Option<&Attributes> {
        self.items.iter().find(|(known, _)| known == key).map(|(_, all)| all)
    }
}

/// What is silently something else.
fn silent(list: &List, texts: [&str; 4], changes: &[Change]) -> Option<String> {
    let is_left = |change: &&Change| !change.fate.carries() && change.fate != Fate::AlreadySo;
    let is_told = |part: &str| {
        changes.iter().filter(is_left).any(|change| {
            change.path == list.path || list.path.starts_with(&change.path) || change.path.starts_with(part)
        })
    };
    let all = texts.map(|text| Meaning::of(list, text));
    let [Some(old), Some(base), Some(new), Some(result)] = &all else {
        // Whatever IIS refuses is left as it is; nothing new may be refused.
        let is_fine = texts[3] == texts[2] || (all[3].is_some() && texts[3] == texts[0]);
        return (!is_fine).then(|| "a list that IIS refuses was merged".to_owned());
    };
    let three = |old: bool, base: bool, new: bool, result: bool| match old == base {
        true => result == new,
        false => result == old || (is_told(&list.path) && result == new),
    };
    if !three(old.is_cleared, base.is_cleared, new.is_cleared, result.is_cleared) {
        return Some("<clear/>".to_owned());
    }
    let sides = [old, base, new, result];
    let keys: BTreeSet<&String> =
        sides.iter().flat_map(|side| side.items.iter().map(|(key, _)| key).chain(&side.removed)).collect();
    for key in keys {
        let takes = |side: &Meaning| side.is_cleared || side.removed.contains(key);
        if !three(takes(old), takes(base), takes(new), takes(result)) {
            return Some(format!("<remove> of {key}"));
        }
        let [old, base, new, result] = sides.map(|side| side.item(key));
        let is_fine = match [old, base, new, result] {
            _ if old == base => result == new,
            _ if result == old => true,
            [Some(old), Some(base), Some(new), Some(result)] => {
                let names: BTreeSet<&String> = [old, base, new, result].iter().flat_map(|all| all.keys()).collect();
                names.into_iter().all(|name| {
                    let [old, base, new, result] = [old, base, new, result].map(|all| all.get(name));
                    if old == base { result == new } else { result == old || (is_told(&list.path) && result == new) }
                })
            }
            _ => result == new && is_told(&list.path),
        };
        if !is_fine {
            return Some(format!("the item {key}"));
        }
    }
    let at = |side: &Meaning, key: &str| side.items.iter().position(|(known, _)| known == key);
    let own = old.items.iter().filter(|(key, _)| base.item(key).is_none());
    for ((own, _), (other, _)) in own.flat_map(|own| old.items.iter().map(move |other| (own, other))) {
        let (before, after) = (at(old, own) < at(old, other), at(result, own) < at(result, other));
        if list.is_ordered
            && own != other
            && at(result, own).is_some()
            && at(result, other).is_some()
            && before != after
            && !is_told(&list.path)
        {
            return Some(format!("the order of {own} and {other}"));
        }
    }
    None
}

#[test]
fn nothing_in_any_list_is_silently_something_else() {
    let number =
        |name: &str, otherwise: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let seed = number("PFUPGRADE_SEED", std::process::id().into());
    let merges = number("PFUPGRADE_MERGES", 2000);
    let lists = lists();
    let rules = Rules { strict: true, ..keep() };
    let mut draw = Draw(seed);
    let mut merged_at_all = 0;
    for number in 0..merges {
        let list = &lists[draw.below(lists.len())];
        let base: Vec<_> = (0..draw.below(5)).map(|_| list.line(&mut draw)).collect();
        let (old, new) = (list.edited(&base, &mut draw), list.edited(&base, &mut draw));
        let [old, base, new] = [&old, &base, &new].map(|lines| list.write(lines));
        let (result, changes) = merged(&old, Some(&base), &new, &rules);
        merged_at_all += usize::from(changes.iter().any(|change| change.fate.carries()));
        if let Some(what) = silent(list, [&old, &base, &new, &result], &changes) {
            let replay =
                format!("PFUPGRADE_SEED={seed} PFUPGRADE_MERGES={} cargo test nothing_in_any_list", number + 1);
            unreachable!(
                "{what}, in merge {number} of {}: {replay}\nOLD {old}BASE {base}NEW {new}RESULT {result}{changes:#?}",
                list.path
            );
        }
        if let Ok(folder) = std::env::var("PFUPGRADE_MERGED") {
            let folder = Path::new(&folder).join(format!("list-{number}"));
            std::fs::create_dir_all(&folder).unwrap();
            let json = serde_json::to_string(&changes).unwrap();
            for (name, text) in [
                ("old.config", &old),
                ("base.config", &base),
                ("new.config", &new),
                ("merged.config", &result),
                ("changes.json", &json),
            ] {
                std::fs::write(folder.join(name), text).unwrap();
            }
        }
    }
    println!("seed {seed}, {merges} merges of {} lists, in {merged_at_all} something was migrated", lists.len());
    assert!(merged_at_all as u64 * 6 > merges, "too little is merged: {merged_at_all} of {merges}");
}
