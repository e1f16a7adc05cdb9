//! Comments that the administrator wrote, changed or took away and that go with no element: differences like others.

use crate::webconfig::Shown;
use crate::webconfig::merge::reasons::{DOUBT, NO_PLACE};
use crate::webconfig::merge::walk::Walk;
use crate::webconfig::merge::{Change, Fate, File, Triple, comments, decide, matching, refused, reported};
use crate::webconfig::redact::mask;
use crate::webconfig::text::beside::{said, squeezed};
use crate::webconfig::text::{Splice, beside, edit, is_markup, layout, markup};
use roxmltree::{Node, NodeId};
use std::{
    cell::LazyCell,
    collections::{HashMap, HashSet},
};

const LIVE: &str = "the new file still has what it takes out; decide on that first";
const UNWRITABLE: &str = "it has characters that the encoding of the new file does not support";

/// What stands in the new file for what is around the comments of the old one.
#[derive(Default)]
struct Counterparts<'t> {
    elements: HashMap<NodeId, Node<'t, 't>>,
    /// By comments of the old file: the next element or comment behind it that the new file has.
    behind: HashMap<NodeId, Node<'t, 't>>,
    /// The last element before it that the new file has, there and here.
    before: HashMap<NodeId, (Node<'t, 't>, Node<'t, 't>)>,
}

impl<'t> Counterparts<'t> {
    fn of(parent: Triple<'t>, of_new: impl Iterator<Item = Node<'t, 't>>) -> Self {
        let triples = matching::children(parent, &[]).triples;
        let elements = triples.into_iter().filter_map(|child| Some((child.old?.id(), child.new?))).collect();
        let mut own = Self { elements, ..Self::default() };
        let comments: HashMap<String, Node<'t, 't>> = of_new.map(|node| (said(node), node)).collect();
        let Some(old) = parent.old else { return own };
        let mut previous = None;
        for node in old.children().filter(is_markup) {
            match own.elements.get(&node.id()) {
                Some(new) => previous = Some((node, *new)),
                None => own.before.extend(previous.map(|previous| (node.id(), previous))),
            }
        }
        let mut next = None;
        for node in old.children().rev().filter(is_markup) {
            own.behind.extend(next.map(|next| (node.id(), next)));
            let new = if node.is_comment() { comments.get(&said(node)) } else { own.elements.get(&node.id()) };
            next = new.copied().or(next);
        }
        own
    }
}

