//! The feed of runs: each state in which a run was told has a number, and the numbers rise.
//!
//! What a seal, a restart or a kill does to the rows does not make a run another one: a state is known by its sum, and
//! the sums of what was told last stand in a file of the book's folder, written before anybody is told. So a
//! subscriber brings back one number. Not here: what is told of a run. Invariant: a state of a run gets a number once.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trialbook_model::id::RunNo;
use trialbook_store::nouns::RunRow;
use trialbook_store::view::Version;
use trialbook_store::{BookError, BookView};

use super::digest;
use super::position::half;

/// The file in the book's folder.
pub(super) const FILE: &str = "runs.feed";

/// Runs whose numbers are known; whoever is farther behind begins anew.
const MOST_KNOWN: usize = 65_536;

/// What the file begins with, up to the length of a line.
const MAGIC: &[u8; 8] = b"tbfeed\n0";

/// Bytes of a line of the file: number, run, sum, seal, and the sum of these four.
const LINE: usize = 5 * 8;

/// The sum of a run that was removed for good.
const REMOVED: u64 = 0;

/// A run as it was told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    change: u64,
    sum: u64,
}

/// The feed of a book.
pub(super) struct Feed {
    path: PathBuf,
    /// `None` where it cannot be written: then it ends with the process.
    file: Option<File>,
    lines: usize,
    /// Which feed: drawn at random.
    pub(super) id: u64,
    /// Positions before this are too old.
    pub(super) floor: u64,
    /// The last number.
    pub(super) last: u64,
    known: BTreeMap<RunNo, Told>,
    by_change: BTreeMap<u64, RunNo>,
    /// The look up to which all changes have their numbers.
    followed: Version,
}

impl Feed {
    /// Takes up the feed of a book where it was left, or begins one.
    pub(super) fn open(folder: &Path, view: &BookView<'_>) -> Result<Self, BookError> {
        let path = folder.join(FILE);
        let book = half(view.book_uid()?);
        let mut feed = match fs::read(&path) {
            Ok(bytes) => Self::read(path.clone(), &bytes, book),
            Err(_none) => None,
        };
        if let Some(feed) = &mut feed
            && !view.many_sealed_since(feed.followed.rev, MOST_KNOWN as u64)?
        {
            feed.file = fs::OpenOptions::new().append(true).open(&path).ok();
        } else {
            feed = None;
        }
        match feed {
            Some(feed) => Ok(feed),
            None => Self::begin(path, view, book),
        }
    }

    /// An empty feed: what is there already has no number, but is known.
    fn begin(path: PathBuf, view: &BookView<'_>, book: u64) -> Result<Self, BookError> {
        let mut id = [0; 8];
        getrandom::fill(&mut id).expect("the operating system has a random generator");
        let mut feed = Self {
            path,
            file: None,
            lines: 0,
            id: u64::from_be_bytes(id),
            floor: 0,
            last: 0,
            known: BTreeMap::new(),
            by_change: BTreeMap::new(),
            followed: Version {
                rev: view.version().rev,
                tick: 0,
            },
        };
        feed.follow(view)?;
        feed.floor = feed.last;
        feed.write_anew(book);
        Ok(feed)
    }

    /// Reads what is whole of a file; `None` where it is of another book or no feed.
    fn read(path: PathBuf, bytes: &[u8], book: u64) -> Option<Self> {
        let (magic, rest) = bytes.split_at_checked(MAGIC.len())?;
        let (head, lines) = rest.split_at_checked(LINE)?;
        let [of, id, floor, rev] = line(head)?;
        if magic != MAGIC || of != book {
            return None;
        }
        let mut feed = Self {
            path,
            file: None,
            lines: 0,
            id,
            floor,
            last: floor,
            known: BTreeMap::new(),
            by_change: BTreeMap::new(),
            followed: Version { rev, tick: 0 },
        };
        for text in lines.chunks(LINE) {
            let Some([change, run, sum, rev]) = line(text) else {
                // What a power cut left is no basis for numbers.
                return None;
            };
            feed.note(RunNo(run), Told { change, sum });
            feed.followed.rev = rev;
            feed.lines += 1;
        }
        Some(feed)
    }

    fn note(&mut self, no: RunNo, told: Told) {
        if let Some(before) = self.known.insert(no, told) {
            self.by_change.remove(&before.change);
        }
        self.by_change.insert(told.change, no);
        self.last = self.last.max(told.change);
    }

