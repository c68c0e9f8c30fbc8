//! `runs/log-batch`: metrics, params and tags at once.
//!
//! Invariant: all of a batch is written or nothing of it, unlike in MLflow, where the parts stand alone.

use axum::extract::State;

use super::{find_active, params, subject, tags};
use crate::app::App;
use crate::desk::{Draft, Look};
use crate::mlflow::endpoint::{Answer, Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::limits::{
    ENTITIES_PER_BATCH, METRICS_PER_BATCH, PARAMS_PER_BATCH, check_count, check_run_id,
};
use crate::mlflow::logged_models::{self, About};
use crate::mlflow::metrics::points::{self, Metric, Said};
use crate::mlflow::wire::{List, WireError, message, required};

message! {
    /// What is to be logged.
    pub(super) struct LogBatch {
        run_id / "runId": Option<String>,
        metrics: List<Metric>,
        params: List<params::Pair>,
        tags: List<tags::Tag>,
    }
}

/// A batch that can be taken.
struct Batch {
    metrics: Vec<Said>,
    /// What models are told of the metrics.
    told: Vec<(About, Said)>,
    params: Vec<(String, String)>,
    tags: Vec<(String, Option<String>)>,
}

impl Batch {
    fn of(asked: LogBatch) -> Result<Self, Refusal> {
        let about = points::about(&asked.metrics.0);
        let metrics = points::checked(asked.metrics.0)?;
        let told = about.into_iter().zip(&metrics);
        let told = told.filter_map(|(about, said)| Some((about?, said.clone())));
        let told = told.collect();
        let params = checked_params(asked.params.0)?;
        let tags = checked_tags(asked.tags.0)?;
        check_count("metrics", metrics.len(), METRICS_PER_BATCH)?;
        check_count("params", params.len(), PARAMS_PER_BATCH)?;
        check_count("tags", tags.len(), PARAMS_PER_BATCH)?;
        let all = metrics.len() + params.len() + tags.len();
        check_count("metrics, params, and tags", all, ENTITIES_PER_BATCH)?;
        params::refuse_repeated(&params)?;
        Ok(Self {
            metrics,
            told,
            params,
            tags,
        })
    }
}

fn checked_params(given: Vec<params::Pair>) -> Result<Vec<(String, String)>, Refusal> {
    let pairs = given.into_iter().enumerate();
    pairs
        .map(|(at, pair)| {
            let key = keyed("params", at, pair.key)?;
            params::check(&format!("params[{at}].key"), &key)?;
            Ok((key, pair.value.unwrap_or_default()))
        })
        .collect()
}

fn checked_tags(given: Vec<tags::Tag>) -> Result<Vec<(String, Option<String>)>, Refusal> {
    let tags = given.into_iter().enumerate();
    tags.map(|(at, tag)| {
        let key = keyed("tags", at, tag.key)?;
        tags::check(&format!("tags[{at}].key"), &key)?;
        Ok((key, Some(tag.value.unwrap_or_default())))
    })
    .collect()
}

fn keyed(list: &str, at: usize, key: Option<String>) -> Result<String, WireError> {
    let key = key.filter(|key| !key.is_empty());
    key.ok_or_else(|| WireError::missing(format!("{list}[{at}].key")))
}

pub(super) async fn log(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<LogBatch>,
) -> Answered {
    let id = required("run_id", asked.run_id.as_ref())?.to_owned();
    let batch = Batch::of(asked)?;
    check_run_id(&id)?;
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = find_active(look, &id)?;
        params::say(draft, &row, batch.params)?;
        points::say(draft, &subject(&row), batch.metrics);
        logged_models::say(look, draft, row.uid, &batch.told)?;
        tags::say(draft, &subject(&row), batch.tags);
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}
