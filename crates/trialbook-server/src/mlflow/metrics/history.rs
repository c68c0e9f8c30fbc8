//! `metrics/get-history`, in pages, and `get-history-bulk` of the UI.
//!
//! Invariant: points come by time, then step, then value, so that pages neither repeat nor miss one.

use std::borrow::Cow;
use std::cmp::Ordering;

use axum::extract::{RawQuery, State};
use serde::{Serialize, Serializer};
use trialbook_store::nouns::{Owner, Series};
use trialbook_store::reading::Reading as _;

use super::HistoryError;
use crate::app::App;
use crate::desk::Look;
use crate::mlflow::endpoint::{Answer, Answered, Ask};
use crate::mlflow::error::Refusal;
use crate::mlflow::runs::{self, Metric};
use crate::mlflow::search::{Page, max_results};
use crate::mlflow::wire::{Double, Whole, message, pairs, required};

/// Points in one answer of the UI's at most.
const MOST_BULK: usize = 25_000;
/// Runs in one question of the UI's at most.
const MOST_RUNS: usize = 100;

message! {
    /// Which history is wanted.
    pub(super) struct Get {
        run_id / "runId": Option<String>,
        run_uuid / "runUuid": Option<String>,
        metric_key / "metricKey": Option<String>,
        page_token / "pageToken": Option<String>,
        max_results / "maxResults": Option<Whole>,
    }
}

#[derive(Serialize)]
struct Found<'a> {
    #[serde(skip_serializing_if = "Points::is_empty")]
    metrics: Points<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) async fn get(State(app): State<App>, Ask(asked): Ask<Get>) -> Answered {
    let id = runs::id_of(asked.run_id, asked.run_uuid)?;
    let key = required("metric_key", asked.metric_key.as_ref())?.to_owned();
    let limit = match asked.max_results {
        Some(given) => max_results(given.0, i32::MAX as usize)?,
        None => usize::MAX,
    };
    let page = Page::read(asked.page_token.as_deref(), limit)?;
    let read = app.desk().read(move |look| {
        let series = series(look, &id, &key)?;
        let order = by_time(&series);
        let (order, next_page_token) = page.of(&order);
        let metrics = Points {
            key: &key,
            series: &series,
            order,
        };
        Ok::<_, Refusal>(Answer::of(&Found {
            metrics,
            next_page_token,
        }))
    });
    read.await
}

/// All points of a run's metric; none where there is no such run.
pub(super) fn series(look: &Look<'_>, id: &str, key: &str) -> Result<Series, Refusal> {
    let no = match id.parse() {
        Ok(uid) => look.run_no(uid)?,
        Err(_no_uid) => None,
    };
    Ok(match no {
        Some(no) => look.series(&Owner::Run(no), &runs::series_of(key))?,
        None => Series::default(),
    })
}

/// The places of all points by time, step, value.
fn by_time(series: &Series) -> Vec<usize> {
    let compare = |left: &usize, right: &usize| {
        let (left, right) = (*left, *right);
        let by_time = series.times[left].div_euclid(1000);
        by_time
            .cmp(&series.times[right].div_euclid(1000))
            .then(series.steps[left].cmp(&series.steps[right]))
            .then_with(|| by_value(series.values[left], series.values[right]))
    };
    let mut order: Vec<usize> = (0..series.len()).collect();
    // Most series are in this order already.
    if !order.is_sorted_by(|left, right| compare(left, right) != Ordering::Greater) {
        order.sort_by(compare);
    }
    order
}

/// Values in their order; NaN counts as 0, as MLflow keeps it.
pub(super) fn by_value(left: f64, right: f64) -> Ordering {
    let kept = |value: f64| if value.is_nan() { 0.0 } else { value };
    let by_number = kept(left).total_cmp(&kept(right));
    by_number.then(left.is_nan().cmp(&right.is_nan()))
}

/// Some points of a series, in some order.
struct Points<'a> {
    key: &'a str,
    series: &'a Series,
    order: &'a [usize],
}

impl Points<'_> {
    fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

impl Serialize for Points<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let points = self.order.iter().filter_map(|at| self.series.point(*at));
        serializer.collect_seq(points.map(|point| Metric {
            key: Cow::Borrowed(self.key),
            value: Double(point.value),
            timestamp: point.time.millis(),
            step: point.step,
        }))
    }
}

/// A point and its run.
#[derive(Serialize)]
pub(super) struct OfRun<'a> {
    pub(super) key: &'a str,
    pub(super) value: Double,
    pub(super) timestamp: i64,
    pub(super) step: i64,
    pub(super) run_id: &'a str,
}

#[derive(Serialize)]
struct Bulk<'a> {
    metrics: Vec<OfRun<'a>>,
}

pub(super) async fn get_bulk(State(app): State<App>, RawQuery(query): RawQuery) -> Answered {
    let mut ids = Vec::new();
    let (mut key, mut limit) = (None, MOST_BULK);
    for (name, value) in pairs(query.as_deref()) {
        match name.as_str() {
            "run_id" => ids.push(value),
            "metric_key" => key = key.or(Some(value)),
            "max_results" => {
                limit = value
                    .parse()
                    .map_or(limit, |wanted: usize| wanted.min(limit));
            }
            _ => {}
        }
    }
    if ids.is_empty() {
        return Err(HistoryError::NoRuns.into());
    }
    if ids.len() > MOST_RUNS {
        return Err(HistoryError::TooManyRuns {
            request: "GetMetricHistoryBulk",
            limit: MOST_RUNS,
            found: ids.len(),
        }
        .into());
    }
    let key = key.ok_or(HistoryError::NoKey)?;
    ids.sort();
    let read = app.desk().read(move |look| bulk(look, &ids, (&key, limit)));
    read.await
}

fn bulk(look: &Look<'_>, ids: &[String], (key, limit): (&str, usize)) -> Answered {
    let mut metrics = Vec::new();
    for id in ids {
        let series = series(look, id, key)?;
        let rest = limit - metrics.len();
        let order = by_time(&series).into_iter().take(rest);
        let points = order.filter_map(|at| series.point(at));
        metrics.extend(points.map(|point| OfRun {
            key,
            value: Double(point.value),
            timestamp: point.time.millis(),
            step: point.step,
            run_id: id,
        }));
    }
    Ok(Answer::of(&Bulk { metrics }))
}
