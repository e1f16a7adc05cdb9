//! Everything outside the two value sections: what is beyond doubt is carried, the rest is reported.

use crate::webconfig::Shown;
use crate::webconfig::merge::reasons::{NO_BASE, NO_PLACE, OF_NEW, ONLY_REPORTED, OUTSIDE};
use crate::webconfig::merge::walk::Walk;
use crate::webconfig::merge::{
    Change, Draft, Fate, OtherChanges, Scene, ThemeRule, Triple, decide, matching, refused, reported, walk,
};
use crate::webconfig::schema::elsewhere::{Outside, elsewhere};
use crate::webconfig::schema::of_version;
use crate::webconfig::text::edit::{escape_attribute, set_attribute};
use crate::webconfig::text::{children, elements, node};
use roxmltree::Node;
use std::collections::{HashMap, HashSet};

/// Attributes of elements below `system.web` that are carried even without the file as shipped.
const KNOWN: [(&str, &str); 2] = [("pages", "theme"), ("customErrors", "mode")];

fn superseded(why: &str) -> Fate {
    Fate::Superseded { why: why.to_owned() }
}

/// Values in other files that nobody has newly put there: the merge does not see them, so it says where they are.
pub(crate) fn outside(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    let [old, new] = [scene.old, scene.new].map(|root| elsewhere(root).1);
    let base = scene.base.map(|base| elsewhere(base).1.into_iter().collect::<HashSet<Outside>>());
    let all: HashSet<&Outside> = new.iter().collect();
    let first: HashMap<_, _> = new.iter().rev().map(|new| ((&new.section, &new.attribute), &new.file)).collect();
    // What the administrator has put there is told where it is compared.
    let is_told = |old: &Outside| all.contains(old) || base.as_ref().is_some_and(|base| !base.contains(old));
    for old in old.iter().filter(|old| !is_told(old)) {
        let of_new = first.get(&(&old.section, &old.attribute));
        let new = Shown::plain(of_new.map(|file| file.as_str()));
        let path = draft.path(format!("{}/@{}", old.section, old.attribute));
        draft.change(Change::of(path, Shown::Plain(old.file.clone()), new, reported(OUTSIDE)));
    }
}

/// Accounts for every other difference.
pub(crate) fn changes<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>) {
    for (element, attribute) in KNOWN {
        // With the file as shipped they are attributes like others, but for a theme with a rule of its own.
        if scene.base.is_none() || (attribute == "theme" && !walk::is_theme_usual(scene)) {
            known(scene, draft, element, attribute);
        }
    }
    let mut walk = Walk::new(scene, draft);
    let root = scene.root();
    match scene.base {
        Some(base) => {
            walk.element(root);
            // There are comments around the outermost element, too.
            let [old, base, new] = [scene.old, base, scene.new].map(|root| Some(root.document().root()));
            walk.notes(Triple { old, base, new, ..root });
        }
        None => walk.without_base(root),
    }
}

/// One of the attributes that are known to be an administrator's.
fn known<'t>(scene: &Scene<'t>, draft: &mut Draft<'t>, element: &str, attribute: &str) {
    let find = |root: Node<'t, 't>| {
        let web = || children(root, "system.web");
        web().flat_map(elements).find(|node| node.tag_name().name() == element).or_else(|| web().next())
    };
    let place = find(scene.new);
    let value = |node: Option<Node<'t, 't>>| {
        node.filter(|node| node.tag_name().name() == element).and_then(|node| node.attribute(attribute))
    };
    let (old, new, base) = (value(find(scene.old)), value(place), scene.base.map(|base| value(find(base))));
    let is_theme = attribute == "theme";
    let carry =
        if is_theme { scene.rules.theme == ThemeRule::Carry } else { scene.rules.other_changes == OtherChanges::Apply };
    if base == Some(old) || (base.is_none() && (old == new || old.is_none())) {
        return;
    }
    let path = draft.path(format!("system.web/{element}/@{attribute}"));
    let guard = || match carry {
        _ if old.is_none() => {
            Some(reported("it was removed from the old file; remove it manually if you still want that"))
        }
        false if is_theme => Some(superseded("the plan keeps the theme of the new file")),
        _ => refused(&[(!carry, ONLY_REPORTED), (place.is_none(), "the new file has no system.web; set it manually")]),
    };
    // The administrator's wins.
    let fate = decide([old, new, new], guard, || Fate::Carried);
    let is_carried = fate.carries();
    if let (true, Some(node), Some(old)) = (is_carried, place, old) {
        let document = scene.sources.new;
        if node.tag_name().name() == element {
            set_attribute(document, node, (None, attribute), old).into_iter().for_each(|splice| draft.splice(splice));
        } else {
            let line = format!(r#"<{element} {attribute}="{}" />"#, escape_attribute(document, old, '"'));
            draft.append(node, [(0, line)]);
        }
    }
    draft.change(Change::of(path, Shown::plain(old), Shown::plain(new), fate));
}

impl<'t> Walk<'_, 't> {
    /// Without the file as shipped nobody knows who changed what: one line a section.
    fn without_base(&mut self, root: Triple<'t>) {
        let against_new = Triple { base: root.new, ..root };
        let children = matching::children(against_new, &[]);
        for (at, child) in children.triples.iter().copied().enumerate() {
            let Some(old) = child.old else { continue };
            let name = old.tag_name().name();
            self.path.push(children.step(at));
            if name == "appSettings" || name == "applicationSettings" {
                self.element_without_base(child);
            } else if !child.new.is_some_and(|new| node::same(old, new, &is_known)) {
                let section = || Shown::Plain("(section)".to_owned());
                let new = if child.new.is_some() { section() } else { Shown::Absent };
                let is_own = of_version::is_own(self.path.iter().map(String::as_str));
                let (path, why) = (self.here(""), if is_own { OF_NEW } else { NO_BASE });
                self.draft.change(Change::of(path, section(), new, reported(why)));
            }
            self.path.pop();
        }
    }

    /// In the value sections the new file stands in for the file as shipped: what only it has is no difference.
    fn element_without_base(&mut self, element: Triple<'t>) {
        let Some(old) = element.old else { return };
        let before = self.draft.changes().len();
        let is_name = |name: &str| matches!(name, "key" | "name");
        for attribute in old.attributes().filter(|it| element.new.is_some() || !is_name(it.name())) {
            self.attribute(Triple { base: element.new, ..element }, attribute);
        }
        let children = matching::children(Triple { base: element.new, ..element }, self.values());
        for (at, child) in children.triples.iter().enumerate() {
            self.path.push(children.step(at));
            self.element_without_base(*child);
            self.path.pop();
        }
        if element.new.is_none() && self.path.len() > 1 && self.draft.changes().len() == before {
            let path = self.here("");
            self.whole(path, element, reported(NO_PLACE));
        }
    }
}

fn is_known(node: Node<'_, '_>, attribute: &str) -> bool {
    let is_web = node.parent_element().is_some_and(|parent| parent.tag_name().name() == "system.web");
    is_web && KNOWN.contains(&(node.tag_name().name(), attribute))
}
