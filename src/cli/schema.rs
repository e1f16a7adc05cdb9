//! `schema`: the JSON Schema of what this program reads and prints.

use super::console::Console;
use super::ending::Ending;
use super::fault::CommandError;
use super::options::SchemaArgs;
use crate::exit::Exit;
use crate::report::schema;

pub(super) fn schema(args: &SchemaArgs, talk: &Console) -> Result<Ending, CommandError> {
    let unknown = || CommandError::usage(format!("there is no schema `{}`", args.name));
    let schema = schema::of(&args.name).ok_or_else(unknown)?;
    talk.result(&format!("{schema:#}\n"));
    Ok(Ending::new(Exit::Done))
}
