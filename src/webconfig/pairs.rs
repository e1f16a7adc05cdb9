//! Elements of several files that mean the same: matched by name and by what names them in their parent.

use super::{
    document::{elements, text_of},
    secret::{holds_secret, is_secret},
};
use roxmltree::Node;
use std::collections::{HashMap, HashSet};

/// The same element in the old file, the file as shipped and the new file.
#[derive(Clone, Copy)]
pub(super) struct Triple<'t> {
    pub(super) old: Option<Node<'t, 't>>,
    pub(super) base: Option<Node<'t, 't>>,
    pub(super) new: Option<Node<'t, 't>>,
    /// No other element of any of the files has the same path.
    pub(super) is_unique: bool,
}

/// A child by what it is called in its parent, and whether it is the only one that is called so.
type Steps<'t> = HashMap<String, (Node<'t, 't>, bool)>;

/// The children that the old file or the file as shipped has, in the old file's order, each with its counterparts;
/// and whether those that both have stand in another order.
pub(super) fn children<'t>(parent: Triple<'t>) -> (Vec<(String, Triple<'t>)>, bool) {
    let (old_order, old) = steps(parent.old);
    let (base_order, base) = steps(parent.base);
    let (_, new) = steps(parent.new);
    let common = |order: &[String]| -> Vec<String> {
        order.iter().filter(|step| old.contains_key(*step) && base.contains_key(*step)).cloned().collect()
    };
    let is_reordered = common(&old_order) != common(&base_order);
    let gone: Vec<String> = base_order.into_iter().filter(|step| !old.contains_key(step)).collect();
    let triple = |step: String| {
        let of = |steps: &Steps<'t>| steps.get(&step).copied();
        let (old, base, new) = (of(&old), of(&base), of(&new));
        let is_unique = parent.is_unique && [old, base, new].iter().flatten().all(|(_, is_unique)| *is_unique);
        let node = |found: Option<(Node<'t, 't>, bool)>| found.map(|(node, _)| node);
        (step, Triple { old: node(old), base: node(base), new: node(new), is_unique })
    };
    (old_order.into_iter().chain(gone).map(triple).collect(), is_reordered)
}

fn steps<'t>(parent: Option<Node<'t, 't>>) -> (Vec<String>, Steps<'t>) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let (mut order, mut steps) = (Vec::new(), HashMap::new());
    for node in parent.into_iter().flat_map(elements) {
        let step = step(node);
        let count = counts.entry(step.clone()).or_default();
        *count += 1;
        // The second and later ones of the same name are told apart by their place only.
        let numbered = if *count == 1 { step } else { format!("{step}#{count}") };
        order.push(numbered.clone());
        steps.insert(numbered, (node, *count == 1));
    }
    for (step, _) in counts.into_iter().filter(|(_, count)| *count > 1) {
        steps.entry(step).and_modify(|(_, is_unique)| *is_unique = false);
    }
    (order, steps)
}

/// `name`, or `name[what names it]`.
pub(super) fn step(node: Node<'_, '_>) -> String {
    let tag = node.tag_name().name();
    let named = ["key", "name"].iter().find_map(|name| node.attribute(*name));
    let named = named.or_else(|| node.attribute("path").filter(|_| tag == "location"));
    if let Some(named) = named {
        return format!("{tag}[{named}]");
    }
    if !matches!(tag, "add" | "remove") {
        return tag.to_owned();
    }
    // Collections without a key: what they hold is their name.
    let mut all: Vec<String> = node
        .attributes()
        .filter(|attribute| attribute.name() != "value")
        .filter(|attribute| !is_secret(attribute.name()) && !holds_secret(attribute.value()))
        .map(|attribute| format!("{}={}", attribute.name(), attribute.value()))
        .collect();
    all.sort();
    format!("{tag}[{}]", all.join(","))
}

/// The element's name in a step.
pub(super) fn tag(step: &str) -> &str {
    step.split(['[', '#']).next().unwrap_or(step)
}

/// True for the attributes that name an element.
pub(super) fn is_identity(attribute: &str) -> bool {
    matches!(attribute, "key" | "name" | "path")
}

/// An element's own text without the space around it.
pub(super) fn text(node: Node<'_, '_>) -> String {
    text_of(node).trim().to_owned()
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
