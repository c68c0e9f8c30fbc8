//! Taking artifacts out of a book: bytes to a file of the user's, checked on the way.
//!
//! Not here: which artifacts are meant. Invariant: a file has its name only when all its bytes are there and
//! are those that were put; a different file is replaced only where that was asked for.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::artifacts::{Artifacts, hex, read_some};
use crate::error::BookError;

/// Bytes read at once.
const PIECE: usize = 1 << 20;

/// What stands where an artifact is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Nothing,
    /// The same bytes.
    Same,
    /// Something else.
    Other,
}

impl Artifacts {
    /// What stands at a path, held against the bytes of a sum.
    pub fn standing(sha256: &str, at: &Path) -> Result<Standing, BookError> {
        match fs::symlink_metadata(at) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Standing::Nothing),
            Err(error) => Err(BookError::io("open", at)(error)),
            Ok(about) if !about.is_file() => Ok(Standing::Other),
            Ok(_) => {
                let mut file = File::open(at).map_err(BookError::io("open", at))?;
                let found = copied(&mut file, at, (&mut io::sink(), at))?;
                Ok(if found == sha256 {
                    Standing::Same
                } else {
                    Standing::Other
                })
            }
        }
    }

    /// Writes the bytes of a sum to a file, in the place of one that is there. Folders on the way are made.
    pub fn fetch(&self, sha256: &str, to: &Path) -> Result<(), BookError> {
        let mut source = self.get(sha256)?;
        let folder = match to.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            Some(_) | None => Path::new("."),
        };
        fs::create_dir_all(folder).map_err(BookError::io("make", folder))?;
        let draft = Draft::beside(to)?;
        let mut file = File::create_new(&draft.path).map_err(BookError::io("make", &draft.path))?;
        let found = copied(&mut source, &self.path_of(sha256), (&mut file, &draft.path))?;
        if found != sha256 {
            let sha256 = sha256.to_owned();
            return Err(BookError::ArtifactChanged { sha256, found });
        }
        file.sync_all()
            .map_err(BookError::io("sync", &draft.path))?;
        fs::rename(&draft.path, to).map_err(BookError::io("rename", &draft.path))
    }
}

/// Copies all bytes and gives their SHA-256.
fn copied(
    from: &mut dyn Read,
    source: &Path,
    (to, target): (&mut dyn io::Write, &Path),
) -> Result<String, BookError> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    while let some @ 1.. = read_some(from, &mut piece).map_err(BookError::io("read", source))? {
        hash.update(&piece[..some]);
        to.write_all(&piece[..some])
            .map_err(BookError::io("write", target))?;
    }
    Ok(hex(&hash.finalize()))
}

/// A file that is being written; removed unless it got its name.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn beside(to: &Path) -> Result<Self, BookError> {
        let mut salt = [0; 8];
        getrandom::fill(&mut salt)
            .map_err(|error| BookError::io("name a file beside", to)(io::Error::other(error)))?;
        let mut name = to.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.tmp", hex(&salt)));
        Ok(Self {
            path: to.with_file_name(name),
        })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It has another name when all went well.
        fs::remove_file(&self.path).ok();
    }
}

#[cfg(test)]
mod tests {
    use trialbook_spool::SystemFiles;

    use super::*;

    #[test]
    fn bytes_come_out_checked_and_damage_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::new(SystemFiles::shared(), folder.path().join("artifacts"));
        let sum = artifacts.put(&mut &b"weights"[..]).unwrap();
        let to = folder.path().join("out/deep/model.pt");
        assert_eq!(
            Artifacts::standing(&sum.sha256, &to).unwrap(),
            Standing::Nothing
        );
        artifacts.fetch(&sum.sha256, &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"weights");
        assert_eq!(
            Artifacts::standing(&sum.sha256, &to).unwrap(),
            Standing::Same
        );
        fs::write(&to, "mine").unwrap();
        assert_eq!(
            Artifacts::standing(&sum.sha256, &to).unwrap(),
            Standing::Other
        );
        fs::write(artifacts.path_of(&sum.sha256), "rotten").unwrap();
        assert!(matches!(
            artifacts.fetch(&sum.sha256, &to),
            Err(BookError::ArtifactChanged { .. })
        ));
        assert_eq!(fs::read(&to).unwrap(), b"mine");
        let left = fs::read_dir(to.parent().unwrap()).unwrap().count();
        assert_eq!(left, 1, "no draft is left");
    }
}
