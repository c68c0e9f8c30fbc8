//! Which sequence numbers of a writer are in the book, as ranges.
//!
//! A record is itself by its writer and number, whatever file it stands in: a file may be there twice, under
//! another name, or hold again what a file before it held. Ranges, not the greatest number: a file that turns
//! up late is new. Invariant: ranges are sorted, and between two of them at least one number is missing.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use trialbook_model::id::WriterUid;

use crate::backend::Look;
use crate::error::BookError;

/// First and last numbers.
pub(crate) type Ranges = Vec<(u64, u64)>;

/// The numbers of one writer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    ranges: Ranges,
    /// Whether one was added.
    grown: bool,
}

impl Numbers {
    /// From ranges as [`Self::ranges`] gives them.
    pub(crate) fn new(ranges: Ranges) -> Self {
        Self {
            ranges,
            grown: false,
        }
    }

    /// Whether a number is among them.
    pub(crate) fn has(&self, seq: u64) -> bool {
        // Most records follow all that are known.
        if self.ranges.last().is_none_or(|last| last.1 < seq) {
            return false;
        }
        let at = self.ranges.partition_point(|range| range.1 < seq);
        self.ranges[at].0 <= seq
    }

    /// Adds a number.
    pub(crate) fn add(&mut self, seq: u64) {
        self.grown = true;
        let at = self
            .ranges
            .partition_point(|range| range.1.saturating_add(1) < seq);
        match self.ranges.get_mut(at) {
            Some(range) if range.0 <= seq => range.1 = range.1.max(seq),
            Some(range) if seq.checked_add(1) == Some(range.0) => range.0 = seq,
            Some(_) | None => self.ranges.insert(at, (seq, seq)),
        }
        if let Some(next) = self.ranges.get(at + 1).copied()
            && next.0 <= self.ranges[at].1.saturating_add(1)
        {
            self.ranges[at].1 = self.ranges[at].1.max(next.1);
            self.ranges.remove(at + 1);
        }
    }

    /// The number behind the greatest one that is there and less than `seq`.
    pub(crate) fn next_before(&self, seq: u64) -> u64 {
        let at = self.ranges.partition_point(|range| range.0 < seq);
        match at.checked_sub(1) {
            Some(at) => self.ranges[at].1.min(seq - 1) + 1,
            None => 1,
        }
    }

    /// Whether a number was added since they were read.
    pub(crate) fn has_grown(&self) -> bool {
        self.grown
    }

    /// How many numbers are missing between those that are there.
    pub(crate) fn missing(&self) -> u64 {
        let gaps = self.ranges.windows(2);
        gaps.map(|two| two[1].0 - two[0].1 - 1).sum()
    }

    /// The ranges.
    pub(crate) fn ranges(&self) -> &Ranges {
        &self.ranges
    }
}

/// The numbers of several writers.
pub(crate) type Sequences = BTreeMap<WriterUid, Numbers>;

/// Whose numbers are looked up where they are not known yet.
pub(crate) struct Known<'a> {
    pub(crate) look: &'a dyn Look,
    pub(crate) sequences: &'a mut Sequences,
}

impl Known<'_> {
    /// The numbers of a writer.
    pub(crate) fn of(&mut self, writer: WriterUid) -> Result<&mut Numbers, BookError> {
        Ok(match self.sequences.entry(writer) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(self.look.sequence(writer)?),
        })
    }

    /// Takes a writer's numbers out; they are to be put back.
    pub(crate) fn take(&mut self, writer: WriterUid) -> Result<Numbers, BookError> {
        match self.sequences.remove(&writer) {
            Some(known) => Ok(known),
            None => self.look.sequence(writer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_a_set_of_numbers(added in prop::collection::vec(0_u64..30, 0..40)) {
            let mut numbers = Numbers::default();
            let mut expected = BTreeSet::new();
            for seq in added {
                assert_eq!(numbers.has(seq), expected.contains(&seq));
                numbers.add(seq);
                expected.insert(seq);
                let found: BTreeSet<u64> = (0..40).filter(|seq| numbers.has(*seq)).collect();
                assert_eq!(found, expected);
                let apart = numbers.ranges().windows(2).all(|two| two[0].1 + 1 < two[1].0);
                assert!(apart, "{:?}", numbers.ranges());
                let width = |set: &BTreeSet<u64>| Some(set.last()? - set.first()? + 1);
                let missing = width(&found).unwrap_or(0) - found.len() as u64;
                assert_eq!(numbers.missing(), missing);
                for seq in 1..40 {
                    let next = found.range(..seq).last().map_or(1, |last| last + 1);
                    assert_eq!(numbers.next_before(seq), next);
                }
            }
        }
    }
}
