//! Questions about one node: its children, its markup, its text, and whether two say the same.

use roxmltree::{Attribute, Node};
use std::{borrow::Cow, collections::HashSet};

/// The child elements of that name, whatever their namespace: the files of .NET 2.0 have one, later ones have none.
pub(crate) fn children<'a, 'input>(node: Node<'a, 'input>, name: &str) -> impl Iterator<Item = Node<'a, 'input>> {
    elements(node).filter(move |child| child.tag_name().name() == name)
}

/// The child elements.
pub(crate) fn elements<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(Node::is_element)
}

/// A node as it is written.
pub(crate) fn markup<'a>(node: Node<'a, '_>) -> &'a str {
    &node.document().input_text()[node.range()]
}

/// The text directly in an element.
pub(crate) fn text_of(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(|child| child.text()).collect()
}

pub(crate) fn is_markup(node: &Node<'_, '_>) -> bool {
    node.is_element() || node.is_comment()
}

/// The line end and the indentation before `at`, where it begins its line: what comes between it and a line before it.
pub(crate) fn space_before(text: &str, at: usize) -> String {
    layout(text, at).map(|(line_end, indent)| format!("{line_end}{indent}")).unwrap_or_default()
}

/// The line end and the indentation before `at`; `None` where something else stands on the line, or it is the first.
pub(crate) fn layout(text: &str, at: usize) -> Option<(&str, &str)> {
    let line = text[..at].trim_end_matches([' ', '\t']);
    let indent = &text[line.len()..at];
    let line_end = if line.ends_with("\r\n") { 2 } else { usize::from(line.ends_with('\n')) };
    (line_end > 0).then(|| (&line[line.len() - line_end..], indent))
}

/// An element's own text: exact where it is a setting's value, otherwise without the space around it.
pub(crate) fn text(node: Node<'_, '_>) -> String {
    if node.tag_name().name() == "value" && elements(node).next().is_none() {
        return text_of(node);
    }
    if node.children().filter(Node::is_text).all(|child| child.text().is_none_or(is_blank)) {
        String::new()
    } else {
        text_of(node).trim().to_owned()
    }
}

/// Most of the text of a file is what its elements are laid out with.
pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_whitespace()) || text.trim().is_empty()
}

/// An attribute's value as ASP.NET reads it. XML makes blanks of the tabs and line ends that stand in it as they are; the
/// readers of the .NET Framework keep them (XmlTextReader.Normalization is off in System.Configuration).
pub(crate) fn value<'a>(node: Node<'a, '_>, attribute: Attribute<'a, '_>) -> Cow<'a, str> {
    let raw = &node.document().input_text()[attribute.range_value()];
    if !raw.contains(['\t', '\n', '\r']) {
        return Cow::Borrowed(attribute.value());
    }
    // Each piece between two of them is a value of its own.
    let piece = |text: &str| {
        let markup = format!("<a b=\"{}\"/>", text.replace('"', "&quot;"));
        let tree = roxmltree::Document::parse(&markup).ok()?;
        tree.root_element().attribute("b").map(str::to_owned)
    };
    let pieces = raw.split_inclusive(['\t', '\n', '\r']).map(|text| {
        let bare = text.trim_end_matches(['\t', '\n', '\r']);
        piece(bare).unwrap_or_default() + &text[bare.len()..]
    });
    Cow::Owned(pieces.collect())
}

/// Whether two elements say the same, comments and space aside. Attributes for which `skip` holds do not count.
pub(crate) fn same(one: Node<'_, '_>, other: Node<'_, '_>, skip: &impl Fn(Node<'_, '_>, &str) -> bool) -> bool {
    fn said<'a>(
        node: Node<'a, '_>,
        skip: &impl Fn(Node<'_, '_>, &str) -> bool,
    ) -> HashSet<(Option<&'a str>, &'a str, Cow<'a, str>)> {
        let counted = node.attributes().filter(|attribute| !skip(node, attribute.name()));
        counted.map(|it| (it.namespace(), it.name(), value(node, it))).collect()
    }
    one.tag_name().name() == other.tag_name().name()
        && said(one, skip) == said(other, skip)
        && text(one) == text(other)
        && elements(one).count() == elements(other).count()
        && elements(one).zip(elements(other)).all(|(one, other)| same(one, other, skip))
}
