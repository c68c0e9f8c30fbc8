//! Content-addressed files: bytes under the SHA-256 of themselves, each kept once.
//!
//! `artifacts/ab/abcdef…` beside the database. Not here: which run a file belongs to (records say so).
//! Invariant: a file has its name only when all its bytes are on the disk. What happened to them since,
//! [`Artifacts::verify`] finds out; [`Artifacts::get`] does not read them.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use trialbook_model::time::Timestamp;
use trialbook_spool::files::{sync_through, write_all};
use trialbook_spool::{Access, FileHandle, Files};

use crate::error::BookError;
use crate::folders::{make_dir, sync_dir};

/// Bytes read at once.
const PIECE: usize = 1 << 16;

/// Bytes that were put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactSum {
    /// 64 hex digits.
    pub sha256: String,
    /// How many bytes.
    pub size: u64,
}

/// The artifact folder of a book.
#[derive(Clone)]
pub struct Artifacts {
    files: Arc<dyn Files>,
    root: PathBuf,
}

impl fmt::Debug for Artifacts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Artifacts").field(&self.root).finish()
    }
}

impl Artifacts {
    /// The artifacts in a folder, which need not exist yet.
    pub(crate) fn new(files: Arc<dyn Files>, root: PathBuf) -> Self {
        Self { files, root }
    }

    /// The artifacts in a folder that belongs to no book, such as an outbox.
    pub fn of_folder(root: &Path) -> Self {
        Self::new(trialbook_spool::SystemFiles::shared(), root.to_owned())
    }

    /// Where the bytes of a sum are, whether they are there or not.
    pub fn path_of(&self, sha256: &str) -> PathBuf {
        let shelf: String = sha256.chars().take(2).collect();
        self.root.join(shelf).join(sha256)
    }

    /// Whether the bytes are there.
    pub fn contains(&self, sha256: &str) -> bool {
        self.get(sha256).is_ok()
    }

    /// Keeps all bytes of a reader. When it returns they survive a power cut.
    pub fn put(&self, from: &mut dyn Read) -> Result<ArtifactSum, BookError> {
        let draft = Draft::make(self)?;
        let mut piece = vec![0; PIECE];
        let mut hashing = Hashing::default();
        while let some @ 1.. = read_some(from, &mut piece).map_err(draft.error("write"))? {
            write_all(draft.file.as_ref(), &piece[..some], hashing.size)
                .map_err(draft.error("write"))?;
            hashing.add(&piece[..some]);
        }
        self.keep(&draft, hashing.sum())
    }

    /// Keeps a file's bytes, sharing its blocks where the file system can clone them.
    pub fn put_file(&self, from: &Path) -> Result<ArtifactSum, BookError> {
        let mut source = File::open(from).map_err(BookError::io("open", from))?;
        let draft = Draft::make(self)?;
        if draft.file.share(&source).is_err() {
            return self.put(&mut source);
        }
        // The clone is hashed, not the source: the source may change meanwhile.
        let mut clone = ArtifactReader::new(Arc::clone(&draft.file));
        let sum = sum_of(&mut clone, &draft.path)?;
        self.keep(&draft, sum)
    }

    fn keep(&self, draft: &Draft<'_>, sum: ArtifactSum) -> Result<ArtifactSum, BookError> {
        let files = self.files.as_ref();
        let target = self.path_of(&sum.sha256);
        let shelf = target.parent().unwrap_or(self.root.as_path());
        make_dir(files, shelf)?;
        // Bytes that have changed since they were put are replaced by those that are right.
        if self.verify(&sum.sha256).is_err() {
            sync_through(draft.file.as_ref()).map_err(draft.error("sync"))?;
            files
                .rename(&draft.path, &target)
                .map_err(draft.error("rename"))?;
        }
        // Bytes that were there are young again: the record that speaks of them is still to come.
        files
            .open(&target, Access::Read)
            .and_then(|there| there.touch())
            .map_err(BookError::io("touch", &target))?;
        // Also where it was there: whoever put it may not have come as far.
        for folder in [Some(shelf), Some(self.root.as_path()), self.root.parent()] {
            folder.map_or(Ok(()), |folder| sync_dir(files, folder))?;
        }
        Ok(sum)
    }

