//! Recording into a book: a spool of one's own, with stamps that never fall.
//!
//! Not here: sealing, reading. Invariant: the time of a record is never before that of the one before it
//! of the same writer, whatever the clock does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use trialbook_model::id::WriterUid;
use trialbook_model::record::{Op, Points, SeriesKey, Signed, Subject};
use trialbook_model::state::Stamp;
use trialbook_model::time::{Clock, Timestamp};
use trialbook_spool::{
    Background, Durability, Files, KeyIndex, LogCall, Mode, Note, Origin, Repeat, SpoolOptions,
    SpoolWriter, SubjectIndex, SyncPoint,
};

use crate::error::BookError;

/// How a writer records.
#[derive(Clone)]
pub struct RecorderOptions {
    /// User, token or host that records are written for.
    pub actor: String,
    /// How bytes get into the spool.
    pub mode: Mode,
    /// Where times come from.
    pub clock: Arc<dyn Clock>,
    /// Who syncs what no flush has synced.
    pub background: Background,
}

impl RecorderOptions {
    /// Mapped where that is safe, synced in the background.
    pub fn new(actor: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            actor: actor.into(),
            mode: Mode::Auto,
            clock,
            background: Background::Thread,
        }
    }
}

/// One writer's door into a book.
pub struct Recorder {
    spool: SpoolWriter,
    clock: Arc<dyn Clock>,
    last: Timestamp,
    /// Indexes of the present logging call, to be reused.
    pairs: Vec<(KeyIndex, f64)>,
}

impl Recorder {
    /// Opens a new spool in a folder.
    pub(crate) fn open(
        files: Arc<dyn Files>,
        folder: &Path,
        options: RecorderOptions,
    ) -> Result<Self, BookError> {
        let created = options.clock.now();
        let spool = SpoolWriter::create_in(
            files,
            folder,
            SpoolOptions {
                mode: options.mode,
                created,
                actor: options.actor,
                background: options.background,
                ..SpoolOptions::default()
            },
        )?;
        Ok(Self {
            spool,
            clock: options.clock,
            last: created,
            pairs: Vec::new(),
        })
    }

    /// Who writes; a forked child gets another identity with its first record.
    pub fn writer(&self) -> WriterUid {
        self.spool.writer()
    }

    /// The file that it writes at present.
    pub fn path(&self) -> Option<PathBuf> {
        self.spool.path()
    }

    /// What makes durable, from any thread, what was recorded so far in the file that it writes at present.
    pub fn sync_point(&self) -> Option<SyncPoint> {
        self.spool.sync_point()
    }

    /// Bytes in the file that it writes at present.
    pub fn bytes(&self) -> u64 {
        self.spool.len()
    }

    /// Records an operation.
    pub fn record(&mut self, op: &Op) -> Result<Stamp, BookError> {
        self.record_with(op, &Note::default())
    }

    /// Records an operation with an actor or an identity of its own. Only runs and entries can be purged.
    pub fn record_with(&mut self, op: &Op, note: &Note) -> Result<Stamp, BookError> {
        if let Op::Purge(purge) = op
            && !matches!(purge.subject, Subject::Run(_) | Subject::Entry(_))
        {
            return Err(BookError::NotARun);
        }
        let time = self.tick();
        let seq = self.spool.append(time, op, note)?;
        Ok(self.stamp(time, seq))
    }

    /// Records what another writer recorded elsewhere, under that one's stamp; gives its number here.
    pub(crate) fn record_of(&mut self, signed: &Signed) -> Result<u64, BookError> {
        let note = Note {
            actor: signed.actor.clone(),
            operation: signed.operation,
            origin: Some(Origin {
                writer: signed.writer,
                seq: signed.seq,
            }),
        };
        Ok(self.spool.append(signed.time, &signed.op, &note)?)
    }

    /// Records the values of one logging call. Its time is data: it may lie in the past.
    pub fn points(
        &mut self,
        of: &Subject,
        step: i64,
        time: Timestamp,
        values: &[(SeriesKey, f64)],
    ) -> Result<Stamp, BookError> {
        let now = self.tick();
        if time != now {
            let points = Points {
                subject: of.clone(),
                step,
                time,
                set: false,
                values: values.to_vec(),
            };
            let seq = self
                .spool
                .append(now, &Op::Points(points), &Note::default())?;
            return Ok(self.stamp(now, seq));
        }
        let subject = self.spool.subject(of);
        let mut pairs = std::mem::take(&mut self.pairs);
        pairs.clear();
        pairs.extend(
            values
                .iter()
                .map(|(key, value)| (self.spool.key(key), *value)),
        );
        let stamp = self.points_at(subject, step, time, &pairs);
        self.pairs = pairs;
        stamp
    }

