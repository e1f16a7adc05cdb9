//! Operations that this program cannot end: installers that wait for others, and programs that hang.

use super::Engine;
use crate::platform::installer_code::{self, Meaning};
use crate::platform::op::Op;
use crate::platform::{Failure, FailureKind, Monitor, Outcome, Process, Progress};
use crate::survey::products;
use std::time::Duration;

/// How long to wait for another installation before an installer fails.
const BUSY_LIMIT: Duration = Duration::from_secs(15 * 60);
const BUSY_EVERY: Duration = Duration::from_secs(30);
/// How long a product may still be present after its uninstaller has ended.
const GONE_LIMIT: Duration = Duration::from_secs(15 * 60);
/// How long to wait for a timed-out program before work continues.
const HANGING_LIMIT: Duration = Duration::from_secs(2 * 60 * 60);
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Forwards progress to the watcher, and stop requests to the operation.
pub(super) struct Watch<'a> {
    pub(super) progress: &'a mut dyn FnMut(Progress),
    pub(super) stop: &'a dyn Fn() -> bool,
}

impl Monitor for Watch<'_> {
    fn told(&mut self, progress: Progress) {
        (self.progress)(progress);
    }

    fn wants_to_stop(&self) -> bool {
        (self.stop)()
    }
}

impl Watch<'_> {
    fn says(&mut self, text: impl Into<String>) {
        (self.progress)(Progress::Says(text.into()));
    }
}

impl Engine<'_> {
    /// Carries out an operation. An installer is retried for a while if another one is running; an uninstall is over
    /// when the product is gone, not when its process ends.
    pub(super) fn carry_out(&self, op: &Op, installs: bool, mut watch: Watch<'_>) -> Result<Outcome, Failure> {
        let retries = installs || matches!(op, Op::Install { .. } | Op::Uninstall { .. });
        let mut left = BUSY_LIMIT;
        let outcome = loop {
            match self.platform.perform(op, &mut watch) {
                Err(failure) if retries && is_busy(&failure) && !(watch.stop)() => {
                    if left.is_zero() {
                        let why = format!("{}; retried for {} min", failure.why, minutes(BUSY_LIMIT));
                        return Err(Failure { why, ..failure });
                    }
                    watch.says(format!(
                        "another installation is running; retrying in {} s, for up to {} min",
                        BUSY_EVERY.as_secs(),
                        minutes(left)
                    ));
                    self.clock.wait(BUSY_EVERY.min(left));
                    left = left.saturating_sub(BUSY_EVERY);
                }
                ended => break ended?,
            }
        };
        // Windows ends this program soon; afterwards, the step looks whether the product is gone.
        if let (Op::Uninstall { code, name, .. }, false) = (op, outcome.restarting) {
            self.wait_until_gone(op, code, name, &mut watch)?;
        }
        Ok(outcome)
    }

    fn wait_until_gone(&self, op: &Op, code: &str, name: &str, watch: &mut Watch<'_>) -> Result<(), Failure> {
        let mut left = GONE_LIMIT;
        while self.is_still_there(code)? {
            if left == GONE_LIMIT {
                watch.says(format!("the uninstaller has ended, but {name} is still present: waiting until it is gone"));
            }
            if left.is_zero() || (watch.stop)() {
                let why = format!(
                    "the uninstaller has ended, but after {} min the product is still present",
                    minutes(GONE_LIMIT.saturating_sub(left))
                );
                return Err(Failure::new(op, why).next("check \"Programs and Features\" and Task Manager"));
            }
            self.clock.wait(LOOK_EVERY.min(left));
            left = left.saturating_sub(LOOK_EVERY);
        }
        Ok(())
    }

    fn is_still_there(&self, code: &str) -> Result<bool, Failure> {
        self.platform.running(None)?;
        products::is_installed(self.platform.inspect(), code)
    }

    /// Waits for a timed-out program, and for any other installation. Returns false if the operator wants to stop.
    pub(super) fn wait_for_what_runs(&self, given_up: Option<&Process>, mut watch: Watch<'_>) -> Result<bool, Failure> {
        let mut left = HANGING_LIMIT;
        while let Some(what) = self.platform.running(given_up)? {
            if (watch.stop)() {
                return Ok(false);
            }
            if left == HANGING_LIMIT {
                watch.says(format!("{what} is still running: waiting for up to {} min", minutes(left)));
            }
            if left.is_zero() {
                let why = format!("{what} is still running after another {} min", minutes(HANGING_LIMIT));
                let failure = Failure::new("continue", why).next("let it finish, or end it if it hangs");
                return Err(match given_up {
                    Some(process) => failure.of_kind(FailureKind::StillRunning(Box::new(process.clone()))),
                    None => failure,
                });
            }
            self.clock.wait(LOOK_EVERY.min(left));
            left = left.saturating_sub(LOOK_EVERY);
        }
        Ok(true)
    }
}

fn minutes(time: Duration) -> u64 {
    time.as_secs().div_ceil(60)
}

/// Whether an installer ended because another one is running.
pub(super) fn is_busy(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Ended(code) if installer_code::meaning(code) == Meaning::Busy)
}

/// Whether an installer failed, and only a restart of Windows undoes what it has changed.
pub(super) fn waits_for_restart(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Ended(code) if installer_code::meaning(code) == Meaning::FailedUntilRestart)
}

/// Whether an installer ended without any change.
pub(super) fn changed_nothing(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Ended(code)
        if matches!(installer_code::meaning(code), Meaning::Busy | Meaning::Refused))
}
