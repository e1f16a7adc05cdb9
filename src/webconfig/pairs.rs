//! Elements of several files that mean the same: matched by name and by what names them in their parent.

use super::{
    document::{elements, text_of},
    secret::holds_secret,
};
use crate::secret::is_secret;
use roxmltree::{Attribute, Node};
use std::collections::{HashMap, HashSet};

/// The same element in the old file, the file as shipped and the new file.
#[derive(Clone, Copy)]
pub(super) struct Triple<'t> {
    pub(super) old: Option<Node<'t, 't>>,
    pub(super) base: Option<Node<'t, 't>>,
    pub(super) new: Option<Node<'t, 't>>,
    /// It is beyond doubt that these are the same.
    pub(super) is_unique: bool,
}

impl<'t> Triple<'t> {
    fn all(self) -> [Option<Node<'t, 't>>; 3] {
        [self.old, self.base, self.new]
    }
}

/// The children of an element.
pub(super) struct Children<'t> {
    /// Those that the old file or the file as shipped has, in the old file's order, each with its counterparts.
    pub(super) triples: Vec<(String, Triple<'t>)>,
    /// What became of the order of those that all files have; `None` where it is as it was shipped.
    pub(super) order: Option<Order>,
}

/// Who changed an order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The old file, and the new one has what was shipped.
    ByOld,
    /// The old file and the new one alike.
    Alike,
    /// Both, each its own way.
    ByBoth,
}

/// The children of one file: their steps in order, and where each is.
#[derive(Default)]
struct Side<'t> {
    order: Vec<String>,
    nodes: HashMap<String, Node<'t, 't>>,
    /// How many have a step, without what tells them apart.
    count: HashMap<String, usize>,
}

/// Matches the children. Elements called one of `skip` are left out.
pub(super) fn children<'t>(parent: Triple<'t>, skip: &[&str]) -> Children<'t> {
    let repeated = repeated_tags(parent, skip);
    let [old, base, new] = parent.all().map(|node| Side::of(node, skip, &repeated));
    let doubtful = doubtful(&old, &base, &new);
    let triple = |step: &String| {
        let [old, base, new] = [&old, &base, &new].map(|side| side.nodes.get(step).copied());
        let is_unique = parent.is_unique && !doubtful.contains(without_count(step));
        (step.clone(), Triple { old, base, new, is_unique })
    };
    let gone = base.order.iter().filter(|step| !old.nodes.contains_key(*step));
    Children { triples: old.order.iter().chain(gone).map(triple).collect(), order: order(&old, &base, &new) }
}

impl<'t> Side<'t> {
    fn of(parent: Option<Node<'t, 't>>, skip: &[&str], repeated: &HashSet<&str>) -> Self {
        let mut side = Self::default();
        for node in parent.into_iter().flat_map(elements).filter(|node| !skip.contains(&node.tag_name().name())) {
            let mut step = step(node);
            if repeated.contains(step.as_str()) {
                step = step_by_attributes(node);
            }
            let count = side.count.entry(step.clone()).or_default();
            *count += 1;
            if *count > 1 {
                // The second and later ones of the same name are told apart by their place only.
                step = format!("{step}#{count}");
            }
            side.order.push(step.clone());
            side.nodes.insert(step, node);
        }
        side
    }
}

/// Tags without a name that one of the files has more than once: what they hold is their name.
fn repeated_tags<'t>(parent: Triple<'t>, skip: &[&str]) -> HashSet<&'t str> {
    let mut repeated = HashSet::new();
    for side in parent.all().into_iter().flatten() {
        let mut seen = HashSet::new();
        let tags = elements(side).filter(|node| name_of(*node).is_none()).map(|node| node.tag_name().name());
        repeated.extend(tags.filter(|tag| !skip.contains(tag) && !seen.insert(*tag)));
    }
    repeated
}

/// Steps that several children have, of which it cannot be told which is which. Where the new version has left all of
/// them as they were, and nobody has added or removed any, their places tell.
fn doubtful<'a>(old: &'a Side<'_>, base: &'a Side<'_>, new: &'a Side<'_>) -> HashSet<&'a str> {
    let all = [old, base, new].into_iter().flat_map(|side| &side.count);
    let several = all.filter(|(_, count)| **count > 1).map(|(step, _)| step.as_str());
    let is_doubtful = |step: &&str| {
        let count = |side: &Side<'_>| side.count.get(*step).copied().unwrap_or_default();
        if count(old) != count(base) || count(base) != count(new) {
            return true;
        }
        let numbered = |at: usize| if at == 1 { (*step).to_owned() } else { format!("{step}#{at}") };
        !(1..=count(base)).map(numbered).all(|step| match (base.nodes.get(&step), new.nodes.get(&step)) {
            (Some(base), Some(new)) => same(*base, *new, &|_, _| false),
            _ => false,
        })
    };
    several.filter(is_doubtful).collect()
}

