use serde_json::{Value, json};
use trialbook_model::id::{ExperimentUid, Uid};
use trialbook_model::record::{CreateExperiment, Op, SetPointer};

use crate::app::Settings;
use crate::mlflow::testing::{Server, keyed, text};

async fn create(server: &Server, name: &str) -> String {
    let answer = server
        .told("experiments/create", json!({ "name": name }))
        .await;
    text(&answer["experiment_id"])
}

async fn names(server: &Server, body: Value) -> Vec<String> {
    let mut body = body;
    if body.get("max_results").is_none() {
        body["max_results"] = json!(1000);
    }
    let answer = server.told("experiments/search", body).await;
    let found = answer["experiments"].as_array();
    found
        .into_iter()
        .flatten()
        .map(|row| text(&row["name"]))
        .collect()
}

#[tokio::test]
async fn the_default_experiment_is_number_0() {
    let server = Server::new();
    let found = server.seen("experiments/get?experiment_id=0").await;
    let experiment = &found["experiment"];
    assert_eq!(experiment["name"], "Default");
    assert_eq!(experiment["experiment_id"], "0");
    assert_eq!(experiment["artifact_location"], "mlflow-artifacts:/0");
    assert_eq!(experiment["lifecycle_stage"], "active");
    assert!(experiment["creation_time"].is_i64());
    assert_eq!(experiment.get("tags"), None);
}

#[tokio::test]
async fn an_experiment_is_created_once_and_found_by_name_and_id() {
    let server = Server::new();
    let body = json!({
        "name": "a/b c", "artifact_location": "", "tags": [
            {"key": "team", "value": "red"}, {"key": "mlflow.note.content", "value": "# note"},
        ],
    });
    let id = text(&server.told("experiments/create", body).await["experiment_id"]);
    assert_eq!(id, "1");
    let by_name = server
        .seen("experiments/get-by-name?experiment_name=a%2Fb+c")
        .await;
    let by_id = server.seen("experiments/get?experiment_id=1").await;
    assert_eq!(by_name, by_id);
    let experiment = &by_id["experiment"];
    assert_eq!(keyed(&experiment["tags"], "team"), "red");
    assert_eq!(keyed(&experiment["tags"], "mlflow.note.content"), "# note");
    assert_eq!(experiment["artifact_location"], "mlflow-artifacts:/1");
    let taken = ("RESOURCE_ALREADY_EXISTS", "already exists");
    server
        .refused("experiments/create", json!({"name": "a/b c"}), taken)
        .await;
}

#[tokio::test]
async fn what_no_experiment_can_be_is_refused() {
    let server = Server::new();
    for (body, words) in [
        (json!({}), "Missing value for required parameter 'name'"),
        (
            json!({"name": ""}),
            "Missing value for required parameter 'name'",
        ),
        (
            json!({"name": 5}),
            "Invalid value 5 for parameter 'name' supplied",
        ),
        (
            json!({"name": "x".repeat(501)}),
            "exceeds the maximum length of 500",
        ),
        (
            json!({"name": "x", "artifact_location": "runs:/a"}),
            "cannot be a runs:/ URI",
        ),
        (
            json!({"name": "x", "tags": [{"key": "a,b", "value": ""}]}),
            "Names may only contain",
        ),
        (
            json!({"name": "x", "tags": "a"}),
            "Invalid value \"a\" for parameter 'tags'",
        ),
    ] {
        let refusal = ("INVALID_PARAMETER_VALUE", words);
        server.refused("experiments/create", body, refusal).await;
    }
    let missing = server
        .get("experiments/get-by-name?experiment_name=odd")
        .await;
    assert_eq!(missing.status, 404);
    assert_eq!(
        missing.json()["message"],
        "Could not find experiment with name 'odd'"
    );
    let missing = server.get("experiments/get?experiment_id=99").await;
    assert_eq!(missing.json()["message"], "No Experiment with id=99 exists");
    let odd = server.get("experiments/get?experiment_id=odd").await;
    assert_eq!(odd.json()["error_code"], "INVALID_PARAMETER_VALUE");
}

