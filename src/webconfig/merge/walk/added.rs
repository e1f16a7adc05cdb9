//! An element that the administrator added: a section, a rule, an item.

use crate::webconfig::merge::insert::insert;
use crate::webconfig::merge::placement::Around;
use crate::webconfig::merge::reasons::{OF_NEW, OUTSIDE};
use crate::webconfig::merge::walk::{SOURCE, Walk};
use crate::webconfig::merge::{Triple, refused, reported};
use crate::webconfig::schema::{collections, of_version};

impl<'t> Walk<'_, 't> {
    /// An element that the administrator added and the new file has not. Its place is contested where the new version
    /// has put something else there.
    pub(crate) fn added(&mut self, parent: Triple<'t>, child: Triple<'t>, around: Around<'_, 't>) {
        let Some(old) = child.old else { return };
        let own = of_version::own_parts(old);
        let is_all_own = own.first() == Some(&old);
        let path = self.here("");
        let contested = around.is_contested.then_some(false);
        let mut fate =
            self.decide([Some(true), None, contested], &path, || refused(&[(old.has_attribute(SOURCE), OUTSIDE)]));
        if fate.carries()
            && !self.is_replaced
            && let Err(why) = insert(self.scene, self.draft, (parent, child), around, &own)
        {
            fate = reported(why);
        }
        let is_carried = fate.carries();
        self.draft.add(old, is_carried);
        self.whole(path, child, fate);
        if is_carried && !is_all_own && !self.is_replaced {
            for part in own {
                let path = self.here(&format!("/{}", collections::step(part)));
                let part = Triple { old: Some(part), base: None, new: None, is_unique: true };
                self.whole(path, part, reported(OF_NEW));
            }
        }
    }
}
