//! A simulated file system that keeps what a real one promises and nothing more, from a seed.
//!
//! Processes share it ([`SimFiles::process`]); each can be made to die in the middle of its n-th
//! operation; a power cut ([`SimFiles::power_cut`]) keeps what was synced and any part of what was not,
//! sector by sector and name by name, with the order of nothing. Also: short writes and reads, EINTR, syncs that fail and
//! lose pages, a disk that is full. Not here: what is right afterwards; that is the tests' to say.
//! Invariant: the same seed and the same calls give the same bytes and the same failures.

mod disk;
mod handle;
pub mod left_out;
pub mod rounds;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::disk::Disk;
use self::handle::SimHandle;
use crate::files::{Access, FileHandle, Files, Identity};

/// How often things go wrong, in a thousand operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// Writes and reads that do only a part.
    pub short: u32,
    /// Calls that a signal interrupts.
    pub interrupted: u32,
    /// Syncs, and cuts, that fail; a failed sync may lose pages for good.
    pub failed: u32,
    /// Bytes that all files may have together; `None` is no limit.
    pub capacity: Option<u64>,
}

/// What went wrong, by name, and how often.
pub type Met = BTreeMap<&'static str, u64>;

/// The file system as one process sees it.
#[derive(Clone)]
pub struct SimFiles {
    world: Arc<Mutex<World>>,
    pid: u32,
}

struct World {
    disk: Disk,
    faults: Faults,
    may_map: bool,
    boot: u64,
    /// By pid − 1.
    processes: Vec<Process>,
    handles: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Process {
    dead: bool,
    operations: u64,
    dies_at: Option<u64>,
}

/// What happens to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is done.
    Done,
    /// The process dies somewhere in it.
    Dying,
}

impl SimFiles {
    /// A new, empty file system with one process.
    pub fn new(seed: u64) -> Self {
        Self {
            world: Arc::new(Mutex::new(World {
                disk: Disk::new(seed),
                faults: Faults::default(),
                may_map: true,
                boot: 1,
                processes: vec![Process::default()],
                handles: 0,
            })),
            pid: 1,
        }
    }

    /// Another process on the same file system.
    #[must_use = "the other process is the value"]
    pub fn process(&self) -> Self {
        let mut world = self.world();
        world.processes.push(Process::default());
        Self {
            world: Arc::clone(&self.world),
            pid: world.processes.len() as u32,
        }
    }

    /// Ready to be handed to writers and readers.
    pub fn shared(&self) -> Arc<dyn Files> {
        Arc::new(self.clone())
    }

    /// What goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.world().faults = faults;
    }

    /// Lets time go on for what files say of it.
    pub fn pass(&self, micros: i64) {
        self.world().disk.pass(micros);
    }

    /// The time that files say, in microseconds since 1970.
    pub fn now(&self) -> i64 {
        self.world().disk.now()
    }

    /// Whether files may be mapped.
    pub fn set_may_map(&self, may: MayMap) {
        self.world().may_map = may == MayMap::Yes;
    }

    /// Makes this process die in the middle of its operation after `more` others.
    pub fn die_after(&self, more: u64) {
        let mut world = self.world();
        let process = world.process(self.pid);
        process.dies_at = Some(process.operations + more);
    }

    /// Kills this process between two operations. Its locks are free, what it wrote stays.
    pub fn kill(&self) {
        self.world().die(self.pid);
    }

    /// Whether this process has died.
    pub fn is_dead(&self) -> bool {
        self.world().process(self.pid).dead
    }

    /// What went wrong so far, by name: deaths by the operation that they came in, and faults of the disk.
    pub fn met(&self) -> Met {
        self.world().disk.met().clone()
    }

    /// How many operations this process has begun.
    pub fn operations(&self) -> u64 {
        self.world().process(self.pid).operations
    }

    /// Cuts the power and starts the machine again: every process is dead, and of what was not synced
    /// any part is left. Gives the first process of the new start.
    #[must_use = "all processes before are dead"]
    pub fn power_cut(&self) -> Self {
        {
            let mut world = self.world();
            for pid in 1..=world.processes.len() as u32 {
                world.die(pid);
            }
            world.disk.lose();
            world.disk.note("power cut");
            world.boot += 1;
        }
        self.process()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an operation; `death` is what a death in it is called.
    fn begin(&self, death: &'static str) -> io::Result<(MutexGuard<'_, World>, Fate)> {
        let mut world = self.world();
        let process = world.process(self.pid);
        if process.dead {
            return Err(ended());
        }
        let dying = process.dies_at == Some(process.operations);
        process.operations += 1;
        if dying {
            world.disk.note(death);
            return Ok((world, Fate::Dying));
        }
        world.disk.write_back_something();
        let interrupted = world.faults.interrupted;
        if world.disk.chance(interrupted) {
            world.disk.note("interrupted call");
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok((world, Fate::Done))
    }

    /// Does an operation that happens as a whole or not at all.
    fn whole<T>(
        &self,
        death: &'static str,
        act: impl FnOnce(&mut World) -> io::Result<T>,
    ) -> io::Result<T> {
        let (mut world, fate) = self.begin_whole(death)?;
        match fate {
            Fate::Done => act(&mut world),
            Fate::Dying => {
                let done = world.disk.coin().then(|| act(&mut world));
                world.die(self.pid);
                // A handle among what was done takes the world's lock when it is dropped.
                drop(world);
                drop(done);
                Err(ended())
            }
        }
    }

    /// Calls that happen as a whole are not interrupted by signals.
    fn begin_whole(&self, death: &'static str) -> io::Result<(MutexGuard<'_, World>, Fate)> {
        loop {
            match self.begin(death) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                begun => return begun,
            }
        }
    }

    fn handle(&self, world: &mut World, node: u64) -> Arc<dyn FileHandle> {
        world.handles += 1;
        Arc::new(SimHandle {
            files: self.clone(),
            node,
            id: world.handles,
        })
    }
}

