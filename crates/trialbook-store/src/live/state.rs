//! What the one who writes knows of what is not sealed: the fold, and how far each spool was read.
//!
//! Not here: when something is sealed, what readers are given. Invariant: what was read or written is folded
//! once, by its writer and number.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::rc::Rc;

use trialbook_model::record::{Op, Signed};
use trialbook_spool::{Files, Note};

use super::own::Own;
use super::standing::is_spool;
use super::tail::Tail;
use crate::error::BookError;
use crate::fold::{Batch, Collector, Fold};
use crate::sealed::Sealed;
use crate::sequences::Sequences;

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
            for tail in self.tails.values_mut().filter(|tail| tail.has_news()) {
                if left == 0 {
                    break;
                }
                let numbers = match self.sequences.entry(tail.writer) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(self.sealed.look().sequence(tail.writer)?),
                };
                begun.push((tail.path().to_owned(), tail.record.clone(), numbers.clone()));
                left = left.saturating_sub(tail.read(files, left, (&mut collector, numbers))?);
            }
            match collector.finish() {
                Ok(batch) => return Ok((batch, limit - left)),
                Err(subjects) => ordered.extend(subjects),
            }
            for (path, record, numbers) in begun.into_iter().rev() {
                if let Some(tail) = self.tails.get_mut(&path) {
                    self.sequences.insert(tail.writer, numbers);
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

    /// Bytes written to the own spool.
    pub(super) fn own_bytes(&self) -> u64 {
        self.own.as_ref().map_or(0, Own::bytes)
    }
}
