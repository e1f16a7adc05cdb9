//! Finds what must not be seen in a file.

use crate::secret::{holds_secret, is_secret};
use crate::webconfig::schema::collections;
use crate::webconfig::{Document, Shown};
use roxmltree::Node;
use std::{
    cell::OnceCell,
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
};

const MASK: &str = "(masked)";

const DIFFERENT: &str = "(masked, different)";

/// What may be shown of an attribute's value. `node` is any element of that meaning, for what names it decides.
pub(crate) fn shown_attribute(node: Node<'_, '_>, name: &str, value: &str) -> Shown {
    if is_secret_value(node, name) { Shown::Masked } else { Shown::of(name, value) }
}

/// What may be shown of an element's text.
pub(crate) fn shown_text(node: Node<'_, '_>, text: &str) -> Shown {
    if is_secret_content(node) { Shown::Masked } else { Shown::of("", text) }
}

/// What may be shown of a whole element: its start tag, and that there is more.
pub(crate) fn shown_element(node: Node<'_, '_>) -> Shown {
    let mut shown = format!("<{}", node.tag_name().name());
    for attribute in node.attributes() {
        let value = shown_attribute(node, attribute.name(), attribute.value());
        shown += &format!(" {}=\"{value}\"", attribute.name());
    }
    shown += if node.children().any(|child| !child.text().unwrap_or_default().trim().is_empty() || child.is_element()) {
        ">..."
    } else {
        "/>"
    };
    Shown::Plain(shown)
}

/// What may be shown of a comment: old passwords live on in them.
pub(crate) fn shown_comment(node: Node<'_, '_>) -> Shown {
    let text = node.text().unwrap_or_default();
    if is_secret_comment(text) { Shown::Masked } else { Shown::Plain(format!("<!--{text}-->")) }
}

fn is_secret_comment(text: &str) -> bool {
    is_secret(text) || holds_secret(text)
}

/// Whether a value belongs to a name beside it which is a secret's.
fn is_secret_value(node: Node<'_, '_>, name: &str) -> bool {
    name == "value" && names(node).any(is_secret)
}

/// Whether the content belongs to a name that is a secret's: its own, or that of the setting around it.
fn is_secret_content(node: Node<'_, '_>) -> bool {
    let around = node.parent_element().filter(|_| node.tag_name().name() == "value");
    is_secrets(node) || around.into_iter().flat_map(names).any(is_secret)
}

/// Whether an element is called as a secret is, by its tag or by what names it.
pub(crate) fn is_secrets(node: Node<'_, '_>) -> bool {
    is_secret(node.tag_name().name()) || names(node).any(is_secret)
}

fn names<'a>(node: Node<'a, '_>) -> impl Iterator<Item = &'a str> {
    ["key", "name"].into_iter().filter_map(move |name| node.attribute(name))
}

/// The texts of both files with every secret masked: alike where both files have it alike, otherwise not.
pub(crate) fn masked(old: &Document, new: &Document) -> (String, String) {
    let (old_secrets, new_secrets) = (secrets(old), secrets(new));
    let mut known: HashMap<u64, HashSet<&str>> = HashMap::new();
    for secret in &old_secrets {
        known.entry(secret.place).or_default().insert(&secret.value);
    }
    let is_same = |secret: &Found| known.get(&secret.place).is_none_or(|of| of.contains(secret.value.as_str()));
    let new_masked = replace(new, &new_secrets, |secret| if is_same(secret) { MASK } else { DIFFERENT });
    (replace(old, &old_secrets, |_| MASK), new_masked)
}

fn replace(document: &Document, secrets: &[Found], mask: impl Fn(&Found) -> &'static str) -> String {
    let mut text = String::with_capacity(document.text().len());
    let mut at = 0;
    for secret in secrets {
        text.push_str(&document.text()[at..secret.range.start]);
        text.push_str(mask(secret));
        at = secret.range.end;
    }
    text.push_str(&document.text()[at..]);
    text
}

/// A secret and where it lies.
pub(crate) struct Found {
    /// What it belongs to: the hash of its path, for a path itself may be as long as the file.
    pub(crate) place: u64,
    pub(crate) value: String,
    pub(crate) range: Range<usize>,
}

/// The secrets of a file, in its order.
pub(crate) fn secrets(document: &Document) -> Vec<Found> {
    let mut search = Search::default();
    search.children(document.tree().root(), &|| 0);
    search.found
}

/// Whether there is a secret in an element, or in anything below it.
pub(crate) fn holds_any(node: Node<'_, '_>) -> bool {
    let mut search = Search::default();
    search.element(node, &|| 0);
    !search.found.is_empty()
}

#[derive(Default)]
struct Search<'a> {
    /// Which of the names of attributes are a secret's: a large file has the same few again and again.
    names: HashMap<&'a str, bool>,
    found: Vec<Found>,
}

impl<'a> Search<'a> {
    /// The secrets of a node's children, in the order of the file. What `place` says is asked for where there are some.
    fn children(&mut self, parent: Node<'a, 'a>, place: &dyn Fn() -> u64) {
        for node in parent.children() {
            let range = node.range();
            if node.is_element() {
                let known = OnceCell::new();
                self.element(node, &|| *known.get_or_init(|| below(place(), collections::step(node))));
            } else if node.is_text() {
                let text = node.text().unwrap_or_default();
                if parent.is_element() && !text.trim().is_empty() && shown_text(parent, text) == Shown::Masked {
                    self.found.push(Found { place: below(place(), "text()"), value: text.to_owned(), range });
                }
            } else {
                // Old passwords live on in comments. A comment is `<!--` to `-->`, an instruction `<?` to `?>`.
                let (head, tail) = if node.is_comment() { (4, 3) } else { (2, 2) };
                let range = range.start + head..range.end - tail;
                let text = &node.document().input_text()[range.clone()];
                if is_secret_comment(text) {
                    self.found.push(Found { place: below(0, "comment()"), value: text.to_owned(), range });
                }
            }
        }
    }

    fn element(&mut self, node: Node<'a, 'a>, place: &dyn Fn() -> u64) {
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            let is_named = *self.names.entry(name).or_insert_with(|| is_secret(name));
            if is_named || is_secret_value(node, name) || holds_secret(value) {
                let place = below(place(), name);
                self.found.push(Found { place, value: value.to_owned(), range: attribute.range_value() });
            }
        }
        let is_markup = node.tag_name().name() == "value" && is_secret_content(node);
        match (node.first_child(), node.last_child()) {
            (Some(first), Some(last)) if is_markup => {
                let range = first.range().start..last.range().end;
                let value = node.document().input_text()[range.clone()].to_owned();
                self.found.push(Found { place: place(), value, range });
            }
            _ => self.children(node, place),
        }
    }
}

fn below(place: u64, step: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    (place, step).hash(&mut hasher);
    hasher.finish()
}
