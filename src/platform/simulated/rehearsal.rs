//! Fault injection: an operation of a step fails, and users can see what follows.

use super::demo::deliver;
use super::trouble::{Trouble, Works};
use super::{Simulated, facts};
use crate::platform::clock::Clock;
use crate::platform::disk::{self, Disk, FailingDisk, HostDisk, MemoryDisk, ReadDisk, Refusal, Unsynced};
use crate::platform::op::{INSTALLER_LIMIT, Op, SERVICE_LIMIT};
use crate::platform::own::{AtStart, Notice};
use crate::platform::wraps::Wraps;
use crate::platform::{Context, Failure, Inspect, Monitor, Outcome, Platform, Process};
use crate::winpath::WinPath;
use jiff::{SignedDuration, Timestamp};
use std::io;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The name that stands for the operations of a rollback.
pub const ROLLBACK: &str = "rollback";

/// The number of disk changes after which an installer fails halfway.
const HALF: i64 = 12;

/// A fault and its place: `STEP[:N][=KIND]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailAt {
    /// The id of the step, or [`ROLLBACK`].
    pub step: String,
    /// Which of its operations, from 1.
    pub number: usize,
    /// The fault.
    pub kind: FailKind,
}

/// The fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailKind {
    /// The operation fails without any change.
    Error,
    /// The program is killed when the operation is done but not recorded yet.
    Kill,
    /// The machine loses power at the same moment, and unsynced data is lost.
    PowerCut,
    /// Windows is restarted at the same moment.
    Reboot,
    /// The disk is full from the operation on.
    DiskFull,
    /// What the operation waits for times out.
    Hang,
    /// The installer fails halfway.
    HalfDone,
}

impl FailKind {
    /// Every kind, with its name.
    pub const ALL: [(&'static str, Self); 7] = [
        ("error", Self::Error),
        ("kill", Self::Kill),
        ("power-cut", Self::PowerCut),
        ("reboot", Self::Reboot),
        ("disk-full", Self::DiskFull),
        ("hang", Self::Hang),
        ("half-done", Self::HalfDone),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// Whether the program itself ends with it.
    pub fn ends_the_program(self) -> bool {
        matches!(self, Self::Kill | Self::PowerCut | Self::Reboot)
    }
}

impl FromStr for FailAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (place, kind) = text.split_once('=').unwrap_or((text, "error"));
        let (step, number) = place.split_once(':').unwrap_or((place, "1"));
        let names = FailKind::ALL.map(|(name, _)| name).join(", ");
        let known = FailKind::ALL.iter().find(|(name, _)| *name == kind);
        let (_, kind) = known.ok_or_else(|| format!("unknown kind `{kind}`; allowed: {names}"))?;
        let number = number.parse().ok().filter(|number| *number > 0);
        let number = number.ok_or("operations are counted from 1")?;
        if step.is_empty() {
            return Err("the step is missing; `pfupgrade plan` shows the steps".to_owned());
        }
        Ok(Self { step: step.to_owned(), number, kind: *kind })
    }
}

/// A simulated machine with a requested fault.
pub struct Rehearsal {
    machine: Simulated,
    disk: FailingDisk,
    /// The disk of the machine, and its copy in memory for the simulation of a power cut.
    host: HostDisk,
    memory: Option<MemoryDisk>,
    clock: Arc<dyn Clock>,
    fault: FailAt,
    at: Mutex<At>,
}

/// The progress of the rehearsal.
#[derive(Default)]
struct At {
    operations: usize,
    armed: Option<String>,
    struck: Option<String>,
}

impl Rehearsal {
    /// Opens the machine in a folder of the host.
    pub fn open(host: HostDisk, clock: Arc<dyn Clock>, fault: FailAt) -> Result<Self, Failure> {
        let memory = match fault.kind {
            FailKind::PowerCut => Some(in_memory(&host).context("copy the machine into memory")?),
            _ => None,
        };
        let disk: Arc<dyn Disk> = match &memory {
            Some(memory) => Arc::new(memory.clone()),
            None => Arc::new(host.clone()),
        };
        let disk = FailingDisk::around(disk);
        let machine = Simulated::open(Arc::new(disk.clone()), Arc::clone(&clock))?;
        Ok(Self { machine, disk, host, memory, clock, fault, at: Mutex::default() })
    }

