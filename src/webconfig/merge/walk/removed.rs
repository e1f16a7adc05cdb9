//! An element that the administrator removed: a section, a rule, an item.

use crate::webconfig::merge::reasons::DOUBT;
use crate::webconfig::merge::walk::Walk;
use crate::webconfig::merge::{Triple, comments, refused};
use crate::webconfig::schema::of_version;
use crate::webconfig::text::same;
use roxmltree::Node;

impl<'t> Walk<'_, 't> {
    /// An element that the administrator removed.
    pub(crate) fn removed(&mut self, parent: Triple<'t>, child: Triple<'t>, base: Node<'t, 't>) {
        if let Some(new) = child.new.filter(|new| of_version::own_parts(*new).first().is_some_and(|part| part != new)) {
            // What belongs to the new version stays; all else goes, piece by piece. What guards it is for nobody to take
            // away unasked.
            let is_guard = |node: Node<'_, '_>| matches!(node.tag_name().name(), "authorization" | "security");
            let is_guarded = new.tag_name().name() == "location" && new.descendants().any(is_guard);
            if is_guarded && !self.is_replaced && self.hands_off().is_none() {
                let path = self.here("");
                let fate = self.scene.rules.conflict(&path);
                let is_carried = fate.carries();
                self.whole(path, child, fate);
                if !is_carried {
                    return;
                }
            }
            return self.both(child);
        }
        let path = self.here("");
        let shipped = child.new.map(|new| same(base, new, &|_, _| false));
        let fate = self.decide([None, Some(true), shipped], &path, || refused(&[(!child.is_unique, DOUBT)]));
        if let (true, Some(new), false) = (fate.carries(), child.new, self.is_replaced) {
            comments::take_out(self.scene, self.draft, (parent.old, Some(base)), new);
        }
        self.whole(path, child, fate);
    }
}
