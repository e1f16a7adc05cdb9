//! Comments that stand beside an element and speak of it: those that the administrator wrote go where it goes.

use super::{
    Document,
    document::Splice,
    edit::layout,
    merge::{Draft, Scene},
};
use roxmltree::Node;
use std::{collections::HashSet, ops::Range};

/// The comments that speak of an element.
struct Beside<'a, 'input> {
    /// Directly before it, the first one first.
    before: Vec<Node<'a, 'input>>,
    /// Behind it, at the end of its line.
    behind: Option<Node<'a, 'input>>,
}

impl<'a, 'input: 'a> Beside<'a, 'input> {
    fn of(node: Node<'a, 'input>) -> Self {
        let (mut before, mut at) = (Vec::new(), node);
        while let Some(comment) = neighbour(at, |node| node.prev_sibling())
            && !ends_line(comment)
        {
            before.push(comment);
            at = comment;
        }
        before.reverse();
        Self { before, behind: neighbour(node, |node| node.next_sibling()).filter(|comment| ends_line(*comment)) }
    }
}

/// The comment next to a node, with at most one line end between.
fn neighbour<'a, 'input: 'a>(
    node: Node<'a, 'input>,
    next: impl Fn(Node<'a, 'input>) -> Option<Node<'a, 'input>>,
) -> Option<Node<'a, 'input>> {
    let beside = next(node)?;
    let is_gap = is_blank(beside) && beside.text().is_some_and(|text| text.matches('\n').count() <= 1);
    let comment = if is_gap { next(beside)? } else { beside };
    Some(comment).filter(Node::is_comment)
}

fn is_blank(node: Node<'_, '_>) -> bool {
    node.is_text() && node.text().is_some_and(|text| text.trim().is_empty())
}

/// Whether a comment is the last on a line on which an element stands before it.
fn ends_line(comment: Node<'_, '_>) -> bool {
    let is_line_end = |node: Node<'_, '_>| is_blank(node) && node.text().is_some_and(|text| text.contains('\n'));
    let before = match comment.prev_sibling() {
        Some(gap) if is_line_end(gap) => None,
        Some(gap) if is_blank(gap) => gap.prev_sibling(),
        other => other,
    };
    before.is_some_and(|node| node.is_element()) && comment.next_sibling().is_none_or(is_line_end)
}

/// Where an element lies together with the comments beside it.
pub(super) fn extent(node: Node<'_, '_>) -> Range<usize> {
    let range = node.range();
    if !node.is_element() {
        return range;
    }
    let Beside { before, behind } = Beside::of(node);
    let start = before.first().map_or(range.start, |first| first.range().start);
    start..behind.map_or(range.end, |behind| behind.range().end)
}

/// What an element reaches to behind it: its end, or that of a comment on its line.
pub(super) fn end(node: Node<'_, '_>) -> usize {
    extent(node).end
}

/// What a comment says, however it is laid out.
fn said(comment: Node<'_, '_>) -> String {
    comment.text().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the comments among an element's children say.
pub(super) fn all_in(parent: Node<'_, '_>) -> HashSet<String> {
    parent.children().filter(Node::is_comment).map(said).collect()
}

/// Comments as they will be written.
#[derive(Default)]
pub(super) struct Written {
    pub(super) before: Vec<String>,
    pub(super) behind: Option<String>,
}

/// The comments beside an element of the old file that neither the file as shipped nor the new one has among the
/// children of these parents.
pub(super) fn of_administrator<'t>(
    scene: &Scene<'t>,
    draft: &mut Draft<'t>,
    old: Node<'t, 't>,
    parents: [Option<Node<'t, 't>>; 2],
) -> Written {
    let beside = Beside::of(old);
    let all = beside.before.iter().chain(&beside.behind);
    if all.clone().next().is_none() {
        return Written::default();
    }
    let (from, into) = (scene.sources.old, scene.sources.new);
    let [base, new] = parents;
    let mut own: HashSet<Range<usize>> = HashSet::new();
    for comment in all {
        let text = said(*comment);
        let mut is_there = |file, parent| draft.has_comment(file, parent, &text);
        let is_known = base.is_some_and(|base| is_there(0, base)) || new.is_some_and(|new| is_there(1, new));
        // A comment has no references for what an encoding cannot hold.
        if !is_known && from.text()[comment.range()].chars().all(|c| into.encoding().holds(c)) {
            own.insert(comment.range());
        }
    }
    let written = |comment: &Node<'_, '_>| {
        own.contains(&comment.range()).then(|| into.with_own_line_ends(&from.text()[comment.range()]))
    };
    Written {
        before: beside.before.iter().filter_map(written).collect(),
        behind: beside.behind.as_ref().and_then(written),
    }
}

/// Puts the administrator's comments on an element beside its counterpart in the new file.
pub(super) fn carry<'t>(
    scene: &Scene<'t>,
    draft: &mut Draft<'t>,
    old: Node<'t, 't>,
    base: Option<Node<'t, 't>>,
    new: Node<'t, 't>,
) {
    let parent = |node: Node<'t, 't>| node.parent_element();
    let written = of_administrator(scene, draft, old, [base.and_then(parent), parent(new)]);
    let document: &Document = scene.sources.new;
    let at = new.range().start;
    let space = layout(document.text(), at).map(|(line_end, indent)| format!("{line_end}{indent}")).unwrap_or_default();
    for comment in written.before {
        draft.splice(Splice { range: at..at, text: format!("{comment}{space}") });
    }
    if let Some(comment) = written.behind {
        let at = end(new);
        draft.splice(Splice { range: at..at, text: format!(" {comment}") });
    }
}

/// Where an element lies that is taken out: with the comments that the administrator took out with it, which are those
/// that the file as shipped has beside it and the old one has not any more.
pub(super) fn taken_out<'t>(
    draft: &mut Draft<'t>,
    (old_parent, base): (Option<Node<'t, 't>>, Node<'t, 't>),
    new: Node<'t, 't>,
) -> Range<usize> {
    let of_base: HashSet<String> = Beside::of(base).before.into_iter().map(said).collect();
    let Beside { before, behind } = Beside::of(new);
    let mut start = new.range().start;
    for comment in before.into_iter().rev() {
        let text = said(comment);
        if !of_base.contains(&text) || old_parent.is_some_and(|old| draft.has_comment(2, old, &text)) {
            break;
        }
        start = comment.range().start;
    }
    start..behind.map_or(new.range().end, |behind| behind.range().end)
}
