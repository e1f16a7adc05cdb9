//! What ASP.NET refuses in a web.config although it is well-formed.

use super::{
    ConfigError, Document,
    document::{children, elements},
    values::sections,
};
use roxmltree::Node;
use std::collections::HashSet;

/// Refuses a file that ASP.NET would not start an application with: not well-formed, sections given twice or
/// undeclared, configSections not first. `name` is what errors call it.
pub fn check(bytes: &[u8], name: &str) -> Result<(), ConfigError> {
    let document = Document::parse(bytes.to_vec(), name)?;
    let tree = document.tree()?;
    let root = tree.root_element();
    let mut problems = repeated_settings(root);
    let web = children(root, "system.web").flat_map(elements);
    repeated(web, "system.web/", &mut problems);
    let single = ["configSections", "connectionStrings", "system.codedom"];
    let single = elements(root).filter(|node| single.contains(&node.tag_name().name()));
    repeated(single, "", &mut problems);
    if elements(root).skip(1).any(|node| node.tag_name().name() == "configSections") {
        problems.push("configSections must be the first element".to_owned());
    }
    let declared = declared_settings(root);
    for section in sections(root).map(|section| section.tag_name().name()) {
        if !declared.contains(section) {
            problems.push(format!("applicationSettings/{section} is not declared in configSections"));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(ConfigError::Faulty { name: name.to_owned(), problems }) }
}

/// appSettings, or a section below applicationSettings, given twice.
pub(super) fn repeated_settings(root: Node<'_, '_>) -> Vec<String> {
    let mut problems = Vec::new();
    repeated(children(root, "appSettings"), "", &mut problems);
    repeated(sections(root), "applicationSettings/", &mut problems);
    problems
}

fn repeated<'a, 'input: 'a>(nodes: impl Iterator<Item = Node<'a, 'input>>, path: &str, problems: &mut Vec<String>) {
    let mut seen = HashSet::new();
    let mut told = HashSet::new();
    for name in nodes.map(|node| node.tag_name().name()) {
        if !seen.insert(name) && told.insert(name) {
            problems.push(format!("{path}{name} is given more than once"));
        }
    }
}

fn declared_settings<'a>(root: Node<'a, '_>) -> HashSet<&'a str> {
    let groups = children(root, "configSections").flat_map(|sections| children(sections, "sectionGroup"));
    groups
        .filter(|group| group.attribute("name") == Some("applicationSettings"))
        .flat_map(|group| children(group, "section"))
        .filter_map(|section| section.attribute("name"))
        .collect()
}
