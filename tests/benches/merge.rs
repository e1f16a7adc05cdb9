//! How long a merge takes, against the time to parse the files, and whether twice the input takes twice the time. No
//! file is larger than the largest that is read; one in use has a few kilobytes. `--many [NAME]` merges files with many
//! of one kind only, `--shapes [NAME]` files that are hard in one way each. The same copying of values with lxml is `merge_lxml.py` beside this file, run on the files that
//! `--write DIR` leaves.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on says so by panicking")]

use pfupgrade::webconfig::{Document, OnConflict, Rules, Sources, merge};
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

const KIB: usize = 1 << 10;

/// About the largest file that is read.
const LARGEST: usize = 3 << 20;

/// A configuration of about that size: keys, collections of named elements, and sections with attributes. `who` has
/// changed every hundredth value of its own, and added one in a thousand.
fn file(size: usize, who: &str) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<configuration>\n  <appSettings>\n");
    let mut number = 0;
    let changed =
        |number: usize| if who != "base" && number % 100 == usize::from(who == "new") { who } else { "value" };
    while text.len() < size / 2 {
        let value = changed(number);
        writeln!(text, "    <add key=\"Setting.Of.The.Application.{number}\" value=\"{value} {number} &amp; more\" />")
            .unwrap();
        if who != "base" && number % 1000 == 7 {
            writeln!(text, "    <!-- {who} -->\n    <add key=\"{who}.{number}\" value=\"added\" />").unwrap();
        }
        number += 1;
    }
    text += "  </appSettings>\n  <system.web>\n    <profile>\n      <properties>\n";
    while text.len() < size {
        let value = changed(number);
        let attributes = format!("type=\"System.String\" defaultValue=\"{value}\" readOnly=\"false\"");
        writeln!(text, "        <add name=\"Property{number}\" {attributes} />").unwrap();
        number += 1;
    }
    text + "      </properties>\n    </profile>\n    <pages theme=\"Default\" />\n  </system.web>\n</configuration>\n"
}

