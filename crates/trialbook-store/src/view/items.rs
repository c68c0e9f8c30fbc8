//! Counting items by labels: only the columns that are counted by are unpacked.
//!
//! Each block is counted column by column: first the group of each item, as a small number, then one pass
//! for each column of numbers. Invariant: sums are exact, whatever the order of blocks and runs.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use trialbook_model::exact_sum::ExactSum;
use trialbook_model::id::RunNo;
use trialbook_model::record::Item;

use super::BookView;
use super::sums::{GroupSums, Sum};
use crate::backend::Part;
use crate::error::BookError;
use crate::nouns::Owner;
use crate::pack::{ItemColumns, LabelColumn, score_of, unpack_numbers};
use crate::query::ItemGroup;

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
        for run in runs {
            let (places, kept) = self.places(&Owner::Run(*run))?;
            if let Some(place) = places.items {
                let chunks = self
                    .sealed
                    .stream(&places, place.stream, place.blocks, Part::Roll)?;
                for chunk in chunks {
                    let scratch = &mut self.sealed.scratch();
                    let columns = unpack_numbers(&chunk.roll, Some(labels), scratch)
                        .map_err(BookError::damaged("chunk", chunk.id))?;
                    groups.add_columns(&columns, labels);
                }
            }
            for item in kept.into_iter().flat_map(|kept| &kept.items) {
                groups.add_item(&item.record, labels);
            }
        }
        Ok(groups.finish())
    }
}
