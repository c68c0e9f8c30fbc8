//! The book that a verb works on: opened for reading, or made on first use for writing.
//!
//! Not here: what is read or written. Invariant: a verb that reads, or changes what is
//! there, creates nothing.

pub(crate) mod remote;
mod view;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use trialbook_client::Server;
use trialbook_model::id::WriterUid;
use trialbook_model::record::Op;
use trialbook_model::time::{Clock as _, Timestamp};
use trialbook_runner::lease;
use trialbook_spool::{Background, Mode};
use trialbook_store::reading::Reading as _;
use trialbook_store::{
    Access, Artifacts, Book, BookError, Effort, Recorder, RecorderOptions, seal_if_large,
    sealing_beside,
};

use crate::context::{Context, SystemClock};
use crate::discovery::{Choice, Place, Rule};
use crate::failure::Failure;
use crate::secrets;
use remote::Remote;
pub(crate) use view::View;

/// Unsealed bytes that are worth a seal after reading.
const LARGE: u64 = 16 << 20;
/// Spools of dead writers that are worth a seal after reading.
const MANY: usize = 64;

/// Bytes in spools from which what is not sealed is sealed before reading.
const HEAVY: u64 = 64 << 20;

/// Microseconds after a sign of life from elsewhere within which a run counts as being executed.
const RECENT: i64 = 60_000_000;

/// Between two looks at how much is not sealed during long work.
const SEAL_EVERY: Duration = Duration::from_secs(10);

/// A book that is open.
pub(crate) struct Open {
    choice: Choice,
    keeper: Keeper,
    /// Set to the book's folder when a look at it finds much that is not sealed.
    unsealed: Rc<RefCell<Option<PathBuf>>>,
}

/// What keeps the book.
enum Keeper {
    Folder(Box<Book>),
    Server(Box<Remote>),
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Open").field(&self.choice).finish()
    }
}

/// Opens the book for reading; a failure where there is none.
pub(crate) fn reading(cx: &Context) -> Result<Open> {
    let choice = cx.choice()?;
    match open_if_there(cx, choice.clone())? {
        Some(open) => Ok(open),
        None => Err(no_book(&choice)),
    }
}

fn no_book(choice: &Choice) -> anyhow::Error {
    let folder = choice.place.to_string();
    let named = (choice.rule == Rule::Flag).then(|| folder.clone());
    Failure::NoBook { folder, named }.into()
}

/// Opens the book for reading, if there is one.
pub(crate) fn reading_if_any(cx: &Context) -> Result<Option<Open>> {
    open_if_there(cx, cx.choice()?)
}

