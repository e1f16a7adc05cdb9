//! What says how the new version runs. It belongs to the new file; nothing of it is ever copied.

use crate::webconfig::schema::collections;
use crate::webconfig::text::elements;
use roxmltree::Node;

/// The sections, each by its path below the root or a `location`.
const OWN: [&[&str]; 10] = [
    &["configSections"],
    &["startup"],
    &["system.codedom"],
    &["codedom"],
    &["runtime", "assemblyBinding"],
    &["system.web", "compilation"],
    &["system.web", "httpHandlers"],
    &["system.web", "httpModules"],
    &["system.webServer", "handlers"],
    &["system.webServer", "modules"],
];

/// Whether the element with these steps from the root is, or is in, what belongs to the new version.
pub(crate) fn is_own<'a>(steps: impl Iterator<Item = &'a str>) -> bool {
    let tags: Vec<&str> = steps.map(collections::tag).skip_while(|tag| *tag == "location").take(2).collect();
    OWN.iter().any(|own| tags.starts_with(own))
}

/// The outermost elements in `element` that belong to the new version; itself, if it does.
pub(crate) fn own_parts<'t>(element: Node<'t, 't>) -> Vec<Node<'t, 't>> {
    let mut tags: Vec<&str> = element.ancestors().filter(Node::is_element).map(|node| node.tag_name().name()).collect();
    tags.pop();
    tags.reverse();
    let mut found = Vec::new();
    collect(element, &mut tags, &mut found);
    found
}

fn collect<'t>(element: Node<'t, 't>, tags: &mut Vec<&'t str>, found: &mut Vec<Node<'t, 't>>) {
    if is_own(tags.iter().copied()) {
        found.push(element);
        return;
    }
    // All of it lies at the top.
    if tags.iter().filter(|tag| **tag != "location").count() < 2 {
        for child in elements(element) {
            tags.push(child.tag_name().name());
            collect(child, tags, found);
            tags.pop();
        }
    }
}

/// Whether two values differ in nothing but the versions of assemblies they name.
pub(crate) fn differ_in_version(one: &str, other: &str) -> bool {
    one.contains("Version=") && one != other && without_versions(one) == without_versions(other)
}

fn without_versions(value: &str) -> String {
    let parts = value.split("Version=");
    parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')).collect::<Vec<_>>().join("V=")
}
