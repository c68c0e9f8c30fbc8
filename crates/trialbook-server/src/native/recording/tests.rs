use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};

use crate::testing::{Answer, Bench};

async fn keyed(bench: &Bench, path: &str, body: &Value) -> Answer {
    let request = Request::builder().method(Method::POST).uri(path);
    let request = request
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", "again");
    bench
        .ask(request.body(Body::from(body.to_string())).unwrap())
        .await
}

#[tokio::test]
async fn a_run_is_started_logged_to_and_ended() {
    let bench = Bench::new();
    let new =
        json!({ "experiment": "tuning", "params": { "lr": 0.10, "opt": "adam", "api_key": "x" } });
    let run = bench.post("/api/v1/runs", &new).await;
    assert!(run.text.contains("\"lr\":0.1"), "{}", run.text);
    let run = run.json();
    assert_eq!(
        (&run["experiment"], &run["status"]),
        (&json!("tuning"), &json!("running"))
    );
    assert_eq!(run["params"]["api_key"], "[redacted]");
    let id = run["id"].as_str().unwrap();
    let batch = json!({
        "metrics": [
            { "key": "loss", "value": 0.5, "step": 1, "time_ms": 1000 },
            { "key": "loss", "value": "NaN", "step": 2, "time_ms": 2000 },
            { "key": "loss", "value": 0.25, "step": 3, "time_ms": 3000 },
        ],
        "params": { "seed": 7 },
        "tags": { "stage": "dev" },
        "events": [{ "kind": "decision", "text": "go on", "data": { "token": "t" } }],
    });
    let logged = bench.post(&format!("/api/v1/runs/{id}/log"), &batch).await;
    assert_eq!(
        logged.json(),
        json!({ "params": 1, "metrics": 3, "tags": 1, "events": 1 })
    );
    let history = bench
        .get(&format!("/api/v1/runs/{id}/metrics?key=loss&offset=1"))
        .await
        .json();
    let expected =
        json!({ "total": 3, "steps": [2, 3], "times_ms": [2000, 3000], "values": ["NaN", 0.25] });
    assert_eq!(history, expected);
    let events = bench.get(&format!("/api/v1/runs/{id}/events")).await.json();
    assert_eq!(events["events"][0]["text"], "go on");
    assert_eq!(events["events"][0]["data"]["token"], "[redacted]");
}

#[tokio::test]
async fn a_run_ends_once() {
    let bench = Bench::new();
    let run = bench.post("/api/v1/runs", &json!({})).await.json();
    let id = run["id"].as_str().unwrap();
    let ended = bench
        .post(
            &format!("/api/v1/runs/{id}/end"),
            &json!({ "exit_code": 3 }),
        )
        .await;
    assert_eq!(ended.json()["status"], "failed");
    let again = bench
        .post(&format!("/api/v1/runs/{id}/end"), &json!({}))
        .await;
    assert_eq!(
        (again.status, &again.json()["error"]["code"]),
        (409, &json!("run_ended"))
    );
    let word = bench
        .post(
            &format!("/api/v1/runs/{id}/end"),
            &json!({ "status": "done" }),
        )
        .await;
    assert_eq!(
        (word.status, &word.json()["error"]["field"]),
        (400, &json!("status"))
    );
}

