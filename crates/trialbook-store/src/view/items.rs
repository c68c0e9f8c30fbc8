//! Counting items by labels: only the columns that are counted by are unpacked.
//!
//! Each block is counted column by column: first the group of each item, as a small number, then one pass
//! for each column of numbers. Of runs whose items have numbers of repeats or attempts whole records are read, for a
//! later one may stand in another block. Invariant: sums are exact, whatever the order of blocks and runs.

use std::collections::BTreeMap;
use std::thread;

use rustc_hash::FxHashMap;
use trialbook_model::derived::answers;
use trialbook_model::exact_sum::ExactSum;
use trialbook_model::id::RunNo;
use trialbook_model::record::Item;
use trialbook_spool::codec::Scratch;

use super::BookView;
use super::sums::{GroupSums, Sum};
use crate::backend::{ChunkRecord, Part};
use crate::error::BookError;
use crate::nouns::Owner;
use crate::pack::{ItemColumns, LabelColumn, score_of, unpack_numbers};
use crate::query::ItemGroup;
use crate::reading::Reading as _;

/// What is counted of a group.
#[derive(Debug, Clone, Default)]
struct Tally {
    count: u64,
    scores: Sum,
    errors: u64,
    latencies: Sum,
    costs: Sum,
}

/// Groups met so far.
#[derive(Default)]
struct Groups {
    tallies: Vec<Tally>,
    places: BTreeMap<Vec<Option<String>>, usize>,
}

/// The groups of the items of one block.
struct BlockGroups {
    /// For each item its group.
    groups: Vec<u32>,
    /// For each group an item that is in it.
    examples: Vec<usize>,
}

/// Bytes of packed columns that are held at once.
const AT_ONCE: usize = 64 << 20;

/// Blocks that repay a thread of their own.
const BLOCKS_EACH: usize = 8;

/// Combined codes up to which a table finds groups faster than a map.
const TABLE: usize = 1 << 20;

impl BlockGroups {
    fn new(count: usize) -> Self {
        Self {
            groups: vec![0; count],
            examples: if count == 0 { Vec::new() } else { vec![0] },
        }
    }

    /// Divides the groups by another label.
    fn divide(&mut self, column: &LabelColumn) {
        let width = column.values.len() as u64 + 1;
        let combined = self.groups.iter().zip(&column.codes);
        let combined = combined.map(|(group, code)| u64::from(*group) * width + u64::from(*code));
        let mut examples = Vec::new();
        let mut table = Vec::new();
        let mut map = FxHashMap::default();
        let all = self.examples.len() as u64 * width;
        if all <= TABLE as u64 {
            table.resize(all as usize, u32::MAX);
        }
        let mut groups = Vec::with_capacity(self.groups.len());
        for (at, key) in combined.enumerate() {
            let slot = match table.get_mut(key as usize) {
                Some(slot) => slot,
                None => map.entry(key).or_insert(u32::MAX),
            };
            if *slot == u32::MAX {
                *slot = examples.len() as u32;
                examples.push(at);
            }
            groups.push(*slot);
        }
        (self.groups, self.examples) = (groups, examples);
    }
}

impl Groups {
    fn place(&mut self, labels: Vec<Option<String>>) -> usize {
        let next = self.tallies.len();
        let place = *self.places.entry(labels).or_insert(next);
        if place == next {
            self.tallies.push(Tally::default());
        }
        place
    }

    fn add_item(&mut self, item: &Item, labels: &[String]) {
        let values = labels.iter().map(|label| item.labels.get(label).cloned());
        let place = self.place(values.collect());
        let tally = &mut self.tallies[place];
        tally.count += 1;
        tally.errors += u64::from(item.error.is_some());
        tally.scores.add(score_of(item));
        tally.latencies.add(item.latency_ms);
        tally.costs.add(item.cost);
    }

    fn add_columns(&mut self, columns: &ItemColumns, labels: &[String]) {
        let by: Vec<Option<&LabelColumn>> = labels
            .iter()
            .map(|label| columns.labels.iter().find(|column| column.label == *label))
            .collect();
        let mut block = BlockGroups::new(columns.count);
        for column in by.iter().flatten() {
            block.divide(column);
        }
        let mut counts = vec![(0_u64, 0_u64); block.examples.len()];
        for (group, error) in block.groups.iter().zip(&columns.errors) {
            let (count, errors) = &mut counts[*group as usize];
            *count += 1;
            *errors += u64::from(*error);
        }
        let sums = |column| GroupSums::of(column, &block.groups, block.examples.len());
        let scores = sums(&columns.scores);
        let latencies = sums(&columns.latencies);
        let costs = sums(&columns.costs);
        for (group, example) in block.examples.iter().enumerate() {
            let value = |column: Option<&LabelColumn>| {
                let column = column?;
                let code = column.codes[*example].checked_sub(1)?;
                column.values.get(code as usize).cloned()
            };
            let place = self.place(by.iter().copied().map(value).collect());
            let tally = &mut self.tallies[place];
            tally.count += counts[group].0;
            tally.errors += counts[group].1;
            scores.add_to(group, &mut tally.scores);
            latencies.add_to(group, &mut tally.latencies);
            costs.add_to(group, &mut tally.costs);
        }
    }

