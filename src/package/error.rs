//! Errors of packages.

use super::condition::ConditionError;
use crate::winpath::PathError;
use std::io;

/// A package could not be read; says which package, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the package {package}: {problem}")]
pub struct PackageError {
    /// The name of the package.
    pub package: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a package.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Not a Windows Installer package at all, or too damaged to open.
    #[error("it is not a readable Windows Installer package ({0}); copy the file again from its source")]
    NotAPackage(io::Error),
    /// Another kind of Windows Installer file.
    #[error("it is {0}; specify a package (.msi) that installs a product")]
    OtherKind(&'static str),
    /// A table or a cabinet inside it cannot be read.
    #[error("reading its {what} failed: {source}; copy the file again from its source")]
    Read {
        /// The table or cabinet.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// Something required is missing.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// A limit is exceeded that no real package reaches.
    #[error("it has more {0} than any real package; it is damaged or malicious")]
    TooMuch(&'static str),
    /// A file is larger than the caller allows.
    #[error("its file `{file}` has {size} bytes; the maximum is {limit}")]
    LargeFile {
        /// The file's long name.
        file: String,
        /// Its size.
        size: u64,
        /// What was allowed.
        limit: u64,
    },
    /// Two parts of the package are inconsistent.
    #[error("it is inconsistent: {0}")]
    Contradiction(String),
    /// Files are beside the package instead of in it.
    #[error("{0} is beside the package, not in it; only packages that contain all their files can be unpacked")]
    Outside(String),
    /// A condition is not understood.
    #[error(transparent)]
    Condition(#[from] ConditionError),
    /// A formatted text grows without limit.
    #[error("the text `{0}` becomes too long when its properties are expanded")]
    LongText(String),
    /// A folder does not resolve to an absolute path.
    #[error("its folder `{folder}` has no valid path: {source}")]
    Folder {
        /// The key in the Directory table.
        folder: String,
        /// What is wrong with the path.
        source: PathError,
    },
    /// A file has an invalid name, or one that leads elsewhere.
    #[error("its file `{file}` has no valid path: {source}")]
    File {
        /// The key in the File table.
        file: String,
        /// What is wrong with the path.
        source: PathError,
    },
    /// A file or folder has a name that cannot exist on Windows.
    #[error("its {kind} `{name}` has a name that Windows cannot write")]
    UnusableName {
        /// `file` or `folder`.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A requested feature does not exist.
    #[error("it has no feature `{0}`")]
    NoFeature(String),
    /// A file beside the package is missing.
    #[error(
        "its {kind} `{path}` must be beside it and is missing",
        kind = if *.cabinet { "cabinet" } else { "file" }
    )]
    NotBeside {
        /// The path below the package's folder.
        path: String,
        /// Whether it is a cabinet.
        cabinet: bool,
    },
    /// A folder is below itself, or below one that does not exist.
    #[error("its folder `{0}` is below itself or below an unknown folder")]
    FolderTree(String),
    /// The receiver of an unpacked file failed.
    #[error("`{file}` was unpacked but could not be processed: {source}")]
    Receiver {
        /// The file's long name.
        file: String,
        /// The receiver's own error, unchanged.
        source: io::Error,
    },
}

impl Problem {
    pub(super) fn read(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Read { what, source }
    }

    pub(super) fn of(self, package: &str) -> PackageError {
        PackageError { package: package.to_owned(), problem: self }
    }
}
