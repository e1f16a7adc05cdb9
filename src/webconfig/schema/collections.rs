//! What an element is called among its siblings: by its tag, and by what names it in ASP.NET configuration.

use crate::secret::{holds_secret, is_secret};
use crate::webconfig::text::elements;
use roxmltree::{Attribute, Node};
use std::{borrow::Cow, fmt};

/// What names any element, the first of these that it has. A provider of databases goes by its invariant name, whatever
/// its display name.
const NAMES: [&str; 3] = ["invariant", "key", "name"];

/// What names an element of this tag that has none of them. Any other may have an `id`.
const NAMED_BY: [(&str, &str); 4] =
    [("error", "statusCode"), ("location", "path"), ("mimeMap", "fileExtension"), ("provider", "invariantName")];

/// Elements that are the default of their kind where they have no name.
const DEFAULTS: [&str; 2] = ["behavior", "binding"];

/// What names an `add` without a name, the first of these that it has: collections with keys of their own refuse a second
/// one with the same.
const KEYS: [&str; 27] = [
    "fileExtension",
    "extension",
    "segment",
    "sequence",
    "header",
    "mimeType",
    "mimetype",
    "url",
    "relativeAddress",
    "baseAddress",
    "tagType",
    "directoryName",
    "expressionPrefix",
    "alias",
    "address",
    "ipAddress",
    "domainName",
    "certificate",
    "path",
    "verb",
    "prefix",
    "scheme",
    "thumbprint",
    "assemblyName",
    "initializationPage",
    "wildcard",
    "origin",
];

/// Items of any collection.
const ITEMS: [&str; 4] = ["add", "allow", "deny", "remove"];

/// Collections of which the key is more than one attribute, or one that is no key elsewhere: which items have it.
const KEYS_OF: [(&str, &[&str], &[&str]); 3] = [
    ("authorization", &["add"], &["users", "roles", "verbs"]),
    ("securityTokenHandlers", &ITEMS, &["type"]),
    ("soapExtensionTypes", &ITEMS, &["type"]),
];

/// What a child is called in its parent: `tag`, or `tag[what names it]`, and a number for those called alike. Names
/// compare without case, as nearly all collections of ASP.NET and IIS do.
#[derive(Clone)]
pub(crate) struct Step<'t> {
    pub(crate) tag: &'t str,
    pub(crate) name: Option<Cow<'t, str>>,
    /// From 1; the second and later ones of the same name are told apart by their place only.
    pub(crate) number: usize,
}

/// What tells a step from others, in small letters.
pub(crate) type Key<'t> = (&'t str, Option<String>, usize);

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag)?;
        self.name.iter().try_for_each(|name| write!(f, "[{name}]"))?;
        if self.number > 1 { write!(f, "#{}", self.number) } else { Ok(()) }
    }
}

impl<'t> Step<'t> {
    /// What a child of an element that `holds_sections`, or not, is called by itself.
    pub(crate) fn of(node: Node<'t, '_>, holds_sections: bool) -> Self {
        let tag = node.tag_name().name();
        let sub_status = || node.attribute("subStatusCode").filter(|code| *code != "-1");
        let name = match name_of(node, holds_sections) {
            Some(name) if tag == "error" => {
                sub_status().map(|sub| Cow::Owned(format!("{name}.{sub}"))).or(Some(name.into()))
            }
            Some(name) => Some(Cow::Borrowed(name)),
            None if is_item(tag) => by_several(node).or_else(|| by_attributes(node)).map(Cow::Owned),
            None => None,
        };
        Self { tag, name, number: 1 }
    }

    pub(crate) fn key(&self) -> Key<'t> {
        (self.tag, self.name.as_ref().map(|name| name.to_ascii_lowercase()), self.number)
    }
}

/// `name`, or `name[what names it]`.
pub(crate) fn step<'t>(node: Node<'t, 't>) -> String {
    Step::of(node, node.parent_element().is_some_and(holds_sections)).to_string()
}

/// Whether elements of this tag are items of a collection, whatever it is.
pub(crate) fn is_item(tag: &str) -> bool {
    ITEMS.contains(&tag)
}

/// What names an element among its siblings.
pub(crate) fn name_of<'a>(node: Node<'a, '_>, holds_sections: bool) -> Option<&'a str> {
    // A section is there once: a name in it does not tell which it is.
    if holds_sections && !is_item(node.tag_name().name()) && node.tag_name().name() != "location" {
        return None;
    }
    let of = |name: &&str| node.attributes().find(|it| it.namespace().is_none() && it.name() == *name);
    let named = NAMES.iter().find_map(of).map(|attribute| attribute.value());
    named.or_else(|| match node.tag_name().name() {
        "add" => KEYS.iter().find_map(|key| node.attribute(*key)),
        "dependentAssembly" => {
            elements(node).find(|child| child.tag_name().name() == "assemblyIdentity")?.attribute("name")
        }
        tag if DEFAULTS.contains(&tag) => Some(""),
        tag => {
            let own = NAMED_BY.iter().find(|(named, _)| *named == tag);
            node.attribute(own.map_or("id", |(_, attribute)| *attribute))
        }
    })
}

/// What names an item of collections of which the key is more than one attribute, or one that is no key elsewhere.
fn by_several(node: Node<'_, '_>) -> Option<String> {
    let (list, item) = (node.parent_element()?.tag_name().name(), node.tag_name().name());
    let (.., key) = KEYS_OF.iter().find(|(known, items, _)| *known == list && items.contains(&item))?;
    let said = |name: &&str| node.attribute(*name).filter(|said| !said.is_empty()).map(|said| format!("{name}={said}"));
    let all: Vec<String> = key.iter().filter_map(said).collect();
    (!all.is_empty()).then(|| all.join(","))
}

/// Whether the children of an element are sections.
pub(crate) fn holds_sections(parent: Node<'_, '_>) -> bool {
    parent.parent_element().is_none() || parent.tag_name().name() == "system.web"
}

/// Collections without a key: what they hold is their name, versions and secrets aside.
pub(crate) fn by_attributes(node: Node<'_, '_>) -> Option<String> {
    let is_shown = |attribute: &Attribute<'_, '_>| !is_secret(attribute.name()) && !holds_secret(attribute.value());
    let said = |attribute: Attribute<'_, '_>| format!("{}={}", attribute.name(), without_version(attribute.value()));
    let is_value = |attribute: &Attribute<'_, '_>| attribute.name() == "value";
    let mut all: Vec<String> = node.attributes().filter(|it| !is_value(it) && is_shown(it)).map(said).collect();
    if all.is_empty() && !node.parent_element().is_some_and(|parent| is_secret(parent.tag_name().name())) {
        all = node.attributes().filter(|it| is_value(it) && is_shown(it)).map(said).collect();
    }
    all.sort();
    (!all.is_empty()).then(|| all.join(","))
}

/// The name of an assembly without what follows it.
pub(crate) fn without_version(value: &str) -> &str {
    value.split(", Version=").next().unwrap_or_default()
}

/// The element's name in a step.
pub(crate) fn tag(step: &str) -> &str {
    step.split(['[', '#']).next().unwrap_or(step)
}