#[tokio::test]
async fn experiments_of_other_projects_bear_their_names_and_other_ids_are_understood() {
    let server = Server::new();
    let experiment = ExperimentUid(Uid([7; 16]));
    server.bench.elsewhere(&[
        Op::CreateExperiment(CreateExperiment {
            experiment,
            project: "vision".to_owned(),
            name: "resnet".to_owned(),
            handle: None,
            document: Value::Null,
            config_hash: None,
        }),
        Op::SetPointer(SetPointer {
            project: "vision".to_owned(),
            kind: "alias".to_owned(),
            name: "123456789012345678".to_owned(),
            value: experiment.to_string().into(),
        }),
    ]);
    let found = server
        .seen("experiments/get-by-name?experiment_name=vision/resnet")
        .await;
    assert_eq!(found["experiment"]["name"], "vision/resnet");
    let alias = server
        .seen("experiments/get?experiment_id=123456789012345678")
        .await;
    assert_eq!(alias, found);
    // A name made here stays whole, and wins.
    let taken = ("RESOURCE_ALREADY_EXISTS", "vision/resnet");
    server
        .refused(
            "experiments/create",
            json!({"name": "vision/resnet"}),
            taken,
        )
        .await;
    let id = &found["experiment"]["experiment_id"];
    let body = json!({"experiment_id": id, "new_name": "vision/vit"});
    server.told("experiments/update", body).await;
    let renamed = server
        .seen("experiments/get-by-name?experiment_name=vision/vit")
        .await;
    assert_eq!(&renamed["experiment"]["experiment_id"], id);
    server
        .told(
            "experiments/update",
            json!({"experiment_id": id, "new_name": "vit"}),
        )
        .await;
    assert_eq!(
        names(&server, json!({"filter": "name = 'vit'"})).await,
        ["vit"]
    );
}

#[tokio::test]
async fn deleting_takes_the_runs_along_and_keeps_the_name() {
    let server = Server::new();
    let id = create(&server, "a").await;
    let run = server
        .told("runs/create", json!({"experiment_id": id}))
        .await;
    let run = text(&run["run"]["info"]["run_id"]);
    server.told("runs/delete", json!({"run_id": run})).await;
    server
        .told("experiments/delete", json!({"experiment_id": id}))
        .await;
    let found = server
        .seen(&format!("experiments/get?experiment_id={id}"))
        .await;
    assert_eq!(found["experiment"]["lifecycle_stage"], "deleted");
    let gone = ("RESOURCE_DOES_NOT_EXIST", "No Experiment with id");
    server
        .refused("experiments/delete", json!({"experiment_id": id}), gone)
        .await;
    let taken = ("RESOURCE_ALREADY_EXISTS", "is deleted; restore it");
    server
        .refused("experiments/create", json!({"name": "a"}), taken)
        .await;
    let inactive = ("INVALID_PARAMETER_VALUE", "must be in the 'active' state");
    server
        .refused("runs/create", json!({"experiment_id": id}), inactive)
        .await;
    let tag = json!({"experiment_id": id, "key": "k", "value": "v"});
    server
        .refused("experiments/set-experiment-tag", tag, inactive)
        .await;
    let renamed = ("INVALID_STATE", "Cannot rename a non-active experiment");
    let body = json!({"experiment_id": id, "new_name": "b"});
    server.refused("experiments/update", body, renamed).await;
    let deleted = json!({"view_type": "DELETED_ONLY"});
    assert_eq!(names(&server, deleted).await, ["a"]);
    assert_eq!(names(&server, json!({})).await, ["Default"]);
    server
        .told("experiments/restore", json!({"experiment_id": id}))
        .await;
    assert_eq!(
        server.run_of(&run).await["info"]["lifecycle_stage"],
        "active"
    );
    assert_eq!(names(&server, json!({"view_type": 3})).await.len(), 2);
    server
        .refused("experiments/restore", json!({"experiment_id": id}), gone)
        .await;
}

