//! Whole elements that the administrator added, and where in the new file they belong.

use crate::webconfig::merge::placement::Around;
use crate::webconfig::merge::reasons::LEANING;
use crate::webconfig::merge::{Draft, Scene, Triple, comments, transplant};
use crate::webconfig::schema::collections;
use crate::webconfig::text::{edit, elements, node};
use roxmltree::Node;
use std::ops::Range;

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
        return Err("the new file has no place for it; add it manually if you still need it");
    };
    let Some(element) = element.old.filter(|_| element.is_unique) else {
        return Err("its position in the new file is unclear; add it manually");
    };
    let is_other = |node: Node<'_, '_>| elements(node).any(|child| !own.contains(&child));
    if own.contains(&element) || (!own.is_empty() && !is_other(element) && element.attributes().len() == 0) {
        return Err("this belongs to the new version and is never migrated");
    }
    let is_section = place.parent_element().is_none_or(|root| root.parent_element().is_none());
    let tag = element.tag_name().name();
    if is_section && around.siblings.is_undeclared(tag, scene.rules) {
        return Err("the new file does not declare this section; declare it there and add it manually");
    }
    let may_be_several = tag == "location" || collections::is_item(tag);
    if collections::holds_sections(place) && !may_be_several && around.siblings.has(tag) {
        return Err("the new file already has this section, and ASP.NET allows only one; merge them manually");
    }
    if around.siblings.is_given(element) {
        return Err(
            "it holds a section that the new file has outside it, and ASP.NET allows only one; merge them manually",
        );
    }
    let without: Vec<Range<usize>> = own.iter().map(|part| edit::lines_of(scene.sources.old, part.range())).collect();
    // What is taken back here is not what the new file says behind it.
    let taken_back = if tag == "remove" { around.taken_back(element) } else { None };
    // Declarations stay the first child, or nothing of the file counts.
    let is_movable = |node: &Node<'_, '_>| node.tag_name().name() != "configSections";
    let next = match tag == "clear" && around.is_first() {
        // It clears what stands before it, and must not clear what the new version has.
        true => elements(place).next(),
        false => taken_back.or(around.vacated).or(around.next.map(|(_, new)| new)),
    };
    let is_first = matches!(tag, "remove" | "clear") && around.previous.is_none();
    let next = next.or_else(|| if is_first { place.children().find(node::is_markup) } else { None });
    let previous = around.previous.filter(|_| taken_back.is_none() && around.vacated.is_none());
    // What the new version takes back must not be what the administrator adds.
    let beside = previous.map(|(_, new)| new).or(next).map(|node| node.range().start);
    let undoing =
        around.siblings.taking.last(element).filter(|node| beside.is_some_and(|beside| node.range().start >= beside));
    let previous = undoing.or_else(|| previous.map(|(old, new)| comments::behind(element, old, new)));
    let last = || place.children().rfind(Node::is_element);
    let neighbor = previous.or(next).or_else(last);
    let markup = transplant::adapted(scene, element, place, neighbor, &without).ok_or(LEANING)?;
    let lines = [(0, markup)];
    match (previous, next.filter(is_movable)) {
        (Some(sibling), _) => draft.splice(edit::insert_behind(into, sibling, &lines)),
        (None, Some(sibling)) => draft.splice(edit::insert_before(into, sibling, &lines)),
        (None, None) => draft.append(place, lines),
    }
    Ok(())
}
