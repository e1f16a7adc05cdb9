//! `rollback`: puts everything back, also after a finished run.

use super::console::Console;
use super::ending::{CommandContext, Ending, Job};
use super::event_log::Telling;
use super::fault::CommandError;
use super::live;
use super::machine::{Machine, Purpose};
use super::options::{AfterReboot, Global, RollbackArgs};
use super::progress::ProgressDisplay;
use super::stop;
use crate::engine::{End, Event, Watcher};
use crate::exit::Exit;
use crate::journal::{RecordedRun, Standing};
use crate::platform::own::Notice;

pub(super) fn rollback(args: &RollbackArgs, global: &Global, talk: &Console) -> Result<Ending, CommandError> {
    let machine = Machine::open(global, Purpose::Earlier, talk)?;
    let scene = CommandContext { global, talk, machine: &machine };
    scene.after_rehearsal(work(args, scene).inspect_err(|fault| scene.tell_failure(fault)))
}

fn work(args: &RollbackArgs, scene: CommandContext<'_>) -> Result<Ending, CommandError> {
    let CommandContext { talk, machine, .. } = scene;
    let engine = machine.engine();
    let _lock = machine.lock(talk)?;
    let Some(found) = engine.last_run()? else {
        scene.forget_restart();
        talk.say("There is no run to roll back.");
        return Ok(Ending::new(Exit::Done));
    };
    let id = &found.frozen.folders.id;
    match found.standing() {
        Standing::RolledBack => {
            scene.forget_restart();
            talk.say(&format!("The run {id} has been rolled back already."));
            return Ok(Ending::new(Exit::Done));
        }
        Standing::Finished => {
            scene.say_what_data_is_lost(&found)?;
            if !args.yes {
                let question = format!("The run {id} is finished. Put the old version back?");
                scene.ask(&question, "declined; nothing has been changed")?;
            }
        }
        Standing::Unfinished | Standing::RollingBack => {}
    }
    stop::listen(live::after_keys);
    let mut progress = ProgressDisplay::new(&scene, &[]);
    progress.first(match found.standing() {
        Standing::RollingBack => "Continuing the rollback.",
        _ => "Reading every backup again before anything is put back.",
    });
    let progress = Telling::new(&scene, Notice::GoesBack, progress);
    let forgets = args.unattended.after_reboot == AfterReboot::Tell;
    let mut progress = Begins { scene: &scene, forgets, progress };
    let result = engine.rollback(&found, &mut progress);
    drop(progress);
    if matches!(result, Ok(End::Stopped))
        && let Some(ending) = scene.not_begun()?
    {
        return Ok(ending);
    }
    scene.conclude(&Job::rollback(&found.frozen.folders, args.unattended.after_reboot), result)
}

/// Watches a rollback. Once it begins, Windows no longer resumes the run at its next start.
struct Begins<'a> {
    scene: &'a CommandContext<'a>,
    forgets: bool,
    progress: Telling<'a>,
}

impl Watcher for Begins<'_> {
    fn event(&mut self, event: &Event) {
        if self.forgets && matches!(event, Event::Started { .. }) {
            self.scene.forget_restart();
        }
        self.progress.event(event);
    }

    fn wants_to_stop(&self) -> bool {
        self.progress.wants_to_stop()
    }
}

impl CommandContext<'_> {
    /// How a rollback ends that was stopped while it still read: the run is as it was. `None` where it has begun.
    fn not_begun(&self) -> Result<Option<Ending>, CommandError> {
        let Some(found) = self.machine.engine().last_run()?.filter(|found| !found.state.goes_back()) else {
            return Ok(None);
        };
        let (next, or) = self.goes_on(&found.state);
        self.talk.insist("Stopped, as asked. The rollback has not begun; nothing was changed.");
        Ok(Some(Ending { or, ..Ending::new(Exit::Stopped).next(next) }))
    }

    /// Says what the old agent will not have: whatever came into the data file since the run ended.
    fn say_what_data_is_lost(&self, found: &RecordedRun) -> Result<(), CommandError> {
        let Some(was) = found.state.finished.as_ref().and_then(|finished| finished.data.as_ref()) else {
            return Ok(());
        };
        let now = self.machine.engine().data_file(&found.frozen)?;
        if now.as_ref() == Some(was) {
            return Ok(());
        }
        let now = now.map_or_else(
            || "it is not there now".to_owned(),
            |now| format!("it has {} bytes of {:.0} now", now.len, now.modified),
        );
        self.talk.insist(&format!(
            "The data file has changed since the run ended: it had {} bytes of {:.0}, and {now}.\nThe old version gets \
             the data of before the run; the present one is kept among the backups.",
            was.len, was.modified
        ));
        Ok(())
    }
}
