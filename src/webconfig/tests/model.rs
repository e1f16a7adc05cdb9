//! A configuration as a plain tree, edits of it, and ways to write it down: what the properties of the merge are told
//! in.

use crate::webconfig::text::encoding::Encoding;
use proptest::prelude::*;
use roxmltree::Node;
use std::collections::BTreeMap;

/// A file in the shape that real ones have.
const TEMPLATE: &str = include_str!("template.config");

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Element {
    pub(super) tag: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    pub(super) fn shipped() -> Self {
        Self::read(TEMPLATE.as_bytes())
    }

    /// Reads a file, comments and layout aside.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let (_, text) = crate::webconfig::text::encoding::decode(bytes).unwrap();
        Self::of(roxmltree::Document::parse(&text).unwrap().root_element())
    }

    fn of(node: Node<'_, '_>) -> Self {
        let attribute = |it: roxmltree::Attribute<'_, '_>| (it.name().to_owned(), it.value().to_owned());
        let text: String = node.children().filter(Node::is_text).filter_map(|child| child.text()).collect();
        let children: Vec<Self> = node.children().filter(Node::is_element).map(Self::of).collect();
        Self {
            tag: node.tag_name().name().to_owned(),
            attributes: node.attributes().map(attribute).collect(),
            text: if children.is_empty() && node.has_tag_name("value") { text } else { text.trim().to_owned() },
            children,
        }
    }

    /// What the element is called in its parent.
    pub(super) fn step(&self) -> String {
        let named = |name: &str| self.attributes.get(name).map(|value| format!("{}[{value}]", self.tag));
        let own = match self.tag.as_str() {
            "add" if self.attributes.contains_key("assembly") => named("assembly"),
            "add" if self.attributes.contains_key("namespace") => named("namespace"),
            "forms" => return self.tag.clone(),
            "location" => named("path"),
            "remove" if self.attributes.contains_key("fileExtension") => named("fileExtension"),
            "mimeMap" => named("fileExtension"),
            "error" => named("statusCode"),
            "dependentAssembly" => {
                let identity = self.children.iter().find(|child| child.tag == "assemblyIdentity");
                identity.map(|identity| format!("{}[{}]", self.tag, identity.attributes["name"]))
            }
            "add" | "allow" | "deny" | "remove" => {
                let all: Vec<String> = self.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
                Some(format!("{}[{}]", self.tag, all.join(",")))
            }
            _ => None,
        };
        named("key").or_else(|| named("name")).or(own).unwrap_or_else(|| self.tag.clone())
    }

    pub(super) fn child(&self, step: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.step() == step)
    }

    /// The same tree with the children of every element in one order.
    pub(super) fn sorted(mut self) -> Self {
        self.children = self.children.into_iter().map(Self::sorted).collect();
        self.children.sort_by_key(Self::step);
        self
    }

    fn count(&self) -> usize {
        1 + self.children.iter().map(Self::count).sum::<usize>()
    }

    /// The element at a place in the order of the file, with the path of its parent.
    fn at(&mut self, place: usize, path: &str) -> (&mut Self, String) {
        let mut left = place;
        if left == 0 {
            return (self, path.to_owned());
        }
        left -= 1;
        let own = if path.is_empty() { self.tag.clone() } else { format!("{path}/{}", self.tag) };
        for child in &mut self.children {
            let count = child.count();
            if left < count {
                return child.at(left, &own);
            }
            left -= count;
        }
        unreachable!("there are fewer elements than {place}")
    }

    fn takes_back(&self) -> bool {
        matches!(self.tag.as_str(), "clear" | "remove")
    }

    /// Does one edit, where it makes sense there.
    pub(super) fn edit(&mut self, edit: Edit) {
        let Edit { kind, place, value } = edit;
        let count = self.count();
        let (element, path) = self.at(usize::from(place) % count, "");
        let is_value =
            path.starts_with("configuration/appSettings") || path.starts_with("configuration/applicationSettings");
        let is_shell =
            matches!(element.tag.as_str(), "configuration" | "appSettings" | "applicationSettings" | "configSections")
                || path == "configuration/applicationSettings";
        let is_fixed = path.contains("assemblyBinding") || matches!(element.tag.as_str(), "setting" | "value");
        let free = |name: &&String| {
            let keys = ["key", "name", "path", "fileExtension", "statusCode", "id", "assembly", "namespace"];
            !keys.contains(&name.as_str())
        };
        // Elements that are called by all their attributes would be others with another.
        let is_called_by_all = element.step().contains('=');
        let names: Vec<String> = element.attributes.keys().filter(free).cloned().collect();
        let name = names.get(usize::from(value) % names.len().max(1)).cloned();
        match kind % 7 {
            0 | 1 if !is_fixed && !is_called_by_all => {
                if let Some(name) = name {
                    element.attributes.insert(name, value_of(value));
                }
            }
            2 if !is_shell && !is_fixed && !is_called_by_all => {
                let value = value % 4;
                element.attributes.insert(format!("own{value}"), value_of(value));
            }
            3 if !is_shell && !is_fixed && !is_called_by_all && !is_value => {
                name.and_then(|name| element.attributes.remove(&name));
            }
            4 if !(is_fixed || is_value && element.tag == "add" || element.tag == "configuration") => {
                let value = value % 4;
                let id = match element.tag.as_str() {
                    "appSettings" => "key",
                    "namespaces" => "namespace",
                    "assemblies" => "assembly",
                    _ => "name",
                };
                let attributes = [(id.to_owned(), format!("added{value}")), ("value".to_owned(), value_of(value))];
                let new = Self {
                    tag: "add".to_owned(),
                    attributes: attributes.into(),
                    text: String::new(),
                    children: vec![],
                };
                let is_section = path == "configuration/applicationSettings";
                let is_empty = matches!(element.tag.as_str(), "clear" | "remove" | "system.web" | "location");
                let can = !is_empty && element.text.is_empty() && element.tag != "applicationSettings" && !is_section;
                if can && element.child(&new.step()).is_none() {
                    // The reference does not know what is taken back of what stands before.
                    let first = element.children.iter().rposition(Self::takes_back).map_or(0, |at| at + 1);
                    let at = first + usize::from(place) % (element.children.len() + 1 - first);
                    element.children.insert(at, new);
                }
            }
            5 if element.children.is_empty() && !element.text.is_empty() => element.text = value_of(value),
            6 if !element.children.is_empty() => {
                let at = usize::from(value) % element.children.len();
                let child = &element.children[at];
                let is_shell = matches!(
                    child.tag.as_str(),
                    "appSettings" | "applicationSettings" | "configSections" | "value" | "assemblyIdentity"
                ) || element.tag == "applicationSettings";
                if value < 96 && !is_shell {
                    element.children.remove(at);
                } else if value >= 96 && element.tag != "configuration" {
                    let other = usize::from(place) % element.children.len();
                    let is_free =
                        element.children[at.min(other)..=at.max(other)].iter().all(|child| !child.takes_back());
                    if is_free {
                        element.children.swap(at, other);
                    }
                }
            }
            _ => {}
        }
    }
}

