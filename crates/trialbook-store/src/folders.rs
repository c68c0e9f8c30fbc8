//! The folders of a book: made and synced with errors that name them.
//!
//! Not here: what stands in them. Invariant: a folder that was made survives a power cut.

use std::path::Path;

use trialbook_spool::Files;
use trialbook_spool::files::make_dir_durably;

use crate::error::BookError;

/// Makes a folder that only its owner may enter, with those above it that are missing.
pub(crate) fn make_dir(files: &dyn Files, dir: &Path) -> Result<(), BookError> {
    make_dir_durably(files, dir).map_err(BookError::io("make", dir))
}

/// Makes the names in a folder survive a power cut.
pub(crate) fn sync_dir(files: &dyn Files, dir: &Path) -> Result<(), BookError> {
    files.sync_dir(dir).map_err(BookError::io("sync", dir))
}
