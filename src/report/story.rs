//! What happened in a run and where it stands, told from its journal and nothing else: the same records always tell the
//! same story.

use crate::engine::Found;
use crate::engine::journal::{Entry, Record};
use crate::platform::Process;
use crate::platform::op::Op;
use jiff::Timestamp;
use serde::Serialize;

/// A run, told.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Story {
    /// Where it stands.
    #[serde(flatten)]
    pub stands: Stands,
    /// Every command that has worked on it.
    pub sessions: Vec<Session>,
    /// Every step of its procedure.
    pub steps: Vec<StepStory>,
    /// Every gate that was passed.
    pub gates: Vec<Answered>,
    /// Everything that went wrong.
    pub failures: Vec<Failed>,
    /// When users could not sign in.
    pub outages: Vec<Span>,
    /// Its rollback, where there has been one.
    pub rollback: Option<Rollback>,
    /// The time of the last record.
    pub latest: Option<Timestamp>,
}

/// Where a run stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Stands {
    /// All steps are done.
    Finished {
        /// An installer wants a restart of Windows.
        reboot: bool,
    },
    /// Everything is as it was before it.
    RolledBack,
    /// Windows has to be restarted first.
    Restart {
        /// The files that wait for that.
        files: Vec<String>,
    },
    /// A person has to do what a gate asks.
    Waiting {
        /// What is asked.
        gate: Asked,
    },
    /// The operator has stopped it.
    Stopped,
    /// A step, or its rollback, has failed.
    Failed {
        /// The step, or `rollback`.
        step: String,
        /// Why.
        why: String,
        /// What to do next; empty where nothing more is known.
        advice: String,
        /// A program that runs on, whose outcome is not known.
        process: Option<Process>,
    },
    /// It was cut off, or is at work.
    #[default]
    Interrupted,
}

/// A gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Its id.
    pub id: String,
    /// What is asked.
    pub title: String,
    /// How it is done.
    pub instructions: Vec<String>,
}

/// A command that has worked on a run.
#[derive(Debug, Clone, Serialize)]
pub struct Session {
    /// When it began.
    pub time: Timestamp,
    /// `run`, `resume` or `rollback`.
    pub command: String,
    /// Who gave it, where that is known.
    pub user: Option<String>,
}

/// From one time to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// When it began.
    pub begun: Timestamp,
    /// When it was over; `None` where it is not.
    pub ended: Option<Timestamp>,
}

/// A step, with what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct StepStory {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// True while users cannot sign in.
    pub outage: bool,
    /// How it ended: `done`, `already so`, or why it was skipped; `None` where it is not over.
    pub how: Option<String>,
    /// When it was at work, each attempt by itself.
    pub spans: Vec<Span>,
}

/// A gate that was passed.
#[derive(Debug, Clone, Serialize)]
pub struct Answered {
    /// When.
    pub time: Timestamp,
    /// The gate.
    pub gate: String,
    /// Who says so: `operator`, `simulated operator`, `seen on the machine`, or the plan with its reason.
    pub by: String,
    /// The account of whoever gave the command at work, where that is known.
    pub user: Option<String>,
}

/// Something that went wrong.
#[derive(Debug, Clone, Serialize)]
pub struct Failed {
    /// When.
    pub time: Timestamp,
    /// The step, or `rollback`.
    pub step: String,
    /// Why.
    pub why: String,
    /// What to do next; empty where nothing more is known.
    pub advice: String,
    /// The lines of an installer's log that matter.
    pub log: Vec<String>,
}

/// A rollback.
#[derive(Debug, Clone, Serialize)]
pub struct Rollback {
    /// When it was at work.
    #[serde(flatten)]
    pub span: Span,
    /// Its parts, in order, each with when it was done.
    pub parts: Vec<Part>,
    /// What it does not put back, and what is not as it was.
    pub not_restored: Vec<String>,
}

/// A part of a rollback.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// What it is.
    pub what: String,
    /// When it was done.
    pub done: Option<Timestamp>,
}