    /// Gives numbers to all that changed until this look, which is no older than the one before.
    pub(super) fn follow(&mut self, view: &BookView<'_>) -> Result<(), BookError> {
        let now = view.version();
        if now == self.followed {
            return Ok(());
        }
        let moved = view.moved_since(self.followed)?;
        let mut lines = Vec::new();
        for row in rows_of(view, &moved.changed)? {
            let sum = digest::of(&*row).max(REMOVED + 1);
            self.number(row.no, sum, (now.rev, &mut lines));
        }
        for no in moved.removed {
            if self.known.contains_key(&no) {
                self.number(no, REMOVED, (now.rev, &mut lines));
            }
        }
        self.followed = now;
        self.forget();
        self.write(&lines, view)
    }

    fn number(&mut self, no: RunNo, sum: u64, (rev, lines): (u64, &mut Vec<u8>)) {
        if self.known.get(&no).is_some_and(|told| told.sum == sum) {
            return;
        }
        let change = self.last + 1;
        self.note(no, Told { change, sum });
        lines.extend(line_of([change, no.0, sum, rev]));
        self.lines += 1;
    }

    fn forget(&mut self) {
        while self.known.len() > MOST_KNOWN {
            let Some((change, no)) = self.by_change.pop_first() else {
                return;
            };
            self.known.remove(&no);
            self.floor = self.floor.max(change);
        }
    }

    /// What cannot be written is not known after a restart, which has another id then.
    fn write(&mut self, lines: &[u8], view: &BookView<'_>) -> Result<(), BookError> {
        if lines.is_empty() {
            return Ok(());
        }
        if self.lines > 2 * MOST_KNOWN {
            let book = half(view.book_uid()?);
            self.write_anew(book);
        } else if let Some(file) = &mut self.file
            && let Err(error) = file.write_all(lines)
        {
            tracing::warn!(%error, "cannot write the feed of runs");
            self.file = None;
            fs::remove_file(&self.path).ok();
        }
        Ok(())
    }

    fn write_anew(&mut self, book: u64) {
        let written = self.try_to_write_anew(book);
        if let Err(error) = &written {
            tracing::warn!(%error, "cannot write the feed of runs");
            fs::remove_file(&self.path).ok();
        }
        self.file = written.ok();
    }

    fn try_to_write_anew(&mut self, book: u64) -> io::Result<File> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(line_of([book, self.id, self.floor, self.followed.rev]));
        for (change, no) in &self.by_change {
            let sum = self.known.get(no).map_or(REMOVED, |told| told.sum);
            bytes.extend(line_of([*change, no.0, sum, self.followed.rev]));
        }
        self.lines = self.by_change.len();
        let next = self.path.with_extension("feed.tmp");
        fs::write(&next, &bytes)?;
        let file = fs::OpenOptions::new().append(true).open(&next)?;
        fs::rename(&next, &self.path)?;
        Ok(file)
    }

    /// What was told behind a number, oldest first: numbers, runs, and whether they are still there.
    pub(super) fn behind(&self, change: u64, limit: usize) -> Vec<(u64, RunNo, bool)> {
        let behind = self.by_change.range(change.saturating_add(1)..);
        let behind = behind.map(|(change, no)| {
            let is_there = self.known.get(no).is_some_and(|told| told.sum != REMOVED);
            (*change, *no, is_there)
        });
        behind.take(limit).collect()
    }

    /// The number of a run's present state; 0 where it has none.
    pub(super) fn change_of(&self, row: &RunRow) -> u64 {
        self.known.get(&row.no).map_or(0, |told| told.change)
    }
}

/// Rows of runs; damaged ones are left to a check.
pub(super) fn rows_of(
    view: &BookView<'_>,
    numbers: &[RunNo],
) -> Result<Vec<Arc<RunRow>>, BookError> {
    match view.shared_runs(numbers) {
        Err(error) if error.is_damage() => Ok(Vec::new()),
        rows => rows,
    }
}

fn line_of(words: [u64; 4]) -> [u8; LINE] {
    let sum = words.into_iter().fold(digest::EMPTY, digest::with);
    let mut bytes = [0; LINE];
    for (place, word) in words.into_iter().chain([sum]).enumerate() {
        bytes[place * 8..][..8].copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

fn line(bytes: &[u8]) -> Option<[u64; 4]> {
    let mut words = [0; 5];
    if bytes.len() != LINE {
        return None;
    }
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    let [one, two, three, four, sum] = words;
    let told = [one, two, three, four];
    (told.into_iter().fold(digest::EMPTY, digest::with) == sum).then_some(told)
}
