//! A changed attribute.

use crate::webconfig::Shown;
use crate::webconfig::merge::reasons::{DOUBT, NO_PLACE, OF_NEW, OUTSIDE};
use crate::webconfig::merge::walk::{SOURCE, THEME, Walk, is_theme_usual};
use crate::webconfig::merge::{Change, Fate, Triple, refused, reported};
use crate::webconfig::redact::mask;
use crate::webconfig::schema::of_version;
use crate::webconfig::text::edit;
use crate::webconfig::text::edit::set_attribute;
use roxmltree::{Attribute, Node};

impl<'t> Walk<'_, 't> {
    /// Accounts for an attribute that the old file or the file as shipped has.
    pub(crate) fn attribute(&mut self, element: Triple<'t>, attribute: Attribute<'t, 't>) {
        let name = attribute.name();
        if self.is_accounted_for(name) {
            return;
        }
        let value = |node: Option<Node<'t, 't>>| {
            let mut all = node?.attributes();
            all.find(|other| (other.name(), other.namespace()) == (name, attribute.namespace())).map(|it| it.value())
        };
        let (old, base, new) = (value(element.old), value(element.base), value(element.new));
        // What both sides added alike is told with the element.
        if old == base || (element.base.is_none() && old == new) {
            return;
        }
        let path = self.here(&format!("/@{name}"));
        let is_theme = self.scene.base.is_some() && path == THEME && !self.scene.rules.strict;
        let is_file = name == "file" && self.path.as_slice() == ["appSettings"];
        // What stays of a removed place for the new version's own parts must not be meant for another place.
        let is_place = |new: Node<'_, '_>| element.old.is_none() && new.tag_name().name() == "location";
        let is_version = old.zip(base).is_some_and(|(old, base)| of_version::differ_in_version(old, base));
        let shipped = if is_theme { new } else { base };
        let fate = self.decide([old, shipped, new], &path, || {
            refused(&[
                (old.is_none() && element.new.is_some_and(is_place), OF_NEW),
                (old.is_some() && is_file, OUTSIDE),
                (element.new.is_none(), NO_PLACE),
                (!element.is_unique, DOUBT),
                (is_version, OF_NEW),
            ])
        });
        let fate = self.write_attribute(element, attribute, old, fate);
        let any = element.old.or(element.base);
        let shown = |value: Option<&str>| match (value, any) {
            (Some(value), Some(node)) => mask::shown_attribute(node, name, value),
            _ => Shown::Absent,
        };
        self.draft.change(Change::of(path, shown(old), shown(new), fate));
    }

    /// Writes an attribute that is to be carried; otherwise, or where it cannot be, the fate says so.
    fn write_attribute(
        &mut self,
        element: Triple<'t>,
        attribute: Attribute<'t, 't>,
        old: Option<&str>,
        fate: Fate,
    ) -> Fate {
        let Some(node) = element.new.filter(|_| fate.carries() && !self.is_replaced) else { return fate };
        let document = self.scene.sources.new;
        let splice = match old {
            Some(old) => set_attribute(document, node, (attribute.namespace(), attribute.name()), old),
            None => edit::remove_attribute(document, node, (attribute.namespace(), attribute.name())),
        };
        match splice {
            Some(splice) => self.draft.splice(splice),
            None => return reported("the new file does not declare its namespace; set it by hand"),
        }
        fate
    }

    /// Attributes that have been looked at before.
    fn is_accounted_for(&self, name: &str) -> bool {
        let is_outside = name == SOURCE || (name == "file" && self.path.as_slice() == ["appSettings"]);
        let is_theme = name == "theme" && self.path.as_slice() == ["system.web", "pages"];
        (is_outside && self.scene.base.is_none()) || (is_theme && !is_theme_usual(self.scene))
    }
}

/// All attributes that the old file or the file as shipped has, each once.
pub(crate) fn attributes<'t>(element: Triple<'t>) -> Vec<Attribute<'t, 't>> {
    let mut all: Vec<Attribute<'t, 't>> = Vec::new();
    for attribute in element.old.iter().chain(&element.base).flat_map(Node::attributes) {
        if !all.iter().any(|it| (it.name(), it.namespace()) == (attribute.name(), attribute.namespace())) {
            all.push(attribute);
        }
    }
    all
}
