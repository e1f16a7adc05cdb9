//! Small XML trees that can be changed: the configuration files of IIS, which have elements, attributes and comments.

use crate::webconfig::check_limits;
use roxmltree::{Document, Node};
use std::fmt::Write as _;

const COMMENT: &str = "!--";

/// An element, or a comment with its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Element>,
    /// The line where it starts, from 1.
    pub(super) line: u32,
    text: String,
}

impl Element {
    pub(super) fn new(name: &str, attributes: &[(&str, &str)]) -> Self {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { name: name.to_owned(), attributes, ..Self::default() }
    }

    /// Adds a child, when building a tree.
    pub(super) fn with(mut self, child: Element) -> Self {
        self.children.push(child);
        self
    }

    /// The root of a document, or the line with what is wrong with it; 0 if that is the document as a whole.
    pub(super) fn parse(text: &str) -> Result<Self, u32> {
        let text = text.trim_start_matches('\u{feff}');
        // More depth than that would overflow the stack.
        check_limits(text, "").map_err(|_| 0_u32)?;
        let document = Document::parse(text).map_err(|error| error.pos().row)?;
        let mut lines = Lines { text: document.input_text(), at: 0, line: 1 };
        Ok(Self::of(document.root_element(), &mut lines))
    }

    fn of(node: Node<'_, '_>, lines: &mut Lines<'_>) -> Self {
        let line = lines.of(node.range().start);
        if node.is_comment() {
            let text = node.text().unwrap_or_default().to_owned();
            return Self { name: COMMENT.to_owned(), text, line, ..Self::default() };
        }
        let attribute = |found: roxmltree::Attribute<'_, '_>| (found.name().to_owned(), found.value().to_owned());
        let inner = node.children().filter(|child| child.is_element() || child.is_comment());
        Self {
            name: node.tag_name().name().to_owned(),
            attributes: node.attributes().map(attribute).collect(),
            children: inner.map(|child| Self::of(child, lines)).collect(),
            line,
            text: String::new(),
        }
    }

    /// The whole document.
    pub(super) fn document(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n");
        self.write(0, &mut out);
        out
    }

    /// Writes the element on lines of its own.
    pub(super) fn write(&self, depth: usize, out: &mut String) {
        let (blank, name) = ("    ".repeat(depth), &self.name);
        if name == COMMENT {
            let _ = write!(out, "{blank}<!--{}-->\r\n", self.text);
            return;
        }
        let _ = write!(out, "{blank}<{name}");
        for (name, value) in &self.attributes {
            let _ = write!(out, " {name}=\"{}\"", escaped(value));
        }
        if self.children.is_empty() {
            out.push_str(" />\r\n");
            return;
        }
        out.push_str(">\r\n");
        self.children.iter().for_each(|child| child.write(depth + 1, out));
        let _ = write!(out, "{blank}</{name}>\r\n");
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        match self.attributes.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => value.clone_into(known),
            None => self.attributes.push((name.to_owned(), value.to_owned())),
        }
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    pub(super) fn all_mut<'a>(&'a mut self, name: &'a str) -> impl Iterator<Item = &'a mut Element> {
        self.children.iter_mut().filter(move |child| child.name == name)
    }

    /// The element at a path of names, such as `system.webServer/security/access`.
    pub(super) fn at(&self, path: &str) -> Option<&Element> {
        path.split('/').try_fold(self, |element, name| element.children.iter().find(|child| child.name == name))
    }

    pub(super) fn at_mut(&mut self, path: &str) -> Option<&mut Element> {
        path.split('/').try_fold(self, |element, name| element.children.iter_mut().find(|child| child.name == name))
    }

    /// The element at a path of names, created if it does not exist.
    pub(super) fn make(&mut self, path: &str) -> &mut Element {
        path.split('/').fold(self, |element, name| {
            let at = element.children.iter().position(|child| child.name == name).unwrap_or_else(|| {
                element.children.push(Element::new(name, &[]));
                element.children.len() - 1
            });
            &mut element.children[at]
        })
    }

    /// Removes the element at a path of names, with its parents that become empty. Returns whether it was there.
    pub(super) fn remove(&mut self, path: &str) -> bool {
        let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let Some(at) = self.children.iter().position(|child| child.name == name) else { return false };
        let removed = rest.is_none_or(|rest| self.children[at].remove(rest));
        let child = &self.children[at];
        if rest.is_none() || (removed && child.children.is_empty() && child.attributes.is_empty()) {
            self.children.remove(at);
        }
        removed
    }

    /// Adds the attributes and children of the same element at a deeper level, as IIS merges the levels of its
    /// configuration. The items of collections are added to the inherited ones.
    pub(super) fn merge(&mut self, deeper: &Element) {
        for (name, value) in &deeper.attributes {
            self.set(name, value);
        }
        for child in deeper.children.iter().filter(|child| child.name != COMMENT) {
            let is_item = matches!(child.name.as_str(), "add" | "remove" | "clear");
            match self.children.iter_mut().find(|known| !is_item && known.name == child.name) {
                Some(known) => known.merge(child),
                None => self.children.push(child.clone()),
            }
        }
    }
}

/// Counts lines; positions must not decrease.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl Lines<'_> {
    fn of(&mut self, position: usize) -> u32 {
        let between = self.text.as_bytes().get(self.at..position).unwrap_or_default();
        self.line += u32::try_from(between.iter().filter(|byte| **byte == b'\n').count()).unwrap_or_default();
        self.at = position;
        self.line
    }
}

/// A value between double quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#xD;"),
            '\n' => out.push_str("&#xA;"),
            '\t' => out.push_str("&#x9;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_written_as_it_was_read() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<a>\r\n    <!-- why -->\r\n    <b c=\"&lt;&amp;&quot;\" />\r\n    <d>\r\n        <e f=\"\" />\r\n    </d>\r\n</a>\r\n";
        let mut root = Element::parse(text).expect("XML");
        assert_eq!(root.document(), text);
        assert_eq!(
            (root.at("d/e").map(|e| e.line), root.at("b").and_then(|b| b.attribute("c"))),
            (Some(6), Some("<&\""))
        );
        assert!(root.remove("d/e") && root.at("d").is_none() && !root.remove("d/e"));
        root.make("d/e").set("f", "1");
        assert_eq!(root.at("d/e").and_then(|e| e.attribute("f")), Some("1"));
    }
}
