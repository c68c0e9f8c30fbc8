//! Finds every file below a folder.
//!
//! Invariant: links are followed and none of them leads round in a circle; a file has one path, with `/`
//! between its parts; what is neither file nor folder is an error, so that opening it cannot wait for ever.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::{DataError, MANIFEST};

/// Who named a path: the difference is in what is said when nothing is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The one who asks.
    Asked,
    /// A folder that has an entry of that name.
    Listed,
}

/// Is called with each file's path from the folder, and the file.
type Found<'a> = dyn FnMut(Vec<u8>, &Path) -> Result<(), DataError> + 'a;

/// Calls `found` with the path from `folder` and the file.
pub(super) fn files<'a>(folder: &Path, found: &'a mut Found<'a>) -> Result<(), DataError> {
    let mut walk = Walk {
        above: Vec::new(),
        found,
    };
    walk.folder(folder, &[])
}

/// What is at a path, through links: a file or a folder.
pub(super) fn look(path: &Path, whose: Whose) -> Result<Metadata, DataError> {
    let path_of = || path.to_owned();
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() || metadata.is_dir() => Ok(metadata),
        Ok(_other) => Err(DataError::Special { path: path_of() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let is_link = fs::symlink_metadata(path).is_ok();
            Err(if is_link || whose == Whose::Listed {
                DataError::Dangling { path: path_of() }
            } else {
                DataError::Missing { path: path_of() }
            })
        }
        // Too many links one after another are a circle of links.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            Err(DataError::Loop { path: path_of() })
        }
        Err(source) => Err(DataError::Unreadable {
            path: path_of(),
            source,
        }),
    }
}

struct Walk<'a> {
    /// The folders that the walk is in, by device and number.
    above: Vec<(u64, u64)>,
    found: &'a mut Found<'a>,
}

impl Walk<'_> {
    fn folder(&mut self, path: &Path, name: &[u8]) -> Result<(), DataError> {
        let unreadable = |source| DataError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let metadata = fs::metadata(path).map_err(unreadable)?;
        let identity = (metadata.dev(), metadata.ino());
        if self.above.contains(&identity) {
            let path = path.to_owned();
            return Err(DataError::Loop { path });
        }
        self.above.push(identity);
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            self.entry(&entry, name)?;
        }
        self.above.pop();
        Ok(())
    }

    fn entry(&mut self, entry: &fs::DirEntry, above: &[u8]) -> Result<(), DataError> {
        let (path, word) = (entry.path(), entry.file_name());
        if above.is_empty() && word == MANIFEST {
            return Ok(());
        }
        let mut name = above.to_vec();
        if !name.is_empty() {
            name.push(b'/');
        }
        name.extend_from_slice(word.as_bytes());
        if look(&path, Whose::Listed)?.is_dir() {
            self.folder(&path, &name)
        } else {
            (self.found)(name, &path)
        }
    }
}
