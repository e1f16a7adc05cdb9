//! What a web.config says: its appSettings, its applicationSettings and where else its values may lie.

use super::{
    ConfigError, Document, Secret,
    document::{children, elements, markup, text_of},
    pairs::is_blank,
    sdk_url,
};
use foldhash::fast::RandomState as FoldHash;
use indexmap::IndexMap;
use roxmltree::{Node, NodeId};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    hash::{Hash, Hasher},
};

/// The values of a web.config as the application would read them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    /// The keys of appSettings in the order of the file; of a key given twice, the last.
    pub app_settings: Vec<AppSetting>,
    /// The settings below applicationSettings in the order of the file; of one given twice, the last.
    pub settings: Vec<Setting>,
    /// The theme that `system.web/pages` selects.
    pub theme: Option<String>,
    /// The paths of encrypted sections. Their values are not among the others.
    pub encrypted: Vec<String>,
    /// Files that hold values of this one.
    pub outside: Vec<Outside>,
}

/// One key of appSettings.
#[derive(Clone, Debug, PartialEq)]
pub struct AppSetting {
    /// The key as written; ASP.NET compares without case.
    pub key: String,
    /// Its value.
    pub value: Secret,
}

/// One setting below applicationSettings.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The section, such as `pfup.Properties.Settings`.
    pub section: String,
    /// The setting's name.
    pub name: String,
    /// `String` for text; any other kind holds markup.
    pub serialize_as: String,
    /// The text, exactly; the markup as written where `serialize_as` is not `String`.
    pub value: Secret,
}

/// A section whose values lie in another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// The section's path, such as `appSettings`.
    pub section: String,
    /// `file` (added to the section) or `configSource` (in its place).
    pub attribute: String,
    /// The other file, relative to the web.config.
    pub file: String,
}

impl Values {
    /// The value of a key of appSettings, compared as ASP.NET does.
    pub fn app_setting(&self, key: &str) -> Option<&str> {
        let wanted = fold_key(key);
        self.app_settings.iter().find(|entry| fold_key(&entry.key) == wanted).map(|entry| entry.value.expose())
    }
}

impl Document {
    /// Reads the values.
    pub fn values(&self) -> Result<Values, ConfigError> {
        let tree = self.tree();
        let root = tree.root_element();
        let mut values = Values { theme: theme_of(root).map(str::to_owned), ..Values::default() };
        (values.encrypted, values.outside) = elsewhere(root);
        for entry in AppEntries::of(root, None).entries {
            values.app_settings.push(AppSetting { key: entry.key.to_owned(), value: Secret::new(entry.value) });
        }
        for entry in SettingEntries::of(self, root).entries {
            values.settings.push(Setting {
                section: entry.section.to_owned(),
                name: entry.name.to_owned(),
                serialize_as: entry.serialize_as.to_owned(),
                value: Secret::new(entry.value),
            });
        }
        Ok(values)
    }

    /// The provider that encrypted a section, by the section's path; `None` where the section is not there, or does not
    /// say.
    pub fn provider_of(&self, section: &str) -> Option<String> {
        let tree = self.tree();
        let node = find(tree.root_element(), section)?;
        node.attribute("configProtectionProvider").map(str::to_owned)
    }

    /// True where the file has a section of this path.
    pub fn has_section(&self, section: &str) -> bool {
        find(self.tree().root_element(), section).is_some()
    }

    /// The setting that holds the address of the Web Service SDK: by its name, else by its value.
    pub fn sdk_url(&self) -> Option<(String, String)> {
        let tree = self.tree();
        let entries = SettingEntries::of(self, tree.root_element());
        let entry = entries.sdk()?;
        Some((entry.name.to_owned(), entry.value.trim().to_owned()))
    }
}

/// The element at a path of names, the first of each.
pub(super) fn find<'a, 'i>(root: Node<'a, 'i>, path: &str) -> Option<Node<'a, 'i>> {
    path.split('/').try_fold(root, |node, name| elements(node).find(|child| child.tag_name().name() == name))
}

/// The form by which keys of appSettings compare.
pub(super) fn fold_key(key: &str) -> String {
    key.to_lowercase()
}

/// A key that compares as ASP.NET does.
#[derive(Clone, Copy)]
struct Folded<'a>(&'a str);

impl PartialEq for Folded<'_> {
    fn eq(&self, other: &Self) -> bool {
        let is_plain = self.0.is_ascii() && other.0.is_ascii();
        if is_plain { self.0.eq_ignore_ascii_case(other.0) } else { fold_key(self.0) == fold_key(other.0) }
    }
}

