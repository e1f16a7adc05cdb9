//! Splices that say something in XML: they escape for their place and follow the indentation around them.

use crate::webconfig::Document;
use crate::webconfig::text::encoding::reference;
use crate::webconfig::text::{Splice, Wrap, beside, elements, is_markup, layout, limits, space_before};
use roxmltree::{Attribute, Node};
use std::ops::Range;

/// How many siblings are looked at for the layout of new ones.
const FAR: usize = 100;

/// A line of new markup and how much deeper it stands than the first.
pub(crate) type Line = (usize, String);

/// An attribute's namespace and name.
pub(crate) type Name<'a> = (Option<&'a str>, &'a str);

/// Sets an attribute that may not be there yet; `None` where the file has no prefix for its namespace there.
pub(crate) fn set_attribute(document: &Document, node: Node<'_, '_>, name: Name<'_>, value: &str) -> Option<Splice> {
    if let Some(attribute) = find(node, name) {
        let range = attribute.range_value();
        // The byte before the value is its quote.
        let quote = if document.text()[..range.start].ends_with('\'') { '\'' } else { '"' };
        return Some(Splice { text: escape_attribute(document, value, quote), range });
    }
    let name = match name {
        (None, name) => name.to_owned(),
        (Some(space), name) => format!("{}:{name}", node.lookup_prefix(space).filter(|prefix| !prefix.is_empty())?),
    };
    let at = match node.attributes().next_back() {
        Some(last) => last.range().end,
        None => node.range().start + 1 + qualified_name(document, node).len(),
    };
    Some(Splice { range: at..at, text: format!(" {name}=\"{}\"", escape_attribute(document, value, '"')) })
}

fn find<'a, 'input>(node: Node<'a, 'input>, (space, name): Name<'_>) -> Option<Attribute<'a, 'input>> {
    node.attributes().find(|attribute| (attribute.namespace(), attribute.name()) == (space, name))
}

/// Puts `markup` in the place of everything in an element.
pub(crate) fn set_content(document: &Document, node: Node<'_, '_>, markup: &str) -> Splice {
    let Tag { content, end } = Tag::of(document, node);
    match content {
        Some(range) => Splice { range, text: markup.to_owned() },
        None => Splice { range: end, text: format!(">{markup}</{}>", qualified_name(document, node)) },
    }
}

/// Puts elements behind the last child of `parent`, laid out as its children are.
pub(crate) fn append(document: &Document, parent: Node<'_, '_>, lines: &[Line]) -> Splice {
    match parent.children().rfind(is_markup) {
        Some(last) => insert_behind(document, last, lines),
        None => fill(document, parent, lines),
    }
}

/// Puts elements behind `sibling`, laid out as it or the nearest one before it that starts a line.
pub(crate) fn insert_behind(document: &Document, sibling: Node<'_, '_>, lines: &[Line]) -> Splice {
    let (Range { end: at, .. }, wrap) = outermost(document, sibling);
    // In a file without lines there is none, however far one looks.
    let mut before = sibling.prev_siblings().filter(is_markup).take(FAR);
    let place = match wrap {
        Some(wrap) => layout(document.text(), wrap.start.start),
        None => before.find_map(|node| layout(document.text(), node.range().start)),
    };
    let unit = sibling.parent_element().map_or("", |parent| unit_of(document, parent));
    let laid_out = |(depth, line): &Line| match place {
        Some((line_end, indent)) => format!("{line_end}{indent}{}{line}", unit.repeat(*depth)),
        // The outermost element has no neighbor to follow.
        None if sibling.parent_element().is_none() => format!("{}{line}", document.line_end()),
        None => line.clone(),
    };
    Splice { range: at..at, text: lines.iter().map(laid_out).collect() }
}

/// Puts elements before `sibling` and the comments on it, on lines of their own where that has one.
pub(crate) fn insert_before(document: &Document, sibling: Node<'_, '_>, lines: &[Line]) -> Splice {
    let (Range { start: at, .. }, _) = outermost(document, sibling);
    let space = space_before(document.text(), at);
    Splice { range: at..at, text: lines.iter().map(|(_, line)| format!("{line}{space}")).collect() }
}

/// Where a node lies with the comments on it, and with the tags around it that its structure does not have: what comes
/// beside it is not meant for these.
fn outermost<'a>(document: &'a Document, node: Node<'_, '_>) -> (Range<usize>, Option<&'a Wrap>) {
    let is_section = node.parent_element().is_some_and(|root| root.parent_element().is_none());
    match document.wrap_around(&node.range()).filter(|_| is_section) {
        Some(wrap) => (wrap.start.start..wrap.end.end, Some(wrap)),
        None => (beside::extent(node), None),
    }
}

/// Takes a range out, and the beginning of its line where it has one.
pub(crate) fn take_out(document: &Document, range: Range<usize>) -> Splice {
    Splice { range: lines_of(document, range), text: String::new() }
}

/// A range with the beginning of its line, where it has one.
pub(crate) fn lines_of(document: &Document, range: Range<usize>) -> Range<usize> {
    let before = layout(document.text(), range.start).map_or(0, |(line_end, indent)| line_end.len() + indent.len());
    range.start - before..range.end
}

/// Takes an attribute out, with the space before it.
pub(crate) fn remove_attribute(document: &Document, node: Node<'_, '_>, name: Name<'_>) -> Option<Splice> {
    let range = find(node, name)?.range();
    let before = document.text()[..range.start].trim_end().len();
    Some(Splice { range: before..range.end, text: String::new() })
}

