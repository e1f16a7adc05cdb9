//! A whole server, upgraded without trouble.

use crate::machine::Machine;
use crate::state::{NEW, OLD, State, assert_same_files, is_upgraded, is_upgraded_as};
use std::io;

pub(crate) fn a_preview_changes_nothing(machine: &Machine) -> io::Result<()> {
    let plan = machine.plan(&[])?;
    let before = State::of(machine)?;
    machine.pfupgrade(&["plan", plan, "--detailed-exitcode"])?.ended(3).says("PhoneFactor Agent 5.2.5");
    before.is_that_of(machine)?;
    assert!(!machine.exists(r"C:\ProgramData\pfupgrade"));
    Ok(())
}

pub(crate) fn one_server_complete(machine: &Machine) -> io::Result<()> {
    let plan = machine.plan(&[])?;
    assert_eq!(machine.products()?, OLD);
    let key = r"HKLM\Software\Wow6432Node\Positive Networks";
    let (before, registry) = (State::of(machine)?, machine.registry(key)?);

    let config = machine.read(r"C:\windows\system32\inetsrv\config\applicationHost.config");
    machine.pfupgrade(&["run", plan, "--yes"])?.ended(0);
    is_upgraded(machine)?;
    assert_eq!(machine.registry(key)?, registry);
    // The backup that IIS has made of itself is for people, and stays.
    let backups = machine.tree(r"C:\windows\system32\inetsrv\backup");
    assert!(backups.iter().any(|file| file.content == config.as_bytes()), "IIS has no backup");

    // A second run finds nothing to do, and leaves no trace.
    let (after, own) = (State::of(machine)?, machine.tree(r"C:\ProgramData\pfupgrade"));
    machine.pfupgrade(&["run", plan, "--yes"])?.ended(0).says("othing to do");
    machine.pfupgrade(&["plan", plan, "--detailed-exitcode"])?.ended(0);
    after.is_that_of(machine)?;
    assert_same_files(&own, &machine.tree(r"C:\ProgramData\pfupgrade"));

    machine.pfupgrade(&["rollback", "--yes"])?.ended(0).says("Rolled back");
    before.is_that_of(machine)
}

/// With the old directory names no address changes.
pub(crate) fn names_that_are_kept(machine: &Machine) -> io::Result<()> {
    let named = |name: &str| format!("virtual-directory = \"{name}\"\nsigned-by");
    let plan = machine.plan(&[
        ("[sdk]\nsigned-by", &format!("[sdk]\n{}", named("PhoneFactorWebServiceSdk"))),
        ("[portal]\nsigned-by", &format!("[portal]\n{}", named("PhoneFactor"))),
        ("[mobile-app]\n", "[mobile-app]\nvirtual-directory = \"PhoneFactorPhoneAppWebService\"\n"),
    ])?;
    let before = State::of(machine)?;
    machine.pfupgrade(&["run", plan, "--yes"])?.ended(0);
    is_upgraded_as(machine, ("PhoneFactorWebServiceSdk", "PhoneFactor"))?;
    assert!(!machine.exists(r"C:\inetpub\wwwroot\MultiFactorAuth"));
    machine.pfupgrade(&["rollback", "--yes"])?.ended(0).says("Rolled back");
    before.is_that_of(machine)
}

/// Nobody has published the silent switches of the server's setup: without any, a person runs it.
pub(crate) fn a_person_runs_the_setup(machine: &Machine) -> io::Result<()> {
    let plan = machine.plan(&[("arguments = [\"/quiet\"]\n", "")])?;
    let before = State::of(machine)?;
    machine.pfupgrade(&["run", plan, "--yes"])?.ended(5).says("MultiFactorAuthenticationServerSetup.exe");
    assert!(machine.products()?.is_empty(), "everything old is uninstalled by then");
    machine.pfupgrade(&["resume"])?.ended(5).says("server-setup");
    machine.done(&[r"C:\Install\MultiFactorAuthenticationServerSetup.exe", "/quiet"])?;
    assert_eq!(machine.products()?, [NEW[1]]);
    machine.pfupgrade(&["resume"])?.ended(0);
    is_upgraded(machine)?;
    machine.pfupgrade(&["rollback", "--yes"])?.ended(0).says("Rolled back");
    before.is_that_of(machine)
}
