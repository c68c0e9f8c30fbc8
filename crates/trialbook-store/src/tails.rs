//! The spools of a book: their unsealed tails as operations.

use std::path::Path;

use trialbook_model::record::Signed;
use trialbook_spool::{Files, SpoolError, SpoolReader, list};

use crate::error::BookError;

/// All operations of all spools in a folder.
pub(crate) fn all_operations(files: &dyn Files, folder: &Path) -> Result<Vec<Signed>, BookError> {
    let mut operations = Vec::new();
    for spool in list(files, folder)? {
        if spool.header.is_none() {
            continue;
        }
        let mut reader = match SpoolReader::open(files, &spool.path, spool.past) {
            Ok(reader) => reader,
            Err(SpoolError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let actor = reader.header().map(|header| header.actor.clone());
        let actor = actor.filter(|actor| !actor.is_empty());
        reader.read_all(|frame, state| {
            if let Ok(mut signed) = frame.to_signed(state) {
                if signed.actor.is_none() {
                    signed.actor.clone_from(&actor);
                }
                operations.push(signed);
            }
        })?;
    }
    Ok(operations)
}
