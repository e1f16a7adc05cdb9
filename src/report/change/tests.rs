use super::*;
use crate::journal::{Answered, Failed};
use crate::webconfig::{Change, DiffLine, Fate, LineKind, Shown};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// ChangeReport with the same text wherever a machine, a plan or a person can put one.
fn report(text: &str) -> ChangeReport {
    let of = || text.to_owned();
    let time = Timestamp::UNIX_EPOCH;
    let change = Change {
        path: of(),
        old: Shown::Plain(of()),
        new: Shown::Absent,
        result: Shown::Masked,
        fate: Fate::Reported { why: of() },
    };
    let line = |kind| DiffLine { kind, text: of() };
    let failed = Failed { time, step: StepId::named(text), why: of(), advice: of(), log: vec![of()] };
    let mut story = RunState::default();
    story.gates = vec![Answered { time, gate: of(), by: of(), user: Some(of()) }];
    story.failures = vec![failed];
    ChangeReport {
        format: 1,
        kind: "report",
        run: of(),
        machine: of(),
        windows: of(),
        simulated: true,
        ticket: Some(of()),
        user: Some(of()),
        program: of(),
        begun: time,
        verdict: Verdict { tone: Tone::Bad, word: "Failed", says: of() },
        components: vec![ComponentReport {
            id: of(),
            title: "server",
            found: of(),
            location: of(),
            fate: of(),
            before: of(),
            intended: of(),
            now: Now::Installing,
        }],
        activation: Some(ActivationReport { how: ActivationEnd::Confirmed, time: Some(time), says: of() }),
        verified: Some(ChecksReport { time, checks: vec![Checked { what: of(), fault: Some(of()) }] }),
        web: vec![WebReport { title: "User Portal", before: Some(application(text)), after: None }],
        themes: vec![ThemeReport { time, from: of(), to: of() }],
        installers_used: vec![UsedInstallerReport {
            time,
            step: of(),
            by_hand: true,
            file: Some(of()),
            product: Some(of()),
            signed_by: Some(of()),
            size: Some(1),
            sha256: Some(of()),
            end: "unknown",
            says: of(),
        }],
        by_hand: vec![FollowUp { title: of(), lines: vec![of()] }],
        story,
        settings: vec![SettingsReport {
            before: of(),
            after: of(),
            changes: vec![change],
            diff: vec![line(LineKind::Added), line(LineKind::Removed), line(LineKind::Context)],
        }],
        findings: vec![Finding::warn("service-retired", text).evidence([text]).advice(text)],
        installers: vec![InstallerReport { time, step: of(), what: of(), lines: vec![of()] }],
        backups: vec![BackupReport { time, of: of(), to: of(), size: None, sha256: Some(of()) }],
        plan_name: Some(of()),
        plan: of(),
        approved: Some(of()),
        backup: of(),
        journal: of(),
        time: ServerTime::default(),
    }
}

fn application(text: &str) -> IisFacts {
    let of = || text.to_owned();
    let settings = BTreeMap::from([(of(), of())]);
    IisFacts { site: of(), path: of(), folder: of(), pool: of(), settings }
}

/// How often each element, with its attributes' names, is in a page; the page is well-formed XML behind its first line.
fn elements(page: &str) -> Vec<String> {
    let page = page.split_once('\n').expect("a document type").1;
    let tree = roxmltree::Document::parse(page).unwrap_or_else(|error| panic!("{error}\n{page}"));
    let name = |node: roxmltree::Node<'_, '_>| {
        let attributes: Vec<&str> = node.attributes().map(|attribute| attribute.name()).collect();
        format!("{} {}", node.tag_name().name(), attributes.join(" "))
    };
    // Where a long word may be broken depends on the word; what stands in backticks is code.
    let counts = |name: &String| !name.starts_with("wbr") && !name.starts_with("code");
    tree.descendants().filter(|node| node.is_element()).map(name).filter(counts).collect()
}

const HOSTILE: [&str; 8] = [
    "</td></tr></table><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</style><style>*{display:none}</style>",
    "<!-- --> ]]> &lt; &#60;script&#62;",
    "| a | b |\n# heading\n```\n[x](javascript:alert(1))",
    "\u{202e}gpj.exe\u{0}\u{1b}[2J\u{feff}",
    "`<b>` and ` <i>",
];

#[test]
fn hostile_text_never_becomes_markup() {
    let expected = elements(&report("x").html());
    for text in HOSTILE {
        let page = report(text).html();
        assert_eq!(elements(&page), expected, "{text:?}");
        assert!(!page.contains("<script") && !page.contains("<img"), "{text:?}");
        assert!(!page.contains(['\u{202e}', '\u{0}', '\u{1b}']), "{text:?}");
    }
}

#[test]
fn hostile_text_never_becomes_a_mark_of_markdown() {
    let lines = |text: &str| report(text).markdown().lines().count();
    for text in HOSTILE {
        let markdown = report(text).markdown();
        if !text.contains('\n') {
            assert_eq!(markdown.lines().count(), lines("x"), "{text:?}");
        }
        // What stands between fences is as it is.
        let mut fence = String::new();
        let is_outside = |line: &&str| {
            let marks: String = line.chars().take_while(|c| *c == '`').collect();
            let is_fence = marks.len() >= 3 && (fence.is_empty() || *line == fence);
            if is_fence {
                fence = if fence.is_empty() { marks } else { String::new() };
            }
            fence.is_empty() && !is_fence
        };
        let outside: Vec<&str> = markdown.lines().filter(is_outside).collect();
        for line in outside.iter().filter(|line| line.starts_with('|')) {
            // Every row of a table has as many cells as one without anything special.
            let bars = line.replace("\\|", "").matches('|').count();
            assert!((3..=6).contains(&bars), "{text:?}: {line}");
        }
        // Nor is what stands between backticks, of which there are as many as the text needs.
        let marks = |line: &&&str| line.split("````").step_by(2).any(|plain| plain.contains("[x](java"));
        let linked: Vec<&&str> = outside.iter().filter(marks).collect();
        assert!(linked.is_empty(), "{text:?}: {linked:?}");
    }
}

proptest! {
    #[test]
    fn whatever_the_text_the_page_has_the_same_elements(text in "[^\n]{1,20}") {
        prop_assert_eq!(elements(&report(&text).html()), elements(&report("x").html()));
    }
}

#[test]
fn nothing_is_asked_for_from_outside() {
    let page = report("x").html();
    for outside in ["http:", "https:", "url(", "@import", "src=", "<script"] {
        assert!(!page.contains(outside), "{outside}");
    }
}
