//! The arguments.

use super::{examples, quote};
use crate::plan::VirtualDirectory;
use crate::platform::simulated::{FailAt, demo};
use crate::report::schema;
use crate::webconfig::Side;
use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args, ColorChoice, Parser, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Upgrades a PhoneFactor Agent 5.x server to Azure Multi-Factor Authentication Server, with verified backups, resume
/// and rollback.
#[derive(Debug, Parser)]
#[command(
    name = "pfupgrade",
    version,
    max_term_width = 100,
    disable_help_flag = true,
    disable_help_subcommand = true,
    after_help = examples::ALL
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) global: Global,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what a run would do; change nothing
    #[command(after_help = examples::PLAN)]
    Plan(PlanArgs),
    /// Preview, ask, and carry out the upgrade
    #[command(after_help = examples::RUN)]
    Run(RunArgs),
    /// Continue a waiting or interrupted run
    #[command(after_help = examples::RESUME)]
    Resume(ResumeArgs),
    /// Restore the state before the last run
    #[command(after_help = examples::ROLLBACK)]
    Rollback(RollbackArgs),
    /// Show the state of the last run, what happened, and what to do next
    #[command(after_help = examples::STATUS)]
    Status(StatusArgs),
    /// Verify the backups and check the upgraded machine
    #[command(after_help = examples::VERIFY)]
    Verify,
    /// Survey the machine and write a plan for it
    #[command(after_help = examples::INIT)]
    Init(InitArgs),
    /// Copy what a rehearsal needs into a simulated machine, without secrets
    #[command(after_help = examples::CAPTURE)]
    Capture(CaptureArgs),
    /// Merge the customizations of one web.config into another
    #[command(after_help = examples::MERGE)]
    Merge(MergeArgs),
    /// Show what a Windows Installer package is and contains
    #[command(after_help = examples::INSPECT)]
    Inspect(InspectArgs),
    /// Write the change report of a run
    #[command(after_help = examples::REPORT)]
    Report(ReportArgs),
    /// Print the JSON Schema of the plan, or of the output of --json
    #[command(after_help = examples::SCHEMA)]
    Schema(SchemaArgs),
    /// Print completions for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
}

impl Command {
    /// Whether the command works on a run and prints events; the others print one document.
    pub(super) fn is_work(&self) -> bool {
        matches!(self, Self::Run(_) | Self::Resume(_) | Self::Rollback(_))
    }
}

#[derive(Debug, Args)]
pub(super) struct PlanFile {
    /// The plan file
    #[arg(value_name = "PLAN", default_value = "pfupgrade.toml")]
    pub(super) plan: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) file: PlanFile,
    /// Exit with 3 if there are changes to make, with 0 if there are none
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    /// Save the preview to a new file, for `run --approved FILE`
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) file: PlanFile,
    /// Start without asking; manual steps still wait
    #[arg(long)]
    pub(super) yes: bool,
    /// Proceed even though a full rollback is impossible
    #[arg(long)]
    pub(super) accept_no_return: bool,
    /// The ticket of the change, for status and report
    #[arg(long, value_name = "ID", value_parser = ticket)]
    pub(super) ticket: Option<String>,
    /// Carry out a preview saved with `plan --out`
    #[arg(long, value_name = "FILE", conflicts_with = "plan")]
    pub(super) approved: Option<PathBuf>,
    #[command(flatten)]
    pub(super) unattended: Unattended,
}

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    #[command(flatten)]
    pub(super) file: PlanFile,
    /// Also search this folder for the new installers; can be repeated
    #[arg(long, value_name = "DIR")]
    pub(super) installers: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct CaptureArgs {
    /// The folder of the simulated machine, new or empty
    #[arg(value_name = "DIR")]
    pub(super) folder: PathBuf,
    /// Copy only the tables of packages; their files become stand-ins of the same size
    #[arg(long)]
    pub(super) without_packages: bool,
    /// Also copy the installers and programs that this plan names
    #[arg(long, value_name = "PLAN")]
    pub(super) plan: Option<PathBuf>,
    /// Also search this folder for the new installers; can be repeated
    #[arg(long, value_name = "DIR")]
    pub(super) installers: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// The package
    #[arg(value_name = "MSI")]
    pub(super) package: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// What to describe
    #[arg(value_name = "NAME", default_value = "plan", value_parser = PossibleValuesParser::new(schema::NAMES))]
    pub(super) name: String,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    pub(super) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// Your customized file
    pub(super) old: PathBuf,
    /// The file of the new version
    pub(super) new: PathBuf,
    /// Your file as it was shipped
    #[arg(long, value_name = "FILE")]
    pub(super) base: Option<PathBuf>,
    /// Write to FILE, keeping its owner and permissions; links are rejected. Default: write nothing
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Which side wins in a conflict
    #[arg(long, value_name = "SIDE", value_enum, default_value = "stop")]
    pub(super) on_conflict: Conflicts,
    /// Which value wins in one conflict; can be repeated
    #[arg(long, value_name = "PATH=old|new")]
    pub(super) decide: Vec<Decision>,
    /// Rename the virtual directory in the SDK's URL
    #[arg(long, value_name = "NAME", value_parser = |name: &str| VirtualDirectory::new(name))]
    pub(super) sdk_directory: Option<VirtualDirectory>,
    /// End with 8 if a change is left to do by hand
    #[arg(long)]
    pub(super) strict: bool,
}

/// Which side wins in a conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decision {
    /// The conflict, as the merge names it.
    pub(super) path: String,
    /// The side.
    pub(super) side: Side,
}

