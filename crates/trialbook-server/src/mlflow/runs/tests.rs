use serde_json::{Value, json};
use trialbook_model::id::{ExperimentUid, RunUid, Uid};
use trialbook_model::record::{
    LinkKind, Op, Param, Points, SeriesKey, SetParams, StartRun, Subject,
};
use trialbook_model::time::Timestamp;

use crate::loopback::Within;
use crate::mlflow::testing::{Server, keyed, text};

async fn found(server: &Server, body: Value) -> Vec<String> {
    let mut body = body;
    body["experiment_ids"] = json!(["0"]);
    let answer = server.told("runs/search", body).await;
    let runs = answer["runs"].as_array();
    runs.into_iter()
        .flatten()
        .map(|run| text(&run["info"]["run_name"]))
        .collect()
}

#[tokio::test]
async fn a_run_is_created_with_a_name_and_its_tags() {
    let server = Server::new();
    let body = json!({
        "experiment_id": "0", "user_id": "ann", "start_time": "1700000000001",
        "tags": [
            {"key": "mlflow.user", "value": "ann"},
            {"key": "mlflow.source.name", "value": "train.py"},
            {"key": "mlflow.note.content", "value": "what it is"},
            {"key": "odd,key", "value": "kept"},
        ],
    });
    let created = server.told("runs/create", body).await;
    let run = &created["run"];
    assert_eq!((run.get("outputs"), &run["inputs"]), (None, &json!({})));
    let info = &run["info"];
    let id = text(&info["run_id"]);
    assert_eq!(info["run_uuid"], id);
    assert_eq!(id.len(), 32);
    assert_eq!(info["user_id"], "ann");
    assert_eq!(info["status"], "RUNNING");
    assert_eq!(info["start_time"], 1_700_000_000_001_i64);
    assert_eq!(info.get("end_time"), None);
    assert_eq!(
        info["artifact_uri"],
        format!("mlflow-artifacts:/0/{id}/artifacts")
    );
    assert_eq!(text(&info["run_name"]).split('-').count(), 3);
    let tags = &run["data"]["tags"];
    assert_eq!(keyed(tags, "mlflow.runName"), &info["run_name"]);
    assert_eq!(keyed(tags, "mlflow.note.content"), "what it is");
    assert_eq!(keyed(tags, "odd,key"), "kept");
    assert_eq!(tags.as_array().map(Vec::len), Some(5));
    let got = server.run_of(&id).await;
    assert_eq!((&got["info"], &got["data"]), (info, &run["data"]));
    assert_eq!(got["outputs"], json!({}));
    let by_uuid = server.seen(&format!("runs/get?run_uuid={id}")).await;
    assert_eq!(by_uuid["run"], got);
}

#[tokio::test]
async fn a_name_and_its_tag_are_one() {
    let server = Server::new();
    let tag = json!([{"key": "mlflow.runName", "value": "by tag"}]);
    let body = json!({"experiment_id": "0", "tags": tag});
    let created = server.told("runs/create", body).await;
    assert_eq!(created["run"]["info"]["run_name"], "by tag");
    let id = text(&created["run"]["info"]["run_id"]);
    let body = json!({"experiment_id": "0", "run_name": "other", "tags": tag});
    let two = (
        "INVALID_PARAMETER_VALUE",
        "'mlflow.runName' tag are specified, but with different",
    );
    server.refused("runs/create", body, two).await;
    let body = json!({"run_id": id, "key": "mlflow.runName", "value": "later"});
    server.told("runs/set-tag", body).await;
    assert_eq!(server.run_of(&id).await["info"]["run_name"], "later");
    server
        .told("runs/update", json!({"run_id": id, "run_name": "last"}))
        .await;
    let run = server.run_of(&id).await;
    assert_eq!(keyed(&run["data"]["tags"], "mlflow.runName"), "last");
    assert_eq!(run["info"]["status"], "RUNNING");
    assert_eq!(
        found(&server, json!({"filter": "tags.mlflow.runName = 'last'"})).await,
        ["last"]
    );
    assert_eq!(
        found(&server, json!({"filter": "run_name LIKE 'la%'"})).await,
        ["last"]
    );
}

