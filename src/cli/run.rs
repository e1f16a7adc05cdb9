//! `run`: previews, asks, and executes.

use super::console::Console;
use super::ending::{CommandContext, Ending, Job};
use super::event_log::Telling;
use super::fault::CommandError;
use super::live;
use super::machine::{Machine, Purpose};
use super::operator::Person;
use super::options::{AfterReboot, Global, RunArgs};
use super::plan::{read, read_approved, refusal};
use super::progress::ProgressDisplay;
use super::rehearse::check_step;
use super::stop;
use crate::exit::Exit;
use crate::journal::{RecordedRun, Standing};
use crate::plan::Plan;
use crate::platform::own::Notice;
use crate::prepare::Preview;
use crate::prepare::{Approved, Prepared};
use crate::report::text;

pub(super) fn run(args: &RunArgs, global: &Global, talk: &Console) -> Result<Ending, CommandError> {
    let approved = args.approved.as_deref().map(read_approved).transpose()?;
    let plan = match &approved {
        Some(approved) => approved.plan.clone(),
        None => read(&args.file.plan)?,
    };
    let machine = Machine::open(global, Purpose::Work, talk)?;
    let scene = CommandContext { global, talk, machine: &machine };
    let ended = work(args, scene, &plan, approved.as_ref());
    scene.after_rehearsal(ended.inspect_err(|fault| scene.tell_failure(fault)))
}

fn work(
    args: &RunArgs,
    scene: CommandContext<'_>,
    plan: &Plan,
    approved: Option<&Approved>,
) -> Result<Ending, CommandError> {
    let CommandContext { talk, machine, .. } = scene;
    let engine = machine.engine();
    let _lock = machine.lock(talk)?;
    if let Some(found) = engine.last_run()?
        && scene.goes_on_with(&found, plan)?
    {
        scene.is_of_ticket(&found, args.ticket.as_ref())?;
        talk.say(&format!("Continuing run {}, which has the same plan.", found.frozen.folders.id));
        return scene.resume(&found, None, args.unattended.after_reboot);
    }
    let mut prepared = scene.prepare(plan)?;
    if let Some(approved) = approved {
        scene.is_as_approved(approved, &prepared)?;
        prepared.frozen.approved = Some(approved.id.clone());
    }
    prepared.frozen.ticket.clone_from(&args.ticket);
    if prepared.frozen.steps.is_empty() && !prepared.preview.refused() {
        talk.say(&text::preview(&prepared.preview, talk.error_width()));
        return Ok(Ending::new(Exit::Done));
    }
    check_step(machine.rehearsal(), &prepared.frozen.steps)?;
    scene.ask_to_start(args, &prepared.preview)?;
    scene.begin(&prepared, args.unattended.after_reboot)
}

