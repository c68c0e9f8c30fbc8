//! A book on a server, and the outbox in which what is recorded for it waits.
//!
//! The outbox is a book's folder of its own, used for its spools and artifacts alone: whoever records does so as into
//! any book. Not here: bringing it over (`trialbook-client`). Invariant: reading makes no outbox; what was recorded
//! stays in it until the server has it.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use trialbook_client::{Address, Courier, RemoteView, Server, view};
use trialbook_model::code::ErrorCode;
use trialbook_store::{Access, Artifacts, Book, BookError, Elsewhere};

use crate::context::Context;
use crate::failure::Failure;

/// Between two rounds beside long work.
const EACH: Duration = Duration::from_secs(1);

/// The file of an outbox that says for which server it is.
pub(crate) const SERVER: &str = "server";

/// A book on a server.
pub(super) struct Remote {
    server: Server,
    folder: PathBuf,
    outbox: OnceLock<Book>,
}

impl Remote {
    /// Asks who answers.
    pub(super) fn connect(address: &Address, cx: &Context) -> Result<Self, BookError> {
        let server = Server::connect(address.clone(), cx.access())?;
        Ok(Self {
            folder: cx.outboxes().join(server.book()),
            server,
            outbox: OnceLock::new(),
        })
    }

    pub(super) const fn server(&self) -> &Server {
        &self.server
    }

    /// The outbox's folder, which may not exist.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn view(&self) -> RemoteView {
        view(&self.server)
    }

    /// Makes the outbox, or refuses where the server takes nothing.
    pub(super) fn for_writing(&self) -> Result<(), BookError> {
        if !self.server.is_writable() {
            return Err(BookError::Elsewhere(Box::new(Elsewhere {
                code: ErrorCode::PermissionDenied,
                message: format!("nothing may be written at `{}`", self.server.address()),
                hint: Some(
                    "use a token of scope `write`; a server with `--read-only` takes none"
                        .to_owned(),
                ),
            })));
        }
        self.open_outbox()
    }

    /// Notes where the outbox belongs, for `trialbook sync`.
    fn note_server(&self) -> Result<(), BookError> {
        let file = self.folder.join(SERVER);
        let address = self.server.address().to_string();
        if fs::read_to_string(&file).is_ok_and(|known| known.trim() == address) {
            return Ok(());
        }
        fs::write(&file, format!("{address}\n")).map_err(|source| BookError::Io {
            doing: "write",
            path: file,
            source,
        })
    }

    /// The outbox.
    pub(super) fn outbox(&self) -> &Book {
        self.outbox
            .get()
            .expect("whoever writes has opened the book for writing")
    }

    fn courier(&self) -> Courier {
        courier(&self.server, self.outbox())
    }

    /// Brings everything that waits. What cannot be brought stays.
    pub(super) fn deliver(&self) -> Result<()> {
        let brought = self.courier().round(&mut |_| {});
        brought.map_err(|source| Failure::Undelivered {
            address: self.server.address().to_string(),
            folder: self.folder.display().to_string(),
            source: Box::new(source),
        })?;
        Ok(())
    }

    /// Does some long work while, beside it, what is recorded is brought over. A server that is away is tried again.
    pub(super) fn delivering_beside<T>(&self, work: impl FnOnce() -> T) -> T {
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            let beside = scope.spawn(|| {
                let mut courier = self.courier();
                while !is_done.load(Ordering::Acquire) {
                    // What hinders it is told at the end, where it still does.
                    courier.round(&mut |_| {}).ok();
                    thread::park_timeout(EACH);
                }
            });
            let done = work();
            is_done.store(true, Ordering::Release);
            beside.thread().unpark();
            done
        })
    }

    /// Fetches the bytes of a sum to the outbox's artifacts. Those that the server has not either stay away.
    pub(super) fn bring(&self, sha256: &str, artifacts: &Artifacts) -> Result<(), BookError> {
        if artifacts.contains(sha256) {
            return Ok(());
        }
        let mut bytes = match self.server.file(sha256) {
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(()),
            bytes => bytes?,
        };
        let sum = artifacts.put(&mut bytes)?;
        if sum.sha256 != sha256 {
            let (sha256, found) = (sha256.to_owned(), sum.sha256);
            return Err(BookError::ArtifactChanged { sha256, found });
        }
        Ok(())
    }

    /// Opens the outbox, and makes it on first use.
    pub(super) fn open_outbox(&self) -> Result<(), BookError> {
        if self.outbox.get().is_none() {
            let book = match Book::open(&self.folder, Access::Write) {
                Err(BookError::Missing { .. }) => make(&self.folder)?,
                other => other?,
            };
            self.note_server()?;
            self.outbox.set(book).ok();
        }
        Ok(())
    }
}

/// Brings what waits in an outbox, or in any other book's folder.
pub(crate) fn courier(server: &Server, outbox: &Book) -> Courier {
    let spools = outbox.path().join("spool");
    Courier::new(server.clone(), &spools, outbox.artifacts())
}

fn make(folder: &Path) -> Result<Book, BookError> {
    if let Some(above) = folder.parent() {
        let told = |source| BookError::Io {
            doing: "make",
            path: above.to_owned(),
            source,
        };
        fs::create_dir_all(above).map_err(told)?;
        if above.ends_with(".trialbook-outbox") {
            ignore(above).map_err(told)?;
        }
    }
    Book::create(folder)
}

/// An outbox in a folder of work is nothing for its repository.
fn ignore(folder: &Path) -> io::Result<()> {
    fs::File::create(folder.join(".gitignore"))?.write_all(b"*\n")
}
