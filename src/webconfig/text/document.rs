//! A file as text that gives the same bytes again, and splices of it.

use crate::webconfig::ConfigError;
use crate::webconfig::text::encoding::Encoding;
use crate::webconfig::text::{encoding, limits};
use roxmltree::Document as Tree;
use std::{fmt, ops::Range, sync::Arc};

/// A file.
struct Source {
    bytes: Vec<u8>,
    text: String,
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
    find: Find,
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.bytes()) == (&other.name, other.bytes())
    }
}

/// Finds the tags in a text that its structure is to be without, or nothing where it has to be taken as it is.
type Find = fn(&str) -> Option<Vec<Wrap>>;

/// New text for a range of a document's text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Splice {
    pub(crate) range: Range<usize>,
    pub(crate) text: String,
}

impl Document {
    /// Reads a file, which errors call `name`. Its structure is without the tags that `find` finds.
    pub(crate) fn read(bytes: Vec<u8>, name: &str, find: Find) -> Result<Self, ConfigError> {
        limits::check_size(bytes.len(), name)?;
        let (encoding, text) =
            encoding::decode(&bytes).map_err(|why| ConfigError::Encoding { name: name.to_owned(), why })?;
        let line_end = match text.split_once('\n') {
            Some((line, _)) if line.ends_with('\r') => "\r\n",
            _ => "\n",
        };
        limits::check(&text, name)?;
        let wraps = find(&text);
        let seen = wraps.as_ref().filter(|wraps| !wraps.is_empty()).map(|wraps| blanked(&text, wraps));
        let parsed = Parsed::try_new(Source { bytes, text, seen }, |source| {
            let seen = source.seen.as_ref().unwrap_or(&source.text);
            Tree::parse(seen).map_err(|error| malformed(name, error))
        })?;
        Ok(Self {
            name: name.to_owned(),
            parsed: Arc::new(parsed),
            encoding,
            line_end,
            wraps: wraps.map(Into::into),
            find,
        })
    }

    /// The file, exactly as it was read or merged.
    pub fn bytes(&self) -> &[u8] {
        &self.parsed.borrow_owner().bytes
    }

    /// What errors call the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same file, which errors call otherwise.
    pub fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    pub(crate) fn text(&self) -> &str {
        &self.parsed.borrow_owner().text
    }

    /// Tags that its structure does not have, in the order of the file.
    pub(crate) fn wraps(&self) -> &[Wrap] {
        self.wraps.as_deref().unwrap_or_default()
    }

    /// Whether its structure is without such tags. Otherwise the file is taken as it is.
    pub(crate) fn is_seen_through(&self) -> bool {
        self.wraps.is_some()
    }

    /// The same file with all its tags in its structure.
    pub(crate) fn as_it_is(&self) -> Result<Self, ConfigError> {
        Self::read(self.bytes().to_vec(), &self.name, |_| None)
    }

    /// Those around a range.
    pub(crate) fn wrap_around(&self, range: &Range<usize>) -> Option<&Wrap> {
        let behind = self.wraps().partition_point(|wrap| wrap.start.end <= range.start);
        self.wraps()[..behind].last().filter(|wrap| range.end <= wrap.end.start)
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The line end of the first line; others may differ.
    pub(crate) fn line_end(&self) -> &'static str {
        self.line_end
    }

    /// Markup of another file with this one's line ends.
    pub(crate) fn with_own_line_ends(&self, markup: &str) -> String {
        markup.replace("\r\n", "\n").replace('\n', self.line_end)
    }

    /// The structure, with the byte ranges of everything in [`Document::text`], but for [`Document::wraps`].
    pub(crate) fn tree(&self) -> &Tree<'_> {
        self.parsed.borrow_dependent()
    }

    /// The document with `splices`, which must not overlap. Those at one place keep their order. Everything outside
    /// them keeps its bytes, because decoding has been found to be free of loss.
    pub(crate) fn apply(&self, mut splices: Vec<Splice>) -> Result<Self, ConfigError> {
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
        let find: Find = if self.is_seen_through() { self.find } else { |_| None };
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

/// The tags of such a `location`.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Wrap {
    /// The start tag.
    pub(crate) start: Range<usize>,
    /// The end tag.
    pub(crate) end: Range<usize>,
}

/// The text without these tags, everything else in its place.
pub(crate) fn blanked(text: &str, wraps: &[Wrap]) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut at = 0;
    for tag in wraps.iter().flat_map(|wrap| [&wrap.start, &wrap.end]) {
        blanked.push_str(&text[at..tag.start]);
        blanked.extend(
            text[tag.clone()].bytes().map(|byte| if byte == b'\n' || byte == b'\r' { byte.into() } else { ' ' }),
        );
        at = tag.end;
    }
    blanked.push_str(&text[at..]);
    blanked
}
