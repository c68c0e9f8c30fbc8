//! Space in the database's file that holds nothing any more.
//!
//! Not here: when it is worth giving back. Invariant: only the holder of the lease writes the file anew.

use super::{SqliteBackend, open};
use crate::backend::{Backend as _, Settle};
use crate::error::BookError;

impl SqliteBackend {
    /// Bytes of its file that hold nothing.
    pub(crate) fn free_bytes(&self) -> Result<u64, BookError> {
        let connection = self.reader()?.connection;
        let ask = |what: &str| -> rusqlite::Result<u64> {
            let number = connection.query_row(&format!("PRAGMA {what}"), [], |row| row.get(0));
            number.map(|number: i64| number as u64)
        };
        let free = || Ok(ask("freelist_count")? * ask("page_size")?);
        free().map_err(BookError::database("read"))
    }

    /// Writes the file anew without what is free in it; gives by how many bytes it is shorter. Only for the
    /// holder of the lease.
    pub(crate) fn vacuum(&self) -> Result<u64, BookError> {
        let free = self.free_bytes()?;
        let writing = BookError::database("write to");
        open::writer(&self.path)?
            .execute_batch("VACUUM")
            .map_err(writing)?;
        self.settle(Settle::Whole)?;
        Ok(free.saturating_sub(self.free_bytes()?))
    }
}
