//! Bytes and names, each twice: as processes see them, and as the disk has them.
//!
//! Not here: who asks. Invariant: what was synced is on the disk; of anything else the disk has any
//! part, chosen by the seed, a sector of 512 bytes at a time, and a sector may be torn. Of names that were
//! given, changed and removed since their folder was synced, a power cut keeps any as well, in no order.

mod node;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::Met;
use super::rounds::Random;
pub(super) use node::Node;
use node::{SECTOR, grow};

/// What the name of a folder leads to.
const FOLDER: u64 = 0;

/// The disk and the cache before it.
pub(super) struct Disk {
    random: Random,
    nodes: BTreeMap<u64, Node>,
    names: BTreeMap<PathBuf, u64>,
    durable_names: BTreeMap<PathBuf, u64>,
    /// Changes of names that no sync has put on the disk, in order.
    pending: Vec<Change>,
    next_node: u64,
    /// Nodes with bytes that the disk lacks, in the order of writing, for writing back.
    recent: Vec<u64>,
    /// Microseconds since 1970, for what files say of it.
    now: i64,
    met: Met,
}

/// A change of a name, which happens as a whole.
enum Change {
    Set(PathBuf, u64),
    Rename(PathBuf, PathBuf, u64),
    Remove(PathBuf),
}

impl Change {
    /// Whether syncing a folder puts it on the disk.
    fn is_in(&self, dir: &Path) -> bool {
        let path = match self {
            Self::Set(path, _) | Self::Remove(path) | Self::Rename(_, path, _) => path,
        };
        path.parent() == Some(dir)
    }
}

