//! What lies beside a package on a machine's disk: cabinets that are not part of it, and loose files.

use super::disk::{Kind, ReadDisk};
use crate::package::{Beside, ReadSeek};
use crate::winpath::WinPath;
use std::io;

/// The folder that a package lies in.
pub struct BesidePackage<'a> {
    files: &'a dyn ReadDisk,
    folder: Option<WinPath>,
}

impl<'a> BesidePackage<'a> {
    /// What lies beside `package`.
    pub fn new(files: &'a dyn ReadDisk, package: &WinPath) -> Self {
        Self { files, folder: package.parent() }
    }

    /// The place of a file beside the package; `None` for a path that is none.
    pub fn place(&self, relative: &str) -> Option<WinPath> {
        self.folder.as_ref()?.join(relative).ok()
    }
}

impl Beside for BesidePackage<'_> {
    fn open(&self, relative: &str) -> io::Result<Option<Box<dyn ReadSeek>>> {
        let Some(path) = self.place(relative) else { return Ok(None) };
        match self.files.entry(&path)?.map(|entry| entry.kind) {
            Some(Kind::File) => Ok(Some(Box::new(self.files.open(&path)?))),
            _ => Ok(None),
        }
    }
}
