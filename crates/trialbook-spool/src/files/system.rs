//! The real file system.
//!
//! The one place of the spool with `unsafe`: copying into a mapped range. Invariant: a range is mapped
//! only where space was really allocated, so that touching it cannot raise SIGBUS on a full disk, and
//! is never written through after a fork.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
#[cfg(windows)]
use std::os::windows::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering, fence};
use std::time::UNIX_EPOCH;

use memmap2::{MmapOptions, MmapRaw};

use super::{Access, FileHandle, Files, Identity, Segment, process};

/// The file system of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemFiles;

impl SystemFiles {
    /// Ready to be handed to writers and readers.
    pub fn shared() -> Arc<dyn Files> {
        Arc::new(Self)
    }
}

impl Files for SystemFiles {
    fn make_dir(&self, dir: &Path) -> io::Result<bool> {
        let mut how = DirBuilder::new();
        #[cfg(unix)]
        how.mode(0o700);
        match how.create(dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(false),
            made => made.map(|()| true),
        }
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        fs::remove_dir(dir)
    }

    fn create_new(&self, path: &Path) -> io::Result<Arc<dyn FileHandle>> {
        let mut how = OpenOptions::new();
        how.read(true).write(true).create_new(true);
        #[cfg(unix)]
        how.mode(0o600);
        let file = how.open(path)?;
        Ok(Arc::new(SystemFile(file)))
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn FileHandle>> {
        let file = OpenOptions::new()
            .read(true)
            .write(access == Access::Write)
            .open(path)?;
        Ok(Arc::new(SystemFile(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut paths = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        Ok(paths)
    }

    #[cfg(unix)]
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    #[cfg(not(unix))]
    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        // Folders cannot be opened there; the system journals names by itself.
        Ok(())
    }

    fn may_map(&self, dir: &Path) -> bool {
        allocates_really(dir)
    }

    fn identity(&self) -> Identity {
        process::current()
    }

    fn process_started(&self, pid: u32) -> Option<u64> {
        process::started(pid)
    }

    fn random(&self, bytes: &mut [u8]) -> io::Result<()> {
        getrandom::fill(bytes).map_err(io::Error::other)
    }
}

fn allocates_really(dir: &Path) -> bool {
    kind_of(dir) == Kind::Reserving
}

/// Whether a folder is on a file system where other machines may write too.
pub fn is_network(dir: &Path) -> bool {
    kind_of(dir) == Kind::Network
}

/// What a file system can be relied on for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its `fallocate` reserves what later writes need, and others see its pages at once.
    Reserving,
    /// Other machines may write too: neither locks nor pages are shared with them.
    Network,
    /// Those that copy on write, those not known: they get `write(2)`.
    Other,
}

#[cfg(target_os = "linux")]
fn kind_of(dir: &Path) -> Kind {
    // The field's type differs between architectures; the numbers have 32 bits.
    rustix::fs::statfs(dir).map_or(Kind::Other, |about| {
        kind_of_number(about.f_type as u64 & 0xFFFF_FFFF)
    })
}

/// Other systems do not say it in a way that is known here.
#[cfg(not(target_os = "linux"))]
fn kind_of(_dir: &Path) -> Kind {
    Kind::Other
}

/// By the number that Linux has for a file system.
#[cfg(target_os = "linux")]
fn kind_of_number(number: u64) -> Kind {
    /// Ext2 to 4, XFS, tmpfs, F2FS, overlay.
    const RESERVING: [u64; 5] = [0xEF53, 0x5846_5342, 0x0102_1994, 0xF2F5_2010, 0x794C_7630];
    /// NFS, SMB, CIFS, SMB2, AFS, Coda, Ceph, Lustre, GPFS, 9P.
    const NETWORK: [u64; 10] = [
        0x6969,
        0x517B,
        0xFF53_4D42,
        0xFE53_4D42,
        0x5346_414F,
        0x7375_7245,
        0x00C3_6400,
        0x0BD0_0BD0,
        0x4750_4653,
        0x0102_1997,
    ];
    if RESERVING.contains(&number) {
        Kind::Reserving
    } else if NETWORK.contains(&number) {
        Kind::Network
    } else {
        Kind::Other
    }
}

struct SystemFile(File);

impl FileHandle for SystemFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    #[cfg(unix)]
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(bytes, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.seek_read(bytes, offset)
    }

    #[cfg(unix)]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.0.write_at(bytes, offset)
    }

