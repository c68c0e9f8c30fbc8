//! The only door to the file system: what spools and the sealer's file handling need of it.
//!
//! [`SystemFiles`] is the real one; [`crate::sim::SimFiles`] loses, tears and reorders what was not
//! synced, from a seed. Not here: what the bytes mean.
//! Invariant: code behind this door decides nothing; it does one thing, or says why it could not.

mod process;
mod system;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use system::{SystemFiles, is_network};

/// What an opened file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only reading.
    Read,
    /// Reading and writing.
    Write,
}

/// Who is writing: what tells one process from every other one, as far as the system can say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The machine's name.
    pub host: String,
    /// Identity of this start of the system; empty where unknown.
    pub boot: String,
    /// Process number inside its namespace.
    pub pid: u32,
    /// Identity of the process-number namespace; 0 where unknown.
    pub pid_namespace: u64,
    /// When the process started, in the system's own ticks; 0 where unknown.
    pub started: u64,
}

/// Folders and files.
pub trait Files: Send + Sync {
    /// Makes a folder that only its owner may enter, in one that exists; false where it is there already.
    fn make_dir(&self, dir: &Path) -> io::Result<bool>;
    /// Removes an empty folder.
    fn remove_dir(&self, dir: &Path) -> io::Result<()>;
    /// Makes a file that must not exist, for writing.
    fn create_new(&self, path: &Path) -> io::Result<Arc<dyn FileHandle>>;
    /// Opens a file that exists.
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn FileHandle>>;
    /// Renames a file; one that has the new name is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn unlink(&self, path: &Path) -> io::Result<()>;
    /// The files and folders in a folder in the order of their names; a folder that does not exist has none.
    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>>;
    /// Makes names given, changed and removed in a folder survive a power cut.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Whether files of this folder may be mapped: the file system is local, and space that was
    /// allocated is really there.
    fn may_map(&self, dir: &Path) -> bool;
    /// Who the present process is.
    fn identity(&self) -> Identity;
    /// When the process `pid` of the present namespace started, if there is one.
    fn process_started(&self, pid: u32) -> Option<u64>;
    /// Fills `bytes` with random bytes.
    fn random(&self, bytes: &mut [u8]) -> io::Result<()>;
}

/// One open file. Closing it is dropping it, which also gives up its lock.
pub trait FileHandle: Send + Sync {
    /// Its length.
    fn size(&self) -> io::Result<u64>;
    /// Reads at `offset`; fewer bytes than asked for is no error, 0 is the end.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes at `offset` in one call; may write fewer bytes than given.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Cuts or extends it to `size`.
    fn truncate(&self, size: u64) -> io::Result<()>;
    /// Makes bytes and length survive a power cut.
    fn sync(&self) -> io::Result<()>;
    /// Gives real space to a range, which extends the file if need be; the new bytes are zero.
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()>;
    /// Takes the file for this handle alone; false when somebody else holds it.
    fn try_lock(&self) -> io::Result<bool>;
    /// Whether nobody holds the file for himself alone (asked without taking it from anybody).
    fn is_unlocked(&self) -> io::Result<bool>;
    /// Shares the blocks of another file, so that both have the same bytes, where the system can do that.
    fn share(&self, from: &File) -> io::Result<()>;
    /// Lets it count as changed just now.
    fn touch(&self) -> io::Result<()>;
    /// When it was changed, in microseconds since 1970.
    fn changed(&self) -> io::Result<i64>;
    /// Maps an allocated range; `offset` is a multiple of [`PAGE`].
    fn map(&self, offset: u64, len: u64) -> io::Result<Box<dyn Segment>>;
}

/// A mapped range of a file.
pub trait Segment: Send {
    /// Copies `frame` to `at` inside the range: all but its first four bytes first, those last and in
    /// release order, so that others see a whole frame or a zero word. `at` is a multiple of 8 and the
    /// frame fits; anything else is a bug of the caller.
    fn store(&mut self, at: usize, frame: &[u8]) -> io::Result<()>;
    /// Forgets the range without touching it: after a fork it is not there any more.
    fn abandon(self: Box<Self>);
}

/// What offsets of mapped ranges are multiples of; no supported system has larger pages.
pub const PAGE: u64 = 65_536;

/// Makes a folder, with those above it that are missing. The names of all that are new survive a power cut.
pub fn make_dir_durably(files: &dyn Files, dir: &Path) -> io::Result<()> {
    if dir.as_os_str().is_empty() {
        return Ok(());
    }
    let made = match files.make_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_dir_durably(files, above(dir))?;
            files.make_dir(dir)
        }
        made => made,
    };
    if made? {
        files.sync_dir(above(dir))?;
    }
    Ok(())
}

/// The folder that a file or a folder is in.
pub fn above(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        // Nothing is above the root.
        None => path,
    }
}

/// Fills `bytes` from `offset` on, fewer only where the file ends; gives how many.
pub(crate) fn read_full(file: &dyn FileHandle, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < bytes.len() {
        match file.read_at(&mut bytes[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(some) => done += some,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Syncs, again when a signal came in between.
pub fn sync_through(file: &dyn FileHandle) -> io::Result<()> {
    loop {
        match file.sync() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// Writes all of `bytes` at `offset`, going on after signals and short writes that made progress.
pub fn write_all(file: &dyn FileHandle, bytes: &[u8], offset: u64) -> io::Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        match file.write_at(&bytes[done..], offset + done as u64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(some) => done += some,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
