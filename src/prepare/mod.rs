//! Survey and compile: everything before a run starts. Nothing here can change the machine.
//!
//! [`prepare`] surveys the machine, compiles the procedure and runs the preflight checks. The result is shown as a
//! [`Preview`], saved as one for approval ([`Approved`]), or frozen into the journal of a run.

mod preview;
mod saved_preview;

pub use preview::{ComponentPreview, GatePreview, Preview, StepPreview};
pub use saved_preview::{Approved, Fingerprint, NotApproved};

use crate::journal::{FORMAT, Frozen};
use crate::plan::Plan;
use crate::platform::clock::Clock;
use crate::platform::listing_cache::ListingCache;
use crate::platform::{Context, Failure, Inspect};
use crate::preflight;
use crate::procedure::{self, Procedure};
use crate::step::Folders;
use crate::survey::survey;
use crate::winpath::WinPath;

/// A procedure that is ready to be previewed and run.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The data that the run would be based on.
    pub frozen: Frozen,
    /// The preview.
    pub preview: Preview,
}

/// Surveys the machine and compiles the procedure. It cannot change anything.
pub fn prepare(machine: &dyn Inspect, clock: &dyn Clock, plan: &Plan, state: &WinPath) -> Result<Prepared, Failure> {
    let machine: &dyn Inspect = &ListingCache::at(machine);
    let survey = survey(machine)?;
    let folders = folders(machine, clock, plan, state)?;
    let compiled = procedure::compile(plan, &survey, machine, &folders)?;
    let baseline = preflight::baseline(&compiled)?;
    let findings = preflight::check(&compiled, &baseline)?;
    let procedure = Procedure { findings, ..compiled.procedure };
    let preview = preview::build(machine, plan, &survey.system, &folders, &procedure)?;
    let frozen = Frozen {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        plan: plan.clone(),
        survey,
        folders,
        steps: procedure.steps,
        approved: None,
        ticket: None,
        findings: procedure.findings,
        baseline,
    };
    Ok(Prepared { frozen, preview })
}

/// A run is named after its start time; a second one in the same second gets a number.
fn folders(machine: &dyn Inspect, clock: &dyn Clock, plan: &Plan, state: &WinPath) -> Result<Folders, Failure> {
    let backups = plan.backup.directory.expand(|name| machine.variable(name)).context("find the backup folder")?;
    let time = clock.now().strftime("%Y%m%d-%H%M%S").to_string();
    let runs = state.child("runs");
    for number in 1.. {
        let id = if number == 1 { time.clone() } else { format!("{time}-{number}") };
        let folders = Folders { run: runs.child(&id), backup: backups.child(&id), id };
        let taken = |path| machine.files().entry(path).map(|entry| entry.is_some());
        if !taken(&folders.run).context("name the run")? && !taken(&folders.backup).context("name the run")? {
            return Ok(folders);
        }
    }
    Err(Failure::new("name the run", "there are too many"))
}