impl Story {
    /// Tells a run.
    pub fn of(found: &Found) -> Self {
        let step = |step: &crate::step::Step| StepStory {
            id: step.id.clone(),
            title: step.work.kind().title(),
            outage: step.outage,
            how: None,
            spans: Vec::new(),
        };
        let steps = found.frozen.steps.iter().map(step).collect();
        let mut teller = Teller { story: Self { steps, ..Self::default() }, reboot: false, uninstalls: false };
        for record in &found.records {
            teller.take(record);
        }
        teller.story
    }

    /// How many steps are over.
    pub fn done(&self) -> usize {
        self.steps.iter().filter(|step| step.how.is_some()).count()
    }

    /// The first step that has begun and is not over.
    pub fn at(&self) -> Option<&StepStory> {
        self.steps.iter().find(|step| step.how.is_none() && !step.spans.is_empty())
    }

    /// True where a rollback has begun and is not over.
    pub fn goes_back(&self) -> bool {
        self.rollback.is_some() && self.stands != Stands::RolledBack
    }

    /// How long users could not sign in, where that is over; milliseconds.
    pub fn outage_ms(&self) -> Option<i64> {
        let lengths = self.outages.iter().map(|span| Some(milliseconds(span.begun, span.ended?)));
        lengths.collect::<Option<Vec<i64>>>().filter(|all| !all.is_empty()).map(|all| all.iter().sum())
    }
}

/// From one time to another.
pub fn milliseconds(from: Timestamp, to: Timestamp) -> i64 {
    i64::try_from(to.duration_since(from).as_millis()).unwrap_or_default()
}

/// Tells a story record by record.
struct Teller {
    story: Story,
    reboot: bool,
    uninstalls: bool,
}

impl Teller {
    fn take(&mut self, record: &Record) {
        let time = record.time;
        let stands = self.stands_after(&record.entry);
        match &record.entry {
            Entry::Session { command, user } => {
                // What was at work when the program was cut off has ended no later than its last word.
                let last = self.story.latest.unwrap_or(time);
                self.close_all(last);
                let (command, user) = (command.clone(), user.clone());
                self.story.sessions.push(Session { time, command, user });
            }
            Entry::StepStarted { step } => self.begins(step, time),
            Entry::OpStarted { step, op, .. } => {
                self.uninstalls |= matches!(op, Op::Uninstall { .. });
                self.begins(step, time);
            }
            Entry::OpDone { outcome, .. } => self.reboot |= outcome.reboot,
            Entry::StepDone { step, how } => self.step_done(step, how, time),
            Entry::Answered { gate, by } => {
                let user = self.story.sessions.last().and_then(|session| session.user.clone());
                self.story.gates.push(Answered { time, gate: gate.clone(), by: by.clone(), user });
            }
            Entry::Failed { step, why, next, log, .. } => self.failed(time, step, why, next, log),
            Entry::OutcomeUnknown { step, why, next, .. } => self.failed(time, step, why, next, &[]),
            Entry::Reset { steps } => {
                for step in self.story.steps.iter_mut().filter(|step| steps.contains(&step.id)) {
                    step.how = None;
                }
            }
            Entry::Waiting { .. } | Entry::Stopped | Entry::RestartNeeded { .. } => self.pause(time),
            Entry::RollbackStarted { undos } => {
                let parts = undos.iter().map(|undo| Part { what: undo.to_string(), done: None }).collect();
                let span = Span { begun: time, ended: None };
                self.story.rollback = Some(Rollback { span, parts, not_restored: Vec::new() });
            }
            Entry::Undone { index } => {
                let part = self.story.rollback.as_mut().and_then(|rollback| rollback.parts.get_mut(*index));
                part.into_iter().for_each(|part| part.done = Some(time));
            }
            Entry::RolledBack { not_restored } => {
                self.end_outage(time);
                if let Some(rollback) = &mut self.story.rollback {
                    rollback.span.ended = Some(time);
                    rollback.not_restored.clone_from(not_restored);
                }
            }
            Entry::Finished { .. } => self.end_outage(time),
            Entry::Opened(_) | Entry::Merged { .. } | Entry::Decided { .. } | Entry::RollbackContinued => {}
        }
        self.story.stands = stands;
        self.story.latest = Some(time);
    }