fn value_of(value: u8) -> String {
    ["true", "a&b", "", "x\"y'", "<z>", " é ", "40", "€\u{e4}", "a]]>b", "line\nline"][usize::from(value) % 10]
        .to_owned()
}

/// One edit: what is done, at which element, and with what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edit {
    kind: u8,
    place: u16,
    value: u8,
}

pub(super) fn edits(most: usize) -> impl Strategy<Value = Vec<Edit>> {
    let edit = (any::<u8>(), any::<u16>(), any::<u8>()).prop_map(|(kind, place, value)| Edit { kind, place, value });
    prop::collection::vec(edit, 0..most)
}

/// How a tree is written down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    seed: u32,
    unit: &'static str,
    line_end: &'static str,
    encoding: &'static str,
    has_comments: bool,
}

pub(super) fn style() -> impl Strategy<Value = Style> {
    let line_end = prop::sample::select(vec!["\n", "\r\n", "mixed"]);
    let encoding = prop::sample::select(vec!["utf-8", "marked", "utf-16", "utf-16be", "windows-1252", "us-ascii"]);
    (any::<u32>(), prop::sample::select(vec!["  ", "\t", "    "]), line_end, encoding)
        .prop_map(|(seed, unit, line_end, encoding)| Style { seed, unit, line_end, encoding, has_comments: true })
}

