//! Comments that stand beside an element and speak of it: those that the administrator wrote go where it goes.

use crate::webconfig::merge::{Change, Draft, Fate, File, Scene, Triple, matching, naming};
use crate::webconfig::redact::mask;
use crate::webconfig::text::beside::{Beside, end, ends_line, is_space, neighbor, said};
use crate::webconfig::text::{Splice, edit, elements, is_markup, limits, space_before};
use crate::webconfig::{Document, Shown};
use roxmltree::{Node, NodeId};
use std::{
    cell::LazyCell,
    collections::{HashMap, HashSet},
    ops::Range,
};

/// Comments by what they say, in their order.
pub(crate) type Comments<'t> = HashMap<String, Vec<Node<'t, 't>>>;

/// Comments by the steps, in small letters, of the elements that are commented out in them.
pub(crate) type Held<'t> = HashMap<String, Vec<Node<'t, 't>>>;

/// Comments, sorted by what they say.
pub(crate) fn by_text<'t>(comments: impl Iterator<Item = Node<'t, 't>>) -> Comments<'t> {
    let mut all = Comments::new();
    comments.for_each(|comment| all.entry(said(comment)).or_default().push(comment));
    all
}

/// Comments as they will be written.
#[derive(Default)]
pub(crate) struct Written<'t> {
    pub(crate) before: Vec<String>,
    pub(crate) behind: Option<String>,
    all: Vec<Node<'t, 't>>,
}

/// The comments beside an element of the old file that neither the file as shipped nor the new one has among the
/// children of these parents.
pub(crate) fn of_administrator<'t>(
    scene: &Scene<'t>,
    draft: &mut Draft<'t>,
    old: Node<'t, 't>,
    parents: [Option<Node<'t, 't>>; 2],
) -> Written<'t> {
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
        let is_known =
            base.is_some_and(|base| is_there(File::Base, base)) || new.is_some_and(|new| is_there(File::New, new));
        if !is_known && is_writable(scene, *comment) && draft.bind(File::Old, *comment) {
            own.insert(comment.range());
        }
    }
    let written = |comment: &Node<'_, '_>| {
        own.contains(&comment.range()).then(|| into.with_own_line_ends(&from.text()[comment.range()]))
    };
    Written {
        before: beside.before.iter().filter_map(written).collect(),
        behind: beside.behind.as_ref().and_then(written),
        all: beside.before.into_iter().chain(beside.behind).filter(|node| own.contains(&node.range())).collect(),
    }
}

/// Puts the administrator's comments on an element beside its counterpart in the new file, and tells of them.
pub(crate) fn carry<'t>(
    scene: &Scene<'t>,
    draft: &mut Draft<'t>,
    path: &str,
    [old, base, new]: [Option<Node<'t, 't>>; 3],
) {
    let (Some(old), Some(new)) = (old, new) else { return };
    let parent = |node: Node<'t, 't>| node.parent_element();
    let written = of_administrator(scene, draft, old, [base.and_then(parent), parent(new)]);
    let document: &Document = scene.sources.new;
    let at = new.range().start;
    let space = space_before(document.text(), at);
    for comment in written.before {
        draft.splice(Splice { range: at..at, text: format!("{comment}{space}") });
    }
    if let Some(comment) = written.behind {
        let at = end(new);
        draft.splice(Splice { range: at..at, text: format!(" {comment}") });
    }
    for comment in written.all {
        let path = draft.path(format!("{path}/comment()"));
        draft.change(Change::of(path, mask::shown_comment(comment), Shown::Absent, Fate::Added));
    }
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

/// Takes an element out, or puts into its place the comment into which the administrator has put it. The comments that
/// he took out with it go, too: those that the file as shipped has beside it and the old one has not any more.
pub(crate) fn take_out<'t>(
    scene: &Scene<'t>,
    draft: &mut Draft<'t>,
    (old_parent, base): (Option<Node<'t, 't>>, Node<'t, 't>),
    new: Node<'t, 't>,
    instead: Option<Node<'t, 't>>,
) {
    let of_base = Beside::of(base);
    let of_base: HashMap<String, Node<'t, 't>> =
        of_base.before.into_iter().chain(of_base.behind).map(|comment| (said(comment), comment)).collect();
    let parents = old_parent.zip(base.parent());
    let Beside { before, behind } = Beside::of(new);
    let Range { mut start, mut end } = new.range();
    for comment in before.into_iter().rev() {
        let Some(of_base) = of_base.get(&said(comment)) else { break };
        // It may have made place for something else.
        if parents.is_some_and(|parents| !draft.is_gone(parents, *of_base)) || !draft.bind(File::New, comment) {
            break;
        }
        start = comment.range().start;
    }
    let mut stays = |comment: Node<'t, 't>| {
        parents.is_some_and(|(old, parent)| match of_base.get(&said(comment)) {
            Some(of_base) => !draft.is_gone((old, parent), *of_base),
            None => draft.has_comment(File::Old, old, &said(comment)),
        })
    };
    let staying = behind.filter(|behind| stays(*behind));
    if let Some(behind) = behind.filter(|_| staying.is_none()) {
        draft.bind(File::New, behind);
        end = behind.range().end;
    }
    let text = instead.and_then(|comment| written_for(scene, draft, comment, (base, new)));
    draft.splice(match (text, staying) {
        (Some(text), _) => Splice { range: start..end, text },
        // It has the line for itself.
        (None, Some(behind)) => Splice { range: start..behind.range().start, text: String::new() },
        (None, None) => edit::take_out(scene.sources.new, start..end),
    });
}

