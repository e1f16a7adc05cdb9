//! What an element is called among its siblings: by its tag, and by what names it in ASP.NET configuration.

use super::{
    Shown,
    document::elements,
    mask,
    pairs::{Triple, text},
};
use crate::secret::{holds_secret, is_secret};
use roxmltree::{Attribute, Node};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fmt,
};

/// What a child is called in its parent: `tag`, or `tag[what names it]`, and a number for those called alike. Names
/// compare without case, as nearly all collections of ASP.NET and IIS do.
#[derive(Clone)]
pub(super) struct Step<'t> {
    pub(super) tag: &'t str,
    pub(super) name: Option<Cow<'t, str>>,
    /// From 1; the second and later ones of the same name are told apart by their place only.
    pub(super) number: usize,
}

/// What tells a step from others, in small letters.
pub(super) type Key<'t> = (&'t str, Option<String>, usize);

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag)?;
        self.name.iter().try_for_each(|name| write!(f, "[{name}]"))?;
        if self.number > 1 { write!(f, "#{}", self.number) } else { Ok(()) }
    }
}

impl<'t> Step<'t> {
    /// What a child of an element that `holds_sections`, or not, is called by itself.
    fn of(node: Node<'t, '_>, holds_sections: bool) -> Self {
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

    pub(super) fn key(&self) -> Key<'t> {
        (self.tag, self.name.as_ref().map(|name| name.to_ascii_lowercase()), self.number)
    }
}

/// Tags of children that are called otherwise than they would be by themselves.
#[derive(Default)]
pub(super) struct Tags<'t> {
    /// Without a name, and one of the files has more than one: what they hold is their name.
    repeated: HashSet<&'t str>,
    /// Nothing but the tag has to tell which they are: each file has one at most, and the administrator, or both sides
    /// alike, gave it another name. One that has another name in the new file only is another one.
    single: HashSet<&'t str>,
    /// One of the files has several that are called so: what else they say is part of their name.
    pub(super) shared: HashSet<Key<'t>>,
    /// What is around them has the name of a secret: the text in them may be one.
    pub(super) is_secret: bool,
}

impl<'t> Tags<'t> {
    pub(super) fn of(parent: Triple<'t>, skip: &[&str]) -> Self {
        let mut tags = Self::default();
        let mut names: HashMap<&str, [Option<Option<&str>>; 3]> = HashMap::new();
        let mut several: HashSet<&str> = HashSet::new();
        for (at, side) in parent.all().into_iter().enumerate().filter_map(|(at, side)| Some((at, side?))) {
            let mut seen: HashSet<&str> = HashSet::new();
            let sections = holds_sections(side);
            for node in elements(side) {
                let tag = node.tag_name().name();
                if is_item(tag) || tag == "location" || several.contains(tag) || skip.contains(&tag) {
                    continue;
                }
                let name = name_of(node, sections);
                if !seen.insert(tag) {
                    several.insert(tag);
                }
                names.entry(tag).or_default()[at] = Some(name);
            }
        }
        for (tag, names) in names {
            if several.contains(tag) {
                tags.repeated.insert(tag);
            } else if let [Some(old), Some(base), new] = names
                && (old != base || (new.is_some_and(|new| new != base) && is_there_once(tag)))
                && (new.is_none_or(|new| new == base || new == old) || is_there_once(tag))
            {
                tags.single.insert(tag);
            }
        }
        tags
    }

    /// What a child is called, but for its number.
    pub(super) fn step(&self, node: Node<'t, 't>, holds_sections: bool) -> Step<'t> {
        let mut step = Step::of(node, holds_sections);
        if step.name.is_none() && self.repeated.contains(step.tag) {
            step.name = by_attributes(node).map(Cow::Owned);
        } else if self.single.contains(step.tag) {
            step.name = None;
        }
        if !self.shared.is_empty() && self.shared.contains(&step.key()) {
            step.name = self.in_full(node).map(Cow::Owned).or(step.name);
        }
        step
    }

    /// What a child is called that shares its name with others.
    fn in_full(&self, node: Node<'_, '_>) -> Option<String> {
        if node.tag_name().name() != "location" {
            return self.by_all(node);
        }
        let section = elements(node).next()?.tag_name().name();
        Some(format!("{}: {section}", node.attribute("path").unwrap_or_default()))
    }

    /// All that a child holds, but for elements and secrets.
    pub(super) fn by_all(&self, node: Node<'_, '_>) -> Option<String> {
        let text = by_text(node).filter(|_| !self.is_secret);
        let all: Vec<String> = by_attributes(node).into_iter().chain(text).collect();
        (!all.is_empty()).then(|| all.join(","))
    }
}

