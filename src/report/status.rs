//! The status of runs, as data.

use crate::engine::{EngineError, Owner};
use crate::journal::{Answered, Asked, Entry, Record, RecordedRun, RunState, Stands};
use crate::platform::op::Op;
use crate::report::text::outcome;
use crate::step::StepId;
use crate::webconfig::Side;
use jiff::Timestamp;
use serde::Serialize;

/// The requested runs, the latest first.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Version of this document.
    pub format: u32,
    /// `status`.
    pub kind: &'static str,
    /// The process that is working on the machine.
    pub at_work: Option<Owner>,
    /// The runs.
    pub runs: Vec<RunStatus>,
}

/// One run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RunStatus {
    /// Its id.
    pub run: String,
    /// `finished`, `waiting`, `stopped`, `failed`, `restart`, `interrupted`, `at-work`, `rolled-back` or `damaged`.
    pub state: &'static str,
    /// Whether a rollback has started and is not finished.
    pub goes_back: bool,
    /// The same in words.
    pub says: String,
    /// The machine's name.
    pub machine: Option<String>,
    /// The plan's own name.
    pub plan: Option<String>,
    /// The ticket of the change.
    pub ticket: Option<String>,
    /// Who started it, if known.
    pub user: Option<String>,
    /// When it started.
    pub begun: Option<Timestamp>,
    /// The time of its last record.
    pub latest: Option<Timestamp>,
    /// How many steps it has.
    pub steps: usize,
    /// How many are done.
    pub done: usize,
    /// The current step, or `rollback`.
    pub step: Option<String>,
    /// The gate that it is waiting at.
    pub gate: Option<Asked>,
    /// When the outage began: the current one, or else the first.
    pub outage_begun: Option<Timestamp>,
    /// How long the outage lasted, if it is over.
    pub outage_ms: Option<i64>,
    /// What happened, in order.
    pub happened: Vec<Happened>,
    /// Where the backups are.
    pub backup: Option<String>,
    /// The journal.
    pub journal: Option<String>,
    /// What to do next.
    pub next: String,
    /// What can be done instead.
    pub or: String,
}

/// An event.
#[derive(Debug, Clone, Serialize)]
pub struct Happened {
    /// When.
    pub time: Timestamp,
    /// What.
    pub text: String,
    /// Whether it is a failure, or requires action.
    pub matters: bool,
}

impl RunStatus {
    /// The status of a run, from its journal. `at_work`: a process is working on it. The caller, who knows the commands,
    /// fills in what to do next.
    pub fn of(found: &RecordedRun, at_work: bool) -> Self {
        let RecordedRun { frozen, state, .. } = found;
        let step = match &state.stands {
            _ if state.goes_back() => Some("rollback".to_owned()),
            Stands::Failed { step, .. } => Some(step.to_string()),
            Stands::Finished { .. } | Stands::RolledBack => None,
            _ => state.at().map(|step| step.id.to_string()),
        };
        let gate = match &state.stands {
            Stands::Waiting { gate } => Some(gate.clone()),
            _ => None,
        };
        let first = state.sessions.iter().find(|session| session.command == "run");
        Self {
            run: frozen.folders.id.clone(),
            state: if at_work { "at-work" } else { word(&state.stands) },
            goes_back: state.goes_back(),
            says: says(state, step.as_deref(), at_work),
            machine: Some(frozen.survey.system.name.clone()),
            plan: frozen.plan.name.clone(),
            ticket: frozen.ticket.clone(),
            user: first.and_then(|session| session.user.clone()),
            begun: state.begun,
            latest: state.latest,
            steps: state.steps.len(),
            done: state.done(),
            step,
            gate,
            outage_begun: state.outage_begun(),
            outage_ms: state.outage_ms(),
            happened: found.records.iter().filter_map(|record| happened(record, state)).collect(),
            backup: Some(frozen.folders.backup.to_string()),
            journal: Some(found.journal.to_string()),
            next: String::new(),
            or: String::new(),
        }
    }

    /// A run whose journal cannot be read.
    pub fn damaged(run: String, error: &EngineError) -> Self {
        Self { run, state: "damaged", says: error.to_string(), ..Self::default() }
    }
}

