//! What a web.config says: its appSettings, its applicationSettings and where else its values may lie.

use crate::webconfig::schema::elsewhere::{Outside, elsewhere, find};
use crate::webconfig::schema::sdk_url;
use crate::webconfig::secret::Secret;
use crate::webconfig::text::{self, children, elements, text_of};
use crate::webconfig::{ConfigError, Document};
use roxmltree::{Node, NodeId};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
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

    /// Whether the file has a section of this path.
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

/// The form by which keys of appSettings compare.
pub(crate) fn fold_key(key: &str) -> String {
    key.to_lowercase()
}

/// What appSettings adds, with the elements that say so.
#[derive(Default)]
pub(crate) struct AppEntries<'a, 'input> {
    pub(crate) entries: Vec<AppEntry<'a, 'input>>,
    by_key: HashMap<String, usize>,
    /// The `remove` and `clear` that take back what stands before them in the file.
    pub(crate) taking: HashSet<NodeId>,
    /// Whether the file also takes back what files further up say.
    pub(crate) takes_back: bool,
}

#[derive(Clone)]
pub(crate) struct AppEntry<'a, 'input> {
    pub(crate) key: &'a str,
    pub(crate) value: Cow<'a, str>,
    /// The one that counts, which is the last.
    pub(crate) node: Node<'a, 'input>,
    /// All that add this key, in their order.
    pub(crate) all: Vec<Node<'a, 'input>>,
}

impl<'a, 'input> AppEntries<'a, 'input> {
    pub(crate) fn of(root: Node<'a, 'input>) -> Self {
        let mut own = Self::default();
        let mut added = HashSet::new();
        let mut entries: Vec<Option<AppEntry<'a, 'input>>> = Vec::new();
        for node in children(root, "appSettings").flat_map(elements) {
            let (tag, key) = (node.tag_name().name(), node.attribute("key").unwrap_or_default());
            let value = node.attributes().find(|it| it.namespace().is_none() && it.name() == "value");
            let value = value.map(|it| text::value(node, it)).unwrap_or_default();
            let folded = fold_key(key);
            let takes = match tag {
                "remove" => added.contains(&folded),
                _ => tag == "clear" && !added.is_empty(),
            };
            own.takes_back |= matches!(tag, "remove" | "clear");
            own.taking.extend(takes.then(|| node.id()));
            match tag {
                "add" => {
                    added.insert(folded.clone());
                    let at = *own.by_key.entry(folded).or_insert(entries.len());
                    if at == entries.len() {
                        entries.push(None);
                    }
                    let mut all = entries[at].take().map_or_else(Vec::new, |entry| entry.all);
                    all.push(node);
                    entries[at] = Some(AppEntry { key, value, node, all });
                }
                "remove" => drop(own.by_key.remove(&folded).and_then(|at| entries[at].take())),
                "clear" => (entries, own.by_key) = (Vec::new(), HashMap::new()),
                _ => {}
            }
        }
        own.entries = entries.into_iter().flatten().collect();
        own.by_key = own.entries.iter().enumerate().map(|(at, entry)| (fold_key(entry.key), at)).collect();
        own
    }

    pub(crate) fn get(&self, key: &str) -> Option<&AppEntry<'a, 'input>> {
        self.by_key.get(&fold_key(key)).map(|at| &self.entries[*at])
    }
}

/// The settings of all sections below applicationSettings, with their elements.
pub(crate) struct SettingEntries<'a, 'input> {
    pub(crate) entries: Vec<SettingEntry<'a, 'input>>,
    by_name: HashMap<(&'a str, &'a str), usize>,
}

#[derive(Clone)]
pub(crate) struct SettingEntry<'a, 'input> {
    pub(crate) section: &'a str,
    pub(crate) name: &'a str,
    pub(crate) serialize_as: &'a str,
    /// Text, or markup where `serialize_as` is not `String`.
    pub(crate) value: Cow<'a, str>,
    /// The one that counts, which is the last.
    pub(crate) node: Node<'a, 'input>,
    /// Those of the same name before it.
    void: Vec<Node<'a, 'input>>,
}

impl<'a, 'input: 'a> SettingEntries<'a, 'input> {
    pub(crate) fn of(document: &'a Document, root: Node<'a, 'input>) -> Self {
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
    pub(crate) fn all(&self, entry: &SettingEntry<'a, 'input>) -> Vec<Node<'a, 'input>> {
        entry.void.iter().copied().chain([entry.node]).collect()
    }

    pub(crate) fn get(&self, section: &str, name: &str) -> Option<&SettingEntry<'a, 'input>> {
        self.by_name.get(&(section, name)).map(|at| &self.entries[*at])
    }

    /// The setting for the address of the SDK: by its name, else by its value.
    pub(crate) fn sdk(&self) -> Option<&SettingEntry<'a, 'input>> {
        let by_name = self.entries.iter().find(|entry| sdk_url::is_setting(entry.name));
        by_name.or_else(|| self.entries.iter().find(|entry| entry.is_sdk_url()))
    }
}

impl SettingEntry<'_, '_> {
    pub(crate) fn is_text(&self) -> bool {
        self.serialize_as == "String"
    }

    pub(crate) fn is_sdk_url(&self) -> bool {
        self.is_text() && (sdk_url::is_setting(self.name) || sdk_url::is_url(&self.value))
    }

    pub(crate) fn path(&self) -> String {
        format!("applicationSettings/{}/{}", self.section, self.name)
    }
}

/// The sections below applicationSettings.
pub(crate) fn sections<'a, 'input>(root: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    children(root, "applicationSettings").flat_map(elements)
}

/// The markup inside an element, as written.
pub(crate) fn raw_content<'a>(document: &'a Document, node: Node<'_, '_>) -> &'a str {
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
