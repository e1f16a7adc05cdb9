//! The files of a merge together with those that they keep sections in.
//!
//! Where each file that is referred to can be had, sections are merged by meaning, wherever they lie; the result has
//! them where the new version has them. Other files are taken as a whole.

use crate::webconfig::merge::gather::{Gathered, OutsideFile, ReadOutside, Section};
use crate::webconfig::merge::{Change, Fate, Merged, Sources};
use crate::webconfig::schema::elsewhere::{elsewhere, find};
use crate::webconfig::text::Splice;
use crate::webconfig::text::edit::{escape_attribute, set_attribute};
use crate::webconfig::{ConfigError, Document, Shown};

/// A web.config, and the files beside it.
pub type Place<'a> = (&'a Document, ReadOutside<'a>);

/// The files of a merge, with the sections in their places that they keep in other files.
#[derive(Debug)]
pub struct Together {
    /// The administrator's file.
    pub old: Gathered,
    /// The administrator's file as it was shipped.
    pub base: Option<Gathered>,
    /// The file of the new version.
    pub new: Option<Gathered>,
}

/// What belongs beside a merged file, and what becomes of it in other places.
#[derive(Default)]
struct Apart {
    files: Vec<OutsideFile>,
    splices: Vec<Splice>,
    changes: Vec<Change>,
}

impl Together {
    /// Gathers the sections of each. A section of which one of the files cannot be had stays where it is in all of them.
    pub fn of(old: Place<'_>, base: Option<Place<'_>>, new: Option<Place<'_>>) -> Result<Self, ConfigError> {
        let gather = |kept: &[String]| {
            let gathered = |(document, read): Place<'_>| Gathered::but(document, read, kept);
            let (base, new) = (base.map(gathered).transpose()?, new.map(gathered).transpose()?);
            Ok::<Self, ConfigError>(Self { old: gathered(old)?, base, new })
        };
        let all = gather(&[])?;
        let files = [Some(&all.old), all.base.as_ref(), all.new.as_ref()];
        let left = files.into_iter().flatten().flat_map(|file| &file.left);
        let kept: Vec<String> = left.map(|outside| outside.section.clone()).collect();
        if kept.is_empty() { Ok(all) } else { gather(&kept) }
    }