#[tokio::test]
async fn any_state_follows_any_other_and_records_after_the_end_are_kept() {
    let server = Server::new();
    let id = server.run().await;
    let end = json!({"run_id": id, "run_uuid": id, "status": "FINISHED", "end_time": 1_700_000_009_999_i64});
    let told = server.told("runs/update", end).await;
    assert_eq!(told["run_info"]["status"], "FINISHED");
    assert_eq!(told["run_info"]["end_time"], 1_700_000_009_999_i64);
    let metric = json!({"run_id": id, "key": "late", "value": 1.0, "timestamp": 1, "step": 0});
    server.told("runs/log-metric", metric).await;
    let failed = server
        .told("runs/update", json!({"run_id": id, "status": "FAILED"}))
        .await;
    assert_eq!(failed["run_info"]["end_time"], 1_700_000_009_999_i64);
    for status in ["RUNNING", "SCHEDULED", "KILLED", "RUNNING"] {
        let told = server
            .told("runs/update", json!({"run_id": id, "status": status}))
            .await;
        assert_eq!(told["run_info"]["status"], status);
        assert_eq!(
            told["run_info"]["start_time"], 1_700_000_000_001_i64,
            "{status}"
        );
    }
    let odd = (
        "INVALID_PARAMETER_VALUE",
        "Invalid value \"DONE\" for parameter 'status'",
    );
    server
        .refused("runs/update", json!({"run_id": id, "status": "DONE"}), odd)
        .await;
    assert_eq!(
        keyed(&server.run_of(&id).await["data"]["metrics"], "late"),
        1.0
    );
}

#[tokio::test]
async fn params_are_written_once() {
    let server = Server::new();
    let id = server.run().await;
    let param = |value: &str| json!({"run_id": id, "key": "lr", "value": value});
    server.told("runs/log-parameter", param("1")).await;
    server.told("runs/log-parameter", param("1")).await;
    let changed = (
        "INVALID_PARAMETER_VALUE",
        "Changing param values is not allowed. Param with key='lr' was already logged with value='1' for run ID",
    );
    server
        .refused("runs/log-parameter", param("1.0"), changed)
        .await;
    let long = "x".repeat(20_000);
    let body = json!({"run_uuid": id, "key": "long", "value": long});
    server.told("runs/log-parameter", body).await;
    server
        .told("runs/log-parameter", json!({"run_id": id, "key": "none"}))
        .await;
    let params = &server.run_of(&id).await["data"]["params"];
    assert_eq!(keyed(params, "long"), &json!(long));
    assert_eq!(
        (keyed(params, "none"), keyed(params, "lr")),
        (&json!(""), &json!("1"))
    );
    let bad = (
        "INVALID_PARAMETER_VALUE",
        "Names may only contain alphanumerics",
    );
    let body = json!({"run_id": id, "key": "a=b", "value": "1"});
    server.refused("runs/log-parameter", body, bad).await;
}

#[tokio::test]
async fn a_batch_is_written_whole_or_not_at_all() {
    let server = Server::new();
    let id = server.run().await;
    let batch = json!({
        "run_id": id,
        "metrics": [
            {"key": "loss", "value": 0.5, "timestamp": 7, "step": 2},
            {"key": "loss", "value": "NaN", "timestamp": "6", "step": 1},
            {"key": "acc", "value": 1, "timestamp": 7, "step": 2},
        ],
        "params": [{"key": "lr", "value": "0.1"}],
        "tags": [{"key": "t", "value": "v"}, {"key": "mlflow.note.content", "value": "n"}],
    });
    assert_eq!(server.told("runs/log-batch", batch).await, json!({}));
    let data = server.run_of(&id).await["data"].take();
    assert_eq!(keyed(&data["metrics"], "loss"), 0.5);
    assert_eq!(keyed(&data["params"], "lr"), "0.1");
    assert_eq!(keyed(&data["tags"], "mlflow.note.content"), "n");
}