    /// The machine itself.
    pub fn machine(&self) -> &Simulated {
        &self.machine
    }

    /// The requested fault.
    pub fn fault(&self) -> &FailAt {
        &self.fault
    }

    /// The operation at which it happened; `None` until then.
    pub fn struck(&self) -> Option<String> {
        self.at().struck.clone()
    }

    /// Is told that an operation of a step is about to start.
    pub fn begins(&self, step: &str, operation: &str) {
        let mut at = self.at();
        if step == self.fault.step && at.struck.is_none() {
            at.operations += 1;
            at.armed = (at.operations == self.fault.number).then(|| operation.to_owned());
        }
    }

    /// Leaves the machine in its folder as the fault left it.
    pub fn settle(&self) -> Result<(), Failure> {
        let struck = self.struck().is_some();
        if let Some(memory) = &self.memory {
            let left = if struck { memory.after_power_cut(Unsynced::Dropped) } else { memory.clone() };
            let facts = self.machine.facts();
            let drives = facts.free_space.keys().copied();
            put_back(&left, &self.host, drives).context("write the machine back into its folder")?;
        }
        if struck && self.fault.kind == FailKind::Reboot {
            self.left()?.restart()?;
        }
        Ok(())
    }

    /// The machine as the next command will see it.
    pub fn left(&self) -> Result<Simulated, Failure> {
        Simulated::open(Arc::new(self.host.clone()), Arc::clone(&self.clock))
    }

    fn at(&self) -> MutexGuard<'_, At> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the process or the machine has ended.
    fn has_ended(&self) -> bool {
        self.fault.kind.ends_the_program() && self.struck().is_some()
    }

    fn strikes(&self, op: &Op) -> bool {
        let mut at = self.at();
        // What a rollback removes is only known when it runs; its parts have their own descriptions.
        let is_meant = |armed: &String| self.fault.step == ROLLBACK || *armed == op.to_string();
        let strikes = at.armed.as_ref().is_some_and(is_meant);
        if strikes {
            at.struck = at.armed.take();
        }
        strikes
    }

    fn strike(&self, op: &Op, watch: &mut dyn Monitor) -> Result<Outcome, Failure> {
        match self.fault.kind {
            FailKind::Error => Err(Failure::new(op, "requested with --fail-at")),
            FailKind::Kill | FailKind::PowerCut | FailKind::Reboot => {
                self.machine.perform(op, watch)?;
                self.disk.refuse_after(0, Refusal::Killed);
                Err(Failure::new(op, "the program was killed, as requested with --fail-at"))
            }
            FailKind::DiskFull => {
                self.disk.refuse_after(0, Refusal::Full);
                self.machine.perform(op, watch)
            }
            FailKind::Hang => self.hang(op, watch),
            FailKind::HalfDone => self.half(op, watch),
        }
    }

    fn hang(&self, op: &Op, watch: &mut dyn Monitor) -> Result<Outcome, Failure> {
        let (with, limit) = match op {
            Op::Install { package, .. } => (package.name().to_owned(), INSTALLER_LIMIT),
            Op::Uninstall { code, .. } => (code.to_string(), INSTALLER_LIMIT),
            Op::Run { program, timeout, .. } => (program.name().to_owned(), *timeout),
            Op::Service { name, .. } => (name.to_string(), SERVICE_LIMIT),
            _ => return Err(Failure::new(op, "requested with --fail-at: nothing here could hang")),
        };
        let takes = SignedDuration::try_from(limit.saturating_mul(2)).unwrap_or(SignedDuration::MAX);
        let (when, code, times, leaves) = (None, 0, 1, Vec::new());
        let trouble = Trouble { with, when, code, times, takes, works: Works::AtTheEnd, returns_early: false, leaves };
        self.machine.change(|facts| facts.troubles.insert(0, trouble))?;
        self.machine.perform(op, watch)
    }

