use axum::http::Method;
use serde_json::{Value, json};

use crate::mlflow::testing::{Server, check_refusal, text};

async fn with_model() -> Server {
    let server = Server::new();
    server
        .told("registered-models/create", json!({"name": "m"}))
        .await;
    server
}

async fn send(server: &Server, method: Method, route: &str, body: Value) -> Value {
    let path = format!("/api/2.0/mlflow/{route}");
    let answer = server.send(method, &path, &body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn made(server: &Server, body: Value) -> Value {
    let mut answer = server.told("model-versions/create", body).await;
    answer["model_version"].take()
}

#[tokio::test]
async fn a_version_of_a_run_is_answered_as_clients_expect() {
    let server = with_model().await;
    let run = server.run().await;
    let source = text(&server.run_of(&run).await["info"]["artifact_uri"]);
    let source = format!("{source}/model");
    let body =
        json!({"name": "m", "source": source, "run_id": run, "tags": [{"key": "a", "value": "b"}]});
    let version = made(&server, body).await;
    let expected = json!({
        "name": "m", "version": "1", "description": "", "current_stage": "None", "source": source,
        "run_id": run, "run_link": "", "status": "READY", "tags": [{"key": "a", "value": "b"}],
        "creation_timestamp": version["creation_timestamp"],
        "last_updated_timestamp": version["creation_timestamp"],
    });
    assert_eq!(version, expected);
    let seen = server.seen("model-versions/get?name=m&version=1").await;
    assert_eq!(seen["model_version"], version);
    let place = server
        .seen("model-versions/get-download-uri?name=m&version=1")
        .await;
    assert_eq!(place, json!({ "artifact_uri": source }));
    let model = server.seen("registered-models/get?name=m").await;
    assert_eq!(
        model["registered_model"]["latest_versions"],
        json!([version])
    );
}

#[tokio::test]
async fn a_source_belongs_to_the_run_that_is_named_with_it() {
    let server = with_model().await;
    let (run, other) = (server.run().await, server.run().await);
    let place = text(&server.run_of(&run).await["info"]["artifact_uri"]);
    let cases = [
        (json!({"source": "/etc/passwd"}), "To use a local path"),
        (
            json!({"source": "file:///etc/passwd", "run_id": run}),
            "To use a local path",
        ),
        (
            json!({"source": format!("runs:/{other}/m"), "run_id": run}),
            "must identify the resource",
        ),
        (
            json!({"source": format!("{place}/m"), "run_id": other}),
            "must identify the resource",
        ),
        (
            json!({"source": format!("{place}/../../x"), "run_id": run}),
            "absolute path",
        ),
        (
            json!({"source": format!("{place}/%2e%2e/x"), "run_id": run}),
            "absolute path",
        ),
        (
            json!({"source": "models://other/m/1"}),
            "active model registry",
        ),
        (
            json!({"source": format!("models:/m-{}", "1".repeat(32))}),
            "must identify the resource",
        ),
    ];
    for (mut body, words) in cases {
        body["name"] = "m".into();
        let refused = ("INVALID_PARAMETER_VALUE", words);
        server.refused("model-versions/create", body, refused).await;
    }
    let body = json!({"name": "m", "source": "s3://bucket/model"});
    assert_eq!(made(&server, body).await["run_id"], "");
    let unknown = (
        "RESOURCE_DOES_NOT_EXIST",
        "Registered Model with name=x not found",
    );
    let body = json!({"name": "x", "source": "s3://bucket/model"});
    server.refused("model-versions/create", body, unknown).await;
}

#[tokio::test]
async fn a_version_of_a_logged_model_has_its_run_and_files_and_is_told_to_it() {
    let server = with_model().await;
    let run = server.run().await;
    let body = json!({"experiment_id": "0", "name": "lm", "source_run_id": run});
    let model = server.told("logged-models", body).await["model"].take();
    let id = text(&model["info"]["model_id"]);
    let source = format!("models:/{id}");
    let body = json!({"name": "m", "source": source, "model_id": id});
    let version = made(&server, body).await;
    assert_eq!(
        (&version["run_id"], &version["source"]),
        (&json!(run), &json!(source))
    );
    let place = server
        .seen("model-versions/get-download-uri?name=m&version=1")
        .await;
    assert_eq!(place["artifact_uri"], model["info"]["artifact_uri"]);
    let told = server.seen(&format!("logged-models/{id}")).await;
    let tags = &told["model"]["info"]["tags"];
    let versions: Value = serde_json::from_str(&text(&tags[0]["value"])).unwrap();
    assert_eq!(versions, json!([{"name": "m", "version": 1}]));
    // A version of that version.
    server
        .told("registered-models/create", json!({"name": "n"}))
        .await;
    let copy = made(&server, json!({"name": "n", "source": "models:/m/1"})).await;
    assert_eq!(
        (&copy["run_id"], &copy["version"]),
        (&json!(run), &json!("1"))
    );
    let again = server
        .seen("model-versions/get-download-uri?name=n&version=1")
        .await;
    assert_eq!(again, place);
}

#[tokio::test]
async fn stages_make_room_for_one_another() {
    let server = with_model().await;
    for _ in 0..3 {
        made(&server, json!({"name": "m", "source": "s3://bucket/model"})).await;
    }
    let to = async |version: &str, stage: &str, archive: bool| {
        let body = json!({"name": "m", "version": version, "stage": stage, "archive_existing_versions": archive});
        server.told("model-versions/transition-stage", body).await
    };
    to("1", "Production", false).await;
    let moved = to("2", "production", true).await;
    assert_eq!(moved["model_version"]["current_stage"], "Production");
    let first = server.seen("model-versions/get?name=m&version=1").await;
    assert_eq!(first["model_version"]["current_stage"], "Archived");
    let latest = server
        .told(
            "registered-models/get-latest-versions",
            json!({"name": "m"}),
        )
        .await;
    let versions = latest["model_versions"].as_array().unwrap();
    let numbers: Vec<String> = versions.iter().map(|it| text(&it["version"])).collect();
    assert_eq!(numbers, ["1", "2", "3"]);
    let route = "registered-models/get-latest-versions?name=m&stages=None&stages=Staging";
    let some = server.seen(route).await;
    assert_eq!(some["model_versions"][0]["version"], "3");
    for (stage, words) in [
        ("Gone", "Invalid Model Version stage"),
        ("Archived", "not an Active stage"),
    ] {
        let body =
            json!({"name": "m", "version": "1", "stage": stage, "archive_existing_versions": true});
        let refused = ("INVALID_PARAMETER_VALUE", words);
        server
            .refused("model-versions/transition-stage", body, refused)
            .await;
    }
}

#[tokio::test]
async fn versions_are_changed_found_and_deleted() {
    let server = with_model().await;
    for at in 0..3 {
        made(
            &server,
            json!({"name": "m", "source": format!("s3://bucket/{at}")}),
        )
        .await;
    }
    let tag = json!({"name": "m", "version": "2", "key": "k", "value": "v"});
    server.told("model-versions/set-tag", tag).await;
    let body = json!({"name": "m", "version": "2", "description": "best"});
    let updated = send(&server, Method::PATCH, "model-versions/update", body).await;
    assert_eq!(updated["model_version"]["description"], "best");
    let numbers = async |query: &str| {
        let found = server.seen(&format!("model-versions/search?{query}")).await;
        let versions = found["model_versions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        versions
            .iter()
            .map(|it| text(&it["version"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        numbers("").await,
        ["2", "3", "1"],
        "the latest changed comes first"
    );
    assert_eq!(
        numbers("filter=name%3D%27m%27&order_by=version_number%20ASC").await,
        ["1", "2", "3"]
    );
    assert_eq!(numbers("filter=tags.k%3D%27v%27").await, ["2"]);
    assert_eq!(numbers("filter=version_number%3E2").await, ["3"]);
    assert_eq!(
        numbers("filter=source_path%20LIKE%20%27%250%27").await,
        ["1"]
    );
    let body = json!({"name": "m", "version": "2", "key": "k"});
    send(&server, Method::DELETE, "model-versions/delete-tag", body).await;
    assert_eq!(numbers("filter=tags.k%3D%27v%27").await, [""; 0]);
    let body = json!({"name": "m", "version": "3"});
    send(&server, Method::DELETE, "model-versions/delete", body).await;
    let answer = server.get("model-versions/get?name=m&version=3").await;
    let gone = (
        "RESOURCE_DOES_NOT_EXIST",
        "Model Version (name=m, version=3) not found",
    );
    check_refusal(&answer, gone, std::panic::Location::caller());
    assert_eq!(numbers("max_results=1").await, ["2"]);
    let answer = server.get("model-versions/get?name=m&version=x").await;
    let odd = ("INVALID_PARAMETER_VALUE", "must be an integer");
    check_refusal(&answer, odd, std::panic::Location::caller());
}

#[tokio::test]
async fn files_of_a_version_are_those_of_its_run() {
    let server = with_model().await;
    let run = server.run().await;
    let path = format!("/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/model/MLmodel");
    let put = server.send(Method::PUT, &path, "flavors").await;
    assert_eq!(put.status, 200, "{}", put.text);
    let place = text(&server.run_of(&run).await["info"]["artifact_uri"]);
    for source in [format!("{place}/model"), format!("runs:/{run}/model")] {
        made(
            &server,
            json!({"name": "m", "source": source, "run_id": run}),
        )
        .await;
    }
    made(&server, json!({"name": "m", "source": "s3://bucket/model"})).await;
    for version in [1, 2] {
        let route = format!("/model-versions/get-artifact?name=m&version={version}&path=MLmodel");
        let got = server.bench.get(&route).await;
        assert_eq!((got.status, got.text.as_str()), (200, "flavors"));
    }
    for (version, path) in [
        ("1", "nothing"),
        ("1", "../../x"),
        ("3", "MLmodel"),
        ("9", "MLmodel"),
    ] {
        let route = format!("/model-versions/get-artifact?name=m&version={version}&path={path}");
        let got = server.bench.get(&route).await;
        assert!((400..500).contains(&got.status), "{route}: {}", got.text);
    }
}