#[tokio::test]
async fn a_param_keeps_its_value_and_a_batch_is_whole() {
    let bench = Bench::new();
    let run = bench
        .post("/api/v1/runs", &json!({ "params": { "lr": 0.1 } }))
        .await
        .json();
    let path = format!("/api/v1/runs/{}/log", run["id"].as_str().unwrap());
    let same = json!({ "params": { "lr": 0.1 } });
    assert_eq!(bench.post(&path, &same).await.status, 200);
    // The same number, written otherwise, and a text that stands for no characters.
    let ask = async |body: &str| bench.send(Method::POST, &path, body).await;
    assert_eq!(ask(r#"{"params":{"lr":0.10}}"#).await.status, 200);
    let broken = ask(r#"{"params":{"a":"\ud800"}}"#).await;
    assert_eq!(
        (broken.status, &broken.json()["error"]["code"]),
        (400, &json!("value_invalid"))
    );
    let other =
        json!({ "params": { "lr": 0.2, "new": 1 }, "metrics": [{ "key": "loss", "value": 1 }] });
    let refused = bench.post(&path, &other).await;
    let error = &refused.json()["error"];
    assert_eq!(
        (refused.status, &error["code"]),
        (409, &json!("param_conflict"))
    );
    assert_eq!(error["field"], "params.lr");
    let run = bench.get("/api/v1/runs/latest").await.json();
    assert!(run["params"].get("new").is_none() && run["metrics"] == json!({}));
    for (batch, field) in [
        (
            json!({ "metrics": [{ "key": "", "value": 1 }] }),
            "metrics.0.key",
        ),
        (
            json!({ "metrics": [{ "key": "a", "value": "many" }] }),
            "metrics.0.value",
        ),
        (
            json!({ "metrics": [{ "key": "a", "value": 1, "stp": 1 }] }),
            "metrics.0.stp",
        ),
        (json!({ "events": [{ "kind": " " }] }), "events.0.kind"),
    ] {
        let refused = bench.post(&path, &batch).await;
        assert_eq!(
            (refused.status, &refused.json()["error"]["field"]),
            (400, &json!(field))
        );
    }
    assert_eq!(bench.post("/api/v1/runs/ffff/log", &same).await.status, 404);
}

#[tokio::test]
async fn a_taken_name_gets_a_number_or_is_refused() {
    let bench = Bench::new();
    let make = async |body: Value| bench.post("/api/v1/experiments", &body).await;
    assert_eq!(make(json!({ "name": "a" })).await.json()["name"], "a");
    assert_eq!(make(json!({ "name": "a" })).await.json()["name"], "a-2");
    assert_eq!(
        make(json!({ "name": "a", "project": "p" })).await.json()["name"],
        "a"
    );
    let refused = make(json!({ "name": "a", "unique": true })).await;
    assert_eq!(
        (refused.status, &refused.json()["error"]["code"]),
        (409, &json!("state_conflict"))
    );
    for name in [String::new(), "\0".to_owned(), "n".repeat(501)] {
        assert_eq!(make(json!({ "name": name })).await.status, 400);
    }
    let all = bench.get("/api/v1/experiments?limit=2").await.json();
    assert_eq!(
        (&all["total"], all["experiments"].as_array().unwrap().len()),
        (&json!(4), 2)
    );
}

#[tokio::test]
async fn a_request_that_is_repeated_with_its_key_is_done_once() {
    let bench = Bench::new();
    let one = keyed(&bench, "/api/v1/runs", &json!({ "experiment": "e" }))
        .await
        .json();
    let two = keyed(&bench, "/api/v1/runs", &json!({ "experiment": "e" }))
        .await
        .json();
    assert_eq!(one["id"], two["id"]);
    let path = format!("/api/v1/runs/{}/log", one["id"].as_str().unwrap());
    let batch = json!({ "metrics": [{ "key": "loss", "value": 1, "step": 1, "time_ms": 1 }] });
    keyed(&bench, &path, &batch).await;
    keyed(&bench, &path, &batch).await;
    let run = bench.get("/api/v1/runs/latest").await.json();
    assert_eq!(run["metrics"]["loss"]["count"], 1);
    assert_eq!(bench.get("/api/v1/runs").await.json()["total"], 1);
}

#[tokio::test]
async fn what_goes_into_the_bin_comes_out_of_it() {
    let bench = Bench::new();
    let run = bench
        .post("/api/v1/runs", &json!({ "experiment": "e" }))
        .await
        .json();
    let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
    assert_eq!(bench.send(Method::DELETE, &path, "").await.status, 200);
    assert_eq!(bench.get("/api/v1/runs").await.json()["total"], 0);
    assert_eq!(bench.get("/api/v1/runs?shown=bin").await.json()["total"], 1);
    assert_eq!(
        bench
            .send(Method::POST, &format!("{path}/restore"), "")
            .await
            .status,
        200
    );
    assert_eq!(bench.get("/api/v1/runs").await.json()["total"], 1);
    assert_eq!(
        bench
            .send(Method::DELETE, "/api/v1/experiments/e", "")
            .await
            .status,
        200
    );
    assert_eq!(bench.get("/api/v1/runs").await.json()["total"], 0);
    assert_eq!(
        bench
            .send(Method::POST, "/api/v1/experiments/e/restore", "")
            .await
            .status,
        200
    );
    assert_eq!(bench.get("/api/v1/experiments/e").await.json()["runs"], 1);
    assert_eq!(
        bench
            .send(Method::DELETE, "/api/v1/experiments/0", "")
            .await
            .status,
        409
    );
}