impl Eq for Folded<'_> {}

impl Hash for Folded<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if !self.0.is_ascii() {
            return fold_key(self.0).hash(state);
        }
        hash_in_any_case(self.0, state);
    }
}

/// Hashes text so that it is the same in capital and small letters of ASCII. Only these: if other bytes were taken for
/// each other, a file could have any number of names with one hash.
pub(super) fn hash_in_any_case(text: &str, state: &mut impl Hasher) {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    words.iter().for_each(|word| state.write_u64(u64::from_le_bytes(word.map(|byte| byte.to_ascii_lowercase()))));
    state.write_u64(rest.iter().fold(0, |all, byte| (all << 8) | u64::from(byte.to_ascii_lowercase())));
}

/// What appSettings adds, with the elements that say so.
pub(super) struct AppEntries<'a, 'input> {
    pub(super) entries: Vec<AppEntry<'a, 'input>>,
    /// Another file's, which has most of the keys.
    like: Option<&'a AppEntries<'a, 'input>>,
    /// Where the keys of the other file are in this one, and where all others are.
    by_like: Vec<usize>,
    by_key: IndexMap<Folded<'a>, usize, FoldHash>,
    /// True where the file also takes back what files further up say.
    pub(super) takes_back: bool,
    /// True where there is nothing else in the section, comments aside.
    pub(super) is_plain: bool,
}

#[derive(Clone, Copy)]
pub(super) struct AppEntry<'a, 'input> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
    pub(super) node: Node<'a, 'input>,
    /// It is in the other file letter by letter.
    pub(super) is_alike: bool,
}

/// The place of a key that is not there.
const NOWHERE: usize = usize::MAX;

impl<'a, 'input> AppEntries<'a, 'input> {
    /// Reads them. Most keys of a file are in the one `like` it as well, in the same order.
    pub(super) fn of(root: Node<'a, 'input>, like: Option<&'a AppEntries<'a, 'input>>) -> Self {
        let by_like = vec![NOWHERE; like.map_or(0, |like| like.entries.len())];
        let count =
            if like.is_none() { children(root, "appSettings").flat_map(elements).count() } else { by_like.len() };
        let by_key = IndexMap::with_capacity_and_hasher(count - by_like.len(), FoldHash::default());
        let mut own = Self { entries: Vec::new(), like, by_like, by_key, takes_back: false, is_plain: true };
        // A key that is added again counts where it stands last.
        let mut all: Vec<Option<AppEntry<'a, 'input>>> = Vec::with_capacity(count);
        let (mut near, mut start) = (0, 0);
        for node in children(root, "appSettings").flat_map(|section| section.children()) {
            if !node.is_element() {
                own.is_plain &= !node.is_text() || node.text().is_none_or(is_blank);
                continue;
            }
            // Most are in the other file letter by letter.
            let twin = like.and_then(|like| like.entries.get(near)).filter(|twin| markup(twin.node) == markup(node));
            let said = |name| node.attribute(name).unwrap_or_default();
            let (tag, key) = twin.map_or_else(|| (node.tag_name().name(), said("key")), |twin| ("add", twin.key));
            own.takes_back |= matches!(tag, "remove" | "clear");
            match tag {
                "add" => {
                    let value = twin.map_or_else(|| said("value"), |twin| twin.value);
                    let entry = AppEntry { key, value, node, is_alike: twin.is_some() };
                    let place = own.place(key, &mut near);
                    match all.get_mut(*place).filter(|_| *place >= start) {
                        Some(known) => *known = Some(entry),
                        None => {
                            *place = all.len();
                            all.push(Some(entry));
                        }
                    }
                }
                "remove" => {
                    let place = own.place(key, &mut near);
                    all.get_mut(*place).into_iter().for_each(|known| *known = None);
                    *place = NOWHERE;
                }
                "clear" => start = all.len(),
                _ => own.is_plain = false,
            }
        }
        all[..start].fill(None);
        if all.iter().any(Option::is_none) {
            let counted = all.iter().scan(0, |count, entry| {
                *count += usize::from(entry.is_some());
                Some(if entry.is_some() { *count - 1 } else { NOWHERE })
            });
            let counted: Vec<usize> = counted.collect();
            let places = own.by_like.iter_mut().chain(own.by_key.values_mut());
            places.for_each(|place| *place = counted.get(*place).copied().unwrap_or(NOWHERE));
        }
        own.entries = all.into_iter().flatten().collect();
        own
    }

