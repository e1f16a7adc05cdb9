//! Access to the files of a package, in it or beside it.

use super::error::{PackageError, Problem};
use super::guard::{guarded, invalid};
use super::layout::name_at_source;
use super::model::PackagedFile;
use super::tables::MAX_DEPTH;
use super::{Package, cabinet};
use crate::winpath::{WinPath, fold};
use std::collections::BTreeMap;
use std::io::{self, Read, Seek};
use std::ops::ControlFlow;

/// Receives a file of a package with its content, which it need not read.
pub type Receiver<'a, T> = dyn FnMut(&PackagedFile, &mut dyn Read) -> io::Result<T> + 'a;

/// The files beside a package.
pub trait Beside {
    /// Opens the file at a relative path with backslashes; `None` if it does not exist.
    fn open(&self, relative: &str) -> io::Result<Option<Box<dyn ReadSeek>>>;
}

/// A file that can be read in any order.
pub trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// The source of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// In a cabinet inside the package.
    Embedded(String),
    /// In a cabinet beside the package.
    Cabinet(String),
    /// Loose beside the package or in a folder there.
    Loose(String),
}

type Wanted<'a> = BTreeMap<&'a str, &'a PackagedFile>;

impl<R: Read + Seek> Package<R> {
    /// Unpacks all files, each once, in the order they are stored in.
    ///
    /// Every byte is decompressed and every file is checked for its size, even if `each` does not read it. Fails
    /// immediately if not all files are inside the package.
    pub fn unpack(&mut self, each: &mut Receiver<'_, ()>) -> Result<(), PackageError> {
        self.unpack_all(None, &|_| true, each).map_err(|problem| problem.of(&self.name))
    }

    /// [`Package::unpack`] for the `wanted` files, which may also be beside the package.
    pub fn unpack_beside(
        &mut self,
        beside: &dyn Beside,
        wanted: &dyn Fn(&PackagedFile) -> bool,
        each: &mut Receiver<'_, ()>,
    ) -> Result<(), PackageError> {
        self.unpack_all(Some(beside), wanted, each).map_err(|problem| problem.of(&self.name))
    }

    /// What is not inside the package, in words; `None` if it contains all its files.
    pub fn outside(&self) -> Option<String> {
        let cabinet = self.info.cabinets.iter().find(|cabinet| !cabinet.embedded);
        if let Some(cabinet) = cabinet {
            return Some(format!("its cabinet {} is not embedded", cabinet.name));
        }
        let loose = self.tables.files.iter().find(|file| !file.compressed)?;
        Some(format!("its file {} is not in a cabinet", loose.name))
    }

    fn unpack_all(
        &mut self,
        beside: Option<&dyn Beside>,
        wanted: &dyn Fn(&PackagedFile) -> bool,
        each: &mut Receiver<'_, ()>,
    ) -> Result<(), Problem> {
        if self.tables.files.is_empty() && !self.info.cabinets.is_empty() {
            return Err(Problem::Contradiction("it has cabinets, but no files".to_owned()));
        }
        let mut sources: BTreeMap<Source, Vec<PackagedFile>> = BTreeMap::new();
        for file in self.tables.files.iter().filter(|file| wanted(file)) {
            sources.entry(self.source_of(file)?).or_default().push(file.clone());
        }
        let inside = |source: &Source| matches!(source, Source::Embedded(_));
        if beside.is_none()
            && let Some(source) = sources.keys().find(|source| !inside(source))
        {
            return Err(Problem::Outside(source.to_string()));
        }
        for (source, files) in &sources {
            let mut missing: Wanted<'_> = files.iter().map(|file| (file.key.as_str(), file)).collect();
            let every = missing.clone();
            self.open_source(source, &every, beside, &mut |file, content| {
                missing.remove(file.key.as_str());
                each(file, content).map(ControlFlow::Continue)
            })?;
            if let Some(file) = missing.keys().next() {
                return Err(Problem::Contradiction(format!("its cabinets do not contain the file `{file}`")));
            }
        }
        Ok(())
    }

