//! The report as a web page: no script, no external resources, readable in light and dark mode, on paper, and without
//! color.

use super::document::{Block, Cell, Document, Kind, Table, took};
use super::time_line::{Bar, RowState, TimeLine};
use crate::journal::milliseconds;
use crate::webconfig::{DiffLine, LineKind};
use jiff::Timestamp;
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");

/// Markup. Text is added only with [`Html::text`], which escapes it.
struct Html(String);

impl Html {
    /// Adds static markup.
    fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        for c in super::plain(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// Adds a path or value with line break opportunities.
    fn breakable(&mut self, text: &str) -> &mut Self {
        for part in text.split_inclusive(['\\', '/', '_', '.', ':', '-', '@']) {
            self.text(part).raw("<wbr/>");
        }
        self.0.truncate(self.0.len() - if text.is_empty() { 0 } else { "<wbr/>".len() });
        self
    }

    fn number(&mut self, number: f64) -> &mut Self {
        let _ = write!(self.0, "{number:.2}");
        self
    }
}

pub(super) fn page(document: &Document) -> String {
    let mut html = Html(String::new());
    html.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\"/>\n");
    // No icon is requested either.
    html.raw("<link rel=\"icon\" href=\"data:,\"/>\n<title>").text(&document.title);
    html.raw("</title>\n<style>\n").raw(STYLE).raw("</style>\n</head>\n<body>\n");
    head(&mut html, document);
    html.raw("<nav aria-label=\"Contents\"><ul>");
    for section in &document.sections {
        html.raw("<li><a href=\"#").raw(section.id).raw("\">").raw(section.title).raw("</a></li>");
    }
    html.raw("</ul></nav>\n<main>\n");
    for section in &document.sections {
        html.raw("<section id=\"").raw(section.id).raw("\">\n<h2>").raw(section.title).raw("</h2>\n");
        section.blocks.iter().for_each(|shown| block(&mut html, shown));
        html.raw("</section>\n");
    }
    html.raw("</main>\n</body>\n</html>\n");
    html.0
}

fn head(html: &mut Html, document: &Document) {
    html.raw("<header>\n<h1>").text(&document.title).raw("</h1>\n<div class=\"verdict ");
    html.raw(document.verdict.tone.name()).raw("\"><strong>").raw(document.verdict.word).raw("</strong><p>");
    html.text(&document.verdict.says).raw("</p></div>\n");
    if document.simulated {
        html.raw("<p class=\"rehearsal\">This was a rehearsal on a simulated machine.</p>\n");
    }
    html.raw("<dl class=\"facts\">\n");
    for (label, fact) in &document.facts {
        html.raw("<div><dt>").raw(label).raw("</dt><dd>");
        cell(html, fact);
        html.raw("</dd></div>\n");
    }
    html.raw("</dl>\n</header>\n");
}

fn block(html: &mut Html, block: &Block) {
    match block {
        Block::Heading(text) => {
            html.raw("<h3>").breakable(text).raw("</h3>\n");
        }
        Block::Words(text) => {
            html.raw("<p>").breakable_words(text).raw("</p>\n");
        }
        Block::Table(shown) => table(html, shown),
        Block::List(list) => self::list(html, list),
        Block::Lines(lines) => {
            html.raw("<pre class=\"lines\">");
            for line in lines {
                html.text(line).raw("\n");
            }
            html.raw("</pre>\n");
        }
        Block::Diff(lines) => {
            html.raw("<pre class=\"diff\">");
            lines.iter().for_each(|line| diff_line(html, line));
            html.raw("</pre>\n");
        }
        Block::TimeLine(line) => time_line(html, line),
    }
}

impl Html {
    /// Adds text with paths, and commands in backticks.
    fn breakable_words(&mut self, text: &str) -> &mut Self {
        for (number, part) in super::parts(text).into_iter().enumerate() {
            match number % 2 {
                0 => self.words(part),
                _ => self.raw("<code>").words(part).raw("</code>"),
            };
        }
        self
    }

    fn words(&mut self, text: &str) -> &mut Self {
        for (number, word) in text.split(' ').enumerate() {
            if number > 0 {
                self.raw(" ");
            }
            match word.contains(['\\', '/']) {
                true => self.breakable(word),
                false => self.text(word),
            };
        }
        self
    }
}

fn diff_line(html: &mut Html, line: &DiffLine) {
    match line.kind {
        LineKind::Context => html.raw("<span>  ").text(&line.text),
        LineKind::Removed => html.raw("<del>- ").text(&line.text),
        LineKind::Added => html.raw("<ins>+ ").text(&line.text),
        LineKind::Gap => html.raw("<span class=\"gap\">  ..."),
    };
    html.raw(match line.kind {
        LineKind::Removed => "</del>\n",
        LineKind::Added => "</ins>\n",
        LineKind::Context | LineKind::Gap => "</span>\n",
    });
}

