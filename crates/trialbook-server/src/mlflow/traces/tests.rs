use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};
use trialbook_model::id::ExperimentNo;
use trialbook_model::record::SpanForm;
use trialbook_store::nouns::{Owner, SpanRecord};
use trialbook_store::reading::Reading as _;

use crate::mlflow::error::Refusal;
use crate::mlflow::testing::Server;
use crate::testing::Answer;

const TRACE: &str = "000102030405060708090a0b0c0d0e0f";

async fn send(server: &Server, run: Option<&str>) -> Answer {
    let span = json!({"traceId": TRACE, "spanId": "0101010101010101", "name": "predict"});
    let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]});
    let mut request = Request::builder().method(Method::POST).uri("/v1/traces");
    request = request
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-mlflow-experiment-id", "0");
    if let Some(run) = run {
        request = request.header("x-mlflow-run-id", run);
    }
    let request = request.body(Body::from(body.to_string())).unwrap();
    server.bench.ask(request).await
}

async fn kept(server: &Server, run: Option<&str>) -> Vec<SpanRecord> {
    let run = run.map(str::to_owned);
    let read = server.bench.app.desk().read(move |look| {
        let owner = match run {
            Some(run) => Owner::Run(look.run_no(run.parse().unwrap())?.unwrap()),
            None => Owner::Experiment(ExperimentNo(0)),
        };
        Ok::<_, Refusal>(look.spans(&owner)?)
    });
    read.await.unwrap()
}

fn info(metadata: &Value) -> Value {
    json!({"trace": {"trace_info": {
        "trace_id": format!("tr-{TRACE}"),
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}},
        "request_time": "2026-01-01T00:00:00Z", "execution_duration": "0.5s", "state": "OK",
        "trace_metadata": metadata, "tags": {"mlflow.traceName": "predict"},
    }}})
}

#[tokio::test]
async fn spans_are_kept_once_with_their_experiment_or_run() {
    let server = Server::new();
    let run = server.run().await;
    for _ in 0..2 {
        for of in [None, Some(run.as_str())] {
            let answer = send(&server, of).await;
            assert_eq!((answer.status, answer.text.as_str()), (200, "{}"));
        }
    }
    let spans = kept(&server, None).await;
    assert_eq!((spans.len(), spans[0].record.form), (1, SpanForm::Otlp));
    assert_eq!(spans[0].record.trace, TRACE);
    assert_eq!(spans[0].record.data["name"], "predict");
    let refused = send(&server, Some("odd")).await;
    assert_eq!(refused.status, 404, "{}", refused.text);
    let empty = server.send(Method::POST, "/v1/traces", "{}").await;
    assert_eq!(empty.status, 400);
    assert!(empty.text.contains("no spans found"), "{}", empty.text);
}

#[tokio::test]
async fn the_end_of_a_trace_tells_where_its_spans_are() {
    let server = Server::new();
    let run = server.run().await;
    let path = "/api/3.0/mlflow/traces";
    let body = info(&json!({"mlflow.sourceRun": run}));
    let first = server.bench.post(path, &body).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let told = first.json()["trace"]["trace_info"].take();
    assert_eq!(told["state"], "OK");
    let place = format!("mlflow-artifacts:/0/traces/tr-{TRACE}/artifacts");
    assert_eq!(told["tags"]["mlflow.artifactLocation"], place);
    assert_eq!(told["tags"].get("mlflow.trace.spansLocation"), None);
    send(&server, None).await;
    let told = server.bench.post(path, &body).await.json();
    let tags = &told["trace"]["trace_info"]["tags"];
    assert_eq!(tags["mlflow.trace.spansLocation"], "TRACKING_STORE");
    let of_run = kept(&server, Some(&run)).await;
    assert_eq!(of_run.len(), 1, "the same trace again adds nothing");
    assert_eq!(of_run[0].record.form, SpanForm::TraceInfo);
    let missing = server.bench.post(path, &json!({})).await;
    assert!(
        missing.text.contains("required parameter 'trace'"),
        "{}",
        missing.text
    );
}
