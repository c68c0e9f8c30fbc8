//! The column index of a book: which runs satisfy a condition, in which order.
//!
//! Runs stand in segments of 65,536 by their number. A segment is one block of bytes that never changes:
//! columns by (kind, key, context), each dense or sparse, with its CRC. Changed runs lie over the segments
//! as plain facts that are judged one by one, until [`Index::settle`] or a snapshot folds them in.
//! Not here: the rows themselves, points, which changes there are (the store feeds them by `rev`).
//! Invariant: a search answers as judging each run by `holds` and sorting by `compare_rows` would, whatever
//! lies in segments, over them, or in a mapped file; damaged bytes give [`Damaged`], never an answer.

mod attributes;
mod bits;
mod build;
mod column;
mod counts;
mod datasets;
mod dictionary;
mod encode;
mod experiments;
mod facts;
mod judge;
mod layout;
mod mapping;
mod names;
mod numbers;
mod order;
mod run_view;
mod search;
mod segment;
mod snapshot;
mod source;
mod words;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use trialbook_model::id::{RunNo, Uid};

use bits::Bits;
use build::SegmentBuilder;
pub use datasets::DatasetFacts;
use experiments::Experiments;
pub use facts::{ExperimentFacts, Fact, ParamText, RunFacts, SeriesName};
pub use layout::Damaged;
use layout::place_of;
pub use numbers::Numbers;
pub use run_view::RunView;
use segment::Segment;
use snapshot::{Snapshot, SnapshotFile};
pub use snapshot::{SnapshotError, VERSION};

/// What lies over the segments for one run.
#[derive(Debug, Clone)]
enum Change {
    Put(Arc<RunFacts<'static>>),
    Purged,
}

/// What changed in a book.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The revision that the index is good for once it has these.
    pub rev: u64,
    /// New and changed runs, whole.
    pub runs: Vec<RunFacts<'static>>,
    /// Runs that are gone for good.
    pub purged: Vec<RunNo>,
    /// New and changed experiments, whole.
    pub experiments: Vec<ExperimentFacts>,
}

/// A column index. A clone shares all segments and costs next to nothing, so that a view can lay what is not
/// sealed yet over its own clone.
#[derive(Debug, Clone)]
pub struct Index {
    book: Uid,
    rev: u64,
    /// By number of the segment.
    segments: Arc<Vec<Option<Arc<Segment>>>>,
    /// By number of the run.
    changed: Arc<BTreeMap<u64, Change>>,
    experiments: Arc<Experiments>,
}

impl Index {
    /// The index of a book without runs.
    pub fn empty(book: Uid) -> Self {
        Self {
            book,
            rev: 0,
            segments: Arc::default(),
            changed: Arc::default(),
            experiments: Arc::default(),
        }
    }

    /// Maps the snapshot of a book. What it holds is checked when it is first used.
    pub fn open(path: &Path, book: Uid) -> Result<Self, SnapshotError> {
        let snapshot = Snapshot::open(path, book)?;
        Ok(Self {
            book,
            rev: snapshot.rev,
            segments: Arc::new(snapshot.segments),
            changed: Arc::default(),
            experiments: Arc::new(snapshot.experiments),
        })
    }

    /// The identity of the book that it belongs to.
    pub fn book(&self) -> Uid {
        self.book
    }

    /// The revision up to which it knows the book; what changed since is to be applied.
    pub fn rev(&self) -> u64 {
        self.rev
    }

    /// What it keeps of experiments, by number.
    pub fn experiments(&self) -> &[ExperimentFacts] {
        self.experiments.all()
    }

    /// How many changed runs lie over the segments. Each costs a search about a microsecond; from some
    /// thousands on [`Index::settle`] pays.
    pub fn pending(&self) -> usize {
        self.changed.len()
    }

    /// Lays changes over the segments.
    pub fn apply(&mut self, changes: Changes) {
        self.rev = self.rev.max(changes.rev);
        if !changes.experiments.is_empty() {
            let experiments = Arc::make_mut(&mut self.experiments);
            for experiment in changes.experiments {
                experiments.put(experiment);
            }
        }
        if changes.runs.is_empty() && changes.purged.is_empty() {
            return;
        }
        let changed = Arc::make_mut(&mut self.changed);
        for run in changes.runs {
            changed.insert(run.no.0, Change::Put(Arc::new(run)));
        }
        for no in changes.purged {
            changed.insert(no.0, Change::Purged);
        }
    }

