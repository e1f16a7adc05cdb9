//! Old products that are not installed for all users by Windows Installer.

use crate::machine::Machine;
use crate::packages;
use crate::state::{NEW, State, is_upgraded};
use std::io;

const PORTAL: &str = "PhoneFactor User Portal";
const OWN_KEY: &str = r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall\PhoneFactorPortal";
const CMD: &str = r"C:\windows\system32\cmd.exe /d /c C:\Install\uninstall-portal.cmd";

/// The portal is installed for the administrator only.
pub(crate) fn a_product_of_one_user(machine: &Machine) -> io::Result<()> {
    machine.uninstall(PORTAL)?;
    machine.remove(r"C:\inetpub\wwwroot\PhoneFactor")?;
    let package = packages::portal_of_one_user().map_err(io::Error::other)?;
    machine.write(r"C:\Install\portal.msi", &package)?;
    machine.done(&["msiexec", "/i", r"C:\Install\portal.msi", "/qn"])?;
    machine.remove(r"C:\Install\portal.msi")?;
    machine.furnish_portal()?;
    hide_from_other_users(machine)?;
    let plan = machine.plan(&[])?;
    let before = State::of(machine)?;
    machine.pfupgrade(&["run", plan, "--yes"])?.ended(0);
    is_upgraded(machine)?;
    machine.pfupgrade(&["rollback", "--yes"])?.ended(0).says("Rolled back");
    hide_from_other_users(machine)?;
    before.is_that_of(machine)
}

/// Wine lists what is installed for one user where it lists what is installed for all. Windows does not.
fn hide_from_other_users(machine: &Machine) -> io::Result<()> {
    let code = packages::old_code(PORTAL);
    let known = machine.registry(r"HKLM\Software\Microsoft\Windows\CurrentVersion\Installer\UserData")?;
    let product = known.split("HKEY_").find(|key| key.contains("InstallProperties") && key.contains(PORTAL));
    assert!(product.is_some_and(|key| key.contains(r"UserData\S-1-5-21-")), "it is installed for all: {product:?}");
    let list = r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall";
    machine.done(&["reg", "delete", &format!(r"{list}\{code}"), "/f"])
}

/// A setup of another kind has put the portal there. What it says of its removal is done; coming back it is not.
pub(crate) fn a_product_with_an_uninstaller_of_its_own(machine: &Machine) -> io::Result<()> {
    make_another_kind_of_product(machine)?;
    machine.done(&["reg", "add", OWN_KEY, "/v", "QuietUninstallString", "/d", CMD])?;
    let plan = machine.plan(&[])?;
    machine.pfupgrade(&["run", plan, "--yes"])?.ended(4).says("no-way-back");
    let plan = machine.plan(&[("[\"account-missing\"]", "[\"account-missing\", \"no-way-back\"]")])?;
    machine.pfupgrade(&["run", plan, "--yes", "--accept-no-return"])?.ended(0);
    is_upgraded(machine)
}

/// One that does not say how it is uninstalled without questions is left to a person.
pub(crate) fn a_product_that_a_person_uninstalls(machine: &Machine) -> io::Result<()> {
    make_another_kind_of_product(machine)?;
    let plan = machine.plan(&[("[\"account-missing\"]", "[\"account-missing\", \"no-way-back\"]")])?;
    let stopped = machine.pfupgrade(&["run", plan, "--yes", "--accept-no-return"])?.ended(5);
    stopped.says("Programs and Features").says("resume --confirm uninstall-portal");
    let by_hand: Vec<&str> = CMD.split(' ').collect();
    machine.done(&by_hand)?;
    machine.pfupgrade(&["resume"])?.ended(0);
    is_upgraded(machine)?;
    assert_eq!(machine.products()?, NEW);
    Ok(())
}

fn make_another_kind_of_product(machine: &Machine) -> io::Result<()> {
    machine.uninstall(PORTAL)?;
    let folder = r"C:\inetpub\wwwroot\PhoneFactor";
    machine.websetup(&["add", "other", "/LM/W3SVC/1", "PhoneFactor", folder, "PhoneFactor Pool"])?;
    machine.furnish_portal()?;
    for (name, value) in [("DisplayName", PORTAL), ("DisplayVersion", "5.2.5"), ("Publisher", "PhoneFactor, Inc.")] {
        machine.done(&["reg", "add", OWN_KEY, "/v", name, "/d", value])?;
    }
    let script = format!(
        "C:\\windows\\system32\\inetsrv\\appcmd.exe websetup remove other\r\n\
         rmdir /s /q {folder}\r\nreg delete {OWN_KEY} /f\r\n"
    );
    machine.write(r"C:\Install\uninstall-portal.cmd", script.as_bytes())
}
