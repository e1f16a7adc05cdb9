//! The file of `merge --output`, which takes the place of another and keeps what the system knows of it.

use super::fault::CommandError;
use anyhow::Context;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Fails if a file cannot take the place of what is there. A link is refused: replacing it would cut it off, and
/// writing through it would change a file that nobody has named.
pub(super) fn check(path: &Path) -> Result<(), CommandError> {
    let refused = |what: &str| CommandError::usage(format!("could not write {}: it is {what}", path.display()));
    match path.symlink_metadata() {
        Ok(there) if there.is_symlink() => {
            let target = path.canonicalize().map_or("the file itself".into(), |target| target.display().to_string());
            Err(refused("a symbolic link").next(format!("name the file that it points to: {target}")))
        }
        Ok(there) if !there.is_file() => Err(refused("not a file").next("name a file")),
        // What else is wrong with it is known where it is written.
        _ => Ok(()),
    }
}

/// Writes beside the file and puts it into its place, so that it is there whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    Ok(replace(path, bytes).with_context(|| format!("could not write {}", path.display()))?)
}

/// As a run replaces a file, rights included: through them IIS may read a web.config. The path is one that Windows
/// resolves, since a run knows only paths on a drive.
#[cfg(windows)]
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use crate::platform::{Platform, Windows, disk};
    use crate::winpath::WinPath;
    let whole = std::path::absolute(path)?;
    match WinPath::new(whole.to_str().unwrap_or_default()) {
        Ok(whole) => Ok(disk::replace(Windows::new()?.disk(), &whole, bytes)?),
        Err(why) if path.exists() => anyhow::bail!("its access rights could not be kept: {why}"),
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

/// Gives a file the owner, group and mode of the one that it replaces, if there is one.
#[cfg(unix)]
fn keep_rights(replaced: &Path, file: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let there = match replaced.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        there => there?,
    };
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (there.uid(), there.gid()) {
        let why = |error: io::Error| io::Error::new(error.kind(), format!("its owner could not be kept: {error}"));
        fchown(file, Some(there.uid()), Some(there.gid())).map_err(why)?;
    }
    file.set_permissions(there.permissions())
}

#[cfg(not(unix))]
fn keep_rights(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
}
