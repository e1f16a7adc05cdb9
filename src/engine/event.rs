//! The events of the engine. Presentation is up to the watcher.

use crate::platform::Progress;
use crate::platform::op::Gate;
use crate::step::StepId;
use serde::{Serialize, Serializer};

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Work starts or resumes.
    Started {
        /// The run's id.
        run: String,
        /// How many steps there are in all.
        steps: usize,
        /// Where work resumes, such as "at step 19/25: …"; empty for a new run.
        notes: Vec<String>,
    },
    /// A step starts.
    Step {
        /// Its number, from 1.
        number: usize,
        /// Its id.
        step: StepId,
        /// Its title.
        title: String,
    },
    /// An operation starts.
    Operation {
        /// The step it belongs to.
        step: StepId,
        /// The description of the operation.
        text: String,
    },
    /// The current operation has copied bytes.
    Bytes {
        /// Bytes so far.
        done: u64,
        /// Total bytes, if known.
        total: Option<u64>,
    },
    /// The current action of an installer.
    Action {
        /// In its own words.
        text: String,
    },
    /// A sign of life from a long operation, or a note.
    Note {
        /// The words.
        text: String,
    },
    /// A step has ended successfully.
    StepDone {
        /// Its id.
        step: StepId,
        /// `done`, `already so`, or why it was skipped.
        how: String,
    },
    /// The operator is asked.
    Gate {
        /// Its title.
        #[serde(serialize_with = "asked")]
        gate: Gate,
    },
    /// The operator answered.
    Answered {
        /// The gate's id.
        gate: String,
        /// Who: `operator`, `simulated operator`, or `plan: <reason>`.
        by: String,
        /// The same in words, with the account and the time.
        #[serde(skip)]
        text: String,
    },
    /// An operation of a rollback starts.
    Undo {
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// The description of the operation.
        text: String,
    },
}

/// A gate in events, without its internal fields.
fn asked<S: Serializer>(gate: &Gate, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Asked<'a> {
        id: &'a str,
        title: &'a str,
        instructions: &'a [String],
    }
    Asked { id: &gate.id, title: &gate.title, instructions: &gate.instructions }.serialize(serializer)
}

/// Receives events.
pub trait Watcher {
    /// Receives an event.
    fn event(&mut self, event: &Event);
    /// Whether a rollback should stop: called between two of its parts, and between two blocks that are copied or read.
    fn wants_to_stop(&self) -> bool {
        false
    }
}

/// Turns the progress of an operation into events.
pub(super) fn tell(watcher: &mut dyn Watcher) -> impl FnMut(Progress) {
    let (mut done, mut total) = (0, None);
    move |progress| match progress {
        Progress::Total(bytes) => total = Some(bytes),
        Progress::Bytes(more) => {
            done += more;
            watcher.event(&Event::Bytes { done, total });
        }
        Progress::Action(text) => watcher.event(&Event::Action { text }),
        Progress::Says(text) => watcher.event(&Event::Note { text }),
    }
}

/// Ignores all events.
#[derive(Debug, Default)]
pub struct Silent;

impl Watcher for Silent {
    fn event(&mut self, _: &Event) {}
}
