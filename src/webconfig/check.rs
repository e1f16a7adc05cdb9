//! What ASP.NET refuses in a web.config although it is well-formed.

use super::{
    ConfigError, Document,
    document::{children, elements},
    values::sections,
};
use roxmltree::Node;
use std::collections::HashSet;

/// Refuses a file that ASP.NET would not start an application with: not well-formed, sections given or declared
/// twice, configSections not first. `name` is what errors call it.
pub fn check(bytes: &[u8], name: &str) -> Result<(), ConfigError> {
    let document = Document::parse(bytes.to_vec(), name)?;
    let tree = document.tree()?;
    let root = tree.root_element();
    let mut problems = repeated_settings(root);
    repeated(tags(children(root, "system.web").flat_map(elements)), "system.web/", &mut problems);
    let single = ["configSections", "connectionStrings", "system.codedom"];
    repeated(tags(elements(root)).filter(|tag| single.contains(tag)), "", &mut problems);
    if tags(elements(root)).skip(1).any(|tag| tag == "configSections") {
        problems.push("configSections must be the first element".to_owned());
    }
    for node in root.descendants().filter(|node| matches!(node.tag_name().name(), "configSections" | "sectionGroup")) {
        let group = node.attribute("name").map(|name| format!("/{name}")).unwrap_or_default();
        let declared = children(node, "section").filter_map(|section| section.attribute("name"));
        repeated(declared, &format!("configSections{group}/"), &mut problems);
    }
    if problems.is_empty() { Ok(()) } else { Err(ConfigError::Faulty { name: name.to_owned(), problems }) }
}

/// appSettings, or a section below applicationSettings, given twice.
pub(super) fn repeated_settings(root: Node<'_, '_>) -> Vec<String> {
    let mut problems = Vec::new();
    repeated(tags(children(root, "appSettings")), "", &mut problems);
    repeated(tags(sections(root)), "applicationSettings/", &mut problems);
    problems
}

fn tags<'a, 'input: 'a>(nodes: impl Iterator<Item = Node<'a, 'input>>) -> impl Iterator<Item = &'a str> {
    nodes.map(|node| node.tag_name().name())
}

fn repeated<'a>(names: impl Iterator<Item = &'a str>, path: &str, problems: &mut Vec<String>) {
    let (mut seen, mut told) = (HashSet::new(), HashSet::new());
    for name in names {
        if !seen.insert(name) && told.insert(name) {
            problems.push(format!("{path}{name} is given more than once"));
        }
    }
}