#[tokio::test]
async fn a_batch_with_something_wrong_writes_nothing() {
    let server = Server::new();
    let id = server.run().await;
    let lr = json!({"run_id": id, "key": "lr", "value": "0.1"});
    server.told("runs/log-parameter", lr).await;
    let data = server.run_of(&id).await["data"].take();
    let metric = |key: &str| json!({"key": key, "value": 1.0, "timestamp": 1, "step": 0});
    let pair = |key: &str, value: &str| json!({"key": key, "value": value});
    for (body, words) in [
        (
            json!({"params": [pair("lr", "0.2"), pair("new", "1")], "metrics": [metric("m")]}),
            "Params were already logged",
        ),
        (
            json!({"params": [pair("a", "1"), pair("a", "1")], "metrics": [metric("m")]}),
            "Duplicate parameter keys have been submitted: ['a']",
        ),
        (
            json!({"metrics": [metric("m"), {"key": "x", "value": 1.0}]}),
            "Missing value for required parameter 'metrics[1].timestamp'",
        ),
        (
            json!({"metrics": [metric("m"), metric("a//b")]}),
            "for parameter 'metrics[1].name'",
        ),
        (
            json!({"metrics": [metric("m"), {"key": "x", "value": 1.0, "timestamp": -1}]}),
            "Timestamp must be a nonnegative",
        ),
        (
            json!({"metrics": [metric("m")], "tags": [pair("", "1")]}),
            "Missing value for required parameter 'tags[0].key'",
        ),
        (
            json!({"metrics": vec![metric("m"); 1001]}),
            "at most 1000 metrics. Got 1001 metrics",
        ),
        (
            json!({"params": (0..101).map(|at| pair(&format!("p{at}"), "1")).collect::<Vec<_>>()}),
            "at most 100 params",
        ),
        (
            json!({"metrics": vec![metric("m"); 950], "tags": vec![pair("t", "1"); 60]}),
            "at most 1000 metrics, params, and tags",
        ),
    ] {
        let mut body = body;
        body["run_id"] = json!(id);
        server
            .refused("runs/log-batch", body, ("INVALID_PARAMETER_VALUE", words))
            .await;
    }
    let after = server.run_of(&id).await["data"].take();
    assert_eq!(after, data);
}

#[tokio::test]
async fn a_batch_is_of_a_run_that_there_is() {
    let server = Server::new();
    let odd = (
        "INVALID_PARAMETER_VALUE",
        "Invalid value \"../x\" for parameter 'run_id'",
    );
    server
        .refused("runs/log-batch", json!({"run_id": "../x"}), odd)
        .await;
    let none = ("RESOURCE_DOES_NOT_EXIST", "Run with id=abc not found");
    server
        .refused("runs/log-batch", json!({"run_id": "abc"}), none)
        .await;
}

#[tokio::test]
async fn a_deleted_run_is_read_and_not_written() {
    let server = Server::new();
    let id = server.run().await;
    server.told("runs/delete", json!({"run_id": id})).await;
    assert_eq!(
        server.run_of(&id).await["info"]["lifecycle_stage"],
        "deleted"
    );
    let inactive = (
        "INVALID_PARAMETER_VALUE",
        "must be in the 'active' state. Current state is deleted",
    );
    for (route, body) in [
        (
            "runs/log-metric",
            json!({"key": "a", "value": 1, "timestamp": 1}),
        ),
        ("runs/log-parameter", json!({"key": "a", "value": "1"})),
        ("runs/log-batch", json!({})),
        ("runs/set-tag", json!({"key": "a", "value": "1"})),
        ("runs/delete-tag", json!({"key": "mlflow.user"})),
        ("runs/update", json!({"status": "FINISHED"})),
    ] {
        let mut body = body;
        body["run_id"] = json!(id);
        server.refused(route, body, inactive).await;
    }
    assert_eq!(found(&server, json!({})).await.len(), 0);
    assert_eq!(
        found(&server, json!({"run_view_type": "DELETED_ONLY"}))
            .await
            .len(),
        1
    );
    assert_eq!(
        found(&server, json!({"run_view_type": "ALL"})).await.len(),
        1
    );
    server.told("runs/restore", json!({"run_id": id})).await;
    assert_eq!(found(&server, json!({})).await.len(), 1);
    let none = ("RESOURCE_DOES_NOT_EXIST", "not found");
    server
        .refused("runs/delete", json!({"run_id": "0".repeat(32)}), none)
        .await;
}