    /// Removes drafts of processes that were killed; what hinders it is met again by the next one.
    pub(crate) fn clean(&self) {
        for path in self.files.list(&self.root).unwrap_or_default() {
            if path.extension().is_some_and(|ending| ending == "tmp")
                && let Ok(file) = self.files.open(&path, Access::Read)
                && file.try_lock().unwrap_or(false)
            {
                self.files.unlink(&path).ok();
            }
        }
    }

    /// Opens the bytes of a sum; [`Artifacts::verify`] tells whether they are still the same.
    pub fn get(&self, sha256: &str) -> Result<ArtifactReader, BookError> {
        let found = self.find(sha256)?;
        found
            .map(ArtifactReader::new)
            .ok_or_else(|| BookError::ArtifactMissing {
                sha256: sha256.to_owned(),
            })
    }

    fn find(&self, sha256: &str) -> Result<Option<Arc<dyn FileHandle>>, BookError> {
        if !is_sum(sha256) {
            return Ok(None);
        }
        let path = self.path_of(sha256);
        match self.files.open(&path, Access::Read) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BookError::io("open", path)(error)),
        }
    }

    /// Reads all bytes of a sum and fails where they are not those that were put.
    pub fn verify(&self, sha256: &str) -> Result<ArtifactSum, BookError> {
        let sum = sum_of(&mut self.get(sha256)?, &self.path_of(sha256))?;
        if sum.sha256 == sha256 {
            Ok(sum)
        } else {
            Err(BookError::ArtifactChanged {
                sha256: sha256.to_owned(),
                found: sum.sha256,
            })
        }
    }

    /// When bytes were put last, and how many they are; `None` where they are gone.
    pub(crate) fn age(&self, sha256: &str) -> Result<Option<(Timestamp, u64)>, BookError> {
        let Some(file) = self.find(sha256)? else {
            return Ok(None);
        };
        let looked = file
            .changed()
            .and_then(|put| Ok((Timestamp(put), file.size()?)));
        let looking = BookError::io("open", self.path_of(sha256));
        Ok(Some(looked.map_err(looking)?))
    }

    /// Removes the bytes of a sum.
    pub(crate) fn remove(&self, sha256: &str) -> Result<(), BookError> {
        let path = self.path_of(sha256);
        self.files
            .unlink(&path)
            .map_err(BookError::io("remove", path))
    }

    /// The sums of all files that are kept, in order.
    pub fn list(&self) -> Result<Vec<String>, BookError> {
        let mut sums = Vec::new();
        for (shelf, name) in self.named(&self.root)? {
            if name.len() == 2 {
                let files = self.named(&shelf)?.into_iter();
                sums.extend(files.map(|(_, name)| name).filter(|name| is_sum(name)));
            }
        }
        sums.sort();
        Ok(sums)
    }

    /// What stands in a folder, with its names.
    fn named(&self, dir: &Path) -> Result<Vec<(PathBuf, String)>, BookError> {
        let paths = self.files.list(dir).map_err(BookError::io("list", dir))?;
        let named = paths.into_iter().filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            Some((path, name))
        });
        Ok(named.collect())
    }
}

/// The bytes of an artifact, from their beginning on.
pub struct ArtifactReader {
    file: Arc<dyn FileHandle>,
    at: u64,
}

impl ArtifactReader {
    fn new(file: Arc<dyn FileHandle>) -> Self {
        Self { file, at: 0 }
    }

    /// How many bytes there are.
    pub fn size(&self) -> io::Result<u64> {
        self.file.size()
    }

    /// Reads on from a place.
    #[must_use]
    pub fn starting_at(self, at: u64) -> Self {
        Self { at, ..self }
    }
}

impl Read for ArtifactReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let some = self.file.read_at(buffer, self.at)?;
        self.at += some as u64;
        Ok(some)
    }
}