fn order(old: &Side<'_>, base: &Side<'_>, new: &Side<'_>) -> Option<Order> {
    fn common<'a>(of: &'a Side<'_>, all: [&'a Side<'_>; 2]) -> impl Iterator<Item = &'a String> {
        of.order.iter().filter(move |step| all.iter().all(|side| side.nodes.contains_key(*step)))
    }
    if common(old, [base, base]).eq(common(base, [old, old])) {
        return None;
    }
    Some(match () {
        () if common(new, [old, base]).eq(common(old, [new, base])) => Order::Alike,
        () if common(new, [old, base]).eq(common(base, [new, old])) => Order::ByOld,
        () => Order::ByBoth,
    })
}

/// `name`, or `name[what names it]`.
pub(super) fn step(node: Node<'_, '_>) -> String {
    let tag = node.tag_name().name();
    match name_of(node) {
        Some(name) => format!("{tag}[{name}]"),
        None if matches!(tag, "add" | "remove" | "allow" | "deny") => step_by_attributes(node),
        None => tag.to_owned(),
    }
}

/// What names an element among its siblings.
fn name_of<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    let named = ["key", "name"].iter().find_map(|name| node.attribute(*name));
    let own = match node.tag_name().name() {
        "location" => "path",
        "mimeMap" => "fileExtension",
        "error" => "statusCode",
        "dependentAssembly" => {
            let identity = elements(node).find(|child| child.tag_name().name() == "assemblyIdentity");
            return named.or_else(|| identity?.attribute("name"));
        }
        _ => "id",
    };
    named.or_else(|| node.attribute(own))
}

/// Collections without a key: what they hold is their name, versions and secrets aside.
fn step_by_attributes(node: Node<'_, '_>) -> String {
    let is_shown = |attribute: &Attribute<'_, '_>| !is_secret(attribute.name()) && !holds_secret(attribute.value());
    let said = |attribute: Attribute<'_, '_>| {
        let value = attribute.value().split(", Version=").next().unwrap_or_default();
        format!("{}={value}", attribute.name())
    };
    let is_value = |attribute: &Attribute<'_, '_>| attribute.name() == "value";
    let mut all: Vec<String> = node.attributes().filter(|it| !is_value(it) && is_shown(it)).map(said).collect();
    if all.is_empty() && !node.parent_element().is_some_and(|parent| is_secret(parent.tag_name().name())) {
        all = node.attributes().filter(|it| is_value(it) && is_shown(it)).map(said).collect();
    }
    all.sort();
    if all.is_empty() {
        node.tag_name().name().to_owned()
    } else {
        format!("{}[{}]", node.tag_name().name(), all.join(","))
    }
}

/// A step without the number that tells it from others of the same name.
fn without_count(step: &str) -> &str {
    match step.rsplit_once('#') {
        Some((rest, count)) if !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => step,
    }
}

/// The element's name in a step.
pub(super) fn tag(step: &str) -> &str {
    step.split(['[', '#']).next().unwrap_or(step)
}

/// An element's own text: exact where it is a setting's value, otherwise without the space around it.
pub(super) fn text(node: Node<'_, '_>) -> String {
    let text = text_of(node);
    if node.tag_name().name() == "value" && elements(node).next().is_none() { text } else { text.trim().to_owned() }
}

/// True where two elements say the same, comments and space aside. Attributes for which `skip` holds do not count.
pub(super) fn same(one: Node<'_, '_>, other: Node<'_, '_>, skip: &impl Fn(Node<'_, '_>, &str) -> bool) -> bool {
    fn said<'a>(
        node: Node<'a, '_>,
        skip: &impl Fn(Node<'_, '_>, &str) -> bool,
    ) -> HashSet<(Option<&'a str>, &'a str, &'a str)> {
        let counted = node.attributes().filter(|attribute| !skip(node, attribute.name()));
        counted.map(|attribute| (attribute.namespace(), attribute.name(), attribute.value())).collect()
    }
    one.tag_name().name() == other.tag_name().name()
        && said(one, skip) == said(other, skip)
        && text(one) == text(other)
        && elements(one).count() == elements(other).count()
        && elements(one).zip(elements(other)).all(|(one, other)| same(one, other, skip))
}
