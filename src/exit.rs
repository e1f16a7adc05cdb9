//! Every exit code, once, and what ends with which. An unknown one is a failure.

use crate::engine::journal::JournalError;
use crate::engine::{End, EngineError};
use crate::platform::{Failure, FailureKind};

/// What the process ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do; `rollback` succeeded, or found no run.
    Done,
    /// A step failed after the first change; the message says how to go on.
    Failed,
    /// Usage, the plan file is wrong, declined, or no such run; nothing was touched.
    Usage,
    /// `plan --detailed-exitcode`: there are changes to make.
    Changes,
    /// Preflight refused; nothing was touched.
    Refused,
    /// Waiting at a gate.
    Gate,
    /// Another run holds the machine.
    Locked,
    /// A merge conflict needs a decision; nothing was touched.
    Conflict,
    /// Rollback could not finish; the message names what is left.
    RollbackFailed,
    /// Stopped by the operator; resumable.
    Stopped,
    /// The journal or a backup is damaged.
    Damaged,
    /// A reboot is needed; `resume` afterwards.
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
            Exit::Conflict => 8,
            Exit::RollbackFailed => 10,
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
            End::Done { reboot: true } => Exit::Reboot,
            End::Waiting(_) => Exit::Gate,
            End::Stopped => Exit::Stopped,
        }
    }
}

impl From<&EngineError> for Exit {
    fn from(error: &EngineError) -> Self {
        let of = |failure: &Failure, usual| match failure.kind {
            FailureKind::DamagedBackup => Exit::Damaged,
            FailureKind::Failed | FailureKind::StillRunning => usual,
        };
        match error {
            EngineError::Locked(_) => Exit::Locked,
            EngineError::Step { failure, .. } => of(failure, Exit::Failed),
            EngineError::Rollback { failure, .. } => of(failure, Exit::RollbackFailed),
            EngineError::Journal(JournalError::Failure(failure)) | EngineError::Failure(failure) => {
                of(failure, Exit::Failed)
            }
            EngineError::Journal(_) => Exit::Damaged,
        }
    }
}