#[tokio::test]
async fn tags_are_set_and_removed() {
    let server = Server::new();
    let id = server.run().await;
    let tag = |key: &str| json!({"run_id": id, "key": key, "value": "v"});
    for key in ["a", "mlflow.note.content"] {
        server.told("runs/set-tag", tag(key)).await;
        assert_eq!(keyed(&server.run_of(&id).await["data"]["tags"], key), "v");
        server
            .told("runs/delete-tag", json!({"run_id": id, "key": key}))
            .await;
        let gone = ("RESOURCE_DOES_NOT_EXIST", "No tag with name");
        server
            .refused("runs/delete-tag", json!({"run_id": id, "key": key}), gone)
            .await;
    }
    let model = json!({"artifact_path": "m", "flavors": {"sklearn": {"config": {}, "v": 1}}, "utc_time_created": "t", "run_id": id});
    let body = json!({"run_id": id, "model_json": model.to_string()});
    server.told("runs/log-model", body.clone()).await;
    server.told("runs/log-model", body).await;
    let run = server.run_of(&id).await;
    let history = text(keyed(&run["data"]["tags"], "mlflow.log-model.history"));
    let history: Value = serde_json::from_str(&history).unwrap();
    assert_eq!(history.as_array().map(Vec::len), Some(2));
    assert_eq!(history[0]["flavors"]["sklearn"], json!({"v": 1}));
    let lacks = (
        "INVALID_PARAMETER_VALUE",
        "Model json is missing mandatory fields: {'flavors'",
    );
    let body = json!({"run_id": id, "model_json": "{\"artifact_path\": \"m\"}"});
    server.refused("runs/log-model", body, lacks).await;
}

/// Runs `a` to `d`, of which the last has logged nothing.
async fn four_runs() -> Server {
    let server = Server::new();
    for (at, name) in ["a", "b", "c", "d"].iter().enumerate() {
        let start = 1_700_000_000_000_i64 + at as i64;
        let body =
            json!({"experiment_id": "0", "run_name": name, "start_time": start, "user_id": "ann"});
        let run = server.told("runs/create", body).await;
        let id = text(&run["run"]["info"]["run_id"]);
        if *name != "d" {
            let value = if *name == "b" {
                json!("NaN")
            } else {
                json!(at)
            };
            let metric =
                json!({"run_id": id, "key": "m x", "value": value, "timestamp": 1, "step": 0});
            server.told("runs/log-metric", metric).await;
            let param = json!({"run_id": id, "key": "p", "value": format!("1{}", 9 - at)});
            server.told("runs/log-parameter", param).await;
        }
    }
    server
}

#[tokio::test]
async fn searches_filter_and_sort() {
    let server = four_runs().await;
    for (filter, expected) in [
        ("", &["d", "c", "b", "a"][..]),
        ("metrics.`m x` >= 0", &["c", "a"]),
        ("metric.\"m x\" != 7", &["c", "b", "a"]),
        ("params.p = '18' and attr.status = 'RUNNING'", &["b"]),
        ("params.p IS NULL", &["d"]),
        ("start_time > 1700000000001", &["d", "c"]),
        ("user_id = 'ann' AND run_name ILIKE 'A'", &["a"]),
        ("tags.none != 'x'", &[]),
    ] {
        assert_eq!(
            found(&server, json!({"filter": filter})).await,
            expected,
            "{filter}"
        );
    }
    for (order, expected) in [
        ("metrics.`m x`", ["a", "c", "b", "d"]),
        ("metrics.`m x` DESC", ["c", "a", "b", "d"]),
        ("params.p ASC", ["c", "b", "a", "d"]),
        ("attributes.start_time ASC", ["a", "b", "c", "d"]),
        ("tags.mlflow.runName DESC", ["d", "c", "b", "a"]),
    ] {
        assert_eq!(
            found(&server, json!({"order_by": [order]})).await,
            expected,
            "{order}"
        );
    }
}

