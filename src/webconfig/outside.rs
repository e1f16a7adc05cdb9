//! Sections that lie in files of their own.
//!
//! `configSource` puts another file in the place of a section; `file` adds one to appSettings. ASP.NET reads both as if
//! they stood in the web.config. So does the merge: a section is put back into its place, merged there, and taken out
//! again, so that the new web.config refers to a file of the same name, with the merged section in it.

use super::{
    Change, ConfigError, Document, Fate, Merged, Shown,
    document::Splice,
    edit::set_attribute,
    encoding, limits,
    values::{Outside, elsewhere, find},
};
use roxmltree::Document as Tree;

/// How the path of a section begins that is meant for a part of the application.
const LOCATION: &str = "location/";

/// Reads a file that a web.config names, relative to its folder; `None` where there is none.
pub type ReadOutside<'a> = &'a dyn Fn(&str) -> Result<Option<Vec<u8>>, String>;

/// A web.config with the sections in their places that it keeps in other files.
#[derive(Debug)]
pub struct Gathered {
    /// The web.config as if it had no such files, but for those that are left where they are.
    pub document: Document,
    /// What was put into its place, and what adds to it.
    moved: Vec<Moved>,
    /// What is left where it is.
    pub left: Vec<Outside>,
}

/// A file that a merge takes along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideFile {
    /// Its path, relative to the folder of the web.config.
    pub file: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

#[derive(Debug)]
struct Moved {
    outside: Outside,
    bytes: Vec<u8>,
    /// The section as the file has it; `None` for what only adds to it.
    section: Option<String>,
}

impl Gathered {
    /// Gathers what `document` keeps in other files. A file is left where it is where it is
    /// missing, lies outside the folder, or is one that `base` or `new` bring along under the same name.
    pub fn of(
        document: &Document,
        base: Option<&Document>,
        new: Option<&Document>,
        read: ReadOutside<'_>,
    ) -> Result<Self, ConfigError> {
        let tree = document.tree();
        let mut taken: Vec<Outside> = Vec::new();
        for other in base.into_iter().chain(new) {
            taken.extend(elsewhere(other.tree().root_element()).1);
        }
        let (mut moved, mut left, mut splices) = (Vec::new(), Vec::new(), Vec::new());
        for outside in elsewhere(tree.root_element()).1 {
            let is_taken =
                taken.iter().any(|it| (&it.section, &it.attribute) == (&outside.section, &outside.attribute));
            let node = find(tree.root_element(), &outside.section);
            let Some(node) = node.filter(|_| is_below(&outside.file) && !is_taken) else {
                left.push(outside);
                continue;
            };
            let name = format!("{} of {}", outside.file, document.name());
            let unreadable = |why| ConfigError::Outside { name: name.clone(), why };
            let Some(bytes) = read(&outside.file).map_err(unreadable)? else {
                left.push(outside);
                continue;
            };
            let section = match outside.attribute.as_str() {
                // Of several locations the path does not say which: the merge carries what refers to the file.
                "configSource" if !outside.section.starts_with(LOCATION) => {
                    Some(section_of(&bytes, &name, node.tag_name().name())?)
                }
                _ => None,
            };
            splices.extend(section.iter().map(|text| Splice { range: node.range(), text: text.clone() }));
            moved.push(Moved { outside, bytes, section });
        }
        let whole = if splices.is_empty() { document.clone() } else { document.apply(splices)? };
        Ok(Self { document: whole, moved, left })
    }

    /// The files that go along, relative to the folder of the web.config.
    pub fn files(&self) -> Vec<String> {
        self.moved.iter().map(|moved| moved.outside.file.clone()).collect()
    }

    /// Takes the sections out of the merged file again. Answers with the files that belong beside it.
    pub fn separate(&self, merged: Merged) -> Result<(Merged, Vec<OutsideFile>), ConfigError> {
        let Merged { document, mut changes } = merged;
        let tree = document.tree();
        let (mut splices, mut files) = (Vec::new(), Vec::new());
        let referred = elsewhere(tree.root_element()).1;
        for Moved { outside, bytes, section: markup } in &self.moved {
            let Outside { section, attribute, file } = outside;
            if section.starts_with(LOCATION) {
                let is_carried = referred.contains(outside);
                files.extend(is_carried.then(|| OutsideFile { file: file.clone(), bytes: bytes.clone() }));
                continue;
            }
            let path = format!("{section}/@{attribute}");
            changes.retain(|change| change.path != path);
            let shown = || Shown::Plain(file.clone());
            let (mut result, mut fate) = (shown(), Fate::Carried);
            match (find(tree.root_element(), section), markup) {
                (Some(node), Some(markup)) => {
                    let merged = &document.text()[node.range()];
                    let tag = node.tag_name().name();
                    let place = Splice {
                        range: node.range(),
                        text: format!("<{tag} configSource=\"{}\" />", attribute_text(file)),
                    };
                    splices.push(place);
                    let bytes = if same(merged, markup) { bytes.clone() } else { replaced(bytes, markup, merged) };
                    files.push(OutsideFile { file: file.clone(), bytes });
                }
                (Some(node), None) => {
                    splices.extend(set_attribute(&document, node, (None, attribute), file));
                    files.push(OutsideFile { file: file.clone(), bytes: bytes.clone() });
                }
                (None, _) => {
                    let why = "the new file has no such section; copy the file and refer to it by hand".to_owned();
                    (result, fate) = (Shown::Absent, Fate::Reported { why });
                }
            }
            changes.push(Change { path, old: shown(), new: Shown::Absent, result, fate });
        }
        let document = if splices.is_empty() { document } else { document.apply(splices)? };
        Ok((Merged { document, changes }, files))
    }
}

/// True for a path that stays in the folder it is relative to.
fn is_below(file: &str) -> bool {
    let parts = || file.split(['\\', '/']);
    !file.is_empty()
        && !file.contains(':')
        && parts().all(|part| !part.trim().is_empty() && !part.trim_matches('.').is_empty())
}

/// The markup of the one section that a file holds.
fn section_of(bytes: &[u8], name: &str, section: &str) -> Result<String, ConfigError> {
    let wrong = |why: String| ConfigError::Outside { name: name.to_owned(), why };
    if bytes.len() > limits::MAX_BYTES {
        return Err(wrong("it is larger than any configuration".to_owned()));
    }
    let (_, stored) = encoding::decode(bytes.to_vec()).map_err(wrong)?;
    let text = stored.text();
    limits::check(text, name)?;
    let tree = Tree::parse(text).map_err(|error| wrong(format!("it is not well-formed at {}", error.pos())))?;
    let root = tree.root_element();
    match root.tag_name().name() == section {
        true => Ok(text[root.range()].to_owned()),
        false => Err(wrong(format!("it holds <{}>, not <{section}>", root.tag_name().name()))),
    }
}

/// The file with another section in it, all else as it was.
fn replaced(bytes: &[u8], old: &str, new: &str) -> Vec<u8> {
    match encoding::decode(bytes.to_vec()) {
        Ok((encoding, stored)) => encoding.encode(stored.text().replacen(old, new, 1)),
        Err(_) => new.as_bytes().to_vec(),
    }
}

/// True where two pieces of markup are the same but for the line ends and the spaces before them.
fn same(one: &str, other: &str) -> bool {
    let lines = |text: &str| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    lines(one) == lines(other)
}

fn attribute_text(file: &str) -> String {
    file.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
