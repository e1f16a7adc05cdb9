//! What is said, and where: results on stdout, talk on stderr.

use super::fault::{CommandError, Details};
use super::live;
use super::options::Global;
use crate::exit::Exit;
use crate::report::{json, schema, text};
use anstyle::{AnsiColor, Style};
use clap::ColorChoice;
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};

const WIDTHS: std::ops::RangeInclusive<u16> = 40..=120;
const ERROR: Style = AnsiColor::Red.on_default().bold();
const NEXT: Style = AnsiColor::Cyan.on_default().bold();

/// The way to the person or script that started this program.
pub(super) struct Console {
    pub(super) json: bool,
    pub(super) quiet: bool,
    pub(super) verbose: bool,
    /// True until the first line of a stream of events has been printed.
    fresh: Cell<bool>,
    /// The file that has the same JSON.
    file: RefCell<Option<File>>,
}

impl Console {
    pub(super) fn new(global: &Global) -> Self {
        colour(global.color);
        Self::of(global.json, global.quiet, global.verbose)
    }

    fn of(json: bool, quiet: bool, verbose: bool) -> Self {
        Self { json, quiet, verbose, fresh: Cell::new(true), file: RefCell::default() }
    }

    /// For a script whose arguments could not be understood.
    pub(super) fn to_script() -> Self {
        Self::of(true, true, false)
    }

    /// For a person whose arguments could not be understood.
    pub(super) fn to_person() -> Self {
        Self::of(false, false, false)
    }

    /// Makes the file that has the same JSON, where one is wanted. What is there already is never written over.
    pub(super) fn open(&self, global: &Global) -> Result<(), CommandError> {
        let Some(path) = &global.json_file else { return Ok(()) };
        let made = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| {
            let path = path.display();
            let why = match error.kind() {
                io::ErrorKind::AlreadyExists => "it is there already".to_owned(),
                _ => error.to_string(),
            };
            CommandError::usage(format!("could not make the file {path} for --json-file: {why}"))
                .next("name a new file")
        })?;
        *self.file.borrow_mut() = Some(made);
        Ok(())
    }

    /// True where JSON is wanted, on stdout or in a file.
    pub(super) fn tells_scripts(&self) -> bool {
        self.json || self.file.borrow().is_some()
    }

    /// True where a person can be asked.
    pub(super) fn is_with_person(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// True where lines may move: on a terminal that can.
    pub(super) fn can_move(&self) -> bool {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        !self.quiet && !self.json && io::stderr().is_terminal() && !is_dumb
    }

    /// A result, for stdout. Where that has been closed, work goes on all the same.
    pub(super) fn result(&self, text: &str) {
        live::above(|| {
            let mut out = anstream::stdout().lock();
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        });
    }

    /// A JSON document on a line of its own, wherever JSON is wanted.
    pub(super) fn document(&self, document: &impl Serialize) {
        let Ok(line) = json::line(document).map(|line| line + "\n") else { return };
        debug_assert_eq!(described(&line), Ok(()), "{line}");
        let written = self.file.borrow_mut().as_mut().map_or(Ok(()), |file| file.write_all(line.as_bytes()));
        if let Err(error) = written {
            // Work goes on; half a file must not be taken for a whole one.
            *self.file.borrow_mut() = None;
            self.insist(&format!("The file of --json-file ends before its end: {error}"));
        }
        if self.json {
            self.result(&line);
        }
    }

    /// One of a stream of events. The first one says what the stream is.
    pub(super) fn event(&self, event: &impl Serialize) {
        #[derive(Serialize)]
        struct First<'a, T> {
            format: u32,
            kind: &'static str,
            #[serde(flatten)]
            event: &'a T,
        }
        if !self.tells_scripts() {
            return;
        }
        match self.fresh.replace(false) {
            true => self.document(&First { format: 1, kind: "events", event }),
            false => self.document(event),
        }
    }

    /// The last event.
    pub(super) fn end(&self, exit: Exit, next: &str, or: &str) {
        #[derive(Serialize)]
        struct End<'a> {
            event: &'static str,
            exit_code: i32,
            next: &'a str,
            /// What can be done instead.
            or: &'a str,
        }
        self.event(&End { event: "end", exit_code: exit.code(), next, or });
    }

    /// Console, unless it is not wanted.
    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            self.insist(text);
        }
    }

    /// What must be said even where talk is not wanted.
    pub(super) fn insist(&self, text: &str) {
        live::above(|| {
            let _ = writeln!(anstream::stderr().lock(), "{}", text.trim_end());
        });
    }

    /// What to do next, or instead. Not wrapped: commands are copied.
    pub(super) fn next(&self, next: &str, or: &str) {
        for (label, text) in [("next:", next), ("  or:", or)] {
            if !text.is_empty() {
                self.insist(&format!("{NEXT}{label}{NEXT:#} {text}"));
            }
        }
    }

    /// An error, as text and, where JSON is wanted, as a document.
    pub(super) fn fault(&self, fault: &CommandError) {
        self.document(&fault.document());
        if let Details::Plan(diagnostics) = &fault.details {
            self.insist(&diagnostics.render(true, self.error_width()));
            self.insist("");
        }
        for (number, line) in fault.message.lines().enumerate() {
            let label = if number == 0 { "error: " } else { "" };
            // An excerpt of a file with a mark below it stays as it is.
            if number > 0 && line.contains('|') {
                self.insist(line);
                continue;
            }
            self.insist(&text::hanging(label, ERROR, line, self.line_width()));
        }
        self.next(&fault.next, &fault.or);
    }

    /// The width of results.
    pub(super) fn width(&self) -> usize {
        width(terminal_size::terminal_size_of(io::stdout()))
    }

    /// The width of a line of talk: elsewhere than on a terminal it stays one line.
    pub(super) fn line_width(&self) -> usize {
        if io::stderr().is_terminal() { self.error_width() } else { usize::MAX }
    }

    /// The width of longer talk.
    pub(super) fn error_width(&self) -> usize {
        width(terminal_size::terminal_size_of(io::stderr()))
    }
}

/// Whether a line is what its schema says: a build for tests prints nothing else.
fn described(line: &str) -> Result<(), String> {
    let value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    schema::check(schema::name_of(&value), &value)
}

fn width(terminal: Option<(terminal_size::Width, terminal_size::Height)>) -> usize {
    let columns = terminal.map_or(100, |(width, _)| width.0.clamp(*WIDTHS.start(), *WIDTHS.end()));
    usize::from(columns)
}

fn colour(choice: ColorChoice) {
    match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}