#[tokio::test]
async fn searches_come_in_pages_and_refuse_what_they_cannot_read() {
    let server = four_runs().await;
    let first = server
        .told(
            "runs/search",
            json!({"experiment_ids": ["0"], "max_results": 3}),
        )
        .await;
    assert_eq!(first["runs"].as_array().map(Vec::len), Some(3));
    let body =
        json!({"experiment_ids": ["0"], "max_results": 3, "page_token": first["next_page_token"]});
    let second = server.told("runs/search", body).await;
    assert_eq!(second["runs"][0]["info"]["run_name"], "a");
    assert_eq!(second.get("next_page_token"), None);
    let none = server
        .told("runs/search", json!({"experiment_ids": []}))
        .await;
    assert_eq!(none, json!({}));
    for (body, words) in [
        (
            json!({"max_results": 50_001}),
            "Invalid value 50001 for parameter 'max_results' supplied",
        ),
        (json!({"max_results": 0}), "It must be a positive integer"),
        (
            json!({"filter": "metrics.a = 'x'"}),
            "Expected numeric value type for metric",
        ),
        (
            json!({"order_by": ["metrics.a", "metrics.a DESC"]}),
            "contains duplicate fields",
        ),
        (
            json!({"experiment_ids": ["x"]}),
            "Invalid experiment ID 'x'",
        ),
        (
            json!({"experiment_ids": "0"}),
            "for parameter 'experiment_ids'",
        ),
    ] {
        let refusal = ("INVALID_PARAMETER_VALUE", words);
        server.refused("runs/search", body, refusal).await;
    }
}

#[tokio::test]
async fn what_other_programs_recorded_is_seen() {
    let server = Server::new();
    let (run, parent) = (RunUid(Uid([5; 16])), RunUid(Uid([6; 16])));
    server.bench.elsewhere(&[
        Op::StartRun(StartRun {
            experiment: ExperimentUid::default(),
            name: Some("native".to_owned()),
            links: vec![(LinkKind::Parent, parent)],
            command: vec!["python".to_owned(), "train.py".to_owned()],
            started: Timestamp(1_700_000_000_123_456),
            ..StartRun::of(run)
        }),
        Op::SetParams(SetParams {
            run,
            params: vec![("lr".to_owned(), Param::text("0.1"))],
        }),
        Op::Points(Points {
            subject: Subject::Run(run),
            step: 3,
            time: Timestamp(1_700_000_000_500_000),
            set: false,
            values: vec![
                (SeriesKey::plain("loss"), f64::INFINITY),
                (
                    SeriesKey {
                        key: "loss".to_owned(),
                        context: "{\"split\":\"test\"}".to_owned(),
                    },
                    2.0,
                ),
            ],
        }),
    ]);
    let got = server.run_of(&run.to_string()).await;
    let (info, data) = (&got["info"], &got["data"]);
    assert_eq!(
        (&info["run_name"], &info["user_id"]),
        (&json!("native"), &json!("other"))
    );
    assert_eq!(info["start_time"], 1_700_000_000_123_i64);
    assert_eq!(keyed(&data["metrics"], "loss"), f64::MAX);
    assert_eq!(keyed(&data["metrics"], "loss{\"split\":\"test\"}"), 2.0);
    let tags = &data["tags"];
    assert_eq!(
        keyed(tags, "mlflow.parentRunId"),
        &json!(parent.to_string())
    );
    assert_eq!(keyed(tags, "mlflow.source.name"), "python train.py");
    assert_eq!(keyed(tags, "mlflow.user"), "other");
    assert_eq!(found(&server, json!({})).await, ["native"]);
}

