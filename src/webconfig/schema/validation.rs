//! What ASP.NET refuses in a web.config although it is well-formed.

use crate::webconfig::{
    ConfigError,
    schema::{elsewhere::elsewhere, sdk_url, sections, values::sections, wrapper},
    text::{
        document::Document,
        node::{children, elements},
    },
};
use roxmltree::Node;
use std::collections::{BTreeMap, HashSet};

/// Marks the files that are no configuration but say how to change one.
const TRANSFORM: &str = "http://schemas.microsoft.com/XML-Document-Transform";

/// Refuses a file that ASP.NET would not start an application with: not well-formed, sections given or declared
/// twice or not declared at all, configSections not first, a location within another, an address of the SDK that is
/// none. `name` is what errors call it.
pub fn check(bytes: &[u8], name: &str) -> Result<(), ConfigError> {
    refuse(problems(&Document::parse(bytes.to_vec(), name)?), name)
}

/// [`check`] of a merged file. What is wrong with the new version's own file is no fault of the merge: a file further
/// up may make it right.
pub fn check_merged(merged: &Document, new: &Document) -> Result<(), ConfigError> {
    let mut found = problems(merged);
    if !found.is_empty() {
        let before = problems(new);
        found.retain(|problem| !before.contains(problem));
    }
    refuse(found, merged.name())
}

/// What the file needs beside it and what is not there, a sentence each: files that hold sections, and folders of
/// themes. `exists` answers for a path relative to the application's folder.
pub fn missing<E>(document: &Document, exists: &dyn Fn(&str) -> Result<bool, E>) -> Result<Vec<String>, E> {
    let mut problems = Vec::new();
    let tree = document.tree();
    for outside in elsewhere(tree.root_element()).1 {
        // A file that only adds to appSettings may be missing.
        if outside.attribute == "configSource" && !exists(&outside.file)? {
            problems.push(format!("{} is in the file {}, which is not there", outside.section, outside.file));
        }
    }
    let pages = children(tree.root_element(), "system.web").flat_map(|web| children(web, "pages"));
    for theme in
        pages.flat_map(|pages| ["theme", "styleSheetTheme"].into_iter().filter_map(move |it| pages.attribute(it)))
    {
        if !theme.is_empty() && !exists(&format!("App_Themes\\{theme}"))? {
            problems.push(format!("the theme {theme} is selected, but there is no folder App_Themes\\{theme}"));
        }
    }
    Ok(problems)
}

fn refuse(problems: Vec<String>, name: &str) -> Result<(), ConfigError> {
    if problems.is_empty() { Ok(()) } else { Err(ConfigError::Faulty { name: name.to_owned(), problems }) }
}

fn problems(document: &Document) -> Vec<String> {
    let tree = document.tree();
    let root = tree.root_element();
    let mut problems = repeated_settings(root);
    repeated(tags(children(root, "system.web").flat_map(elements)), "system.web/", &mut problems);
    let places: Vec<Node<'_, '_>> = elements(root).filter(|node| wrapper::is_of_root(*node)).chain([root]).collect();
    let given: Vec<HashSet<String>> = places.into_iter().map(|place| sections_in(place, root)).collect();
    repeated(given.iter().flatten().map(String::as_str), "", &mut problems);
    let mut of_paths: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for location in children(root, "location").filter(|node| !wrapper::is_of_root(*node)) {
        let path = location.attribute("path").unwrap_or_default().trim().to_lowercase();
        of_paths.entry(path).or_default().extend(sections_in(location, root));
    }
    for (path, sections) in &of_paths {
        repeated(sections.iter().map(String::as_str), &format!("location[{path}]/"), &mut problems);
    }
    let groups = children(root, "configSections").flat_map(|node| children(node, "sectionGroup"));
    let groups: HashSet<&str> = groups.filter_map(|group| group.attribute("name")).collect();
    // A group may be given in several parts.
    let is_single = |tag: &&str| *tag != "location" && !sections::has_group(tag) && !groups.contains(tag);
    repeated(tags(elements(root)).filter(is_single), "", &mut problems);
    if tags(elements(root)).skip(1).any(|tag| tag == "configSections") {
        problems.push("configSections must be the first element".to_owned());
    }
    let is_nested = |location: Node<'_, '_>| {
        children(location, "location").next().is_some() || document.wrap_around(&location.range()).is_some()
    };
    if children(root, "location").any(is_nested) {
        problems.push("a location stands within another one".to_owned());
    }
    for node in root.descendants().filter(|node| matches!(node.tag_name().name(), "configSections" | "sectionGroup")) {
        let group = node.attribute("name").map(|name| format!("/{name}")).unwrap_or_default();
        let declared = children(node, "section").filter_map(|section| section.attribute("name"));
        repeated(declared, &format!("configSections{group}/"), &mut problems);
    }
    if root.namespaces().all(|space| space.uri() != TRANSFORM) {
        let declarations: Vec<Node<'_, '_>> = children(root, "configSections").collect();
        undeclared(root, &declarations, "", &mut problems);
        for location in children(root, "location") {
            undeclared(location, &declarations, "", &mut problems);
        }
    }
    if let Some((name, url)) = document.sdk_url()
        && !sdk_url::is_plausible(&url)
    {
        problems.push(format!("{name} is no address of a web service; it is https://SERVER/DIRECTORY/PfWsSdk.asmx"));
    }
    problems
}

