//! Counting items by labels: only the columns that are counted by are unpacked.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use trialbook_model::exact_sum::ExactSum;
use trialbook_model::id::RunNo;
use trialbook_model::record::Item;

use super::BookView;
use crate::backend::Part;
use crate::error::BookError;
use crate::nouns::Owner;
use crate::pack::{ItemColumns, score_of, unpack_numbers};
use crate::query::ItemGroup;

/// What is counted of a group.
#[derive(Debug, Clone, Default)]
struct Tally {
    count: u64,
    scores: Column,
    errors: u64,
    latencies: Column,
    costs: Column,
}

/// Numbers of a group.
#[derive(Debug, Clone, Default)]
struct Column {
    finite: u64,
    sum: ExactSum,
}

impl Column {
    fn add(&mut self, value: Option<f64>) {
        let Some(value) = value else { return };
        if value.is_finite() {
            self.finite += 1;
            self.sum.add(value);
        }
    }
}

/// Groups met so far.
#[derive(Default)]
struct Groups {
    tallies: Vec<Tally>,
    places: BTreeMap<Vec<Option<String>>, usize>,
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
        tally.scores.add(score_of(item));
        tally.errors += u64::from(item.error.is_some());
        tally.latencies.add(item.latency_ms);
        tally.costs.add(item.cost);
    }

    fn add_columns(&mut self, columns: &ItemColumns, labels: &[String]) {
        let by: Vec<Option<usize>> = labels
            .iter()
            .map(|label| {
                columns
                    .labels
                    .iter()
                    .position(|column| column.label == *label)
            })
            .collect();
        let mut places: FxHashMap<Vec<u32>, usize> = FxHashMap::default();
        let mut codes = vec![0; labels.len()];
        for at in 0..columns.count {
            for (code, column) in codes.iter_mut().zip(&by) {
                *code = column.map_or(0, |column| columns.labels[column].codes[at]);
            }
            let place = match places.get(&codes) {
                Some(place) => *place,
                None => {
                    let values = codes.iter().zip(&by).map(|(code, column)| {
                        let values = &columns.labels[(*column)?].values;
                        values.get(code.checked_sub(1)? as usize).cloned()
                    });
                    let place = self.place(values.collect());
                    places.insert(codes.clone(), place);
                    place
                }
            };
            let tally = &mut self.tallies[place];
            tally.count += 1;
            tally.scores.add(columns.scores[at]);
            tally.errors += u64::from(columns.errors[at]);
            tally.latencies.add(columns.latencies[at]);
            tally.costs.add(columns.costs[at]);
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
                mean_score: tally.scores.sum.mean(tally.scores.finite),
                errors: tally.errors,
                mean_latency_ms: tally.latencies.sum.mean(tally.latencies.finite),
                cost: (tally.costs.finite > 0).then(|| tally.costs.sum.value()),
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