    /// Where the run stands when this is the last record.
    fn stands_after(&mut self, entry: &Entry) -> Stands {
        let asked = |gate: &crate::platform::op::Gate| Stands::Waiting {
            gate: Asked { id: gate.id.clone(), title: gate.title.clone(), instructions: gate.instructions.clone() },
        };
        let failed = |step: &String, why: &String, next: &String, process: Option<&Process>| Stands::Failed {
            step: step.clone(),
            why: why.clone(),
            advice: next.clone(),
            process: process.cloned(),
        };
        match entry {
            Entry::Waiting { gate } | Entry::OpStarted { op: Op::Ask { gate }, .. } => asked(gate),
            Entry::Stopped => Stands::Stopped,
            Entry::RestartNeeded { files } => Stands::Restart { files: files.clone() },
            Entry::Failed { step, why, next, .. } => failed(step, why, next, None),
            Entry::OutcomeUnknown { step, why, next, process } => failed(step, why, next, Some(process)),
            Entry::Finished { .. } => Stands::Finished { reboot: self.reboot },
            Entry::RolledBack { .. } => Stands::RolledBack,
            _ => {
                // Nothing goes on before a restart that was asked for.
                if matches!(self.story.stands, Stands::Restart { .. }) {
                    self.reboot = false;
                }
                Stands::Interrupted
            }
        }
    }

    fn step(&mut self, id: &str) -> Option<&mut StepStory> {
        self.story.steps.iter_mut().find(|step| step.id == id)
    }

    fn begins(&mut self, id: &str, time: Timestamp) {
        let Some(step) = self.step(id) else { return };
        if step.spans.last().is_none_or(|span| span.ended.is_some()) {
            step.spans.push(Span { begun: time, ended: None });
        }
        let outages = &mut self.story.outages;
        let is_outage = self.story.steps.iter().any(|step| step.id == id && step.outage);
        if is_outage && outages.last().is_none_or(|span| span.ended.is_some()) {
            outages.push(Span { begun: time, ended: None });
        }
    }

    fn step_done(&mut self, id: &str, how: &str, time: Timestamp) {
        if let Some(step) = self.step(id) {
            step.how = Some(how.to_owned());
            // A step that found nothing to do never began.
            match step.spans.last_mut() {
                Some(span) if span.ended.is_none() => span.ended = Some(time),
                _ => step.spans.push(Span { begun: time, ended: Some(time) }),
            }
        }
        if self.story.steps.iter().rev().find(|step| step.outage).is_some_and(|last| last.id == id) {
            self.end_outage(time);
        }
    }

    fn failed(&mut self, time: Timestamp, step: &str, why: &str, advice: &str, log: &[String]) {
        let (step, why, advice) = (step.to_owned(), why.to_owned(), advice.to_owned());
        self.story.failures.push(Failed { time, step, why, advice, log: log.to_vec() });
        self.pause(time);
    }

    /// Work ends for now. Where nothing has been uninstalled, the services have been started again.
    fn pause(&mut self, time: Timestamp) {
        self.close_all(time);
        if !self.uninstalls {
            self.end_outage(time);
        }
    }

    fn close_all(&mut self, time: Timestamp) {
        let open = self.story.steps.iter_mut().filter_map(|step| step.spans.last_mut());
        open.filter(|span| span.ended.is_none()).for_each(|span| span.ended = Some(time));
    }

    fn end_outage(&mut self, time: Timestamp) {
        let open = self.story.outages.last_mut().filter(|span| span.ended.is_none());
        open.into_iter().for_each(|span| span.ended = Some(time));
    }
}