/// Sections that neither the file nor the machine declares. `declared` are the declarations at this level.
fn undeclared(parent: Node<'_, '_>, declared: &[Node<'_, '_>], path: &str, problems: &mut Vec<String>) {
    for section in elements(parent) {
        let tag = section.tag_name().name();
        let own: Vec<Node<'_, '_>> = declared
            .iter()
            .flat_map(|node| elements(*node))
            .filter(|node| node.attribute("name") == Some(tag))
            .collect();
        let groups: Vec<Node<'_, '_>> = own.iter().copied().filter(|node| node.has_tag_name("sectionGroup")).collect();
        let path = format!("{path}{tag}");
        if sections::is_section(&path) || own.len() > groups.len() {
            continue;
        }
        if sections::knows_all_of(&path) || (!groups.is_empty() && !sections::has_group(&path)) {
            undeclared(section, &groups, &format!("{path}/"), problems);
        } else if !sections::has_group(&path) {
            let problem = format!("{path} is used, but neither this file nor the machine declares such a section");
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
}

/// Whether one of the sections in a `location` that is no place of its own is given again around it.
pub(crate) fn is_given_beside(location: Node<'_, '_>, root: Node<'_, '_>) -> bool {
    let others = elements(root).filter(|node| wrapper::is_of_root(*node) && *node != location);
    let around: HashSet<String> = others.chain([root]).flat_map(|place| sections_in(place, root)).collect();
    !around.is_disjoint(&sections_in(location, root))
}

/// The sections among an element's children of which it is known that they are none of several, by their paths.
fn sections_in(parent: Node<'_, '_>, root: Node<'_, '_>) -> HashSet<String> {
    /// Groups in groups.
    const INNER: [&str; 6] = ["caching", "management", "rewrite", "security", "tracing", "webdav"];
    let declarations = children(root, "configSections").flat_map(|node| children(node, "section"));
    let declared: HashSet<&str> = declarations.filter_map(|section| section.attribute("name")).collect();
    let mut found = HashSet::new();
    for node in elements(parent) {
        let tag = node.tag_name().name();
        if matches!(tag, "system.web" | "system.webServer") {
            for section in elements(node) {
                let (name, inner) = (section.tag_name().name(), tags(elements(section)));
                match INNER.contains(&name) {
                    true => {
                        found.extend(inner.filter(|it| *it != "authentication").map(|it| format!("{tag}/{name}/{it}")))
                    }
                    false => drop(found.insert(format!("{tag}/{name}"))),
                }
            }
        } else if tag != "location" && (sections::is_section(tag) || declared.contains(tag)) {
            found.insert(tag.to_owned());
        }
    }
    found
}

/// appSettings, or a section below applicationSettings, given twice.
pub(crate) fn repeated_settings(root: Node<'_, '_>) -> Vec<String> {
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
        let problem = format!("{path}{name} is given more than once");
        if !seen.insert(name) && told.insert(name) && !problems.contains(&problem) {
            problems.push(problem);
        }
    }
}