impl Style {
    pub(super) fn without_comments(self) -> Self {
        Self { has_comments: false, ..self }
    }
}

pub(super) const PLAIN: Style = Style { seed: 0, unit: "  ", line_end: "\n", encoding: "utf-8", has_comments: false };

struct Writer {
    style: Style,
    state: u32,
    out: String,
}

impl Element {
    pub(super) fn write(&self, style: Style) -> Vec<u8> {
        let mut writer = Writer { style, state: style.seed | 1, out: String::new() };
        let declared = if style.encoding == "marked" { "utf-8" } else { style.encoding.trim_end_matches("be") };
        writer.out = format!("<?xml version=\"1.0\" encoding=\"{declared}\"?>\n");
        writer.element(self, 0);
        let mut text = writer.out + "\n";
        if style.line_end != "\n" {
            let ends: &[&str] = if style.line_end == "mixed" { &["\n", "\r\n", "\r\n"] } else { &["\r\n"] };
            let lines = text.split_inclusive('\n').zip(ends.iter().cycle());
            text = lines.map(|(line, end)| line.replace('\n', end)).collect();
        }
        let encoding = match style.encoding {
            "marked" => return [&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat(),
            "utf-16" => return [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect(),
            "utf-16be" => return [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect(),
            "windows-1252" => Encoding::CodePage { page: encoding_rs::WINDOWS_1252, mark: false },
            "us-ascii" => Encoding::Direct { last: 0x7F, mark: false },
            _ => return text.into_bytes(),
        };
        encoding.encode(text)
    }
}

impl Writer {
    /// A number below `below`; always 0 for the plain style.
    fn chance(&mut self, below: u32) -> u32 {
        if self.style.seed == 0 {
            return 0;
        }
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        self.state % below
    }

    fn element(&mut self, element: &Element, depth: usize) {
        self.out += &format!("<{}", element.tag);
        match element.tag.as_str() {
            "assemblyBinding" => self.out += r#" xmlns="urn:schemas-microsoft-com:asm.v1""#,
            "nlog" => self.out += r#" xmlns="http://www.nlog-project.org/schemas/NLog.xsd""#,
            _ => {}
        }
        for (name, value) in &element.attributes {
            let quote = if self.chance(3) == 1 { '\'' } else { '"' };
            let value = self.escaped(value, quote);
            self.out += &format!(" {name}={quote}{value}{quote}");
        }
        let line = |writer: &mut Self, depth: usize| writer.out += &format!("\n{}", writer.style.unit.repeat(depth));
        if element.children.is_empty() && element.text.is_empty() {
            let end = if self.chance(2) == 0 { " />" } else { "/>" };
            self.out += end;
            return;
        }
        self.out.push('>');
        if !element.text.is_empty() {
            let is_data = self.chance(4) == 1 && element.text.is_ascii() && !element.text.contains("]]>");
            let text = if is_data { format!("<![CDATA[{}]]>", element.text) } else { self.escaped(&element.text, '<') };
            self.out += &text;
        }
        for child in &element.children {
            line(self, depth + 1);
            if self.chance(12) == 1 && self.style.has_comments {
                self.out += "<!-- a note -->";
                line(self, depth + 1);
            }
            self.element(child, depth + 1);
            if self.chance(16) == 1 && self.style.has_comments {
                self.out += " <!-- behind -->";
            }
        }
        if !element.children.is_empty() {
            line(self, depth);
        }
        self.out += &format!("</{}>", element.tag);
    }

    fn escaped(&mut self, value: &str, quote: char) -> String {
        let mut escaped = String::new();
        for c in value.chars() {
            match c {
                '&' => escaped += "&amp;",
                '<' => escaped += "&lt;",
                '>' => escaped += "&gt;",
                '\n' => escaped += "&#10;",
                c if c == quote => escaped += &format!("&#{};", u32::from(c)),
                c if self.chance(20) == 1 => escaped += &format!("&#x{:x};", u32::from(c)),
                c => escaped.push(c),
            }
        }
        escaped
    }
}