/// Files that are hard in one way: each as the old one, as shipped and as the new one.
fn shapes(size: usize) -> Vec<(&'static str, [String; 3])> {
    let whole = |inner: &str| format!("<configuration>\n{inner}</configuration>\n");
    let many = |each: &dyn Fn(usize) -> String| {
        let mut text = String::new();
        for number in (0..).take_while({
            let mut at = 0;
            move |number| {
                at += each(*number).len();
                at < size
            }
        }) {
            text += &each(number);
        }
        text
    };
    let around = |tag: &str, inner: &str| whole(&format!("  <{tag}>\n{inner}  </{tag}>\n"));
    let lines = |text: &str, keep: &dyn Fn(usize) -> bool| -> String {
        text.lines().enumerate().filter(|(at, _)| keep(*at)).map(|(_, line)| format!("{line}\n")).collect()
    };
    let reversed = |text: &str| text.lines().rev().map(|line| format!("{line}\n")).collect::<String>();
    let same = |text: String| [text.clone(), text.clone(), text];
    let keys = many(&|at| format!("    <add key=\"key{at}\" value=\"value {at}\" />\n"));
    let named = many(&|at| format!("    <item name=\"item{at}\" type=\"a{}\" />\n", at % 7));
    let nameless = many(&|at| format!("    <item type=\"a{at}\" />\n"));
    let settings = many(&|at| {
        format!(
            "      <setting name=\"s{at}\" serializeAs=\"String\">\n        <value>v{at}</value>\n      </setting>\n"
        )
    });
    let comments = many(&|at| format!("    <!-- comment {at} of many -->\n"));
    let heads = many(&|at| format!("    <remove key=\"key{at}\" />\n"));
    let locations = many(&|at| {
        format!(
            "  <location path=\"p{at}\">\n    <system.web>\n      <pages theme=\"t\" />\n    </system.web>\n  </location>\n"
        )
    });
    let nested = |leaf: &str| {
        let chain = |at: usize| {
            let (open, close) = ("<a>".repeat(240), "</a>".repeat(240));
            format!("<chain name=\"c{at}\">{open}<b c=\"{leaf}\">{at}</b>{close}</chain>\n")
        };
        around("chains", &many(&chain))
    };
    let wide = |value: &str| {
        let all: String = (0..250).map(|at| format!(" a{at}=\"{value}{at}\"")).collect();
        around("wide", &many(&|at| format!("    <item name=\"n{at}\"{all} />\n")))
    };
    let large = |last: char| format!("{}{last}", "a value of many words ".repeat(size / 22));
    let app = |inner: &str| around("appSettings", inner);
    let list = |inner: &str| around("list", inner);
    let group = |inner: &str| {
        whole(&format!("  <applicationSettings>\n    <a.S>\n{inner}    </a.S>\n  </applicationSettings>\n"))
    };
    let tags = many(&|at| format!("    <tag{at} name=\"n\" />\n"));
    let minified = |text: &str| text.lines().map(str::trim).collect::<String>();
    let edited = |text: &str, from: &str, to: &str| text.replace(from, to);
    vec![
        ("keys, all the same", same(app(&keys))),
        ("keys, all changed", [app(&edited(&keys, "value ", "other ")), app(&keys), app(&keys)]),
        (
            "keys, changed by both",
            [edited(&keys, "value ", "o "), keys.clone(), edited(&keys, "value ", "n ")].map(|it| app(&it)),
        ),
        ("keys, all removed", [app(""), app(&keys), app(&keys)]),
        ("keys, all added", [app(&keys), app(""), app("")]),
        (
            "keys, half added",
            [app(&keys), app(&lines(&keys, &|at| at % 2 == 0)), app(&lines(&keys, &|at| at % 2 == 0))],
        ),
        ("keys, reversed", [app(&reversed(&keys)), app(&keys), app(&keys)]),
        (
            "keys, on one line, half removed",
            [lines(&keys, &|at| at % 2 == 0), keys.clone(), keys.clone()].map(|it| app(&minified(&it))),
        ),
        ("one key again and again", same(app(&many(&|at| format!("    <add key=\"key\" value=\"value {at}\" />\n"))))),
        (
            "keys and clear in turn",
            same(app(&many(&|at| format!("    <add key=\"key{at}\" value=\"v\" />\n    <clear />\n")))),
        ),
        ("remove, all removed", [app(""), app(&heads), app(&heads)]),
        ("remove, all added", [app(&heads), app(""), app("")]),
        ("items, all changed", [list(&edited(&named, "=\"a", "=\"b")), list(&named), list(&named)]),
        ("items, all removed", [list(""), list(&named), list(&named)]),
        ("items, every second removed", [list(&lines(&named, &|at| at % 2 == 0)), list(&named), list(&named)]),
        ("items, all added", [list(&named), list("    <item name=\"x\" />\n"), list("    <item name=\"x\" />\n")]),
        (
            "items, all added, on one line",
            [named.clone(), String::new(), String::new()].map(|it| list(&minified(&(it + "<item name=\"x\" />")))),
        ),
        ("items, reversed", [list(&reversed(&named)), list(&named), list(&named)]),
        ("items, all replaced", [list(&edited(&named, "\"item", "\"own")), list(&named), list(&named)]),
        ("items of text, every second removed", {
            let texts = many(&|at| format!("    <path>p{at}</path>\n"));
            [list(&lines(&texts, &|at| at % 2 == 0)), list(&texts), list(&texts)]
        }),
        ("items of text, all changed", {
            let texts = many(&|at| format!("    <path>p{at}</path>\n"));
            [list(&edited(&texts, ">p", ">q")), list(&texts), list(&texts)]
        }),
        (
            "rules, added by both sides",
            ["own", "rule", "new"].map(|who| {
                let rules = if who == "rule" { String::new() } else { edited(&named, "item", who) };
                around("rules", &rules)
            }),
        ),
        (
            "nameless items, every second removed",
            [list(&lines(&nameless, &|at| at % 2 == 0)), list(&nameless), list(&nameless)],
        ),
        ("one item again and again", same(list(&many(&|_| "    <item type=\"a\" />\n".to_owned())))),
        ("one item again and again, one less", {
            let all = many(&|_| "    <item type=\"a\" />\n".to_owned());
            [list(&lines(&all, &|at| at > 0)), list(&all), list(&all)]
        }),
        ("tags of their own, renamed", [list(&edited(&tags, "\"n\"", "\"m\"")), list(&tags), list(&tags)]),
        ("settings, all changed", [group(&edited(&settings, ">v", ">w")), group(&settings), group(&settings)]),
        ("settings, all removed", [group(""), group(&settings), group(&settings)]),
        ("settings, all added", [group(&settings), group(""), group("")]),
        ("sections of settings", {
            let all = many(&|at| {
                format!("    <s{at}><setting name=\"n\" serializeAs=\"String\"><value>v</value></setting></s{at}>\n")
            });
            [edited(&all, ">v<", ">w<"), all.clone(), all].map(|it| around("applicationSettings", &it))
        }),
        (
            "comments, all added",
            [
                app(&format!("{comments}    <add key=\"a\" value=\"2\" />\n")),
                app("    <add key=\"a\" value=\"1\" />\n"),
                app("    <add key=\"a\" value=\"1\" />\n"),
            ],
        ),
        ("comments at the end, all added", {
            let key = "    <add key=\"a\" value=\"1\" />\n";
            [app(&format!("{key}{comments}")), app(key), app(key)]
        }),
        ("comments at the end, added by both sides", {
            let key = "    <add key=\"a\" value=\"1\" />\n";
            let theirs = edited(&comments, "comment", "remark");
            [app(&format!("{key}{comments}")), app(key), app(&format!("{key}{theirs}"))]
        }),
        ("keys, all but one added", {
            let key = "    <add key=\"a\" value=\"1\" />\n";
            [app(&format!("{key}{keys}")), app(key), app(key)]
        }),
        ("items, all but one added, behind comments", {
            let item = "    <item name=\"a\" />\n";
            [list(&format!("{item}{named}")), list(item), list(&format!("{item}{comments}"))]
        }),
        ("comments between items, all removed", {
            let all = many(&|at| format!("    <!-- c{at} -->\n    <item name=\"i{at}\" />\n"));
            [list(""), list(&all), list(&all)]
        }),
        (
            "locations, all changed",
            [edited(&locations, "\"t\"", "\"u\""), locations.clone(), locations.clone()].map(|it| whole(&it)),
        ),
        ("locations, all added", [whole(&locations), whole(""), whole("")]),
        ("deep, all changed", [nested("2"), nested("1"), nested("1")]),
        ("wide, all changed", [wide("w"), wide("v"), wide("v")]),
        (
            "one large value",
            ['a', 'b', 'b'].map(|last| app(&format!("    <add key=\"a\" value=\"{}\" />\n", large(last)))),
        ),
        ("one large text", ['a', 'b', 'b'].map(|last| list(&format!("<text>{}</text>", large(last))))),
        (
            "one large name",
            ['a', 'b', 'b'].map(|last| list(&format!("<item name=\"{}\"><b c=\"{last}\" /></item>", large('x')))),
        ),
        ("namespaces", {
            let all = many(&|at| format!("    <n:item xmlns:n=\"urn:n\" name=\"i{at}\" type=\"a\" />\n"));
            [list(&edited(&all, "\"a\"", "\"b\"")), list(&all), list(&all)]
        }),
        ("references", same(app(&many(&|at| format!("    <add key=\"k{at}\" value=\"&lt;&amp;&#65;&gt;\" />\r\n"))))),
    ]
}

