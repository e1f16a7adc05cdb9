//! All exit codes. An unknown one is a failure.

use crate::engine::{End, EngineError};
use crate::journal::JournalError;
use crate::platform::{Failure, FailureKind};

/// The exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do; `rollback` succeeded, or found no run.
    Done,
    /// A step failed after the first change; the message says how to continue.
    Failed,
    /// Usage error, invalid plan, declined, or no such run; nothing was changed.
    Usage,
    /// `plan --detailed-exitcode`: there are changes to make.
    Changes,
    /// A check is blocking; nothing was changed.
    Refused,
    /// Waiting for a manual step.
    Gate,
    /// Another instance is running on this server.
    Locked,
    /// The server has changed since the preview was saved; nothing was changed.
    Changed,
    /// A merge conflict needs a decision, or `merge --strict` has a change left to do by hand; nothing was changed.
    Conflict,
    /// The rollback failed; the message says what is left.
    RollbackFailed,
    /// The upgrade is done, but a check of the upgraded server failed; `verify`: a check failed.
    Faults,
    /// Stopped by the operator; resumable.
    Stopped,
    /// The journal or a backup is damaged.
    Damaged,
    /// Windows must be restarted; `resume` afterwards.
    Reboot,
}

impl Exit {
    /// The number. A host with one-byte codes shows 3010 as 194.
    pub const fn code(self) -> i32 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Changes => 3,
            Exit::Refused => 4,
            Exit::Gate => 5,
            Exit::Locked => 6,
            Exit::Changed => 7,
            Exit::Conflict => 8,
            Exit::RollbackFailed => 10,
            Exit::Faults => 11,
            Exit::Stopped => 12,
            Exit::Damaged => 13,
            Exit::Reboot => 3010,
        }
    }
}

impl From<&End> for Exit {
    fn from(end: &End) -> Self {
        match end {
            End::Done { reboot: false } | End::RolledBack => Exit::Done,
            End::Done { reboot: true } | End::Restart { .. } => Exit::Reboot,
            End::Waiting(_) => Exit::Gate,
            End::Faults { .. } => Exit::Faults,
            End::Stopped => Exit::Stopped,
        }
    }
}

impl From<&EngineError> for Exit {
    fn from(error: &EngineError) -> Self {
        let of = |failure: &Failure, usual| match &failure.kind {
            FailureKind::DamagedBackup => Exit::Damaged,
            FailureKind::Stopped => Exit::Stopped,
            FailureKind::Failed | FailureKind::Ended(_) | FailureKind::StillRunning(_) | FailureKind::NeedsPerson => {
                usual
            }
        };
        match error {
            EngineError::Locked { .. } => Exit::Locked,
            EngineError::Step { failure, .. } => of(failure, Exit::Failed),
            EngineError::NotNow { .. } | EngineError::NoConflict { .. } | EngineError::State(_) => Exit::Usage,
            EngineError::NoWayBack(_) => Exit::RollbackFailed,
            EngineError::Rollback { failure, .. } => of(failure, Exit::RollbackFailed),
            EngineError::Journal(JournalError::Failure(failure)) | EngineError::Failure(failure) => {
                of(failure, Exit::Failed)
            }
            EngineError::Journal(_) => Exit::Damaged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Process;
    use crate::platform::op::Gate;
    use crate::winpath::WinPath;
    use std::time::Duration;

    #[test]
    fn every_end_has_its_code() {
        let gate =
            Gate { id: String::new(), title: String::new(), instructions: Vec::new(), by_hand: None, watch: None };
        let codes = [
            (End::Done { reboot: false }, 0),
            (End::RolledBack, 0),
            (End::Waiting(gate), 5),
            (End::Faults { faults: Vec::new() }, 11),
            (End::Stopped, 12),
            (End::Done { reboot: true }, 3010),
            (End::Restart { files: Vec::new() }, 3010),
        ];
        for (end, code) in codes {
            assert_eq!(Exit::from(&end).code(), code, "{end:?}");
        }
    }

    #[test]
    fn a_damaged_backup_is_told_from_other_faults() {
        let path = || WinPath::new(r"C:\run").expect("a path");
        let failed = || Failure::new("restore the data", "the disk is full");
        let damaged = || failed().of_kind(FailureKind::DamagedBackup);
        let step = |failure| EngineError::Step { step: crate::step::StepId::named(""), failure, nothing_lost: false };
        let rollback = |failure| EngineError::Rollback { failure, done: 0, of: 1 };
        let process = Process { id: 1, program: String::new(), started: jiff::Timestamp::UNIX_EPOCH };
        let journal = JournalError::Damaged { path: path(), line: 1, why: String::new() };
        let codes = [
            (EngineError::Locked { lock: path(), owner: None }, 6),
            (step(failed()), 1),
            (step(damaged()), 13),
            (step(failed().of_kind(FailureKind::Ended(1618))), 1),
            (step(Failure::still_running("run x", process, Duration::from_secs(60))), 1),
            (rollback(failed()), 10),
            (rollback(damaged()), 13),
            (EngineError::Journal(journal), 13),
            (EngineError::Journal(failed().into()), 1),
            (EngineError::Failure(failed()), 1),
        ];
        for (error, code) in codes {
            assert_eq!(Exit::from(&error).code(), code, "{error:?}");
        }
    }
}
