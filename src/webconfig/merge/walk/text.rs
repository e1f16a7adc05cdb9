//! A changed text.

use crate::webconfig::Shown;
use crate::webconfig::merge::matching::Texts;
use crate::webconfig::merge::reasons::{DOUBT, NO_PLACE};
use crate::webconfig::merge::walk::Walk;
use crate::webconfig::merge::{Change, Fate, Triple, refused};
use crate::webconfig::redact::mask;
use crate::webconfig::text::edit::escape_text;
use crate::webconfig::text::{edit, elements, text_of};
use roxmltree::Node;

impl<'t> Walk<'_, 't> {
    /// A changed text. Returns whether the element gets, or has, the administrator's text in the place of all it held.
    pub(crate) fn text(&mut self, element: Triple<'t>, [old, base, new]: Texts) -> bool {
        if old == base || (element.base.is_none() && old == new) {
            return false;
        }
        let has_children = |node: Option<Node<'t, 't>>| node.is_some_and(|node| elements(node).next().is_some());
        let path = self.here("/text()");
        let fate = self.decide([old.as_ref(), base.as_ref(), new.as_ref()], &path, || {
            refused(&[
                (element.new.is_none(), NO_PLACE),
                (element.all().into_iter().any(has_children), "text between elements is not migrated; set it manually"),
                (!element.is_unique, DOUBT),
            ])
        });
        let is_carried = fate.carries();
        if let (true, Some(node), false) = (is_carried, element.new, self.is_replaced) {
            let document = self.scene.sources.new;
            let text = escape_text(document, &element.old.map(text_of).unwrap_or_default());
            self.draft.splice(edit::set_content(document, node, &text));
        }
        let any = element.old.or(element.base);
        let shown = |value: Option<String>| match (value, any) {
            (Some(value), Some(node)) => mask::shown_text(node, &value),
            _ => Shown::Absent,
        };
        let is_new = is_carried || fate == Fate::AlreadySo;
        self.draft.change(Change::of(path, shown(old), shown(new), fate));
        is_new
    }
}