    fn half(&self, op: &Op, watch: &mut dyn Monitor) -> Result<Outcome, Failure> {
        if !matches!(op, Op::Install { .. } | Op::Uninstall { .. } | Op::Run { .. }) {
            return Err(Failure::new(op, "requested with --fail-at: no installer is at work here"));
        }
        self.disk.refuse_after(HALF, Refusal::Killed);
        let ended = self.machine.perform(op, watch);
        let cut_off = self.disk.has_refused();
        self.disk.mend();
        // Its state in memory is lost.
        self.machine.refresh()?;
        match cut_off {
            true => Err(Failure::new(op, "the installer failed halfway, as requested with --fail-at")),
            false => ended,
        }
    }
}

impl Wraps for Rehearsal {
    fn inner(&self) -> &dyn Inspect {
        &self.machine
    }
}

impl Platform for Rehearsal {
    fn disk(&self) -> &dyn Disk {
        self.machine.disk()
    }

    fn perform(&self, op: &Op, watch: &mut dyn Monitor) -> Result<Outcome, Failure> {
        if self.strikes(op) { self.strike(op, watch) } else { self.machine.perform(op, watch) }
    }

    fn running(&self, given_up: Option<&Process>) -> Result<Option<String>, Failure> {
        self.machine.running(given_up)
    }

    fn at_start(&self, command: Option<&AtStart>) -> Result<(), Failure> {
        if self.has_ended() { Ok(()) } else { self.machine.at_start(command) }
    }

    fn tell_event_log(&self, notice: Notice, text: &str) -> Result<(), Failure> {
        // It is not on the failing disk.
        if self.has_ended() { Ok(()) } else { self.left()?.tell_event_log(notice, text) }
    }

    fn this_process(&self) -> Process {
        self.machine.this_process()
    }

    fn is_alive(&self, process: &Process) -> bool {
        self.machine.is_alive(process)
    }

    fn booted(&self) -> Option<Timestamp> {
        self.machine.booted()
    }

    fn inspect(&self) -> &dyn Inspect {
        self
    }
}

/// A copy of a machine in memory, initially all durable.
fn in_memory(host: &HostDisk) -> io::Result<MemoryDisk> {
    let memory = MemoryDisk::new();
    let facts = facts::MachineFacts::read(host).map_err(io::Error::other)?;
    facts.write(&memory).map_err(io::Error::other)?;
    for drive in facts.free_space.keys() {
        deliver(host, &memory, *drive)?;
    }
    memory.sync_all();
    Ok(memory)
}

fn put_back(left: &MemoryDisk, host: &HostDisk, drives: impl Iterator<Item = char>) -> io::Result<()> {
    for drive in drives {
        let root = WinPath::new(format!(r"{drive}:\")).map_err(io::Error::other)?;
        if disk::exists(host, &root)? {
            for entry in host.list(&root)? {
                disk::remove(host, &entry.path)?;
            }
        }
        deliver(left, host, drive)?;
    }
    let facts = disk::read(left, &facts::path(), u64::MAX - 1)?;
    disk::replace(host, &facts::path(), &facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wanted_fault_is_read_or_refused_with_a_reason() {
        let read = |text: &str| text.parse::<FailAt>();
        let wanted = |step: &str, number, kind| Ok(FailAt { step: step.to_owned(), number, kind });
        assert_eq!(read("uninstall-sdk"), wanted("uninstall-sdk", 1, FailKind::Error));
        assert_eq!(read("configure-portal:3=power-cut"), wanted("configure-portal", 3, FailKind::PowerCut));
        assert_eq!(read("rollback=disk-full"), wanted(ROLLBACK, 1, FailKind::DiskFull));
        for (text, why) in
            [("x=fire", "unknown kind `fire`"), ("x:0", "from 1"), ("x:y", "from 1"), ("=kill", "the step is missing")]
        {
            let said = read(text).expect_err(text);
            assert!(said.contains(why), "{text}: {said}");
        }
        for (name, kind) in FailKind::ALL {
            assert_eq!(kind.name(), name);
        }
    }
}