/// Writes an element, by its number and a value.
type One<'a> = &'a dyn Fn(usize, &str) -> String;

/// Many of one kind: each as the old file, as shipped and as the new one. Each of the two sides has some of its own.
fn many(name: &str, count: usize) -> Vec<(String, [String; 3])> {
    let (list, one): (&str, One<'_>) = match name {
        "locations" => ("", &|at, value| {
            let section = format!("<system.web><pages theme=\"{value}\" /></system.web>");
            format!("  <location path=\"p{at}\">{section}</location>\n")
        }),
        "authorization rules" => ("system.web/authorization", &|at, value| match value {
            "c" => format!("    <deny users=\"u{at}\" />\n"),
            _ => format!("    <allow users=\"{value}{at}\" />\n"),
        }),
        "rewrite rules" => ("system.webServer/rewrite/rules", &|at, value| {
            format!("    <rule name=\"r{at}\"><match url=\"{value}\" /><action type=\"None\" /></rule>\n")
        }),
        "keys" => ("appSettings", &|at, value| format!("    <add key=\"k{at}\" value=\"{value}\" />\n")),
        "settings" => ("applicationSettings/a.S", &|at, value| {
            format!("    <setting name=\"s{at}\" serializeAs=\"String\"><value>{value}</value></setting>\n")
        }),
        "comments" => ("appSettings", &|at, value| {
            format!("    <!-- {value} {at} -->\n    <add key=\"k{}\" value=\"v\" />\n", at / 50)
        }),
        "items" => ("system.web/list", &|at, value| format!("    <item type=\"{value}{at}\" />\n")),
        _ => ("system.web/list", &|at, value| format!("    <remove name=\"{value}{at}\" />\n")),
    };
    let file = |inner: String| {
        let open: String = list.split('/').filter(|tag| !tag.is_empty()).map(|tag| format!("  <{tag}>\n")).collect();
        let close: String = list.rsplit('/').filter(|tag| !tag.is_empty()).map(|tag| format!("  </{tag}>\n")).collect();
        format!("<configuration>\n{open}{inner}{close}</configuration>\n")
    };
    let all = |value: &str| (0..count).map(|at| one(at, value)).collect::<String>();
    let some = |step: usize, value: &str, other: &str| {
        (0..count).map(|at| one(at, if at % step == 0 { other } else { value })).collect::<String>()
    };
    let every = |step: usize| (0..count).filter(|at| at % step == 0).map(|at| one(at, "v")).collect::<String>();
    let reversed = || (0..count).rev().map(|at| one(at, "v")).collect::<String>();
    let theirs = || (count..2 * count).map(|at| one(at, "w")).collect::<String>();
    let cases = [
        ("some changed by each side", [some(10, "v", "c"), all("v"), some(9, "v", "d")]),
        ("added", [all("v"), String::new(), String::new()]),
        ("half added", [all("v"), every(2), every(2)]),
        ("added by both sides", [all("v"), String::new(), theirs()]),
        ("removed", [String::new(), all("v"), all("v")]),
        (
            "every third removed, another one added by the new version",
            [(0..count).filter(|at| at % 3 != 0).map(|at| one(at, "v")).collect(), all("v"), all("v") + &theirs()],
        ),
        ("all replaced by others", [theirs(), all("v"), all("v")]),
        ("reversed", [reversed(), all("v"), all("v")]),
    ];
    cases.into_iter().map(|(case, files)| (format!("{count} {name}, {case}"), files.map(file))).collect()
}

