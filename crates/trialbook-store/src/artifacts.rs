//! Content-addressed files: bytes under the SHA-256 of themselves, each kept once.
//!
//! `artifacts/ab/abcdef…` beside the database. Not here: which run a file belongs to (records say so).
//! Invariant: a file has its name only when all its bytes are on the disk. What happened to them since,
//! [`Artifacts::verify`] finds out; [`Artifacts::get`] does not read them.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::BookError;

/// Bytes that were put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactSum {
    /// 64 hex digits.
    pub sha256: String,
    /// How many bytes.
    pub size: u64,
}

/// The artifact folder of a book.
#[derive(Debug, Clone)]
pub struct Artifacts {
    root: PathBuf,
}

impl Artifacts {
    /// The artifacts in a folder, which need not exist yet.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where the bytes of a sum are, whether they are there or not.
    pub fn path_of(&self, sha256: &str) -> PathBuf {
        let shelf: String = sha256.chars().take(2).collect();
        self.root.join(shelf).join(sha256)
    }

    /// Whether the bytes are there.
    pub fn contains(&self, sha256: &str) -> bool {
        is_sum(sha256) && self.path_of(sha256).is_file()
    }

    /// Keeps all bytes of a reader.
    pub fn put(&self, from: &mut dyn Read) -> Result<ArtifactSum, BookError> {
        let (draft, mut file) = Draft::make(&self.root)?;
        let mut hashing = Hashing {
            inner: from,
            hash: Sha256::new(),
            size: 0,
        };
        io::copy(&mut hashing, &mut file).map_err(BookError::io("write", &draft.path))?;
        let sum = hashing.sum();
        self.keep(&draft, &file, sum)
    }

    /// Keeps a file's bytes, sharing its blocks where the file system can clone them.
    pub fn put_file(&self, from: &Path) -> Result<ArtifactSum, BookError> {
        let mut source = File::open(from).map_err(BookError::io("open", from))?;
        let (draft, file) = Draft::make(&self.root)?;
        if rustix::fs::ioctl_ficlone(&file, &source).is_err() {
            return self.put(&mut source);
        }
        // The clone is hashed, not the source: the source may change meanwhile.
        let sum = sum_of(&file, &draft.path)?;
        self.keep(&draft, &file, sum)
    }

    fn keep(&self, draft: &Draft, file: &File, sum: ArtifactSum) -> Result<ArtifactSum, BookError> {
        let target = self.path_of(&sum.sha256);
        let shelf = target.parent().unwrap_or(self.root.as_path());
        make_dir_durably(shelf)?;
        // Bytes that have changed since they were put are replaced by those that are right.
        if self.verify(&sum.sha256).is_err() {
            file.sync_all()
                .map_err(BookError::io("sync", &draft.path))?;
            fs::rename(&draft.path, &target).map_err(BookError::io("rename", &draft.path))?;
        }
        // Bytes that were there are young again: the record that speaks of them is still to come.
        let now = rustix::fs::Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_NOW,
        };
        let times = rustix::fs::Timestamps {
            last_access: now,
            last_modification: now,
        };
        File::open(&target)
            .and_then(|there| Ok(rustix::fs::futimens(there, &times)?))
            .map_err(BookError::io("touch", &target))?;
        // Also where it was there: whoever put it may not have come as far.
        for folder in [Some(shelf), Some(self.root.as_path()), self.root.parent()] {
            folder.map_or(Ok(()), sync_dir)?;
        }
        Ok(sum)
    }

    /// Removes drafts of processes that were killed; what hinders it is met again by the next one.
    pub(crate) fn clean(&self) {
        for name in names(&self.root).unwrap_or_default() {
            let path = self.root.join(&name);
            if Path::new(&name)
                .extension()
                .is_some_and(|ending| ending == "tmp")
                && let Ok(file) = File::open(&path)
                && file.try_lock().is_ok()
            {
                fs::remove_file(&path).ok();
            }
        }
    }

    /// Opens the bytes of a sum; [`Artifacts::verify`] tells whether they are still the same.
    pub fn get(&self, sha256: &str) -> Result<File, BookError> {
        let missing = || BookError::ArtifactMissing {
            sha256: sha256.to_owned(),
        };
        if !is_sum(sha256) {
            return Err(missing());
        }
        let path = self.path_of(sha256);
        match File::open(&path) {
            Ok(file) => Ok(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing()),
            Err(error) => Err(BookError::io("open", path)(error)),
        }
    }

    /// Reads all bytes of a sum and fails where they are not those that were put.
    pub fn verify(&self, sha256: &str) -> Result<ArtifactSum, BookError> {
        let file = self.get(sha256)?;
        let sum = sum_of(&file, &self.path_of(sha256))?;
        if sum.sha256 == sha256 {
            Ok(sum)
        } else {
            Err(BookError::ArtifactChanged {
                sha256: sha256.to_owned(),
                found: sum.sha256,
            })
        }
    }

    /// The sums of all files that are kept, in order.
    pub fn list(&self) -> Result<Vec<String>, BookError> {
        let mut sums = Vec::new();
        for shelf in names(&self.root)? {
            if shelf.len() == 2 {
                sums.extend(
                    names(&self.root.join(shelf))?
                        .into_iter()
                        .filter(|name| is_sum(name)),
                );
            }
        }
        sums.sort();
        Ok(sums)
    }
}

