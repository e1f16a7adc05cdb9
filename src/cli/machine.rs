//! The machine that a command works on.

use super::console::Console;
use super::fault::CommandError;
use super::options::Global;
use crate::engine::{Engine, LockGuard, USUAL_STATE};
use crate::platform::Platform;
use crate::platform::clock::{Clock, HostClock};
use crate::platform::disk::{Disk, HostDisk, MemoryDisk};
use crate::platform::simulated::{Rehearsal, Simulated, demo};
use crate::winpath::WinPath;
use anyhow::Context;
use jiff::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a command needs the machine for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Reading.
    Preview,
    /// Changing it.
    Work,
    /// Continuing earlier work.
    Earlier,
}

/// An open machine.
pub(super) struct Machine {
    kind: Kind,
    /// Where the simulated machine is; `None` if it is in memory.
    pub(super) folder: Option<PathBuf>,
    pub(super) state: WinPath,
    clock: Arc<dyn Clock>,
}

/// Which machine it is.
enum Kind {
    Simulated(Box<Simulated>),
    Rehearsal(Box<Rehearsal>),
    #[cfg(windows)]
    Windows(crate::platform::Windows),
}

impl Kind {
    fn platform(&self) -> &dyn Platform {
        match self {
            Kind::Simulated(simulated) => &**simulated,
            Kind::Rehearsal(rehearsal) => &**rehearsal,
            #[cfg(windows)]
            Kind::Windows(windows) => windows,
        }
    }
}

/// The host's clock, advanced by every wait: waiting takes no time on a simulated machine.
#[derive(Default)]
struct SimulatedClock(AtomicU64);

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        let ahead = Duration::from_secs(self.0.load(Ordering::Relaxed));
        HostClock.now().saturating_add(ahead).unwrap_or(Timestamp::MAX)
    }

    fn wait(&self, time: Duration) {
        self.0.fetch_add(time.as_secs(), Ordering::Relaxed);
    }
}

impl Machine {
    pub(super) fn open(global: &Global, purpose: Purpose, talk: &Console) -> Result<Self, CommandError> {
        match &global.simulate {
            None => Self::of(this_machine(global)?, None, Arc::new(HostClock), global),
            Some(simulate) => Self::simulated(simulate.as_ref(), global, purpose, talk),
        }
    }

    fn simulated(
        simulate: Option<&PathBuf>,
        global: &Global,
        purpose: Purpose,
        talk: &Console,
    ) -> Result<Self, CommandError> {
        let clock = Arc::<SimulatedClock>::default();
        let (simulated, folder) = match (simulate, purpose) {
            (Some(folder), _) => (in_folder(folder, global, purpose, talk, clock.clone())?, Some(folder.clone())),
            (None, Purpose::Preview) => (build(global, Arc::new(MemoryDisk::new()), clock.clone())?, None),
            (None, Purpose::Work) => {
                let folder = tempfile::Builder::new().prefix("pfupgrade-").tempdir();
                let folder = folder.context("could not make a temporary folder for the demo machine")?.keep();
                let simulated = build(global, Arc::new(HostDisk::below(&folder)), clock.clone())?;
                talk.insist(&format!("The demo machine is in {}", folder.display()));
                (simulated, Some(folder))
            }
            (None, Purpose::Earlier) => {
                return Err(CommandError::usage("--simulate needs a folder here: --simulate=DIR")
                    .next("name the folder of the simulated machine"));
            }
        };
        let kind = match (&global.fail_at, &folder) {
            (Some(fault), Some(folder)) => {
                Kind::Rehearsal(Box::new(Rehearsal::open(HostDisk::below(folder), clock.clone(), fault.clone())?))
            }
            _ => Kind::Simulated(Box::new(simulated)),
        };
        Self::of(kind, folder, clock, global)
    }

