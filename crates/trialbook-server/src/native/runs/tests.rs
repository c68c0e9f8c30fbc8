use axum::http::Method;
use serde_json::{Value, json};

use crate::testing::Bench;

/// A book with an experiment and three runs, made by MLflow's clients: what either side wrote the other sees.
async fn filled() -> (Bench, Vec<String>) {
    let bench = Bench::new();
    let made = json!({ "name": "tuning" });
    let made = bench
        .post("/api/2.0/mlflow/experiments/create", &made)
        .await;
    let experiment = made.json()["experiment_id"].clone();
    let mut ids = Vec::new();
    for (lr, loss) in [("0.1", 0.5), ("0.010", 0.25), ("0.3", f64::INFINITY)] {
        let run = json!({ "experiment_id": experiment, "run_name": format!("lr {lr}") });
        let run = bench.post("/api/2.0/mlflow/runs/create", &run).await.json();
        let id = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
        let value: Value = if loss.is_finite() {
            json!(loss)
        } else {
            json!("Infinity")
        };
        let batch = json!({
            "run_id": id,
            "params": [{ "key": "lr", "value": lr }],
            "metrics": [{ "key": "loss", "value": value, "timestamp": 1, "step": 1 }],
            "tags": [{ "key": "stage", "value": "dev" }],
        });
        let logged = bench.post("/api/2.0/mlflow/runs/log-batch", &batch).await;
        assert_eq!(logged.status, 200, "{}", logged.text);
        ids.push(id);
    }
    (bench, ids)
}

#[tokio::test]
async fn a_window_has_columns_in_the_order_asked_for() {
    let (bench, ids) = filled().await;
    let path =
        "/api/v1/runs?sort=metrics.loss+ASC&cols=name,params.lr,metrics.loss,status,tags.none";
    let window = bench.get(path).await.json();
    assert_eq!(window["total"], 3);
    assert_eq!(window["ids"], json!([ids[1], ids[0], ids[2]]));
    assert_eq!(window["data"]["params.lr"], json!([0.010, 0.1, 0.3]));
    assert_eq!(
        window["data"]["metrics.loss"],
        json!([0.25, 0.5, "Infinity"])
    );
    assert_eq!(
        window["data"]["status"],
        json!(["running", "running", "running"])
    );
    assert_eq!(window["data"]["tags.none"], json!([null, null, null]));
    assert_eq!(
        window["unknown"],
        json!([{ "key": "tags.none", "nearest": null }])
    );
    let filtered = "/api/v1/runs?filter=loss%20%3C%200.4&experiment=tuning";
    assert_eq!(bench.get(filtered).await.json()["ids"], json!([ids[1]]));
}

#[tokio::test]
async fn windows_of_one_version_agree_while_runs_are_added() {
    let (bench, ids) = filled().await;
    let first = bench.get("/api/v1/runs?limit=2").await.json();
    assert_eq!(first["ids"], json!([ids[2], ids[1]]));
    let more = json!({ "experiment_id": "0" });
    bench.post("/api/2.0/mlflow/runs/create", &more).await;
    let version = &first["version"];
    let next = bench
        .get(&format!("/api/v1/runs?limit=2&offset=2&at={version}"))
        .await
        .json();
    assert_eq!(
        (&next["ids"], &next["total"]),
        (&json!([ids[0]]), &json!(3))
    );
    let gone = bench.get("/api/v1/runs?limit=2&at=7").await;
    assert_eq!(gone.status, 410);
    let error = &gone.json()["error"];
    assert_eq!(
        (&error["code"], &error["field"]),
        (&json!("expired"), &json!("at"))
    );
    let again = bench
        .get(&format!("/api/v1/runs?at={}", error["version"]))
        .await
        .json();
    assert_eq!(again["total"], 4);
}

#[tokio::test]
async fn a_run_is_found_by_what_people_call_it() {
    let (bench, ids) = filled().await;
    for text in [
        ids[2].as_str(),
        &ids[2][..8],
        "latest",
        "tuning%2Frun-3",
        "tuning%2Flatest",
    ] {
        let run = bench.get(&format!("/api/v1/runs/{text}")).await;
        assert_eq!(run.json()["id"], ids[2].as_str(), "{text}: {}", run.text);
    }
    let run = bench.get(&format!("/api/v1/runs/{}", ids[1])).await;
    assert!(
        run.text.contains("\"lr\":0.010"),
        "a number keeps its text: {}",
        run.text
    );
    let run = run.json();
    assert_eq!(run["metrics"]["loss"]["last"], 0.25);
    assert_eq!(run["handle"], "tuning/run-002");
    for text in ["ffff", "f", "tuning%2Frun-9", "tunin%2Frun-1", "%20"] {
        let answer = bench.get(&format!("/api/v1/runs/{text}")).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (404, &json!("not_found"))
        );
    }
    let near = bench.get("/api/v1/experiments/tunin").await.json();
    assert_eq!(near["error"]["hint"], "nearest: `tuning`");
}

#[tokio::test]
async fn what_is_wrong_in_a_query_is_named() {
    let bench = Bench::new();
    let problem = async |path: &str| {
        let answer = bench.get(path).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        answer.json()["error"].clone()
    };
    let unknown = problem("/api/v1/runs?fliter=a").await;
    assert_eq!(
        (&unknown["field"], &unknown["hint"]),
        (&json!("fliter"), &json!("nearest: `filter`"))
    );
    let broken = problem("/api/v1/runs?filter=loss%20%3C").await;
    assert_eq!(
        (&broken["code"], &broken["field"]),
        (&json!("filter_invalid"), &json!("filter"))
    );
    assert_eq!(broken["position"], 6);
    assert_eq!(problem("/api/v1/runs?cols=a%20b").await["field"], "cols");
    assert_eq!(problem("/api/v1/runs?limit=many").await["field"], "limit");
    assert_eq!(
        problem("/api/v1/runs?limit=1&limit=2").await["field"],
        "limit"
    );
    let nobody = bench.get("/api/v1/runs?experiment=none").await;
    assert_eq!(
        (nobody.status, &nobody.json()["error"]["field"]),
        (404, &json!("experiment"))
    );
}

#[tokio::test]
async fn tags_are_set_and_removed_and_secrets_left_out() {
    let (bench, ids) = filled().await;
    let path = format!("/api/v1/runs/{}/tags", ids[0]);
    let change = json!({ "tags": { "stage": null, "team": "a", "api_key": "sk-very-secret" } });
    let told = bench
        .send(Method::PATCH, &path, change.to_string())
        .await
        .json();
    assert_eq!(told["tags"]["team"], "a");
    assert_eq!(told["tags"]["api_key"], "[redacted]");
    assert!(told["tags"].get("stage").is_none());
    let wrong = bench
        .send(Method::PATCH, &path, r#"{"tag":{}}"#)
        .await
        .json();
    assert_eq!(
        (&wrong["error"]["field"], &wrong["error"]["hint"]),
        (&json!("tag"), &json!("nearest: `tags`"))
    );
    let nobody = bench
        .send(Method::PATCH, "/api/v1/runs/ffff/tags", r#"{"tags":{}}"#)
        .await;
    assert_eq!(nobody.status, 404);
}
