//! Elements of several files that mean the same: matched by name and by what names them in their parent.

use super::document::{elements, text_of};
use crate::secret::{holds_secret, is_secret};
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
/// and whether those that both have stand in another order. Elements called `skip` are left out.
pub(super) fn children<'t>(parent: Triple<'t>, skip: Option<&str>) -> (Vec<(String, Triple<'t>)>, bool) {
    let (old_order, old) = steps(parent.old, skip);
    let (base_order, base) = steps(parent.base, skip);
    let (_, new) = steps(parent.new, skip);
    let is_common = |step: &&String| old.contains_key(*step) && base.contains_key(*step);
    let is_reordered = old_order.iter().filter(is_common).ne(base_order.iter().filter(is_common));
    let gone = base_order.into_iter().filter(|step| !old.contains_key(step));
    let triple = |step: String| {
        let [old, base, new] = [&old, &base, &new].map(|steps| steps.get(&step).copied());
        let is_unique = parent.is_unique && [old, base, new].iter().flatten().all(|(_, is_unique)| *is_unique);
        let node = |found: Option<(Node<'t, 't>, bool)>| found.map(|(node, _)| node);
        (step, Triple { old: node(old), base: node(base), new: node(new), is_unique })
    };
    (old_order.into_iter().chain(gone).map(triple).collect(), is_reordered)
}

fn steps<'t>(parent: Option<Node<'t, 't>>, skip: Option<&str>) -> (Vec<String>, Steps<'t>) {
    let mut repeated: HashMap<String, usize> = HashMap::new();
    let (mut order, mut steps) = (Vec::new(), Steps::new());
    for node in parent.into_iter().flat_map(elements).filter(|node| Some(node.tag_name().name()) != skip) {
        let mut step = step(node);
        let mut is_unique = true;
        if let Some((_, first)) = steps.get_mut(&step) {
            *first = false;
            is_unique = false;
            // The second and later ones of the same name are told apart by their place only.
            let count = repeated.entry(step.clone()).or_insert(1);
            *count += 1;
            step = format!("{step}#{count}");
        }
        order.push(step.clone());
        steps.insert(step, (node, is_unique));
    }
    (order, steps)
}

/// `name`, or `name[what names it]`.
pub(super) fn step(node: Node<'_, '_>) -> String {
    let tag = node.tag_name().name();
    let named = ["key", "name"].iter().find_map(|name| node.attribute(*name));
    let own = [("location", "path"), ("mimeMap", "fileExtension"), ("error", "statusCode")];
    let own = own.iter().find(|(element, _)| *element == tag);
    let named = named.or_else(|| node.attribute(own?.1));
    if let Some(named) = named {
        return format!("{tag}[{named}]");
    }
    if !matches!(tag, "add" | "remove" | "allow" | "deny") {
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
    matches!(attribute, "key" | "name" | "path" | "fileExtension" | "statusCode")
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
