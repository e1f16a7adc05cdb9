//! What ASP.NET refuses in a web.config although it is well-formed.

use crate::webconfig::schema::elsewhere::elsewhere;
use crate::webconfig::schema::{sdk_url, sections, values, wrapper};
use crate::webconfig::text::{children, elements};
use crate::webconfig::{ConfigError, Document};
use roxmltree::Node;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Marks the files that are no configuration but say how to change one.
const TRANSFORM: &str = "http://schemas.microsoft.com/XML-Document-Transform";

/// Refuses a file that ASP.NET would not start an application with: not well-formed, sections given or declared
/// twice or not declared at all, configSections not first, a location within another, an address of the SDK that is
/// none. `name` is what errors call it.
pub fn check(bytes: &[u8], name: &str) -> Result<(), ConfigError> {
    refuse(problems(&Document::parse(bytes.to_vec(), name)?, &BTreeSet::new()), name)
}

/// [`check`] of a merged file. What is wrong with the new version's own file is no fault of the merge: a file further
/// up may make it right. `above` are the sections that such files declare.
pub fn check_merged(merged: &Document, new: &Document, above: &BTreeSet<String>) -> Result<(), ConfigError> {
    let mut found = problems(merged, above);
    if !found.is_empty() {
        let before: HashSet<String> = problems(new, above).into_iter().collect();
        found.retain(|problem| !before.contains(problem));
    }
    refuse(found, merged.name())
}

/// The paths of the sections that a file declares, for itself and for all files below it.
pub fn declared_sections(document: &Document) -> BTreeSet<String> {
    fn collect(around: Node<'_, '_>, path: &str, found: &mut BTreeSet<String>) {
        for node in elements(around) {
            let path = format!("{path}{}", node.attribute("name").unwrap_or_default());
            match node.tag_name().name() {
                "sectionGroup" => collect(node, &format!("{path}/"), found),
                "section" => drop(found.insert(path)),
                _ => {}
            }
        }
    }
    let mut found = BTreeSet::new();
    children(document.tree().root_element(), "configSections").for_each(|node| collect(node, "", &mut found));
    found
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

/// What is wrong, each once.
#[derive(Default)]
struct Problems {
    all: Vec<String>,
    told: HashSet<String>,
}

impl Problems {
    fn tell(&mut self, problem: String) {
        if self.told.insert(problem.clone()) {
            self.all.push(problem);
        }
    }

    fn repeated<'a>(&mut self, names: impl Iterator<Item = &'a str>, path: &str) {
        let mut seen = HashSet::new();
        names
            .filter(|name| !seen.insert(*name))
            .for_each(|name| self.tell(format!("{path}{name} is given more than once")));
    }
}

fn problems(document: &Document, above: &BTreeSet<String>) -> Vec<String> {
    let root = document.tree().root_element();
    let mut problems = Problems::default();
    repeated_values(root, &mut problems);
    let settings = values::sections(root).flat_map(|section| children(section, "setting"));
    for setting in settings.filter(|setting| is_tight(*setting) && setting.next_sibling_element().is_some()) {
        let name = setting.attribute("name").unwrap_or_default();
        problems.tell(format!(
            "the setting {name} needs a space between </value> and </setting>, or ASP.NET does not read what is behind it"
        ));
    }
    problems.repeated(tags(children(root, "system.web").flat_map(elements)), "system.web/");
    let declared = declared(root);
    let given: Vec<BTreeSet<String>> = places_of_root(root).map(|place| sections_in(place, &declared)).collect();
    problems.repeated(given.iter().flatten().map(String::as_str), "");
    let mut of_paths: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for location in children(root, "location").filter(|node| !wrapper::is_of_root(*node)) {
        let path = location.attribute("path").unwrap_or_default().trim().to_lowercase();
        of_paths.entry(path).or_default().extend(sections_in(location, &declared));
    }
    for (path, sections) in &of_paths {
        problems.repeated(sections.iter().map(String::as_str), &format!("location[{path}]/"));
    }
    let groups = children(root, "configSections").flat_map(|node| children(node, "sectionGroup"));
    let groups: HashSet<&str> = groups.filter_map(|group| group.attribute("name")).collect();
    // A group may be given in several parts.
    let is_single = |tag: &&str| *tag != "location" && !sections::has_group(tag) && !groups.contains(tag);
    problems.repeated(tags(elements(root)).filter(is_single), "");
    if tags(elements(root)).skip(1).any(|tag| tag == "configSections") {
        problems.tell("configSections must be the first element".to_owned());
    }
    let is_nested = |location: Node<'_, '_>| {
        children(location, "location").next().is_some() || document.wrap_around(&location.range()).is_some()
    };
    if children(root, "location").any(is_nested) {
        problems.tell("a location stands within another one".to_owned());
    }
    for node in root.descendants().filter(|node| matches!(node.tag_name().name(), "configSections" | "sectionGroup")) {
        let group = node.attribute("name").map(|name| format!("/{name}")).unwrap_or_default();
        let declared = children(node, "section").filter_map(|section| section.attribute("name"));
        problems.repeated(declared, &format!("configSections{group}/"));
    }
    if root.namespaces().all(|space| space.uri() != TRANSFORM) {
        let declarations = Declarations::of(children(root, "configSections"));
        undeclared(root, (&declarations, above), "", &mut problems);
        for location in children(root, "location") {
            undeclared(location, (&declarations, above), "", &mut problems);
        }
    }
    if let Some((name, url)) = document.sdk_url()
        && !sdk_url::is_plausible(&url)
    {
        problems.tell(format!("{name} is no address of a web service; it is https://SERVER/DIRECTORY/PfWsSdk.asmx"));
    }
    problems.all
}

