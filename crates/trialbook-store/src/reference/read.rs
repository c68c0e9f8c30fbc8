//! Answers of the reference model.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use trialbook_model::derived::answers;
use trialbook_model::filter::KeyKind;
use trialbook_model::id::{EntryNo, EntryUid, ExperimentNo, RunNo, RunUid};
use trialbook_model::record::{Item, Score, SeriesKey, Signed};
use trialbook_model::state::ProjectState;
use trialbook_spool::codec::{Axis, BucketSpec, Buckets};

use super::Reference;
use crate::index::ExperimentFacts;
use crate::nouns::{
    AssessRecord, EntryRow, EventRecord, ExperimentRow, ItemRecord, LogRecord, Owner, RunRow,
    Series, SpanRecord,
};
use crate::query::{Entries, Hits, ItemGroup, Query, Shown};
use crate::reading::Reading;

impl Reading for Reference {
    type Error = Infallible;

    fn experiments(&self) -> Result<Vec<ExperimentRow>, Infallible> {
        Ok(self.experiments.clone())
    }

    fn experiment(&self, no: ExperimentNo) -> Result<Option<ExperimentRow>, Infallible> {
        Ok(self.experiments.get(no.0 as usize).cloned())
    }

    fn project(&self, name: &str) -> Result<ProjectState, Infallible> {
        Ok(self.projects.get(name).cloned().unwrap_or_default())
    }

