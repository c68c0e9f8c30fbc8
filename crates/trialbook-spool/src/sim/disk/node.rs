//! The bytes of one file, as processes see them and as the disk has them.
//!
//! Not here: names, chance. Invariant: a sector that is not dirty is on the disk as processes see it, unless a sync
//! of it has failed.

use std::collections::BTreeSet;

pub(super) const SECTOR: usize = 512;

/// One file.
#[derive(Default)]
pub(in crate::sim) struct Node {
    pub(super) cache: Vec<u8>,
    /// Sectors that the disk may lack.
    pub(super) dirty: BTreeSet<usize>,
    pub(super) disk: Vec<u8>,
    pub(super) disk_size: usize,
    pub(super) lock: Option<(u32, u64)>,
    pub(super) changed: i64,
}

impl Node {
    pub(in crate::sim) const fn changed(&self) -> i64 {
        self.changed
    }

    pub(in crate::sim) fn size(&self) -> u64 {
        self.cache.len() as u64
    }

    pub(in crate::sim) fn is_unlocked(&self) -> bool {
        self.lock.is_none()
    }

    pub(in crate::sim) fn read(&self, bytes: &mut [u8], offset: u64) -> usize {
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(self.cache.len());
        let len = bytes.len().min(self.cache.len() - start);
        bytes[..len].copy_from_slice(&self.cache[start..start + len]);
        len
    }

    pub(in crate::sim) fn write(&mut self, bytes: &[u8], offset: u64) {
        if bytes.is_empty() {
            return;
        }
        let start = offset as usize;
        let end = start + bytes.len();
        if end > self.cache.len() {
            grow(&mut self.cache, end);
        }
        self.cache[start..end].copy_from_slice(bytes);
        self.dirty.extend(start / SECTOR..end.div_ceil(SECTOR));
    }

    pub(in crate::sim) fn truncate(&mut self, size: u64) {
        let size = size as usize;
        let old = self.cache.len();
        self.cache.truncate(size);
        grow(&mut self.cache, size);
        if size < old {
            // What is cut off counts as written with zeros, in case the file grows again.
            self.dirty.extend(size / SECTOR..old.div_ceil(SECTOR));
        }
    }

    pub(in crate::sim) fn sync(&mut self) {
        for sector in std::mem::take(&mut self.dirty) {
            self.write_back(sector, None);
        }
        self.disk_size = self.cache.len();
    }

    /// Puts a sector on the disk, or its first bytes only.
    pub(super) fn write_back(&mut self, sector: usize, torn: Option<usize>) {
        let start = sector * SECTOR;
        let len = torn.unwrap_or(SECTOR);
        if self.disk.len() < start + SECTOR {
            grow(&mut self.disk, start + SECTOR);
        }
        let cached = self.cache.get(start..).unwrap_or(&[]);
        let there = cached.len().min(len);
        self.disk[start..start + len].fill(0);
        self.disk[start..start + there].copy_from_slice(&cached[..there]);
    }
}

/// Lengthens with zeros.
pub(super) fn grow(bytes: &mut Vec<u8>, len: usize) {
    let more = len.saturating_sub(bytes.len());
    bytes.extend_from_slice(&vec![0; more]);
}
