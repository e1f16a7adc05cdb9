//! Running programs with all their child processes. None is ever ended from here.

use super::disk::Drives;
use super::text::console;
use super::win32::process::{self, Job};
use super::win32::system;
use crate::platform::installer_code;
use crate::platform::{Context, Failure, Outcome, Process, Progress, installer_log};
use crate::winpath::WinPath;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::windows::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Ctrl+C must not reach the started program.
const NEW_PROCESS_GROUP: u32 = 0x200;
/// It starts suspended, so that all its child processes are tracked.
const SUSPENDED: u32 = 0x4;
/// It survives if the job of this program is ended.
const BREAKAWAY: u32 = 0x0100_0000;
const ACCESS_DENIED: i32 = 5;

const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often an installer's log is checked.
const READ_EVERY: Duration = Duration::from_secs(1);
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Steps of 100 nanoseconds between 1601, the epoch of Windows, and 1970.
const TO_1970: u64 = 116_444_736_000_000_000;

/// A running program with its child processes.
struct Family {
    child: Child,
    /// `None` if Windows does not allow the job; then child processes are found by polling.
    job: Option<Job>,
    seen: BTreeMap<u32, String>,
}

impl Family {
    fn begin(command: &mut Command, doing: &str) -> Result<Self, Failure> {
        let flags = NEW_PROCESS_GROUP | SUSPENDED;
        let child = match command.creation_flags(flags | BREAKAWAY).spawn() {
            // The job of this program does not allow a breakaway.
            Err(error) if error.raw_os_error() == Some(ACCESS_DENIED) => command.creation_flags(flags).spawn(),
            spawned => spawned,
        };
        let mut child = child.context(doing)?;
        let job = Job::new().ok().filter(|job| job.take_in(&child).is_ok());
        if let Err(error) = process::resume(child.id()) {
            // It is still suspended.
            let _ = child.kill();
            return Err(Failure::new(doing, error));
        }
        Ok(Self { child, job, seen: BTreeMap::new() })
    }

    /// Its running child processes.
    fn children(&mut self) -> BTreeMap<u32, String> {
        let all = process::all().unwrap_or_default();
        let first = self.child.id();
        // Parents are in no particular order, so this repeats until no process is new.
        loop {
            let known = self.seen.len();
            for found in &all {
                if found.parent == first || self.seen.contains_key(&found.parent) {
                    self.seen.insert(found.id, found.name.clone());
                }
            }
            if self.seen.len() == known {
                break;
            }
        }
        self.seen.retain(|id, _| all.iter().any(|found| found.id == *id));
        self.seen.clone()
    }

    fn has_ended(&mut self) -> bool {
        match self.job.as_ref().and_then(|job| job.running().ok()) {
            Some(running) => running == 0,
            None => self.children().is_empty(),
        }
    }
}

/// Runs a program until it and all its child processes have ended. Returns its exit code. `log` is the log that an
/// installer writes.
pub(super) fn run(
    command: &mut Command,
    what: &str,
    doing: &str,
    limit: Duration,
    log: Option<&WinPath>,
    watch: &mut dyn FnMut(Progress),
) -> Result<i32, Failure> {
    let begun = Instant::now();
    let (mut told, mut read, mut action) = (begun, begun, None);
    let mut family = Family::begin(command, doing)?;
    let mut code = None;
    loop {
        if code.is_none() {
            code = family.child.try_wait().context(doing)?.map(|status| status.code().unwrap_or(-1));
        }
        if let Some(code) = code
            && family.has_ended()
        {
            return Ok(code);
        }
        if begun.elapsed() > limit {
            return Err(Failure::still_running(doing, left_running(&mut family, what, code.is_some()), limit));
        }
        if read.elapsed() > READ_EVERY {
            read = Instant::now();
            let latest =
                log.and_then(|log| installer_log::latest_action(&installer_log::read_latest(&Drives, log).ok()?));
            if latest.is_some() && latest != action {
                latest.iter().for_each(|action| watch(Progress::Action(action.clone())));
                action = latest;
            }
        }
        if told.elapsed() > TELL_EVERY {
            told = Instant::now();
            let minutes = begun.elapsed().as_secs() / 60;
            let at = action.iter().map(|action| format!(": {action}")).collect::<String>();
            watch(Progress::Says(format!("{what} has been running for {minutes} min{at}")));
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn left_running(family: &mut Family, what: &str, has_ended: bool) -> Process {
    let child = family.children().into_iter().next().filter(|_| has_ended);
    let (id, program) = match child {
        Some((id, name)) => (id, format!("{name}, started by {what}")),
        None => (family.child.id(), what.to_owned()),
    };
    Process { id, program, started: started(id).unwrap_or_else(Timestamp::now) }
}

/// This process.
pub(super) fn this() -> Process {
    let id = std::process::id();
    Process { id, program: "pfupgrade".to_owned(), started: started(id).unwrap_or_else(Timestamp::now) }
}

fn started(id: u32) -> Option<Timestamp> {
    let since_1970 = process::started(id)?.checked_sub(TO_1970)?;
    Timestamp::from_microsecond(i64::try_from(since_1970 / 10).ok()?).ok()
}

/// Whether a process with this PID is running.
pub(in crate::platform) fn runs(id: u32) -> bool {
    started(id).is_some()
}

/// Whether a process is still running, and its PID was not reused.
pub(super) fn still_runs(process: &Process) -> bool {
    started(process.id).is_some_and(|started| started == process.started)
}

/// A command with its output in a log.
pub(super) fn logged(program: &WinPath, log: &WinPath, doing: &str) -> Result<Command, Failure> {
    let output = File::create(super::disk::host_path(log)).context(doing)?;
    let errors = output.try_clone().context(doing)?;
    let mut command = Command::new(program.as_str());
    command.stdin(Stdio::null()).stdout(output).stderr(errors);
    Ok(command)
}

/// Interprets the exit code of a setup or another program.
pub(super) fn outcome(code: i32, doing: &str, log: &WinPath, last: &str) -> Result<Outcome, Failure> {
    installer_code::success(code).ok_or_else(|| installer_code::failure(doing, "it", code, last, log))
}

/// The result of a Windows command-line tool.
pub(super) struct Answer {
    /// Its exit code.
    pub(super) code: i32,
    /// Its output.
    pub(super) text: String,
    /// Its error output.
    errors: String,
}

impl Answer {
    /// The first line of output: programs print errors on either channel.
    pub(super) fn first_line(&self) -> &str {
        let mut lines = self.text.lines().chain(self.errors.lines()).map(str::trim);
        lines.find(|line| !line.is_empty()).unwrap_or("nothing")
    }
}

/// Runs a quick Windows command-line tool.
pub(super) fn answer(program: &WinPath, arguments: &[&str], doing: &str) -> Result<Answer, Failure> {
    let mut command = Command::new(program.as_str());
    command.creation_flags(NEW_PROCESS_GROUP).args(arguments).stdin(Stdio::null());
    let output = command.output().context(doing)?;
    let text = |bytes: &[u8]| console::decode(bytes).unwrap_or_else(|| system::from_console_code_page(bytes));
    let code = output.status.code().unwrap_or(-1);
    Ok(Answer { code, text: text(&output.stdout), errors: text(&output.stderr) })
}