    /// Folds the changes into the segments; only segments with changes are built anew.
    pub fn settle(&mut self) -> Result<(), Damaged> {
        let mut segments = self.segments.to_vec();
        let mut rest = self.changed.iter().peekable();
        while let Some((no, _)) = rest.peek() {
            let (at, _) = place_of(**no);
            let mut changes = Vec::new();
            while let Some(change) = rest.next_if(|(no, _)| place_of(**no).0 == at) {
                changes.push(change);
            }
            let at = at as usize;
            if segments.len() <= at {
                segments.resize(at + 1, None);
            }
            segments[at] = fold(segments[at].as_deref(), &changes)?.map(Arc::new);
        }
        self.segments = Arc::new(segments);
        self.changed = Arc::default();
        Ok(())
    }

    /// Writes the snapshot, changes folded in, and reads from it from now on. What comes from a damaged
    /// snapshot is not written again.
    pub fn write(&mut self, path: &Path) -> Result<(), SnapshotError> {
        self.settle()?;
        let mut file = SnapshotFile::create(path)?;
        for (no, segment) in (0..).zip(self.segments.iter()) {
            if let Some(segment) = segment {
                file.add(no, segment)?;
            }
        }
        file.finish(self.book, self.rev, &self.experiments)?;
        *self = Self::open(path, self.book)?;
        Ok(())
    }
}

/// A segment with changes folded in; `None` when no run is left.
fn fold(
    segment: Option<&Segment>,
    changes: &[(&u64, &Change)],
) -> Result<Option<Segment>, Damaged> {
    let mut builder = SegmentBuilder::default();
    if let Some(segment) = segment {
        let mut keep = Bits::all(segment.len()?);
        for (no, _) in changes {
            let place = usize::from(place_of(**no).1);
            if place < keep.len() {
                keep.clear(place);
            }
        }
        builder.add_segment(segment, &keep)?;
    }
    for (_, change) in changes {
        match change {
            Change::Put(run) => builder.add(run),
            Change::Purged => {}
        }
    }
    Ok((!builder.is_empty()).then(|| builder.finish()))
}

/// An index that is built from all runs of a book, segment by segment.
#[derive(Debug)]
pub struct IndexBuilder {
    index: Index,
    /// Where whole segments go; they stay in memory without one.
    file: Option<SnapshotFile>,
    path: Option<std::path::PathBuf>,
    segment: SegmentBuilder,
    /// The segment that is being filled.
    at: u64,
}

impl IndexBuilder {
    /// Builds in memory.
    pub fn new(book: Uid) -> Self {
        Self {
            index: Index::empty(book),
            file: None,
            path: None,
            segment: SegmentBuilder::default(),
            at: 0,
        }
    }

    /// Builds into a snapshot, so that only one segment is in memory at any time.
    pub fn in_file(book: Uid, path: &Path) -> Result<Self, SnapshotError> {
        Ok(Self {
            file: Some(SnapshotFile::create(path)?),
            path: Some(path.to_owned()),
            ..Self::new(book)
        })
    }

    /// Adds an experiment.
    pub fn add_experiment(&mut self, experiment: ExperimentFacts) {
        Arc::make_mut(&mut self.index.experiments).put(experiment);
    }

    /// Adds a run; runs come in ascending order of their numbers.
    pub fn add_run(&mut self, run: &RunFacts<'_>) -> Result<(), SnapshotError> {
        let (at, _) = place_of(run.no.0);
        if at != self.at {
            self.end_segment()?;
            self.at = at;
        }
        self.segment.add(run);
        Ok(())
    }

    fn end_segment(&mut self) -> Result<(), SnapshotError> {
        let segment = std::mem::take(&mut self.segment);
        if segment.is_empty() {
            return Ok(());
        }
        let segment = segment.finish();
        if let Some(file) = &mut self.file {
            return file.add(self.at, &segment);
        }
        let segments = Arc::make_mut(&mut self.index.segments);
        segments.resize(self.at as usize, None);
        segments.push(Some(Arc::new(segment)));
        Ok(())
    }

    /// The index, good for a revision.
    pub fn finish(mut self, rev: u64) -> Result<Index, SnapshotError> {
        self.end_segment()?;
        self.index.rev = rev;
        if let (Some(file), Some(path)) = (self.file, self.path) {
            file.finish(self.index.book, rev, &self.index.experiments)?;
            return Index::open(&path, self.index.book);
        }
        Ok(self.index)
    }
}

#[cfg(test)]
mod tests;
