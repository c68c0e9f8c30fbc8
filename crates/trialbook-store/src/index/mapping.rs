//! A file mapped for reading: the one place of the index that needs `unsafe`.
//!
//! Not here: what the bytes mean. Invariant: only snapshots are mapped. They are written beside their place,
//! synced and renamed into it, and never changed or cut afterwards, so the bytes behind a mapping stay.

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::Mmap;

/// A mapped file.
#[derive(Debug)]
pub(super) struct Mapped(Mmap);

impl Mapped {
    /// Maps a file.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        #[expect(
            unsafe_code,
            reason = "a mapping costs only the pages that a search touches"
        )]
        // SAFETY: a snapshot's file is never written to or cut after it got its name (`SnapshotFile::finish`
        // renames a whole, synced file), and it is unlinked at most, which keeps the bytes of a mapping.
        // Whatever the bytes are, they are only ever read as bytes.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Self(map))
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
