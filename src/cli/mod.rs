//! The command line: arguments in, text and an exit code out. All work is done elsewhere.

mod arguments;
mod capture;
mod completions;
mod console;
mod ending;
mod event_log;
mod examples;
mod fault;
mod init;
mod inspect;
mod live;
mod log;
mod machine;
mod merge;
mod operator;
mod options;
mod output;
mod plan;
mod progress;
mod quote;
mod rehearse;
mod report;
mod resume;
mod rollback;
mod run;
mod schema;
mod status;
mod stop;
mod unfinished;
mod verify;

use crate::exit::Exit;
use crate::package::panic_will_be_reported;
use clap::Parser;
use console::Console;
use fault::CommandError;
use options::{Cli, Command};
use std::ffi::OsString;

/// Executes a command and returns its exit code. `args` starts with the program's own name.
pub fn start(args: impl IntoIterator<Item = OsString>) -> Exit {
    quiet_expected_panics();
    let args = match arguments::mended(args.into_iter().collect()) {
        Ok(args) => arguments::asked_for_help(args),
        Err(why) => {
            Console::to_person().fault(&CommandError::usage(why));
            return Exit::Usage;
        }
    };
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return misunderstood(&error, &args),
    };
    let talk = Console::new(&cli.global);
    let (exit, next, or) = match talk.open(&cli.global).and_then(|()| carry_out(&cli, &talk)) {
        Ok(ending) => {
            talk.next(&ending.next, &ending.or);
            log::ended(ending.exit.code(), "", &ending.next);
            (ending.exit, ending.next, ending.or)
        }
        Err(fault) => {
            talk.fault(&fault);
            log::ended(fault.exit.code(), &fault.message, &fault.next);
            (fault.exit, fault.next, fault.or)
        }
    };
    if cli.command.is_work() {
        talk.end(exit, &next, &or);
    }
    exit
}

/// A damaged package can make a decoder panic. That panic is caught and becomes an error; it must not be reported
/// twice.
fn quiet_expected_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic_will_be_reported() {
            usual(panic);
        }
    }));
}

fn carry_out(cli: &Cli, talk: &Console) -> Result<ending::Ending, CommandError> {
    let global = &cli.global;
    log::start(global)?;
    rehearse::check(global, cli.command.is_work())?;
    match &cli.command {
        Command::Plan(args) => plan::plan(args, global, talk),
        Command::Run(args) => run::run(args, global, talk),
        Command::Resume(args) => resume::resume(args, global, talk),
        Command::Rollback(args) => rollback::rollback(args, global, talk),
        Command::Status(args) => status::status(args, global, talk),
        Command::Report(args) => report::report(args, global, talk),
        Command::Merge(args) => merge::merge(args, talk),
        Command::Verify => verify::verify(global, talk),
        Command::Init(args) => init::init(args, global, talk),
        Command::Capture(args) => capture::capture(args, global, talk),
        Command::Inspect(args) => inspect::inspect(args, talk),
        Command::Schema(args) => schema::schema(args, talk),
        Command::Completions(args) => completions::completions(args, talk),
    }
}

/// Prints help, the version, or an error in the arguments.
fn misunderstood(error: &clap::Error, args: &[OsString]) -> Exit {
    let _ = error.print();
    if !error.use_stderr() {
        return Exit::Done;
    }
    if args.iter().any(|arg| arg == "--json") {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let fault = CommandError::usage(message).next("pfupgrade --help");
        let talk = Console::to_script();
        talk.document(&fault.document());
        // The end of the event stream, as for every command that prints events.
        if args.iter().any(|arg| ["run", "resume", "rollback"].iter().any(|command| arg == command)) {
            talk.end(Exit::Usage, &fault.next, "");
        }
    }
    Exit::Usage
}