/// A file being written; removed when it was not kept.
struct Draft {
    path: PathBuf,
}

impl Draft {
    /// Makes a file, locked: as long as it is open, it is no leftover.
    fn make(root: &Path) -> Result<(Self, File), BookError> {
        make_dir_durably(root)?;
        loop {
            let mut name = [0; 16];
            getrandom::fill(&mut name)
                .map_err(|error| BookError::io("name a file in", root)(io::Error::other(error)))?;
            let name = format!("{}.tmp", trialbook_model::id::Uid(name));
            let draft = Self {
                path: root.join(name),
            };
            let file = File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&draft.path)
                .map_err(BookError::io("make", &draft.path))?;
            // Who removes leftovers may have met it before its lock. Where there are no locks, nobody gets
            // one to remove it either.
            let held = !matches!(file.try_lock(), Err(TryLockError::WouldBlock));
            if held && draft.path.exists() {
                return Ok((draft, file));
            }
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It has another name when it was kept; what cannot be removed is a `.tmp` that nobody reads.
        fs::remove_file(&self.path).ok();
    }
}

struct Hashing<'a> {
    inner: &'a mut dyn Read,
    hash: Sha256,
    size: u64,
}

impl Hashing<'_> {
    fn sum(self) -> ArtifactSum {
        let digest = self.hash.finalize();
        ArtifactSum {
            sha256: hex(&digest),
            size: self.size,
        }
    }
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let some = self.inner.read(buffer)?;
        self.hash.update(&buffer[..some]);
        self.size += some as u64;
        Ok(some)
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

fn sum_of(mut file: &File, path: &Path) -> Result<ArtifactSum, BookError> {
    let mut hashing = Hashing {
        inner: &mut file,
        hash: Sha256::new(),
        size: 0,
    };
    io::copy(&mut hashing, &mut io::sink()).map_err(BookError::io("read", path))?;
    Ok(hashing.sum())
}

fn is_sum(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn names(dir: &Path) -> Result<Vec<String>, BookError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(BookError::io("list", dir)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(BookError::io("list", dir))?;
        names.extend(entry.file_name().into_string().ok());
    }
    Ok(names)
}

/// Makes a folder that only its owner may enter.
pub(crate) fn make_dir(dir: &Path) -> Result<(), BookError> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(BookError::io("make", dir))
}

/// Makes a folder whose name survives a power cut, with those above it that are new.
pub(crate) fn make_dir_durably(dir: &Path) -> Result<(), BookError> {
    let new = dir.ancestors().take_while(|folder| !folder.is_dir());
    let new = new.filter(|folder| !folder.as_os_str().is_empty());
    let new: Vec<&Path> = new.collect();
    make_dir(dir)?;
    for folder in new {
        let above = folder.parent().unwrap_or(folder);
        let here = above.as_os_str().is_empty();
        sync_dir(if here { Path::new(".") } else { above })?;
    }
    Ok(())
}

/// Makes the names in a folder survive a power cut.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), BookError> {
    File::open(dir)
        .and_then(|file| file.sync_all())
        .map_err(BookError::io("sync", dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bytes_are_kept_once_and_a_changed_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::new(folder.path().join("artifacts"));
        let one = artifacts.put(&mut &b"abc"[..]).unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"abc").unwrap();
        assert_eq!(artifacts.put_file(&file).unwrap(), one);
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((one.sha256.as_str(), one.size), (sha256, 3));
        assert_eq!(artifacts.list().unwrap(), [sha256]);
        let drafts = names(&folder.path().join("artifacts")).unwrap();
        assert_eq!(drafts, ["ba"]);
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
        let artifacts = Artifacts::new(folder.path().join("artifacts"));
        let (killed, file) = Draft::make(&artifacts.root).unwrap();
        drop(file);
        let (live, _file) = Draft::make(&artifacts.root).unwrap();
        artifacts.clean();
        assert_eq!([killed.path.exists(), live.path.exists()], [false, true]);
    }
}
