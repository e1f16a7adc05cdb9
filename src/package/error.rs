//! What can be wrong with a package.

use super::condition::ConditionError;
use crate::winpath::PathError;
use std::io;

/// A package could not be read; says which package, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the package {package}: {problem}")]
pub struct PackageError {
    /// What the caller called the package.
    pub package: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a package.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Not a Windows Installer package at all, or too damaged to open.
    #[error("it is no readable Windows Installer package ({0}); copy the file again from its source")]
    NotAPackage(io::Error),
    /// A file of Windows Installer of another kind.
    #[error("it is {0}; name a package (.msi) that installs a product")]
    OtherKind(&'static str),
    /// A table or a cabinet inside it cannot be read.
    #[error("reading its {what} failed: {source}; copy the file again from its source")]
    Read {
        /// The table or cabinet.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// Something every package has is absent.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// A bound that no real package reaches is exceeded.
    #[error("it has more {0} than any real package; it is damaged or was made to do harm")]
    TooMuch(&'static str),
    /// A file is larger than the caller wants to hold in memory.
    #[error("its file `{file}` has {size} bytes; no more than {limit} were expected")]
    LargeFile {
        /// The file's long name.
        file: String,
        /// Its size.
        size: u64,
        /// What was allowed.
        limit: u64,
    },
    /// Two parts of the package do not fit together.
    #[error("it contradicts itself: {0}")]
    Contradiction(String),
    /// Files lie beside the package instead of in it.
    #[error("{0} lies beside the package, not in it; only packages that hold all their files can be unpacked")]
    Outside(String),
    /// A condition is not understood.
    #[error(transparent)]
    Condition(#[from] ConditionError),
    /// A formatted text grows without measure.
    #[error("the text `{0}` becomes too long when its properties are filled in")]
    LongText(String),
    /// A folder does not resolve to an absolute path.
    #[error("its folder `{folder}` has no usable place: {source}")]
    Folder {
        /// The key in the Directory table.
        folder: String,
        /// What is wrong with the path.
        source: PathError,
    },
    /// A file would get a name that is none, or that leads elsewhere.
    #[error("its file `{file}` has no usable place: {source}")]
    File {
        /// The key in the File table.
        file: String,
        /// What is wrong with the path.
        source: PathError,
    },
    /// A feature is asked for that the package does not have.
    #[error("it has no feature `{0}`")]
    NoFeature(String),
    /// What has to lie beside the package is not there.
    #[error(
        "its {kind} `{path}` has to lie beside it and is not there",
        kind = if *.cabinet { "cabinet" } else { "file" }
    )]
    NotBeside {
        /// The path below the package's folder.
        path: String,
        /// True for a cabinet.
        cabinet: bool,
    },
    /// A folder lies below itself, or below one that does not exist.
    #[error("its folder `{0}` lies below itself or below no known folder")]
    FolderTree(String),
    /// The receiver of an unpacked file refused it.
    #[error("`{file}` was unpacked but could not be taken over: {source}")]
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
