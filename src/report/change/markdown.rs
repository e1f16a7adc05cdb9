//! The report as Markdown, as GitHub and most wikis of ticket systems read it.

use super::document::{Block, Cell, Document, Kind, Table, took};
use super::time_line::TimeLine;
use crate::journal::milliseconds;
use crate::webconfig::{DiffLine, LineKind};
use std::fmt::Write;

pub(super) fn page(document: &Document) -> String {
    let mut text = format!("# {}\n\n", words(&document.title));
    let _ = writeln!(text, "**{}.** {}\n", document.verdict.word, words(&document.verdict.says));
    if document.simulated {
        let _ = writeln!(text, "**This was a rehearsal on a simulated machine.**\n");
    }
    for (label, fact) in &document.facts {
        let _ = writeln!(text, "- {label}: {}", cell(fact));
    }
    for section in &document.sections {
        let _ = writeln!(text, "\n## {}", section.title);
        section.blocks.iter().for_each(|shown| block(&mut text, shown));
    }
    text
}

fn block(text: &mut String, block: &Block) {
    text.push('\n');
    let _ = match block {
        Block::Heading(heading) => writeln!(text, "### {}", words(heading)),
        Block::Words(paragraph) => writeln!(text, "{}", words(paragraph)),
        Block::Table(shown) => return table(text, shown),
        Block::List(list) => return self::list(text, list),
        Block::Lines(lines) => return fenced(text, "", lines.iter().map(String::as_str)),
        Block::Diff(lines) => {
            let lines: Vec<String> = lines.iter().map(diff_line).collect();
            return fenced(text, "diff", lines.iter().map(String::as_str));
        }
        Block::TimeLine(line) => return time_line(text, line),
    };
}

fn diff_line(line: &DiffLine) -> String {
    match line.kind {
        LineKind::Context => format!("  {}", line.text),
        LineKind::Removed => format!("- {}", line.text),
        LineKind::Added => format!("+ {}", line.text),
        LineKind::Gap => "  ...".to_owned(),
    }
}

fn table(text: &mut String, table: &Table) {
    row(text, table.head.iter().map(|head| (*head).to_owned()));
    row(text, table.head.iter().map(|_| "---".to_owned()));
    table.rows.iter().for_each(|cells| row(text, cells.iter().map(cell)));
}

fn time_line(text: &mut String, line: &TimeLine) {
    row(text, ["#", "Step", "Began (UTC)", "Took", "How it ended"].map(str::to_owned));
    row(text, ["---:", "---", "---", "---:", "---"].map(str::to_owned));
    for (number, step) in line.rows.iter().enumerate() {
        let began = step.began.map(|began| began.strftime("%H:%M:%S").to_string()).unwrap_or_default();
        let took = step.took.map(took).unwrap_or_default();
        row(text, [(number + 1).to_string(), words(&step.title), began, took, words(&step.how)]);
    }
    for outage in &line.windows {
        let length = outage.ended.map(|ended| took(milliseconds(outage.begun, ended))).unwrap_or_default();
        let how = if outage.ended.is_some() { "over" } else { "ongoing" };
        let began = outage.begun.strftime("%H:%M:%S").to_string();
        row(text, [String::new(), "**Outage: users could not sign in**".to_owned(), began, length, how.to_owned()]);
    }
}

fn row(text: &mut String, cells: impl IntoIterator<Item = String>) {
    text.push('|');
    cells.into_iter().for_each(|cell| {
        let _ = write!(text, " {cell} |");
    });
    text.push('\n');
}

fn list(text: &mut String, list: &[(String, Vec<String>)]) {
    for (title, lines) in list {
        let _ = writeln!(text, "- {}", words(title));
        lines.iter().for_each(|line| {
            let _ = writeln!(text, "  - {}", words(line));
        });
    }
}

fn cell(cell: &Cell) -> String {
    match cell.kind {
        Kind::Code if !cell.text.is_empty() => code(&cell.text),
        Kind::Open => format!("**{}**", words(&cell.text)),
        _ => words(&cell.text),
    }
}

/// Escapes text, except for code in backticks.
fn words(text: &str) -> String {
    let parts = super::parts(text).into_iter().enumerate();
    parts.map(|(number, part)| if number % 2 == 0 { escaped(part) } else { code(part) }).collect()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        // Characters that are markup anywhere in a line. A period or a hyphen is markup only at the start of a line,
        // where these texts never are.
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '!' | '$' | '@') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Formats a name or value as code on one line. In tables, a bar ends a cell even in code.
fn code(text: &str) -> String {
    let text = one_line(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    let room = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{room}{}{room}{fence}", text.replace('|', "\\|"))
}

fn fenced<'a>(text: &mut String, language: &str, lines: impl Iterator<Item = &'a str> + Clone) {
    let longest = lines.clone().map(longest_run).max().unwrap_or_default();
    let fence = "`".repeat(3.max(longest + 1));
    let _ = writeln!(text, "{fence}{language}");
    lines.for_each(|line| {
        let _ = writeln!(text, "{}", one_line(line));
    });
    let _ = writeln!(text, "{fence}");
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

fn one_line(text: &str) -> String {
    super::plain(text).replace('\n', " ")
}
