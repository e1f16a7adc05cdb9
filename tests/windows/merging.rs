//! web.config files merged by hand.

use crate::machine::Machine;
use std::{fs, io};

/// A file that is replaced keeps how it may be read and written. Under Wine nothing of that can be seen but its mark of
/// being read-only, over which it is not simply moved either.
pub(crate) fn a_file_that_is_merged_by_hand(machine: &Machine) -> io::Result<()> {
    let of = |theme: &str, debug: &str| {
        format!(
            "<configuration>\r\n  <system.web>\r\n    <pages theme=\"{theme}\" />\r\n    <trace enabled=\"{debug}\" />\r\n  \
             </system.web>\r\n</configuration>\r\n"
        )
    };
    machine.write(r"C:\merge\old.config", of("Contoso", "false").as_bytes())?;
    machine.write(r"C:\merge\base.config", of("Default", "false").as_bytes())?;
    machine.write(r"C:\merge\web.config", of("Default", "true").as_bytes())?;
    let at = machine.host(r"C:\merge\web.config");
    let mut rights = fs::metadata(&at)?.permissions();
    rights.set_readonly(true);
    fs::set_permissions(&at, rights)?;
    let [old, base, new] = [r"C:\merge\old.config", r"C:\merge\base.config", r"C:\merge\web.config"];
    let ran = machine.pfupgrade(&["merge", old, new, "--base", base, "--output", new])?;
    ran.ended(0).says("system.web/pages/@theme");
    assert_eq!(machine.read(new), of("Contoso", "true"));
    assert!(fs::metadata(machine.host(new))?.permissions().readonly(), "anybody may write to it now");
    assert_eq!(machine.tree(r"C:\merge").len(), 3, "something is left beside it");
    Ok(())
}