impl Disk {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed ^ 0x9E37_79B9_7F4A_7C15),
            nodes: BTreeMap::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            pending: Vec::new(),
            next_node: 1,
            recent: Vec::new(),
            now: 0,
            met: Met::new(),
        }
    }

    pub(super) const fn met(&self) -> &Met {
        &self.met
    }

    /// Counts what went wrong.
    pub(super) fn note(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    pub(super) const fn now(&self) -> i64 {
        self.now
    }

    pub(super) const fn pass(&mut self, micros: i64) {
        self.now += micros;
    }

    pub(super) fn touch(&mut self, node: u64) {
        let now = self.now;
        self.node_mut(node).changed = now;
    }

    /// A number below `limit`, which is not 0.
    pub(super) const fn below(&mut self, limit: u64) -> u64 {
        self.random.below(limit)
    }

    pub(super) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    pub(super) fn chance(&mut self, in_a_thousand: u32) -> bool {
        in_a_thousand > 0 && self.below(1000) < u64::from(in_a_thousand)
    }

    pub(super) fn node(&self, node: u64) -> &Node {
        &self.nodes[&node]
    }

    pub(super) fn node_mut(&mut self, node: u64) -> &mut Node {
        if self.recent.last() != Some(&node) {
            self.recent.push(node);
        }
        if self.recent.len() > 64 {
            self.recent.drain(..32);
        }
        self.nodes
            .get_mut(&node)
            .expect("nodes live as long as the disk")
    }

    pub(super) fn used(&self) -> u64 {
        let held: BTreeSet<u64> = self.names.values().copied().collect();
        let held = held.iter().filter_map(|node| self.nodes.get(node));
        held.map(Node::size).sum()
    }

    /// Whether a folder is there; the one that relative paths begin in always is.
    fn has_dir(names: &BTreeMap<PathBuf, u64>, dir: Option<&Path>) -> bool {
        dir.is_none_or(|dir| dir.as_os_str().is_empty() || names.get(dir) == Some(&FOLDER))
    }

    fn check_above(&self, path: &Path) -> io::Result<()> {
        if Self::has_dir(&self.names, path.parent()) {
            Ok(())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    pub(super) fn make_dir(&mut self, dir: &Path) -> io::Result<bool> {
        if Self::has_dir(&self.names, Some(dir)) {
            return Ok(false);
        }
        self.name(dir, FOLDER)?;
        Ok(true)
    }

    pub(super) fn remove_dir(&mut self, dir: &Path) -> io::Result<()> {
        if !self.names_in(dir).is_empty() {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        match self.names.get(dir) {
            Some(&FOLDER) => {
                self.names.remove(dir);
                self.pending.push(Change::Remove(dir.to_owned()));
                Ok(())
            }
            Some(_) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn find(&self, path: &Path) -> io::Result<u64> {
        match self.names.get(path) {
            Some(&FOLDER) => Err(io::ErrorKind::IsADirectory.into()),
            Some(&node) => Ok(node),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Gives a name that is free.
    fn name(&mut self, path: &Path, node: u64) -> io::Result<()> {
        self.check_above(path)?;
        if self.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.names.insert(path.to_owned(), node);
        self.pending.push(Change::Set(path.to_owned(), node));
        Ok(())
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<u64> {
        let node = self.next_node;
        self.name(path, node)?;
        self.next_node += 1;
        let node_of = Node {
            changed: self.now,
            ..Node::default()
        };
        self.nodes.insert(node, node_of);
        Ok(node)
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = self.find(from)?;
        self.check_above(to)?;
        if self.names.get(to) == Some(&FOLDER) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        self.names.remove(from);
        self.names.insert(to.to_owned(), node);
        let change = Change::Rename(from.to_owned(), to.to_owned(), node);
        self.pending.push(change);
        Ok(())
    }

    pub(super) fn unlink(&mut self, path: &Path) -> io::Result<()> {
        self.find(path)?;
        self.names.remove(path);
        self.pending.push(Change::Remove(path.to_owned()));
        Ok(())
    }

    pub(super) fn names_in(&self, dir: &Path) -> Vec<PathBuf> {
        let inside = |path: &&PathBuf| path.parent() == Some(dir);
        self.names.keys().filter(inside).cloned().collect()
    }

    /// Puts the changes of one folder's names on the disk.
    pub(super) fn sync_names(&mut self, dir: &Path) {
        let here = dir == Path::new(".");
        let dir = if here { Path::new("") } else { dir };
        for change in std::mem::take(&mut self.pending) {
            if change.is_in(dir) {
                self.put_name(change);
            } else {
                self.pending.push(change);
            }
        }
    }

    fn put_name(&mut self, change: Change) {
        match change {
            Change::Set(path, node) => {
                self.durable_names.insert(path, node);
            }
            Change::Rename(from, to, node) => {
                self.durable_names.remove(&from);
                self.durable_names.insert(to, node);
            }
            Change::Remove(path) => {
                self.durable_names.remove(&path);
            }
        }
    }

    pub(super) fn lock(&mut self, node: u64, owner: (u32, u64)) -> bool {
        let lock = &mut self.node_mut(node).lock;
        let free = lock.is_none() || *lock == Some(owner);
        if free {
            *lock = Some(owner);
        }
        free
    }

    pub(super) fn release_lock(&mut self, node: u64, handle: u64) {
        if let Some(node) = self.nodes.get_mut(&node)
            && node.lock.is_some_and(|(_, owner)| owner == handle)
        {
            node.lock = None;
        }
    }

    pub(super) fn release_locks(&mut self, pid: u32) {
        for node in self.nodes.values_mut() {
            if node.lock.is_some_and(|(owner, _)| owner == pid) {
                node.lock = None;
            }
        }
    }

    /// The kernel writes back what it likes, when it likes.
    pub(super) fn write_back_something(&mut self) {
        if self.recent.is_empty() || self.below(16) != 0 {
            return;
        }
        let at = self.below(self.recent.len() as u64) as usize;
        let node = self.recent.swap_remove(at);
        self.write_back_part(node);
        let changes = self.below(self.pending.len() as u64 + 1) as usize;
        let rest = self.pending.split_off(changes);
        for change in std::mem::replace(&mut self.pending, rest) {
            self.put_name(change);
        }
    }

    /// Some of a node's sectors reach the disk, perhaps its length too.
    pub(super) fn write_back_part(&mut self, node: u64) {
        let Some(mut taken) = self.nodes.remove(&node) else {
            return;
        };
        for sector in std::mem::take(&mut taken.dirty) {
            if self.coin() {
                taken.write_back(sector, None);
            } else {
                taken.dirty.insert(sector);
            }
        }
        if self.coin() {
            taken.disk_size = taken.cache.len();
        }
        self.nodes.insert(node, taken);
    }

    /// A sync that fails: some sectors reach the disk, some never will though they count as clean.
    pub(super) fn fail_sync(&mut self, node: u64) {
        self.write_back_part(node);
        if self.coin()
            && let Some(node) = self.nodes.get_mut(&node)
        {
            node.dirty.clear();
        }
    }

    /// The power goes: the cache is gone, and with it any part of what the disk lacks.
    pub(super) fn lose(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            if self.coin() {
                self.put_name(change);
            } else {
                self.note("lost change of a name");
            }
        }
        self.recent.clear();
        let durable = std::mem::take(&mut self.durable_names);
        // What is in a folder that is gone is gone with it.
        for (path, node) in durable {
            if Self::has_dir(&self.durable_names, path.parent()) {
                self.durable_names.insert(path, node);
            }
        }
        self.names = self.durable_names.clone();
        let kept: BTreeSet<u64> = self.names.values().copied().collect();
        self.nodes.retain(|node, _| kept.contains(node));
        let mut nodes = std::mem::take(&mut self.nodes);
        for node in nodes.values_mut() {
            self.lose_parts(node);
        }
        self.nodes = nodes;
    }

    fn lose_parts(&mut self, node: &mut Node) {
        for sector in std::mem::take(&mut node.dirty) {
            match self.below(8) {
                0..4 => self.note("lost sector"),
                4..7 => node.write_back(sector, None),
                _ => {
                    let torn = self.below(SECTOR as u64) as usize;
                    node.write_back(sector, Some(torn));
                    self.note("torn sector");
                }
            }
        }
        let (less, more) = (
            node.disk_size.min(node.cache.len()),
            node.disk_size.max(node.cache.len()),
        );
        let size = match self.below(3) {
            0 => node.disk_size,
            1 => node.cache.len(),
            _ => less + self.below((more - less) as u64 + 1) as usize,
        };
        node.disk.truncate(size);
        grow(&mut node.disk, size);
        node.disk_size = size;
        node.cache.clone_from(&node.disk);
    }
}