/// What an element would be called among the children of `parent`.
pub(super) fn step_in(element: Node<'_, '_>, parent: Node<'_, '_>) -> String {
    let step = Step::of(element, holds_sections(parent));
    Step { name: step.name.or_else(|| by_text(element).map(Cow::Owned)), ..step }.to_string()
}

/// `name`, or `name[what names it]`.
pub(super) fn step<'t>(node: Node<'t, 't>) -> String {
    Step::of(node, node.parent_element().is_some_and(holds_sections)).to_string()
}

/// True for elements that are items of a collection, whatever it is.
pub(super) fn is_item(tag: &str) -> bool {
    matches!(tag, "add" | "remove" | "allow" | "deny")
}

/// True for an element that is no item of a collection, though it has a name.
fn is_there_once(tag: &str) -> bool {
    tag == "forms"
}

/// What names an element among its siblings.
pub(super) fn name_of<'a>(node: Node<'a, '_>, holds_sections: bool) -> Option<&'a str> {
    // A section is there once: a name in it does not tell which it is.
    if holds_sections && !is_item(node.tag_name().name()) && node.tag_name().name() != "location" {
        return None;
    }
    // A provider of databases goes by this, whatever its display name.
    let rank = |attribute: &Attribute<'_, '_>| match attribute.name() {
        _ if attribute.namespace().is_some() => None,
        "invariant" => Some(0),
        "key" => Some(1),
        "name" => Some(2),
        _ => None,
    };
    let ranked = node.attributes().filter_map(|attribute| Some((rank(&attribute)?, attribute.value())));
    let named = ranked.min_by_key(|(rank, _)| *rank).map(|(_, value)| value);
    let own = match node.tag_name().name() {
        "add" => return named.or_else(|| KEYS.iter().find_map(|key| node.attribute(*key))),
        "location" => "path",
        "provider" => "invariantName",
        "mimeMap" => "fileExtension",
        "error" => "statusCode",
        // One without a name is the default of its kind.
        "binding" | "behavior" => return named.or(Some("")),
        "dependentAssembly" => {
            let identity = elements(node).find(|child| child.tag_name().name() == "assemblyIdentity");
            return named.or_else(|| identity?.attribute("name"));
        }
        _ => "id",
    };
    named.or_else(|| node.attribute(own))
}

/// What names an item of collections that have keys of their own: a second one with the same is refused.
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

/// What names an item of collections of which the key is more than one attribute, or one that is no key elsewhere.
fn by_several(node: Node<'_, '_>) -> Option<String> {
    let key: &[&str] = match node.parent_element()?.tag_name().name() {
        "authorization" if node.tag_name().name() == "add" => &["users", "roles", "verbs"],
        "securityTokenHandlers" | "soapExtensionTypes" => &["type"],
        _ => return None,
    };
    let said = |name: &&str| node.attribute(*name).filter(|said| !said.is_empty()).map(|said| format!("{name}={said}"));
    let all: Vec<String> = key.iter().filter_map(said).collect();
    (!all.is_empty()).then(|| all.join(","))
}

/// Whether the children of an element are sections.
pub(super) fn holds_sections(parent: Node<'_, '_>) -> bool {
    parent.parent_element().is_none() || parent.tag_name().name() == "system.web"
}

/// Collections without a key: what they hold is their name, versions and secrets aside.
pub(super) fn by_attributes(node: Node<'_, '_>) -> Option<String> {
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

/// The text of an element that holds nothing else, however it is laid out; no secret.
fn by_text(node: Node<'_, '_>) -> Option<String> {
    let text = text(node);
    let is_it = !text.trim().is_empty() && elements(node).next().is_none();
    let is_it = is_it && mask::shown_text(node, &text) != Shown::Masked;
    is_it.then(|| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The name of an assembly without what follows it.
pub(super) fn without_version(value: &str) -> &str {
    value.split(", Version=").next().unwrap_or_default()
}

/// The element's name in a step.
pub(super) fn tag(step: &str) -> &str {
    step.split(['[', '#']).next().unwrap_or(step)
}
