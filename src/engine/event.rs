//! What the engine tells while it works. Presentation is up to the listener.

use crate::platform::Progress;
use crate::platform::op::Gate;
use crate::step::StepId;
use serde::{Serialize, Serializer};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Work begins or goes on.
    Started {
        /// The run's id.
        run: String,
        /// How many steps there are in all.
        steps: usize,
        /// Words such as "going on after a kill in uninstall-portal"; empty for a fresh run.
        notes: Vec<String>,
    },
    /// A step begins.
    Step {
        /// Its number, from 1.
        number: usize,
        /// Its id.
        step: StepId,
        /// Its title.
        title: String,
    },
    /// An operation begins.
    Operation {
        /// The step it belongs to.
        step: StepId,
        /// The operation in words.
        text: String,
    },
    /// So many bytes have been copied by the current operation.
    Bytes {
        /// Bytes so far.
        done: u64,
        /// Bytes in all, where that is known.
        total: Option<u64>,
    },
    /// What the installer at work is at just now.
    Action {
        /// In its own words.
        text: String,
    },
    /// A sign of life of something that takes long, or a note worth keeping.
    Note {
        /// The words.
        text: String,
    },
    /// A step has ended well.
    StepDone {
        /// Its id.
        step: StepId,
        /// `done`, `already so`, or why it was skipped.
        how: String,
    },
    /// A person is asked.
    Gate {
        /// What is asked.
        #[serde(serialize_with = "asked")]
        gate: Gate,
    },
    /// A person answered.
    Answered {
        /// The gate's id.
        gate: String,
        /// Who: `operator`, `simulated operator`, or `plan: <reason>`.
        by: String,
    },
    /// Rolling back: an undo begins.
    Undo {
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// The operation in words.
        text: String,
    },
}

/// A gate as scripts see it: how long the machine was watched before is none of their business.
fn asked<S: Serializer>(gate: &Gate, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Asked<'a> {
        id: &'a str,
        title: &'a str,
        instructions: &'a [String],
    }
    Asked { id: &gate.id, title: &gate.title, instructions: &gate.instructions }.serialize(serializer)
}

/// Somebody who listens.
pub trait Watcher {
    /// Takes notice of an event.
    fn event(&mut self, event: &Event);
    /// Whether a rollback is to stop: asked between two of its parts, and between two blocks that are copied or read.
    fn wants_to_stop(&self) -> bool {
        false
    }
}

/// What the operation at work tells, as events.
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

/// Nobody.
#[derive(Debug, Default)]
pub struct Silent;

impl Watcher for Silent {
    fn event(&mut self, _: &Event) {}
}