/// Whether files may be mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayMap {
    /// They may.
    Yes,
    /// As on a network file system.
    No,
}

impl World {
    fn process(&mut self, pid: u32) -> &mut Process {
        &mut self.processes[pid as usize - 1]
    }

    fn die(&mut self, pid: u32) {
        self.process(pid).dead = true;
        self.disk.release_locks(pid);
    }

    /// Whether the disk fails now; `fault` is what that is called.
    fn may_fail(&mut self, fault: &'static str) -> io::Result<()> {
        let failed = self.faults.failed;
        if self.disk.chance(failed) {
            self.disk.note(fault);
            return Err(io::Error::other("simulated EIO"));
        }
        Ok(())
    }

    fn room(&self) -> u64 {
        self.faults.capacity.map_or(u64::MAX, |capacity| {
            capacity.saturating_sub(self.disk.used())
        })
    }
}

fn ended() -> io::Error {
    io::Error::other("the process has ended")
}

fn no_space() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

impl Files for SimFiles {
    fn make_dir(&self, dir: &Path) -> io::Result<bool> {
        self.whole("death in making a folder", |world| world.disk.make_dir(dir))
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        self.whole("death in removing a folder", |world| {
            world.disk.remove_dir(dir)
        })
    }

    fn create_new(&self, path: &Path) -> io::Result<Arc<dyn FileHandle>> {
        self.whole("death in making a file", |world| {
            let node = world.disk.create(path)?;
            Ok(self.handle(world, node))
        })
    }

    fn open(&self, path: &Path, _access: Access) -> io::Result<Arc<dyn FileHandle>> {
        self.whole("death in opening a file", |world| {
            let node = world.disk.find(path)?;
            Ok(self.handle(world, node))
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.whole("death in renaming", |world| world.disk.rename(from, to))
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.whole("death in unlinking", |world| world.disk.unlink(path))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        self.whole("death in listing a folder", |world| {
            Ok(world.disk.names_in(dir))
        })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.whole("death in syncing a folder", |world| {
            world.may_fail("failed sync of a folder")?;
            world.disk.sync_names(dir);
            Ok(())
        })
    }

    fn may_map(&self, _dir: &Path) -> bool {
        self.world().may_map
    }

    fn identity(&self) -> Identity {
        Identity {
            host: "sim".to_owned(),
            boot: format!("boot-{}", self.world().boot),
            pid: self.pid,
            pid_namespace: 1,
            started: u64::from(self.pid) * 7,
        }
    }

    fn process_started(&self, pid: u32) -> Option<u64> {
        let world = self.world();
        let process = world.processes.get((pid as usize).checked_sub(1)?)?;
        (!process.dead).then_some(u64::from(pid) * 7)
    }

    fn random(&self, bytes: &mut [u8]) -> io::Result<()> {
        let mut world = self.world();
        for byte in bytes {
            *byte = world.disk.below(256) as u8;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
