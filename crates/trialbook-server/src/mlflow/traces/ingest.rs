//! `/v1/traces`: spans as OpenTelemetry's exporters and MLflow's clients send them.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse as _, Response};
use trialbook_model::record::{Op, Span, SpanForm, Subject};

use super::{Seen, identity};
use crate::app::App;
use crate::desk::{Draft, Look};
use crate::mlflow::endpoint::Caller;
use crate::mlflow::error::Refusal;
use crate::mlflow::{experiments, runs};
use crate::otlp::{Form, SpanSent, spans, unpacked};

/// The header that names the experiment; other programs than MLflow's clients do not send it.
const EXPERIMENT: HeaderName = HeaderName::from_static("x-mlflow-experiment-id");
/// The header that names the run.
const RUN: HeaderName = HeaderName::from_static("x-mlflow-run-id");

pub(super) async fn ingest(
    State(app): State<App>,
    Extension(seen): Extension<Arc<Seen>>,
    Caller(actor): Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let form = Form::of(text(&header::CONTENT_TYPE))?;
    let body = unpacked(&body, text(&header::CONTENT_ENCODING))?;
    let spans = spans(&body, form)?;
    let traces: Vec<String> = spans.iter().map(|span| span.trace.clone()).collect();
    let experiment = text(&EXPERIMENT).unwrap_or_default().to_owned();
    let run = text(&RUN).filter(|id| !id.is_empty()).map(str::to_owned);
    let decide = move |look: &Look<'_>, draft: &mut Draft| {
        let subject = if let Some(id) = &run {
            runs::subject(&*runs::find(look, id)?)
        } else {
            let row = experiments::find_active(look, &experiment)?;
            Subject::Experiment(experiments::uid_of(&row))
        };
        for span in spans {
            say(draft, &subject, span);
        }
        Ok::<_, Refusal>(())
    };
    app.desk().write(&actor, decide).await?;
    for trace in traces {
        seen.remember(&trace);
    }
    let kind = [(header::CONTENT_TYPE, form.content_type())];
    Ok((kind, form.empty_answer()).into_response())
}

fn say(draft: &mut Draft, subject: &Subject, span: SpanSent) {
    let written = span.data.to_string();
    let operation = identity(&[b"span", written.as_bytes()]);
    let op = Op::Span(Span {
        subject: subject.clone(),
        trace: span.trace,
        id: Some(span.id),
        form: SpanForm::Otlp,
        data: span.data,
    });
    draft.say_once(operation, op);
}
