//! Where runs stand, as data.

use crate::engine::{EngineError, Owner};
use crate::journal::{Asked, Entry, Record, RecordedRun, RunState, Stands};
use crate::platform::op::Op;
use crate::step::StepId;
use crate::webconfig::Side;
use jiff::Timestamp;
use serde::Serialize;

/// Every run that was asked about, the latest first.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Version of this document.
    pub format: u32,
    /// `status`.
    pub kind: &'static str,
    /// The process that works on the machine just now.
    pub at_work: Option<Owner>,
    /// The runs.
    pub runs: Vec<RunStatus>,
}

/// One run.
#[derive(Debug, Clone, Serialize)]
pub struct RunStatus {
    /// Its id.
    pub run: String,
    /// `finished`, `waiting`, `stopped`, `failed`, `restart`, `interrupted`, `at-work`, `rolled-back` or `damaged`.
    pub state: &'static str,
    /// True where a rollback has begun and is not over.
    pub goes_back: bool,
    /// The same in a sentence.
    pub says: String,
    /// The machine's name.
    pub machine: Option<String>,
    /// The plan's own name.
    pub plan: Option<String>,
    /// The ticket of the change.
    pub ticket: Option<String>,
    /// Who began it, where that is known.
    pub user: Option<String>,
    /// When it began.
    pub begun: Option<Timestamp>,
    /// When it was last heard of.
    pub latest: Option<Timestamp>,
    /// How many steps it has.
    pub steps: usize,
    /// How many are over.
    pub done: usize,
    /// The step at which it stands; `rollback` for that.
    pub step: Option<String>,
    /// The gate at which it waits.
    pub gate: Option<Asked>,
    /// When users could no longer sign in: this time where they still cannot, else the first time.
    pub outage_begun: Option<Timestamp>,
    /// How long they could not, where that is over.
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

/// One thing that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Happened {
    /// When.
    pub time: Timestamp,
    /// What.
    pub text: String,
    /// True where it went wrong, or waits for somebody.
    pub matters: bool,
}

impl RunStatus {
    /// A run, told from its journal. `at_work`: a process works on it just now. What to do next is left
    /// to those who know the commands.
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
        let (nobody, never) = (None::<String>, None::<Timestamp>);
        Self {
            run,
            state: "damaged",
            goes_back: false,
            says: error.to_string(),
            machine: nobody.clone(),
            plan: nobody.clone(),
            ticket: nobody.clone(),
            user: nobody.clone(),
            begun: never,
            latest: never,
            steps: 0,
            done: 0,
            step: nobody.clone(),
            gate: None,
            outage_begun: never,
            outage_ms: None,
            happened: Vec::new(),
            backup: nobody.clone(),
            journal: nobody,
            next: String::new(),
            or: String::new(),
        }
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
    let what = if state.goes_back() { "its rollback" } else { "it" };
    let place = step.filter(|_| !state.goes_back()).map(|step| format!(" at the step {step}")).unwrap_or_default();
    match &state.stands {
        _ if at_work => format!("{what} is at work{place}"),
        Stands::Finished { reboot: false } => "it is finished".to_owned(),
        Stands::Finished { reboot: true } => "it is finished; an installer asked for a restart of Windows".to_owned(),
        Stands::RolledBack => {
            "it has been rolled back: products, web applications and services are as before the run".to_owned()
        }
        Stands::Restart { .. } => format!("{what} waits for a restart of Windows"),
        Stands::Waiting { gate } => format!("it waits at the gate {}", gate.id),
        Stands::Stopped => format!("{what} was stopped by the operator{place}"),
        Stands::Failed { process: Some(process), .. } => {
            format!("{what} has given up on {}, process {}{place}", process.program, process.id)
        }
        Stands::Failed { .. } => format!("{what} has failed{place}"),
        Stands::Interrupted => format!("{what} was interrupted{place}; why is not recorded"),
    }
}

fn happened(record: &Record, state: &RunState) -> Option<Happened> {
    let title = |id: &StepId| state.step(id).map_or_else(|| id.to_string(), |step| step.title.clone());
    let (matters, text) = match &record.entry {
        Entry::Session { command, user, .. } => {
            (false, format!("`{command}` begins{}", user.iter().map(|user| format!(", by {user}")).collect::<String>()))
        }
        Entry::StepDone { step, how, .. } if how == "done" => (false, title(step)),
        Entry::StepDone { step, how, .. } => (false, format!("{} ({how})", title(step))),
        Entry::Answered { gate, by } => (false, format!("gate {gate}: {by}")),
        Entry::Decided { path, take } => {
            (false, format!("decided: {path}, the {} value", if *take == Side::Old { "old" } else { "new" }))
        }
        Entry::OpStarted { op: Op::Ask { gate }, .. } => (true, format!("gate {}: {}", gate.id, gate.title)),
        Entry::Failed { step, why, .. } | Entry::OutcomeUnknown { step, why, .. } => (true, format!("{step}: {why}")),
        Entry::RestartNeeded { files } => (true, format!("a restart of Windows is needed for {}", files.join(", "))),
        Entry::Stopped => (true, "stopped by the operator".to_owned()),
        Entry::Waiting { gate } => (true, format!("the run waits at the gate {}", gate.id)),
        Entry::Reset { steps } => {
            let steps: Vec<&str> = steps.iter().map(StepId::as_str).collect();
            (true, format!("begun anew: {}", steps.join(", ")))
        }
        Entry::CalledOff { failed } if failed.is_empty() => {
            (false, "nothing had been uninstalled, and the services run again".to_owned())
        }
        Entry::CalledOff { failed } => (true, failed.join("; ")),
        Entry::RollbackStarted { undos } => (true, format!("a rollback of {} parts begins", undos.len())),
        Entry::RollbackContinued => (true, "the rollback goes on".to_owned()),
        Entry::RolledBack { .. } => (false, "rolled back".to_owned()),
        Entry::Finished { .. } => (false, "finished".to_owned()),
        _ => return None,
    };
    Some(Happened { time: record.time, text, matters })
}