    /// The index of a subject, for [`Recorder::points_at`].
    pub fn subject(&mut self, of: &Subject) -> SubjectIndex {
        self.spool.subject(of)
    }

    /// The index of a series, for [`Recorder::points_at`].
    pub fn key(&mut self, key: &SeriesKey) -> KeyIndex {
        self.spool.key(key)
    }

    /// Records the values of one logging call by indexes: no text is looked up. `time` is both that of the
    /// points and the record's stamp, and has to come from [`Recorder::tick`].
    pub fn points_at(
        &mut self,
        subject: SubjectIndex,
        step: i64,
        time: Timestamp,
        pairs: &[(KeyIndex, f64)],
    ) -> Result<Stamp, BookError> {
        let call = LogCall {
            subject,
            step,
            time,
            repeat: Repeat::Keep,
        };
        let seq = self.spool.points(call, pairs)?;
        Ok(self.stamp(time, seq))
    }

    /// The time for a record: now, unless the clock went back.
    pub fn tick(&mut self) -> Timestamp {
        self.last = self.last.max(self.clock.now());
        self.last
    }

    fn stamp(&self, time: Timestamp, seq: u64) -> Stamp {
        Stamp {
            time,
            writer: self.spool.writer(),
            seq,
        }
    }

    /// Makes all records so far survive what `durability` names.
    pub fn flush(&mut self, durability: Durability) -> Result<(), BookError> {
        Ok(self.spool.flush(durability)?)
    }

    /// A failure of the disk that no call has told yet.
    pub fn take_failure(&mut self) -> Option<BookError> {
        self.spool.take_failure().map(BookError::from)
    }

    /// Ends the spool: everything is on the disk.
    pub fn finish(self) -> Result<(), BookError> {
        Ok(self.spool.finish()?)
    }
}

#[cfg(test)]
mod tests {
    use trialbook_model::id::{RunUid, Uid};
    use trialbook_model::record::{Event, SetTags};

    use super::*;
    use crate::book::{Book, Effort};
    use crate::contract::{TurnedClock, folder};
    use crate::nouns::Owner;
    use crate::reading::Reading as _;

    #[test]
    fn what_was_said_last_counts_last_though_the_clock_jumps() {
        let folder = folder();
        let book = Book::create(&folder.path().join("book")).unwrap();
        let clock = Arc::<TurnedClock>::default();
        let options = RecorderOptions {
            mode: Mode::Written,
            background: Background::None,
            ..RecorderOptions::new("me", Arc::<TurnedClock>::clone(&clock))
        };
        let mut recorder = book.recorder(options).unwrap();
        let run = RunUid(Uid([1; 16]));
        let times = [1_000, i64::MAX / 2, 0, -5, 2_000, i64::MIN];
        let mut stamps = Vec::new();
        for (at, time) in times.into_iter().enumerate() {
            clock.set(time);
            let value = Some(at.to_string());
            let tags = SetTags {
                subject: Subject::Run(run),
                tags: vec![("n".to_owned(), value)],
            };
            stamps.push(recorder.record(&Op::SetTags(tags)).unwrap());
            let event = serde_json::json!({ "subject": Subject::Run(run), "kind": "said" });
            let event: Event = serde_json::from_value(event).unwrap();
            stamps.push(recorder.record(&Op::Event(event)).unwrap());
        }
        recorder.finish().unwrap();
        assert!(stamps.is_sorted());
        for seal in [Effort::IfLarge, Effort::All] {
            book.seal(seal).unwrap();
            let view = book.view().unwrap();
            let row = view.run_by_uid(run).unwrap().unwrap();
            let tags: Vec<_> = row.state.annotations.tags().collect();
            assert_eq!(tags, [("n", "5")]);
            assert_eq!(view.events(&Owner::Run(row.no)).unwrap().len(), times.len());
        }
    }
}
