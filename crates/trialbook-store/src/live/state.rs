//! What the one who writes knows of what is not sealed: the fold, and how far each spool was read.
//!
//! Not here: when something is sealed, what readers are given. Invariant: what was read or written is folded
//! once, by its writer and number.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::rc::Rc;

use trialbook_model::id::WriterUid;
use trialbook_model::record::{Op, Signed};
use trialbook_spool::{Files, Note};

use super::delivery::{Delivery, Gaps};
use super::own::Own;
use super::standing::is_spool;
use super::tail::Tail;
use crate::error::BookError;
use crate::fold::{Batch, Collector, Fold};
use crate::sealed::Sealed;
use crate::sequences::{Known, Sequences};

/// What is known of what is not sealed.
pub(super) struct State<'b> {
    pub(super) sealed: Rc<Sealed<'b>>,
    pub(super) fold: Fold<'b>,
    pub(super) tails: BTreeMap<PathBuf, Tail>,
    pub(super) sequences: Sequences,
    /// `None` until something is written.
    pub(super) own: Option<Own>,
    /// Files that are no spools.
    pub(super) passed_over: BTreeSet<PathBuf>,
    /// Bytes and records in the fold.
    pub(super) bytes: u64,
    pub(super) records: u64,
}

impl State<'_> {
    /// Takes up spools that are not known yet; true where there are some.
    pub(super) fn find(
        &mut self,
        files: &dyn Files,
        listed: Vec<PathBuf>,
    ) -> Result<bool, BookError> {
        let mut found = false;
        for path in listed.into_iter().filter(|path| is_spool(path)) {
            let known = self.own.as_ref().is_some_and(|own| own.has(&path))
                || self.tails.contains_key(&path)
                || self.passed_over.contains(&path);
            if known {
                continue;
            }
            match Tail::open(files, &path, self.sealed.look())? {
                Some(tail) => drop(self.tails.insert(path, tail)),
                None => drop(self.passed_over.insert(path)),
            }
            found = true;
        }
        Ok(found)
    }

    /// Reads what is new in the spools of others, about so many bytes at most. Points of subjects that keep
    /// equal ones once are read again in the order of stamps.
    pub(super) fn read(
        &mut self,
        files: &dyn Files,
        limit: u64,
    ) -> Result<(Batch, u64), BookError> {
        let mut ordered = BTreeSet::new();
        loop {
            let mut collector = Collector::new(ordered.clone());
            let mut begun = Vec::new();
            let mut left = limit;
            // Only where some are read again are they needed: there are few of them, and seldom news.
            let before = match self.tails.values().any(Tail::has_news) {
                true => Some(self.sequences.clone()),
                false => None,
            };
            for tail in self.tails.values_mut().filter(|tail| tail.has_news()) {
                if left == 0 {
                    break;
                }
                let mut known = Known {
                    look: self.sealed.look(),
                    sequences: &mut self.sequences,
                };
                let mut numbers = known.take(tail.writer)?;
                begun.push((tail.path().to_owned(), tail.record.clone()));
                let into = (&mut collector, &mut numbers, &mut known);
                let read = tail.read(files, left, into);
                self.sequences.insert(tail.writer, numbers);
                left = left.saturating_sub(read?);
            }
            match collector.finish() {
                Ok(batch) => return Ok((batch, limit - left)),
                Err(subjects) => ordered.extend(subjects),
            }
            self.sequences = before.unwrap_or_default();
            for (path, record) in begun.into_iter().rev() {
                if let Some(tail) = self.tails.get_mut(&path) {
                    tail.rewind(record);
                }
            }
        }
    }

    /// Appends operations to the own spool, which is open, and gives them as they are signed.
    pub(super) fn record(
        &mut self,
        said: &[(Op, Note)],
        signed: &mut Vec<Signed>,
    ) -> Result<(), BookError> {
        let Some(own) = &mut self.own else {
            return Ok(());
        };
        for (op, note) in said {
            let stamp = own.record(op, note)?;
            let numbers = self.sequences.entry(stamp.writer).or_default();
            numbers.add(stamp.seq);
            signed.push(Signed {
                time: stamp.time,
                writer: stamp.writer,
                seq: stamp.seq,
                actor: note.actor.clone().or_else(|| own.actor()),
                operation: note.operation,
                op: op.clone(),
            });
        }
        Ok(())
    }

    /// Appends what others wrote to the own spool, which is open, but for what is known already; gives it as it is
    /// signed. Nothing is written where a record is missing before it.
    pub(super) fn deliver(
        &mut self,
        delivered: &[Signed],
        gaps: Gaps,
        signed: &mut Vec<Signed>,
    ) -> Result<Delivery, BookError> {
        let Some(own) = &mut self.own else {
            return Ok(Delivery::default());
        };
        let mut known = Known {
            look: self.sealed.look(),
            sequences: &mut self.sequences,
        };
        let mut before: Option<(WriterUid, u64)> = None;
        for record in delivered {
            let numbers = known.of(record.writer)?;
            let follows = before == record.seq.checked_sub(1).map(|seq| (record.writer, seq));
            if !follows && !numbers.has(record.seq) && gaps == Gaps::Refused {
                let expected = numbers.next_before(record.seq);
                if expected != record.seq {
                    let writer = record.writer;
                    return Ok(Delivery::Missing { writer, expected });
                }
            }
            before = Some((record.writer, record.seq));
        }
        let repeated = |taken: usize| (delivered.len() - taken) as u64;
        for record in delivered {
            if known.of(record.writer)?.has(record.seq) {
                continue;
            }
            let seq = own.record_of(record)?;
            known.of(own.writer())?.add(seq);
            known.of(record.writer)?.add(record.seq);
            signed.push(record.clone());
        }
        Ok(Delivery::Taken {
            new: signed.len() as u64,
            repeated: repeated(signed.len()),
        })
    }

    /// Which numbers of a writer are in the book, as first and last ones.
    pub(super) fn numbers_of(&mut self, writer: WriterUid) -> Result<Vec<(u64, u64)>, BookError> {
        let mut known = Known {
            look: self.sealed.look(),
            sequences: &mut self.sequences,
        };
        Ok(known.of(writer)?.ranges().clone())
    }

    /// Bytes written to the own spool.
    pub(super) fn own_bytes(&self) -> u64 {
        self.own.as_ref().map_or(0, Own::bytes)
    }
}