    /// The source of a file.
    fn source_of(&self, file: &PackagedFile) -> Result<Source, Problem> {
        if !file.compressed {
            return self.loose_path(file).map(Source::Loose);
        }
        let media = &self.tables.media;
        let media = media.get(media.partition_point(|media| media.last_sequence < file.sequence));
        let cabinet = media.map_or("", |media| media.cabinet.as_str());
        match cabinet.strip_prefix('#') {
            Some(name) => Ok(Source::Embedded(name.to_owned())),
            None if cabinet.is_empty() => {
                Err(Problem::Contradiction(format!("the file `{}` is compressed, but in no cabinet", file.name)))
            }
            None => Ok(Source::Cabinet(cabinet.to_owned())),
        }
    }

    /// The path of a loose file below the package's folder. If the source is otherwise compressed, loose files are
    /// beside the package; otherwise they are in the folders of the Directory table.
    fn loose_path(&self, file: &PackagedFile) -> Result<String, Problem> {
        let mut parts = vec![file.source_name.as_str()];
        let mut at = file.directory.as_str();
        let mut depth = 0;
        while !self.tables.source.compressed
            && let Some(folder) = self.tables.directories.get(at)
            && !folder.parent.is_empty()
            && folder.parent != at
        {
            parts.push(self.tables.name_at_source(name_at_source(&folder.default)));
            at = &folder.parent;
            depth += 1;
            if depth > MAX_DEPTH {
                return Err(Problem::FolderTree(file.directory.clone()));
            }
        }
        parts.retain(|part| *part != ".");
        parts.reverse();
        Ok(parts.join("\\"))
    }

    /// Passes on files of a source.
    fn open_source(
        &mut self,
        source: &Source,
        files: &Wanted<'_>,
        beside: Option<&dyn Beside>,
        each: &mut Receiver<'_, ControlFlow<()>>,
    ) -> Result<(), Problem> {
        let outside = |path: &str, cabinet: bool| -> Result<Box<dyn ReadSeek>, Problem> {
            let beside = beside.ok_or_else(|| Problem::Outside(source.to_string()))?;
            if !path.split('\\').all(WinPath::is_name) || (cabinet && path.contains('\\')) {
                return Err(Problem::Contradiction(format!("{source} has a name that leads elsewhere")));
            }
            let found = beside.open(path).map_err(Problem::read(source.to_string()))?;
            found.ok_or_else(|| Problem::NotBeside { path: path.to_owned(), cabinet })
        };
        match source {
            Source::Embedded(name) => {
                let stream = guarded(|| self.msi.read_stream(name)).map_err(Problem::read(source.to_string()))?;
                unpack_cabinet(stream, source, files, each)
            }
            Source::Cabinet(name) => unpack_cabinet(outside(name, true)?, source, files, each),
            Source::Loose(path) => {
                for file in files.values() {
                    hand_out_loose(file, outside(path, false)?, source, each)?;
                }
                Ok(())
            }
        }
    }

    /// The content of a file by its long name, ignoring case; the one nearest to the root folder if there are several.
    /// `None` if there is none. Fails for a file larger than `limit` bytes.
    pub fn read_file(&mut self, long_name: &str, limit: u64) -> Result<Option<Vec<u8>>, PackageError> {
        let key = self.find(long_name).map(|file| file.key.clone());
        key.map_or(Ok(None), |key| self.read_key(&key, limit))
    }

