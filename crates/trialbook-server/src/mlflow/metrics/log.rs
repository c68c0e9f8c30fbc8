//! `runs/log-metric`.

use axum::extract::State;

use super::points::{self, Said};
use crate::app::App;
use crate::desk::{Draft, Look};
use crate::mlflow::endpoint::{Answer, Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::logged_models::{self, About};
use crate::mlflow::runs;
use crate::mlflow::wire::{Real, Whole, given, message, required};

message! {
    /// A point that is to be logged.
    pub(super) struct LogMetric {
        run_id / "runId": Option<String>,
        run_uuid / "runUuid": Option<String>,
        key: Option<String>,
        value: Option<Real>,
        timestamp: Option<Whole>,
        step: Option<Whole>,
        model_id / "modelId": Option<String>,
        dataset_name / "datasetName": Option<String>,
        dataset_digest / "datasetDigest": Option<String>,
    }
}

pub(super) async fn log(
    State(app): State<App>,
    Caller(actor): Caller,
    Ask(asked): Ask<LogMetric>,
) -> Answered {
    let id = runs::id_of(asked.run_id, asked.run_uuid)?;
    let said = Said {
        key: required("key", asked.key.as_ref())?.to_owned(),
        value: given("value", asked.value)?.0,
        timestamp: given("timestamp", asked.timestamp)?.0,
        step: asked.step.map_or(0, |step| step.0),
    };
    said.check("")?;
    let about = About::of(asked.model_id, asked.dataset_name, asked.dataset_digest);
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let row = runs::find_active(look, &id)?;
        let told = about.map(|about| (about, said.clone()));
        points::say(draft, &runs::subject(&row), vec![said]);
        logged_models::say(look, draft, row.uid, told.as_slice())?;
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    Ok(Answer::empty())
}
