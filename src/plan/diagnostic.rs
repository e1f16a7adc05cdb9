//! The errors of a plan file, for people and for scripts, with secrets masked.

use super::{credential, reader::Problem};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;
use std::{fmt, ops::Range};

/// The maximum number of errors kept; a file with more is not a plan.
const MOST: usize = 100;

/// A range in the file, on one line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The first character, from 1.
    pub column: usize,
    /// The character after the last one.
    pub end_column: usize,
    /// A label for this range; may be empty.
    pub label: String,
    /// The line, with secrets masked.
    pub source_line: String,
    /// Its bytes in the file.
    #[serde(skip)]
    span: Range<usize>,
}

/// An error of a plan file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Diagnostic {
    /// A self-contained message.
    pub message: String,
    /// Where.
    #[serde(flatten)]
    pub at: Place,
    /// What to do about it.
    pub hint: Option<String>,
    /// The other range, if two contradict each other.
    pub also: Option<Place>,
}

/// All errors of a plan file, in order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Diagnostics {
    /// The name of the file.
    pub file: String,
    /// The errors; never empty.
    pub errors: Vec<Diagnostic>,
    /// The number of further errors.
    pub omitted: usize,
    /// The text of the file, with secrets masked.
    #[serde(skip)]
    source: String,
}

impl Diagnostics {
    pub(super) fn new(file: &str, source: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| (a.span.start, &a.message).cmp(&(b.span.start, &b.message)));
        let omitted = problems.len().saturating_sub(MOST);
        problems.truncate(MOST);
        let masked = credential::mask(source);
        let diagnostic = |problem: Problem| Diagnostic {
            message: problem.message,
            at: place(&masked, problem.span, problem.label),
            hint: problem.hint,
            also: problem.also.map(|(span, label)| place(&masked, span, label)),
        };
        let errors = problems.into_iter().map(diagnostic).collect();
        Self { file: file.to_owned(), errors, omitted, source: masked }
    }

    /// The errors with their lines underlined, for a terminal `width` columns wide.
    pub fn render(&self, color: bool, width: usize) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(width);
        let mut blocks: Vec<String> = self.errors.iter().map(|error| renderer.render(&[self.group(error)])).collect();
        if self.omitted > 0 {
            blocks.push(format!("and {} more errors", self.omitted));
        }
        blocks.join("\n\n")
    }

    fn group<'a>(&'a self, error: &'a Diagnostic) -> Group<'a> {
        let title = Level::ERROR.primary_title(&error.message);
        let mut group = if self.source.is_empty() {
            title.element(Origin::path(&self.file))
        } else {
            title.element(self.snippet(error))
        };
        if let Some(hint) = &error.hint {
            group = group.element(Level::HELP.with_name("hint").message(hint));
        }
        group
    }

    /// The lines from the first to the last place of an error.
    fn snippet<'a>(&'a self, error: &'a Diagnostic) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let places = || std::iter::once(&error.at).chain(&error.also);
        let first = places().min_by_key(|place| place.span.start).unwrap_or(&error.at);
        let last = places().max_by_key(|place| place.span.start).unwrap_or(&error.at);
        let window = line_around(&self.source, first.span.start).start..line_around(&self.source, last.span.start).end;
        let annotation = |kind: AnnotationKind, place: &'a Place| {
            let span = place.span.start - window.start..place.span.end - window.start;
            kind.span(span).label((!place.label.is_empty()).then_some(place.label.as_str()))
        };
        Snippet::source(self.source.get(window.clone()).unwrap_or_default())
            .line_start(first.line)
            .path(&self.file)
            .annotation(annotation(AnnotationKind::Primary, &error.at))
            .annotations(error.also.iter().map(|place| annotation(AnnotationKind::Context, place)))
    }
}

/// The line, without its end, in which the byte `at` lies.
fn line_around(source: &str, at: usize) -> Range<usize> {
    let (head, tail) = source.split_at_checked(at).unwrap_or((source, ""));
    let start = head.rfind('\n').map_or(0, |newline| newline + 1);
    let end = at.min(source.len()) + tail.find('\n').unwrap_or(tail.len());
    start..end - usize::from(source.get(start..end).is_some_and(|line| line.ends_with('\r')))
}

/// The part of `span` that is on its first line.
fn place(source: &str, span: Range<usize>, label: String) -> Place {
    let start = floor(source, span.start);
    let line = line_around(source, start);
    let start = start.min(line.end);
    let end = floor(source, span.end.min(line.end)).max(start);
    let characters = |range: Range<usize>| source.get(range).map_or(0, |text| text.chars().count());
    let column = characters(line.start..start) + 1;
    Place {
        line: source.get(..start).map_or(0, |head| head.matches('\n').count()) + 1,
        column,
        end_column: column + characters(start..end),
        label,
        source_line: source.get(line).unwrap_or_default().to_owned(),
        span: start..end,
    }
}

/// The last character boundary that is not behind `at`.
fn floor(source: &str, at: usize) -> usize {
    source.floor_char_boundary(at)
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false, 120))
    }
}

impl std::error::Error for Diagnostics {}
