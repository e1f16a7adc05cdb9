//! The three files of a merge side by side.

use crate::webconfig::Document;
use crate::webconfig::merge::Rules;
use crate::webconfig::merge::by_hand::ByHand;
use roxmltree::Node;

/// The same element in the old file, the file as shipped and the new file.
#[derive(Clone, Copy)]
pub(crate) struct Triple<'t> {
    pub(crate) old: Option<Node<'t, 't>>,
    pub(crate) base: Option<Node<'t, 't>>,
    pub(crate) new: Option<Node<'t, 't>>,
    /// It is beyond doubt that these are the same.
    pub(crate) is_unique: bool,
}

impl<'t> Triple<'t> {
    pub(crate) fn all(self) -> [Option<Node<'t, 't>>; 3] {
        [self.old, self.base, self.new]
    }
}

/// The files of a merge. The result is `new` with splices.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The administrator's file.
    pub old: &'a Document,
    /// The administrator's file as it was shipped: what differs from it is the administrator's.
    pub base: Option<&'a Document>,
    /// The file of the new version.
    pub new: &'a Document,
}

/// The three files side by side.
pub(crate) struct Scene<'t> {
    pub(crate) sources: &'t Sources<'t>,
    pub(crate) rules: &'t Rules,
    pub(crate) by_hand: &'t ByHand,
    pub(crate) old: Node<'t, 't>,
    pub(crate) base: Option<Node<'t, 't>>,
    pub(crate) new: Node<'t, 't>,
}

impl<'t> Scene<'t> {
    /// The outermost element.
    pub(crate) fn root(&self) -> Triple<'t> {
        Triple { old: Some(self.old), base: self.base, new: Some(self.new), is_unique: true }
    }
}
