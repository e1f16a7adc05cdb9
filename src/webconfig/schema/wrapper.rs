//! `<location>` that is no place of its own: a path of `.`, or none.

use crate::webconfig::text::{Wrap, elements};
use crate::webconfig::{ConfigError, Document};
use roxmltree::{Document as Tree, Node};
use std::collections::HashMap;

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
    pub(crate) fn fragment(bytes: Vec<u8>, name: &str) -> Result<Self, ConfigError> {
        Self::read(bytes, name, find)
    }
}

/// Whether a `location` is no place of its own.
pub(crate) fn is_of_root(location: Node<'_, '_>) -> bool {
    location.tag_name().name() == "location" && matches!(location.attribute("path").unwrap_or_default(), "" | ".")
}

/// Those that can be seen through, or nothing where there is one that cannot: a file may have the rest of a group of
/// sections outside of them.
pub(crate) fn find(text: &str) -> Option<Vec<Wrap>> {
    // Most files have none, and are not read twice for it.
    let Some(tree) = may_have_one(text).then(|| Tree::parse(text).ok()).flatten() else { return Some(Vec::new()) };
    let (around, others): (Vec<_>, Vec<_>) = elements(tree.root_element()).partition(|node| is_of_root(*node));
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for section in others.into_iter().chain(around.iter().copied().flat_map(elements)) {
        *counts.entry(section.tag_name().name()).or_default() += 1;
    }
    let is_only = |section: Node<'_, '_>| counts.get(section.tag_name().name()) == Some(&1);
    let wrap = |location: Node<'_, '_>| {
        let inner = location.first_child()?.range().start..location.last_child()?.range().end;
        let (start, end) = (location.range().start..inner.start, inner.end..location.range().end);
        elements(location).all(is_only).then_some(Wrap { start, end })
    };
    around.into_iter().filter(|location| elements(*location).next().is_some()).map(wrap).collect()
}

fn may_have_one(text: &str) -> bool {
    text.match_indices("<location").any(|(at, _)| {
        let tag = text[at..].split('>').next().unwrap_or_default();
        let path =
            tag.split_once("path").map(|(_, rest)| rest.trim_start_matches(|c: char| c == '=' || c.is_whitespace()));
        path.is_none_or(|path| path.starts_with(['"', '\'']) && path[1..].starts_with(['"', '\'', '.', '&']))
    })
}
