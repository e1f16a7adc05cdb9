//! What a web.config says: its appSettings, its applicationSettings and where else its values may lie.

use super::{
    ConfigError, Document, Secret,
    document::{children, elements, text_of},
    sdk_url,
};
use roxmltree::Node;
use std::{
    collections::{HashMap, hash_map::Entry},
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
        for entry in AppEntries::of(root).entries {
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
        let mut piece = [0; 64];
        for bytes in self.0.as_bytes().chunks(piece.len()) {
            let piece = &mut piece[..bytes.len()];
            piece.copy_from_slice(bytes);
            piece.make_ascii_lowercase();
            state.write(piece);
        }
        state.write_u8(0xFF);
    }
}

/// What appSettings adds, with the elements that say so.
pub(super) struct AppEntries<'a, 'input> {
    pub(super) entries: Vec<AppEntry<'a, 'input>>,
    by_key: HashMap<Folded<'a>, usize>,
}

#[derive(Clone, Copy)]
pub(super) struct AppEntry<'a, 'input> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
    pub(super) node: Node<'a, 'input>,
}

impl<'a, 'input> AppEntries<'a, 'input> {
    pub(super) fn of(root: Node<'a, 'input>) -> Self {
        // A key that is added again counts where it stands last.
        let count = children(root, "appSettings").flat_map(elements).count();
        let mut last: HashMap<Folded<'a>, usize> = HashMap::with_capacity(count);
        let mut all: Vec<Option<AppEntry<'a, 'input>>> = Vec::with_capacity(count);
        for node in children(root, "appSettings").flat_map(elements) {
            let key = node.attribute("key").unwrap_or_default();
            match node.tag_name().name() {
                "add" => {
                    let entry = AppEntry { key, value: node.attribute("value").unwrap_or_default(), node };
                    match last.entry(Folded(key)) {
                        Entry::Occupied(at) => all[*at.get()] = Some(entry),
                        Entry::Vacant(place) => {
                            place.insert(all.len());
                            all.push(Some(entry));
                        }
                    }
                }
                "remove" => last.remove(&Folded(key)).into_iter().for_each(|at| all[at] = None),
                "clear" => {
                    last.clear();
                    all.clear();
                }
                _ => {}
            }
        }
        if all.iter().any(Option::is_none) {
            last.clear();
            last.extend(all.iter().flatten().enumerate().map(|(at, entry)| (Folded(entry.key), at)));
        }
        Self { entries: all.into_iter().flatten().collect(), by_key: last }
    }

    pub(super) fn get(&self, key: &str) -> Option<AppEntry<'a, 'input>> {
        self.by_key.get(&Folded(key)).map(|at| self.entries[*at])
    }

    /// The same, where that is probably the one at `near`, which becomes the place behind it.
    pub(super) fn get_near(&self, key: &str, near: &mut usize) -> Option<AppEntry<'a, 'input>> {
        let is_there = self.entries.get(*near).is_some_and(|entry| entry.key == key);
        let at = if is_there { *near } else { *self.by_key.get(&Folded(key))? };
        *near = at + 1;
        self.entries.get(at).copied()
    }

    /// All elements that add a key: the one that counts, and those it has made void.
    pub(super) fn all(&self, key: &str) -> Vec<Node<'a, 'input>> {
        let section = self.get(key).and_then(|entry| entry.node.parent_element());
        let mut all = Vec::new();
        for node in section.into_iter().flat_map(elements) {
            let is_meant = node.attribute("key").is_some_and(|other| Folded(other) == Folded(key));
            match node.tag_name().name() {
                "add" if is_meant => all.push(node),
                "remove" if is_meant => all.clear(),
                "clear" => all.clear(),
                _ => {}
            }
        }
        all
    }
}

/// Whether `remove` or `clear` takes back what stands before it in its section.
pub(super) fn takes_back(node: Node<'_, '_>) -> bool {
    let key = node.attribute("key").unwrap_or_default();
    let is_meant = |other: Node<'_, '_>| {
        node.tag_name().name() == "clear" || Folded(other.attribute("key").unwrap_or_default()) == Folded(key)
    };
    node.prev_siblings().any(|other| other.tag_name().name() == "add" && is_meant(other))
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
    pub(super) value: String,
    pub(super) node: Node<'a, 'input>,
}

impl<'a, 'input: 'a> SettingEntries<'a, 'input> {
    pub(super) fn of(document: &Document, root: Node<'a, 'input>) -> Self {
        let mut last: HashMap<(&str, &str), Node<'a, 'input>> = HashMap::new();
        let mut order = Vec::new();
        for section in sections(root) {
            for node in children(section, "setting") {
                let id = (section.tag_name().name(), node.attribute("name").unwrap_or_default());
                if last.insert(id, node).is_none() {
                    order.push(id);
                }
            }
        }
        let entry = |(section, name)| {
            let node = *last.get(&(section, name))?;
            let serialize_as = node.attribute("serializeAs").unwrap_or("String");
            let value = children(node, "value").next();
            let value = match serialize_as {
                "String" => value.map(text_of),
                _ => value.map(|value| raw_content(document, value).trim().replace("\r\n", "\n")),
            };
            Some(SettingEntry { section, name, serialize_as, value: value.unwrap_or_default(), node })
        };
        let entries: Vec<_> = order.into_iter().filter_map(entry).collect();
        let by_name = entries.iter().enumerate().map(|(at, entry)| ((entry.section, entry.name), at)).collect();
        Self { entries, by_name }
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

fn theme_of<'a>(root: Node<'a, '_>) -> Option<&'a str> {
    children(root, "system.web").flat_map(|web| children(web, "pages")).find_map(|pages| pages.attribute("theme"))
}

/// The encrypted sections, and the values in other files.
pub(super) fn elsewhere(root: Node<'_, '_>) -> (Vec<String>, Vec<Outside>) {
    fn visit<'a>(node: Node<'a, '_>, path: &mut Vec<&'a str>, encrypted: &mut Vec<String>, outside: &mut Vec<Outside>) {
        // Items of a collection are no sections.
        for child in elements(node).filter(|child| !matches!(child.tag_name().name(), "add" | "remove" | "setting")) {
            path.push(child.tag_name().name());
            let is_encrypted =
                child.has_attribute("configProtectionProvider") || children(child, "EncryptedData").next().is_some();
            if is_encrypted {
                encrypted.push(path.join("/"));
            } else {
                visit(child, path, encrypted, outside);
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
    }
    let (mut encrypted, mut outside) = (Vec::new(), Vec::new());
    visit(root, &mut Vec::new(), &mut encrypted, &mut outside);
    (encrypted, outside)
}
