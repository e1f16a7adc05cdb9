//! Entries in the event log of the machine, for monitoring.

use super::ending::{CommandContext, Job};
use super::fault::CommandError;
use super::progress::ProgressDisplay;
use crate::engine::{End, Event, Watcher};
use crate::exit::Exit;
use crate::platform::own::Notice;
use crate::report::text;

/// Shows progress, and writes to the event log that work has started, once it has.
pub(super) struct Telling<'a> {
    scene: &'a CommandContext<'a>,
    begins: Option<Notice>,
    pub(super) progress: ProgressDisplay<'a>,
}

impl<'a> Telling<'a> {
    pub(super) fn new(scene: &'a CommandContext<'a>, begins: Notice, progress: ProgressDisplay<'a>) -> Self {
        Self { scene, begins: Some(begins), progress }
    }
}

impl Watcher for Telling<'_> {
    fn event(&mut self, event: &Event) {
        if let Event::Started { run, notes, .. } = event
            && let Some(notice) = self.begins.take()
        {
            let verb = match notice {
                Notice::GoesOn => "resumed",
                Notice::GoesBack => "is being rolled back",
                _ => "started",
            };
            let notes: String = notes.iter().map(|note| format!(" {note}")).collect();
            self.scene.tell_event_log(notice, &format!("Run {run} {verb}{notes}."));
        }
        self.progress.event(event);
    }

    fn wants_to_stop(&self) -> bool {
        self.progress.wants_to_stop()
    }
}

impl CommandContext<'_> {
    /// Writes an entry. Work continues if that fails.
    fn tell_event_log(&self, notice: Notice, text: &str) {
        if let Err(failure) = self.machine.engine().platform.tell_event_log(notice, text) {
            self.talk.say(&failure.to_string());
        }
    }

    /// Logs how work on a run ended; `goes_on`: it resumes automatically.
    pub(super) fn tell_end(&self, job: &Job<'_>, end: &End, goes_on: bool) {
        let again = self.command(job.verb);
        let run = format!("{} {}", job.what(), job.folders.id);
        let next = if goes_on { "It then resumes automatically.".to_owned() } else { format!("Then run: {again}") };
        let (notice, text) = match end {
            End::Done { reboot: false } => (Notice::Done, format!("{run} is finished.")),
            End::Done { reboot: true } => (Notice::Restart, format!("{run} is finished. Restart Windows.")),
            End::Faults { faults } => {
                let faults = faults.join("\n");
                (Notice::Failed, format!("{run} has upgraded the server, but checks failed. {next}\n{faults}"))
            }
            End::Restart { files } => {
                let why = text::why_restart(files);
                (Notice::Restart, format!("{run} is waiting for a restart of Windows. {why} {next}"))
            }
            End::Waiting(gate) => {
                (Notice::Gate, format!("{run} is waiting for a manual step ({}): {}. {next}", gate.id, gate.title))
            }
            End::Stopped => (Notice::Stopped, format!("{run} was stopped by the operator. To continue, run: {again}")),
            End::RolledBack => (
                Notice::RolledBack,
                format!(
                    "{run} is finished. Products, web applications, services and their folders are as before the run."
                ),
            ),
        };
        self.tell_event_log(notice, &text);
    }

    /// Logs why a command failed, unless nothing was changed.
    pub(super) fn tell_failure(&self, fault: &CommandError) {
        if matches!(fault.exit, Exit::Failed | Exit::RollbackFailed | Exit::Damaged) {
            let next = if fault.next.is_empty() { String::new() } else { format!("\nNext: {}", fault.next) };
            self.tell_event_log(Notice::Failed, &format!("{}{next}", fault.message));
        }
    }
}