/// What a file declares at one level, by its name: the groups, and whether it is a section as well.
#[derive(Default)]
struct Declarations<'a, 'i>(HashMap<&'a str, (Vec<Node<'a, 'i>>, bool)>);

impl<'a, 'i: 'a> Declarations<'a, 'i> {
    fn of(around: impl Iterator<Item = Node<'a, 'i>>) -> Self {
        let mut own = Self::default();
        for node in around.flat_map(elements) {
            let Some(name) = node.attribute("name") else { continue };
            let (groups, is_section) = own.0.entry(name).or_default();
            if node.has_tag_name("sectionGroup") { groups.push(node) } else { *is_section = true }
        }
        own
    }
}

/// Sections that neither the file, nor one `above` it, nor the machine declares. `declared` are the declarations at this
/// level.
fn undeclared(
    parent: Node<'_, '_>,
    (declared, above): (&Declarations<'_, '_>, &BTreeSet<String>),
    path: &str,
    problems: &mut Problems,
) {
    for section in elements(parent) {
        let tag = section.tag_name().name();
        let (groups, is_section) = declared.0.get(tag).map_or((&[][..], false), |(groups, is)| (groups, *is));
        let path = format!("{path}{tag}");
        if sections::is_section(&path) || is_section || above.contains(&path) {
            continue;
        }
        if sections::knows_all_of(&path) || (!groups.is_empty() && !sections::has_group(&path)) {
            let groups = Declarations::of(groups.iter().copied());
            undeclared(section, (&groups, above), &format!("{path}/"), problems);
        } else if !sections::has_group(&path) {
            problems.tell(format!("{path} is used, but neither this file nor the machine declares such a section"));
        }
    }
}

/// What is no place of its own: the root, and each `location` of which that holds.
pub(crate) fn places_of_root<'a, 'i>(root: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    elements(root).filter(|node| wrapper::is_of_root(*node)).chain([root])
}

/// The sections outside of groups that a file declares.
pub(crate) fn declared<'a>(root: Node<'a, '_>) -> HashSet<&'a str> {
    let declarations = children(root, "configSections").flat_map(|node| children(node, "section"));
    declarations.filter_map(|section| section.attribute("name")).collect()
}

/// The sections among an element's children of which it is known that they are none of several, by their paths.
pub(crate) fn sections_in(parent: Node<'_, '_>, declared: &HashSet<&str>) -> BTreeSet<String> {
    /// Groups in groups.
    const INNER: [&str; 6] = ["caching", "management", "rewrite", "security", "tracing", "webdav"];
    let mut found = BTreeSet::new();
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
    let mut problems = Problems::default();
    repeated_values(root, &mut problems);
    problems.all
}

fn repeated_values(root: Node<'_, '_>, problems: &mut Problems) {
    problems.repeated(tags(children(root, "appSettings")), "");
    problems.repeated(tags(values::sections(root)), "applicationSettings/");
}

/// Whether a setting ends directly behind its value: the reader of the .NET Framework then skips its end tag.
pub(crate) fn is_tight(setting: Node<'_, '_>) -> bool {
    setting.last_child().is_some_and(|last| last.is_element() && last.tag_name().name() == "value")
}

fn tags<'a, 'input: 'a>(nodes: impl Iterator<Item = Node<'a, 'input>>) -> impl Iterator<Item = &'a str> {
    nodes.map(|node| node.tag_name().name())
}
