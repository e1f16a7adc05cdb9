//! A section that the administrator has put into another file, or taken back from there.

use crate::webconfig::Shown;
use crate::webconfig::merge::reasons::{DOUBT, NO_PLACE, OUTSIDE};
use crate::webconfig::merge::walk::{SOURCE, Walk};
use crate::webconfig::merge::{Change, Fate, Triple, refused, transplant};
use crate::webconfig::schema::collections::step;
use crate::webconfig::text::{elements, same};
use roxmltree::Node;

fn source<'t>(node: Option<Node<'t, 't>>) -> Option<&'t str> {
    node.and_then(|node| node.attribute(SOURCE))
}

impl<'t> Walk<'_, 't> {
    /// Whether the administrator has put the values of a section into another file, or taken them back from there.
    pub(crate) fn is_moved_out(&self, section: Triple<'t>) -> bool {
        source(section.old) != source(section.base) && section.old.is_some()
    }

    /// A section with `configSource` may hold nothing else, so it is taken as it is or not at all; and it leads to
    /// nothing where the other file is.
    pub(crate) fn moved_out(&mut self, section: Triple<'t>) {
        let (old, new) = (source(section.old), source(section.new));
        let is_merged = self.is_settings() && section.old.is_some_and(|old| elements(old).next().is_some());
        let is_as_shipped = section.base.zip(section.new).is_some_and(|(base, new)| same(base, new, &|_, _| false));
        // The section counts as a whole, whatever the other file is called.
        let alike = section.old.zip(section.new).is_some_and(|(old, new)| same(old, new, &|_, _| false));
        // Neither is in another file any more; what both hold now is not the same.
        let is_back = old.is_none() && new.is_none() && !alike;
        let of_new = if is_back { Some("\0") } else { new };
        let path = self.here(&if is_back { String::new() } else { format!("/@{SOURCE}") });
        let shipped = if is_as_shipped { of_new } else { old };
        let fate = self.decide([old, shipped, of_new], &path, || {
            refused(&[
                (old.is_some(), OUTSIDE),
                (section.new.is_none(), NO_PLACE),
                (!section.is_unique, DOUBT),
                (is_merged, "its values are merged one by one; decide which file they belong in"),
            ])
        });
        if let (true, Some(old), Some(new), false) = (fate.carries(), section.old, section.new, self.is_replaced) {
            transplant::replacement(self.scene, old, new).into_iter().for_each(|splice| self.draft.splice(splice));
        }
        let (is_carried, items) = (fate.carries(), section.old.into_iter().flat_map(elements));
        if is_back {
            return self.whole(path, section, fate);
        }
        self.draft.change(Change::of(path, Shown::plain(old), Shown::plain(new), fate));
        // The section is in this file now: report each of its items.
        for item in items.filter(|_| is_carried && old.is_none()) {
            let path = self.here(&format!("/{}", step(item)));
            let item = Triple { old: Some(item), base: None, new: None, is_unique: true };
            self.whole(path, item, Fate::Added);
        }
    }
}
