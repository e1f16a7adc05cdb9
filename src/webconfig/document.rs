//! A file as text that gives the same bytes again, and splices of it.

use super::{
    ConfigError,
    encoding::{self, Encoding, Stored},
    limits,
    wraps::{self, Wrap},
};
use roxmltree::{Document as Tree, Node};
use std::{fmt, ops::Range, sync::Arc};

/// A file.
struct Source {
    stored: Stored,
    /// The text as the merge sees it, where that is another.
    seen: Option<String>,
}

self_cell::self_cell!(
    /// A file and the structure of its text.
    struct Parsed {
        owner: Source,
        #[covariant]
        dependent: Tree,
    }
);

/// A well-formed web.config, every byte of it.
#[derive(Clone)]
pub struct Document {
    name: String,
    parsed: Arc<Parsed>,
    encoding: Encoding,
    line_end: &'static str,
    /// `None` where it is taken as it is.
    wraps: Option<Arc<[Wrap]>>,
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.bytes()) == (&other.name, other.bytes())
    }
}

/// New text for a range of a document's text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Splice {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

impl Document {
    /// Reads a file, which errors call `name`. Whatever passes is well-formed, has `<configuration>` as its root and
    /// can be parsed again in linear time.
    pub fn parse(bytes: Vec<u8>, name: &str) -> Result<Self, ConfigError> {
        let document = Self::fragment(bytes, name)?;
        let root = document.tree().root_element().tag_name().name().to_owned();
        if root != "configuration" {
            return Err(ConfigError::NotConfiguration { name: name.to_owned(), root });
        }
        Ok(document)
    }

    /// [`Document::parse`] for a file that may be only a part of one, whatever its root.
    pub(super) fn fragment(bytes: Vec<u8>, name: &str) -> Result<Self, ConfigError> {
        Self::read(bytes, name, wraps::find)
    }

    fn read(bytes: Vec<u8>, name: &str, find: fn(&str) -> Option<Vec<Wrap>>) -> Result<Self, ConfigError> {
        limits::check_size(bytes.len(), name)?;
        let (encoding, stored) =
            encoding::decode(bytes).map_err(|why| ConfigError::Encoding { name: name.to_owned(), why })?;
        let text = stored.text();
        let line_end = match text.split_once('\n') {
            Some((line, _)) if line.ends_with('\r') => "\r\n",
            _ => "\n",
        };
        limits::check(text, name)?;
        let wraps = find(text);
        let seen = wraps.as_ref().filter(|wraps| !wraps.is_empty()).map(|wraps| wraps::blanked(text, wraps));
        let parsed = Parsed::try_new(Source { stored, seen }, |source| {
            let seen = source.seen.as_deref().unwrap_or_else(|| source.stored.text());
            Tree::parse(seen).map_err(|error| malformed(name, error))
        })?;
        Ok(Self { name: name.to_owned(), parsed: Arc::new(parsed), encoding, line_end, wraps: wraps.map(Into::into) })
    }

    /// The file, exactly as it was read or merged.
    pub fn bytes(&self) -> &[u8] {
        self.parsed.borrow_owner().stored.bytes()
    }

    /// What errors call the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same file, which errors call otherwise.
    pub fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    pub(super) fn text(&self) -> &str {
        self.parsed.borrow_owner().stored.text()
    }

    /// Tags that its structure does not have, in the order of the file.
    pub(super) fn wraps(&self) -> &[Wrap] {
        self.wraps.as_deref().unwrap_or_default()
    }

    /// False where it has such tags that its structure has as well.
    pub(super) fn is_seen_through(&self) -> bool {
        self.wraps.is_some()
    }

    /// The same file with all its tags in its structure.
    pub(super) fn as_it_is(&self) -> Result<Self, ConfigError> {
        Self::read(self.bytes().to_vec(), &self.name, |_| None)
    }

    /// Those around a range.
    pub(super) fn wrap_around(&self, range: &Range<usize>) -> Option<&Wrap> {
        let behind = self.wraps().partition_point(|wrap| wrap.start.end <= range.start);
        self.wraps()[..behind].last().filter(|wrap| range.end <= wrap.end.start)
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The line end of the first line; others may differ.
    pub(super) fn line_end(&self) -> &'static str {
        self.line_end
    }

    /// Markup of another file with this one's line ends.
    pub(super) fn with_own_line_ends(&self, markup: &str) -> String {
        markup.replace("\r\n", "\n").replace('\n', self.line_end)
    }

    /// The structure, with the byte ranges of everything in [`Document::text`], but for [`Document::wraps`].
    pub(super) fn tree(&self) -> &Tree<'_> {
        self.parsed.borrow_dependent()
    }

    /// The document with `splices`, which must not overlap. Those at one place keep their order. Everything outside
    /// them keeps its bytes, because decoding has been found to be free of loss.
    pub(super) fn apply(&self, mut splices: Vec<Splice>) -> Result<Self, ConfigError> {
        // What is put in at a place comes before what is taken out from there on.
        splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
        let mut text = String::with_capacity(self.text().len() + splices.iter().map(|s| s.text.len()).sum::<usize>());
        let mut at = 0;
        for Splice { range, text: new } in splices {
            let unsound = || ConfigError::Unsound { name: self.name.clone(), path: "an overlapping change".to_owned() };
            text.push_str(self.text().get(at..range.start).ok_or_else(unsound)?);
            text.push_str(&new);
            at = range.end;
        }
        text.push_str(&self.text()[at..]);
        let find = if self.is_seen_through() { wraps::find } else { |_: &str| None };
        Self::read(self.encoding.encode(text), &self.name, find)
    }
}

fn malformed(name: &str, error: roxmltree::Error) -> ConfigError {
    let (pos, why) = (error.pos(), error.to_string());
    // The parser quotes what it took for an entity, which may be the middle of a password.
    let why = match error {
        roxmltree::Error::UnknownEntityReference(..) => {
            "an `&` is followed by a name that XML does not know; a plain `&` is written `&amp;`".to_owned()
        }
        _ => why,
    };
    ConfigError::Malformed { name: name.to_owned(), line: pos.row as usize, column: pos.col as usize, why }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({}, {} bytes)", self.name, self.bytes().len())
    }
}

/// The child elements of that name, whatever their namespace: the files of .NET 2.0 have one, later ones have none.
pub(super) fn children<'a, 'input>(
    node: Node<'a, 'input>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    elements(node).filter(move |child| child.tag_name().name() == name)
}

/// The child elements.
pub(super) fn elements<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(Node::is_element)
}

/// A node as it is written.
pub(super) fn markup<'a>(node: Node<'a, '_>) -> &'a str {
    &node.document().input_text()[node.range()]
}

/// The text directly in an element.
pub(super) fn text_of(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(|child| child.text()).collect()
}
