//! The file of `merge --output`, which replaces another file and keeps its owner and permissions.

use super::fault::CommandError;
use anyhow::Context;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Fails if the path cannot be replaced by a file. A link is rejected: replacing it would remove the link, and writing
/// through it would change a file that the operator did not name.
pub(super) fn check(path: &Path) -> Result<(), CommandError> {
    let refused = |what: &str| CommandError::usage(format!("could not write {}: it is {what}", path.display()));
    match path.symlink_metadata() {
        Ok(there) if there.is_symlink() => {
            let target = path.canonicalize().map_or("the file itself".into(), |target| target.display().to_string());
            Err(refused("a symbolic link").next(format!("specify the file that it points to: {target}")))
        }
        Ok(there) if !there.is_file() => Err(refused("not a file").next("specify a file")),
        // Other errors appear when it is written.
        _ => Ok(()),
    }
}

/// Writes a temporary file and renames it, so that the file is complete or absent.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    Ok(replace(path, bytes).with_context(|| format!("could not write {}", path.display()))?)
}

/// Replaces a file as a run does, keeping its access rights, which let IIS read a web.config. Windows resolves the path
/// because a run only uses paths on a drive.
#[cfg(windows)]
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use crate::platform::{Platform, Windows, disk};
    use crate::winpath::WinPath;
    let whole = std::path::absolute(path)?;
    match WinPath::new(whole.to_str().unwrap_or_default()) {
        Ok(whole) => Ok(disk::replace(Windows::new()?.disk(), &whole, bytes)?),
        Err(why) if path.exists() => anyhow::bail!("could not keep its access rights: {why}"),
        Err(_) => Ok(beside(path, bytes)?),
    }
}

#[cfg(not(windows))]
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    Ok(beside(path, bytes)?)
}

fn beside(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".pfupgrade-").suffix(".config").tempfile_in(folder)?;
    file.write_all(bytes)?;
    keep_rights(path, file.as_file())?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Copies owner, group and mode of the replaced file, if there is one.
#[cfg(unix)]
fn keep_rights(replaced: &Path, file: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let there = match replaced.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        there => there?,
    };
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (there.uid(), there.gid()) {
        let why = |error: io::Error| io::Error::new(error.kind(), format!("could not keep its owner: {error}"));
        fchown(file, Some(there.uid()), Some(there.gid())).map_err(why)?;
    }
    file.set_permissions(there.permissions())
}

#[cfg(not(unix))]
fn keep_rights(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
}
