//! The book that a verb works on: opened for reading, or made on first use for writing.
//!
//! Not here: what is read or written. Invariant: a verb that reads, or changes what is
//! there, creates nothing.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use trialbook_model::record::Op;
use trialbook_spool::{Background, Mode};
use trialbook_store::{
    Access, Artifacts, Book, BookError, BookView, Effort, Recorder, RecorderOptions, seal_if_large,
    sealing_beside,
};

use crate::context::{Context, SystemClock};
use crate::discovery::{Choice, Rule};
use crate::failure::Failure;
use crate::secrets;

/// Unsealed bytes that are worth a seal after reading.
const LARGE: u64 = 16 << 20;
/// Spools of dead writers that are worth a seal after reading.
const MANY: usize = 64;

/// Bytes in spools from which what is not sealed is sealed before reading.
const HEAVY: u64 = 64 << 20;

/// Between two looks at how much is not sealed during long work.
const SEAL_EVERY: Duration = Duration::from_secs(10);

/// A book that is open.
pub(crate) struct Open {
    choice: Choice,
    book: Book,
    /// Set to the book's folder when a look at it finds much that is not sealed.
    unsealed: Rc<RefCell<Option<PathBuf>>>,
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
    let folder = choice.folder.display().to_string();
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
    match Book::open(&choice.folder, Access::Read) {
        Ok(book) => Ok(Some(Open {
            choice,
            book,
            unsealed: Rc::default(),
        })),
        Err(BookError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn open_if_there(cx: &Context, choice: Choice) -> Result<Option<Open>> {
    if spooled(&choice.folder) > HEAVY {
        // Read as they are, the spools would take many times as much memory as batch by batch.
        seal_if_large(&choice.folder);
    }
    match Book::open(&choice.folder, Access::Read) {
        Ok(book) => Ok(Some(Open {
            choice,
            book,
            unsealed: cx.unsealed(),
        })),
        Err(BookError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Opens the book for writing, and makes it on first use.
pub(crate) fn writing(cx: &Context) -> Result<Open> {
    let choice = cx.choice()?;
    let book = match Book::open(&choice.folder, Access::Write) {
        Err(BookError::Missing { .. }) => Book::create(&choice.folder)?,
        other => other?,
    };
    Ok(Open {
        choice,
        book,
        unsealed: Rc::default(),
    })
}

/// Opens the book for writing of something that it holds; a failure where there is none, and nothing is made.
pub(crate) fn changing(cx: &Context) -> Result<Open> {
    let choice = cx.choice()?;
    match Book::open(&choice.folder, Access::Write) {
        Ok(book) => Ok(Open {
            choice,
            book,
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

/// Does some long work while, beside it, what was recorded is sealed whenever it is much.
pub(crate) fn sealing_meanwhile<T>(folder: &Path, work: impl FnOnce() -> T) -> T {
    sealing_beside(folder, SEAL_EVERY, work)
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
        Rule::Flag | Rule::Variable | Rule::Here => choice.folder,
    };
    let is_new = matches!(
        Book::open(&folder, Access::Read),
        Err(BookError::Missing { .. })
    );
    Book::create(&folder)?;
    Ok((folder, is_new))
}

impl Open {
    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.choice.folder
    }

    /// Why it was chosen.
    pub(crate) const fn rule(&self) -> Rule {
        self.choice.rule
    }

    /// The book alone, for whoever keeps it to the end.
    pub(crate) fn into_book(self) -> Book {
        self.book
    }

    /// The book itself.
    pub(crate) const fn book(&self) -> &Book {
        &self.book
    }

    /// A consistent look at it.
    pub(crate) fn view(&self) -> Result<BookView<'_>> {
        let view = self.book.view()?;
        if view.unsealed_bytes() > LARGE || view.dead_spools() > MANY {
            self.unsealed.replace(Some(self.choice.folder.clone()));
        }
        Ok(view)
    }

    /// Its files.
    pub(crate) fn artifacts(&self) -> Artifacts {
        self.book.artifacts()
    }

    /// A writer for a few records: one write each, nothing preallocated.
    pub(crate) fn writer(&self, cx: &Context) -> Result<Writer<'_>> {
        let options = RecorderOptions {
            mode: Mode::Written,
            background: Background::None,
            ..RecorderOptions::new(cx.actor(), Arc::new(SystemClock))
        };
        Ok(Writer {
            recorder: self.book.recorder(options)?,
            open: self,
            dropped: BTreeSet::new(),
        })
    }

    /// A writer for a stream of records.
    pub(crate) fn stream_writer(&self, cx: &Context) -> Result<Recorder> {
        let options = RecorderOptions::new(cx.actor(), Arc::new(SystemClock));
        Ok(self.book.recorder(options)?)
    }

    /// Moves what was spooled into the database where there is much of it. Somebody else's seal is as good,
    /// and one that fails changes nothing of what was recorded.
    pub(crate) fn tidy(&self, cx: &Context) {
        if let Err(error) = self.book.seal(Effort::IfLarge) {
            cx.printer
                .warn(&format!("cannot seal the book now: {error}"));
        }
    }
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
        self.open.tidy(cx);
        Ok(())
    }
}
