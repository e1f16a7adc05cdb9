//! What the event log of the machine hears, for those who watch many servers.

use super::ending::{CommandContext, Job};
use super::fault::CommandError;
use super::progress::ProgressDisplay;
use crate::engine::{End, Event, Watcher};
use crate::exit::Exit;
use crate::platform::own::Notice;

/// Shows progress, and has the event log hear that work begins: once it has, and not where it could not.
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
                Notice::GoesOn => "goes on",
                Notice::GoesBack => "is being rolled back",
                _ => "begins",
            };
            let notes: String = notes.iter().map(|note| format!("; {note}")).collect();
            self.scene.tell_event_log(notice, &format!("The run {run} {verb}{notes}."));
        }
        self.progress.event(event);
    }

    fn wants_to_stop(&self) -> bool {
        self.progress.wants_to_stop()
    }
}

impl CommandContext<'_> {
    /// Writes an entry. Work goes on where that cannot be done.
    fn tell_event_log(&self, notice: Notice, text: &str) {
        if let Err(failure) = self.machine.engine().platform.tell_event_log(notice, text) {
            self.talk.say(&failure.to_string());
        }
    }

    /// Tells how work on a run ended; `goes_on` where Windows will go on with it by itself.
    pub(super) fn tell_end(&self, job: &Job<'_>, end: &End, goes_on: bool) {
        let again = self.command(job.verb);
        let run = format!("The {} {}", job.what(), job.folders.id);
        let next = if goes_on { "After that it goes on by itself.".to_owned() } else { format!("Then: {again}") };
        let (notice, text) = match end {
            End::Done { reboot: false } => (Notice::Done, format!("{run} is done.")),
            End::Done { reboot: true } => (Notice::Restart, format!("{run} is done. Restart Windows.")),
            End::Restart { files } => {
                let files = files.join(", ");
                (Notice::Restart, format!("{run} waits until Windows is restarted, which replaces {files}. {next}"))
            }
            End::Waiting(gate) => {
                (Notice::Gate, format!("{run} waits for a person at the gate {}: {}. {next}", gate.id, gate.title))
            }
            End::Stopped => (Notice::Stopped, format!("{run} was stopped by the operator. To go on: {again}")),
            End::RolledBack => (
                Notice::RolledBack,
                format!(
                    "{run} is finished. Products, web applications, services and their folders are as before the run."
                ),
            ),
        };
        self.tell_event_log(notice, &text);
    }

    /// Tells why a command failed. Where nothing was touched there is nothing to tell.
    pub(super) fn tell_failure(&self, fault: &CommandError) {
        if matches!(fault.exit, Exit::Failed | Exit::RollbackFailed | Exit::Damaged) {
            let next = if fault.next.is_empty() { String::new() } else { format!("\nNext: {}", fault.next) };
            self.tell_event_log(Notice::Failed, &format!("{}{next}", fault.message));
        }
    }
}
