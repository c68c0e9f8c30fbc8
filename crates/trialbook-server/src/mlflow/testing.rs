//! What tests of MLflow's routes need: a server in process and the bodies that its Python client sends.
//!
//! Not here: anything that answers. Invariant: bodies are those of the client, presence and all.

use axum::http::Method;
use serde_json::{Value, json};

use crate::app::Settings;
use crate::testing::{Answer, Bench};

/// A server with MLflow's routes.
pub(in crate::mlflow) struct Server {
    pub(in crate::mlflow) bench: Bench,
}

impl Server {
    pub(in crate::mlflow) fn new() -> Self {
        Self {
            bench: Bench::new(),
        }
    }

    pub(in crate::mlflow) fn with(settings: Settings) -> Self {
        Self {
            bench: Bench::with(settings),
        }
    }

    /// Posts to a route of version 2.0.
    pub(in crate::mlflow) async fn post(&self, route: &str, body: &Value) -> Answer {
        let path = format!("/api/2.0/mlflow/{route}");
        self.bench.post(&path, body).await
    }

    /// Gets a route of version 2.0 with its query.
    pub(in crate::mlflow) async fn get(&self, route: &str) -> Answer {
        let path = format!("/api/2.0/mlflow/{route}");
        self.bench.get(&path).await
    }

    /// Posts what has to be accepted.
    #[track_caller]
    pub(in crate::mlflow) fn told(&self, route: &str, body: Value) -> impl Future<Output = Value> {
        let place = std::panic::Location::caller();
        let route = route.to_owned();
        async move {
            let answer = self.post(&route, &body).await;
            assert_eq!(answer.status, 200, "{place}: {}", answer.text);
            answer.json()
        }
    }

    /// Gets what has to be there.
    #[track_caller]
    pub(in crate::mlflow) fn seen(&self, route: &str) -> impl Future<Output = Value> {
        let place = std::panic::Location::caller();
        let route = route.to_owned();
        async move {
            let answer = self.get(&route).await;
            assert_eq!(answer.status, 200, "{place}: {}", answer.text);
            answer.json()
        }
    }

    /// Posts what has to be refused: the code, and words of the message.
    #[track_caller]
    pub(in crate::mlflow) fn refused(
        &self,
        route: &str,
        body: Value,
        (code, words): (&str, &str),
    ) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        let (route, code, words) = (route.to_owned(), code.to_owned(), words.to_owned());
        async move {
            let answer = self.post(&route, &body).await;
            check_refusal(&answer, (&code, &words), place);
        }
    }

    /// A new run of the default experiment.
    pub(in crate::mlflow) async fn run(&self) -> String {
        let body = json!({
            "experiment_id": "0", "user_id": "ann", "run_name": "", "start_time": 1_700_000_000_001_i64,
            "tags": [{"key": "mlflow.user", "value": "ann"}],
        });
        let answer = self.told("runs/create", body).await;
        text(&answer["run"]["info"]["run_id"])
    }

    /// A run as it is answered.
    pub(in crate::mlflow) async fn run_of(&self, id: &str) -> Value {
        let mut answer = self.seen(&format!("runs/get?run_id={id}")).await;
        answer["run"].take()
    }

    /// Sends bytes to any path.
    pub(in crate::mlflow) async fn send(&self, method: Method, path: &str, body: &str) -> Answer {
        self.bench.send(method, path, body).await
    }
}

/// Checks that something was refused.
#[track_caller]
pub(in crate::mlflow) fn check_refusal(
    answer: &Answer,
    (code, words): (&str, &str),
    place: &std::panic::Location<'_>,
) {
    let told = answer.json();
    assert_eq!(told["error_code"], code, "{place}: {told}");
    let message = text(&told["message"]);
    assert!(message.contains(words), "{place}: {message}");
    let expected = match code {
        "RESOURCE_DOES_NOT_EXIST" | "ENDPOINT_NOT_FOUND" => 404,
        "NOT_IMPLEMENTED" => 501,
        _ => 400,
    };
    assert_eq!(answer.status, expected, "{place}: {told}");
}

/// A text of an answer.
pub(in crate::mlflow) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A tag, param or metric of an answer by its key.
pub(in crate::mlflow) fn keyed<'a>(list: &'a Value, key: &str) -> &'a Value {
    let mut entries = list.as_array().into_iter().flatten();
    let found = entries.find(|entry| entry["key"] == key);
    found.map_or(&Value::Null, |entry| &entry["value"])
}
