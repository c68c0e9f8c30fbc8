//! What is wrong with a book: damaged rows and chunks, counts that do not agree, lost artifacts.
//!
//! Everything is read; nothing is changed. Invariant: one damaged thing is named and does not hide another.

mod spools;

use std::fmt;
use std::path::PathBuf;

use trialbook_model::id::WriterUid;
use trialbook_model::record::EntryKind;
use trialbook_model::state::{EntryState, ExperimentState, ProjectState, Records};

use crate::artifacts::Artifacts;
use crate::backend::{Experiments, Wanted, WantedEntries};
use crate::book::Book;
use crate::error::BookError;
use crate::nouns::{AssessRecord, EventRecord, LogRecord, Series, SpanRecord};
use crate::pack::{BLOCK, Places, unpack_noun, unpack_run};
use crate::sealed::Sealed;
use crate::tails::read_tails;

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// The database, its chunks and the spools.
    Book,
    /// The bytes of all artifacts too.
    Artifacts,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// SQLite finds its file damaged.
    Database {
        /// What SQLite says.
        text: String,
    },
    /// The row of a run, experiment or project cannot be read: what it is called, its params and tags are
    /// lost.
    Row {
        /// Whose.
        of: String,
        /// Why not.
        reason: String,
    },
    /// Some records of a subject cannot be read; the others can.
    Records {
        /// Whose.
        of: String,
        /// Which: a series, `events`, …
        what: String,
        /// Why not.
        reason: String,
    },
    /// There are more or fewer records than the row says.
    Count {
        /// Whose.
        of: String,
        /// Of what.
        what: String,
        /// As the row says.
        expected: u64,
        /// As found.
        found: u64,
    },
    /// Bytes that were damaged when a seal met them and are kept apart: what they held is not in the book.
    SetAside {
        /// Whose.
        of: String,
        /// How many pieces.
        pieces: u64,
    },
    /// Chunks that no row speaks of: their row is damaged, or was when its subject went on or was purged.
    Masterless {
        /// How many streams of chunks.
        streams: u64,
    },
    /// A spool was damaged before it was sealed.
    Spool {
        /// Its name.
        name: String,
        /// Records lost for sure.
        lost: u64,
        /// Where.
        damage: String,
    },
    /// Records between others of one writer are not there: a file of its spool went away before it was sealed.
    Missing {
        /// Whose.
        writer: WriterUid,
        /// How many.
        records: u64,
    },
    /// A file in the spool folder that is no spool any more.
    UnreadableSpool {
        /// The file.
        path: PathBuf,
    },
    /// The bytes of an artifact are missing or changed.
    Artifact {
        /// Whose.
        of: String,
        /// Its path there.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

/// What was looked at and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// Runs.
    pub runs: u64,
    /// Points.
    pub points: u64,
    /// Artifact versions.
    pub artifacts: u64,
    /// Entries of the register.
    pub entries: u64,
    /// Spans of traces.
    pub spans: u64,
    /// Runs whose derived metrics follow older rules: nothing is wrong, and a rebuild brings them up to date.
    pub outdated: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database { text } => write!(f, "the database file is damaged: {text}"),
            Self::Row { of, reason } => write!(f, "{of} cannot be read: {reason}"),
            Self::Records { of, what, reason } => {
                write!(f, "{what} of {of} cannot be read: {reason}")
            }
            Self::Count {
                of,
                what,
                expected,
                found,
            } => write!(f, "{of} should have {expected} of {what} and has {found}"),
            Self::SetAside { of, pieces } => write!(
                f,
                "{pieces} pieces of {of} were damaged when they were to be gone on with, and are kept apart"
            ),
            Self::Masterless { streams } => {
                write!(
                    f,
                    "{streams} streams of chunks belong to no row that can be read"
                )
            }
            Self::Spool { name, lost, damage } => {
                write!(
                    f,
                    "spool {name} was damaged, at least {lost} records are lost: {damage}"
                )
            }
            Self::Missing { writer, records } => write!(
                f,
                "{records} records of writer {writer} are missing between others: a file of its spool is gone"
            ),
            Self::UnreadableSpool { path } => {
                write!(f, "`{}` is damaged beyond use", path.display())
            }
            Self::Artifact { of, path, reason } => {
                write!(f, "artifact `{path}` of {of} is lost: {reason}")
            }
        }
    }
}

/// A check in progress.
struct Check<'a> {
    sealed: &'a Sealed<'a>,
    artifacts: Artifacts,
    depth: Depth,
    report: CheckReport,
    /// Streams that have chunks, in order.
    streams: Vec<u64>,
    /// How many of them belong to somebody.
    owned: u64,
}

impl Book {
    /// Looks for damage.
    pub fn check(&self, depth: Depth) -> Result<CheckReport, BookError> {
        let integrity = match self.database() {
            Some(database) => database.integrity()?,
            None => Vec::new(),
        };
        let sealed = Sealed::open(self.backend().look()?)?;
        let mut check = Check {
            sealed: &sealed,
            artifacts: self.artifacts(),
            depth,
            report: CheckReport::default(),
            streams: sealed.look().streams()?,
            owned: 0,
        };
        let databases = integrity.into_iter().map(|text| Finding::Database { text });
        check.report.findings.extend(databases);
        check.nouns()?;
        check.entries()?;
        check.masterless();
        let known = sealed.look().spools()?;
        let tails = read_tails(self.files(), &self.spool_folder(), sealed.look(), u64::MAX)?;
        check.spools(known, tails)?;
        Ok(check.report)
    }
}

