//! Installers that fail, want a restart, or are not what they should be.

use crate::machine::Machine;
use crate::packages;
use crate::state::{NEW, State, is_upgraded};
use std::io;

/// The custom action of a web package fails: its line of the log is told. One run is taken back, one is gone on with.
pub(crate) fn a_package_that_fails(machine: &Machine) -> io::Result<()> {
    let package = packages::portal_that_refuses().map_err(io::Error::other)?;
    machine.write(r"C:\Install\refuses\portal.msi", &package)?;
    let plan = machine.plan(&[("[portal]\n", "[portal]\ninstaller = 'C:\\Install\\refuses\\portal.msi'\n")])?;
    let before = State::of(machine)?;
    for mend in [false, true] {
        machine.done(&["reg", "add", r"HKCU\Environment", "/v", "REFUSES", "/d", "1"])?;
        let failed = machine.pfupgrade(&["run", plan, "--yes"])?.ended(1);
        failed.says("1603").says("the action CheckMetabase failed").says("install-portal.log").says("resume");
        machine.done(&["reg", "delete", r"HKCU\Environment", "/v", "REFUSES", "/f"])?;
        if mend {
            machine.pfupgrade(&["resume"])?.ended(0);
            is_upgraded(machine)?;
        }
        machine.pfupgrade(&["rollback", "--yes"])?.ended(0).says("Rolled back");
        before.is_that_of(machine)?;
    }
    Ok(())
}

/// A package that wants a restart in the end has done its work.
pub(crate) fn a_package_that_wants_a_restart(machine: &Machine) -> io::Result<()> {
    let package = packages::portal_that_wants_a_restart().map_err(io::Error::other)?;
    machine.write(r"C:\Install\restart\portal.msi", &package)?;
    let plan = machine.plan(&[("[portal]\n", "[portal]\ninstaller = 'C:\\Install\\restart\\portal.msi'\n")])?;
    let before = State::of(machine)?;
    machine.pfupgrade(&["run", plan, "--yes"])?.ended(3010).says("estart");
    is_upgraded(machine)?;
    machine.restart()?;
    machine.pfupgrade(&["rollback", "--yes"])?.says("Rolled back");
    machine.restart()?;
    before.is_that_of(machine)
}

/// Where a file that waits for the restart lies in a folder that is still to be written, the restart comes first.
pub(crate) fn a_restart_that_comes_first(machine: &Machine) -> io::Result<()> {
    let waits = r"C:\inetpub\wwwroot\MultiFactorAuth\waits.txt";
    let plan = machine.plan(&[("[\"/quiet\"]", &format!("[\"/quiet\", '/leaves={waits}']"))])?;
    machine.pfupgrade(&["run", plan, "--yes"])?.ended(3010).says("waits.txt");
    assert_eq!(machine.products()?, [NEW[1]]);
    machine.pfupgrade(&["resume"])?.ended(3010).says("waits.txt");
    machine.restart()?;
    machine.pfupgrade(&["resume"])?.ended(0);
    is_upgraded(machine)
}

/// Nothing is installed that nobody signed, unless the plan accepts it.
pub(crate) fn an_unsigned_installer(machine: &Machine) -> io::Result<()> {
    let before = State::of(machine)?;
    let plan = machine.plan(&[("arguments = [\"/quiet\"]\nsigned-by = false\n", "arguments = [\"/quiet\"]\n")])?;
    machine.pfupgrade(&["run", plan, "--yes"])?.ended(4).says("not signed");
    let plan = machine.plan(&[("Setup64.msi'\nsigned-by = false\n", "Setup64.msi'\n")])?;
    machine.pfupgrade(&["run", plan, "--yes"])?.ended(4).says("not signed");
    assert!(!machine.exists(r"C:\ProgramData\pfupgrade\runs"));
    before.is_that_of(machine)
}
