//! What whoever follows a book asks of its views: what is new, without reading again what is known.
//!
//! Not here: who follows, and how far each has come. Invariant: records come in the order in which they are kept,
//! and of one writer always in the order of its numbers.

use serde::de::DeserializeOwned;
use trialbook_model::id::{RunNo, RunUid};
use trialbook_model::record::{Event, Log, SeriesKey, Span};

use super::BookView;
use super::points::sorted;
use crate::backend::{Part, Wanted};
use crate::error::BookError;
use crate::fold::Kept;
use crate::nouns::{Owner, Recorded, Series};
use crate::pack::{Places, RecordPlace, unpack_records};

/// Which look at a book it is: what was sealed, and which batch was folded onto it last. A book that is taken into
/// service again counts batches anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Version {
    /// Raised by each seal.
    pub rev: u64,
    /// Raised by each batch since.
    pub tick: u64,
}

/// Runs that may have changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moved {
    /// By number.
    pub changed: Vec<RunNo>,
    /// Removed for good, by number.
    pub removed: Vec<RunNo>,
}

/// Some records in the order in which they are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece<T> {
    /// They.
    pub records: Vec<Recorded<T>>,
    /// The sealed block at which reading on begins; all before it were read to their end.
    pub block: u32,
    /// Whether nothing follows.
    pub is_last: bool,
}

impl BookView<'_> {
    /// Which look it is.
    pub fn version(&self) -> Version {
        Version {
            rev: self.sealed.counters().rev,
            tick: self.fold.tick,
        }
    }

    /// The number that the next new run gets.
    pub fn next_run(&self) -> RunNo {
        RunNo(self.fold.counters.run)
    }

    /// Runs that may have changed since an earlier look of the same service, or since an earlier seal where the tick
    /// is 0.
    pub fn moved_since(&self, known: Version) -> Result<Moved, BookError> {
        let now = self.version();
        let tick = if now.rev == known.rev { known.tick } else { 0 };
        let unsealed = self.fold.runs.iter().filter(|(_, run)| run.tick > tick);
        let mut moved = Moved {
            changed: unsealed.map(|(no, _)| *no).collect(),
            removed: self.fold.removed.keys().copied().collect(),
        };
        if now.rev != known.rev {
            for record in self.sealed.look().runs(Wanted::Since(known.rev))? {
                if !self.fold.removed.contains_key(&record.no) {
                    moved.changed.push(record.no);
                }
            }
            moved
                .removed
                .extend(self.sealed.look().removed_since(known.rev)?);
            moved.changed.sort();
            moved.changed.dedup();
        }
        Ok(moved)
    }

    /// Whether runs may have changed more than this many times since a seal.
    pub fn many_sealed_since(&self, rev: u64, many: u64) -> Result<bool, BookError> {
        Ok(self.sealed.look().changed_since(rev)? > many)
    }

    /// The number of the run, where it is there.
    pub fn owner_of(&self, uid: RunUid) -> Result<Option<Owner>, BookError> {
        use crate::reading::Reading as _;
        Ok(self.run_no(uid)?.map(Owner::Run))
    }

    /// Console output from a sealed block on.
    pub fn logs_from(&self, of: &Owner, block: u32) -> Result<Piece<Log>, BookError> {
        self.piece((of, block), |places| places.logs, |kept| &kept.logs)
    }

    /// Events from a sealed block on.
    pub fn events_from(&self, of: &Owner, block: u32) -> Result<Piece<Event>, BookError> {
        self.piece((of, block), |places| places.events, |kept| &kept.events)
    }

    /// Spans from a sealed block on.
    pub fn spans_from(&self, of: &Owner, block: u32) -> Result<Piece<Span>, BookError> {
        self.piece((of, block), |places| places.spans, |kept| &kept.spans)
    }

    /// One sealed block, or the last one and everything behind it. Where a seal has written the last block anew it is
    /// read again.
    fn piece<T: DeserializeOwned + Clone>(
        &self,
        (of, block): (&Owner, u32),
        place: impl Fn(&Places) -> Option<RecordPlace>,
        new: impl Fn(&Kept) -> &Vec<Recorded<T>>,
    ) -> Result<Piece<T>, BookError> {
        let (places, kept) = self.places(of)?;
        let place = place(&places);
        let last = place.map_or(0, |place| place.blocks.saturating_sub(1));
        let block = block.min(last);
        let mut records = Vec::new();
        if let Some(place) = place.filter(|place| place.blocks > 0) {
            let chunk = self
                .sealed
                .chunk(places.chunk(place.stream, block), Part::Data)?;
            unpack_records(&chunk.data, &mut records)
                .map_err(BookError::damaged("chunk", chunk.id))?;
        }
        let is_last = block == last;
        if is_last && let Some(kept) = kept {
            records.extend_from_slice(new(kept));
        }
        let block = if is_last { last } else { block + 1 };
        Ok(Piece {
            records,
            block,
            is_last,
        })
    }

    /// What is new of records since the seal, where a run was spoken of since.
    pub fn unsealed_logs(&self, of: &Owner) -> &[Recorded<Log>] {
        self.fold.kept(of).map_or(&[], |kept| &kept.logs)
    }

    /// The same of events.
    pub fn unsealed_events(&self, of: &Owner) -> &[Recorded<Event>] {
        self.fold.kept(of).map_or(&[], |kept| &kept.events)
    }

    /// The same of spans.
    pub fn unsealed_spans(&self, of: &Owner) -> &[Recorded<Span>] {
        self.fold.kept(of).map_or(&[], |kept| &kept.spans)
    }

    /// The sealed points of a series, in the order of points.
    pub fn sealed_points(&self, of: &Owner, key: &SeriesKey) -> Result<Series, BookError> {
        let (places, _) = self.places(of)?;
        Ok(sorted(self.sealed.series(&places, key)?))
    }

    /// Its points that are not sealed, in the order of points.
    pub fn unsealed_points(&self, of: &Owner, key: &SeriesKey) -> Series {
        let points = self.fold.kept(of).map(|kept| &kept.points);
        let columns = points.and_then(|points| Some(points.columns(points.known_slot(key)?)));
        let Some(new) = columns else {
            return Series::default();
        };
        sorted(Series {
            steps: new.steps,
            times: new.times,
            values: new.values,
        })
    }
}
