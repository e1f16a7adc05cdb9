//! Packages on the machine.

use crate::package::Package;
use crate::platform::disk::{self, ReadFile};
use crate::platform::{Doing, Failure, Inspect};
use crate::winpath::WinPath;

/// Opens a package; `None` where there is no file at `path`.
pub fn open(machine: &dyn Inspect, path: &WinPath) -> Result<Option<Package<Box<dyn ReadFile>>>, Failure> {
    let doing = format!("open the package {path}");
    if !disk::exists(machine.files(), path).doing(&doing)? {
        return Ok(None);
    }
    let file = machine.files().open(path).doing(&doing)?;
    Package::open(file, path.as_str()).doing(&doing).map(Some)
}

/// The content of a file in a package; `None` where there is no package or no such file in it.
pub fn read_file(machine: &dyn Inspect, path: &WinPath, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
    match open(machine, path)? {
        Some(mut package) => package.read_file(name, limit).doing(format!("read {name} in {path}")),
        None => Ok(None),
    }
}