    fn place(&mut self, key: &'a str, near: &mut usize) -> &mut usize {
        match self.like.and_then(|like| like.find(key, near)) {
            Some(at) => &mut self.by_like[at],
            None => self.by_key.entry(Folded(key)).or_insert(NOWHERE),
        }
    }

    /// Where a key is, which is probably at `near`; that becomes the place behind it.
    fn find(&self, key: &str, near: &mut usize) -> Option<usize> {
        // The keys of what is alike in both files are even the same memory.
        let is_it = |entry: &AppEntry<'_, '_>| std::ptr::eq(entry.key, key) || entry.key == key;
        let is_there = self.entries.get(*near).is_some_and(is_it);
        let at = if is_there { *near } else { self.index(key)? };
        *near = at + 1;
        Some(at)
    }

    fn index(&self, key: &str) -> Option<usize> {
        let at = match self.like.and_then(|like| like.index(key)) {
            Some(at) => self.by_like.get(at),
            None => self.by_key.get(&Folded(key)),
        };
        at.copied().filter(|at| *at != NOWHERE)
    }

    /// True where the key at a place of the other file is not in this one.
    pub(super) fn lacks(&self, at: usize) -> bool {
        self.by_like.get(at).is_none_or(|at| *at == NOWHERE)
    }

    /// The entry of a key, which is probably at `near`; that becomes the place behind it.
    pub(super) fn get_near(&self, key: &str, near: &mut usize) -> Option<AppEntry<'a, 'input>> {
        self.find(key, near).map(|at| self.entries[at])
    }
}

/// For each key all elements that add it: the one that counts, and those it has made void.
pub(super) struct Adding<'a, 'input>(HashMap<Folded<'a>, Vec<Node<'a, 'input>>>);

impl<'a, 'input> Adding<'a, 'input> {
    pub(super) fn of(root: Node<'a, 'input>) -> Self {
        let mut all: HashMap<Folded<'a>, Vec<Node<'a, 'input>>> = HashMap::new();
        for node in children(root, "appSettings").flat_map(elements) {
            let key = Folded(node.attribute("key").unwrap_or_default());
            match node.tag_name().name() {
                "add" => all.entry(key).or_default().push(node),
                "remove" => drop(all.remove(&key)),
                "clear" => all = HashMap::new(),
                _ => {}
            }
        }
        Self(all)
    }

    pub(super) fn all<'s>(&'s self, key: &'s str) -> &'s [Node<'a, 'input>] {
        self.0.get(&Folded(key)).map_or(&[], Vec::as_slice)
    }
}

/// Which of the elements that `remove` or `clear` take back what stands before them in appSettings.
pub(super) fn taking_back(root: Node<'_, '_>) -> HashSet<NodeId> {
    let mut added = HashSet::new();
    let mut taking = HashSet::new();
    for node in children(root, "appSettings").flat_map(elements) {
        let key = Folded(node.attribute("key").unwrap_or_default());
        let takes = match node.tag_name().name() {
            "add" => {
                added.insert(key);
                false
            }
            "remove" => added.contains(&key),
            "clear" => !added.is_empty(),
            _ => false,
        };
        if takes {
            taking.insert(node.id());
        }
    }
    taking
}

/// The settings of all sections below applicationSettings, with their elements.
pub(super) struct SettingEntries<'a, 'input> {
    pub(super) entries: Vec<SettingEntry<'a, 'input>>,
    by_name: HashMap<(&'a str, &'a str), usize>,
}

#[derive(Clone)]
pub(super) struct SettingEntry<'a, 'input> {
    pub(super) section: &'a str,
    pub(super) name: &'a str,
    pub(super) serialize_as: &'a str,
    /// Text, or markup where `serialize_as` is not `String`.
    pub(super) value: Cow<'a, str>,
    /// The one that counts, which is the last.
    pub(super) node: Node<'a, 'input>,
    /// Those of the same name before it.
    void: Vec<Node<'a, 'input>>,
}

impl<'a, 'input: 'a> SettingEntries<'a, 'input> {
    pub(super) fn of(document: &'a Document, root: Node<'a, 'input>) -> Self {
        let mut own = Self { entries: Vec::new(), by_name: HashMap::new() };
        for section in sections(root) {
            for node in children(section, "setting") {
                let (section, name) = (section.tag_name().name(), node.attribute("name").unwrap_or_default());
                let at = *own.by_name.entry((section, name)).or_insert(own.entries.len());
                match own.entries.get_mut(at) {
                    Some(known) => known.void.push(std::mem::replace(&mut known.node, node)),
                    None => {
                        let (serialize_as, value, void) = ("String", Cow::Borrowed(""), Vec::new());
                        own.entries.push(SettingEntry { section, name, serialize_as, value, node, void });
                    }
                }
            }
        }
        for entry in &mut own.entries {
            entry.serialize_as = entry.node.attribute("serializeAs").unwrap_or("String");
            entry.value = match children(entry.node, "value").next() {
                None => Cow::Borrowed(""),
                Some(value) if entry.is_text() => text_in(value),
                Some(value) => Cow::Owned(raw_content(document, value).trim().replace("\r\n", "\n")),
            };
        }
        own
    }

    /// The elements of an entry in their order.
    pub(super) fn all(&self, entry: &SettingEntry<'a, 'input>) -> Vec<Node<'a, 'input>> {
        entry.void.iter().copied().chain([entry.node]).collect()
    }

    pub(super) fn get(&self, section: &str, name: &str) -> Option<&SettingEntry<'a, 'input>> {
        self.by_name.get(&(section, name)).map(|at| &self.entries[*at])
    }

    /// The setting for the address of the SDK: by its name, else by its value.
    pub(super) fn sdk(&self) -> Option<&SettingEntry<'a, 'input>> {
        let by_name = self.entries.iter().find(|entry| sdk_url::is_setting(entry.name));
        by_name.or_else(|| self.entries.iter().find(|entry| entry.is_sdk_url()))
    }
}

