//! What is going to be done to the new file, as far as the merge has come, and the account of it.

use crate::webconfig::Document;
use crate::webconfig::merge::by_hand::Place;
use crate::webconfig::merge::comments::Comments;
use crate::webconfig::merge::{Change, comments};
use crate::webconfig::text::edit::Line;
use crate::webconfig::text::{Splice, beside, edit};
use roxmltree::{Node, NodeId};
use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

/// What is to be done, and the account of it.
pub(crate) struct Plan {
    pub(crate) splices: Vec<Splice>,
    /// Elements of one parent that change places, when all splices are done.
    pub(crate) moves: Vec<(Range<usize>, Range<usize>)>,
    pub(crate) changes: Vec<Change>,
}

/// One of the files of a merge.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum File {
    Old,
    Base,
    New,
}

/// What is going to be done to the new file.
#[derive(Default)]
pub(crate) struct Draft<'t> {
    splices: Vec<Splice>,
    changes: Vec<Change>,
    appended: Vec<(Node<'t, 't>, Vec<Line>)>,
    appended_to: HashMap<NodeId, usize>,
    claimed: HashSet<NodeId>,
    claimed_names: HashSet<(NodeId, &'t str)>,
    paths: HashMap<String, usize>,
    /// Places, and what comes there instead.
    moves: Vec<(Range<usize>, Range<usize>)>,
    comments: HashMap<(File, NodeId), Comments<'t>>,
    /// The elements that are taken out of the new file, and the comments that go with them.
    taken: HashSet<NodeId>,
    /// The elements that the administrator added, and whether they are carried.
    added: HashMap<NodeId, bool>,
    left_by_hand: HashSet<Place>,
    loosened: HashSet<NodeId>,
}

impl<'t> Draft<'t> {
    pub(crate) fn splice(&mut self, splice: Splice) {
        self.splices.push(splice);
    }

    /// New children of an element. They are collected, for all new children of one element make one splice.
    pub(crate) fn append(&mut self, parent: Node<'t, 't>, lines: impl IntoIterator<Item = Line>) {
        let at = *self.appended_to.entry(parent.id()).or_insert(self.appended.len());
        if at == self.appended.len() {
            self.appended.push((parent, Vec::new()));
        }
        self.appended[at].1.extend(lines);
    }

    /// Gives an element of the new file to a value. Returns whether no other value has it.
    pub(crate) fn claim(&mut self, node: Node<'_, '_>) -> bool {
        self.claimed.insert(node.id())
    }

    /// Gives a section of the new file a new setting. Returns whether it has no other one of this name.
    pub(crate) fn claim_name(&mut self, section: Node<'_, '_>, name: &'t str) -> bool {
        self.claimed_names.insert((section.id(), name))
    }

    /// The path of one more difference: a number is added to one that was given out before.
    pub(crate) fn path(&mut self, path: String) -> String {
        let count = self.paths.entry(path.clone()).and_modify(|count| *count += 1).or_insert(1);
        match *count {
            1 => path,
            count => self.path(format!("{path}~{count}")),
        }
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// What lies in `from` comes to `place`. Both are elements of one parent with the comments beside them, and there
    /// is another such move for each place that something leaves.
    pub(crate) fn moved(&mut self, place: Range<usize>, from: Range<usize>) {
        self.moves.push((place, from));
    }

    /// Whether among the children of `parent` there is a comment that says this.
    pub(crate) fn has_comment(&mut self, file: File, parent: Node<'t, 't>, text: &str) -> bool {
        self.comments_by_text(file, parent).contains_key(text)
    }

    /// Whether a comment that says this stays in an element of the new file: it does not go with what is taken out.
    pub(crate) fn keeps_comment(&mut self, new: Node<'t, 't>, text: &str) -> bool {
        let all = self.comments_by_text(File::New, new).get(text).and_then(|all| all.first()).copied();
        all.is_some_and(|comment| !self.is_taken(comment))
    }

    /// How many comments fewer that say this the old file has in an element than the file as shipped.
    pub(crate) fn gone(&mut self, (old, base): (Node<'t, 't>, Node<'t, 't>), text: &str) -> usize {
        let mut count = |file, parent| self.comments_by_text(file, parent).get(text).map_or(0, Vec::len);
        count(File::Base, base).saturating_sub(count(File::Old, old))
    }

    /// The comments among the children of `parent`, by what they say.
    pub(crate) fn comments_by_text(&mut self, file: File, parent: Node<'t, 't>) -> &Comments<'t> {
        let all = || comments::by_text(beside::comments_in(parent));
        self.comments.entry((file, parent.id())).or_insert_with(all)
    }

    /// Takes an element or a comment out of the new file. Returns whether it was not taken before.
    pub(crate) fn take(&mut self, new: Node<'_, '_>) -> bool {
        self.taken.insert(new.id())
    }

    pub(crate) fn is_taken(&self, new: Node<'_, '_>) -> bool {
        self.taken.contains(&new.id())
    }

    /// Notes whether an element is carried that the administrator added.
    pub(crate) fn add(&mut self, old: Node<'_, '_>, is_carried: bool) {
        self.added.insert(old.id(), is_carried);
    }

    /// Whether an element that the administrator added is carried; `None` for others.
    pub(crate) fn is_added(&self, old: Node<'_, '_>) -> Option<bool> {
        self.added.get(&old.id()).copied()
    }

    /// A place is left to the administrator. Returns whether it was not before.
    pub(crate) fn leave_by_hand(&mut self, place: Place) -> bool {
        self.left_by_hand.insert(place)
    }

    /// A setting of the new file gets a space before its end tag. Returns whether it had none before.
    pub(crate) fn loosen(&mut self, setting: Node<'_, '_>) -> bool {
        self.loosened.insert(setting.id())
    }

    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    pub(crate) fn finish(self, new: &Document) -> Plan {
        let Self { mut splices, changes, appended, moves, .. } = self;
        splices.extend(appended.iter().map(|(parent, lines)| edit::append(new, *parent, lines)));
        Plan { splices: edit::apart(splices), moves, changes }
    }
}
