//! Brings to a server what programs recorded here: the files that records speak of, then the records.
//!
//! Which records are due, the server says. A spool is removed when its writer has ended and the server has all of it.
//! Not here: when it is time. Invariant: however often it is stopped, and whoever else does the same, each record
//! is in the book once, and none is removed before it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use trialbook_model::id::WriterUid;
use trialbook_model::record::{Op, Signed};
use trialbook_spool::{
    FrameBatch, Header, Liveness, SpoolFile, SpoolReader, SystemFiles, Tail, claim_dead, list,
};
use trialbook_store::{Artifacts, BookError};

use crate::error::ClientError;
use crate::server::{Ranges, Server};

/// Bytes of a batch from which it is sent.
const BATCH: usize = 4 << 20;

/// Bytes read of a spool at once.
const PIECE: usize = 4 << 20;

/// How long bytes stay here at least.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// What a round brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivered {
    /// Records that the server did not have.
    pub records: u64,
    /// Files whose bytes it did not have.
    pub files: u64,
    /// Spools that are no longer needed here.
    pub removed: u64,
    /// Spools that go on: their writers live, or it is not known.
    pub open: u64,
    /// Spools with damage: what is whole was brought, and they stay.
    pub damaged: u64,
}

/// Brings the spools of one folder to one server.
pub struct Courier {
    server: Server,
    folder: PathBuf,
    artifacts: Artifacts,
    /// Where reading stands in spools that go on.
    readers: BTreeMap<PathBuf, SpoolReader>,
    known: BTreeMap<WriterUid, Ranges>,
}

impl Courier {
    /// From a folder of spools and the artifacts beside it.
    pub fn new(server: Server, spools: &Path, artifacts: Artifacts) -> Self {
        Self {
            server,
            folder: spools.to_owned(),
            artifacts,
            readers: BTreeMap::new(),
            known: BTreeMap::new(),
        }
    }

    /// Brings what there is. After a failure the next round begins anew; `tell` is told of each batch.
    pub fn round(&mut self, tell: &mut dyn FnMut(Delivered)) -> Result<Delivered, ClientError> {
        let brought = self.try_round(tell);
        if brought.is_err() {
            self.readers.clear();
            self.known.clear();
        }
        brought
    }

    fn try_round(&mut self, tell: &mut dyn FnMut(Delivered)) -> Result<Delivered, ClientError> {
        let mut done = Delivered::default();
        let files = SystemFiles::shared();
        let spools = list(files.as_ref(), &self.folder).map_err(BookError::from)?;
        self.readers
            .retain(|path, _| spools.iter().any(|spool| spool.path == *path));
        self.learn(
            spools
                .iter()
                .filter_map(|it| Some(it.header.as_ref()?.writer)),
        )?;
        let mut removed = false;
        for spool in spools {
            let whole = self.bring(&spool, &mut done, tell)?;
            if spool.liveness != Liveness::Dead {
                done.open += 1;
            } else if whole {
                self.readers.remove(&spool.path);
                let claimed = claim_dead(files.as_ref(), &spool.path).map_err(BookError::from)?;
                if let Some(claimed) = claimed {
                    let unlinked = claimed.unlink_unsynced(files.as_ref());
                    unlinked.map_err(BookError::from)?;
                    (removed, done.removed) = (true, done.removed + 1);
                }
            } else {
                done.damaged += 1;
            }
        }
        if done.open == 0 && done.damaged == 0 {
            self.forget_files();
        }
        if removed {
            // One that a power cut brings back is brought again, and known.
            files.sync_dir(&self.folder).ok();
        }
        tell(done);
        Ok(done)
    }

    /// Removes bytes that the server has had for long: where nothing waits, only what was put a moment ago may still
    /// be spoken of.
    fn forget_files(&self) {
        let old = |path: &Path| {
            let changed = path.metadata().and_then(|about| about.modified()).ok()?;
            Some(changed.elapsed().ok()? > KEPT)
        };
        for sum in self.artifacts.list().unwrap_or_default() {
            let path = self.artifacts.path_of(&sum);
            if old(&path) == Some(true) {
                std::fs::remove_file(&path).ok();
            }
        }
    }

