//! `resume`: continues the last run.

use super::console::Console;
use super::ending::{CommandContext, Ending};
use super::fault::CommandError;
use super::machine::{Machine, Purpose};
use super::options::{Global, ResumeArgs};
use crate::exit::Exit;
use crate::journal::{RecordedRun, Standing};
use crate::platform::op::Op;
use crate::step::{self, History, Memo, Work};

pub(super) fn resume(args: &ResumeArgs, global: &Global, talk: &Console) -> Result<Ending, CommandError> {
    let machine = Machine::open(global, Purpose::Earlier, talk)?;
    let scene = CommandContext { global, talk, machine: &machine };
    scene.after_rehearsal(work(args, scene).inspect_err(|fault| scene.tell_failure(fault)))
}

fn work(args: &ResumeArgs, scene: CommandContext<'_>) -> Result<Ending, CommandError> {
    let CommandContext { talk, machine, .. } = scene;
    let engine = machine.engine();
    let _lock = machine.lock(talk)?;
    let Some(found) = engine.last_run()? else {
        scene.forget_restart();
        return Err(CommandError::usage("there is no run to resume").next("start one: pfupgrade run"));
    };
    let id = &found.frozen.folders.id;
    match found.standing() {
        Standing::Unfinished => {}
        Standing::Finished => {
            scene.forget_restart();
            talk.say(&format!("Run {id} is already finished."));
            return Ok(Ending::new(Exit::Done));
        }
        Standing::RollingBack => {
            return Err(CommandError::usage(format!("the rollback of run {id} is not finished"))
                .next(scene.command("rollback")));
        }
        Standing::RolledBack => {
            scene.forget_restart();
            return Err(
                CommandError::usage(format!("run {id} has been rolled back")).next("start a new run: pfupgrade run")
            );
        }
    }
    if let Some(gate) = &args.confirm {
        let gates = scene.gates(&found);
        if !gates.contains(gate) {
            return Err(CommandError::usage(format!("run {id} has no gate `{gate}`"))
                .next(format!("its gates are: {}", gates.join(", "))));
        }
    }
    let found = match args.decide.as_slice() {
        [] => found,
        decisions => {
            let decisions = decisions.iter().map(|decision| (decision.path.clone(), decision.side)).collect();
            engine.decide(found, &decisions)?
        }
    };
    scene.resume(&found, args.confirm.clone(), args.unattended.after_reboot)
}

impl CommandContext<'_> {
    /// The gates of a run's procedure. An uninstall is one if its product provides no silent uninstall command.
    fn gates(&self, found: &RecordedRun) -> Vec<String> {
        let machine = self.machine.engine().platform.inspect();
        let scene = step::StepContext {
            machine,
            folders: &found.frozen.folders,
            history: &History::default(),
            memo: &Memo::default(),
        };
        let ops = found.frozen.steps.iter().filter_map(|step| step.work.kind().operations(&scene).ok().flatten());
        let gate = |op| if let Op::Ask { gate } = op { Some(gate.id) } else { None };
        let uninstalls = found.frozen.steps.iter().filter(|step| step.uninstalls().is_some());
        let decisions = found.frozen.steps.iter().filter_map(|step| match &step.work {
            Work::ConfigureWeb(step) => Some(step.gate()),
            _ => None,
        });
        ops.flatten().filter_map(gate).chain(uninstalls.map(|step| step.id.to_string())).chain(decisions).collect()
    }
}