/// On a narrow screen each row becomes a card, whose cells have their own labels.
fn table(html: &mut Html, table: &Table) {
    html.raw("<table>\n<caption>").raw(table.caption).raw("</caption>\n<thead><tr>");
    for head in &table.head {
        html.raw("<th scope=\"col\">").raw(head).raw("</th>");
    }
    html.raw("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        html.raw("<tr>");
        for (number, (shown, head)) in row.iter().zip(&table.head).enumerate() {
            let (open, close) = match number {
                0 => ("<th scope=\"row\" data-label=\"", "</th>"),
                _ => ("<td data-label=\"", "</td>"),
            };
            html.raw(open).raw(head).raw("\">");
            cell(html, shown);
            html.raw(close);
        }
        html.raw("</tr>\n");
    }
    html.raw("</tbody>\n</table>\n");
}

fn cell(html: &mut Html, cell: &Cell) {
    match cell.kind {
        Kind::Words => html.breakable_words(&cell.text),
        Kind::Code => html.raw("<code>").breakable(&cell.text).raw("</code>"),
        Kind::Good => html.raw("<span class=\"good\">").breakable_words(&cell.text).raw("</span>"),
        Kind::Open => html.raw("<strong class=\"open\">").breakable_words(&cell.text).raw("</strong>"),
    };
}

fn list(html: &mut Html, list: &[(String, Vec<String>)]) {
    html.raw("<ul class=\"to-do\">\n");
    for (title, lines) in list {
        html.raw("<li><strong>").breakable_words(title).raw("</strong>");
        if !lines.is_empty() {
            html.raw("<ul>");
            for line in lines {
                html.raw("<li>").breakable_words(line).raw("</li>");
            }
            html.raw("</ul>");
        }
        html.raw("</li>\n");
    }
    html.raw("</ul>\n");
}

fn time_line(html: &mut Html, line: &TimeLine) {
    html.raw("<table class=\"time-line\">\n<caption>");
    html.raw("Every step with its time (UTC). The shaded part of the bars is the outage: users could not sign in.");
    html.raw("</caption>\n<thead><tr><th scope=\"col\">#</th><th scope=\"col\">Step</th><th scope=\"col\">Began</th>");
    html.raw("<th scope=\"col\">Took</th><th scope=\"col\">How it ended</th><th scope=\"col\" class=\"lane\">");
    match &line.ends {
        Some([first, last]) => {
            html.raw("<span class=\"scale\"><span>").text(first).raw("</span><span>").text(last).raw("</span></span>")
        }
        None => html.raw("Time"),
    };
    html.raw("</th></tr></thead>\n<tbody>\n");
    for (number, step) in line.rows.iter().enumerate() {
        let state = match step.state {
            RowState::Done => "<tr>",
            RowState::Failed => "<tr class=\"bad\">",
            RowState::Open => "<tr class=\"open\">",
            RowState::Ahead => "<tr class=\"ahead\">",
        };
        html.raw(state).raw("<td>").text(&(number + 1).to_string()).raw("</td><th scope=\"row\">");
        html.breakable_words(&step.title)
            .raw(" <code>")
            .breakable(&step.id)
            .raw("</code></th><td data-label=\"Began\">");
        html.text(&step.began.map(clock).unwrap_or_default());
        html.raw("</td><td data-label=\"Took\">").text(&step.took.map(took).unwrap_or_default());
        html.raw("</td><td data-label=\"Ended\">").breakable_words(&step.how).raw("</td><td class=\"lane\">");
        bars(html, &line.outages, &step.bars);
        html.raw("</td></tr>\n");
    }
    for outage in &line.windows {
        html.raw("<tr class=\"window\"><td></td><th scope=\"row\">Outage: users could not sign in</th>");
        html.raw("<td data-label=\"Began\">").text(&clock(outage.begun)).raw("</td><td data-label=\"Took\">");
        html.text(&outage.ended.map(|ended| took(milliseconds(outage.begun, ended))).unwrap_or_default());
        html.raw("</td><td data-label=\"Ended\">").raw(if outage.ended.is_some() { "over" } else { "ongoing" });
        html.raw("</td><td class=\"lane\">");
        bars(html, &line.outages, &[]);
        html.raw("</td></tr>\n");
    }
    html.raw("</tbody>\n</table>\n");
}

fn clock(time: Timestamp) -> String {
    time.strftime("%H:%M:%S").to_string()
}

/// Draws bars in a cell of any height.
fn bars(html: &mut Html, outages: &[Bar], bars: &[Bar]) {
    html.raw("<svg aria-hidden=\"true\">");
    for bar in outages {
        html.raw("<rect x=\"").number(bar.from).raw("%\" width=\"").number(bar.length);
        html.raw("%\" y=\"0\" height=\"100%\" class=\"outage\"/>");
    }
    for bar in bars {
        html.raw("<line x1=\"").number(bar.from).raw("%\" x2=\"").number(bar.from + bar.length);
        html.raw("%\" y1=\"50%\" y2=\"50%\" class=\"bar\"/>");
    }
    html.raw("</svg>");
}