#[tokio::test]
async fn tags_are_set_and_removed() {
    let server = Server::new();
    let tag = json!({"experiment_id": "0", "key": "mlflow.note.content", "value": "text"});
    server.told("experiments/set-experiment-tag", tag).await;
    let tag = json!({"experiment_id": "0", "key": "k", "value": ""});
    server.told("experiments/set-experiment-tag", tag).await;
    let found = server.seen("experiments/get?experiment_id=0").await;
    let tags = &found["experiment"]["tags"];
    assert_eq!(keyed(tags, "mlflow.note.content"), "text");
    assert_eq!(keyed(tags, "k"), "");
    for key in ["k", "mlflow.note.content"] {
        let body = json!({"experiment_id": "0", "key": key});
        server
            .told("experiments/delete-experiment-tag", body.clone())
            .await;
        let gone = ("RESOURCE_DOES_NOT_EXIST", "No tag with name");
        server
            .refused("experiments/delete-experiment-tag", body, gone)
            .await;
    }
    let found = server.seen("experiments/get?experiment_id=0").await;
    assert_eq!(found["experiment"].get("tags"), None);
}

#[tokio::test]
async fn searches_filter_sort_and_page() {
    let server = Server::new();
    for name in ["b", "a", "c"] {
        create(&server, name).await;
    }
    let tag = json!({"experiment_id": "2", "key": "team", "value": "red"});
    server.told("experiments/set-experiment-tag", tag).await;
    assert_eq!(names(&server, json!({})).await, ["c", "a", "b", "Default"]);
    let by_name = json!({"order_by": ["name ASC"]});
    assert_eq!(names(&server, by_name).await, ["Default", "a", "b", "c"]);
    for (filter, expected) in [
        ("name LIKE '_'", &["c", "a", "b"][..]),
        ("tags.team = 'red'", &["a"]),
        ("tags.team IS NULL AND name != 'c'", &["b", "Default"]),
        ("experiment_id IN ('1', '3')", &["c", "b"]),
        ("creation_time > 0 AND name ILIKE 'A'", &["a"]),
    ] {
        assert_eq!(
            names(&server, json!({"filter": filter})).await,
            expected,
            "{filter}"
        );
    }
    let body = json!({"max_results": 3});
    let first = server.told("experiments/search", body).await;
    let token = &first["next_page_token"];
    let body = json!({"max_results": 3, "page_token": token});
    let second = server.told("experiments/search", body).await;
    assert_eq!(second["experiments"].as_array().map(Vec::len), Some(1));
    assert_eq!(second.get("next_page_token"), None);
    for (body, words) in [
        (
            json!({}),
            "Invalid value 0 for parameter 'max_results' supplied. It must be a positive",
        ),
        (json!({"max_results": 50_001}), "It must be at most 50000"),
        (
            json!({"max_results": 5, "filter": "odd = 'a'"}),
            "Invalid attribute key 'odd'",
        ),
        (
            json!({"max_results": 5, "filter": "experiment_id = 'x'"}),
            "Invalid experiment ID 'x'",
        ),
        (
            json!({"max_results": 5, "order_by": ["tags.a"]}),
            "Invalid order_by entity: tag",
        ),
        (
            json!({"max_results": 5, "page_token": "?"}),
            "Invalid page token",
        ),
    ] {
        let refusal = ("INVALID_PARAMETER_VALUE", words);
        server.refused("experiments/search", body, refusal).await;
    }
    let got = server
        .seen("experiments/search?max_results=2&order_by=name")
        .await;
    assert_eq!(got["experiments"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_root_elsewhere_is_written_down() {
    let server = Server::with(Settings {
        default_artifact_root: "s3://bucket/x/".to_owned(),
        ..Settings::default()
    });
    let id = create(&server, "a").await;
    let found = server
        .seen(&format!("experiments/get?experiment_id={id}"))
        .await;
    assert_eq!(
        found["experiment"]["artifact_location"],
        format!("s3://bucket/x/{id}")
    );
    let body = json!({"name": "own", "artifact_location": "file:///data/own"});
    let own = text(&server.told("experiments/create", body).await["experiment_id"]);
    let run = server
        .told("runs/create", json!({"experiment_id": own}))
        .await;
    let info = &run["run"]["info"];
    let uri = format!("file:///data/own/{}/artifacts", text(&info["run_id"]));
    assert_eq!(info["artifact_uri"], uri);
}
