//! `rollback`: puts everything back, also after a finished run.

use super::ending::{Ending, Scene};
use super::fault::Fault;
use super::machine::{Machine, Purpose};
use super::options::{Global, RollbackArgs};
use super::progress::Progress;
use super::stop;
use super::talk::Talk;
use crate::engine::Standing;
use crate::exit::Exit;

pub(super) fn rollback(args: &RollbackArgs, global: &Global, talk: &Talk) -> Result<Ending, Fault> {
    let machine = Machine::open(global, Purpose::Earlier, talk)?;
    let scene = Scene { global, talk, machine: &machine };
    scene.after_rehearsal(work(args, scene))
}

fn work(args: &RollbackArgs, scene: Scene<'_>) -> Result<Ending, Fault> {
    let Scene { talk, machine, .. } = scene;
    let engine = machine.engine();
    let _lock = machine.lock(talk)?;
    let Some(found) = engine.last_run()? else {
        talk.say("There is no run to roll back.");
        return Ok(Ending::new(Exit::Done));
    };
    let id = &found.frozen.folders.id;
    match found.standing {
        Standing::RolledBack => {
            talk.say(&format!("The run {id} has been rolled back already."));
            return Ok(Ending::new(Exit::Done));
        }
        Standing::Finished if !args.yes => {
            let question = format!("The run {id} is finished. Put the old version back?");
            scene.ask(&question, "declined; nothing has been changed")?;
        }
        Standing::Finished | Standing::Unfinished | Standing::RollingBack => {}
    }
    stop::listen();
    let mut progress = Progress::new(&scene, &[]);
    progress.first("Reading every backup again before anything is put back.");
    let result = engine.rollback(&found, &mut progress);
    drop(progress);
    scene.conclude(result)
}