fn word(stands: &Stands) -> &'static str {
    match stands {
        Stands::Finished { .. } => "finished",
        Stands::RolledBack => "rolled-back",
        Stands::Restart { .. } => "restart",
        Stands::Waiting { .. } => "waiting",
        Stands::Stopped => "stopped",
        Stands::Failed { .. } => "failed",
        Stands::Interrupted => "interrupted",
    }
}

fn says(state: &RunState, step: Option<&str>, at_work: bool) -> String {
    let what = if state.goes_back() { "rollback " } else { "" };
    let place = step.filter(|_| !state.goes_back()).map(|step| format!(" at step {step}")).unwrap_or_default();
    match &state.stands {
        _ if at_work => format!("{what}running{place}"),
        Stands::Finished { reboot: false } => "finished".to_owned(),
        Stands::Finished { reboot: true } => "finished; an installer requested a restart of Windows".to_owned(),
        Stands::RolledBack => "rolled back: products, web applications and services are as before the run".to_owned(),
        Stands::Restart { .. } => format!("{what}waiting for a restart of Windows"),
        Stands::Waiting { gate } => format!("waiting for a manual step ({})", gate.id),
        Stands::Stopped => format!("{what}stopped by the operator{place}"),
        Stands::Failed { process: Some(process), .. } => {
            format!("{what}timed out{place}; PID {} ({}) is still running", process.id, process.program)
        }
        Stands::Failed { .. } => format!("{what}failed{place}"),
        Stands::Interrupted => format!("{what}interrupted{place}; the cause is not recorded"),
    }
}

fn happened(record: &Record, state: &RunState) -> Option<Happened> {
    let title = |id: &StepId| state.step(id).map_or_else(|| id.to_string(), |step| step.title.clone());
    let (matters, text) = match &record.entry {
        Entry::Session { command, user, .. } => {
            (false, format!("`{command}` started{}", user.iter().map(|user| format!(" by {user}")).collect::<String>()))
        }
        Entry::StepDone { step, how, .. } if how == "done" => (false, title(step)),
        Entry::StepDone { step, how, .. } => (false, format!("{} ({})", title(step), outcome(how))),
        Entry::Answered { gate, .. } => {
            let is_it = |answered: &&Answered| answered.time == record.time && answered.gate == *gate;
            (false, state.gates.iter().find(is_it)?.text())
        }
        Entry::Decided { path, take } => {
            (false, format!("decided: {path} keeps the {} value", if *take == Side::Old { "old" } else { "new" }))
        }
        Entry::OpStarted { op: Op::Ask { gate }, .. } => (true, format!("manual step {}: {}", gate.id, gate.title)),
        Entry::Failed { step, why, .. } | Entry::OutcomeUnknown { step, why, .. } => (true, format!("{step}: {why}")),
        Entry::RestartNeeded { files } if files.is_empty() => {
            (true, "Windows must be restarted, as an installer requested".to_owned())
        }
        Entry::RestartNeeded { files } => (true, format!("Windows must be restarted to replace {}", files.join(", "))),
        Entry::Stopped => (true, "stopped by the operator".to_owned()),
        Entry::Waiting { gate } => (true, format!("waiting for a manual step ({})", gate.id)),
        Entry::Reset { steps } => {
            let steps: Vec<&str> = steps.iter().map(StepId::as_str).collect();
            (true, format!("to be repeated: {}", steps.join(", ")))
        }
        Entry::CalledOff { failed } if failed.is_empty() => {
            (false, "nothing was uninstalled, and the services are running again".to_owned())
        }
        Entry::CalledOff { failed } => (true, failed.join("; ")),
        Entry::RollbackStarted { undos } => (true, format!("rollback started: {} operations", undos.len())),
        Entry::RollbackContinued => (true, "rollback resumed".to_owned()),
        Entry::RolledBack { .. } => (false, "rolled back".to_owned()),
        Entry::Finished { .. } => (false, "finished".to_owned()),
        _ => return None,
    };
    Some(Happened { time: record.time, text, matters })
}
