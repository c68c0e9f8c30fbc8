use axum::http::Method;
use serde_json::{Value, json};

use crate::mlflow::testing::{Server, check_refusal, text};

async fn made(server: &Server, body: Value) -> Value {
    let mut answer = server.told("logged-models", body).await;
    answer["model"].take()
}

async fn patch(server: &Server, route: &str, body: Value) -> Value {
    let path = format!("/api/2.0/mlflow/{route}");
    let answer = server.send(Method::PATCH, &path, &body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn delete(server: &Server, route: &str) -> crate::testing::Answer {
    let path = format!("/api/2.0/mlflow/{route}");
    server.send(Method::DELETE, &path, "").await
}

#[tokio::test]
async fn a_model_is_logged_and_finished() {
    let server = Server::new();
    let run = server.run().await;
    let model = made(
        &server,
        json!({
            "experiment_id": "0", "name": "lm", "model_type": "Agent", "source_run_id": run,
            "params": [{"key": "lr", "value": "0.1"}], "tags": [{"key": "t", "value": "x"}],
        }),
    )
    .await;
    let id = text(&model["info"]["model_id"]);
    assert!(id.starts_with("m-") && id.len() == 34, "{id}");
    let expected = json!({
        "info": {
            "experiment_id": "0", "model_id": id, "name": "lm", "model_type": "Agent", "source_run_id": run,
            "artifact_uri": format!("mlflow-artifacts:/0/models/{id}/artifacts"),
            "creation_timestamp_ms": model["info"]["creation_timestamp_ms"],
            "last_updated_timestamp_ms": model["info"]["creation_timestamp_ms"],
            "status": "LOGGED_MODEL_PENDING", "tags": [{"key": "t", "value": "x"}],
        },
        "data": {"params": [{"key": "lr", "value": "0.1"}]},
    });
    assert_eq!(model, expected);
    let route = format!("logged-models/{id}");
    let done = patch(
        &server,
        &route,
        json!({"model_id": id, "status": "LOGGED_MODEL_READY"}),
    )
    .await;
    assert_eq!(done["model"]["info"]["status"], "LOGGED_MODEL_READY");
    let params = json!({"model_id": id, "params": [{"key": "depth", "value": "3"}, {"key": "lr", "value": "0.1"}]});
    server.told(&format!("{route}/params"), params).await;
    let changed = json!({"params": [{"key": "lr", "value": "0.2"}]});
    let refused = (
        "INVALID_PARAMETER_VALUE",
        "Changing param values is not allowed",
    );
    server
        .refused(&format!("{route}/params"), changed, refused)
        .await;
    patch(
        &server,
        &format!("{route}/tags"),
        json!({"tags": [{"key": "u", "value": "y"}]}),
    )
    .await;
    assert_eq!(
        delete(&server, &format!("{route}/tags/t")).await.status,
        200
    );
    let gone = delete(&server, &format!("{route}/tags/t")).await;
    let unknown = ("RESOURCE_DOES_NOT_EXIST", "No tag with key 't'");
    check_refusal(&gone, unknown, std::panic::Location::caller());
    let seen = server.seen(&route).await;
    assert_eq!(
        seen["model"]["info"]["tags"],
        json!([{"key": "u", "value": "y"}])
    );
    let params = json!([{"key": "depth", "value": "3"}, {"key": "lr", "value": "0.1"}]);
    assert_eq!(seen["model"]["data"]["params"], params);
}

#[tokio::test]
async fn a_deleted_model_is_seen_by_who_asks_for_it() {
    let server = Server::new();
    let model = made(&server, json!({"experiment_id": "0"})).await;
    assert!(!text(&model["info"]["name"]).is_empty());
    let route = format!("logged-models/{}", text(&model["info"]["model_id"]));
    assert_eq!(delete(&server, &route).await.status, 200);
    let gone = ("RESOURCE_DOES_NOT_EXIST", "not found");
    check_refusal(
        &server.get(&route).await,
        gone,
        std::panic::Location::caller(),
    );
    server.seen(&format!("{route}?allow_deleted=true")).await;
    let found = server
        .told("logged-models/search", json!({"experiment_ids": ["0"]}))
        .await;
    assert_eq!(found, json!({}));
    for (body, words) in [
        (
            json!({"experiment_id": "0", "name": "a/b"}),
            "Invalid model name ('a/b')",
        ),
        (
            json!({"name": "a"}),
            "Missing value for required parameter 'experiment_id'",
        ),
    ] {
        server
            .refused("logged-models", body, ("INVALID_PARAMETER_VALUE", words))
            .await;
    }
    let body = json!({"experiment_id": "77"});
    let none = ("RESOURCE_DOES_NOT_EXIST", "No Experiment with id=77");
    server.refused("logged-models", body, none).await;
}

/// Three models; the first two have an accuracy, on two datasets.
async fn measured(server: &Server) -> Vec<String> {
    let run = server.run().await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        let model = made(
            server,
            json!({"experiment_id": "0", "name": name, "source_run_id": run}),
        )
        .await;
        ids.push(text(&model["info"]["model_id"]));
    }
    let other = server.run().await;
    for (of, at, run, value) in [
        (0, "a", &run, 0.5),
        (0, "b", &other, 0.9),
        (1, "a", &run, 0.7),
    ] {
        let body = json!({
            "run_id": run, "key": "acc", "value": value, "timestamp": 5, "step": 1,
            "model_id": ids[of], "dataset_name": at, "dataset_digest": "1",
        });
        server.told("runs/log-metric", body).await;
    }
    ids
}

#[tokio::test]
async fn metrics_are_told_to_their_run_and_to_their_model() {
    let server = Server::new();
    let ids = measured(&server).await;
    let seen = server.seen(&format!("logged-models/{}", ids[0])).await;
    let metrics = seen["model"]["data"]["metrics"].as_array().unwrap();
    assert_eq!(metrics.len(), 2);
    let of = |name: &str| {
        metrics
            .iter()
            .find(|metric| metric["dataset_name"] == name)
            .unwrap()
    };
    assert_eq!(
        (of("a")["value"].as_f64(), of("b")["value"].as_f64()),
        (Some(0.5), Some(0.9))
    );
    assert_ne!(of("a")["run_id"], of("b")["run_id"]);
    let run = server.run_of(&text(&of("b")["run_id"])).await;
    assert_eq!(run["data"]["metrics"][0]["value"], 0.9);
    let batch = json!({"run_id": of("a")["run_id"], "metrics": [
        {"key": "acc", "value": 0.6, "timestamp": 6, "step": 2, "model_id": ids[0]},
    ]});
    server.told("runs/log-batch", batch).await;
    let seen = server.seen(&format!("logged-models/{}", ids[0])).await;
    assert_eq!(
        seen["model"]["data"]["metrics"].as_array().unwrap().len(),
        3
    );
    let body = json!({"run_id": of("a")["run_id"], "key": "acc", "value": 1, "timestamp": 5, "model_id": "m-1"});
    let unknown = (
        "RESOURCE_DOES_NOT_EXIST",
        "Logged model with ID 'm-1' not found",
    );
    server.refused("runs/log-metric", body, unknown).await;
}

#[tokio::test]
async fn models_are_found_by_what_they_are_and_by_what_they_measure() {
    let server = Server::new();
    measured(&server).await;
    let names = async |mut body: Value| {
        body["experiment_ids"] = json!(["0", "99"]);
        let found = server.told("logged-models/search", body).await;
        let models = found["models"].as_array().cloned().unwrap_or_default();
        models
            .iter()
            .map(|model| text(&model["info"]["name"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(json!({})).await, ["three", "two", "one"]);
    assert_eq!(
        names(json!({"filter": "metrics.acc > 0.6"})).await,
        ["two", "one"]
    );
    let on = json!([{"dataset_name": "a"}]);
    assert_eq!(
        names(json!({"filter": "metrics.acc > 0.6", "datasets": on})).await,
        ["two"]
    );
    assert_eq!(
        names(json!({"datasets": [{"dataset_name": "b"}]})).await,
        ["one"]
    );
    assert_eq!(
        names(json!({"filter": "name = 'one' AND status = 'PENDING'"})).await,
        ["one"]
    );
    let order = json!([{"field_name": "metrics.acc", "ascending": true, "dataset_name": "a"}]);
    assert_eq!(
        names(json!({"order_by": order})).await,
        ["one", "two", "three"]
    );
    let order = json!([{"field_name": "metrics.acc", "ascending": false, "dataset_name": "a"}]);
    assert_eq!(
        names(json!({"order_by": order})).await,
        ["two", "one", "three"]
    );
    let order = json!([{"field_name": "params.lr"}]);
    let refused = ("INVALID_PARAMETER_VALUE", "Only metrics are supported");
    let body = json!({"experiment_ids": ["0"], "order_by": order});
    server.refused("logged-models/search", body, refused).await;
}

#[tokio::test]
async fn a_page_goes_with_its_question() {
    let server = Server::new();
    measured(&server).await;
    let body = json!({"experiment_ids": ["0"], "max_results": 2});
    let first = server.told("logged-models/search", body.clone()).await;
    let mut next = body.clone();
    next["page_token"] = first["next_page_token"].clone();
    let second = server.told("logged-models/search", next.clone()).await;
    assert_eq!(second["models"].as_array().unwrap().len(), 1);
    next["filter"] = "name = 'one'".into();
    let refused = ("INVALID_PARAMETER_VALUE", "page token");
    server.refused("logged-models/search", next, refused).await;
}

#[tokio::test]
async fn files_of_a_model_are_the_models() {
    let server = Server::new();
    let model = made(&server, json!({"experiment_id": "0", "name": "lm"})).await;
    let id = text(&model["info"]["model_id"]);
    let path = format!("/api/2.0/mlflow-artifacts/artifacts/0/models/{id}/artifacts/MLmodel");
    assert_eq!(server.send(Method::PUT, &path, "flavors").await.status, 200);
    let listed = server
        .seen(&format!("logged-models/{id}/artifacts/directories"))
        .await;
    let expected = json!({
        "root_uri": model["info"]["artifact_uri"],
        "files": [{"path": "MLmodel", "is_dir": false, "file_size": 7}],
    });
    assert_eq!(listed, expected);
    let got = server.send(Method::GET, &path, "").await;
    assert_eq!((got.status, got.text.as_str()), (200, "flavors"));
}
