//! Random merges, written down for a reader that knows nothing of this program: each has a folder with `old.config`,
//! `base.config`, `new.config`, `merged.config`, and `changes.json`, which is the account of the merge.

use crate::draw::Draw;

use pfupgrade::webconfig::{Document, OnConflict, Rules, Sources};
use pfupgrade::webconfig::{check_merged, merge};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The sections that merges are made of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    AppSettings,
    ConnectionStrings,
    Settings,
    Web,
}

use Section::*;

/// What a file says: every value by its section and its name.
type Values = BTreeMap<(Section, &'static str), &'static str>;

const NAMES: [(Section, &[&str]); 4] = [
    (AppSettings, &["Theme", "SmtpHost", "ssl.required", "Key with blanks", "Größe", "a&b", "Password", "x"]),
    (ConnectionStrings, &["Main", "Other", "Größe", "a<b", "LocalSqlServer"]),
    (Settings, &["Url", "Limit", "Password", "Größe", "Empty"]),
    (Web, &["sessionState/@timeout", "sessionState/@mode", "customErrors/@mode", "pages/@theme", "trace/@enabled"]),
];

/// Awkward in an attribute, in a text, or in a comparison.
const VALUES: [&str; 12] =
    ["", "true", "True", "0", "a&b", "<z>", "x\"y'", "Ärger €", "a]]>b", " blanks ", "one\ntwo", "&amp;"];

fn one<T: Copy>(draw: &mut Draw, all: &[T]) -> T {
    all[draw.below(all.len())]
}

fn name(draw: &mut Draw) -> (Section, &'static str) {
    let (section, names) = one(draw, &NAMES);
    (section, one(draw, names))
}

fn shipped(draw: &mut Draw) -> Values {
    (0..draw.below(16)).map(|_| (name(draw), one(draw, &VALUES))).collect()
}

/// The same with a few values changed, added, or removed.
fn edited(shipped: &Values, draw: &mut Draw) -> Values {
    let mut values = shipped.clone();
    for _ in 0..draw.below(8) {
        let name = name(draw);
        match draw.below(3) {
            0 => values.remove(&name),
            _ => values.insert(name, one(draw, &VALUES)),
        };
    }
    values
}

/// How a file is written down.
struct Style {
    indent: &'static str,
    line_end: &'static str,
    has_comments: bool,
    /// What an empty section looks like.
    empty: Empty,
    has_mark: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Empty {
    Missing,
    OneTag,
    TwoTags,
}

impl Style {
    fn drawn(draw: &mut Draw) -> Self {
        Self {
            indent: one(draw, &["  ", "\t", ""]),
            line_end: one(draw, &["\n", "\r\n", ""]),
            has_comments: draw.below(3) == 0,
            empty: one(draw, &[Empty::Missing, Empty::OneTag, Empty::TwoTags]),
            has_mark: draw.below(4) == 0,
        }
    }
}

fn escaped(value: &str) -> String {
    let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    value.replace('"', "&quot;").replace('\n', "&#10;")
}

/// The lines of a section between its tags.
fn lines(values: &Values, section: Section, style: &Style, draw: &mut Draw) -> Vec<String> {
    let mut lines = Vec::new();
    let comment = |lines: &mut Vec<String>, draw: &mut Draw| {
        if style.has_comments && draw.below(4) == 0 {
            lines.push(format!("<!-- {} -->", one(draw, &["a note", "2014-06-12 as agreed", "do not touch"])));
        }
    };
    // That reader skips the end tag of a setting right behind its value, and everything up to the next one with it.
    let behind_value = if style.line_end.is_empty() { " " } else { "" };
    let mut elements: BTreeMap<&str, String> = BTreeMap::new();
    for ((_, name), value) in values.iter().filter(|((of, _), _)| *of == section) {
        let (called, value) = (escaped(name), escaped(value));
        match section {
            AppSettings => lines.push(format!("<add key=\"{called}\" value=\"{value}\" />")),
            ConnectionStrings => lines.push(format!("<add name=\"{called}\" connectionString=\"{value}\" />")),
            Settings => lines.extend([
                format!("<setting name=\"{called}\" serializeAs=\"String\">"),
                format!("{}<value>{value}</value>{behind_value}", style.indent),
                "</setting>".to_owned(),
            ]),
            Web => {
                let (element, attribute) = name.split_once("/@").unwrap();
                *elements.entry(element).or_default() += &format!(" {attribute}=\"{value}\"");
            }
        }
        comment(&mut lines, draw);
    }
    lines.extend(elements.iter().map(|(element, attributes)| format!("<{element}{attributes} />")));
    lines
}

fn written(values: &Values, style: &Style, draw: &mut Draw) -> String {
    const CLIENT: &str = "System.Configuration.ClientSettingsSection, System, Version=4.0.0.0";
    let mut all = vec![(0, r#"<?xml version="1.0" encoding="utf-8"?>"#.to_owned()), (0, "<configuration>".to_owned())];
    let mut put = |depth: usize, line: String| all.push((depth, line));
    put(1, "<configSections>".to_owned());
    put(2, r#"<sectionGroup name="applicationSettings">"#.to_owned());
    put(3, format!("<section name=\"Site.Settings\" type=\"{CLIENT}\" />"));
    put(2, "</sectionGroup>".to_owned());
    put(1, "</configSections>".to_owned());
    let paths: [(Section, &[&str]); 4] = [
        (AppSettings, &["appSettings"]),
        (ConnectionStrings, &["connectionStrings"]),
        (Web, &["system.web"]),
        (Settings, &["applicationSettings", "Site.Settings"]),
    ];
    for (section, path) in paths {
        let lines = lines(values, section, style, draw);
        let (inner, outer) = path.split_last().unwrap();
        if lines.is_empty() && style.empty == Empty::Missing {
            continue;
        }
        let depth = path.len();
        outer.iter().enumerate().for_each(|(at, tag)| put(at + 1, format!("<{tag}>")));
        match (lines.is_empty(), style.empty) {
            (true, Empty::OneTag) => put(depth, format!("<{inner} />")),
            (true, _) => put(depth, format!("<{inner}></{inner}>")),
            _ => {
                put(depth, format!("<{inner}>"));
                lines.into_iter().for_each(|line| put(depth + 1, line));
                put(depth, format!("</{inner}>"));
            }
        }
        outer.iter().enumerate().rev().for_each(|(at, tag)| put(at + 1, format!("</{tag}>")));
    }
    put(0, "</configuration>".to_owned());
    let mark = if style.has_mark { "\u{feff}" } else { "" };
    let lines = all.iter().map(|(depth, line)| format!("{}{line}{}", style.indent.repeat(*depth), style.line_end));
    mark.to_owned() + &lines.collect::<String>()
}

fn rules(draw: &mut Draw) -> Rules {
    Rules {
        on_conflict: one(draw, &[OnConflict::Stop, OnConflict::KeepNew, OnConflict::KeepOld]),
        strict: draw.below(2) == 0,
        ..Rules::default()
    }
}

/// Merges three random files and writes everything into a folder. Returns why not, if the merge refuses them.
pub fn write(folder: &Path, draw: &mut Draw) -> Result<(), String> {
    let base = shipped(draw);
    let all = [edited(&base, draw), base.clone(), edited(&base, draw)];
    // A version is written by one hand, unless the new one comes from elsewhere.
    let styles = [Style::drawn(draw), Style::drawn(draw)];
    let texts = [(0, 0), (1, 0), (2, draw.below(2))].map(|(file, style)| written(&all[file], &styles[style], draw));
    fs::create_dir_all(folder).unwrap();
    for (name, text) in ["old", "base", "new"].iter().zip(&texts) {
        fs::write(folder.join(format!("{name}.config")), text).unwrap();
    }
    let [old, base, new] = texts.map(|text| Document::parse(text.into_bytes(), "web.config").unwrap());
    let sources = Sources { old: &old, base: Some(&base), new: &new };
    let rules = rules(draw);
    let merged = merge(&sources, &rules).map_err(|error| error.to_string())?;
    check_merged(&merged.document, &new, &rules.declared_above).map_err(|error| error.to_string())?;
    fs::write(folder.join("merged.config"), merged.document.bytes()).unwrap();
    fs::write(folder.join("changes.json"), serde_json::to_vec(&merged.changes).unwrap()).unwrap();
    Ok(())
}
