//! `metrics/get-history-bulk-interval`: histories of several runs, thinned out.
//!
//! The points by step are parted into as many groups of one size as points are wanted; the first of each group is
//! taken, and the last point of all. Invariant: never more points of a run than were asked for.

use axum::extract::State;
use serde::Serialize;
use trialbook_store::nouns::Series;

use super::HistoryError;
use super::history::{OfRun, by_value, series};
use crate::app::App;
use crate::desk::Look;
use crate::mlflow::endpoint::{Answer, Answered, Ask};
use crate::mlflow::wire::{Double, List, Whole, WireError, message, required};

/// Runs in one question at most.
const MOST_RUNS: usize = 100;
/// Points of one run at most.
const MOST_POINTS: usize = 2500;

message! {
    /// Which histories are wanted.
    pub(super) struct Get {
        run_ids / "runIds": List<String>,
        metric_key / "metricKey": Option<String>,
        start_step / "startStep": Option<Whole>,
        end_step / "endStep": Option<Whole>,
        max_results / "maxResults": Option<Whole>,
    }
}

#[derive(Serialize)]
struct Found<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<OfRun<'a>>,
}

/// Which points of each run.
#[derive(Clone, Copy)]
struct Sample {
    range: Option<(i64, i64)>,
    limit: usize,
}

impl Sample {
    fn of(asked: &Get) -> Result<Self, HistoryError> {
        let limit = asked
            .max_results
            .map_or(MOST_POINTS as i64, |given| given.0);
        let limit = usize::try_from(limit).unwrap_or_default();
        if !(1..=MOST_POINTS).contains(&limit) {
            return Err(HistoryError::Points { limit: MOST_POINTS });
        }
        let range = match (asked.start_step, asked.end_step) {
            (None, None) => None,
            (Some(Whole(start)), Some(Whole(end))) if start > end => {
                return Err(HistoryError::Turned { start, end });
            }
            (Some(Whole(start)), Some(Whole(end))) => Some((start, end)),
            (Some(_), None) | (None, Some(_)) => return Err(HistoryError::HalfRange),
        };
        Ok(Self { range, limit })
    }
}

pub(super) async fn get(State(app): State<App>, Ask(asked): Ask<Get>) -> Answered {
    if asked.run_ids.is_empty() {
        return Err(WireError::missing("run_ids").into());
    }
    if asked.run_ids.len() > MOST_RUNS {
        return Err(HistoryError::TooManyRuns {
            request: "GetMetricHistoryBulkInterval",
            limit: MOST_RUNS,
            found: asked.run_ids.len(),
        }
        .into());
    }
    let key = required("metric_key", asked.metric_key.as_ref())?.to_owned();
    let sample = Sample::of(&asked)?;
    let ids = asked.run_ids.0;
    let read = app
        .desk()
        .read(move |look| found(look, &ids, (&key, sample)));
    read.await
}

fn found(look: &Look<'_>, ids: &[String], (key, sample): (&str, Sample)) -> Answered {
    let mut metrics = Vec::new();
    for id in ids {
        let series = series(look, id, key)?;
        let places = by_step(&series, sample.range);
        let sampled = sampled(places.len(), sample.limit);
        let points = sampled.filter_map(|at| series.point(places[at]));
        metrics.extend(points.map(|point| OfRun {
            key,
            value: Double(point.value),
            timestamp: point.time.millis(),
            step: point.step,
            run_id: id,
        }));
    }
    Ok(Answer::of(&Found { metrics }))
}

/// The places of the points of a range by step, time, value.
fn by_step(series: &Series, range: Option<(i64, i64)>) -> Vec<usize> {
    let is_inside =
        |at: &usize| range.is_none_or(|(start, end)| (start..=end).contains(&series.steps[*at]));
    let mut places: Vec<usize> = (0..series.len()).filter(is_inside).collect();
    // The store has them so but for NaN, which counts as 0 here.
    places.sort_by(|left, right| {
        let (left, right) = (*left, *right);
        series.steps[left]
            .cmp(&series.steps[right])
            .then(series.times[left].cmp(&series.times[right]))
            .then_with(|| by_value(series.values[left], series.values[right]))
    });
    places
}

/// The first of each of `wanted` groups of `count` points, the greater groups first, and the last point.
fn sampled(count: usize, wanted: usize) -> impl Iterator<Item = usize> {
    let groups = wanted.min(count);
    let (size, greater) = match groups {
        0 => (0, 0),
        _ => (count / groups, count % groups),
    };
    let firsts = (0..groups).map(move |group| group * size + group.min(greater));
    // Only with fewer points than groups each of them has a group of its own; then the last one is among them.
    let keeps_last = groups == count;
    let firsts = firsts.take(if keeps_last {
        groups
    } else {
        groups.saturating_sub(1)
    });
    firsts.chain((!keeps_last && count > 0).then(|| count - 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::sampled;

    #[test]
    fn ends_are_kept_and_groups_are_even() {
        let places = |count, wanted| sampled(count, wanted).collect::<Vec<_>>();
        assert_eq!(places(0, 5), Vec::<usize>::new());
        assert_eq!(places(3, 5), [0, 1, 2]);
        assert_eq!(places(5, 5), [0, 1, 2, 3, 4]);
        // Groups of 3, 3, 2, 2: their firsts are 0, 3, 6, 8; the last of them gives way to the last point.
        assert_eq!(places(10, 4), [0, 3, 6, 9]);
        assert_eq!(places(10, 1), [9]);
    }

    proptest! {
        #[test]
        fn never_more_than_wanted_and_never_one_twice(count in 0_usize..500, wanted in 1_usize..60) {
            let places: Vec<_> = sampled(count, wanted).collect();
            prop_assert_eq!(places.len(), count.min(wanted));
            prop_assert!(places.is_sorted_by(|left, right| left < right));
            prop_assert_eq!(places.last().copied(), count.checked_sub(1));
        }
    }
}
