//! The experiments of a book as the index keeps them: few, so as plain values.
//!
//! Not here: which runs belong to them (a column says it). Invariant: an experiment that was never told of
//! answers as one without a name.

use std::collections::BTreeMap;

use trialbook_model::id::ExperimentNo;
use trialbook_model::record::Goal;

use super::facts::ExperimentFacts;
use super::layout::{Damaged, u32_at, u64_at};

/// Experiments by number.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Experiments {
    /// Sorted by number. Numbers are dense, so that an experiment mostly stands where its number says.
    known: Vec<ExperimentFacts>,
    unknown: ExperimentFacts,
}

impl Experiments {
    /// Takes in an experiment, in the place of what was known of it.
    pub(super) fn put(&mut self, experiment: ExperimentFacts) {
        match self.find(experiment.no.0) {
            Ok(at) => self.known[at] = experiment,
            Err(at) => self.known.insert(at, experiment),
        }
    }

    /// All that are known, by number.
    pub(super) fn all(&self) -> &[ExperimentFacts] {
        &self.known
    }

    /// What is known of one.
    pub(super) fn get(&self, no: u64) -> &ExperimentFacts {
        self.find(no).map_or(&self.unknown, |at| &self.known[at])
    }

    fn find(&self, no: u64) -> Result<usize, usize> {
        let at = usize::try_from(no).unwrap_or(usize::MAX);
        if self.known.get(at).is_some_and(|of| of.no.0 == no) {
            return Ok(at);
        }
        self.known.binary_search_by_key(&no, |of| of.no.0)
    }

    /// Whether no experiment is archived or in the bin.
    pub(super) fn are_all_active(&self) -> bool {
        self.known.iter().all(|of| !of.archived && !of.deleted)
    }

    /// As bytes: for each its number, flags, texts and goals.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend((self.known.len() as u64).to_le_bytes());
        for experiment in &self.known {
            out.extend(experiment.no.0.to_le_bytes());
            out.push(u8::from(experiment.archived) | u8::from(experiment.deleted) << 1);
            write_text(&mut out, experiment.name.as_deref());
            write_text(&mut out, experiment.handle.as_deref());
            write_text(&mut out, Some(&experiment.project));
            out.extend((experiment.goals.len() as u32).to_le_bytes());
            for (metric, goal) in &experiment.goals {
                write_text(&mut out, Some(metric));
                out.push(match goal {
                    Goal::None => 0,
                    Goal::Min => 1,
                    Goal::Max => 2,
                });
            }
        }
        out
    }

    /// Reads what [`Experiments::write`] wrote.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut left = Left(bytes);
        let mut experiments = Self::default();
        for _ in 0..left.u64()? {
            experiments.put(left.experiment()?);
        }
        Ok(experiments)
    }
}

/// A text with its length before it; `u32::MAX` stands for none.
fn write_text(out: &mut Vec<u8>, text: Option<&str>) {
    let Some(text) = text else {
        out.extend(u32::MAX.to_le_bytes());
        return;
    };
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

/// Bytes that were not read yet.
struct Left<'a>(&'a [u8]);

impl<'a> Left<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Damaged> {
        let (taken, left) = self.0.split_at_checked(len).ok_or(Damaged)?;
        self.0 = left;
        Ok(taken)
    }

    fn u64(&mut self) -> Result<u64, Damaged> {
        u64_at(self.take(8)?, 0)
    }

    fn u32(&mut self) -> Result<u32, Damaged> {
        u32_at(self.take(4)?, 0)
    }

    fn byte(&mut self) -> Result<u8, Damaged> {
        self.take(1)?.first().copied().ok_or(Damaged)
    }

    fn text(&mut self) -> Result<Option<String>, Damaged> {
        let len = self.u32()?;
        if len == u32::MAX {
            return Ok(None);
        }
        let text = std::str::from_utf8(self.take(len as usize)?);
        Ok(Some(text.map_err(|_invalid| Damaged)?.to_owned()))
    }

    fn experiment(&mut self) -> Result<ExperimentFacts, Damaged> {
        let no = ExperimentNo(self.u64()?);
        let flags = self.byte()?;
        let name = self.text()?;
        let handle = self.text()?;
        let project = self.text()?.ok_or(Damaged)?;
        let mut goals = BTreeMap::new();
        for _ in 0..self.u32()? {
            let metric = self.text()?.ok_or(Damaged)?;
            let goal = match self.byte()? {
                0 => Goal::None,
                1 => Goal::Min,
                2 => Goal::Max,
                _ => return Err(Damaged),
            };
            goals.insert(metric, goal);
        }
        Ok(ExperimentFacts {
            no,
            name,
            handle,
            project,
            archived: flags & 1 != 0,
            deleted: flags & 2 != 0,
            goals,
        })
    }
}