    /// The content of the file at `relative`, a path with backslashes below the folder of the file that
    /// [`Package::read_file`] reads. `None` if there is none.
    pub fn read_beside(
        &mut self,
        long_name: &str,
        relative: &str,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, PackageError> {
        let Some(folder) = self.find(long_name).map(|file| self.directory(&file.directory)) else { return Ok(None) };
        let wanted = fold(&format!("{folder}\\{relative}"));
        let is_it =
            |file: &&PackagedFile| fold(&format!("{}\\{}", self.directory(&file.directory), file.name)) == wanted;
        let key = self.tables.files.iter().find(is_it).map(|file| file.key.clone());
        key.map_or(Ok(None), |key| self.read_key(&key, limit))
    }

    fn find(&self, long_name: &str) -> Option<&PackagedFile> {
        let wanted = fold(long_name);
        let named = self.tables.files.iter().filter(|file| fold(&file.name) == wanted);
        named.min_by_key(|file| self.tables.depth(&file.directory))
    }

    /// The content of a file by its key in the File table; `None` if there is no such key.
    pub fn read_key(&mut self, key: &str, limit: u64) -> Result<Option<Vec<u8>>, PackageError> {
        self.read_one(key, limit).map_err(|problem| problem.of(&self.name))
    }

    fn read_one(&mut self, key: &str, limit: u64) -> Result<Option<Vec<u8>>, Problem> {
        let Some(file) = self.tables.files.iter().find(|file| file.key == key).cloned() else { return Ok(None) };
        if file.size > limit {
            return Err(Problem::LargeFile { file: file.name, size: file.size, limit });
        }
        let source = self.source_of(&file)?;
        let mut bytes = None;
        let wanted = Wanted::from([(key, &file)]);
        self.open_source(&source, &wanted, None, &mut |_, content| {
            content.read_to_end(bytes.insert(Vec::new()))?;
            Ok(ControlFlow::Break(()))
        })?;
        match bytes {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(Problem::Contradiction(format!("{source} does not contain the file `{key}`"))),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedded(name) | Self::Cabinet(name) => write!(f, "cabinet `{name}`"),
            Self::Loose(path) => write!(f, "file `{path}`"),
        }
    }
}

fn unpack_cabinet(
    stream: impl Read + Seek,
    source: &Source,
    files: &Wanted<'_>,
    each: &mut Receiver<'_, ControlFlow<()>>,
) -> Result<(), Problem> {
    let mut refused = None;
    let result = cabinet::unpack(stream, &mut |entry, content| {
        // A file that is not requested, or in no table, is never installed.
        let Some(file) = files.get(entry.name.as_str()) else { return Ok(ControlFlow::Continue(())) };
        if file.size != u64::from(entry.size) {
            let (table, cabinet) = (file.size, entry.size);
            return Err(invalid(format!("`{}` has {cabinet} bytes there and {table} in the File table", file.name)));
        }
        watched(file, content, &mut refused, each)
    });
    match (refused, result) {
        (Some(problem), _) => Err(problem),
        (None, Err(error)) => Err(Problem::read(source.to_string())(error)),
        (None, Ok(_)) => Ok(()),
    }
}

fn hand_out_loose(
    file: &PackagedFile,
    mut content: Box<dyn ReadSeek>,
    source: &Source,
    each: &mut Receiver<'_, ControlFlow<()>>,
) -> Result<(), Problem> {
    let mut refused = None;
    let mut check = || {
        let size = content.seek(io::SeekFrom::End(0))?;
        if size != file.size {
            return Err(invalid(format!("it has {size} bytes and {} in the File table", file.size)));
        }
        content.rewind()?;
        watched(file, &mut content, &mut refused, each).map(drop)
    };
    let result = check();
    match (refused, result) {
        (Some(problem), _) => Err(problem),
        (None, result) => result.map_err(Problem::read(source.to_string())),
    }
}

/// Passes on a file, and distinguishes errors of its content from those of the receiver.
fn watched(
    file: &PackagedFile,
    content: &mut dyn Read,
    refused: &mut Option<Problem>,
    each: &mut Receiver<'_, ControlFlow<()>>,
) -> io::Result<ControlFlow<()>> {
    let mut content = Watched { content, failed: false };
    each(file, &mut content).map_err(|source| {
        if content.failed {
            return source;
        }
        *refused = Some(Problem::Receiver { file: file.name.clone(), source });
        io::Error::other("the receiver failed")
    })
}

struct Watched<'a> {
    content: &'a mut dyn Read,
    failed: bool,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.content.read(buffer);
        self.failed |= result.is_err();
        result
    }
}
