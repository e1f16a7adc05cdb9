//! A machine with faults, for tests.

use jiff::Timestamp;
use pfupgrade::platform::disk::Disk;
use pfupgrade::platform::op::Op;
use pfupgrade::platform::own::{AtStart, Notice};
use pfupgrade::platform::wraps::Wraps;
use pfupgrade::platform::{Failure, Inspect, Monitor, Outcome, Platform, Process};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The operation fails once and changes nothing.
    Fails,
    /// It fails, and so does every later one.
    FailsFromNowOn,
    /// The process is killed just before the operation.
    KilledBefore,
    /// The process is killed right after the operation, before it is recorded.
    KilledAfter,
    /// The test prepares a problem for the operation, which is then carried out.
    Troubled,
}

/// Wraps a machine and injects a fault into one operation. Only operations count, not queries and not the engine's
/// files.
pub struct Faulty<'a> {
    inner: &'a dyn Platform,
    fault: Option<(usize, Fault)>,
    hook: Box<dyn Fn() + Send + Sync + 'a>,
    performed: AtomicUsize,
    log: Mutex<Vec<String>>,
}

impl<'a> Faulty<'a> {
    /// Injects a fault into operation number `at` (from 0). `hook` disconnects the disk, or prepares the problem.
    pub fn new(inner: &'a dyn Platform, at: usize, fault: Fault, hook: impl Fn() + Send + Sync + 'a) -> Self {
        Self { fault: Some((at, fault)), ..Self::counting(inner, hook) }
    }

    /// No fault; operations are counted, and `note` is called before and after each.
    pub fn counting(inner: &'a dyn Platform, note: impl Fn() + Send + Sync + 'a) -> Self {
        let (performed, log) = (AtomicUsize::new(0), Mutex::default());
        Self { inner, fault: None, hook: Box::new(note), performed, log }
    }

    /// The requested operations, in words.
    pub fn performed(&self) -> Vec<String> {
        self.log.lock().map(|log| log.clone()).unwrap_or_default()
    }
}

impl Wraps for Faulty<'_> {
    fn inner(&self) -> &dyn Inspect {
        self.inner.inspect()
    }
}

impl Platform for Faulty<'_> {
    fn disk(&self) -> &dyn Disk {
        self.inner.disk()
    }

    fn perform(&self, op: &Op, watch: &mut dyn Monitor) -> Result<Outcome, Failure> {
        let number = self.performed.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut log) = self.log.lock() {
            log.push(op.to_string());
        }
        let fails = || Err(Failure::new(op, "a fault was requested"));
        match self.fault {
            Some((at, Fault::Fails)) if at == number => fails(),
            Some((at, Fault::FailsFromNowOn)) if at <= number => fails(),
            Some((at, Fault::KilledBefore)) if at == number => {
                (self.hook)();
                fails()
            }
            Some((at, Fault::KilledAfter)) if at == number => {
                self.inner.perform(op, watch)?;
                (self.hook)();
                fails()
            }
            Some((at, Fault::Troubled)) if at == number => {
                (self.hook)();
                self.inner.perform(op, watch)
            }
            None => {
                (self.hook)();
                let done = self.inner.perform(op, watch);
                (self.hook)();
                done
            }
            _ => self.inner.perform(op, watch),
        }
    }

    fn running(&self, given_up: Option<&Process>) -> Result<Option<String>, Failure> {
        self.inner.running(given_up)
    }

    fn at_start(&self, command: Option<&AtStart>) -> Result<(), Failure> {
        self.inner.at_start(command)
    }

    fn tell_event_log(&self, notice: Notice, text: &str) -> Result<(), Failure> {
        self.inner.tell_event_log(notice, text)
    }

    fn this_process(&self) -> Process {
        self.inner.this_process()
    }

    fn is_alive(&self, process: &Process) -> bool {
        self.inner.is_alive(process)
    }

    fn booted(&self) -> Option<Timestamp> {
        self.inner.booted()
    }

    fn inspect(&self) -> &dyn Inspect {
        self
    }
}
