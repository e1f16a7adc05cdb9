//! The content of a disk in memory: folders and files, each with its present and its durable state.

use super::missing;
use crate::platform::disk::{Entry, Kind, Marks};
use crate::winpath::{WinPath, fold};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Names in a folder: the folded form, then the name as given and its node.
pub(super) type Names = BTreeMap<String, (String, usize)>;

/// Every folder and file has its present and its durable state. Contents are shared, so copies are cheap.
#[derive(Clone)]
pub(super) enum Node {
    Folder { now: Arc<Names>, synced: Arc<Names> },
    File { now: Arc<Vec<u8>>, synced: Arc<Vec<u8>>, modified: SystemTime },
}

impl Node {
    fn folder() -> Self {
        Node::Folder { now: Arc::default(), synced: Arc::default() }
    }
}

/// A name in a folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    folder: usize,
    name: String,
}

impl Place {
    fn of(folder: usize, path: &WinPath) -> Self {
        Self { folder, name: path.name().to_owned() }
    }

    fn key(&self) -> (usize, String) {
        (self.folder, fold(&self.name))
    }
}

/// A change of names that is not durable yet. It is one transaction of the file system: after a power cut, a moved
/// entry is in one place or the other, never in both or neither.
#[derive(Clone)]
pub(super) struct Naming {
    node: usize,
    from: Option<Place>,
    to: Option<Place>,
}

impl Naming {
    fn places(&self) -> impl Iterator<Item = &Place> {
        self.from.iter().chain(&self.to)
    }

    fn touches(&self, folder: usize) -> bool {
        self.places().any(|place| place.folder == folder)
    }
}

#[derive(Clone)]
pub(super) struct State {
    pub(super) nodes: Vec<Node>,
    /// The changes of names that are not durable yet, in order.
    pub(super) pending: Vec<Naming>,
    /// The metadata of nodes.
    pub(super) marks: BTreeMap<usize, Marks>,
    /// A counter for the times of files, so that two runs on the same disk are identical.
    ticks: u64,
}

const ROOT: usize = 0;

