//! `init`: surveys the machine and writes a plan for it. It changes nothing else.

use super::console::Console;
use super::ending::{CommandContext, Ending};
use super::fault::CommandError;
use super::machine::{Machine, Purpose};
use super::options::{Global, InitArgs};
use crate::draft::{Draft, draft};
use crate::exit::Exit;
use crate::prepare::ComponentPreview;
use crate::report::text;
use crate::winpath::WinPath;
use anstyle::Style;
use serde::Serialize;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

pub(super) fn init(args: &InitArgs, global: &Global, talk: &Console) -> Result<Ending, CommandError> {
    let file = &args.file.plan;
    if file.symlink_metadata().is_ok() {
        return Err(in_the_way(file));
    }
    let named = folders(&args.installers)?;
    let machine = Machine::open(global, Purpose::Preview, talk)?;
    let scene = CommandContext { global, talk, machine: &machine };
    if let Some(unfinished) = scene.unfinished()? {
        return Err(unfinished.refusal());
    }
    let engine = machine.engine();
    let draft = draft(engine.platform.inspect(), engine.clock, &engine.state, &named)?;
    write(file, &draft.text)?;
    tell(talk, file, &draft);
    let next = global.command_with(machine.folder.as_deref(), "plan", Some(file));
    let ending = Ending::new(Exit::Done);
    Ok(if talk.quiet { ending } else { ending.next(next) })
}

/// The folders of the machine to search for installers.
pub(super) fn folders(named: &[String]) -> Result<Vec<WinPath>, CommandError> {
    let folder = |text: &String| {
        WinPath::new(text).map_err(|error| {
            CommandError::usage(error.to_string()).next("specify an absolute folder, such as --installers D:\\Kits")
        })
    };
    named.iter().map(folder).collect()
}

fn tell(talk: &Console, file: &Path, draft: &Draft) {
    #[derive(Serialize)]
    struct Document<'a> {
        format: u32,
        kind: &'static str,
        file: String,
        machine: &'a str,
        components: &'a [ComponentPreview],
        to_decide: &'a [String],
    }
    talk.document(&Document {
        format: 1,
        kind: "init",
        file: file.display().to_string(),
        machine: &draft.preview.machine,
        components: &draft.preview.components,
        to_decide: &draft.to_decide,
    });
    if talk.json {
        return;
    }
    for component in &draft.preview.components {
        let found = component.found.as_deref().map_or(String::new(), |found| format!("{found}: "));
        let label = format!("{:24}", component.title);
        talk.say(&text::hanging(&label, Style::new(), &format!("{found}{}", component.fate), talk.line_width()));
    }
    talk.say(&format!("\nWrote {}", file.display()));
    if !draft.to_decide.is_empty() {
        talk.insist("\nDecide or fix before the run:");
        for line in &draft.to_decide {
            talk.insist(&text::hanging("  - ", Style::new(), line, talk.line_width()));
        }
    }
}

fn in_the_way(file: &Path) -> CommandError {
    CommandError::usage(format!("{} already exists and is not overwritten", file.display()))
        .next("specify another file, such as `pfupgrade init new.toml`, or move this one")
}

/// Writes a new file. Older editors of Windows need CRLF line endings.
fn write(file: &Path, text: &str) -> Result<(), CommandError> {
    let text = if cfg!(windows) { text.replace('\n', "\r\n") } else { text.to_owned() };
    let written = OpenOptions::new().write(true).create_new(true).open(file).and_then(|mut new| {
        new.write_all(text.as_bytes())?;
        new.sync_all()
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => in_the_way(file),
        _ => CommandError::usage(format!("could not write {}: {error}", file.display()))
            .next("specify a file that can be written"),
    })
}
