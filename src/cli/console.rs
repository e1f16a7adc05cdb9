//! Output: results go to stdout, messages to stderr.

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

/// The output channels of this program.
pub(super) struct Console {
    pub(super) json: bool,
    pub(super) quiet: bool,
    pub(super) verbose: bool,
    /// Whether no event has been printed yet.
    fresh: Cell<bool>,
    /// The file that receives the same JSON.
    file: RefCell<Option<File>>,
}

impl Console {
    pub(super) fn new(global: &Global) -> Self {
        color(global.color);
        Self::of(global.json, global.quiet, global.verbose)
    }

    fn of(json: bool, quiet: bool, verbose: bool) -> Self {
        Self { json, quiet, verbose, fresh: Cell::new(true), file: RefCell::default() }
    }

    /// For a script with invalid arguments.
    pub(super) fn to_script() -> Self {
        Self::of(true, true, false)
    }

    /// For a user with invalid arguments.
    pub(super) fn to_person() -> Self {
        Self::of(false, false, false)
    }

    /// Creates the file for `--json-file`. An existing file is never overwritten.
    pub(super) fn open(&self, global: &Global) -> Result<(), CommandError> {
        let Some(path) = &global.json_file else { return Ok(()) };
        let made = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| {
            let path = path.display();
            let why = match error.kind() {
                io::ErrorKind::AlreadyExists => "it already exists".to_owned(),
                _ => error.to_string(),
            };
            CommandError::usage(format!("could not create the file {path} for --json-file: {why}"))
                .next("specify a new file")
        })?;
        *self.file.borrow_mut() = Some(made);
        Ok(())
    }

    /// Whether JSON is requested, on stdout or in a file.
    pub(super) fn tells_scripts(&self) -> bool {
        self.json || self.file.borrow().is_some()
    }

    /// Whether there is an interactive terminal.
    pub(super) fn is_with_person(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Whether live progress lines are possible.
    pub(super) fn can_move(&self) -> bool {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        !self.quiet && !self.json && io::stderr().is_terminal() && !is_dumb
    }

    /// Prints a result to stdout. A closed stdout is ignored.
    pub(super) fn result(&self, text: &str) {
        live::above(|| {
            let mut out = anstream::stdout().lock();
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        });
    }

    /// Prints a JSON document on one line, wherever JSON is requested.
    pub(super) fn document(&self, document: &impl Serialize) {
        let Ok(line) = json::line(document).map(|line| line + "\n") else { return };
        debug_assert_eq!(described(&line), Ok(()), "{line}");
        let written = self.file.borrow_mut().as_mut().map_or(Ok(()), |file| file.write_all(line.as_bytes()));
        if let Err(error) = written {
            // Work continues, but the incomplete file must not be mistaken for a complete one.
            *self.file.borrow_mut() = None;
            self.insist(&format!("The file of --json-file is incomplete: {error}"));
        }
        if self.json {
            self.result(&line);
        }
    }

    /// Prints an event. The first one identifies the stream.
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

    /// Prints a message, except with `--quiet`.
    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            self.insist(text);
        }
    }

    /// Prints a message even with `--quiet`.
    pub(super) fn insist(&self, text: &str) {
        live::above(|| {
            let _ = writeln!(anstream::stderr().lock(), "{}", text.trim_end());
        });
    }

    /// Prints the next command and the alternative. They are not wrapped, because users copy them.
    pub(super) fn next(&self, next: &str, or: &str) {
        for (label, text) in [("next:", next), ("  or:", or)] {
            if !text.is_empty() {
                self.insist(&format!("{NEXT}{label}{NEXT:#} {text}"));
            }
        }
    }

    /// Prints an error as text and, if JSON is requested, as a document.
    pub(super) fn fault(&self, fault: &CommandError) {
        self.document(&fault.document());
        if let Details::Plan(diagnostics) = &fault.details {
            self.insist(&diagnostics.render(true, self.error_width()));
            self.insist("");
        }
        for (number, line) in fault.message.lines().enumerate() {
            let label = if number == 0 { "error: " } else { "" };
            // An excerpt of a file with a marker below it is not wrapped.
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

    /// The width of a message; outside a terminal it is not wrapped.
    pub(super) fn line_width(&self) -> usize {
        if io::stderr().is_terminal() { self.error_width() } else { usize::MAX }
    }

    /// The width of longer messages.
    pub(super) fn error_width(&self) -> usize {
        width(terminal_size::terminal_size_of(io::stderr()))
    }
}

/// Checks a line against its schema in debug builds.
fn described(line: &str) -> Result<(), String> {
    let value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    schema::check(schema::name_of(&value), &value)
}

fn width(terminal: Option<(terminal_size::Width, terminal_size::Height)>) -> usize {
    let columns = terminal.map_or(100, |(width, _)| width.0.clamp(*WIDTHS.start(), *WIDTHS.end()));
    usize::from(columns)
}

fn color(choice: ColorChoice) {
    match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}