    fn projects(&self) -> Result<Vec<String>, Infallible> {
        let of_experiments = self
            .experiments
            .iter()
            .map(|row| row.state.project().to_owned());
        let mut names: Vec<String> = of_experiments
            .chain(self.projects.keys().cloned())
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn entry_no(&self, uid: EntryUid) -> Result<Option<EntryNo>, Infallible> {
        Ok(self.entry_numbers.get(&uid).copied())
    }

    fn entry(&self, no: EntryNo) -> Result<Option<EntryRow>, Infallible> {
        let at = (no.0 as usize).checked_sub(1);
        Ok(at.and_then(|at| self.entries.get(at)?.clone()))
    }

    fn entries(&self, wanted: &Entries) -> Result<Vec<EntryRow>, Infallible> {
        let rows = self.entries.iter().flatten();
        Ok(rows.filter(|row| wanted.are(row)).cloned().collect())
    }

    fn collection(&self, project: &str, name: &str) -> Result<Option<EntryNo>, Infallible> {
        Ok(self.collection_named(project, name))
    }

    fn run_no(&self, uid: RunUid) -> Result<Option<RunNo>, Infallible> {
        Ok(self.run_numbers.get(&uid).map(|at| RunNo(*at as u64 + 1)))
    }

    fn runs_beginning(&self, digits: &str, _limit: usize) -> Result<Vec<RunNo>, Infallible> {
        let digits = digits.to_ascii_lowercase();
        let found = self.run_numbers.iter();
        let mut numbers: Vec<RunNo> = found
            .filter(|(uid, _)| uid.to_string().starts_with(&digits))
            .map(|(_, at)| RunNo(*at as u64 + 1))
            .collect();
        numbers.sort();
        Ok(numbers)
    }

    fn runs(&self, numbers: &[RunNo]) -> Result<Vec<RunRow>, Infallible> {
        Ok(numbers
            .iter()
            .filter_map(|no| self.runs.get((no.0 as usize).checked_sub(1)?)?.clone())
            .collect())
    }

    fn search(&self, query: &Query) -> Result<Hits, Infallible> {
        Ok(self.find(query))
    }

    fn count_runs(&self) -> Result<BTreeMap<ExperimentNo, u64>, Infallible> {
        let count = |row: &ExperimentRow| {
            let of = Query {
                experiments: Some(vec![row.no]),
                shown: Shown::WithArchived,
                limit: 0,
                ..Query::all()
            };
            (row.no, self.find(&of).total)
        };
        let counts = self.experiments.iter().map(count);
        Ok(counts.filter(|(_, count)| *count > 0).collect())
    }

    fn series(&self, of: &Owner, key: &SeriesKey) -> Result<Series, Infallible> {
        let mut series = Series::default();
        let place = (of.clone(), key.clone());
        for point in self.points.get(&place).into_iter().flatten() {
            series.push(*point);
        }
        Ok(series)
    }

    fn buckets(
        &self,
        of: &Owner,
        key: &SeriesKey,
        spec: BucketSpec,
    ) -> Result<Buckets, Infallible> {
        let series = self.series(of, key)?;
        let mut buckets = Buckets::new(whole_range(spec, &series));
        let axis = Axis::new(series.steps, series.times).expect("columns of one length");
        buckets
            .add_values(&axis, &series.values)
            .expect("columns of one length");
        Ok(buckets)
    }

    fn events(&self, of: &Owner) -> Result<Vec<EventRecord>, Infallible> {
        Ok(self.events.get(of).cloned().unwrap_or_default())
    }

    fn spans(&self, of: &Owner) -> Result<Vec<SpanRecord>, Infallible> {
        Ok(self.spans.get(of).cloned().unwrap_or_default())
    }

    fn logs(&self, run: RunNo) -> Result<Vec<LogRecord>, Infallible> {
        Ok(self.logs.get(&Owner::Run(run)).cloned().unwrap_or_default())
    }

    fn items(&self, run: RunNo) -> Result<Vec<ItemRecord>, Infallible> {
        let items = self.items.get(&Owner::Run(run));
        Ok(items.cloned().unwrap_or_default())
    }

    fn assessments(&self, run: RunNo) -> Result<Vec<AssessRecord>, Infallible> {
        let records = self.assessments.get(&Owner::Run(run));
        Ok(records.cloned().unwrap_or_default())
    }

    fn group_items(&self, runs: &[RunNo], labels: &[String]) -> Result<Vec<ItemGroup>, Infallible> {
        let mut groups: BTreeMap<Vec<Option<String>>, Vec<&Item>> = BTreeMap::new();
        for run in runs {
            let items = self.items.get(&Owner::Run(*run)).into_iter().flatten();
            let ordered = items.map(|item| (item.stamp.order(), &item.record));
            for (_, item) in answers(ordered) {
                let values = labels
                    .iter()
                    .map(|label| item.labels.get(label).cloned())
                    .collect();
                groups.entry(values).or_default().push(item);
            }
        }
        Ok(groups
            .into_iter()
            .map(|(labels, items)| group(labels, &items))
            .collect())
    }

    fn unknown(&self) -> Result<Vec<Signed>, Infallible> {
        Ok(self.unknown.values().cloned().collect())
    }

    fn snapshot(&self, sha256: &str) -> Result<Option<serde_json::Value>, Infallible> {
        Ok(self.snapshots.get(sha256).cloned())
    }

    fn run_count(&self) -> Result<u64, Infallible> {
        Ok(self.runs.iter().flatten().count() as u64)
    }

    fn newest(&self, limit: usize) -> Result<Vec<RunNo>, Infallible> {
        let rows = self.runs.iter().rev().flatten();
        Ok(rows.map(|row| row.no).take(limit).collect())
    }

    fn experiment_facts(&self) -> Result<Vec<ExperimentFacts>, Infallible> {
        let facts = |row: &ExperimentRow| {
            let project = self.projects.get(row.state.project());
            ExperimentFacts::of(row, project.unwrap_or(&ProjectState::default()))
        };
        Ok(self.experiments.iter().map(facts).collect())
    }

    fn key_names(&self, kind: KeyKind) -> Result<BTreeSet<String>, Infallible> {
        let is =
            |wanted: KeyKind| kind == wanted || (kind == KeyKind::Bare && wanted != KeyKind::Tag);
        let mut names = BTreeSet::new();
        for row in self.runs.iter().flatten() {
            let state = &row.state;
            if is(KeyKind::Metric) {
                names.extend(state.records.series.keys().map(|key| key.key.clone()));
                names.extend(state.derived_values().into_iter().map(|(name, _)| name));
            }
            if is(KeyKind::Param) {
                names.extend(state.params.keys().cloned());
            }
            if is(KeyKind::Tag) {
                names.extend(state.annotations.tags().map(|(tag, _)| tag.to_owned()));
            }
        }
        Ok(names)
    }

    fn damaged(&self) -> Result<BTreeSet<RunNo>, Infallible> {
        Ok(BTreeSet::new())
    }
}

fn whole_range(mut spec: BucketSpec, series: &Series) -> BucketSpec {
    use trialbook_spool::codec::Along;
    if spec.from > spec.to {
        let places = match spec.along {
            Along::Step => &series.steps,
            Along::Time => &series.times,
        };
        if let (Some(from), Some(to)) = (places.iter().min(), places.iter().max()) {
            (spec.from, spec.to) = (*from, *to);
        }
    }
    spec
}

fn group(labels: Vec<Option<String>>, items: &[&Item]) -> ItemGroup {
    use trialbook_model::exact_sum::ExactSum;
    let numbers = |of: &dyn Fn(&Item) -> Option<f64>| -> (u64, ExactSum) {
        let values: Vec<f64> = items.iter().filter_map(|item| of(item)).collect();
        let finite = values.iter().filter(|value| value.is_finite()).count() as u64;
        (finite, values.into_iter().collect())
    };
    let (scored, scores) = numbers(&|item| match item.primary_score()? {
        Score::Bool(right) => Some(f64::from(u8::from(*right))),
        Score::Number(value) => Some(*value),
        Score::Text(_) => None,
    });
    let (timed, latencies) = numbers(&|item| item.latency_ms);
    let (priced, costs) = numbers(&|item| item.cost);
    ItemGroup {
        labels,
        count: items.len() as u64,
        scored,
        mean_score: scores.mean(scored),
        errors: items.iter().filter(|item| item.error.is_some()).count() as u64,
        mean_latency_ms: latencies.mean(timed),
        cost: (priced > 0).then(|| costs.value()),
    }
}