#[tokio::test]
async fn odd_requests_are_refused_in_mlflows_words() {
    let server = Server::new();
    let missing = (
        "INVALID_PARAMETER_VALUE",
        "Missing value for required parameter 'run_id'. See the API docs",
    );
    server.refused("runs/log-metric", json!({}), missing).await;
    let id = server.run().await;
    let metric = |value: Value| json!({"run_id": id, "key": "a", "value": value, "timestamp": 1});
    let odd = (
        "INVALID_PARAMETER_VALUE",
        "Invalid value \"x\" for parameter 'value' supplied",
    );
    server
        .refused("runs/log-metric", metric(json!("x")), odd)
        .await;
    let twice = (
        "INVALID_PARAMETER_VALUE",
        "Request specifies both 'run_id' and 'runId'",
    );
    server
        .refused("runs/log-metric", json!({"run_id": id, "runId": id}), twice)
        .await;
    let unknown = ("ENDPOINT_NOT_FOUND", "does not exist");
    server.refused("odd/route", json!({}), unknown).await;
    server.refused("runs/get", json!({}), unknown).await;
    // Old clients encode their bodies twice.
    let body = json!(metric(json!(1.0)).to_string());
    server.told("runs/log-metric", body).await;
    let answer = server.get("runs/get").await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn datasets_and_models_are_inputs_and_outputs() {
    let server = Server::new();
    let id = server.run().await;
    let model = format!("m-{}", "ab".repeat(16));
    let dataset = json!({
        "dataset": {"name": "iris", "digest": "d1", "source_type": "local", "source": "{}", "schema": "s"},
        "tags": [{"key": "mlflow.data.context", "value": "train"}],
    });
    let body = json!({"run_id": id, "datasets": [dataset], "models": [{"model_id": model}]});
    server.told("runs/log-inputs", body.clone()).await;
    server.told("runs/log-inputs", body).await;
    let body = json!({"run_id": id, "models": [{"model_id": model, "step": "3"}]});
    server.told("runs/outputs", body).await;
    let run = server.run_of(&id).await;
    assert_eq!(run["inputs"]["dataset_inputs"], json!([dataset]));
    assert_eq!(run["inputs"]["model_inputs"], json!([{"model_id": model}]));
    assert_eq!(
        run["outputs"]["model_outputs"],
        json!([{"model_id": model, "step": 3}])
    );
    for filter in [
        "datasets.name = 'iris'",
        "datasets.context IN ('train')",
        "dataset.digest LIKE 'd_'",
    ] {
        assert_eq!(
            found(&server, json!({"filter": filter})).await.len(),
            1,
            "{filter}"
        );
    }
    let told = server
        .told(
            "experiments/search-datasets",
            json!({"experiment_ids": ["0", "7"]}),
        )
        .await;
    let summary = json!({"experiment_id": "0", "name": "iris", "digest": "d1", "context": "train"});
    assert_eq!(told["dataset_summaries"], json!([summary]));
    let none = (
        "INVALID_PARAMETER_VALUE",
        "must specify at least one experiment_id",
    );
    server
        .refused("experiments/search-datasets", json!({}), none)
        .await;
    let lacks = ("INVALID_PARAMETER_VALUE", "'datasets[0].dataset.digest'");
    let body = json!({"run_id": id, "datasets": [{"dataset": {"name": "x"}}]});
    server.refused("runs/log-inputs", body, lacks).await;
}

#[tokio::test]
async fn the_first_run_of_a_program_is_the_one_around_it() {
    let mut server = Server::new();
    let around = RunUid(Uid([5; 16]));
    server.bench.elsewhere(&[Op::StartRun(StartRun {
        experiment: ExperimentUid::default(),
        name: Some("wrapped".to_owned()),
        ..StartRun::of(around)
    })]);
    let router = server.bench.router.clone();
    server.bench.router = router.layer(axum::Extension(Within(around)));
    let told = server
        .told("experiments/create", json!({"name": "its own"}))
        .await;
    assert_eq!(told["experiment_id"], "0");
    let body = json!({"experiment_id": "0", "tags": [{"key": "mlflow.user", "value": "ann"}]});
    let first = server.told("runs/create", body.clone()).await;
    let info = &first["run"]["info"];
    assert_eq!(
        (&info["run_id"], &info["run_name"]),
        (&json!(around.to_string()), &json!("wrapped"))
    );
    let second = server.told("runs/create", body).await;
    let child = text(&second["run"]["info"]["run_id"]);
    assert_ne!(child, around.to_string());
    let tags = &second["run"]["data"]["tags"];
    assert_eq!(
        keyed(tags, "mlflow.parentRunId"),
        &json!(around.to_string())
    );
    for (id, status) in [(around.to_string(), "RUNNING"), (child, "FINISHED")] {
        let end = json!({"run_id": id, "status": "FINISHED", "end_time": 1});
        let told = server.told("runs/update", end).await;
        assert_eq!(told["run_info"]["status"], status);
    }
    let run = server.run_of(&around.to_string()).await;
    assert_eq!(
        keyed(&run["data"]["tags"], "mlflow.experimentName"),
        "its own"
    );
}
