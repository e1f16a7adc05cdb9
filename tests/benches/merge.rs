//! How long a merge of large files takes, against the time to parse them, and whether that grows with their size only.
//! The same copying of values with lxml is `merge_lxml.py` beside this file, run on the files that `--write DIR`
//! leaves.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on says so by panicking")]

use pfupgrade::webconfig::{Document, OnConflict, OtherChanges, Rules, SdkUrlRule, Sources, ThemeRule, merge};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;

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
    Rules {
        sdk_url: SdkUrlRule::Keep,
        theme: ThemeRule::Carry,
        other_changes: OtherChanges::Apply,
        on_conflict: OnConflict::KeepNew,
        strict: false,
        decisions: BTreeMap::new(),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--write") {
        let folder = Path::new(&arguments[at + 1]);
        for who in ["old", "base", "new"] {
            std::fs::write(folder.join(format!("{who}.config")), file(10 * MIB, who)).unwrap();
        }
        return;
    }
    let mut ten = Duration::ZERO;
    for size in [10, 30, 100] {
        let files = ["old", "base", "new"].map(|who| file(size * MIB, who));
        let parse = best(|| {
            time(|| files.each_ref().map(|text| roxmltree::Document::parse(text).unwrap().descendants().count())).0
        });
        let whole = best(|| {
            let bytes = files.each_ref().map(|text| text.clone().into_bytes());
            let (took, changes) = time(|| {
                let [old, base, new] = bytes.map(|bytes| Document::parse(bytes, "web.config").unwrap());
                merge(&Sources { old: &old, base: Some(&base), new: &new }, &rules()).unwrap().changes.len()
            });
            assert!(changes > size * 100, "{changes}");
            took
        });
        if size == 10 {
            ten = whole;
        }
        let (parses, growth) = (whole.as_secs_f64() / parse.as_secs_f64(), whole.as_secs_f64() / ten.as_secs_f64());
        println!(
            "three files of {size} MiB: parsed in {:.0} ms, read and merged in {:.0} ms, {parses:.2} times as long; \
             {growth:.1} times the time of 10 MiB",
            parse.as_secs_f64() * 1e3,
            whole.as_secs_f64() * 1e3,
        );
    }
}