    #[cfg(windows)]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.0.seek_write(bytes, offset)
    }

    fn truncate(&self, size: u64) -> io::Result<()> {
        self.0.set_len(size)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    #[cfg(target_os = "linux")]
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        // The raw call: the C library's would emulate it with writes where it is missing.
        Ok(rustix::fs::fallocate(
            &self.0,
            rustix::fs::FallocateFlags::empty(),
            offset,
            len,
        )?)
    }

    #[cfg(not(target_os = "linux"))]
    fn allocate(&self, _offset: u64, _len: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn try_lock(&self) -> io::Result<bool> {
        taken(self.0.try_lock())
    }

    fn is_unlocked(&self) -> io::Result<bool> {
        let free = taken(self.0.try_lock_shared())?;
        if free {
            self.0.unlock()?;
        }
        Ok(free)
    }

    #[cfg(target_os = "linux")]
    fn share(&self, from: &File) -> io::Result<()> {
        Ok(rustix::fs::ioctl_ficlone(&self.0, from)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn share(&self, _from: &File) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[cfg(unix)]
    fn touch(&self) -> io::Result<()> {
        let now = rustix::fs::Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_NOW,
        };
        let times = rustix::fs::Timestamps {
            last_access: now,
            last_modification: now,
        };
        Ok(rustix::fs::futimens(&self.0, &times)?)
    }

    #[cfg(not(unix))]
    #[expect(
        clippy::disallowed_methods,
        reason = "the file system's own clock, as `futimens` takes it elsewhere"
    )]
    fn touch(&self) -> io::Result<()> {
        self.0.set_modified(std::time::SystemTime::now())
    }

    fn changed(&self) -> io::Result<i64> {
        let since = self.0.metadata()?.modified()?.duration_since(UNIX_EPOCH);
        // Times before 1970 count as long ago.
        let micros = since.map_or(0, |since| since.as_micros());
        Ok(i64::try_from(micros).unwrap_or(i64::MAX))
    }

    fn map(&self, offset: u64, len: u64) -> io::Result<Box<dyn Segment>> {
        let range = MmapOptions::new()
            .offset(offset)
            .len(len as usize)
            .map_raw(&self.0)?;
        #[cfg(target_os = "linux")]
        range.advise(memmap2::Advice::DontFork)?;
        Ok(Box::new(MappedRange(range)))
    }
}

fn taken(outcome: Result<(), TryLockError>) -> io::Result<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

struct MappedRange(MmapRaw);

impl Segment for MappedRange {
    #[expect(unsafe_code, reason = "copying into a mapped range")]
    fn store(&mut self, at: usize, frame: &[u8]) -> io::Result<()> {
        assert!(
            at.is_multiple_of(8) && frame.len() >= 4 && at + frame.len() <= self.0.len(),
            "a frame lies inside its range"
        );
        let (word, body) = frame.split_at(4);
        let word = u32::from_ne_bytes(word.try_into().expect("four bytes were split off"));
        // SAFETY: the assertion keeps both writes inside the mapping, which lives as long as `self`;
        // `at` and the mapping's start are multiples of 8, so the word is aligned. Nobody in this
        // process reads the range, and other processes read it through `read(2)`.
        unsafe {
            let start = self.0.as_mut_ptr().add(at);
            start
                .add(4)
                .copy_from_nonoverlapping(body.as_ptr(), body.len());
            fence(Ordering::Release);
            AtomicU32::from_ptr(start.cast()).store(word, Ordering::Release);
        }
        Ok(())
    }

    fn abandon(self: Box<Self>) {
        // Unmapping would hit whatever the child has mapped there since.
        std::mem::forget(self.0);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn file_systems_are_known_by_their_numbers() {
        let kinds = [0x6969, 0xFF53_4D42, 0xEF53, 0x9123_683E].map(kind_of_number);
        let expected = [Kind::Network, Kind::Network, Kind::Reserving, Kind::Other];
        assert_eq!(kinds, expected);
        assert!(!is_network(&std::env::temp_dir().join("not there")));
    }
}