impl FromStr for Decision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A path may contain `=` itself.
        let side = |word| match word {
            "old" => Some(Side::Old),
            "new" => Some(Side::New),
            _ => None,
        };
        let decision = text.rsplit_once('=').and_then(|(path, word)| Some((path, side(word)?)));
        let Some((path, side)) = decision.filter(|(path, _)| !path.is_empty()) else {
            return Err("expected the path of a conflict, `=`, and `old` or `new`".to_owned());
        };
        Ok(Self { path: path.to_owned(), side })
    }
}

/// Which value wins in a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Conflicts {
    /// Write nothing, and exit with 8
    Stop,
    /// The new file
    KeepNew,
    /// The old file
    KeepOld,
}

#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    /// Confirm that a manual step is complete
    #[arg(long, value_name = "GATE")]
    pub(super) confirm: Option<String>,
    /// Decide a conflict in a web.config in favor of the old or the new value; can be repeated
    #[arg(long, value_name = "PATH=old|new")]
    pub(super) decide: Vec<Decision>,
    #[command(flatten)]
    pub(super) unattended: Unattended,
}

#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    /// Roll back a finished run without asking
    #[arg(long)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) unattended: Unattended,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The ID of the run, as shown by `status --all` [default: the last run]
    pub(super) run: Option<String>,
    /// The format of the report
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Markdown)]
    pub(super) format: Form,
    /// Write the report to a new file instead of printing it
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// A self-contained web page
    Html,
    /// Text for wikis and tickets
    Markdown,
    /// A document for scripts
    Json,
}

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Show every run, the latest first
    #[arg(long)]
    pub(super) all: bool,
}

/// What to do without an operator.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Unattended {
    /// If Windows must restart mid-run: wait for you (tell) or continue automatically (resume)
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = AfterReboot::Tell)]
    pub(super) after_reboot: AfterReboot,
}

/// What happens after a restart of Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AfterReboot {
    /// Wait for you
    Tell,
    /// Continue automatically in a task that starts with Windows, without a logon
    Resume,
}

#[derive(Debug, Args)]
pub(super) struct Global {
    /// Print JSON for scripts
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(super) json: bool,
    /// Also write the same JSON to a new file
    #[arg(long, global = true, value_name = "FILE", help_heading = EVERYWHERE)]
    pub(super) json_file: Option<PathBuf>,
    /// Print only results, questions and errors
    #[arg(long, short, global = true, conflicts_with = "verbose", help_heading = EVERYWHERE)]
    pub(super) quiet: bool,
    /// Show every operation
    #[arg(long, short, global = true, help_heading = EVERYWHERE)]
    pub(super) verbose: bool,
    /// Append all events to a file, as JSON lines
    #[arg(long, global = true, value_name = "FILE", help_heading = EVERYWHERE)]
    pub(super) log_file: Option<PathBuf>,
    /// When to use color
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = EVERYWHERE)]
    pub(super) color: ColorChoice,
    /// The state folder on the machine
    #[arg(long, global = true, value_name = "DIR", help_heading = EVERYWHERE)]
    pub(super) state: Option<String>,
    /// Print help
    #[arg(long, short, global = true, action = ArgAction::HelpShort, help_heading = EVERYWHERE)]
    help: Option<bool>,
    /// Work on the simulated machine in DIR, or on a demo
    #[arg(long, global = true, value_name = "DIR", num_args = 0..=1, require_equals = true, help_heading = SIMULATED)]
    pub(super) simulate: Option<Option<PathBuf>>,
    /// The demo machine to build
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        value_parser = PossibleValuesParser::new(demo::NAMES),
        help_heading = SIMULATED
    )]
    pub(super) demo: Option<String>,
    /// Stop at manual steps, as on a real server
    #[arg(long, global = true, help_heading = SIMULATED)]
    pub(super) ask: bool,
    /// Inject a fault at STEP[:N][=KIND]
    #[arg(long, global = true, value_name = "FAULT", help_heading = SIMULATED)]
    pub(super) fail_at: Option<FailAt>,
}

const EVERYWHERE: &str = "Global options";
const SIMULATED: &str = "Simulated machines";

impl Global {
    /// A command line for the same machine, to be copied; `folder` is that of a simulated machine.
    pub(super) fn command(&self, folder: Option<&Path>, rest: &str) -> String {
        self.command_with(folder, rest, None)
    }

    /// The same with a file as the argument.
    pub(super) fn command_with(&self, folder: Option<&Path>, rest: &str, file: Option<&Path>) -> String {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut options: Vec<(&str, String)> = file.map(|file| ("", text(file))).into_iter().collect();
        options.extend(folder.map(|folder| ("--simulate=", text(folder))));
        options.extend(self.state.iter().map(|state| ("--state ", state.clone())));
        let mut flags = String::new();
        if folder.is_none() && self.simulate.is_some() {
            flags += " --simulate";
            flags.extend(self.demo.iter().map(|name| format!(" --demo {name}")));
        }
        if self.ask && rest.starts_with("resume") {
            flags += " --ask";
        }
        quote::command(rest, &options, &flags)
    }
}

/// Checks a ticket: a short name on one line.
fn ticket(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    match text {
        "" => Err("it is empty"),
        _ if text.chars().count() > 100 => Err("it is longer than 100 characters"),
        _ if text.contains(char::is_control) => Err("it contains control characters"),
        _ => Ok(text.to_owned()),
    }
}