/// Splices of which none reaches into another: what is taken out together is taken out at once, and what is put in
/// there comes before it.
pub(crate) fn apart(mut splices: Vec<Splice>) -> Vec<Splice> {
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let mut apart: Vec<Splice> = Vec::with_capacity(splices.len());
    for mut splice in splices {
        let Some(last) = apart.last_mut().filter(|last| splice.range.start < last.range.end) else {
            apart.push(splice);
            continue;
        };
        if last.text.is_empty() && splice.text.is_empty() {
            last.range.end = last.range.end.max(splice.range.end);
        } else if splice.range.is_empty() && last.text.is_empty() {
            // Where that line begins, the space behind what is put in comes before it.
            let line = splice.text.trim_end();
            splice.text = format!("{}{line}", &splice.text[line.len()..]);
            splice.range = last.range.start..last.range.start;
            let at = apart.len() - 1;
            apart.insert(at, splice);
        } else if last.text.is_empty() {
            // Something is replaced in the midst of what is taken out.
            let rest = splice.range.end..last.range.end;
            last.range.end = splice.range.start;
            apart.push(splice);
            if !rest.is_empty() {
                apart.push(Splice { range: rest, text: String::new() });
            }
        } else {
            apart.push(splice);
        }
    }
    apart
}

/// What lies between an element's tags; `None` for `<a/>`.
pub(crate) fn content_of(document: &Document, node: Node<'_, '_>) -> Option<Range<usize>> {
    Tag::of(document, node).content
}

/// The first children of an element that has none.
fn fill(document: &Document, parent: Node<'_, '_>, lines: &[Line]) -> Splice {
    let Tag { content, end } = Tag::of(document, parent);
    let blank = content.clone().map_or("", |range| &document.text()[range]);
    let mut markup = String::new();
    match layout(document.text(), parent.range().start) {
        Some((line_end, indent)) => {
            let unit = unit_of(document, parent);
            for (depth, line) in lines {
                markup += &format!("{line_end}{indent}{}{line}", unit.repeat(depth + 1));
            }
            if !blank.contains('\n') {
                markup += &format!("{line_end}{indent}");
            }
        }
        None => markup.extend(lines.iter().map(|(_, line)| line.as_str())),
    }
    match content {
        Some(range) => Splice { range: range.start..range.start, text: markup },
        None => Splice { range: end, text: format!(">{markup}</{}>", qualified_name(document, parent)) },
    }
}

/// Text as an attribute's value.
pub(crate) fn escape_attribute(document: &Document, value: &str, quote: char) -> String {
    escape(document, value, |c| match c {
        '"' if quote == '"' => Some("&quot;"),
        '\'' if quote == '\'' => Some("&apos;"),
        '\n' => Some("&#xA;"),
        '\t' => Some("&#x9;"),
        _ => None,
    })
}

/// Text as an element's content. A line feed becomes the file's line end, which XML reads as a line feed.
pub(crate) fn escape_text(document: &Document, value: &str) -> String {
    escape(document, value, |c| match c {
        // `]]>` must not stand in text.
        '>' => Some("&gt;"),
        '\n' => Some(document.line_end()),
        _ => None,
    })
}

fn escape(document: &Document, value: &str, special: impl Fn(char) -> Option<&'static str>) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '\r' => escaped.push_str("&#xD;"),
            _ => match special(c) {
                Some(text) => escaped.push_str(text),
                None if document.encoding().holds(c) => escaped.push(c),
                None => escaped.push_str(&reference(c)),
            },
        }
    }
    escaped
}

/// Where the parts of an element's markup lie.
struct Tag {
    /// Between the start tag and the end tag; `None` for `<a/>`.
    content: Option<Range<usize>>,
    /// The end of the start tag: `>` or `/>`, with the space before.
    end: Range<usize>,
}

impl Tag {
    fn of(document: &Document, node: Node<'_, '_>) -> Self {
        let range = node.range();
        let markup = &document.text()[range.clone()];
        let close = limits::Tag::of(markup).end.unwrap_or(markup.len());
        let head = markup[..close].trim_end_matches('>');
        let head = head.strip_suffix('/').unwrap_or(head).trim_end();
        let end = range.start + head.len()..range.start + close;
        let closing = markup.rfind("</").filter(|at| *at >= close);
        Self { content: closing.map(|at| range.start + close..range.start + at), end }
    }
}

fn qualified_name<'a>(document: &'a Document, node: Node<'_, '_>) -> &'a str {
    let start = node.range().start + 1;
    let name = &document.text()[start..];
    &name[..name.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>')).unwrap_or(name.len())]
}

/// One step of indentation: what the first element below the root or `node` has more than its parent.
pub(crate) fn unit_of<'a>(document: &'a Document, node: Node<'_, '_>) -> &'a str {
    let step = |parent: Node<'_, '_>| {
        let child = elements(parent).next()?;
        let outer = layout(document.text(), parent.range().start).map_or("", |(_, indent)| indent);
        let start = outermost(document, child).1.map_or(child.range().start, |wrap| wrap.start.start);
        let (_, inner) = layout(document.text(), start)?;
        inner.strip_prefix(outer).filter(|unit| !unit.is_empty())
    };
    step(node).or_else(|| step(node.document().root_element())).unwrap_or("  ")
}