impl<'t> Walk<'_, 't> {
    /// Accounts for the comments among the children of an element.
    pub(crate) fn notes(&mut self, parent: Triple<'t>) {
        match (parent.old, parent.base, parent.new) {
            (Some(old), base, Some(new)) => {
                self.added_notes(parent, old, new);
                if let Some(base) = base {
                    self.removed_notes(parent, [old, base, new]);
                }
            }
            (Some(old), Some(base), None) => self.notes_without_place(old, base),
            _ => {}
        }
    }

    fn added_notes(&mut self, parent: Triple<'t>, old: Node<'t, 't>, new: Node<'t, 't>) {
        let mut counterparts = None;
        let spoken_of = LazyCell::new(|| beside::spoken_of(old));
        let live = LazyCell::new(|| removed_markup(parent));
        for comment in self.added_comments(old, parent.base) {
            let text = said(comment);
            let is_there = self.draft.keeps_comment(new, &text);
            // What both sides added alike is told with the element.
            if is_there && parent.base.is_none() {
                continue;
            }
            let element = spoken_of.get(&comment.id());
            let is_added = element.and_then(|element| self.draft.is_added(*element));
            let is_live = || live.get(&text).is_some_and(|element| !self.draft.is_taken(*element));
            let guard = || match self.hands_off() {
                Some(fate) => Some(left(fate)),
                None if !parent.is_unique => Some(reported(DOUBT)),
                None if is_added == Some(false) => Some(left(reported(NO_PLACE))),
                None if is_live() => Some(left(reported(LIVE))),
                None => refused(&[(!comments::is_writable(self.scene, comment), UNWRITABLE)]),
            };
            let fate = decide([Some(()), None, is_there.then_some(())], guard, || Fate::Added);
            // What speaks of a new element comes beside it as soon as that is there.
            if fate.carries() && is_added.is_none() {
                let of_new = || beside::comments_in(new);
                let counterparts = counterparts.get_or_insert_with(|| Counterparts::of(parent, of_new()));
                self.write_note(comment, new, counterparts, element.is_some());
            }
            self.tell_note(Some(comment), None, fate);
        }
    }

    fn removed_notes(&mut self, parent: Triple<'t>, [old, base, new]: [Node<'t, 't>; 3]) {
        let mut told = HashSet::new();
        for comment in beside::comments_in(base) {
            let text = said(comment);
            let gone = self.draft.gone((old, base), &text);
            if gone == 0 || !told.insert(text.clone()) {
                continue;
            }
            let there = self.draft.comments_by_text(File::New, new).get(&text).cloned().unwrap_or_default();
            let free: Vec<_> = there.iter().copied().filter(|node| !self.draft.is_taken(*node)).collect();
            if there.len() - free.len() >= gone {
                // Told with the element that they speak of.
                continue;
            }
            let left_of_old = self.draft.comments_by_text(File::Old, old).get(&text).map_or(0, Vec::len);
            let is_there_still = free.len() > left_of_old;
            // Nothing tells which of several that say the same have gone.
            let is_doubtful = !parent.is_unique || left_of_old > 0;
            let guard = || self.hands_off().map(left).or_else(|| refused(&[(is_doubtful, DOUBT)]));
            let fate = decide([None, Some(()), is_there_still.then_some(())], guard, || Fate::Removed);
            if fate.carries() {
                free.iter().for_each(|node| self.draft.splice(taken_out(*node)));
            }
            self.tell_note(None, free.first().copied(), fate);
        }
    }

    fn notes_without_place(&mut self, old: Node<'t, 't>, base: Node<'t, 't>) {
        for comment in self.added_comments(old, Some(base)) {
            self.tell_note(Some(comment), None, left(reported(NO_PLACE)));
        }
    }

    /// The comments of the old file that the file as shipped has not.
    fn added_comments(&mut self, old: Node<'t, 't>, base: Option<Node<'t, 't>>) -> Vec<Node<'t, 't>> {
        let comments = beside::comments_in(old);
        let mut is_in = |text: &str| base.is_some_and(|base| self.draft.has_comment(File::Base, base, text));
        comments.filter(|comment| !is_in(&said(*comment))).collect()
    }

    fn tell_note(&mut self, old: Option<Node<'t, 't>>, new: Option<Node<'t, 't>>, fate: Fate) {
        let path = if self.path.is_empty() { self.draft.path("comment()".to_owned()) } else { self.here("/comment()") };
        let shown = |node: Option<Node<'t, 't>>| node.map_or(Shown::Absent, mask::shown_comment);
        let (old, new) = (shown(old), shown(new));
        let new = if fate == Fate::AlreadySo { old.clone() } else { new };
        self.draft.change(Change::of(path, old, new, fate));
    }

    /// Puts a comment where it stands among what the new file has of the old one, which may be beside an element.
    fn write_note(
        &mut self,
        comment: Node<'t, 't>,
        parent: Node<'t, 't>,
        counterparts: &Counterparts<'t>,
        is_beside: bool,
    ) {
        let document = self.scene.sources.new;
        let text = document.with_own_line_ends(&self.scene.sources.old.text()[comment.range()]);
        let before = || comment.prev_siblings().skip(1).find(is_markup);
        let behind = counterparts.behind.get(&comment.id()).copied();
        if beside::ends_line(comment)
            && let Some(element) = before().and_then(|node| counterparts.elements.get(&node.id()))
        {
            let at = beside::end(*element);
            return self.draft.splice(Splice { range: at..at, text: format!(" {text}") });
        }
        let next = behind.filter(|_| is_beside);
        match (next, counterparts.before.get(&comment.id())) {
            (None, Some((old, previous))) => {
                let previous = comments::behind(comment, *old, *previous);
                self.draft.splice(edit::insert_behind(document, previous, &[(0, text)]));
            }
            (next, _) => match next.or(behind) {
                Some(next) => {
                    let at = next.range().start;
                    let space = match layout(document.text(), at) {
                        Some((line_end, indent)) => format!("{line_end}{indent}"),
                        None if next.parent_element().is_none() => document.line_end().to_owned(),
                        None => String::new(),
                    };
                    self.draft.splice(Splice { range: at..at, text: text + &space });
                }
                None => self.draft.append(parent, [(0, text)]),
            },
        }
    }
}

/// The elements that the administrator removed and the new file has, by what was shipped.
fn removed_markup<'t>(parent: Triple<'t>) -> HashMap<String, Node<'t, 't>> {
    let removed = |child: Triple<'t>| Some((squeezed(markup(child.base?)), child.new.filter(|_| child.old.is_none())?));
    matching::children(parent, &[]).triples.into_iter().filter_map(removed).collect()
}

/// A comment that is not carried means no work for anybody: what it speaks of is not there, or is told of itself.
fn left(fate: Fate) -> Fate {
    match fate {
        Fate::Reported { why } => Fate::Superseded { why },
        fate => fate,
    }
}

/// A comment and the space around it that goes with it: its line, where it has one.
fn taken_out(comment: Node<'_, '_>) -> Splice {
    let text = comment.document().input_text();
    let range = comment.range();
    let next = comment.next_siblings().skip(1).find(is_markup).map_or(range.end, |next| next.range().start);
    let is_last = next == range.end && comment.next_sibling().is_none_or(|next| next.is_text());
    let ends_line = is_last || text[range.end..next].contains('\n');
    let range = match layout(text, range.start) {
        Some((line_end, indent)) if ends_line => range.start - line_end.len() - indent.len()..range.end,
        // Something else begins where it began.
        Some(_) => range.start..next,
        None => match text[..range.start].trim_end_matches([' ', '\t']).len() {
            0 => range.start..next,
            before => before..range.end,
        },
    };
    Splice { range, text: String::new() }
}
