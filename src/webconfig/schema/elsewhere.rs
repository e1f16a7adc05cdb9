//! Sections whose values lie elsewhere: encrypted, or in other files.

use crate::webconfig::text::elements;
use roxmltree::Node;

/// A section whose values lie in another file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outside {
    /// The section's path, such as `appSettings`.
    pub section: String,
    /// `file` (added to the section) or `configSource` (in its place).
    pub attribute: String,
    /// The other file, relative to the web.config.
    pub file: String,
}

/// The element at a path of names, the first of each.
pub(crate) fn find<'a, 'i>(root: Node<'a, 'i>, path: &str) -> Option<Node<'a, 'i>> {
    path.split('/').try_fold(root, |node, name| elements(node).find(|child| child.tag_name().name() == name))
}

/// The encrypted sections, and the values in other files.
pub(crate) fn elsewhere(root: Node<'_, '_>) -> (Vec<String>, Vec<Outside>) {
    // Returns false for an encrypted section: nothing else is told of it.
    fn visit<'a>(
        node: Node<'a, '_>,
        path: &mut Vec<&'a str>,
        encrypted: &mut Vec<String>,
        outside: &mut Vec<Outside>,
    ) -> bool {
        let before = (encrypted.len(), outside.len());
        // Items of a collection are no sections.
        for child in elements(node).filter(|child| !matches!(child.tag_name().name(), "add" | "remove" | "setting")) {
            if child.tag_name().name() == "EncryptedData" && !path.is_empty() {
                encrypted.truncate(before.0);
                outside.truncate(before.1);
                return false;
            }
            path.push(child.tag_name().name());
            if !visit(child, path, encrypted, outside) {
                encrypted.push(path.join("/"));
            }
            for attribute in ["configSource", "file"] {
                // `file` points to more values in appSettings only; elsewhere it may mean anything.
                let is_meant = attribute == "configSource" || path.as_slice() == ["appSettings"];
                if let Some(file) = child.attribute(attribute).filter(|_| is_meant) {
                    let (section, attribute) = (path.join("/"), attribute.to_owned());
                    outside.push(Outside { section, attribute, file: file.to_owned() });
                }
            }
            path.pop();
        }
        true
    }
    let (mut encrypted, mut outside) = (Vec::new(), Vec::new());
    visit(root, &mut Vec::new(), &mut encrypted, &mut outside);
    (encrypted, outside)
}

/// How the path of a section begins that is meant for a part of the application.
const LOCATION: &str = "location/";

impl Outside {
    /// Whether it is meant for a part of the application.
    pub(crate) fn is_in_location(&self) -> bool {
        self.section.starts_with(LOCATION)
    }
}
