//! Whole elements that the administrator added, and where in the new file they belong.

use super::{
    Document,
    document::{children, elements},
    edit,
    merge::Draft,
    pairs::Triple,
};
use roxmltree::Node;

/// Inserts an element of the old file into the new one: behind what it stands behind, or before what it stands before.
/// `around` are its siblings of the old file, the ones before it first, each with its counterparts. The error says why
/// that cannot be done.
pub(super) fn insert<'t>(
    draft: &mut Draft<'t>,
    (from, into): (&Document, &Document),
    (parent, element): (Triple<'t>, Triple<'t>),
    around: (&[Triple<'t>], &[Triple<'t>]),
) -> Result<(), &'static str> {
    let Some(place) = parent.new else {
        return Err("the new file has no place for it; add it by hand if it is still wanted");
    };
    let Some(element) = element.old.filter(|_| element.is_unique) else {
        return Err("it cannot be told where in the new file this belongs; add it by hand");
    };
    let is_section = place.parent_element().is_none();
    if is_section && is_declared(parent.old, element) && !is_declared(parent.new, element) {
        return Err("the new file does not declare this section; declare it there and add it by hand");
    }
    let markup = &from.text()[element.range()];
    if uses_prefix(element) || !markup.chars().all(|c| into.encoding().holds(c)) {
        return Err("it leans on a namespace or on characters that the new file has not; add it by hand");
    }
    let line = markup.replace("\r\n", "\n").replace('\n', into.line_end());
    let counterpart = |triple: &Triple<'t>| triple.old.and(triple.new);
    let (before, behind) = around;
    if let Some(sibling) = before.iter().rev().find_map(counterpart) {
        draft.splice(edit::insert_behind(into, sibling, &[(0, line)]));
        return Ok(());
    }
    // Declarations stay the first child, or nothing of the file counts.
    let is_movable = |node: &Node<'_, '_>| node.tag_name().name() != "configSections";
    match behind.iter().find_map(counterpart).filter(is_movable) {
        Some(sibling) => draft.splice(edit::insert_before(into, sibling, &line)),
        None => draft.append(place, [(0, line)]),
    }
    Ok(())
}

/// Whether a file declares this section itself. What it does not declare, the machine does.
fn is_declared(root: Option<Node<'_, '_>>, section: Node<'_, '_>) -> bool {
    let declarations = root.into_iter().flat_map(|root| children(root, "configSections"));
    let name = section.tag_name().name();
    declarations.flat_map(elements).any(|declared| declared.attribute("name") == Some(name))
}

/// Whether an element, or anything in it, has a namespace of its own.
fn uses_prefix(element: Node<'_, '_>) -> bool {
    let usual = element.document().root_element().tag_name().namespace();
    element.descendants().filter(Node::is_element).any(|node| {
        node.tag_name().namespace() != usual || node.attributes().any(|attribute| attribute.namespace().is_some())
    })
}
