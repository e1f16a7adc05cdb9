//! Parses the bytes of a plan file into a [`Plan`], or into all errors of the file.

use super::reader::{Argument, Id, Problem, Reader, Table};
use super::{
    Backup, Common, Component, FORMAT, GateId, Hook, Merge, Plan, Portal, Preflight, Sdk, Server, Skip, Verification,
    Web,
};
use super::{Decision, Diagnostics, When, check};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Duration,
};
use toml::de::DeTable;

/// Larger files are not plans.
/// No plan is larger than this, in bytes.
pub const LARGEST: usize = 1024 * 1024;

/// Longer lines are not written by hand, and each may be shown many times.
const LONGEST_LINE: usize = 4096;

pub(super) fn plan(bytes: &[u8], name: &str) -> Result<Plan, Diagnostics> {
    let source = text(bytes).map_err(|error| Diagnostics::new(name, &error.0, vec![error.1]))?;
    let (document, syntax) = DeTable::parse_recoverable(source);
    let syntax = syntax_problems(source, &syntax);
    let mut reader = Reader::default();
    let plan = top(&mut reader, Table::new("", 0..0, document.get_ref()));
    check::combinations(&mut reader, &plan);
    let mut problems = believable(source, &syntax, reader.problems);
    problems.extend(syntax);
    if problems.is_empty() { Ok(plan) } else { Err(Diagnostics::new(name, source, problems)) }
}

