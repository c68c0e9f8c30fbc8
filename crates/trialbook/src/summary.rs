//! The note that a run gets when it is completed: what it came to, in a few sentences (T-19).
//!
//! Not here: recording it. Invariant: every word follows from what was recorded; what is missing is left out.

use anyhow::Result;
use trialbook_model::goal;
use trialbook_model::record::{Goal, PutNote, SeriesKey, Subject};
use trialbook_model::state::{Point, SUMMARIES};
use trialbook_store::nouns::{ExperimentRow, Owner, RunRow};
use trialbook_store::reading::Reading;

use crate::figures::{bytes, short};
use crate::{documents, titles, when};

/// Metrics that are named.
const METRICS: usize = 3;
/// Params and artifacts that are named.
const NAMED: usize = 12;
/// Longer series are not read for the step of their best value.
const READ: u64 = 100_000;

/// The note.
pub(crate) fn note<V: Reading>(
    view: &V,
    run: &RunRow,
    experiment: Option<&ExperimentRow>,
) -> Result<PutNote> {
    let title = titles::run(run, experiment);
    let name = experiment.and_then(|row| row.state.name());
    let id = titles::short_id(run.uid.0);
    let mut sentences = vec![format!("Run {title} ({id}) completed.")];
    sentences.extend(metrics(view, run)?);
    sentences.extend(params(run));
    sentences.extend(artifacts(run));
    if let Some(micros) = documents::duration(run) {
        sentences.push(format!("Took {}.", when::span(micros)));
    }
    let tags = run.state.annotations.tags();
    Ok(PutNote {
        subject: Subject::Run(run.uid),
        key: format!("mlops/experiments/{}/{id}", name.unwrap_or("unnamed")),
        namespace: SUMMARIES.to_owned(),
        text: Some(sentences.join(" ")),
        tags: tags.map(|(tag, _)| tag.to_owned()).collect(),
        data: serde_json::Value::Null,
    })
}

/// The best values of metrics whose better direction their names tell.
fn metrics<V: Reading>(view: &V, run: &RunRow) -> Result<Option<String>> {
    let mut told = Vec::new();
    for (key, summary) in &run.state.records.series {
        let best = match goal::assumed(&key.key).goal {
            Goal::Max => summary.max(),
            Goal::Min => summary.min(),
            Goal::None => None,
        };
        let Some(best) = best.filter(|_| key.context.is_empty()) else {
            continue;
        };
        let step = if summary.count <= READ {
            step_of(view, run, key, best)?
        } else {
            None
        };
        let at = step.map_or_else(String::new, |step| format!(" at step {step}"));
        told.push(format!("{} {}{at}", key.key, short(best)));
        if told.len() == METRICS {
            break;
        }
    }
    Ok((!told.is_empty()).then(|| format!("Best {}.", told.join("; best "))))
}

/// The first step that has a value.
fn step_of<V: Reading>(view: &V, run: &RunRow, key: &SeriesKey, value: f64) -> Result<Option<i64>> {
    let series = view.series(&Owner::Run(run.no), key)?;
    let is_it = |point: &Point| point.value.total_cmp(&value).is_eq();
    Ok(series.points().find(is_it).map(|point| point.step))
}

fn params(run: &RunRow) -> Option<String> {
    let params = run.state.params.iter();
    let told = params.map(|(key, held)| format!("{key}={}", held.param().text));
    listed("Params", told.collect())
}

fn artifacts(run: &RunRow) -> Option<String> {
    let present = run.state.records.artifacts();
    let told = present.map(|held| {
        let size = held.value.size.map(|size| format!(" ({})", bytes(size)));
        format!("{}{}", held.value.path, size.unwrap_or_default())
    });
    listed("Artifacts", told.collect())
}

fn listed(what: &str, mut all: Vec<String>) -> Option<String> {
    if all.is_empty() {
        return None;
    }
    let more = all.len().saturating_sub(NAMED);
    all.truncate(NAMED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Some(format!("{what}: {}{more}.", all.join(", ")))
}
