//! Comments that stand beside an element and speak of it.

use crate::webconfig::merge::{Draft, Scene};
use crate::webconfig::text::beside::{Beside, said};
use crate::webconfig::text::{Splice, edit};
use roxmltree::Node;
use std::collections::{HashMap, HashSet};

/// Comments by what they say, in their order.
pub(crate) type Comments<'t> = HashMap<String, Vec<Node<'t, 't>>>;

/// Comments, sorted by what they say.
pub(crate) fn by_text<'t>(comments: impl Iterator<Item = Node<'t, 't>>) -> Comments<'t> {
    let mut all = Comments::new();
    comments.for_each(|comment| all.entry(said(comment)).or_default().push(comment));
    all
}

/// What a node of the old file stands behind in the new one: its `previous` element there, or the last of the comments
/// behind that which stand before the node in the old file, too.
pub(crate) fn behind<'t>(node: Node<'_, '_>, of_old: Node<'_, '_>, previous: Node<'t, 't>) -> Node<'t, 't> {
    // Further off, it is of no importance which comes first.
    const NEAR: usize = 100;
    let is_comment = |node: &Node<'_, '_>| node.is_comment();
    let of_new = || previous.next_siblings().skip(1).take_while(|at| !at.is_element()).filter(is_comment).take(NEAR);
    if of_new().next().is_none() {
        return previous;
    }
    let behind = |at: &Node<'_, '_>| at.range().start > of_old.range().start;
    let of_old = node.prev_siblings().skip(1).take_while(behind).take(NEAR).filter(is_comment).map(said);
    let of_old: HashSet<String> = of_old.collect();
    of_new().filter(|comment| of_old.contains(&said(*comment))).last().unwrap_or(previous)
}

/// Takes an element out, with the comments that the administrator took out with it: the file as shipped has them beside
/// it, and the old one has fewer that say the same.
pub(crate) fn take_out<'t>(
    scene: &Scene<'t>,
    draft: &mut Draft<'t>,
    (old_parent, base): (Option<Node<'t, 't>>, Option<Node<'t, 't>>),
    new: Node<'t, 't>,
) {
    let beside = base.map(Beside::of).into_iter();
    let of_base: HashSet<String> = beside.flat_map(|it| it.before.into_iter().chain(it.behind)).map(said).collect();
    let parents = old_parent.zip(base.and_then(|base| base.parent_element()));
    let mut goes = |comment: &Node<'t, 't>| {
        let text = said(*comment);
        let goes = of_base.contains(&text) && parents.is_none_or(|parents| draft.gone(parents, &text) > 0);
        goes && draft.take(*comment)
    };
    let Beside { before, behind } = Beside::of(new);
    let first = before.into_iter().rev().take_while(&mut goes).last();
    let start = first.unwrap_or(new).range().start;
    let splice = match behind {
        Some(behind) if goes(&behind) => edit::take_out(scene.sources.new, start..behind.range().end),
        // It has the line for itself.
        Some(behind) => Splice { range: start..behind.range().start, text: String::new() },
        None => edit::take_out(scene.sources.new, start..new.range().end),
    };
    draft.take(new);
    draft.splice(splice);
}

/// A comment has no references for what an encoding cannot hold.
pub(crate) fn is_writable(scene: &Scene<'_>, comment: Node<'_, '_>) -> bool {
    let encoding = scene.sources.new.encoding();
    scene.sources.old.text()[comment.range()].chars().all(|c| encoding.holds(c))
}