    /// Takes in what was counted of other items.
    fn merge(&mut self, other: Self) {
        for (labels, theirs) in other.places {
            let place = self.place(labels);
            let (tally, other) = (&mut self.tallies[place], &other.tallies[theirs]);
            tally.count += other.count;
            tally.errors += other.errors;
            tally.scores.merge(&other.scores);
            tally.latencies.merge(&other.latencies);
            tally.costs.merge(&other.costs);
        }
    }

    fn finish(self) -> Vec<ItemGroup> {
        let mut tallies: Vec<Option<Tally>> = self.tallies.into_iter().map(Some).collect();
        let groups = self.places.into_iter().filter_map(|(labels, place)| {
            let tally = tallies[place].take()?;
            Some(ItemGroup {
                labels,
                count: tally.count,
                scored: tally.scores.finite,
                mean_score: tally.scores.mean(),
                errors: tally.errors,
                mean_latency_ms: tally.latencies.mean(),
                cost: (tally.costs.finite > 0).then(|| ExactSum::value(&tally.costs.sum)),
            })
        });
        groups.collect()
    }
}

impl BookView<'_> {
    pub(super) fn count_items(
        &self,
        runs: &[RunNo],
        labels: &[String],
    ) -> Result<Vec<ItemGroup>, BookError> {
        let mut groups = Groups::default();
        let (mut blocks, mut bytes) = (Vec::new(), 0);
        for run in runs {
            if self.has_superseded(*run)? {
                let items = self.items(*run)?;
                let ordered = items.iter().map(|item| (item.stamp.order(), &item.record));
                for (_, item) in answers(ordered) {
                    groups.add_item(item, labels);
                }
                continue;
            }
            let (places, kept) = self.places(&Owner::Run(*run))?;
            if let Some(place) = places.items {
                let chunks = self
                    .sealed
                    .stream(&places, place.stream, place.blocks, Part::Roll)?;
                bytes += chunks.iter().map(|chunk| chunk.roll.len()).sum::<usize>();
                blocks.extend(chunks);
            }
            if bytes > AT_ONCE {
                groups.merge(counted(&blocks, labels)?);
                blocks.clear();
                bytes = 0;
            }
            for item in kept.into_iter().flat_map(|kept| &kept.items) {
                groups.add_item(&item.record, labels);
            }
        }
        groups.merge(counted(&blocks, labels)?);
        Ok(groups.finish())
    }

    /// Whether a run may have records of items that a later one took the place of: then the columns alone do not say
    /// what counts.
    fn has_superseded(&self, run: RunNo) -> Result<bool, BookError> {
        let Some(row) = self.row(run)? else {
            return Ok(false);
        };
        let derived = &row.state.derived;
        Ok(derived.has_numbered_items() || !derived.is_current())
    }
}

/// Counts blocks, on several threads where there are many.
fn counted(blocks: &[ChunkRecord], labels: &[String]) -> Result<Groups, BookError> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = blocks.len().div_ceil(threads).max(BLOCKS_EACH);
    let mut parts = blocks.chunks(share);
    let first = parts.next().unwrap_or_default();
    thread::scope(|scope| {
        let others: Vec<_> = parts
            .map(|part| scope.spawn(move || count_blocks(part, labels)))
            .collect();
        let mut groups = count_blocks(first, labels)?;
        for other in others {
            groups.merge(other.join().expect("counting does not panic")?);
        }
        Ok(groups)
    })
}

fn count_blocks(blocks: &[ChunkRecord], labels: &[String]) -> Result<Groups, BookError> {
    let mut groups = Groups::default();
    let mut scratch = Scratch::default();
    for block in blocks {
        let columns = unpack_numbers(&block.roll, Some(labels), &mut scratch)
            .map_err(BookError::damaged("chunk", block.id))?;
        groups.add_columns(&columns, labels);
    }
    Ok(groups)
}
