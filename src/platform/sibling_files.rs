//! The files beside a package: external cabinets, and loose files.

use super::disk::{Kind, ReadDisk};
use crate::package::{Beside, ReadSeek};
use crate::winpath::WinPath;
use std::io;

/// The folder of a package.
pub struct BesidePackage<'a> {
    files: &'a dyn ReadDisk,
    folder: Option<WinPath>,
}

impl<'a> BesidePackage<'a> {
    /// The files beside `package`.
    pub fn new(files: &'a dyn ReadDisk, package: &WinPath) -> Self {
        Self { files, folder: package.parent() }
    }

    /// The path of a file beside the package; `None` for an invalid path.
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