/// Takes elements out of the new file, with the comments that went with the one that was shipped. Where the
/// administrator has put that into a comment, so it is in the new file.
pub(crate) fn take_out_all<'t>(
    scene: &Scene<'t>,
    draft: &mut Draft<'t>,
    (old_parent, base): (Option<Node<'t, 't>>, Option<Node<'t, 't>>),
    nodes: &[Node<'t, 't>],
) {
    let mut comment = base.and_then(|base| instead_of(draft, old_parent, base));
    for node in nodes.iter().rev() {
        match base {
            Some(base) => take_out(scene, draft, (old_parent, base), *node, comment.take()),
            None => draft.splice(edit::take_out(scene.sources.new, node.range())),
        }
    }
}

/// The comments of the file as shipped that are none of the old file's, in these two elements. Of several that say the
/// same, those have stayed that stand beside the same; where that does not tell, the first.
pub(crate) fn gone<'t>(
    (old, base): (Node<'t, 't>, Node<'t, 't>),
    [mut of_old, of_base]: [Comments<'t>; 2],
) -> HashSet<NodeId> {
    let both = Triple { old: Some(old), base: Some(base), new: None, is_unique: true };
    let shipped = LazyCell::new(|| -> HashMap<NodeId, NodeId> {
        let triples = matching::children(both, &[]).triples;
        triples.into_iter().filter_map(|child| Some((child.old?.id(), child.base?.id()))).collect()
    });
    let mut gone = HashSet::new();
    for (text, of_base) in of_base {
        let of_old = of_old.remove(&text).unwrap_or_default();
        let left = match of_old.len() {
            0 => of_base,
            count if count < of_base.len() => without(of_base, of_old, &|node| shipped.get(&node).copied()),
            _ => continue,
        };
        gone.extend(left.iter().map(Node::id));
    }
    gone
}

/// What stands beside a comment.
#[derive(PartialEq, Eq, Hash)]
pub(crate) enum Neighbour {
    Element(NodeId),
    Comment(String),
    Nothing,
}

impl Neighbour {
    /// What a comment speaks of, if that `is_near`, or what is on its other side; an element goes by its `id`.
    pub(crate) fn of(comment: Node<'_, '_>, is_near: bool, id: &dyn Fn(NodeId) -> Option<NodeId>) -> Option<Self> {
        let beside = match ends_line(comment) == is_near {
            true => comment.prev_siblings().skip(1).find(is_markup),
            false => comment.next_siblings().skip(1).find(is_markup),
        };
        match beside {
            Some(node) if node.is_element() => id(node.id()).map(Self::Element),
            Some(node) => Some(Self::Comment(said(node))),
            None => Some(Self::Nothing),
        }
    }
}

/// Those of these comments, which all say the same, that are none of the fewer ones of the old file.
fn without<'t>(
    mut of_base: Vec<Node<'t, 't>>,
    mut of_old: Vec<Node<'t, 't>>,
    shipped: &dyn Fn(NodeId) -> Option<NodeId>,
) -> Vec<Node<'t, 't>> {
    // What a comment speaks of tells more than what is on its other side.
    for is_near in [true, false] {
        let mut there: HashMap<Neighbour, Vec<NodeId>> = HashMap::new();
        for comment in of_old.iter().rev() {
            let beside = Neighbour::of(*comment, is_near, shipped);
            beside.into_iter().for_each(|it| there.entry(it).or_default().push(comment.id()));
        }
        let mut found = HashSet::new();
        of_base.retain(|comment| {
            match Neighbour::of(*comment, is_near, &Some).and_then(|it| there.get_mut(&it)?.pop()) {
                Some(same) => !found.insert(same),
                None => true,
            }
        });
        of_old.retain(|comment| !found.contains(&comment.id()));
    }
    of_base.split_off(of_old.len())
}

/// A comment has no references for what an encoding cannot hold.
pub(crate) fn is_writable(scene: &Scene<'_>, comment: Node<'_, '_>) -> bool {
    let encoding = scene.sources.new.encoding();
    scene.sources.old.text()[comment.range()].chars().all(|c| encoding.holds(c))
}

