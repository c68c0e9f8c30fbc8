//! `traces` of version 3: what a client says of a whole trace when it has ended.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use serde_json::{Map, Value, json};
use trialbook_model::record::{Op, Span, SpanForm, Subject};

use super::{Seen, identity};
use crate::app::App;
use crate::desk::{Draft, Look};
use crate::mlflow::endpoint::{Answer, Answered, Ask, Caller};
use crate::mlflow::error::Refusal;
use crate::mlflow::wire::{WireError, message};
use crate::mlflow::{experiments, runs};

/// The tag that says where the spans are.
const SPANS_LOCATION: &str = "mlflow.trace.spansLocation";
/// The tag that says where files of the trace are to go.
const ARTIFACT_LOCATION: &str = "mlflow.artifactLocation";
/// What names the run that a trace belongs to.
const SOURCE_RUN: &str = "mlflow.sourceRun";

message! {
    /// A trace.
    pub(super) struct Start {
        trace: Option<Trace>,
    }

    /// What there is of it; spans are sent elsewhere.
    pub(super) struct Trace {
        trace_info / "traceInfo": Option<Value>,
    }
}

/// What is said of a trace.
struct Info {
    id: String,
    experiment: String,
    run: Option<String>,
    told: Map<String, Value>,
}

impl Info {
    fn of(asked: Start) -> Result<Self, WireError> {
        let missing = |path: &str| WireError::missing(path);
        let trace = asked.trace.ok_or_else(|| missing("trace"))?;
        let info = trace.trace_info.filter(Value::is_object);
        let Some(Value::Object(told)) = info else {
            return Err(missing("trace.trace_info"));
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let either = |map: &Value, snake: &str, camel: &str| {
            let found = map.get(snake).or_else(|| map.get(camel));
            found.cloned().unwrap_or_default()
        };
        let whole = Value::Object(told.clone());
        let id = text(&either(&whole, "trace_id", "traceId"));
        let place = either(&whole, "trace_location", "traceLocation");
        let place = either(&place, "mlflow_experiment", "mlflowExperiment");
        let metadata = either(&whole, "trace_metadata", "traceMetadata");
        Ok(Self {
            id: id.ok_or_else(|| missing("trace.trace_info.trace_id"))?,
            experiment: text(&either(&place, "experiment_id", "experimentId")).unwrap_or_default(),
            run: metadata.get(SOURCE_RUN).and_then(text),
            told,
        })
    }
}

pub(super) async fn start(
    State(app): State<App>,
    Extension(seen): Extension<Arc<Seen>>,
    Caller(actor): Caller,
    Ask(asked): Ask<Start>,
) -> Answered {
    let info = Info::of(asked)?;
    let root = app.settings().default_artifact_root.clone();
    let hex = info.id.strip_prefix("tr-").unwrap_or(&info.id);
    let has_spans = seen.knows(hex);
    let decide = move |look: &Look<'_>, draft: &mut Draft| decide(look, draft, info, &root);
    let mut told = app.desk().write(&actor, decide).await?;
    if has_spans {
        tags_of(&mut told).insert(SPANS_LOCATION.to_owned(), "TRACKING_STORE".into());
    }
    Ok(Answer::of(&json!({"trace": {"trace_info": told}})))
}

fn decide(
    look: &Look<'_>,
    draft: &mut Draft,
    info: Info,
    root: &str,
) -> Result<Map<String, Value>, Refusal> {
    let row = experiments::find_active(look, &info.experiment)?;
    let run = match &info.run {
        // A run that is not here does not lose its trace.
        Some(id) => runs::find(look, id).ok(),
        None => None,
    };
    let subject = match run {
        Some(run) => runs::subject(&run),
        None => Subject::Experiment(experiments::uid_of(&row)),
    };
    let mut told = info.told;
    let place = experiments::location(&row, root);
    let place = format!(
        "{}/traces/{}/artifacts",
        place.trim_end_matches('/'),
        info.id
    );
    tags_of(&mut told)
        .entry(ARTIFACT_LOCATION)
        .or_insert_with(|| place.into());
    let written = Value::Object(told.clone()).to_string();
    let operation = identity(&[b"trace", written.as_bytes()]);
    let op = Op::Span(Span {
        subject,
        trace: info.id,
        id: None,
        form: SpanForm::TraceInfo,
        data: Value::Object(told.clone()),
    });
    draft.say_once(operation, op);
    Ok(told)
}

/// The tags of a trace, which are a map in version 3.
fn tags_of(told: &mut Map<String, Value>) -> &mut Map<String, Value> {
    let tags = told.entry("tags").or_insert_with(|| json!({}));
    if !tags.is_object() {
        *tags = json!({});
    }
    tags.as_object_mut().expect("it was just made a map")
}
