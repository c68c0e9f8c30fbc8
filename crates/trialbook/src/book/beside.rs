//! What is held or looked at beside a book that is open: a turn in giving names, the snapshots for another thread.
//!
//! Invariant: nothing here writes.

use std::path::PathBuf;

use trialbook_client::Server;
use trialbook_runner::lease;
use trialbook_store::reading::Reading as _;
use trialbook_store::{Access, Book};

/// The snapshots of a book, for another thread.
pub(crate) enum Snapshots {
    /// In a folder.
    Folder(PathBuf),
    /// On a server.
    Server(Server),
}

impl Snapshots {
    /// The documents of some sums. A book that cannot be read now is met by whoever records, too.
    pub(crate) fn of<'s>(&self, sums: impl Iterator<Item = &'s String>) -> Vec<serde_json::Value> {
        match self {
            Self::Folder(folder) => {
                let Ok(book) = Book::open(folder, Access::Read) else {
                    return Vec::new();
                };
                let Ok(view) = book.view() else {
                    return Vec::new();
                };
                sums.filter_map(|sum| view.snapshot(sum).ok().flatten())
                    .collect()
            }
            Self::Server(server) => {
                let view = trialbook_client::view(server);
                sums.filter_map(|sum| view.snapshot(sum).ok().flatten())
                    .collect()
            }
        }
    }
}

/// A turn in giving names; dropping it lets the next one.
pub(crate) enum NamingTurn {
    /// In a book's folder.
    Folder {
        /// Held.
        _turn: lease::Turn,
    },
    /// At a server.
    Server {
        /// Held.
        _turn: trialbook_client::Turn,
    },
}