/// Those of the comments in `parent`, but not of the other ones, that hold nothing but elements.
pub(crate) fn held<'t>(
    all: impl Iterator<Item = Node<'t, 't>>,
    parent: Node<'t, 't>,
    others: &Comments<'t>,
) -> Held<'t> {
    let mut held = Held::new();
    for comment in all.filter(|node| !others.contains_key(&said(*node))) {
        for step in steps(comment, parent).unwrap_or_default() {
            held.entry(step.to_ascii_lowercase()).or_default().push(comment);
        }
    }
    held
}

/// What the elements are called that are commented out in a comment; `None` where it is no such comment.
fn steps(comment: Node<'_, '_>, parent: Node<'_, '_>) -> Option<Vec<String>> {
    let text = comment.text()?.trim();
    if !text.starts_with('<') || !text.ends_with('>') {
        return None;
    }
    let markup = format!("<comment>{text}</comment>");
    limits::check(&markup, "a comment").ok()?;
    let tree = roxmltree::Document::parse(&markup).ok()?;
    let root = tree.root_element();
    let is_plain = root.children().all(|node| node.is_element() || is_space(node));
    is_plain.then(|| elements(root).map(|element| naming::step_in(element, parent)).collect())
}

/// The comment into which the administrator has put the element that was shipped. It is accounted for with the element
/// from here on, whatever becomes of that.
pub(crate) fn instead_of<'t>(
    draft: &mut Draft<'t>,
    old_parent: Option<Node<'t, 't>>,
    base: Node<'t, 't>,
) -> Option<Node<'t, 't>> {
    let (old_parent, base_parent) = (old_parent?, base.parent_element()?);
    let sides = [(File::Old, old_parent), (File::Base, base_parent)];
    let holding = draft.holding(sides, &naming::step_in(base, base_parent));
    holding.into_iter().find(|comment| draft.bind(File::Old, *comment))
}

/// Such a comment and the administrator's other ones on it, as they are written in the place of `new`; `None` where
/// the new file cannot hold it.
pub(crate) fn written_for<'t>(
    scene: &Scene<'t>,
    draft: &mut Draft<'t>,
    comment: Node<'t, 't>,
    (base, new): (Node<'t, 't>, Node<'t, 't>),
) -> Option<String> {
    let mut all = vec![comment];
    let parents = [(File::Base, base.parent_element()), (File::New, new.parent_element())];
    while let Some(before) = all.last().and_then(|at| neighbor(*at, |node| node.prev_sibling())) {
        let mut is_in = |(file, parent): (File, Option<Node<'t, 't>>)| {
            parent.is_some_and(|parent| draft.has_comment(file, parent, &said(before)))
        };
        if ends_line(before) || parents.into_iter().any(&mut is_in) || !draft.bind(File::Old, before) {
            break;
        }
        all.push(before);
    }
    if !all.iter().all(|comment| is_writable(scene, *comment)) {
        return None;
    }
    let document = scene.sources.new;
    let space = space_before(document.text(), new.range().start);
    let text = |comment: &Node<'_, '_>| document.with_own_line_ends(&scene.sources.old.text()[comment.range()]);
    Some(all.iter().rev().map(text).collect::<Vec<_>>().join(&space))
}

/// A place in the new file where an element stands in a comment that the administrator has taken away around it.
pub(crate) enum Freed<'t> {
    /// The whole comment makes place.
    Comment(Node<'t, 't>),
    /// It has made place for another element; this one comes behind that.
    Behind(Node<'t, 't>),
}

impl<'t> Freed<'t> {
    /// The comment.
    pub(crate) fn comment(&self) -> Node<'t, 't> {
        let (Self::Comment(comment) | Self::Behind(comment)) = self;
        *comment
    }

    /// What puts lines there.
    pub(crate) fn splice(&self, document: &Document, lines: &[String]) -> Splice {
        let range = self.comment().range();
        let space = space_before(document.text(), range.start);
        let text = lines.join(&space);
        match self {
            Self::Comment(_) => Splice { range, text },
            Self::Behind(_) => Splice { range: range.end..range.end, text: space + &text },
        }
    }
}

/// Where in the new file an element of the old one stands in a comment, which the file as shipped has, too, and the
/// old one has not any more. That comment is accounted for with the element from here on.
pub(crate) fn freed<'t>(
    draft: &mut Draft<'t>,
    old: Node<'t, 't>,
    [base_parent, new_parent]: [Option<Node<'t, 't>>; 2],
) -> Option<Freed<'t>> {
    let (old_parent, base_parent) = (old.parent_element()?, base_parent?);
    let sides = [(File::Base, base_parent), (File::Old, old_parent)];
    let holding = draft.holding(sides, &naming::step_in(old, old_parent));
    let new_parent = new_parent?;
    let comment = holding.into_iter().find_map(|comment| draft.comment(File::New, new_parent, &said(comment)))?;
    Some(if draft.bind(File::New, comment) { Freed::Comment(comment) } else { Freed::Behind(comment) })
}
