//! A changed attribute.

use crate::webconfig::Shown;
use crate::webconfig::merge::reasons::{DOUBT, NO_PLACE, OF_NEW, OUTSIDE};
use crate::webconfig::merge::walk::{SOURCE, THEME, Walk, is_theme_usual};
use crate::webconfig::merge::{Change, Fate, Triple, refused, reported};
use crate::webconfig::redact::mask;
use crate::webconfig::schema::{collections, of_version};
use crate::webconfig::text::edit;
use crate::webconfig::text::edit::set_attribute;
use crate::webconfig::text::value;
use roxmltree::{Attribute, Node};
use std::borrow::Cow;

impl<'t> Walk<'_, 't> {
    /// Accounts for an attribute that the old file or the file as shipped has.
    pub(crate) fn attribute(&mut self, element: Triple<'t>, attribute: Attribute<'t, 't>) {
        let name = attribute.name();
        if self.is_accounted_for(name) {
            return;
        }
        let written = |node: Option<Node<'t, 't>>| {
            let mut all = node?.attributes();
            let found = all.find(|other| (other.name(), other.namespace()) == (name, attribute.namespace()))?;
            Some(value(node?, found))
        };
        // A default is a value.
        let said = |node: Option<Node<'t, 't>>| {
            let default = || collections::default_of(node?, name).map(Cow::Borrowed);
            written(node).or_else(default)
        };
        let [old, base, new] = element.all().map(said);
        // What both sides added alike is told with the element.
        if (element.base.is_some() && old == base) || (element.base.is_none() && old == new) {
            return;
        }
        let path = self.here(&format!("/@{name}"));
        let is_theme = self.scene.base.is_some() && path == THEME && !self.scene.rules.strict;
        let is_file = name == "file" && self.path.as_slice() == ["appSettings"];
        // What stays of a removed place for the new version's own parts must not be meant for another place.
        let is_place = |new: Node<'_, '_>| element.old.is_none() && new.tag_name().name() == "location";
        let is_version =
            old.as_ref().zip(base.as_ref()).is_some_and(|(old, base)| of_version::differ_in_version(old, base));
        let shipped = if is_theme { new.as_deref() } else { base.as_deref() };
        // An item that both sides added is one or the other; nobody meant a mixture.
        let is_mixture = self.in_item && element.base.is_none();
        let shipped = if is_mixture { Some("\0") } else { shipped };
        let fate = self.decide([old.as_deref(), shipped, new.as_deref()], &path, || {
            refused(&[
                (old.is_none() && element.new.is_some_and(is_place), OF_NEW),
                (old.is_some() && is_file, OUTSIDE),
                (element.new.is_none(), NO_PLACE),
                (!element.is_unique, DOUBT),
                (is_version, OF_NEW),
            ])
        });
        let fate = self.write_attribute(element, attribute, written(element.old).as_deref(), fate);
        let any = element.old.or(element.base);
        let shown = |value: Option<Cow<'_, str>>| match (value, any) {
            (Some(value), Some(node)) => mask::shown_attribute(node, name, &value),
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
        // There may be nothing to remove but a default.
        if old.is_none() && splice.is_none() {
            return fate;
        }
        match splice {
            Some(splice) => self.draft.splice(splice),
            None => return reported("the new file does not declare its namespace; set it manually"),
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

/// All attributes that the old file or the file as shipped has, each once; of an item that both sides added, the new
/// file's as well.
pub(crate) fn attributes<'t>(element: Triple<'t>, in_item: bool) -> Vec<Attribute<'t, 't>> {
    let mut all: Vec<Attribute<'t, 't>> = Vec::new();
    let of_new = element.new.filter(|_| in_item && element.base.is_none() && element.old.is_some());
    for attribute in element.old.iter().chain(&element.base).chain(&of_new).flat_map(Node::attributes) {
        if !all.iter().any(|it| (it.name(), it.namespace()) == (attribute.name(), attribute.namespace())) {
            all.push(attribute);
        }
    }
    all
}