/// Opens the book for a glance, if there is one: nothing is sealed before or afterwards, however much there is.
pub(crate) fn glance(cx: &Context) -> Result<Option<Open>> {
    let choice = cx.choice()?;
    match opened(cx, &choice, Access::Read) {
        Ok(keeper) => Ok(Some(Open {
            choice,
            keeper,
            unsealed: Rc::default(),
        })),
        Err(BookError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn opened(cx: &Context, choice: &Choice, access: Access) -> Result<Keeper, BookError> {
    Ok(match &choice.place {
        Place::Folder(folder) => Keeper::Folder(Box::new(Book::open(folder, access)?)),
        Place::Server(address) => {
            let remote = Remote::connect(address, cx)?;
            if access == Access::Write {
                remote.for_writing()?;
            }
            Keeper::Server(Box::new(remote))
        }
    })
}

fn open_if_there(cx: &Context, choice: Choice) -> Result<Option<Open>> {
    if let Place::Folder(folder) = &choice.place
        && spooled(folder) > HEAVY
    {
        // Read as they are, the spools would take many times as much memory as batch by batch.
        seal_if_large(folder);
    }
    match opened(cx, &choice, Access::Read) {
        Ok(keeper) => Ok(Some(Open {
            choice,
            keeper,
            unsealed: cx.unsealed(),
        })),
        Err(BookError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Opens the book for writing, and makes it on first use.
pub(crate) fn writing(cx: &Context) -> Result<Open> {
    let choice = cx.choice()?;
    let keeper = match (opened(cx, &choice, Access::Write), &choice.place) {
        (Err(BookError::Missing { .. }), Place::Folder(folder)) => {
            Keeper::Folder(Box::new(Book::create(folder)?))
        }
        (other, _) => other?,
    };
    Ok(Open {
        choice,
        keeper,
        unsealed: Rc::default(),
    })
}

/// Opens the book for writing of something that it holds; a failure where there is none, and nothing is made.
pub(crate) fn changing(cx: &Context) -> Result<Open> {
    let choice = cx.choice()?;
    match opened(cx, &choice, Access::Write) {
        Ok(keeper) => Ok(Open {
            choice,
            keeper,
            unsealed: Rc::default(),
        }),
        Err(BookError::Missing { .. }) => Err(no_book(&choice)),
        Err(error) => Err(error.into()),
    }
}

/// Seals a book after a verb that only read it, when everything was told and there is much to seal. What
/// hinders it, such as a read-only folder, hinders nobody.
pub(crate) fn seal_after_reading(cx: &Context) {
    if let Some(folder) = cx.unsealed().take() {
        seal_if_large(&folder);
    }
}

/// Does some long work while, beside it, what was recorded is sealed whenever it is much, or brought to the server.
pub(crate) fn sealing_meanwhile<T>(open: &Open, work: impl FnOnce() -> T) -> T {
    match &open.keeper {
        Keeper::Folder(book) => sealing_beside(book.path(), SEAL_EVERY, work),
        Keeper::Server(remote) => remote.delivering_beside(work),
    }
}

/// Bytes of all spools of a book, sealed or not.
fn spooled(folder: &Path) -> u64 {
    let Ok(spools) = std::fs::read_dir(folder.join("spool")) else {
        return 0;
    };
    let sizes = spools.filter_map(|spool| Some(spool.ok()?.metadata().ok()?.len()));
    sizes.sum()
}

/// Makes the book in the present folder, or where it is named; says whether it is new.
pub(crate) fn make(cx: &Context) -> Result<(PathBuf, bool)> {
    let choice = cx.choice()?;
    let folder = match choice.rule {
        // One that lies above is another folder's.
        Rule::Found => cx.here().join(crate::discovery::FOLDER),
        Rule::Flag | Rule::Variable | Rule::Here | Rule::Tracking => choice.folder()?.to_owned(),
    };
    let is_new = matches!(
        Book::open(&folder, Access::Read),
        Err(BookError::Missing { .. })
    );
    Book::create(&folder)?;
    Ok((folder, is_new))
}

impl Open {
    /// The folder for what belongs to work on this machine: the book's own, or the outbox's of a server.
    pub(crate) fn folder(&self) -> &Path {
        match &self.keeper {
            Keeper::Folder(book) => book.path(),
            Keeper::Server(remote) => remote.folder(),
        }
    }

    /// The book's folder, where it is in one.
    pub(crate) fn own_folder(&self) -> Option<&Path> {
        match &self.keeper {
            Keeper::Folder(book) => Some(book.path()),
            Keeper::Server(_) => None,
        }
    }

    /// What it is called in what is told: its folder, or its address.
    pub(crate) fn name(&self) -> String {
        self.choice.place.to_string()
    }

    /// What programs are told to find it by.
    pub(crate) fn named(&self) -> Result<PathBuf> {
        Ok(match &self.choice.place {
            Place::Folder(folder) => std::path::absolute(folder)?,
            Place::Server(address) => PathBuf::from(address.to_string()),
        })
    }

    /// Why it was chosen.
    pub(crate) const fn rule(&self) -> Rule {
        self.choice.rule
    }

    /// The book alone, for whoever keeps it to the end; a failure for one on a server.
    pub(crate) fn into_book(self) -> Result<Book> {
        match self.keeper {
            Keeper::Folder(book) => Ok(*book),
            Keeper::Server(_) => {
                self.choice.folder()?;
                Err(BookError::NotABook {
                    path: PathBuf::new(),
                }
                .into())
            }
        }
    }

    /// The book itself; a failure for one on a server.
    pub(crate) fn book(&self) -> Result<&Book> {
        self.choice.folder()?;
        Ok(self.keeping())
    }

    /// What takes in what this process records: the book itself, or the outbox.
    fn keeping(&self) -> &Book {
        match &self.keeper {
            Keeper::Folder(book) => book,
            Keeper::Server(remote) => remote.outbox(),
        }
    }

    /// A consistent look at it.
    pub(crate) fn view(&self) -> Result<View<'_>> {
        match &self.keeper {
            Keeper::Folder(book) => {
                let view = book.view()?;
                if view.unsealed_bytes() > LARGE || view.dead_spools() > MANY {
                    self.unsealed.replace(Some(book.path().to_owned()));
                }
                Ok(View::Folder(Box::new(view)))
            }
            Keeper::Server(remote) => Ok(View::Server(remote.view())),
        }
    }

    /// The files that this process puts and reads. Those of a server are here when they were brought here.
    pub(crate) fn artifacts(&self) -> Result<Artifacts> {
        match &self.keeper {
            Keeper::Folder(_) => {}
            Keeper::Server(remote) => remote.open_outbox()?,
        }
        Ok(self.keeping().artifacts())
    }

    /// The files, with the bytes of some sums among them, where a server has them.
    pub(crate) fn artifacts_with<'s>(
        &self,
        sums: impl IntoIterator<Item = &'s String>,
    ) -> Result<Artifacts> {
        let artifacts = self.artifacts()?;
        match &self.keeper {
            Keeper::Folder(_) => {}
            Keeper::Server(remote) => {
                for sha256 in sums {
                    remote.bring(sha256, &artifacts)?;
                }
            }
        }
        Ok(artifacts)
    }

    /// Brings what this process has recorded to the server, if the book is on one, so that it is read there.
    pub(crate) fn hand_over(&self) -> Result<()> {
        match &self.keeper {
            Keeper::Folder(_) => Ok(()),
            Keeper::Server(remote) => remote.deliver(),
        }
    }

    /// Does some long work while, beside it, what it records is brought to the server, if the book is on one.
    pub(crate) fn delivering_meanwhile<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.keeper {
            Keeper::Folder(_) => work(),
            Keeper::Server(remote) => remote.delivering_beside(work),
        }
    }

    /// What looks at the book's snapshots from another thread.
    pub(crate) fn snapshots(&self) -> Snapshots {
        match &self.keeper {
            Keeper::Folder(book) => Snapshots::Folder(book.path().to_owned()),
            Keeper::Server(remote) => Snapshots::Server(remote.server().clone()),
        }
    }

    /// Waits for a turn in giving names in the book.
    pub(crate) fn naming(&self) -> Result<NamingTurn> {
        Ok(match &self.keeper {
            Keeper::Folder(book) => NamingTurn::Folder {
                _turn: lease::naming(book.path())?,
            },
            Keeper::Server(remote) => NamingTurn::Server {
                _turn: remote.server().turn()?,
            },
        })
    }

    /// Whether a writer of the book may still be at work: on this machine, or, for a run on a server, elsewhere with
    /// a sign of life that is not old.
    pub(crate) fn is_writing(&self, writer: WriterUid, alive: Option<Timestamp>) -> Result<bool> {
        let here = self.keeping().is_writing(writer)?;
        Ok(match &self.keeper {
            Keeper::Folder(_) => here,
            Keeper::Server(_) => {
                let age = alive.map(|alive| SystemClock.now().0.saturating_sub(alive.0));
                here || age.is_some_and(|age| age < RECENT)
            }
        })
    }

    /// A recorder into the book, or into the outbox; what is there is brought to a server by [`Self::tidy`].
    pub(crate) fn recorder(&self, options: RecorderOptions) -> Result<Recorder> {
        Ok(self.keeping().recorder(options)?)
    }

    /// A writer for a few records: one write each, nothing preallocated.
    pub(crate) fn writer(&self, cx: &Context) -> Result<Writer<'_>> {
        let options = RecorderOptions {
            mode: Mode::Written,
            background: Background::None,
            ..RecorderOptions::new(cx.actor(), Arc::new(SystemClock))
        };
        Ok(Writer {
            recorder: self.recorder(options)?,
            open: self,
            dropped: BTreeSet::new(),
        })
    }

    /// A writer for a stream of records.
    pub(crate) fn stream_writer(&self, cx: &Context) -> Result<Recorder> {
        let options = RecorderOptions::new(cx.actor(), Arc::new(SystemClock));
        self.recorder(options)
    }

    /// In the middle of long work: moves what was spooled into the database where there is much of it. What is for a
    /// server is brought there beside.
    pub(crate) fn tidy_meanwhile(&self, cx: &Context) {
        if let Keeper::Folder(book) = &self.keeper
            && let Err(error) = book.seal(Effort::IfLarge)
        {
            cx.printer
                .warn(&format!("cannot seal the book now: {error}"));
        }
    }

    /// Moves what was spooled into the database where there is much of it, or brings it to the server. Somebody
    /// else's seal is as good, and one that fails changes nothing of what was recorded.
    pub(crate) fn tidy(&self, cx: &Context) -> Result<()> {
        match &self.keeper {
            Keeper::Folder(_) => {
                self.tidy_meanwhile(cx);
                Ok(())
            }
            Keeper::Server(remote) => remote.deliver(),
        }
    }
}

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

/// A writer for a few records.
pub(crate) struct Writer<'a> {
    recorder: Recorder,
    open: &'a Open,
    /// In what places something was left out.
    dropped: BTreeSet<String>,
}

impl Writer<'_> {
    /// Records an operation, without secrets.
    pub(crate) fn record(&mut self, op: &Op) -> Result<()> {
        self.dropped.extend(secrets::dropped(op));
        self.recorder.record(&secrets::operation(op))?;
        Ok(())
    }

    /// Ends the spool: everything is on the disk; says what was left out as a secret.
    pub(crate) fn finish(self, cx: &Context) -> Result<()> {
        self.recorder.finish()?;
        secrets::tell_dropped(cx, &self.dropped);
        self.open.tidy(cx)
    }
}
