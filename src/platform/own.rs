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
