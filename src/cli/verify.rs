//! `verify`: verifies the backups and checks the upgraded machine. It changes nothing.

use super::console::Console;
use super::ending::{CommandContext, Ending};
use super::fault::CommandError;
use super::live;
use super::machine::{Machine, Purpose};
use super::options::Global;
use super::stop;
use super::unfinished::Unfinished;
use crate::engine::Check;
use crate::exit::Exit;
use crate::journal::Standing;
use crate::report::text;
use anstyle::{AnsiColor, Style};
use serde::Serialize;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

pub(super) fn verify(global: &Global, talk: &Console) -> Result<Ending, CommandError> {
    let machine = Machine::open(global, Purpose::Earlier, talk)?;
    let scene = CommandContext { global, talk, machine: &machine };
    let engine = machine.engine();
    let found = engine
        .last_run()?
        .ok_or_else(|| CommandError::usage("there is no run to verify").next("start one: pfupgrade run"))?;
    let run = &found.frozen.folders.id;
    let mut show = |check: &Check| {
        if !talk.json {
            talk.result(&line(check, talk.width()));
        }
    };
    stop::listen_while_reading(live::after_keys);
    let Some(mut checks) = engine.verify(&found, &mut show, &stop::wanted)? else {
        let again = scene.command("verify");
        return Err(CommandError::new(Exit::Stopped, "stopped before all checks were made").next(again));
    };
    let unfinished = scene.unfinished()?.filter(|unfinished| unfinished.run == *run);
    if let Some(unfinished) = &unfinished {
        let (what, fault) = (format!("run {run} is finished"), Some(unfinished.says.clone()));
        let check = Check { what, fault, backup: false };
        show(&check);
        checks.push(check);
    }
    let faults = checks.iter().filter(|check| check.fault.is_some()).count();
    let is_damaged = checks.iter().any(|check| check.backup && check.fault.is_some());
    let exit = match (is_damaged, faults) {
        (true, _) => Exit::Damaged,
        (false, 0) => Exit::Done,
        (false, _) => Exit::Faults,
    };
    #[derive(Serialize)]
    struct Document<'a> {
        format: u32,
        kind: &'static str,
        exit_code: i32,
        run: &'a str,
        checks: &'a [Check],
    }
    talk.document(&Document { format: 1, kind: "verify", exit_code: exit.code(), run, checks: &checks });
    match found.standing() {
        _ if found.is_checkable() => {}
        Standing::RolledBack => {
            talk.say(&format!("Run {run} was rolled back: its backups and the old state were checked."))
        }
        _ => talk.say(&format!("Run {run} is not finished: only its backups were checked.")),
    }
    let all = checks.len();
    let faulty = format!("{faults} of {all} checks failed.");
    talk.say(&if faults == 0 { format!("{all} checks passed.") } else { faulty });
    let ending = Ending::new(exit);
    Ok(match (exit, unfinished) {
        (Exit::Damaged, _) => ending.next("keep the run's folder as it is, and put back good copies of these backups"),
        (Exit::Faults, Some(Unfinished { next, or, .. })) => Ending { or, ..ending.next(next) },
        (Exit::Faults, None) => {
            Ending { or: scene.command("rollback"), ..ending.next("fix the failed checks by hand") }
        }
        _ => ending,
    })
}

fn line(check: &Check, width: usize) -> String {
    match &check.fault {
        None => text::hanging("passed  ", GOOD, &check.what, width),
        Some(fault) => text::hanging("FAILED  ", BAD, &format!("{}: {fault}", check.what), width),
    }
}