    /// What is to be merged. Where the new version is not there yet, the file as shipped stands in for it; `None` where
    /// neither is there.
    pub fn sources(&self) -> Option<Sources<'_>> {
        let base = self.base.as_ref().map(|base| &base.document);
        Some(Sources { old: &self.old.document, base, new: &self.shipped()?.document })
    }

    /// Takes the sections out of the merged file again. Returns the files to write beside it as well.
    pub fn separate(&self, merged: Merged) -> Result<(Merged, Vec<OutsideFile>), ConfigError> {
        let Merged { document, mut changes } = merged;
        let mut apart = Apart::default();
        let of_new = self.shipped().map_or(&[][..], |new| &new.sections);
        let of_old = self.old.sections.iter().filter(|it| !of_new.iter().any(|new| is_same_section(it, new)));
        for section in of_new.iter().chain(of_old) {
            self.section(&document, &section.outside.section, &mut apart);
        }
        for file in &self.old.whole {
            self.whole(&document, file, &changes, &mut apart);
        }
        let Apart { files, splices, changes: told } = apart;
        for change in told {
            changes.retain(|known| known.path != change.path);
            changes.push(change);
        }
        let document = if splices.is_empty() { document } else { document.apply(splices)? };
        Ok((Merged { document, changes }, files))
    }

    /// A section that at least one of the files keeps in another one.
    fn section(&self, merged: &Document, path: &str, apart: &mut Apart) {
        let base = self.base.as_ref().and_then(|base| base.section(path));
        let (old, new) = (self.old.section(path), self.shipped().and_then(|new| new.section(path)));
        let node = find(merged.tree().root_element(), path);
        let file = |section: Option<&Section>| section.map(|section| section.outside.file.clone());
        let is_changed = file(old) != file(base);
        let superseded = |why: &str| Fate::Superseded { why: why.to_owned() };
        let mut result = file(new);
        let fate = match (old, new, node) {
            // The new version says where it is.
            (_, Some(new), Some(node)) => {
                apart.splices.push(Splice { range: node.range(), text: new.reference.clone() });
                let merged = &merged.text()[node.range()];
                apart.files.extend((merged != new.markup).then(|| new.file(merged)));
                let why = "the new version keeps this section in a file of its own; the values were merged there";
                is_changed.then(|| if file(old) == file(Some(new)) { Fate::AlreadySo } else { superseded(why) })
            }
            (Some(_), None, Some(_)) if base.is_some() => {
                let why = "the new version has this section in the web.config; the values were merged there";
                is_changed.then(|| superseded(why))
            }
            (Some(old), None, Some(node)) => {
                let text = format!(
                    "<{} configSource=\"{}\" />",
                    node.tag_name().name(),
                    escape_attribute(merged, &old.outside.file, '"')
                );
                apart.splices.push(Splice { range: node.range(), text });
                apart.files.push(old.file(&merged.text()[node.range()]));
                result = file(Some(old));
                Some(Fate::Carried)
            }
            (Some(_), _, None) if is_changed => {
                result = None;
                Some(Fate::Reported { why: NO_SECTION.to_owned() })
            }
            _ => None,
        };
        let (path, old, new) = (format!("{path}/@configSource"), Shown::plain(file(old)), Shown::plain(file(new)));
        apart.changes.extend(fate.map(|fate| Change::of(path, old, new, fate).with(Shown::plain(result))));
    }

    /// A file of the administrator's that is taken as it is, or not at all.
    fn whole(&self, merged: &Document, file: &OutsideFile, changes: &[Change], apart: &mut Apart) {
        let OutsideFile { outside, bytes } = file;
        let files = [self.base.as_ref(), self.shipped()];
        let [of_base, of_new] = files.map(|file| file.and_then(|file| file.whole(outside)));
        let is_known = files.into_iter().flatten().any(|file| file.refers(outside));
        let root = merged.tree().root_element();
        let is_referred = elsewhere(root).1.contains(outside);
        let reported = |why: &str| Fate::Reported { why: why.to_owned() };
        let fate = match find(root, &outside.section) {
            _ if is_known && (of_new == Some(bytes) || of_base == Some(bytes)) => return,
            _ if is_known && !is_referred => {
                reported("the new version does not refer to this file; check whether you still need its values")
            }
            _ if is_known && of_new.is_some() && of_new != of_base => {
                reported("the new version has a different file of this name; merge them manually")
            }
            _ if is_known => Fate::Carried,
            _ if outside.is_in_location() => {
                apart.files.extend(is_referred.then(|| file.clone()));
                return;
            }
            Some(node) => {
                let splice = set_attribute(merged, node, (None, &outside.attribute), &outside.file);
                apart.splices.extend(splice);
                Fate::Carried
            }
            None => reported(NO_SECTION),
        };
        let is_carried = fate == Fate::Carried;
        apart.files.extend(is_carried.then(|| file.clone()));
        let path = format!("{}/@{}", outside.section, outside.attribute);
        // The merge tells of what is otherwise in the web.config itself.
        let is_open = |change: &Change| change.is_conflict() || matches!(change.fate, Fate::Reported { .. });
        let mut told = changes.iter().filter(|change| is_known && change.path == path);
        if told.any(|change| is_carried || is_open(change)) {
            return;
        }
        let is_told = |path: &str| is_known && changes.iter().chain(&apart.changes).any(|change| change.path == path);
        let numbered = (2..).map(|number| format!("{path}~{number}"));
        let path = std::iter::once(path.clone()).chain(numbered).find(|path| !is_told(path));
        let name = || Some(outside.file.clone());
        let new = if is_known && is_referred { name() } else { None };
        apart.changes.extend(path.map(|path| Change::of(path, Shown::plain(name()), Shown::plain(new), fate)));
    }

    /// The new version's file, or what stands in for it.
    fn shipped(&self) -> Option<&Gathered> {
        self.new.as_ref().or(self.base.as_ref())
    }
}

const NO_SECTION: &str = "the new file has no such section; copy the file and refer to it manually";

fn is_same_section(one: &Section, other: &Section) -> bool {
    one.outside.section == other.outside.section
}
