//! What this program keeps on a machine besides the state folder. None of it is part of a procedure.

use crate::winpath::WinPath;

/// The name of the program's scheduled task and event source.
pub const NAME: &str = "pfupgrade";

/// A command of this program that Windows runs at every start, without a logon, as SYSTEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtStart {
    /// The command with its arguments.
    pub arguments: Vec<String>,
    /// A private folder with a copy of the program: the system account cannot access every drive of a user, and only
    /// administrators may replace what it runs.
    pub folder: WinPath,
}

impl AtStart {
    /// The copy of this program.
    pub fn program(&self) -> WinPath {
        self.folder.child("pfupgrade.exe")
    }
}

/// The entries in the event log. Monitoring relies on the numbers, so they are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// A run has started.
    Begun,
    /// A run has resumed.
    GoesOn,
    /// A run is finished.
    Done,
    /// Windows must be restarted.
    Restart,
    /// A manual step is waiting.
    Gate,
    /// A run or a rollback was stopped by the operator.
    Stopped,
    /// A run or a rollback failed.
    Failed,
    /// A rollback has started or resumed.
    GoesBack,
    /// A rollback is finished.
    RolledBack,
}

/// The severity of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// No action is required.
    Information,
    /// Action is required.
    Warning,
    /// Something failed.
    Error,
}

impl Notice {
    /// The number of the entry, from 1 to 1000: for those, every Windows has a message file that shows the plain text.
    pub const fn id(self) -> u16 {
        match self {
            Notice::Begun => 100,
            Notice::GoesOn => 101,
            Notice::Done => 102,
            Notice::Restart => 103,
            Notice::Gate => 104,
            Notice::Stopped => 105,
            Notice::Failed => 106,
            Notice::GoesBack => 107,
            Notice::RolledBack => 108,
        }
    }

    /// Its severity.
    pub const fn severity(self) -> Severity {
        match self {
            Notice::Begun | Notice::GoesOn | Notice::Done | Notice::GoesBack | Notice::RolledBack => {
                Severity::Information
            }
            Notice::Restart | Notice::Gate | Notice::Stopped => Severity::Warning,
            Notice::Failed => Severity::Error,
        }
    }
}

impl Severity {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Information => "information",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}