    /// Asks what the server has of writers that are not known yet.
    fn learn(&mut self, writers: impl Iterator<Item = WriterUid>) -> Result<(), ClientError> {
        let new: BTreeSet<WriterUid> = writers.filter(|it| !self.known.contains_key(it)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let new: Vec<WriterUid> = new.into_iter().collect();
        for part in new.chunks(1000) {
            self.known.extend(self.server.numbers(part)?);
        }
        Ok(())
    }

    /// Brings what is new of a spool; true where the server has all of it.
    fn bring(
        &mut self,
        spool: &SpoolFile,
        done: &mut Delivered,
        tell: &mut dyn FnMut(Delivered),
    ) -> Result<bool, ClientError> {
        let files = SystemFiles::shared();
        let mut reader = match self.readers.remove(&spool.path) {
            Some(mut reader) => {
                reader.set_past(spool.past);
                reader
            }
            None => match SpoolReader::open(files.as_ref(), &spool.path, spool.past) {
                Ok(reader) => reader,
                // Somebody else brought and removed it.
                Err(_) if !spool.path.exists() => return Ok(true),
                Err(error) => return Err(BookError::from(error).into()),
            },
        };
        let mut is_whole = true;
        let mut piece = PIECE;
        loop {
            let before = reader.state().offset();
            let mut records = Vec::new();
            let mut frames = reader.frames(piece).map_err(BookError::from)?;
            while let Some(frame) = frames.next() {
                let actor = frames.state().header().map(|header| header.actor.clone());
                let Ok(mut signed) = frame.to_signed(frames.state()) else {
                    is_whole = false;
                    continue;
                };
                if signed.actor.is_none() && frame.origin.is_none() {
                    signed.actor = actor.filter(|actor| !actor.is_empty());
                }
                records.push(signed);
            }
            let end = frames.end();
            is_whole &= end.lost.is_empty();
            if let Some(header) = reader.header().cloned() {
                self.send(&header, &records, done, tell)?;
            } else {
                is_whole = false;
            }
            if end.tail != Tail::More {
                break;
            }
            piece = if end.offset == before {
                piece * 2
            } else {
                PIECE
            };
        }
        self.readers.insert(spool.path.clone(), reader);
        Ok(is_whole)
    }

    /// Sends records that the server does not have, in batches.
    fn send(
        &mut self,
        header: &Header,
        records: &[Signed],
        done: &mut Delivered,
        tell: &mut dyn FnMut(Delivered),
    ) -> Result<(), ClientError> {
        self.learn(records.iter().map(|record| record.writer))?;
        let known = &self.known;
        let is_new = |record: &&Signed| {
            let ranges = known.get(&record.writer);
            !ranges.is_some_and(|ranges| has(ranges, record.seq))
        };
        let new: Vec<&Signed> = records.iter().filter(is_new).collect();
        self.send_files(&new, done)?;
        let mut rest = &new[..];
        while let Some(first) = rest.first() {
            let of = Header {
                writer: first.writer,
                // The actor of each record is said with it.
                actor: String::new(),
                ..header.clone()
            };
            let mut batch = FrameBatch::new(&of, first.seq).map_err(BookError::from)?;
            let mut taken = 0;
            for record in rest {
                let full = batch.bytes().len() >= BATCH;
                if full || !batch.push(record).map_err(BookError::from)? {
                    break;
                }
                taken += 1;
            }
            let ranges = self.known.entry(first.writer).or_default();
            // What is neither there nor here is lost.
            let lost = first.seq > 1 && !has(ranges, first.seq - 1);
            let told = self.server.frames(batch.bytes(), lost)?;
            for record in &rest[..taken] {
                add(ranges, record.seq);
            }
            done.records += told.new;
            rest = &rest[taken..];
            tell(*done);
        }
        Ok(())
    }

    /// Brings the bytes that records speak of before the records.
    fn send_files(&self, records: &[&Signed], done: &mut Delivered) -> Result<(), ClientError> {
        let sums: BTreeSet<String> = records.iter().flat_map(|it| sums_of(&it.op)).collect();
        let here = sums.into_iter().filter(|sum| self.artifacts.contains(sum));
        let here: Vec<String> = here.collect();
        for part in here.chunks(1000) {
            for sum in self.server.missing(part)? {
                let path = self.artifacts.path_of(&sum);
                let file = File::open(&path).map_err(|source| BookError::Io {
                    doing: "read",
                    path,
                    source,
                })?;
                self.server.put_file(&sum, &file)?;
                done.files += 1;
            }
        }
        Ok(())
    }
}

/// The sums that an operation speaks of.
fn sums_of(op: &Op) -> Vec<String> {
    match op {
        Op::PutArtifact(put) => put.sha256.iter().cloned().collect(),
        Op::Item(item) => {
            let texts = [&item.input, &item.output].into_iter().flatten();
            let sums = texts.filter_map(|text| text.strip_prefix("sha256:"));
            sums.map(str::to_owned).collect()
        }
        Op::Points(_)
        | Op::CreateExperiment(_)
        | Op::StartRun(_)
        | Op::SetStatus(_)
        | Op::SetParams(_)
        | Op::SetTags(_)
        | Op::SetField(_)
        | Op::PutNote(_)
        | Op::SetPointer(_)
        | Op::DefineMetric(_)
        | Op::Event(_)
        | Op::Log(_)
        | Op::Assess(_)
        | Op::LinkSnapshot(_)
        | Op::Progress(_)
        | Op::Heartbeat(_)
        | Op::Purge(_)
        | Op::CreateEntry(_)
        | Op::SetSecret(_)
        | Op::UseDataset(_)
        | Op::LinkModel(_)
        | Op::Span(_)
        | Op::Unknown { .. } => Vec::new(),
    }
}

fn has(ranges: &Ranges, seq: u64) -> bool {
    ranges
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&seq))
}

/// Adds a number, which follows another one most of the time.
fn add(ranges: &mut Ranges, seq: u64) {
    match ranges.iter_mut().find(|range| range.1 + 1 == seq) {
        Some(range) => range.1 = seq,
        None => ranges.push((seq, seq)),
    }
}
