//! `completions`: prints shell completions.

use super::console::Console;
use super::ending::Ending;
use super::fault::CommandError;
use super::options::{Cli, CompletionsArgs};
use crate::exit::Exit;
use clap::CommandFactory;

pub(super) fn completions(args: &CompletionsArgs, talk: &Console) -> Result<Ending, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "pfupgrade", &mut script);
    talk.result(&String::from_utf8_lossy(&script));
    Ok(Ending::new(Exit::Done))
}
