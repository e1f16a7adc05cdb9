//! Sections that lie in files of their own.
//!
//! `configSource` puts another file in the place of a section; `file` adds one to appSettings. ASP.NET reads both as if
//! they stood in the web.config. So does the merge: a section is put back into its place in each of the files, merged
//! there, and taken out again (`together.rs`).

use crate::webconfig::schema::elsewhere::{Outside, elsewhere, find};
use crate::webconfig::text::{Splice, encoding, limits};
use crate::webconfig::{ConfigError, Document};
use roxmltree::Document as Tree;

/// Reads a file that a web.config names, relative to its folder; `None` where there is none.
pub type ReadOutside<'a> = &'a dyn Fn(&str) -> Result<Option<Vec<u8>>, String>;

/// A web.config with the sections in their places that it keeps in other files.
#[derive(Debug)]
pub struct Gathered {
    /// The web.config as if it had no such files, but for those that are left where they are.
    pub document: Document,
    /// What was put into its place.
    pub(crate) sections: Vec<Section>,
    /// What adds to a section, or is taken as a whole for another reason.
    pub(crate) whole: Vec<OutsideFile>,
    /// What is left where it is.
    pub left: Vec<Outside>,
}

/// A section that lies in a file of its own.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) outside: Outside,
    pub(crate) bytes: Vec<u8>,
    /// The section as the file has it.
    pub(crate) markup: String,
    /// What stands in the web.config in its place.
    pub(crate) reference: String,
}

/// A file that a web.config refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideFile {
    /// What refers to it, and its path.
    pub outside: Outside,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Gathered {
    /// Gathers what `document` keeps in other files. A file is left where it is where it is missing, or lies outside the
    /// folder.
    pub fn of(document: &Document, read: ReadOutside<'_>) -> Result<Self, ConfigError> {
        Self::but(document, read, &[])
    }

    /// [`Gathered::of`], but the files of the sections at these paths are taken as a whole.
    pub(crate) fn but(document: &Document, read: ReadOutside<'_>, kept: &[String]) -> Result<Self, ConfigError> {
        let tree = document.tree();
        let mut gathered =
            Self { document: document.clone(), sections: Vec::new(), whole: Vec::new(), left: Vec::new() };
        let mut splices = Vec::new();
        for outside in elsewhere(tree.root_element()).1 {
            let node = find(tree.root_element(), &outside.section);
            let Some(node) = node.filter(|_| is_below(&outside.file)) else {
                gathered.left.push(outside);
                continue;
            };
            let name = format!("{} of {}", outside.file, document.name());
            let unreadable = |why| ConfigError::Outside { name: name.clone(), why };
            let Some(bytes) = read(&outside.file).map_err(unreadable)? else {
                gathered.left.push(outside);
                continue;
            };
            // Of several locations the path does not say which: the merge carries what refers to the file.
            let is_in_place = outside.attribute == "configSource" && !outside.is_in_location();
            if !is_in_place || kept.contains(&outside.section) {
                gathered.whole.push(OutsideFile { outside, bytes });
                continue;
            }
            let markup = section_of(&bytes, &name, node.tag_name().name())?;
            splices.push(Splice { range: node.range(), text: markup.clone() });
            let reference = document.text()[node.range()].to_owned();
            gathered.sections.push(Section { outside, bytes, markup, reference });
        }
        if !splices.is_empty() {
            gathered.document = document.apply(splices)?;
        }
        Ok(gathered)
    }

    /// The files that go along, relative to the folder of the web.config.
    pub fn files(&self) -> Vec<String> {
        let sections = self.sections.iter().map(|section| &section.outside);
        sections.chain(self.whole.iter().map(|file| &file.outside)).map(|outside| outside.file.clone()).collect()
    }

    /// The section at a path, where it lies in a file of its own.
    pub(crate) fn section(&self, path: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.outside.section == path)
    }

    /// Whether the section refers to a file in the same way, whatever that is called, and it is not in its place.
    pub(crate) fn refers(&self, outside: &Outside) -> bool {
        let mut all = self.left.iter().chain(self.whole.iter().map(|file| &file.outside));
        all.any(|it| (&it.section, &it.attribute) == (&outside.section, &outside.attribute))
    }

    /// The content of a file that is taken as a whole.
    pub(crate) fn whole(&self, outside: &Outside) -> Option<&[u8]> {
        self.whole.iter().find(|file| file.outside == *outside).map(|file| file.bytes.as_slice())
    }
}

impl Section {
    /// The file with another section in it, all else as it was.
    pub(crate) fn file(&self, section: &str) -> OutsideFile {
        let bytes = match encoding::decode(&self.bytes) {
            _ if is_laid_out_only(section, &self.markup) => self.bytes.clone(),
            Ok((encoding, text)) => encoding.encode(text.replacen(&self.markup, section, 1)),
            Err(_) => section.as_bytes().to_vec(),
        };
        OutsideFile { outside: self.outside.clone(), bytes }
    }
}

/// Whether a path stays in the folder it is relative to.
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
    let (_, text) = encoding::decode(bytes).map_err(wrong)?;
    limits::check(&text, name)?;
    let tree = Tree::parse(&text).map_err(|error| wrong(format!("it is not well-formed at {}", error.pos())))?;
    let root = tree.root_element();
    match root.tag_name().name() == section {
        true => Ok(text[root.range()].to_owned()),
        false => Err(wrong(format!("it holds <{}>, not <{section}>", root.tag_name().name()))),
    }
}

/// Whether two pieces of markup are the same but for the line ends and the spaces before them.
fn is_laid_out_only(one: &str, other: &str) -> bool {
    let lines = |text: &str| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    lines(one) == lines(other)
}
