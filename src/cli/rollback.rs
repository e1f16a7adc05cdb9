//! `rollback`: restores the state before the last run, finished or not.

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
use crate::report::text::count;
use crate::survey::FoundComponent;
use std::collections::BTreeSet;

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
            talk.say(&format!("Run {id} has already been rolled back."));
            return Ok(Ending::new(Exit::Done));
        }
        Standing::Finished => {
            scene.say_what_data_is_lost(&found)?;
            if !args.yes {
                let survey = &found.frozen.survey;
                let versions: BTreeSet<_> =
                    survey.components.values().flat_map(FoundComponent::old).map(|old| old.version.as_str()).collect();
                let versions = versions.into_iter().collect::<Vec<_>>().join(" and ");
                let size = engine.undos(&found.frozen, &found.state).map(|undos| count(undos.len(), "operation"));
                let size = size.map(|size| format!(" ({size})")).unwrap_or_default();
                scene.ask(&format!("Roll back to PhoneFactor {versions}? Users cannot sign in meanwhile{size}."))?;
            }
        }
        Standing::Unfinished | Standing::RollingBack => {}
    }
    stop::listen(live::after_keys);
    let mut progress = ProgressDisplay::new(&scene, "Rolling back run", &[]);
    progress.first(match found.standing() {
        Standing::RollingBack => "Resuming the rollback.",
        _ => "Verifying all backups before anything is restored.",
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

/// Watches a rollback. Once it starts, Windows no longer resumes the run at its next start.
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
    /// How a rollback ends that was stopped while it verified backups: the run is unchanged. `None` if it has started.
    fn not_begun(&self) -> Result<Option<Ending>, CommandError> {
        let Some(found) = self.machine.engine().last_run()?.filter(|found| !found.state.goes_back()) else {
            return Ok(None);
        };
        let (next, or) = self.goes_on(&found.state);
        self.talk.insist("Stopped. The rollback has not started; nothing was changed.");
        Ok(Some(Ending { or, ..Ending::new(Exit::Stopped).next(next) }))
    }

    /// Warns that changes to the data file since the run ended will be lost.
    fn say_what_data_is_lost(&self, found: &RecordedRun) -> Result<(), CommandError> {
        let Some(was) = found.state.finished.as_ref().and_then(|finished| finished.data.as_ref()) else {
            return Ok(());
        };
        let now = self.machine.engine().data_file(&found.frozen)?;
        if now.as_ref() == Some(was) {
            return Ok(());
        }
        let now = now.map_or_else(
            || "missing now".to_owned(),
            |now| format!("{} bytes, last modified {:.0}, now", now.len, now.modified),
        );
        let kept = found.frozen.folders.backup.child("before-rollback");
        self.talk.insist(&format!(
            "The data file has changed since the upgrade: {} bytes, last modified {:.0}, then; {now}.\nChanges made since \
             the upgrade (new users, settings) will be lost from the live system; a copy stays in {kept}",
            was.len, was.modified
        ));
        Ok(())
    }
}
