//! `capture`: copies this machine into a simulated one for rehearsals. It changes nothing on this machine.

use super::console::Console;
use super::ending::Ending;
use super::fault::CommandError;
use super::init::folders;
use super::machine::{Machine, Purpose};
use super::options::{CaptureArgs, Global};
use super::{plan, quote};
use crate::capture::{Captured, Wish, capture as copy};
use crate::exit::Exit;
use crate::platform::disk::HostDisk;
use crate::report::text;
use anstyle::Style;
use serde::Serialize;
use std::fs;
use std::path::Path;

pub(super) fn capture(args: &CaptureArgs, global: &Global, talk: &Console) -> Result<Ending, CommandError> {
    let wish = Wish {
        without_packages: args.without_packages,
        plan: args.plan.as_deref().map(plan::read).transpose()?,
        installers: folders(&args.installers)?,
    };
    let folder = &args.folder;
    is_free(folder)?;
    let machine = Machine::open(global, Purpose::Preview, talk)?;
    fs::create_dir_all(folder).map_err(|error| {
        CommandError::usage(format!("could not create the folder {}: {error}", folder.display()))
            .next("specify a folder that can be created")
    })?;
    let captured = copy(&machine.engine(), &HostDisk::below(folder), &wish)?;
    tell(talk, folder, &captured);
    let ending = Ending::new(Exit::Done);
    let there = [("--simulate=", folder.to_string_lossy().into_owned())];
    let next = quote::command("init rehearsal.toml", &there, "");
    Ok(if talk.quiet { ending } else { ending.next(next) })
}

/// A capture is never merged with existing files.
fn is_free(folder: &Path) -> Result<(), CommandError> {
    let taken = |why: String| CommandError::usage(why).next("specify an empty or a new folder");
    match fs::read_dir(folder).map(Iterator::count) {
        Ok(1..) => Err(taken(format!("{} is not empty", folder.display()))),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(taken(format!("could not read the folder {}: {error}", folder.display()))),
    }
}

fn tell(talk: &Console, folder: &Path, captured: &Captured) {
    #[derive(Serialize)]
    struct Document<'a> {
        format: u32,
        kind: &'static str,
        folder: String,
        machine: &'a str,
        files: u64,
        bytes: u64,
        stand_ins: usize,
        masked: usize,
        left_out: &'a [String],
    }
    let masked = captured.placeholders.iter().map(|file| file.values).sum();
    let stand_ins = captured.stand_ins.len();
    let (machine, left_out) = (captured.machine.as_str(), captured.left_out.as_slice());
    let (files, bytes) = (captured.files, captured.bytes);
    let folder = folder.display().to_string();
    if !talk.json {
        let size = text::bytes(bytes);
        talk.say(&format!(
            "Captured {machine} to {folder}: {files} files ({size}), including {stand_ins} stand-ins and {masked} \
              placeholders for secrets."
        ));
        talk.say("Its captured.toml lists everything that is not real. Review the folder before you share it.");
        for what in left_out {
            talk.insist(&text::hanging("not captured: ", Style::new(), what, talk.line_width()));
        }
    }
    talk.document(&Document { format: 1, kind: "capture", folder, machine, files, bytes, stand_ins, masked, left_out });
}