impl Check<'_> {
    fn nouns(&mut self) -> Result<(), BookError> {
        let names = self.sealed.names();
        for record in self.sealed.look().runs(Wanted::Since(0))? {
            self.report.runs += 1;
            let of = format!("run {} ({})", record.no, record.uid);
            match unpack_run(&record.state, names) {
                Ok((state, places)) => {
                    self.report.outdated += u64::from(!state.derived.is_current());
                    self.subject(&of, &state.records, &places);
                }
                Err(error) => self.row(of, &error),
            }
        }
        for record in self.sealed.look().experiments(Experiments::All)? {
            let of = format!("experiment {}", record.no);
            match unpack_noun::<ExperimentState>(&record.state, names) {
                Ok((state, places)) => self.subject(&of, &state.records, &places),
                Err(error) => self.row(of, &error),
            }
        }
        for record in self.sealed.look().projects(None)? {
            let of = format!("project `{}`", record.name);
            match unpack_noun::<ProjectState>(&record.state, names) {
                Ok((state, places)) => self.subject(&of, &state.records, &places),
                Err(error) => self.row(of, &error),
            }
        }
        Ok(())
    }

    fn entries(&mut self) -> Result<(), BookError> {
        let names = self.sealed.names();
        for record in self.sealed.look().entries(WantedEntries::All)? {
            self.report.entries += 1;
            let kind = record.kind.map_or("entry", EntryKind::word);
            let of = format!("{kind} {} ({})", record.no, record.uid);
            match unpack_noun::<EntryState>(&record.state, names) {
                Ok((state, places)) => self.subject(&of, &state.records, &places),
                Err(error) => self.row(of, &error),
            }
        }
        Ok(())
    }

    fn row(&mut self, of: String, error: &dyn std::error::Error) {
        let reason = error.to_string();
        self.report.findings.push(Finding::Row { of, reason });
    }

    /// Counts the streams in the blocks of a subject; those that its directory does not speak of were set
    /// aside.
    fn streams(&mut self, of: &str, places: &Places) {
        let in_use = places.in_use();
        let mut pieces = 0;
        for block in &places.blocks {
            let range = block * BLOCK..(block + 1) * BLOCK;
            let from = self.streams.partition_point(|stream| *stream < range.start);
            let there = self.streams[from..].iter();
            for stream in there.take_while(|stream| range.contains(stream)) {
                self.owned += 1;
                pieces += u64::from(in_use.binary_search(stream).is_err());
            }
        }
        if pieces > 0 {
            let of = of.to_owned();
            let finding = Finding::SetAside { of, pieces };
            self.report.findings.push(finding);
        }
    }

    fn masterless(&mut self) {
        let streams = (self.streams.len() as u64).saturating_sub(self.owned);
        if streams > 0 {
            let finding = Finding::Masterless { streams };
            self.report.findings.push(finding);
        }
    }

    fn subject(&mut self, of: &str, records: &Records, places: &Places) {
        self.streams(of, places);
        let packed = self.sealed.short_by_key(places);
        for (key, summary) in &records.series {
            self.report.points += summary.count;
            let what = format!("series `{key}`");
            let long = places.long.contains_key(key);
            match &packed {
                Err(error) if !long => self.report.findings.push(Finding::Records {
                    of: of.to_owned(),
                    what,
                    reason: chain(error),
                }),
                Ok(packed) if !long => {
                    let found = packed.get(key).map_or(0, Series::len) as u64;
                    self.count(of, &what, summary.count, Ok(found));
                }
                Ok(_) | Err(_) => {
                    let found = self.sealed.series(places, key);
                    let found = found.map(|series| series.len() as u64);
                    self.count(of, &what, summary.count, found);
                }
            }
        }
        let counts = &records.counts;
        let events = self.sealed.records(places, places.events);
        let events = events.map(|events: Vec<EventRecord>| events.len() as u64);
        self.count(of, "events", counts.events.values().sum(), events);
        let logs = self.sealed.records(places, places.logs);
        let bytes =
            |logs: Vec<LogRecord>| logs.iter().map(|log| log.record.text.len() as u64).sum();
        self.count(of, "console output", counts.log_bytes, logs.map(bytes));
        let items = self.sealed.items(places).map(|items| items.len() as u64);
        self.count(of, "items", counts.items, items);
        let judged = self.sealed.records(places, places.assessments);
        let judged = judged.map(|judged: Vec<AssessRecord>| judged.len() as u64);
        self.count(of, "assessments", counts.assessments, judged);
        let spans = self.sealed.records(places, places.spans);
        let spans = spans.map(|spans: Vec<SpanRecord>| spans.len() as u64);
        self.report.spans += counts.spans;
        self.count(of, "spans", counts.spans, spans);
        for version in records.artifacts.values().flatten() {
            self.report.artifacts += 1;
            if let Some(sha256) = &version.value.sha256 {
                self.artifact(of, &version.value.path, sha256);
            }
        }
    }

    fn count(&mut self, of: &str, what: &str, expected: u64, found: Result<u64, BookError>) {
        let of = of.to_owned();
        let what = what.to_owned();
        match found {
            Ok(found) if found == expected => {}
            Ok(found) => self.report.findings.push(Finding::Count {
                of,
                what,
                expected,
                found,
            }),
            Err(error) => self.report.findings.push(Finding::Records {
                of,
                what,
                reason: chain(&error),
            }),
        }
    }

    fn artifact(&mut self, of: &str, path: &str, sha256: &str) {
        let found = match self.depth {
            Depth::Book => self.artifacts.get(sha256).map(|_file| ()),
            Depth::Artifacts => self.artifacts.verify(sha256).map(|_sum| ()),
        };
        if let Err(error) = found {
            self.report.findings.push(Finding::Artifact {
                of: of.to_owned(),
                path: path.to_owned(),
                reason: chain(&error),
            });
        }
    }
}

/// An error with its reasons, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        text += ": ";
        text += &reason.to_string();
        source = reason.source();
    }
    text
}
