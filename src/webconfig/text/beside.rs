//! Comments that stand beside an element: which they are, and how far the element reaches with them.

use roxmltree::{Node, NodeId};
use std::{collections::HashMap, ops::Range};

/// So many comments and no more speak of one element.
const MANY: usize = 1000;

/// The comments that speak of an element.
pub(crate) struct Beside<'a, 'input> {
    /// Directly before it, the first one first.
    pub(crate) before: Vec<Node<'a, 'input>>,
    /// Behind it, at the end of its line.
    pub(crate) behind: Option<Node<'a, 'input>>,
}

impl<'a, 'input: 'a> Beside<'a, 'input> {
    pub(crate) fn of(node: Node<'a, 'input>) -> Self {
        let (mut before, mut at) = (Vec::new(), node);
        while let Some(comment) = neighbor(at, |node| node.prev_sibling())
            && !ends_line(comment)
            && before.len() < MANY
        {
            before.push(comment);
            at = comment;
        }
        before.reverse();
        Self { before, behind: neighbor(node, |node| node.next_sibling()).filter(|comment| ends_line(*comment)) }
    }
}

/// The comment next to a node, with at most one line end between.
fn neighbor<'a, 'input: 'a>(
    node: Node<'a, 'input>,
    next: impl Fn(Node<'a, 'input>) -> Option<Node<'a, 'input>>,
) -> Option<Node<'a, 'input>> {
    let beside = next(node)?;
    let is_gap = is_space(beside) && beside.text().is_some_and(|text| text.matches('\n').count() <= 1);
    let comment = if is_gap { next(beside)? } else { beside };
    Some(comment).filter(Node::is_comment)
}

/// Space between elements.
fn is_space(node: Node<'_, '_>) -> bool {
    node.is_text() && node.text().is_some_and(|text| text.trim().is_empty())
}

/// Whether a comment is the last on a line on which an element stands before it.
pub(crate) fn ends_line(comment: Node<'_, '_>) -> bool {
    // Around the outermost element space is no node.
    if let (None, Some(before)) = (comment.parent_element(), comment.prev_sibling()) {
        let gap = &comment.document().input_text()[before.range().end..comment.range().start];
        return before.is_element() && !gap.contains('\n');
    }
    let is_line_end = |node: Node<'_, '_>| is_space(node) && node.text().is_some_and(|text| text.contains('\n'));
    let before = match comment.prev_sibling() {
        Some(gap) if is_line_end(gap) => None,
        Some(gap) if is_space(gap) => gap.prev_sibling(),
        other => other,
    };
    before.is_some_and(|node| node.is_element()) && comment.next_sibling().is_none_or(is_line_end)
}

/// The elements that the comments among the children of `parent` stand beside.
pub(crate) fn spoken_of<'t>(parent: Node<'t, 't>) -> HashMap<NodeId, Node<'t, 't>> {
    let is_gap = |node: Node<'_, '_>| is_space(node) && node.text().is_some_and(|text| text.matches('\n').count() > 1);
    let (mut all, mut next) = (HashMap::new(), None);
    for node in parent.children().rev() {
        match node {
            _ if node.is_element() => next = Some(node),
            _ if is_gap(node) => next = None,
            _ if !node.is_comment() => {}
            _ => {
                let element = if ends_line(node) { node.prev_siblings().find(Node::is_element) } else { next };
                all.extend(element.map(|element| (node.id(), element)));
            }
        }
    }
    all
}

/// Where an element lies together with the comments beside it.
pub(crate) fn extent(node: Node<'_, '_>) -> Range<usize> {
    let range = node.range();
    if !node.is_element() {
        return range;
    }
    let Beside { before, behind } = Beside::of(node);
    let start = before.first().map_or(range.start, |first| first.range().start);
    start..behind.map_or(range.end, |behind| behind.range().end)
}

/// What an element reaches to behind it: its end, or that of a comment on its line.
pub(crate) fn end(node: Node<'_, '_>) -> usize {
    extent(node).end
}

/// What a comment says, however it is laid out.
pub(crate) fn said(comment: Node<'_, '_>) -> String {
    squeezed(comment.text().unwrap_or_default())
}

/// Text with one space where it has any.
pub(crate) fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The comments among the children of an element, in their order.
pub(crate) fn comments_in<'t>(parent: Node<'t, 't>) -> impl Iterator<Item = Node<'t, 't>> {
    parent.children().filter(Node::is_comment)
}