/// The text of a file. Fails with the problem, and as much text as needed to show where.
fn text(bytes: &[u8]) -> Result<&str, Box<(String, Problem)>> {
    let refuse = |source: String, problem: Problem, hint: &str| Err(Box::new((source, problem.hint(hint.to_owned()))));
    let save = "save it as UTF-8; in Notepad: File, Save As, Encoding: UTF-8";
    if bytes.len() > LARGEST {
        let message = format!("the file is larger than {LARGEST} bytes, the maximum size of a plan");
        return refuse(String::new(), Problem::new(message, 0..0, ""), "is this the right file?");
    }
    if matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [_, 0, ..] | [0, _, ..]) {
        return refuse(String::new(), Problem::new("the file is UTF-16, not UTF-8", 0..0, ""), save);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            // The replacement character that then stands there is three bytes long.
            let span = error.valid_up_to()..error.valid_up_to() + 3;
            let problem = Problem::new("the file is not UTF-8", span, "not a UTF-8 character");
            return refuse(String::from_utf8_lossy(bytes).into_owned(), problem, save);
        }
    };
    let long = text.lines().enumerate().find(|(_, line)| line.len() > LONGEST_LINE);
    if let Some((index, line)) = long {
        let message = format!("line {} has {} bytes; the maximum is {LONGEST_LINE}", index + 1, line.len());
        return refuse(String::new(), Problem::new(message, 0..0, ""), "split it, or is this the right file?");
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The syntax errors, one per line: further ones on a line mostly follow from the first.
fn syntax_problems(source: &str, errors: &[toml::de::Error]) -> Vec<Problem> {
    let place = |error: &toml::de::Error| error.span().unwrap_or(0..0);
    let mut errors: Vec<_> = errors.iter().map(|error| (place(error), error.message())).collect();
    errors.sort_by_key(|(span, _)| span.start);
    errors.dedup_by(|next, kept| source.get(kept.0.start..next.0.start).is_some_and(|text| !text.contains('\n')));
    errors.into_iter().map(|(span, message)| syntax_problem(source, message, span)).collect()
}

fn syntax_problem(source: &str, message: &str, span: Range<usize>) -> Problem {
    let line = source.get(..span.start).and_then(|head| head.rsplit('\n').next()).unwrap_or_default();
    let escape = ["escape", "unicode"].iter().any(|word| message.contains(word));
    // Also "C:\Install\", in which the last quote does not end the text.
    let windows_path = line.contains('\\') && (escape || message.contains("basic string"));
    let message = if escape { "a backslash in double quotes starts an escape, and this is none" } else { message };
    Problem::new(message, span, "").hint(windows_path.then(|| r"use single quotes: 'C:\Install'".to_owned()))
}

/// In a file with syntax errors, keeps only those other problems that do not follow from them: what seems missing may
/// not have been parsed, and below a broken header keys seem to belong to another table.
fn believable(source: &str, syntax: &[Problem], mut problems: Vec<Problem>) -> Vec<Problem> {
    let errors: BTreeSet<usize> = syntax.iter().map(|error| error.span.start).collect();
    let mut doubtful: Vec<Range<usize>> = Vec::new();
    let (mut start, mut below_broken_header) = (0, false);
    for line in source.split_inclusive('\n') {
        let span = start..start + line.len();
        let broken = errors.range(span.clone()).next().is_some();
        if line.trim_start().starts_with('[') {
            below_broken_header = broken;
        }
        if broken || below_broken_header {
            doubtful.push(span.clone());
        }
        start = span.end;
    }
    if !syntax.is_empty() {
        problems.retain(|problem| {
            let at = problem.span.start;
            let line = doubtful.get(doubtful.partition_point(|line| line.end <= at));
            // A value that the parser made up to continue has an empty range.
            !problem.absence && !problem.span.is_empty() && line.is_none_or(|line| at < line.start)
        });
    }
    problems
}

fn top(reader: &mut Reader, mut table: Table<'_>) -> Plan {
    match reader.get::<i64>(&mut table, "format") {
        Some(FORMAT) => {}
        Some(_) => {
            let span = reader.span("format").unwrap_or(0..0);
            // Whatever else seems wrong may be valid in that format.
            reader.problems.clear();
            reader.problem(Problem::new(format!("unknown format; pfupgrade reads format {FORMAT}"), span, ""));
            return Plan::default();
        }
        None if reader.span("format").is_none() => {
            reader.missing(&table, "`format` is missing", "start the file with `format = 1`");
        }
        None => {}
    }
    let r = reader;
    let plan = Plan {
        name: r.get(&mut table, "name"),
        machine: r.get(&mut table, "machine"),
        backup: section(r, &mut table, "backup", backup),
        server: section(r, &mut table, "server", server),
        sdk: section(r, &mut table, "sdk", sdk),
        portal: section(r, &mut table, "portal", portal),
        mobile_app: section(r, &mut table, "mobile-app", |r, table| web(r, table, Component::MobileApp)),
        merge: section(r, &mut table, "merge", merge),
        gates: section(r, &mut table, "gates", gates),
        preflight: section(r, &mut table, "preflight", preflight),
        verify: section(r, &mut table, "verify", verify),
        hooks: hooks(r, &mut table),
    };
    r.finish(table);
    plan
}

/// Reads a table of the file; a missing one has its defaults.
fn section<T: Default>(
    r: &mut Reader,
    top: &mut Table<'_>,
    name: &'static str,
    read: impl FnOnce(&mut Reader, &mut Table<'_>) -> T,
) -> T {
    let Some(mut table) = r.table(top, name, name) else { return T::default() };
    let value = read(r, &mut table);
    r.finish(table);
    value
}

fn backup(r: &mut Reader, table: &mut Table<'_>) -> Backup {
    Backup { directory: r.get(table, "directory").unwrap_or_else(|| Backup::default().directory) }
}

fn common(r: &mut Reader, table: &mut Table<'_>) -> Common {
    Common {
        action: r.choice(table, "action"),
        installer: r.get(table, "installer"),
        sha256: r.get(table, "sha256"),
        signed_by: r.get(table, "signed-by").unwrap_or_default(),
        product_code: r.get(table, "product-code"),
        rollback_installer: r.get(table, "rollback-installer"),
    }
}

fn server(r: &mut Reader, table: &mut Table<'_>) -> Server {
    let arguments: Option<Vec<Argument>> = r.get(table, "arguments");
    Server {
        common: common(r, table),
        arguments: arguments.map(|words| words.into_iter().map(|word| word.0).collect()),
        data_upgrade_timeout: r
            .get(table, "data-upgrade-timeout")
            .unwrap_or_else(|| Server::default().data_upgrade_timeout),
    }
}

fn web(r: &mut Reader, table: &mut Table<'_>, component: Component) -> Web {
    let default = Web::default_of(component);
    Web {
        common: common(r, table),
        virtual_directory: r.get(table, "virtual-directory").unwrap_or(default.virtual_directory),
        site: r.get(table, "site"),
        application_pool: r.get(table, "application-pool"),
        properties: r.get(table, "properties").unwrap_or_default(),
        method: r.choice(table, "method"),
    }
}

fn sdk(r: &mut Reader, table: &mut Table<'_>) -> Sdk {
    Sdk { web: web(r, table, Component::Sdk), url: r.get(table, "url") }
}

fn portal(r: &mut Reader, table: &mut Table<'_>) -> Portal {
    Portal { web: web(r, table, Component::Portal), themes: r.choice(table, "themes") }
}

fn merge(r: &mut Reader, table: &mut Table<'_>) -> Merge {
    let (other_changes, on_conflict) = (r.choice(table, "other-changes"), r.choice(table, "on-conflict"));
    let on_encrypted = r.choice(table, "on-encrypted");
    let mut decisions: Vec<Decision> = Vec::new();
    for table in r.tables(table, "decision", "merge.decision") {
        let span = table.span.clone();
        let Some(decision) = decision(r, table) else { continue };
        if decisions.iter().any(|known| known.path == decision.path) {
            let problem = Problem::new(format!("`{}` is decided twice", decision.path), span, "here again");
            r.problem(problem.hint("remove one of the decisions".to_owned()));
        }
        decisions.push(decision);
    }
    Merge { other_changes, on_conflict, on_encrypted, decisions }
}

fn decision(r: &mut Reader, mut table: Table<'_>) -> Option<Decision> {
    let hint = "write `path = \"...\"` as shown in the preview, and `take = \"old\"` or `take = \"new\"`";
    for (key, problem) in
        [("path", "a decision names no conflict"), ("take", "a decision does not say which value wins")]
    {
        if !table.has(key) {
            r.missing(&table, problem, hint);
        }
    }
    let (path, take) = (r.get(&mut table, "path"), r.chosen(&mut table, "take"));
    r.finish(table);
    Some(Decision { path: path?, take: take? })
}

fn gates(r: &mut Reader, table: &mut Table<'_>) -> BTreeMap<GateId, Skip> {
    let mut gates = BTreeMap::new();
    for gate in GateId::ALL {
        let name = match gate {
            GateId::ServerSetup => "gates.server-setup",
            GateId::Activation => "gates.activation",
            GateId::PortalUrl => "gates.portal-url",
            GateId::MobileAppUrl => "gates.mobile-app-url",
        };
        let Some(mut entry) = r.table(table, gate.key(), name) else { continue };
        let given = entry.has("skip");
        if let Some(reason) = r.get(&mut entry, "skip") {
            gates.insert(gate, Skip { reason });
        } else if !given {
            let hint = format!("write `{gate} = {{ skip = \"why\" }}`; the report shows the reason");
            r.missing(&entry, &format!("`{name}` gives no reason"), &hint);
        }
        r.finish(entry);
    }
    gates
}

fn preflight(r: &mut Reader, table: &mut Table<'_>) -> Preflight {
    let allow: Vec<Id> = r.get(table, "allow").unwrap_or_default();
    Preflight { allow: allow.into_iter().map(|id| id.0).collect() }
}

fn verify(r: &mut Reader, table: &mut Table<'_>) -> Verification {
    Verification { urls: r.get(table, "url").unwrap_or_default() }
}

fn hooks(r: &mut Reader, top: &mut Table<'_>) -> Vec<Hook> {
    let tables = r.tables(top, "hook", "hook");
    tables.into_iter().filter_map(|table| hook(r, table)).collect()
}

fn hook(r: &mut Reader, mut table: Table<'_>) -> Option<Hook> {
    let given = (table.has("before"), table.has("after"));
    let before = r.get::<Id>(&mut table, "before").map(|id| When::Before(id.0));
    let after = r.get::<Id>(&mut table, "after").map(|id| When::After(id.0));
    match given {
        (true, true) => {
            let after = r.span("hook.after").unwrap_or(0..0);
            let problem = Problem::new("a hook runs before or after a step, not both", after, "either this")
                .also(r.span("hook.before"), "or this");
            r.problem(problem.hint("write two hooks".to_owned()));
        }
        (false, false) => r.missing(&table, "a hook names no step", "write `before = \"STEP\"` or `after = \"STEP\"`"),
        _ => {}
    }
    if !table.has("run") {
        r.missing(&table, "a hook runs nothing", "write `run = ['C:\\Path\\program.exe', 'argument']`");
    }
    let run = r.get(&mut table, "run");
    let timeout = r.get(&mut table, "timeout").unwrap_or(Duration::from_secs(5 * 60));
    r.finish(table);
    Some(Hook { when: before.or(after)?, run: run?, timeout })
}
