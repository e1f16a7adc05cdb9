//! Whole elements that the administrator added, and where in the new file they belong.

use crate::webconfig::{
    merge::{
        comments,
        draft::Draft,
        placement::{Around, takes_back},
        scene::{Scene, Triple},
    },
    schema::{collections, validation, wrapper},
    text::{
        document::Splice,
        edit::{self, Line},
        encoding::reference,
        node::{self, children, elements},
    },
};
use roxmltree::Node;
use std::ops::Range;

pub(crate) const LEANING: &str = "it leans on a namespace or on characters that the new file has not; add it by hand";

/// Inserts an element of the old file into the new one, without the parts in it that are `own` to the new version:
/// in the place of what was removed from there, behind what it stands behind, or before what it stands before. The
/// error says why that cannot be done.
pub(crate) fn insert<'t>(
    scene: &Scene<'t>,
    draft: &mut Draft<'t>,
    (parent, element): (Triple<'t>, Triple<'t>),
    around: Around<'_, 't>,
    own: &[Node<'t, 't>],
) -> Result<(), &'static str> {
    let into = scene.sources.new;
    let Some(place) = parent.new else {
        return Err("the new file has no place for it; add it by hand if it is still wanted");
    };
    let Some(element) = element.old.filter(|_| element.is_unique) else {
        return Err("it cannot be told where in the new file this belongs; add it by hand");
    };
    let is_other = |node: Node<'_, '_>| elements(node).any(|child| !own.contains(&child));
    if own.contains(&element) || (!own.is_empty() && !is_other(element) && element.attributes().len() == 0) {
        return Err("this belongs to the new version and is never copied");
    }
    let is_section = place.parent_element().is_none_or(|root| root.parent_element().is_none());
    if is_section && is_declared(parent.old, element) && !is_declared(parent.new, element) {
        return Err("the new file does not declare this section; declare it there and add it by hand");
    }
    let tag = element.tag_name().name();
    let may_be_several = tag == "location" || collections::is_item(tag);
    if collections::holds_sections(place) && !may_be_several && children_called(place, tag).next().is_some() {
        return Err("the new file has this section already, and a second one is refused; merge them by hand");
    }
    if wrapper::is_of_root(element) && validation::is_given_beside(element, place) {
        return Err(
            "it holds a section that the new file has outside of it, and a second one is refused; merge them by hand",
        );
    }
    let without: Vec<Range<usize>> = own.iter().map(|part| edit::lines_of(scene.sources.old, part.range())).collect();
    let is_clear = element.tag_name().name() == "clear" && around.before.iter().all(|sibling| sibling.old.is_none());
    let freed = comments::freed(draft, element, [parent.base, parent.new]);
    if freed.as_ref().is_some_and(|freed| !around.holds(freed.comment())) {
        return Err("the new file has it in a comment at another place; take it out of there by hand");
    }
    // What is taken back here is not what the new file says behind it.
    let taken_back = (tag == "remove").then(|| elements(place).find(|other| takes_back(element, *other))).flatten();
    let is_before = |other: &Node<'_, '_>| around.before.iter().any(|it| it.old.and(it.new) == Some(*other));
    let taken_back = taken_back.filter(|other| !is_before(other));
    // Declarations stay the first child, or nothing of the file counts.
    let is_movable = |node: &Node<'_, '_>| node.tag_name().name() != "configSections";
    let next = match is_clear {
        // It clears what stands before it, and must not clear what the new version has.
        true => elements(place).next(),
        false => taken_back.or(around.vacated).or(around.next.map(|(_, new)| new)),
    };
    let is_first = matches!(tag, "remove" | "clear") && around.previous.is_none();
    let next = next.or_else(|| if is_first { place.children().find(node::is_markup) } else { None });
    let previous = around.previous.filter(|_| taken_back.is_none() && around.vacated.is_none());
    // What the new version takes back must not be what the administrator adds.
    let beside = previous.map(|(_, new)| new).or(next).map(|node| node.range().start);
    let undoing = around.taking.last(element).filter(|node| beside.is_some_and(|beside| node.range().start >= beside));
    let previous = undoing.or_else(|| previous.map(|(old, new)| comments::behind(element, old, new)));
    let neighbour = freed.as_ref().map(comments::Freed::comment);
    let last = || place.children().rfind(Node::is_element);
    let neighbour = neighbour.or(previous).or(next).or_else(last);
    let markup = adapted(scene, element, place, neighbour, &without).ok_or(LEANING)?;
    let comments = comments::of_administrator(scene, draft, element, [parent.base, parent.new]);
    let mut lines: Vec<Line> = comments.before.into_iter().map(|comment| (0, comment)).collect();
    lines.push((0, markup + &comments.behind.map(|comment| format!(" {comment}")).unwrap_or_default()));
    if let Some(freed) = freed {
        draft.splice(freed.splice(into, &lines.into_iter().map(|(_, line)| line).collect::<Vec<_>>()));
        return Ok(());
    }
    match (previous, next.filter(is_movable)) {
        (Some(sibling), _) => draft.splice(edit::insert_behind(into, sibling, &lines)),
        (None, Some(sibling)) => draft.splice(edit::insert_before(into, sibling, &lines)),
        (None, None) => draft.append(place, lines),
    }
    Ok(())
}

fn children_called<'a, 'i>(parent: Node<'a, 'i>, tag: &str) -> impl Iterator<Item = Node<'a, 'i>> {
    elements(parent).filter(move |child| child.tag_name().name() == tag)
}

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
/// line ends, and indented as the neighbour is.
fn adapted(
    scene: &Scene<'_>,
    element: Node<'_, '_>,
    place: Node<'_, '_>,
    neighbour: Option<Node<'_, '_>>,
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
    let wanted = neighbour.and_then(|node| indent(into.text(), node).map(str::to_owned));
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

/// False where what an encoding cannot hold stands in a name, in a comment or in CDATA, which know no references.
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

/// Whether a file declares this section itself. What it does not declare, the machine does.
fn is_declared(place: Option<Node<'_, '_>>, section: Node<'_, '_>) -> bool {
    let Some(place) = place else { return false };
    let mut around = place.ancestors().filter(Node::is_element).map(|node| node.tag_name().name()).collect::<Vec<_>>();
    around.pop();
    around.reverse();
    let Some(root) = place.ancestors().filter(Node::is_element).last() else { return false };
    let mut declarations: Vec<_> = children(root, "configSections").collect();
    for group in around {
        let named = |node: &Node<'_, '_>| node.attribute("name") == Some(group);
        declarations = declarations.into_iter().flat_map(elements).filter(named).collect();
    }
    let name = Some(section.tag_name().name());
    declarations.into_iter().flat_map(elements).any(|declared| declared.attribute("name") == name)
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
