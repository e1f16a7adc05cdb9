//! `plan`: previews a run. It changes nothing.

use super::console::Console;
use super::ending::{CommandContext, Ending};
use super::fault::{CommandError, Details};
use super::machine::{Machine, Purpose};
use super::options::{Global, PlanArgs};
use super::unfinished::Unfinished;
use crate::exit::Exit;
use crate::finding::MERGE_CONFLICT;
use crate::plan::{LARGEST, Plan};
use crate::prepare::Preview;
use crate::prepare::{self, Approved, Prepared};
use crate::report::text;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

pub(super) fn plan(args: &PlanArgs, global: &Global, talk: &Console) -> Result<Ending, CommandError> {
    let plan = read(&args.file.plan)?;
    let machine = Machine::open(global, Purpose::Preview, talk)?;
    let scene = CommandContext { global, talk, machine: &machine };
    let unfinished = scene.unfinished()?;
    let mut prepared = match (scene.prepare(&plan), unfinished.as_ref()) {
        (Ok(prepared), _) => prepared,
        // What the run has left may keep the server from being surveyed.
        (Err(error), None) => return Err(error),
        (Err(_), Some(unfinished)) => return Err(unfinished.refusal()),
    };
    if let Some(unfinished) = &unfinished {
        only_unfinished(&mut prepared.preview, unfinished);
    }
    let preview = &prepared.preview;
    talk.document(preview);
    if !talk.json {
        talk.result(&text::preview(preview, talk.width()));
    }
    if let Some(Unfinished { next, or, .. }) = unfinished {
        return Ok(Ending { exit: Exit::Refused, next, or });
    }
    if preview.refused() {
        let refused = refusal(preview);
        return Ok(Ending::new(refused.exit).next(refused.next));
    }
    if let Some(file) = &args.out {
        scene.save(&prepared, file)?;
    }
    let is_change = !preview.steps.is_empty();
    let exit = if is_change && args.detailed_exitcode { Exit::Changes } else { Exit::Done };
    // If the preview goes to a pager or a file, a command on the terminal would only get in the way.
    let (command, file) = match &args.out {
        Some(saved) => ("run --approved", saved),
        None => ("run", &args.file.plan),
    };
    Ok(match is_change && !talk.quiet && io::stdout().is_terminal() {
        true => Ending::new(exit).next(global.command_with(machine.folder.as_deref(), command, Some(file))),
        false => Ending::new(exit),
    })
}

/// What a new run would do to a server on which one is not finished is nothing that anybody could approve.
fn only_unfinished(preview: &mut Preview, unfinished: &Unfinished) {
    preview.unfinished_run = Some(unfinished.run.clone());
    preview.findings = vec![unfinished.finding()];
    preview.components.clear();
    preview.steps.clear();
    preview.no_return.clear();
}

/// A preview has a few hundred kilobytes; a larger file is something else.
const LARGEST_SAVED: u64 = 64 << 20;

/// Reads a plan file.
pub(super) fn read(path: &Path) -> Result<Plan, CommandError> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    // A plan is small; a larger file is something else.
    let most = LARGEST as u64 + 1;
    File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(|error| {
        CommandError::usage(format!("could not read the plan {name}: {error}"))
            .next("specify a plan file; `pfupgrade init` writes one for this server")
    })?;
    Plan::read(&bytes, &name).map_err(|diagnostics| {
        let number = diagnostics.errors.len() + diagnostics.omitted;
        let errors = if number == 1 { "an error".to_owned() } else { format!("{number} errors") };
        CommandError::usage(format!("the plan {name} has {errors}; nothing was changed"))
            .next("fix the plan, then run this command again")
            .details(Details::Plan(Box::new(diagnostics)))
    })
}

/// Reads a saved preview.
pub(super) fn read_approved(path: &Path) -> Result<Approved, CommandError> {
    let name = path.display();
    let mut text = String::new();
    let file = File::open(path).and_then(|file| file.take(LARGEST_SAVED).read_to_string(&mut text));
    file.map_err(|error| {
        CommandError::usage(format!("could not read the saved preview {name}: {error}"))
            .next("specify a file written by `pfupgrade plan --out`")
    })?;
    Approved::read(&text).map_err(|error| {
        CommandError::usage(format!("cannot use the saved preview {name}: {error}"))
            .next("save a new one with `pfupgrade plan --out FILE` and have it approved")
    })
}

impl CommandContext<'_> {
    /// Saves a preview to a new file; a saved preview is never overwritten.
    fn save(&self, prepared: &Prepared, path: &Path) -> Result<(), CommandError> {
        let engine = self.machine.engine();
        let text = Approved::save(prepared, engine.platform.inspect(), engine.clock.now())?;
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all())).map_err(|error| {
            CommandError::usage(format!("could not write the preview to {}: {error}", path.display()))
                .next("specify a new file in an existing folder")
        })?;
        self.talk.say(&format!("Saved the preview to {}", path.display()));
        Ok(())
    }

    /// Surveys the machine and compiles the procedure. Fails if the machine cannot be surveyed.
    pub(super) fn prepare(&self, plan: &Plan) -> Result<Prepared, CommandError> {
        let engine = self.machine.engine();
        let mut prepared = prepare::prepare(engine.platform.inspect(), engine.clock, plan, &engine.state)
            .map_err(|failure| CommandError { exit: Exit::Refused, ..failure.into() })?;
        prepared.preview.simulated = self.machine.as_simulated().is_some();
        Ok(prepared)
    }
}

/// The error for a preview with blocking checks.
pub(super) fn refusal(preview: &Preview) -> CommandError {
    let refusals: Vec<_> = preview.findings.iter().filter(|finding| finding.refuses()).cloned().collect();
    let ids: BTreeSet<&str> = refusals.iter().map(|finding| finding.id.as_str()).collect();
    let ids = ids.into_iter().collect::<Vec<_>>().join(", ");
    let exit = if ids == MERGE_CONFLICT { Exit::Conflict } else { Exit::Refused };
    let checks = text::count(refusals.len(), "blocking check");
    CommandError::new(exit, format!("checks block this run: {ids}; nothing was changed"))
        .next(format!("fix the {checks} above, then run this command again"))
        .details(Details::Findings(refusals))
}
