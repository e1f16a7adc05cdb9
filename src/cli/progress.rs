//! What is shown while a run is at work: a line a step for people, an event a line for scripts.

use super::stop;
use super::talk::Talk;
use crate::engine::{Event, Watcher};
use crate::report::text;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

const DIM: anstyle::Style = anstyle::Style::new().dimmed();
/// What takes less than this needs no moving count.
const SOON: Duration = Duration::from_millis(500);

/// Scripts hear of bytes once in this time.
const SELDOM: Duration = Duration::from_secs(1);

/// Shows events as the arguments want them shown, and logs them.
pub(super) struct Progress<'a> {
    talk: &'a Talk,
    /// How many steps there are.
    of: usize,
    /// When the operation at work began.
    since: Instant,
    /// When a script last heard of bytes.
    told: Instant,
    /// The moving count of bytes, once it is worth showing.
    bar: Option<ProgressBar>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(talk: &'a Talk) -> Self {
        Self { talk, of: 0, since: Instant::now(), told: Instant::now(), bar: None }
    }

    fn numbered(&self, number: usize, of: usize, text: &str) {
        let digits = of.to_string().len();
        self.talk.say(&text::hanging(&format!("[{number:>digits$}/{of}] "), DIM, text, self.talk.line_width()));
    }

    /// A line below a step.
    fn below(&self, text: &str) {
        let indent = 2 * self.of.to_string().len() + 4;
        self.talk.say(&text::hanging(&" ".repeat(indent), DIM, text, self.talk.line_width()));
    }

    fn bytes(&mut self, done: u64) {
        if self.talk.quiet || self.since.elapsed() < SOON {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("        {bytes} copied");
            ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        });
        bar.set_position(done);
    }

    fn show(&mut self, event: &Event) {
        if let Event::Bytes { done } = event {
            return self.bytes(*done);
        }
        self.bar.take().inspect(ProgressBar::finish_and_clear);
        match event {
            Event::Started { run, steps, notes } => {
                self.of = *steps;
                self.talk.say(&format!("Run {run}"));
                notes.iter().for_each(|note| self.talk.say(note));
            }
            Event::Step { number, title, .. } => self.numbered(*number, self.of, title),
            Event::Undo { number, of, text } => self.numbered(*number, *of, text),
            Event::Operation { text, .. } => {
                self.since = Instant::now();
                if self.talk.verbose {
                    self.below(text);
                }
            }
            Event::Note { text } => self.below(text),
            Event::StepDone { how, .. } if how != "done" => self.below(how),
            Event::Answered { gate, by } => self.below(&format!("gate {gate}: {by}")),
            Event::StepDone { .. } | Event::Gate { .. } | Event::Bytes { .. } => {}
        }
    }
}

impl Watcher for Progress<'_> {
    fn wants_to_stop(&self) -> bool {
        stop::wanted()
    }

    fn event(&mut self, event: &Event) {
        super::log::event(event);
        if !self.talk.json {
            return self.show(event);
        }
        if matches!(event, Event::Bytes { .. }) {
            if self.told.elapsed() < SELDOM {
                return;
            }
            self.told = Instant::now();
        }
        self.talk.event(event);
    }
}