impl State {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::folder()], pending: Vec::new(), marks: BTreeMap::new(), ticks: 0 }
    }

    pub(super) fn names(&self, at: usize) -> Option<&Names> {
        match &self.nodes[at] {
            Node::Folder { now, .. } => Some(now),
            Node::File { .. } => None,
        }
    }

    /// Renames, creates or removes an entry, which is not durable before one of its folders is synced.
    fn name(&mut self, node: usize, from: Option<Place>, to: Option<Place>) {
        let naming = Naming { node, from, to };
        let is_drive = naming.touches(ROOT);
        self.carry_out(&naming, |node| match node {
            Node::Folder { now, .. } => Some(now),
            Node::File { .. } => None,
        });
        self.pending.push(naming);
        if is_drive {
            self.settle(|_, naming| naming.touches(ROOT));
        }
    }

    fn carry_out(&mut self, naming: &Naming, names: impl Fn(&mut Node) -> Option<&mut Arc<Names>>) {
        if let Some(Place { folder, name }) = &naming.from
            && let Some(names) = names(&mut self.nodes[*folder])
            && names.get(&fold(name)).is_some_and(|(_, there)| *there == naming.node)
        {
            Arc::make_mut(names).remove(&fold(name));
        }
        if let Some(Place { folder, name }) = &naming.to
            && let Some(names) = names(&mut self.nodes[*folder])
        {
            Arc::make_mut(names).insert(fold(name), (name.clone(), naming.node));
        }
    }

    /// Makes changes of names durable: those `chosen` by their number, and the earlier ones that they depend on.
    pub(super) fn settle(&mut self, mut chosen: impl FnMut(usize, &Naming) -> bool) {
        let (mut nodes, mut places) = (BTreeSet::new(), BTreeSet::new());
        let (mut safe, mut left) = (Vec::new(), Vec::new());
        for (number, naming) in std::mem::take(&mut self.pending).into_iter().enumerate().rev() {
            let keys = || naming.places().map(Place::key);
            if nodes.contains(&naming.node) || keys().any(|key| places.contains(&key)) || chosen(number, &naming) {
                nodes.insert(naming.node);
                places.extend(keys());
                safe.push(naming);
            } else {
                left.push(naming);
            }
        }
        for naming in safe.iter().rev() {
            self.carry_out(naming, |node| match node {
                Node::Folder { synced, .. } => Some(synced),
                Node::File { .. } => None,
            });
        }
        left.reverse();
        self.pending = left;
    }

    /// Makes a file's content, or the names in a folder, durable.
    pub(super) fn sync(&mut self, at: usize) {
        match &mut self.nodes[at] {
            Node::Folder { .. } => self.settle(|_, naming| naming.touches(at)),
            Node::File { now, synced, .. } => synced.clone_from(now),
        }
    }

    /// The node at `path`.
    pub(super) fn find(&self, path: &WinPath) -> Option<usize> {
        self.find_with(path, |_| ())
    }

    /// The node at `path`, and the path in its original case.
    pub(super) fn find_real(&self, path: &WinPath) -> Option<(usize, WinPath)> {
        let mut real = WinPath::root_of(path);
        let at = self.find_with(path, |name| real = real.child(name))?;
        Some((at, real))
    }

    /// Walks from the root to `path` and reports each name after the drive.
    fn find_with(&self, path: &WinPath, mut each: impl FnMut(&str)) -> Option<usize> {
        let key = path.key();
        let (drive, below) = key.split_at_checked(1)?;
        let mut at = self.names(ROOT)?.get(drive)?.1;
        for step in below.split('\\').skip(1).filter(|step| !step.is_empty()) {
            let (name, next) = self.names(at)?.get(step)?;
            each(name);
            at = *next;
        }
        Some(at)
    }

    /// The parent folder of `path`; a drive is created when needed.
    fn folder_of(&mut self, path: &WinPath) -> io::Result<usize> {
        let Some(parent) = path.parent() else { return Ok(ROOT) };
        match self.find(&parent) {
            None if parent.parent().is_none() => Ok(self.add_folder_to(ROOT, &parent)),
            None => Err(missing(&parent)),
            Some(at) if self.names(at).is_none() => {
                Err(io::Error::new(io::ErrorKind::NotADirectory, format!("{parent} is no folder")))
            }
            Some(at) => Ok(at),
        }
    }

    fn add_folder_to(&mut self, parent: usize, path: &WinPath) -> usize {
        let name = if parent == ROOT { path.drive().to_string() } else { path.name().to_owned() };
        let at = self.nodes.len();
        self.nodes.push(Node::folder());
        self.name(at, None, Some(Place { folder: parent, name }));
        at
    }

    /// Adds an empty folder.
    pub(super) fn add_folder(&mut self, path: &WinPath) -> io::Result<()> {
        let parent = self.folder_of(path)?;
        self.add_folder_to(parent, path);
        Ok(())
    }

    /// Renames the entry at `from`.
    pub(super) fn rename(&mut self, from: &WinPath, to: &WinPath) -> io::Result<()> {
        let (source, target) = (self.folder_of(from)?, self.folder_of(to)?);
        let at = self.find(from).ok_or_else(|| missing(from))?;
        self.name(at, Some(Place::of(source, from)), Some(Place::of(target, to)));
        Ok(())
    }

    /// Removes the name of node `at`.
    pub(super) fn remove(&mut self, path: &WinPath, at: usize) -> io::Result<()> {
        let folder = self.folder_of(path)?;
        self.name(at, Some(Place::of(folder, path)), None);
        Ok(())
    }

    pub(super) fn entry(&self, at: usize, path: WinPath) -> Entry {
        match &self.nodes[at] {
            Node::Folder { .. } => Entry { path, kind: Kind::Folder, len: 0, modified: SystemTime::UNIX_EPOCH },
            Node::File { now, modified, .. } => {
                Entry { path, kind: Kind::File, len: now.len() as u64, modified: *modified }
            }
        }
    }

    pub(super) fn walk(&self, at: usize, path: &WinPath, into: &mut Vec<Entry>) {
        for (name, next) in self.names(at).into_iter().flat_map(Names::values) {
            let path = path.child(name);
            into.push(self.entry(*next, path.clone()));
            self.walk(*next, &path, into);
        }
    }

    /// The nodes at and below one.
    pub(super) fn nodes_of(&self, at: usize, into: &mut Vec<usize>) {
        into.push(at);
        for (_, next) in self.names(at).into_iter().flat_map(Names::values) {
            self.nodes_of(*next, into);
        }
    }

    fn tick(&mut self) -> SystemTime {
        self.ticks += 1;
        // 2016-01-01, when these servers were in use.
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_451_606_400 + self.ticks)
    }

    /// The node of a file, which is created if missing, and truncated unless its content is kept.
    pub(super) fn open_for_writing(&mut self, path: &WinPath, keep: bool) -> io::Result<usize> {
        let modified = self.tick();
        if let Some(at) = self.find(path) {
            let Node::File { now, modified: time, .. } = &mut self.nodes[at] else {
                return Err(io::Error::new(io::ErrorKind::IsADirectory, format!("{path} is a folder")));
            };
            *time = modified;
            if !keep {
                *now = Arc::default();
            }
            return Ok(at);
        }
        let folder = self.folder_of(path)?;
        let at = self.nodes.len();
        self.nodes.push(Node::File { now: Arc::default(), synced: Arc::default(), modified });
        self.name(at, None, Some(Place::of(folder, path)));
        Ok(at)
    }
}
