use axum::http::Method;
use serde_json::{Value, json};

use crate::mlflow::testing::{Server, keyed};

async fn log(server: &Server, id: &str, (value, timestamp, step): (Value, i64, i64)) {
    let body = json!({"run_id": id, "run_uuid": id, "key": "m", "value": value, "timestamp": timestamp, "step": step});
    assert_eq!(server.told("runs/log-metric", body).await, json!({}));
}

async fn history(server: &Server, query: &str) -> (Vec<(Value, i64, i64)>, Option<String>) {
    let answer = server.seen(&format!("metrics/get-history?{query}")).await;
    let points = answer["metrics"].as_array();
    let points = points.into_iter().flatten().map(|point| {
        assert_eq!(point["key"], "m");
        let number = |field: &str| point[field].as_i64().unwrap();
        (point["value"].clone(), number("timestamp"), number("step"))
    });
    let token = answer["next_page_token"].as_str();
    (points.collect(), token.map(str::to_owned))
}

#[tokio::test]
async fn the_latest_value_is_that_of_the_greatest_step_and_equal_points_count_once() {
    let server = Server::new();
    let id = server.run().await;
    for point in [
        (json!(2.0), 20, 5),
        (json!(1.0), 10, 7),
        (json!(9.0), 99, 1),
        (json!(1.0), 10, 7),
    ] {
        log(&server, &id, point).await;
    }
    let run = server.run_of(&id).await;
    let metric = &run["data"]["metrics"][0];
    assert_eq!(
        (&metric["value"], &metric["step"], &metric["timestamp"]),
        (&json!(1.0), &json!(7), &json!(10))
    );
    let (points, token) = history(&server, &format!("run_id={id}&metric_key=m")).await;
    let expected = [
        (json!(1.0), 10, 7),
        (json!(2.0), 20, 5),
        (json!(9.0), 99, 1),
    ];
    assert_eq!((points.as_slice(), token), (&expected[..], None));
}

#[tokio::test]
async fn numbers_that_json_has_not_come_in_every_form() {
    let server = Server::new();
    let id = server.run().await;
    log(&server, &id, (json!("NaN"), 1, 1)).await;
    log(&server, &id, (json!("Infinity"), 2, 2)).await;
    log(&server, &id, (json!("-Infinity"), 3, 3)).await;
    let bare =
        format!("{{\"run_id\": \"{id}\", \"key\": \"bare\", \"value\": NaN, \"timestamp\": 5}}");
    let answer = server
        .send(Method::POST, "/api/2.0/mlflow/runs/log-metric", &bare)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let (points, _) = history(&server, &format!("run_id={id}&metric_key=m")).await;
    let values: Vec<&Value> = points.iter().map(|(value, ..)| value).collect();
    assert_eq!(values, [&json!("NaN"), &json!(f64::MAX), &json!(-f64::MAX)]);
    let run = server.run_of(&id).await;
    assert_eq!(keyed(&run["data"]["metrics"], "bare"), "NaN");
    let text = server
        .get(&format!("metrics/get-history?run_id={id}&metric_key=m"))
        .await
        .text;
    assert!(text.contains("1.7976931348623157e+308"), "{text}");
}

#[tokio::test]
async fn histories_come_in_pages() {
    let server = Server::new();
    let id = server.run().await;
    for at in 0..7 {
        log(&server, &id, (json!(at), 100 - at, at)).await;
    }
    let base = format!("run_id={id}&metric_key=m&max_results=3");
    let (mut points, mut token) = history(&server, &base).await;
    while let Some(next) = token {
        let (more, then) = history(&server, &format!("{base}&page_token={next}")).await;
        points.extend(more);
        token = then;
    }
    let times: Vec<i64> = points.iter().map(|(_, time, _)| *time).collect();
    assert_eq!(times, (94..=100).collect::<Vec<_>>());
    for (query, words) in [
        (
            format!("run_id={id}&metric_key=m&max_results=0"),
            "must be a positive integer",
        ),
        (
            format!("run_id={id}"),
            "Missing value for required parameter 'metric_key'",
        ),
        (format!("{base}&page_token=x"), "Invalid page token"),
    ] {
        let answer = server.get(&format!("metrics/get-history?{query}")).await;
        assert_eq!(
            (answer.status, &answer.json()["error_code"]),
            (400, &json!("INVALID_PARAMETER_VALUE"))
        );
        assert!(answer.text.contains(words), "{}", answer.text);
    }
    let none = server
        .seen("metrics/get-history?run_id=odd&metric_key=m")
        .await;
    assert_eq!(none, json!({}));
}

#[tokio::test]
async fn histories_of_several_runs_are_told_at_once() {
    let server = Server::new();
    let (one, other) = (server.run().await, server.run().await);
    for at in 0..10 {
        log(&server, &one, (json!(at), at, at)).await;
    }
    log(&server, &other, (json!(5), 1, 0)).await;
    let bulk = format!(
        "/ajax-api/2.0/mlflow/metrics/get-history-bulk?run_id={one}&run_id={other}&metric_key=m"
    );
    let answer = server.send(Method::GET, &bulk, "").await.json();
    let points = answer["metrics"].as_array().unwrap();
    assert_eq!(points.len(), 11);
    assert!(
        points
            .iter()
            .is_sorted_by_key(|point| point["run_id"].as_str())
    );
    let few = server
        .send(Method::GET, &format!("{bulk}&max_results=4"), "")
        .await
        .json();
    assert_eq!(few["metrics"].as_array().map(Vec::len), Some(4));
    let base =
        format!("metrics/get-history-bulk-interval?run_ids={one}&run_ids={other}&metric_key=m");
    let sampled = server.seen(&format!("{base}&max_results=4")).await;
    let steps = sampled["metrics"].as_array().unwrap().iter();
    let steps: Vec<i64> = steps.map(|point| point["step"].as_i64().unwrap()).collect();
    assert_eq!(steps, [0, 3, 6, 9, 0]);
    let part = server
        .seen(&format!("{base}&start_step=4&end_step=6"))
        .await;
    assert_eq!(part["metrics"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn odd_questions_for_samples_are_refused() {
    let server = Server::new();
    let base = "metrics/get-history-bulk-interval?run_ids=a&metric_key=m";
    for (more, words) in [
        (
            "&max_results=2501",
            "max_results must be between 1 and 2500.",
        ),
        ("&start_step=4", "both must be specified"),
        (
            "&start_step=4&end_step=3",
            "end_step must be greater than start_step",
        ),
    ] {
        let answer = server.get(&format!("{base}{more}")).await;
        assert!(
            answer.status == 400 && answer.text.contains(words),
            "{}",
            answer.text
        );
    }
    let many = "run_ids=a&".repeat(101);
    let answer = server
        .get(&format!(
            "metrics/get-history-bulk-interval?{many}metric_key=m"
        ))
        .await;
    assert!(
        answer
            .text
            .contains("at most 100 run_ids. Received 101 run_ids."),
        "{}",
        answer.text
    );
}
