//! Requests to end runs, left where the process that executes a run looks for them.
//!
//! A request is a file `requests/RUN.cancel` in the book's folder, so that it also reaches a wrapper that a
//! signal does not. Not here: ending anything. Invariant: a request is there whole or not at all, and it is
//! taken away once its run has ended.

use std::io;
use std::path::{Path, PathBuf};

use trialbook_model::id::RunUid;

/// The requests of a book.
#[derive(Debug, Clone)]
pub struct Requests {
    folder: PathBuf,
}

impl Requests {
    /// Those of the book in a folder.
    pub fn of(book: &Path) -> Self {
        Self {
            folder: book.join("requests"),
        }
    }

    /// Where the request to end a run is.
    pub fn path(&self, run: RunUid) -> PathBuf {
        self.folder.join(format!("{run}.cancel"))
    }

    /// Asks for the end of a run.
    pub fn ask(&self, run: RunUid, by: &str) -> io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let beside = self.folder.join(format!("{run}.{}", std::process::id()));
        std::fs::write(&beside, by)?;
        std::fs::rename(&beside, self.path(run))
    }

    /// Who asks for the end of a run.
    pub fn asked(&self, run: RunUid) -> Option<String> {
        read(&self.path(run))
    }

    /// Takes a request away.
    pub fn withdraw(&self, run: RunUid) {
        // There is usually none.
        std::fs::remove_file(self.path(run)).ok();
    }
}

/// Who asks, by the file of the request.
pub(crate) fn read(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_there_until_it_is_taken_away() {
        let book = tempfile::tempdir().unwrap();
        let requests = Requests::of(book.path());
        let run = RunUid::default();
        assert_eq!(requests.asked(run), None);
        requests.withdraw(run);
        requests.ask(run, "me@here\n").unwrap();
        requests.ask(run, "you@here\n").unwrap();
        assert_eq!(requests.asked(run).as_deref(), Some("you@here"));
        requests.withdraw(run);
        assert_eq!(requests.asked(run), None);
    }
}