    fn of(kind: Kind, folder: Option<PathBuf>, clock: Arc<dyn Clock>, global: &Global) -> Result<Self, CommandError> {
        let state = global.state.as_deref().unwrap_or(USUAL_STATE);
        let wrong = |why: String| {
            CommandError::usage(format!("cannot use the state folder `{state}`: {why}"))
                .next("specify another one with --state")
        };
        let text = kind
            .platform()
            .expand(state)
            .map_err(|name| wrong(format!("the environment variable %{name}% is not set on this server")))?;
        let state = WinPath::new(text).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { kind, folder, state, clock })
    }

    /// Locks the machine, and reports a previous owner that exited unexpectedly.
    pub(super) fn lock(&self, talk: &Console) -> Result<LockGuard<'_>, CommandError> {
        let taken = self.engine().lock()?;
        if let Some(died) = &taken.died {
            talk.say(&format!("{died}."));
        }
        if let Some(simulated) = self.as_simulated() {
            simulated.refresh()?;
            // No command is at work here, so a restart that an installer has started is over.
            simulated.finish_restart()?;
        }
        Ok(taken)
    }

    /// The simulated machine, if it is one.
    pub(super) fn as_simulated(&self) -> Option<&Simulated> {
        match &self.kind {
            Kind::Simulated(simulated) => Some(simulated),
            Kind::Rehearsal(rehearsal) => Some(rehearsal.machine()),
            #[cfg(windows)]
            Kind::Windows(_) => None,
        }
    }

    /// The rehearsal of a fault, if one is requested.
    pub(super) fn rehearsal(&self) -> Option<&Rehearsal> {
        match &self.kind {
            Kind::Rehearsal(rehearsal) => Some(rehearsal),
            _ => None,
        }
    }

    pub(super) fn engine(&self) -> Engine<'_> {
        Engine { platform: self.kind.platform(), clock: &*self.clock, state: self.state.clone() }
    }
}

/// The machine that this program runs on.
fn this_machine(global: &Global) -> Result<Kind, CommandError> {
    let fault = match (global.demo.is_some(), global.ask) {
        (true, _) => CommandError::usage("--demo requires --simulate"),
        (_, true) => CommandError::usage("--ask requires --simulate"),
        #[cfg(windows)]
        _ => return Ok(Kind::Windows(crate::platform::Windows::new()?)),
        #[cfg(not(windows))]
        _ => CommandError::usage("this is not Windows: only simulated machines are supported here"),
    };
    Err(fault.next("add --simulate for a demo machine, or --simulate=DIR for the one in DIR"))
}

fn in_folder(
    folder: &Path,
    global: &Global,
    purpose: Purpose,
    talk: &Console,
    clock: Arc<SimulatedClock>,
) -> Result<Simulated, CommandError> {
    let disk = Arc::new(HostDisk::below(folder));
    if folder.join("machine.toml").symlink_metadata().is_ok() {
        return Ok(Simulated::open(disk, clock)?);
    }
    if purpose == Purpose::Earlier {
        return Err(CommandError::usage(format!("there is no simulated machine in {}", folder.display()))
            .next("specify the folder that the earlier command used or printed"));
    }
    let look = || {
        fs::read_dir(folder).map_err(|error| {
            let folder = folder.display();
            CommandError::usage(format!("could not read the folder {folder}: {error}"))
                .next("specify an empty or a new folder")
        })
    };
    if folder.exists() && look()?.next().is_some() {
        return Err(CommandError::usage(format!("{} contains files, but no simulated machine", folder.display()))
            .next("specify an empty or a new folder"));
    }
    fs::create_dir_all(folder).map_err(|error| {
        let folder = folder.display();
        CommandError::usage(format!("could not create the folder {folder}: {error}")).next("specify another folder")
    })?;
    let simulated = build(global, disk, clock)?;
    talk.say(&format!("Created a demo machine in {}", folder.display()));
    Ok(simulated)
}

fn build(global: &Global, disk: Arc<dyn Disk>, clock: Arc<SimulatedClock>) -> Result<Simulated, CommandError> {
    let name = global.demo.as_deref().or(demo::NAMES.first().copied()).unwrap_or_default();
    Ok(demo::build(name, disk, clock)?)
}