impl SettingEntry<'_, '_> {
    pub(super) fn is_text(&self) -> bool {
        self.serialize_as == "String"
    }

    pub(super) fn is_sdk_url(&self) -> bool {
        self.is_text() && (sdk_url::is_setting(self.name) || sdk_url::is_url(&self.value))
    }

    pub(super) fn path(&self) -> String {
        format!("applicationSettings/{}/{}", self.section, self.name)
    }
}

/// The sections below applicationSettings.
pub(super) fn sections<'a, 'input>(root: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    children(root, "applicationSettings").flat_map(elements)
}

/// The markup inside an element, as written.
pub(super) fn raw_content<'a>(document: &'a Document, node: Node<'_, '_>) -> &'a str {
    match (node.first_child(), node.last_child()) {
        (Some(first), Some(last)) => &document.text()[first.range().start..last.range().end],
        _ => "",
    }
}

/// The text directly in an element.
fn text_in<'a>(node: Node<'a, '_>) -> Cow<'a, str> {
    let mut all = node.children().filter(Node::is_text).filter_map(|child| child.text());
    match (all.next(), all.next()) {
        (None, _) => Cow::Borrowed(""),
        (Some(only), None) => Cow::Borrowed(only),
        _ => Cow::Owned(text_of(node)),
    }
}

fn theme_of<'a>(root: Node<'a, '_>) -> Option<&'a str> {
    children(root, "system.web").flat_map(|web| children(web, "pages")).find_map(|pages| pages.attribute("theme"))
}

/// The encrypted sections, and the values in other files.
pub(super) fn elsewhere(root: Node<'_, '_>) -> (Vec<String>, Vec<Outside>) {
    // False for a section that is encrypted: nothing else is told of it.
    fn visit<'a>(
        node: Node<'a, '_>,
        path: &mut Vec<&'a str>,
        encrypted: &mut Vec<String>,
        outside: &mut Vec<Outside>,
    ) -> bool {
        let before = (encrypted.len(), outside.len());
        // Items of a collection are no sections.
        for child in elements(node).filter(|child| !matches!(child.tag_name().name(), "add" | "remove" | "setting")) {
            if child.tag_name().name() == "EncryptedData" && !path.is_empty() {
                encrypted.truncate(before.0);
                outside.truncate(before.1);
                return false;
            }
            path.push(child.tag_name().name());
            if child.has_attribute("configProtectionProvider") || !visit(child, path, encrypted, outside) {
                encrypted.push(path.join("/"));
            }
            for attribute in ["configSource", "file"] {
                // `file` points to more values in appSettings only; elsewhere it may mean anything.
                let is_meant = attribute == "configSource" || path.as_slice() == ["appSettings"];
                if let Some(file) = child.attribute(attribute).filter(|_| is_meant) {
                    let (section, attribute) = (path.join("/"), attribute.to_owned());
                    outside.push(Outside { section, attribute, file: file.to_owned() });
                }
            }
            path.pop();
        }
        true
    }
    let (mut encrypted, mut outside) = (Vec::new(), Vec::new());
    visit(root, &mut Vec::new(), &mut encrypted, &mut outside);
    (encrypted, outside)
}
