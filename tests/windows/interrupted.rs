//! Runs that something or somebody gets in the way of.

use crate::machine::Machine;
use crate::state::{State, is_upgraded};
use std::io;

/// The program is killed while Windows Installer works for it, which works on.
pub(crate) fn a_killed_run_goes_on(machine: &Machine) -> io::Result<()> {
    let plan = machine.plan(&[])?;
    let before = State::of(machine)?;
    machine.pfupgrade_killed_at(&["run", plan, "--yes"], "uninstall-server.log")?;
    machine.pfupgrade_killed_at(&["resume"], "install-portal.log")?;
    machine.pfupgrade(&["resume"])?.ended(0);
    is_upgraded(machine)?;
    machine.pfupgrade(&["rollback", "--yes"])?.ended(0);
    before.is_that_of(machine)
}

/// Ctrl+C is for the program and not for Windows Installer, which it lets finish.
pub(crate) fn a_run_is_stopped_by_its_operator(machine: &Machine) -> io::Result<()> {
    let plan = machine.plan(&[])?;
    let before = State::of(machine)?;
    machine.pfupgrade_interrupted_at(&["run", plan, "--yes"], "uninstall-portal.log")?.ended(12).says("resume");
    assert!(!machine.products()?.iter().any(|product| product.contains("User Portal")), "the installer has finished");
    machine.pfupgrade_interrupted_at(&["resume"], "install-sdk.log")?.ended(12).says("resume");
    machine.pfupgrade(&["resume"])?.ended(0);
    is_upgraded(machine)?;
    machine.pfupgrade(&["rollback", "--yes"])?.ended(0);
    before.is_that_of(machine)
}

/// A program that lets nobody else at a file is in the way of its backup; one that lets others read, of its restoration.
pub(crate) fn a_file_that_is_held_open(machine: &Machine) -> io::Result<()> {
    let data = r"C:\Program Files\PhoneFactor\Data\PhoneFactor.pfdata";
    let plan = machine.plan(&[])?;
    let before = State::of(machine)?;
    let held = machine.hold(data, "alone")?;
    machine.pfupgrade(&["run", plan, "--yes"])?.ended(1).says("PhoneFactor.pfdata").says("resume");
    held.let_go()?;
    // Nothing has been uninstalled, and the agent serves its users again.
    before.is_that_of(machine)?;
    machine.pfupgrade(&["resume"])?.ended(0);
    is_upgraded(machine)?;

    let held = machine.hold(data, "reading")?;
    machine.pfupgrade(&["rollback", "--yes"])?.ended(10).says("PhoneFactor.pfdata");
    held.let_go()?;
    machine.pfupgrade(&["rollback", "--yes"])?.ended(0).says("Rolled back");
    before.is_that_of(machine)
}