/// How many of each kind a file has at most that anybody has ever seen, and more.
const MANY: [(&str, usize); 8] = [
    ("locations", 20_000),
    ("authorization rules", 30_000),
    ("rewrite rules", 20_000),
    ("keys", 50_000),
    ("settings", 20_000),
    ("comments", 5_000),
    ("items", 20_000),
    ("removes", 20_000),
];

/// Merges each pair of a smaller and a twice as large triple: what takes more than twice the time is to be looked at.
fn measure(pairs: impl Iterator<Item = (String, [String; 3], [String; 3])>, wanted: &str) {
    println!("{:84} {:>9} {:>9} {:>7} {:>8}", "case", "parse", "merge", "growth", "changes");
    for (name, half, whole) in pairs.filter(|(name, ..)| name.contains(wanted)) {
        let took = |files: &[String; 3]| best(|| merged(files).0);
        let (smaller, larger, changes) = (took(&half), took(&whole), merged(&whole).1);
        let parse = time(|| whole.each_ref().map(|text| drop(roxmltree::Document::parse(text)))).0;
        let growth = larger.as_secs_f64() / smaller.as_secs_f64();
        let [parse, larger] = [parse, larger].map(|took| took.as_secs_f64() * 1e3);
        println!("{name:84} {parse:6.0} ms {larger:6.0} ms {growth:7.2} {changes:8}");
    }
}

/// The time to read and merge three files, and how many differences they have.
fn merged(files: &[String; 3]) -> (Duration, usize) {
    let bytes = files.each_ref().map(|text| text.clone().into_bytes());
    time(|| {
        let [old, base, new] = bytes.map(|bytes| Document::parse(bytes, "web.config").unwrap());
        merge(&Sources { old: &old, base: Some(&base), new: &new }, &rules()).unwrap().changes.len()
    })
}

fn time<T>(what: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let result = what();
    (begun.elapsed(), result)
}

/// The best of three: other work on the machine only ever adds time.
fn best(what: impl Fn() -> Duration) -> Duration {
    (0..3).map(|_| what()).min().unwrap()
}

fn rules() -> Rules {
    Rules { on_conflict: OnConflict::KeepNew, ..Rules::default() }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--write") {
        let folder = Path::new(&arguments[at + 1]);
        for who in ["old", "base", "new"] {
            std::fs::write(folder.join(format!("{who}.config")), file(LARGEST, who)).unwrap();
        }
        return;
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "--shapes") {
        // What both sides add is in one file then.
        let both = shapes(LARGEST / 4).into_iter().zip(shapes(LARGEST / 2));
        let both = both.map(|((name, half), (_, whole))| (name.to_owned(), half, whole));
        return measure(both, arguments.get(at + 1).map_or("", String::as_str));
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "--many") {
        return measure_many(arguments.get(at + 1).map_or("", String::as_str));
    }
    for size in [20, 250, 1500, 3000] {
        let files = ["old", "base", "new"].map(|who| file(size * KIB, who));
        let parse = best(|| {
            time(|| files.each_ref().map(|text| roxmltree::Document::parse(text).unwrap().descendants().count())).0
        });
        let whole = best(|| merged(&files).0);
        println!(
            "three files of {size} KiB: parsed in {:.1} ms, read and merged in {:.1} ms",
            parse.as_secs_f64() * 1e3,
            whole.as_secs_f64() * 1e3,
        );
    }
    measure_many("");
}

fn measure_many(wanted: &str) {
    let both = MANY.into_iter().flat_map(|(name, count)| many(name, count / 2).into_iter().zip(many(name, count)));
    measure(both.map(|((_, half), (name, whole))| (name, half, whole)), wanted);
}
