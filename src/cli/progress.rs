//! Progress of a run: one line per step for people, one event per line for scripts.

use super::console::Console;
use super::ending::CommandContext;
use super::live::{Activity, Live};
use super::stop;
use crate::engine::{Event, Watcher};
use crate::platform::simulated::{ROLLBACK, Rehearsal};
use crate::report::text;
use crate::step::Step;
use std::time::{Duration, Instant};

const DIM: anstyle::Style = anstyle::Style::new().dimmed();
/// Shorter durations are not shown.
const LONG: Duration = Duration::from_secs(10);
/// Scripts get progress in bytes at this interval.
const SELDOM: Duration = Duration::from_secs(1);

/// Shows and logs events as the arguments request.
pub(super) struct ProgressDisplay<'a> {
    talk: &'a Console,
    rehearsal: Option<&'a Rehearsal>,
    verb: &'static str,
    /// The titles of the steps that have not started; empty if unknown.
    titles: Vec<Option<String>>,
    /// How many steps there are.
    of: usize,
    /// When the current step started; `None` between steps, and after a question.
    since: Option<Instant>,
    /// The title of the next step.
    then: String,
    /// When the last progress in bytes was reported.
    told: Instant,
    /// The live progress lines, if the terminal supports them.
    live: Option<Live>,
}

impl<'a> ProgressDisplay<'a> {
    /// `verb` introduces the run's id; `steps` are those of a run and empty for a rollback.
    pub(super) fn new(scene: &CommandContext<'a>, verb: &'static str, steps: &[Step]) -> Self {
        let (talk, rehearsal, told) = (scene.talk, scene.machine.rehearsal(), Instant::now());
        let titles = steps.iter().map(|step| Some(step.work.kind().title())).collect();
        Self { talk, rehearsal, verb, titles, of: 0, since: None, then: String::new(), told, live: None }
    }

    /// Reports what is done before the first step.
    pub(super) fn first(&mut self, words: &str) {
        self.talk.say(words);
        self.at_work("");
    }

    /// The indentation of messages below a step.
    fn indent(&self) -> usize {
        2 * self.of.to_string().len() + 4
    }

    fn begin(&mut self, number: usize, of: usize, title: &str) {
        self.end();
        let digits = of.to_string().len();
        self.talk.say(&text::hanging(&format!("[{number:>digits$}/{of}] "), DIM, title, self.talk.line_width()));
        self.of = of;
        self.since = Some(Instant::now());
        // Steps that need a manual step start after later ones.
        self.titles.get_mut(number.saturating_sub(1)).and_then(Option::take);
        self.then = self.titles.iter().skip(number).flatten().next().cloned().unwrap_or_default();
        self.at_work("");
    }

    /// Ends the current step.
    fn end(&mut self) {
        self.live.iter().for_each(|live| live.set(None));
        let taken = self.since.take().map(|since| since.elapsed());
        if let Some(taken) = taken.filter(|taken| *taken >= LONG) {
            self.below(&format!("took {}", text::elapsed(taken)));
        }
    }

    /// A line below a step.
    fn below(&self, text: &str) {
        self.talk.say(&text::hanging(&" ".repeat(self.indent()), DIM, text, self.talk.line_width()));
    }

    fn at_work(&mut self, what: &str) {
        if self.live.is_none() && self.talk.can_move() {
            self.live = Some(Live::start(self.indent()));
        }
        if let Some(live) = &self.live {
            let (what, then) = (what.to_owned(), self.then.clone());
            live.set(Some(Activity { what, since: Instant::now(), action: String::new(), bytes: None, then }));
        }
    }

    fn show(&mut self, event: &Event) {
        match event {
            Event::Started { run, steps, notes } => {
                self.of = *steps;
                let line = format!("{} {run} {}", self.verb, notes.join(" "));
                self.talk.say(&text::hanging("", DIM, line.trim_end(), self.talk.line_width()));
            }
            Event::Step { number, title, .. } => self.begin(*number, self.of, title),
            Event::Undo { number, of, text } => self.begin(*number, *of, text),
            Event::Operation { text, .. } => {
                if self.talk.verbose {
                    self.below(text);
                }
                self.at_work(text);
            }
            Event::Bytes { done, total } => self.live.iter().for_each(|live| live.bytes(*done, *total)),
            Event::Action { text } => self.live.iter().for_each(|live| live.action(text)),
            Event::Note { text } => self.below(text),
            Event::StepDone { how, .. } => {
                if how != "done" {
                    self.below(text::outcome(how));
                }
                self.end();
            }
            Event::Gate { .. } => {
                self.live = None;
                self.since = None;
            }
            Event::Answered { text, .. } => self.below(text),
        }
    }
}

impl Drop for ProgressDisplay<'_> {
    fn drop(&mut self) {
        if !self.talk.json {
            self.end();
        }
    }
}

impl Watcher for ProgressDisplay<'_> {
    fn wants_to_stop(&self) -> bool {
        stop::wanted()
    }

    fn event(&mut self, event: &Event) {
        super::log::event(event);
        match (self.rehearsal, event) {
            (Some(rehearsal), Event::Operation { step, text }) => rehearsal.begins(step.as_str(), text),
            (Some(rehearsal), Event::Undo { text, .. }) => rehearsal.begins(ROLLBACK, text),
            _ => {}
        }
        if !self.talk.json {
            self.show(event);
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
