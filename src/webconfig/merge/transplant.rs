//! Markup of the old file as it is written into the new one: its line ends, its indentation, its encoding.

use crate::webconfig::merge::Scene;
use crate::webconfig::text::encoding::reference;
use crate::webconfig::text::{Splice, edit, elements, node};
use roxmltree::Node;
use std::ops::Range;

/// All that an element of the old file holds, in the place of what its counterpart holds.
pub(crate) fn content(scene: &Scene<'_>, old: Node<'_, '_>, new: Node<'_, '_>) -> Option<Splice> {
    if !is_portable(scene, old, new) {
        return None;
    }
    let text = scene.sources.old.text();
    let content = edit::content_of(scene.sources.old, old).map_or("", |range| &text[range]);
    Some(edit::set_content(scene.sources.new, new, &written(scene, content)))
}

/// An element of the old file in the place of its counterpart.
pub(crate) fn replacement(scene: &Scene<'_>, old: Node<'_, '_>, new: Node<'_, '_>) -> Option<Splice> {
    let place = new.parent_element()?;
    let text = adapted(scene, old, place, Some(new), &[])?;
    Some(Splice { range: new.range(), text })
}

/// The markup of an element of the old file as it is written behind the last child of `place`.
pub(crate) fn copied(scene: &Scene<'_>, element: Node<'_, '_>, place: Node<'_, '_>) -> Option<String> {
    adapted(scene, element, place, place.children().rfind(Node::is_element), &[])
}

/// The markup of an element of the old file as it is written into the new one, `without` some ranges: with that one's
/// line ends, and indented as the neighbor is.
pub(crate) fn adapted(
    scene: &Scene<'_>,
    element: Node<'_, '_>,
    place: Node<'_, '_>,
    neighbor: Option<Node<'_, '_>>,
    without: &[Range<usize>],
) -> Option<String> {
    let (from, into) = (scene.sources.old, scene.sources.new);
    if !is_portable(scene, element, place) {
        return None;
    }
    let indent = |document, node: Node<'_, '_>| node::layout(document, node.range().start).map(|(_, indent)| indent);
    let old_unit = edit::unit_of(from, place_of(element));
    let new_unit = edit::unit_of(into, place);
    let outer = indent(from.text(), element).unwrap_or_default();
    let wanted = neighbor.and_then(|node| indent(into.text(), node).map(str::to_owned));
    let wanted = wanted.or_else(|| Some(format!("{}{new_unit}", indent(into.text(), place)?))).unwrap_or_default();
    let mut markup = String::new();
    let mut at = element.range().start;
    let push = |markup: &mut String, range: Range<usize>| {
        let mut at = range.start;
        for cut in without.iter().filter(|cut| range.start <= cut.start && cut.end <= range.end) {
            markup.push_str(&from.text()[at..cut.start]);
            at = cut.end;
        }
        markup.push_str(&from.text()[at..range.end]);
    };
    for space in element.descendants().filter(|node| is_indentation(*node)) {
        let range = space.range();
        let line = from.text()[range.clone()].rfind('\n').map_or(range.end, |at| range.start + at + 1);
        // A part that is left out takes its indentation with it.
        if without.iter().any(|cut| cut.contains(&range.start) || cut.contains(&line)) {
            continue;
        }
        let Some(mut inner) = from.text()[line..range.end].strip_prefix(outer) else { continue };
        push(&mut markup, at..line);
        markup.push_str(&wanted);
        while let Some(rest) = inner.strip_prefix(old_unit).filter(|_| !old_unit.is_empty()) {
            markup.push_str(new_unit);
            inner = rest;
        }
        markup.push_str(inner);
        at = range.end;
    }
    push(&mut markup, at..element.range().end);
    Some(written(scene, &markup))
}

/// Markup with the line ends of the new file, and with references for what its encoding cannot hold.
fn written(scene: &Scene<'_>, markup: &str) -> String {
    let into = scene.sources.new;
    let markup = into.with_own_line_ends(markup);
    if markup.chars().all(|c| into.encoding().holds(c)) {
        return markup;
    }
    let one = |c: char| if into.encoding().holds(c) { c.to_string() } else { reference(c) };
    markup.chars().map(one).collect()
}

/// Whether the new file can hold an element. Names, comments and CDATA have no references for other characters.
fn is_writable(scene: &Scene<'_>, element: Node<'_, '_>) -> bool {
    let (from, encoding) = (scene.sources.old, scene.sources.new.encoding());
    let holds = |text: &str| text.chars().all(|c| encoding.holds(c));
    holds(&from.text()[element.range()])
        || element.descendants().all(|node| {
            let markup = &from.text()[node.range()];
            let is_free = node.is_text() && !markup.contains("<![CDATA[");
            let names = |node: Node<'_, '_>| {
                holds(node.tag_name().name()) && node.attributes().all(|it| holds(&from.text()[it.range_qname()]))
            };
            is_free || if node.is_element() { names(node) } else { holds(markup) }
        })
}

fn place_of<'a, 'input>(element: Node<'a, 'input>) -> Node<'a, 'input> {
    element.parent_element().unwrap_or(element)
}

/// Space between elements, which may be laid out anew; the space in a value may not.
fn is_indentation(node: Node<'_, '_>) -> bool {
    let is_blank = |node: Node<'_, '_>| node.text().is_none_or(|text| text.trim().is_empty());
    let is_between = |parent: Node<'_, '_>| {
        elements(parent).next().is_some() && parent.children().filter(Node::is_text).all(is_blank)
    };
    node.is_text() && is_blank(node) && node.parent().is_some_and(is_between)
}

/// Whether an element's markup means the same below `place`, and can be written there.
fn is_portable(scene: &Scene<'_>, element: Node<'_, '_>, place: Node<'_, '_>) -> bool {
    let markup = &scene.sources.old.text()[element.range()];
    let parent = place_of(element);
    let usual = |node: Node<'_, '_>| node.document().root_element().tag_name().namespace().map(str::to_owned);
    let is_prefix_known = |prefix: &str, uri: &str| place.lookup_namespace_uri(Some(prefix)) == Some(uri);
    let mut prefixes = parent.namespaces().filter_map(|space| space.name().map(|prefix| (prefix, space.uri())));
    let has_default = |node: Node<'_, '_>| node.lookup_namespace_uri(None).map(str::to_owned);
    let is_usual = |node| has_default(node) == usual(node);
    prefixes
        .all(|(prefix, uri)| prefix == "xml" || !markup.contains(&format!("{prefix}:")) || is_prefix_known(prefix, uri))
        && (has_default(parent) == has_default(place) || (is_usual(parent) && is_usual(place)))
        && is_writable(scene, element)
}