/// A file being written; removed when it was not kept.
struct Draft<'a> {
    files: &'a dyn Files,
    file: Arc<dyn FileHandle>,
    path: PathBuf,
}

impl<'a> Draft<'a> {
    /// Makes a file, locked: as long as it is open, it is no leftover.
    fn make(artifacts: &'a Artifacts) -> Result<Self, BookError> {
        let (files, root) = (artifacts.files.as_ref(), &artifacts.root);
        make_dir(files, root)?;
        loop {
            let mut name = [0; 16];
            files
                .random(&mut name)
                .map_err(BookError::io("name a file in", root))?;
            let name = format!("{}.tmp", trialbook_model::id::Uid(name));
            let path = root.join(name);
            let file = files
                .create_new(&path)
                .map_err(BookError::io("make", &path))?;
            let draft = Self { files, file, path };
            // Who removes leftovers may have met it before its lock. Where there are no locks, nobody gets
            // one to remove it either.
            let held = draft.file.try_lock().unwrap_or(true);
            if held && files.open(&draft.path, Access::Read).is_ok() {
                return Ok(draft);
            }
        }
    }

    fn error(&self, doing: &'static str) -> impl FnOnce(io::Error) -> BookError {
        BookError::io(doing, &self.path)
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        // It has another name when it was kept; what cannot be removed is a `.tmp` that nobody reads.
        self.files.unlink(&self.path).ok();
    }
}

/// Bytes that were counted and summed up.
#[derive(Default)]
struct Hashing {
    hash: Sha256,
    size: u64,
}

impl Hashing {
    fn add(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
    }

    fn sum(self) -> ArtifactSum {
        let digest = self.hash.finalize();
        ArtifactSum {
            sha256: hex(&digest),
            size: self.size,
        }
    }
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
        text
    })
}

fn sum_of(from: &mut dyn Read, path: &Path) -> Result<ArtifactSum, BookError> {
    let mut piece = vec![0; PIECE];
    let mut hashing = Hashing::default();
    while let some @ 1.. = read_some(from, &mut piece).map_err(BookError::io("read", path))? {
        hashing.add(&piece[..some]);
    }
    Ok(hashing.sum())
}

/// Reads what there is, again when a signal came in between; 0 is the end.
pub(crate) fn read_some(from: &mut dyn Read, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

fn is_sum(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use trialbook_spool::SystemFiles;

    use super::*;

    #[test]
    fn equal_bytes_are_kept_once_and_a_changed_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::new(SystemFiles::shared(), folder.path().join("artifacts"));
        let one = artifacts.put(&mut &b"abc"[..]).unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"abc").unwrap();
        assert_eq!(artifacts.put_file(&file).unwrap(), one);
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((one.sha256.as_str(), one.size), (sha256, 3));
        assert_eq!(artifacts.list().unwrap(), [sha256]);
        let shelves = fs::read_dir(folder.path().join("artifacts")).unwrap();
        assert_eq!(shelves.count(), 1, "no draft is left");
        assert_eq!(artifacts.verify(sha256).unwrap(), one);
        fs::write(artifacts.path_of(sha256), b"abd").unwrap();
        assert!(matches!(
            artifacts.verify(sha256),
            Err(BookError::ArtifactChanged { .. })
        ));
        artifacts.put_file(&file).unwrap();
        assert_eq!(artifacts.verify(sha256).unwrap(), one, "healed");
        assert!(matches!(
            artifacts.get("../../etc/passwd"),
            Err(BookError::ArtifactMissing { .. })
        ));
    }

    #[test]
    fn drafts_of_killed_puts_are_removed_and_others_left() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::new(SystemFiles::shared(), folder.path().join("artifacts"));
        let killed = artifacts.root.join("killed.tmp");
        make_dir(&SystemFiles, &artifacts.root).unwrap();
        fs::write(&killed, "half").unwrap();
        let live = Draft::make(&artifacts).unwrap();
        artifacts.clean();
        assert_eq!([killed.exists(), live.path.exists()], [false, true]);
    }
}
