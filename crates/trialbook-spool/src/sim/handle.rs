//! Open files and mapped ranges of the simulated file system.
//!
//! Not here: the bytes. Invariant: an operation in which its process dies has done any part of itself.

use std::fs::File;
use std::io;

use super::disk::Node;
use super::{Fate, SimFiles, ended, no_space};
use crate::files::{FileHandle, Segment};

pub(super) struct SimHandle {
    pub(super) files: SimFiles,
    pub(super) node: u64,
    pub(super) id: u64,
}

impl Drop for SimHandle {
    fn drop(&mut self) {
        self.files.world().disk.release_lock(self.node, self.id);
    }
}

impl FileHandle for SimHandle {
    fn size(&self) -> io::Result<u64> {
        self.files.whole("death in asking for a length", |world| {
            Ok(world.disk.node(self.node).size())
        })
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let (mut world, fate) = self.files.begin("death in reading")?;
        if fate == Fate::Dying {
            world.die(self.files.pid);
            return Err(ended());
        }
        let short = world.faults.short;
        let len = if bytes.len() > 1 && world.disk.chance(short) {
            world.disk.note("short read");
            1 + world.disk.below(bytes.len() as u64 - 1) as usize
        } else {
            bytes.len()
        };
        Ok(world.disk.node(self.node).read(&mut bytes[..len], offset))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let (mut world, fate) = self.files.begin("death in writing")?;
        let size = world.disk.node(self.node).size();
        let room = (size.saturating_sub(offset)).saturating_add(world.room());
        let fits = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        let short = world.faults.short;
        let len = match fate {
            Fate::Dying => world.disk.below(fits as u64 + 1) as usize,
            Fate::Done if fits > 1 && world.disk.chance(short) => {
                world.disk.note("short write");
                1 + world.disk.below(fits as u64 - 1) as usize
            }
            Fate::Done => fits,
        };
        world.disk.node_mut(self.node).write(&bytes[..len], offset);
        world.disk.touch(self.node);
        if fate == Fate::Dying {
            world.die(self.files.pid);
            return Err(ended());
        }
        if len == 0 && !bytes.is_empty() {
            world.disk.note("full disk");
            return Err(no_space());
        }
        Ok(len)
    }

    fn truncate(&self, size: u64) -> io::Result<()> {
        self.files.whole("death in cutting", |world| {
            world.may_fail("failed cut")?;
            world.disk.node_mut(self.node).truncate(size);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        let (mut world, fate) = self.files.begin("death in syncing a file")?;
        if fate == Fate::Dying {
            world.disk.write_back_part(self.node);
            world.die(self.files.pid);
            return Err(ended());
        }
        if let Err(failed) = world.may_fail("failed sync of a file") {
            world.disk.fail_sync(self.node);
            return Err(failed);
        }
        world.disk.node_mut(self.node).sync();
        Ok(())
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        self.files.whole("death in allocating", |world| {
            let size = world.disk.node(self.node).size();
            if (offset + len).saturating_sub(size) > world.room() {
                world.disk.note("full disk");
                return Err(no_space());
            }
            if offset + len > size {
                world.disk.node_mut(self.node).truncate(offset + len);
            }
            Ok(())
        })
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.files.whole("death in locking", |world| {
            Ok(world.disk.lock(self.node, (self.files.pid, self.id)))
        })
    }

    fn is_unlocked(&self) -> io::Result<bool> {
        self.files.whole("death in asking for a lock", |world| {
            Ok(world.disk.node(self.node).is_unlocked())
        })
    }

    fn share(&self, _from: &File) -> io::Result<()> {
        // What is to be shared stands on a disk of this machine.
        Err(io::ErrorKind::Unsupported.into())
    }

    fn touch(&self) -> io::Result<()> {
        self.files.whole("death in touching", |world| {
            world.disk.touch(self.node);
            Ok(())
        })
    }

    fn changed(&self) -> io::Result<i64> {
        self.files.whole("death in asking for a time", |world| {
            Ok(world.disk.node(self.node).changed())
        })
    }

    fn map(&self, offset: u64, len: u64) -> io::Result<Box<dyn Segment>> {
        self.files.whole("death in mapping", |_world| {
            let segment: Box<dyn Segment> = Box::new(SimSegment {
                files: self.files.clone(),
                node: self.node,
                offset,
                len: len as usize,
            });
            Ok(segment)
        })
    }
}

struct SimSegment {
    files: SimFiles,
    node: u64,
    offset: u64,
    len: usize,
}

impl Segment for SimSegment {
    fn store(&mut self, at: usize, frame: &[u8]) -> io::Result<()> {
        assert!(
            at.is_multiple_of(8) && frame.len() >= 4 && at + frame.len() <= self.len,
            "a frame lies inside its range"
        );
        // Storing is no system call: it cannot be interrupted, only be the last thing a process does.
        let (mut world, fate) = self.files.begin_whole("death in storing")?;
        let start = self.offset + at as u64;
        match fate {
            Fate::Done => {
                world.disk.node_mut(self.node).write(frame, start);
                Ok(())
            }
            Fate::Dying => {
                let len = world.disk.below(frame.len() as u64 - 3) as usize;
                let node: &mut Node = world.disk.node_mut(self.node);
                node.write(&frame[4..4 + len], start + 4);
                if 4 + len == frame.len() && world.disk.coin() {
                    world.disk.node_mut(self.node).write(&frame[..4], start);
                }
                world.die(self.files.pid);
                Err(ended())
            }
        }
    }

    fn abandon(self: Box<Self>) {}
}
