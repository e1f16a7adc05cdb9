//! What this program keeps on a machine for itself, besides its own folder. None of it is part of a procedure.

use crate::winpath::WinPath;

/// The name by which the machine knows this program: of its task, and of its entries in the event log.
pub const NAME: &str = "pfupgrade";

/// A command of this program that Windows carries out at its every start, without anybody's logon, as SYSTEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtStart {
    /// The command with its arguments.
    pub arguments: Vec<String>,
    /// A private folder. The program that is started is a copy in it: the system account cannot see every drive that a
    /// person sees, and nobody but administrators may exchange what it starts.
    pub folder: WinPath,
}

impl AtStart {
    /// The copy of this program.
    pub fn program(&self) -> WinPath {
        self.folder.child("pfupgrade.exe")
    }
}

/// What is told to the event log of the machine. Monitoring goes by the numbers, so they are never given to anything
/// else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// A run has begun.
    Begun,
    /// A run goes on.
    GoesOn,
    /// A run is done.
    Done,
    /// Windows has to be restarted.
    Restart,
    /// A person has to do what a gate asks.
    Gate,
    /// A run or a rollback was stopped by the operator.
    Stopped,
    /// A run or a rollback failed.
    Failed,
    /// A rollback has begun, or goes on.
    GoesBack,
    /// The rollback is finished.
    RolledBack,
}

/// How the event log marks an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nobody has to do anything.
    Information,
    /// Somebody has to do something.
    Warning,
    /// Something has failed.
    Error,
}

impl Notice {
    /// The number of the entry, from 1 to 1000: for those, every Windows has a program that shows the text as it is.
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

    /// How it is marked.
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