impl CommandContext<'_> {
    /// Whether an unfinished run has this plan and can be continued. Any other unfinished run is an error.
    fn goes_on_with(&self, found: &RecordedRun, plan: &Plan) -> Result<bool, CommandError> {
        match (self.not_finished(found, false), found.standing()) {
            (None, _) => Ok(false),
            (Some(_), Standing::Unfinished) if found.frozen.plan == *plan => Ok(true),
            (Some(unfinished), _) => Err(unfinished.refusal()),
        }
    }

    /// Refuses a ticket other than the one the run was started with.
    fn is_of_ticket(&self, found: &RecordedRun, ticket: Option<&String>) -> Result<(), CommandError> {
        let is_same = ticket.is_none() || found.frozen.ticket.as_ref() == ticket;
        let of = found
            .frozen
            .ticket
            .as_ref()
            .map_or_else(|| "without a ticket".to_owned(), |ticket| format!("with the ticket {ticket}"));
        match is_same {
            true => Ok(()),
            false => Err(CommandError::usage(format!(
                "run {} is not finished, and it was started {of}",
                found.frozen.folders.id
            ))
            .next("omit --ticket, or specify that one")),
        }
    }

    /// Refuses a saved preview that has already been carried out, or whose machine has changed since.
    fn is_as_approved(&self, approved: &Approved, prepared: &Prepared) -> Result<(), CommandError> {
        let engine = self.machine.engine();
        let again = "save a new preview with `pfupgrade plan --out FILE` and have it approved";
        if let Some(run) = engine.run_of(&approved.id)? {
            let id = &run.frozen.folders.id;
            return Err(CommandError::new(
                Exit::Changed,
                format!("this saved preview has already been carried out: run {id}"),
            )
            .next(again));
        }
        let differences = approved.differences(engine.platform.inspect(), prepared)?;
        match differences.is_empty() {
            true => Ok(()),
            false => {
                let lines = differences.join("\n  ");
                let why =
                    format!("this server has changed since the preview was saved; nothing was changed\n  {lines}");
                Err(CommandError::new(Exit::Changed, why).next(again))
            }
        }
    }

    /// Shows the preview and asks, unless `--yes` is given.
    fn ask_to_start(&self, args: &RunArgs, preview: &Preview) -> Result<(), CommandError> {
        let talk = self.talk;
        if !talk.json || !args.yes {
            talk.say(&text::preview(preview, talk.error_width()));
        }
        if preview.refused() {
            return Err(refusal(preview));
        }
        if !preview.no_return.is_empty() && !args.accept_no_return {
            let why =
                format!("a full rollback would be impossible: {}; nothing was changed", preview.no_return.join("; "));
            return Err(CommandError::new(Exit::Refused, why)
                .next("specify a `rollback-installer` in the plan, or add --accept-no-return"));
        }
        match args.yes {
            true => Ok(()),
            false => self.ask("Start the upgrade?"),
        }
    }

    /// Asks a question that only `yes` confirms.
    pub(super) fn ask(&self, question: &str) -> Result<(), CommandError> {
        if !self.talk.is_with_person() {
            return Err(CommandError::usage("no terminal to ask on; nothing was changed").next("add --yes"));
        }
        let question = text::hanging(
            "",
            anstyle::Style::new(),
            &format!("{question} Type \"yes\" and press Enter:"),
            self.talk.error_width(),
        );
        self.talk.insist(&format!("\n{question}"));
        match stop::line() {
            Some(line) if line.trim().eq_ignore_ascii_case("yes") => Ok(()),
            _ => Err(CommandError::usage("declined; nothing was changed")),
        }
    }

    fn begin(&self, prepared: &Prepared, after_reboot: AfterReboot) -> Result<Ending, CommandError> {
        stop::listen(live::after_keys);
        let mut person = Person::new(self.talk, self.machine.as_simulated(), self.asks(), None);
        let progress = ProgressDisplay::new(self, "Run", &prepared.frozen.steps);
        let mut progress = Telling::new(self, Notice::Begun, progress);
        let result = self.machine.engine().run(&prepared.frozen, &mut person, &mut progress);
        drop(progress);
        self.conclude(&Job::resume(&prepared.frozen.folders, after_reboot), result)
    }

    /// Resumes a run; `confirmed` is the gate given with `--confirm`.
    pub(super) fn resume(
        &self,
        found: &RecordedRun,
        confirmed: Option<String>,
        after_reboot: AfterReboot,
    ) -> Result<Ending, CommandError> {
        check_step(self.machine.rehearsal(), &found.frozen.steps)?;
        stop::listen(live::after_keys);
        let mut person = Person::new(self.talk, self.machine.as_simulated(), self.asks(), confirmed);
        let progress = ProgressDisplay::new(self, "Resuming run", &found.frozen.steps);
        let mut progress = Telling::new(self, Notice::GoesOn, progress);
        let result = self.machine.engine().resume(found, &mut person, &mut progress);
        drop(progress);
        self.conclude(&Job::resume(&found.frozen.folders, after_reboot), result)
    }
}
