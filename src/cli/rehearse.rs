//! The outcome of an injected fault, and what would follow from it.

use super::console::Console;
use super::ending::{CommandContext, Ending};
use super::fault::CommandError;
use super::options::Global;
use crate::engine::{Engine, Forecast};
use crate::exit::Exit;
use crate::platform::simulated::{FailKind, ROLLBACK, Rehearsal};
use crate::report::text;
use crate::step::Step;
use anstyle::Style;
use serde::Serialize;

/// Fails unless a fault can be injected: in a command that works on a simulated machine.
pub(super) fn check(global: &Global, changes: bool) -> Result<(), CommandError> {
    match (&global.fail_at, &global.simulate) {
        (Some(_), None) => Err(CommandError::usage("--fail-at requires --simulate")
            .next("add --simulate for a demo machine, or --simulate=DIR for the one in DIR")),
        (Some(_), _) if !changes => {
            Err(CommandError::usage("--fail-at works only with run, resume and rollback").next("remove --fail-at"))
        }
        _ => Ok(()),
    }
}

/// Fails if the fault names an unknown step.
pub(super) fn check_step(rehearsal: Option<&Rehearsal>, steps: &[Step]) -> Result<(), CommandError> {
    let Some(wanted) = rehearsal.map(|rehearsal| rehearsal.fault().step.as_str()) else { return Ok(()) };
    let ids: Vec<&str> = steps.iter().map(|step| step.id.as_str()).collect();
    match ids.contains(&wanted) {
        true => Ok(()),
        false => Err(CommandError::usage(format!("--fail-at: the procedure has no step `{wanted}`"))
            .next(format!("its steps are: {}", ids.join(", ")))),
    }
}

impl CommandContext<'_> {
    /// Leaves the machine as the fault left it, and reports what would follow. The lock has been released by then.
    pub(super) fn after_rehearsal(&self, ended: Result<Ending, CommandError>) -> Result<Ending, CommandError> {
        let Some(rehearsal) = self.machine.rehearsal() else { return ended };
        rehearsal.settle()?;
        let fault = rehearsal.fault();
        let Some(operation) = rehearsal.struck() else {
            let place = format!("{}:{}", fault.step, fault.number);
            self.talk.insist(&format!("The requested fault was not triggered: there is no operation {place}."));
            return ended;
        };
        let left = rehearsal.left()?;
        let engine = Engine { platform: &left, ..self.machine.engine() };
        if let Some(found) = engine.last_run()? {
            self.tell(fault.kind, &operation, &engine.forecast(&found)?);
        }
        if !fault.kind.ends_the_program() {
            return ended;
        }
        let what = match fault.kind {
            FailKind::PowerCut => "the power was cut",
            FailKind::Reboot => "Windows was restarted",
            _ => "this program was killed",
        };
        let (step, again) = (fault.step.as_str(), if fault.step == ROLLBACK { "rollback" } else { "resume" });
        let fault = CommandError::new(Exit::Failed, format!("{step}: {what}, as requested, after: {operation}"));
        let or = if again == "resume" { self.command("rollback") } else { String::new() };
        Err(fault.next(self.command(again)).or(or))
    }

    fn tell(&self, kind: FailKind, operation: &str, forecast: &Forecast) {
        if self.talk.tells_scripts() {
            #[derive(Serialize)]
            struct Rehearsed<'a> {
                event: &'static str,
                kind: &'static str,
                operation: &'a str,
                stands: Option<&'a str>,
                resume: &'a [String],
                rollback: &'a [String],
            }
            let Forecast { stands, resume, rollback } = forecast;
            let (event, kind, stands) = ("rehearsed", kind.name(), stands.as_deref());
            self.talk.event(&Rehearsed { event, kind, operation, stands, resume, rollback });
        }
        if self.talk.json {
            return;
        }
        let stands = forecast.stands.iter().map(|stands| format!(" ({stands})")).collect::<String>();
        list(self.talk, &format!("`resume` would do{stands}:"), &forecast.resume);
        list(self.talk, "`rollback` would do:", &forecast.rollback);
    }
}

fn list(talk: &Console, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    talk.insist(&format!("\n{}", text::hanging("", Style::new(), title, talk.line_width())));
    for (number, line) in lines.iter().enumerate() {
        talk.insist(&text::hanging(&format!("  {:>2}. ", number + 1), Style::new(), line, talk.line_width()));
    }
}
